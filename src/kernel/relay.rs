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
use tokio::sync::mpsc;

/// How many bytes may wait for a front end. One with more is parted from; it may connect again.
const MOST: usize = 64 << 20;
/// How many bytes are read at a time.
const PIECE: usize = 64 << 10;
/// How long to wait after a connection that could not be taken.
const BREATH: Duration = Duration::from_millis(100);

/// Takes connections at `outside` and joins each with one to `inside`. Every task holds `alive`.
pub async fn relay(outside: TcpListener, inside: SocketAddr, alive: mpsc::Sender<()>) {
    loop {
        match outside.accept().await {
            Ok((front, _)) => {
                let alive = alive.clone();
                tokio::spawn(async move {
                    let ended = join(front, inside).await;
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

async fn join(front: TcpStream, inside: SocketAddr) -> io::Result<()> {
    let kernel = TcpStream::connect(inside).await?;
    front.set_nodelay(true)?;
    kernel.set_nodelay(true)?;
    let (mut from_front, to_front) = front.into_split();
    let (from_kernel, mut to_kernel) = kernel.into_split();
    tokio::select! {
        // The front end is gone.
        ended = tokio::io::copy(&mut from_front, &mut to_kernel) => ended.map(|_| ()),
        // The kernel has ended, and everything has been passed on.
        ended = pass(from_kernel, to_front, MOST) => ended,
    }
}

/// Passes bytes on until there are no more. Errors: those of both sides, and too many that wait.
fn pass(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    most: usize,
) -> impl Future<Output = io::Result<()>> {
    let (put, mut take) = mpsc::unbounded_channel::<Vec<u8>>();
    async move {
        let waiting = AtomicUsize::new(0);
        let waiting = &waiting;
        let fill = async move {
            let mut piece = vec![0; PIECE];
            loop {
                let count = from.read(&mut piece).await?;
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
            pass(given.as_slice(), &mut passed, 2_000_000)
                .await
                .unwrap();
            passed
        });
        assert!(passed == given);
    }

    #[test]
    fn one_that_does_not_read_is_parted_from() {
        let given = vec![7; 1_000_000];
        let ended = run(async {
            // Room for ten bytes, and nobody who takes them.
            let (to, _held) = tokio::io::duplex(10);
            pass(given.as_slice(), to, 100_000).await
        });
        assert!(ended.is_err());
    }
}
