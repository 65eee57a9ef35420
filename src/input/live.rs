//! Reading what may arrive slowly: a thread of its own waits for it, so that the reader can be told to stop.

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How many bytes are read at a time.
const PIECE: usize = 1 << 16;

/// How often a waiting reader looks whether it shall stop.
const PATIENCE: Duration = Duration::from_millis(20);

/// A reader that is at its end as soon as one of its flags is set, even while nothing arrives.
pub struct Live {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    stop: Vec<Arc<AtomicBool>>,
}

impl Live {
    /// Reads `inner` until one of `stop` is set. Errors: when no thread can be started.
    pub fn new(
        mut inner: impl Read + Send + 'static,
        stop: Vec<Arc<AtomicBool>>,
    ) -> io::Result<Live> {
        let (sender, pieces) = bounded(2);
        let read = move || {
            loop {
                let mut piece = vec![0; PIECE];
                let read = match inner.read(&mut piece) {
                    Ok(0) => return,
                    Ok(read) => {
                        piece.truncate(read);
                        Ok(piece)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.send(read).is_err() || failed {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("reader".into())
            .spawn(read)?;
        Ok(Live {
            pieces,
            piece: Vec::new(),
            at: 0,
            stop,
        })
    }
}

impl Read for Live {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            if self.stop.iter().any(|flag| flag.load(Ordering::Relaxed)) {
                return Ok(0);
            }
            match self.pieces.recv_timeout(PATIENCE) {
                Ok(piece) => (self.piece, self.at) = (piece?, 0),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.at += length;
        Ok(length)
    }
}
