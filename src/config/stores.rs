//! Which systems store where: the one table of rooms, schemes and what this version can use.

use super::{Secretive, StoreConfig, mask_text};

/// A system with a store of its own.
pub struct StoreRoom {
    /// Its name in `[store]` and for `%connect`.
    pub name: &'static str,
    /// The kinds of servers that it may store on.
    pub servers: &'static [Server],
    configured: fn(&StoreConfig) -> &Option<Secretive>,
}

/// A kind of server.
pub struct Server {
    /// The schemes of its addresses.
    pub schemes: &'static [&'static str],
    /// The port where an address names none.
    pub port: u16,
    /// Whether this version stores there.
    pub usable: bool,
}

const fn server(schemes: &'static [&'static str], port: u16, usable: bool) -> Server {
    Server {
        schemes,
        port,
        usable,
    }
}

/// All of them. Whoever teaches a room to use a server says so here; `%connect`, the notes at the start and
/// completion follow.
pub const STORES: &[StoreRoom] = &[
    StoreRoom {
        name: "profile",
        servers: &[server(&["hbase"], 9090, true)],
        configured: |stores| &stores.profile,
    },
    StoreRoom {
        name: "collection",
        servers: &[server(&["redis", "rediss"], 6379, true)],
        configured: |stores| &stores.collection,
    },
    StoreRoom {
        name: "event",
        servers: &[server(&["postgres", "postgresql"], 5432, true)],
        configured: |stores| &stores.event,
    },
    StoreRoom {
        name: "rule",
        servers: &[server(&["postgres", "postgresql"], 5432, true)],
        configured: |stores| &stores.rule,
    },
];

impl StoreRoom {
    /// The server that the configuration names, and whether this version stores there.
    pub fn place<'c>(&self, stores: &'c StoreConfig) -> Option<(&'c Secretive, bool)> {
        let address = (self.configured)(stores).as_ref()?;
        Some((address, self.usable(address)))
    }

    /// The kind of server with this scheme.
    pub fn server(&self, scheme: &str) -> Option<&'static Server> {
        let mut servers = self.servers.iter();
        servers.find(|server| server.schemes.contains(&scheme))
    }

    /// Why nothing is stored at an address that is not usable, and what happens instead.
    pub fn why_not(&self, address: &Secretive) -> String {
        let scheme = address.raw().split_once("://").map(|(scheme, _)| scheme);
        if scheme.is_none_or(|scheme| self.server(scheme).is_some()) {
            return "this version cannot store there yet; the embedded file is used".to_string();
        }
        let schemes = self.servers.iter().flat_map(|server| server.schemes);
        let schemes: Vec<String> = schemes.map(|scheme| format!("{scheme}://")).collect();
        let address = mask_text(address.raw());
        let schemes = schemes.join(" or ");
        format!("{address} is no address for it: one begins with {schemes}")
    }

    fn usable(&self, address: &Secretive) -> bool {
        match address.raw().split_once("://") {
            Some((scheme, _)) if !scheme.contains('$') => {
                self.server(scheme).is_some_and(|server| server.usable)
            }
            // A reference is followed by those who use it only, and they say what is wrong with it.
            _ => self.servers.iter().any(|server| server.usable),
        }
    }
}

/// The port of a server with this scheme where its address names none.
pub fn usual_port(scheme: &str) -> Option<u16> {
    let mut servers = STORES.iter().filter_map(|room| room.server(scheme));
    servers.next().map(|server| server.port)
}
