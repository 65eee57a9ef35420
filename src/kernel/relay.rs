//! What is published, on its way to the front ends: one that reads slowly, or not at all, holds up neither the kernel
//! nor the others.
//!
//! The socket that publishes waits for every reader. So the front ends do not connect to it but to a listener here, and
//! for each of them bytes are passed on by a task that always reads, up to a bound.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// How many bytes may wait for a front end. One with more is parted from; it may connect again.
const MOST: usize = 64 << 20;
/// How many bytes are read at a time.
const PIECE: usize = 64 << 10;
/// How long to wait after a connection that could not be taken.
const BREATH: Duration = Duration::from_millis(100);

/// How long nothing comes when the kernel has ended and everything has been passed on.
const QUIET: Duration = Duration::from_millis(30);

/// Takes connections at `outside` and joins each with one to `inside`, until the kernel ends. Every task holds `alive`.
pub async fn relay(
    outside: TcpListener,
    inside: SocketAddr,
    mut ending: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = outside.accept() => accepted,
            _ = ending.wait_for(|ends| *ends) => return,
        };
        match accepted {
            Ok((front, _)) => {
                let (alive, ending) = (alive.clone(), ending.clone());
                tokio::spawn(async move {
                    let ended = join(front, inside, ending).await;
                    if let Err(error) = ended {
                        tracing::debug!("a front end listens no more: {error}");
                    }
                    drop(alive);
                });
            }
            Err(error) => {
                tracing::warn!("a front end could not connect: {error}");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn join(
    front: TcpStream,
    inside: SocketAddr,
    ending: watch::Receiver<bool>,
) -> io::Result<()> {
    let kernel = TcpStream::connect(inside).await?;
    front.set_nodelay(true)?;
    kernel.set_nodelay(true)?;
    let (mut from_front, to_front) = front.into_split();
    let (from_kernel, mut to_kernel) = kernel.into_split();
    tokio::select! {
        // The front end is gone.
        ended = tokio::io::copy(&mut from_front, &mut to_kernel) => ended.map(|_| ()),
        // The kernel has ended, and everything has been passed on.
        ended = pass(from_kernel, to_front, MOST, ending) => ended,
    }
}

/// Passes bytes on until there are no more, or the kernel ends and nothing comes. Errors: those of both sides, and too many that wait.
fn pass(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    most: usize,
    mut ending: watch::Receiver<bool>,
) -> impl Future<Output = io::Result<()>> {
    let (put, mut take) = mpsc::unbounded_channel::<Vec<u8>>();
    async move {
        let waiting = AtomicUsize::new(0);
        let waiting = &waiting;
        let fill = async move {
            let mut piece = vec![0; PIECE];
            loop {
                let quiet = async {
                    // Who gives up the other end means the same.
                    let _ = ending.wait_for(|ends| *ends).await;
                    tokio::time::sleep(QUIET).await;
                };
                let count = tokio::select! {
                    biased;
                    count = from.read(&mut piece) => count?,
                    () = quiet => return Ok(()),
                };
                let bytes = piece.get(..count).unwrap_or_default();
                if bytes.is_empty() {
                    return Ok(());
                }
                if waiting.fetch_add(count, Ordering::Relaxed) + count > most {
                    return Err(io::Error::other("it does not read"));
                }
                let _ = put.send(bytes.to_vec());
            }
        };
        let drain = async {
            while let Some(bytes) = take.recv().await {
                to.write_all(&bytes).await?;
                waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
            }
            to.shutdown().await
        };
        tokio::try_join!(fill, drain).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Deadline, wait};
    use std::sync::atomic::AtomicBool;

    fn run<T>(work: impl Future<Output = T>) -> T {
        wait(work, Deadline::NONE, &AtomicBool::new(false)).unwrap()
    }

    #[test]
    fn everything_is_passed_on_before_the_end() {
        let given: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
        let passed = run(async {
            let mut passed = Vec::new();
            let (_goes_on, ending) = watch::channel(false);
            pass(given.as_slice(), &mut passed, 2_000_000, ending)
                .await
                .unwrap();
            passed
        });
        assert!(passed == given);
    }

    #[test]
    fn what_was_sent_before_the_end_is_passed_on() {
        let passed = run(async {
            // The other end stays open.
            let (mut kernel, from) = tokio::io::duplex(1_000_000);
            kernel.write_all(&[7; 500_000]).await.unwrap();
            let (_ends, ending) = watch::channel(true);
            let mut passed = Vec::new();
            pass(from, &mut passed, 1_000_000, ending).await.unwrap();
            passed
        });
        assert_eq!(passed.len(), 500_000);
    }

    #[test]
    fn one_that_does_not_read_is_parted_from() {
        let given = vec![7; 1_000_000];
        let ended = run(async {
            // Room for ten bytes, and nobody who takes them.
            let (to, _held) = tokio::io::duplex(10);
            let (_goes_on, ending) = watch::channel(false);
            pass(given.as_slice(), to, 100_000, ending).await
        });
        assert!(ended.is_err());
    }
}
