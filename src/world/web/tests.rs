use super::parse_url;
use super::permit::Permit;
use super::pool::{Pool, Route};
use crate::config::FunctionsConfig;
use crate::diagnostic::Code;
use std::net::IpAddr;
use std::time::Duration;
use url::Url;

fn permit(hosts: &[&str], public_only: bool) -> Permit {
    let config = FunctionsConfig {
        network: true,
        hosts: hosts.iter().map(|host| host.to_string()).collect(),
        public_only,
        ..FunctionsConfig::default()
    };
    Permit::new(&config)
}

#[test]
fn public_addresses() {
    let permit = permit(&[], true);
    let allowed = |text: &str| {
        let address: IpAddr = text.parse().unwrap_or_else(|_| panic!("{text}"));
        permit.check_address("host", address).is_ok()
    };
    for text in [
        "1.1.1.1",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "100.63.0.1",
        "100.128.0.1",
        "223.255.255.255",
        "2606:4700::1",
        "2a00::1",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
        "2002:101:101::",
    ] {
        assert!(allowed(text), "{text}");
    }
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:a00:1::",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!allowed(text), "{text}");
    }
}

#[test]
fn hosts_that_are_listed() {
    let permit = permit(&["Api.Example.", "*.corp.example", "10.0.0.1", "::1"], true);
    let allowed = |text: &str| match Url::parse(text) {
        Ok(url) => permit.check_url(&url).is_ok(),
        Err(error) => panic!("{text}: {error}"),
    };
    for text in [
        "http://api.example/",
        "https://API.example.:8443/",
        "http://a.corp.example/",
        "http://a.b.corp.example/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://0xa.1/",
    ] {
        assert!(allowed(text), "{text}");
    }
    for text in [
        "http://x.api.example/",
        "http://corp.example/",
        "http://evilcorp.example/",
        "http://10.0.0.2/",
        "http://[::ffff:10.0.0.1]/",
        "http://api.example.evil.example/",
        "http://api.example@evil.example/",
        "ftp://api.example/",
        "file:///api.example",
    ] {
        assert!(!allowed(text), "{text}");
    }
    // A listed name may lie anywhere, any other must be public.
    assert!(
        permit
            .check_address("api.example", [127, 0, 0, 1].into())
            .is_ok()
    );
    assert!(
        permit
            .check_address("b.example", [127, 0, 0, 1].into())
            .is_err()
    );
}

#[test]
fn link_local_addresses_need_to_be_listed() {
    let metadata = [169, 254, 169, 254].into();
    let refused = permit(&[], false).check_address("metadata.internal", metadata);
    assert_eq!(refused.map_err(|fault| fault.code), Err(Code::NotAvailable));
    let listed = permit(&["metadata.internal"], false);
    assert!(listed.check_address("metadata.internal", metadata).is_ok());
    assert!(
        permit(&[], false)
            .check_address("host", [10, 0, 0, 1].into())
            .is_ok()
    );
}

#[test]
fn addresses_are_as_strict_as_in_java() {
    let parsed = |text: &str| parse_url(text).map(|url| url.to_string());
    assert_eq!(
        parsed("HTTP://Host/a?b#c").as_deref(),
        Ok("http://host/a?b")
    );
    assert_eq!(parsed("http://host/ž").as_deref(), Ok("http://host/%C5%BE"));
    assert_eq!(
        parsed("http://host/100%25").as_deref(),
        Ok("http://host/100%25")
    );
    for text in [
        "http://host/100%",
        "http://host/%1",
        "http://host/a|b",
        "http://h\tost/",
        "//host/",
        "http:/",
    ] {
        assert!(parsed(text).is_err(), "{text}");
    }
    let fault = parsed("http://me:hunter2@host/a b");
    assert!(fault.is_err_and(|message| !message.contains("hunter2")));
}

#[test]
fn leases_are_bounded_in_all_and_by_route() {
    let route = |host: &str| Route {
        secure: false,
        host: host.to_string(),
        port: 80,
        proxy: None,
    };
    let pool = Pool::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        panic!("no runtime");
    };
    runtime.block_on(async {
        let soon = Duration::from_millis(30);
        let (a, b, c) = (route("a"), route("b"), route("c"));
        let first = pool.lease(&a, 2, 1).await;
        assert!(
            tokio::time::timeout(soon, pool.lease(&a, 2, 1))
                .await
                .is_err()
        );
        let second = pool.lease(&b, 2, 1).await;
        assert!(
            tokio::time::timeout(soon, pool.lease(&c, 2, 1))
                .await
                .is_err()
        );
        drop(second);
        let third = pool.lease(&c, 2, 1).await;
        let waiting = pool.lease(&a, 2, 1);
        let freeing = async {
            tokio::time::sleep(soon).await;
            drop(first);
        };
        let (_fourth, ()) = tokio::join!(waiting, freeing);
        drop(third);
    });
}
