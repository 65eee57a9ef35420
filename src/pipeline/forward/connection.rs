//! One connection of a client, on the server's side.

use super::handshake::{self, Gate};
use super::pack::{Frame, Reach};
use super::server::{Block, Common, UNIT};
use super::text::{self, TextFrame};
use super::write;
use crate::pipeline::step::Token;
use std::io::{Error, ErrorKind, Result as IoResult};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a greeting may take.
const GREETING: Duration = Duration::from_secs(10);

/// How long a message may stand still halfway, and an answer may wait to be taken.
const STILL: Duration = Duration::from_secs(60);

/// At the end, what has come in is read for so long …
const LAST: Duration = Duration::from_millis(300);

/// … and until nothing comes for so long.
const QUIET: Duration = Duration::from_millis(20);

/// What a connection may hold without asking.
const FREE: usize = 64 << 10;

/// What is read at first; more once much comes.
const FIRST: usize = 4 << 10;

/// The other side has closed the connection without a word; for a server, that is somebody who only looked.
pub(super) const GONE: &str = "it has closed the connection";

/// A client.
pub struct Peer {
    /// Where it is.
    pub address: SocketAddr,
    answers: mpsc::UnboundedSender<Vec<u8>>,
    refused: Notify,
    common: Arc<Common>,
}

impl Peer {
    /// Ends the connection because of what the client sent.
    pub fn refuse(&self, reason: &str) {
        let address = self.address;
        tracing::warn!("input_forward: the connection of {address} is closed: {reason}");
        self.refused.notify_one();
    }

    fn answer(&self, bytes: Vec<u8>) {
        self.common.answers.fetch_add(1, Ordering::SeqCst);
        if self.answers.send(bytes).is_err() {
            self.common.answers.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// The answers to clients that asked for one.
#[derive(Default)]
pub struct Answers(Vec<(Arc<Peer>, Box<[u8]>)>);

impl Answers {
    /// Whether nobody asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the answer to a chunk.
    pub fn add(&mut self, peer: &Arc<Peer>, chunk: &[u8]) {
        self.0.push((peer.clone(), chunk.into()));
    }
}

impl Token for Answers {
    fn acknowledge(&self) {
        for (peer, chunk) in &self.0 {
            let mut out = Vec::with_capacity(chunk.len() + 16);
            write::map(1, &mut out);
            write::text(b"ack", &mut out);
            write::text(chunk, &mut out);
            peer.answer(out);
        }
        if let Some((peer, _)) = self.0.last() {
            peer.common.farewell();
        }
    }

    fn urgent(&self) -> bool {
        true
    }
}

/// A stream with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Serves a client until it goes. Errors: why it is sent away.
pub(super) async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    blocks: mpsc::Sender<Block>,
    stopped: watch::Receiver<bool>,
    common: &Arc<Common>,
) -> Result<(), String> {
    // Answers are short and waited for.
    let _ = stream.set_nodelay(true);
    let greeted = async {
        let stream: Box<dyn Stream> = match &common.serving.tls {
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => Box::new(stream),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(GONE.into()),
                Err(error) => return Err(format!("TLS failed: {error}")),
            },
            None => Box::new(stream),
        };
        let (mut reader, mut writer) = split(stream);
        if let Some(gate) = &common.serving.gate {
            greet(gate, &mut reader, &mut writer).await?;
        }
        Ok((reader, writer))
    };
    let mut halted = stopped.clone();
    let greeted = tokio::select! {
        _ = halted.changed() => return Ok(()),
        greeted = timeout(GREETING, greeted) => greeted,
    };
    let (reader, writer) = greeted.map_err(|_| "the greeting takes too long".to_owned())??;
    let (answers, to_write) = mpsc::unbounded_channel();
    tokio::spawn(write_answers(writer, to_write, common.clone()));
    let peer = Arc::new(Peer {
        address,
        answers,
        refused: Notify::new(),
        common: common.clone(),
    });
    let mut incoming = Incoming {
        reader,
        blocks,
        peer,
        bytes: Vec::new(),
        ends: Vec::new(),
        begun: 0,
        form: Form::Unknown,
        room: None,
        wanted: 0,
        step: FIRST,
    };
    incoming.run(stopped).await
}

async fn greet(
    gate: &Gate,
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
) -> Result<(), String> {
    let failed = |error: Error| format!("the greeting failed: {error}");
    let (nonce, helo) = gate.helo()?;
    // Whoever has gone by now is told below.
    let _ = writer.write_all(&helo).await;
    let _ = writer.flush().await;
    let ping = match read_one(reader).await {
        Ok(ping) => ping,
        Err(reason) if reason == GONE => return Err(reason),
        Err(reason) => return Err(format!("the greeting failed: {reason}")),
    };
    let (pong, refused) = gate.pong(&nonce, &ping);
    writer.write_all(&pong).await.map_err(failed)?;
    writer.flush().await.map_err(failed)?;
    match refused {
        Some(reason) => {
            // The client reads why before it sees the end.
            let _ = writer.shutdown().await;
            Err(format!("it is not let in: {reason}"))
        }
        None => Ok(()),
    }
}

/// Reads exactly one value of a greeting: what follows belongs to the messages.
pub(super) async fn read_one(reader: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(512);
    let mut frame = Frame::default();
    loop {
        match frame.advance(&bytes, 100) {
            Ok(Reach::End(_)) => return Ok(bytes),
            Ok(Reach::More(wanted)) if wanted <= handshake::LONGEST => {
                let missing = wanted - bytes.len();
                let mut part = (&mut *reader).take(missing as u64);
                let read = match part.read_buf(&mut bytes).await {
                    // Whoever only looks whether somebody listens may end so, too.
                    Err(error)
                        if bytes.is_empty() && error.kind() == ErrorKind::ConnectionReset =>
                    {
                        0
                    }
                    read => read.map_err(|error| error.to_string())?,
                };
                match read {
                    0 if bytes.is_empty() => return Err(GONE.to_owned()),
                    0 => return Err("the other side has closed the connection".to_owned()),
                    _ => continue,
                }
            }
            Ok(Reach::More(_)) => return Err("the greeting is too long".to_owned()),
            Err(trouble) => return Err(trouble.to_string()),
        }
    }
}

/// Writes answers for as long as somebody may give one.
async fn write_answers(
    mut writer: WriteHalf<Box<dyn Stream>>,
    mut answers: mpsc::UnboundedReceiver<Vec<u8>>,
    common: Arc<Common>,
) {
    let mut good = true;
    while let Some(mut bytes) = answers.recv().await {
        let mut count = 1;
        while let Ok(more) = answers.try_recv() {
            bytes.extend_from_slice(&more);
            count += 1;
        }
        // A client that has gone, or takes no answer, gets no more of them.
        let write = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        good = good && matches!(timeout(STILL, write).await, Ok(Ok(())));
        common.answers.fetch_sub(count, Ordering::SeqCst);
    }
    let _ = timeout(GREETING, writer.shutdown()).await;
}

/// How a client writes its messages; the first byte tells.
enum Form {
    Unknown,
    Packed(Frame),
    Text(TextFrame),
}

/// What comes in from a client.
struct Incoming {
    reader: ReadHalf<Box<dyn Stream>>,
    blocks: mpsc::Sender<Block>,
    peer: Arc<Peer>,
    /// Whole messages, and the beginning of the next one.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Where the message begins that is not whole.
    begun: usize,
    form: Form,
    /// The memory beyond what is free.
    room: Option<OwnedSemaphorePermit>,
    /// How many bytes the message that is not whole needs at least.
    wanted: usize,
    /// How much is read at once.
    step: usize,
}

impl Incoming {
    async fn run(&mut self, mut stopped: watch::Receiver<bool>) -> Result<(), String> {
        let mut last = None;
        loop {
            self.make_room().await?;
            let spare = self.bytes.capacity() - self.bytes.len();
            let still = match last {
                Some(end) => Some((Instant::now() + QUIET).min(end)),
                None if self.bytes.is_empty() => None,
                None => Some(Instant::now() + STILL),
            };
            let peer = self.peer.clone();
            let read = tokio::select! {
                biased;
                () = peer.refused.notified() => return Ok(()),
                _ = stopped.changed(), if last.is_none() => {
                    last = Some(Instant::now() + LAST);
                    continue;
                }
                read = read(&mut self.reader, &mut self.bytes, still) => read,
            };
            let read = match read {
                Some(Ok(read)) => read,
                // Whoever breaks off has gone.
                Some(Err(_)) => return Ok(()),
                None if last.is_some() => return Ok(()),
                None => return Err("a message stands still halfway".to_owned()),
            };
            if read == 0 {
                return Ok(());
            }
            if read == spare {
                let most = self.peer.common.serving.read;
                self.step = (self.step * 2).min(most).max(FIRST);
            } else if read < self.step / 4 {
                self.step = (self.step / 2).max(FIRST);
            }
            let broken = self.frame();
            if !self.pass_on().await {
                return Ok(());
            }
            broken?;
        }
    }

    /// Makes room for the next read: memory follows what has come, not what a message claims to be.
    async fn make_room(&mut self) -> Result<(), String> {
        let length = self.bytes.len();
        let next = length + self.step;
        let wanted = match self.wanted > next {
            true => self.wanted.min(length.saturating_mul(2)).max(next),
            false => next,
        };
        let held = self
            .room
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = wanted.saturating_sub(FREE).div_ceil(UNIT);
        if needed > held {
            let more = u32::try_from(needed - held).unwrap_or(u32::MAX);
            let memory = self.peer.common.memory.clone();
            let more = match timeout(STILL, memory.acquire_many_owned(more)).await {
                Ok(Ok(more)) => more,
                _ => return Err("there is no memory for its message".to_owned()),
            };
            match &mut self.room {
                Some(room) => room.merge(more),
                None => self.room = Some(more),
            }
        }
        if self.bytes.capacity() < wanted {
            self.bytes.reserve_exact(wanted - length);
        }
        Ok(())
    }

    /// Finds the messages that are whole. Errors: what comes is no message.
    fn frame(&mut self) -> Result<(), String> {
        let most = self.peer.common.serving.message;
        self.wanted = 0;
        loop {
            match &mut self.form {
                Form::Unknown => {
                    self.form = match self.bytes.first() {
                        Some(b'[' | b'{') => Form::Text(TextFrame::at(0)),
                        Some(_) => Form::Packed(Frame::at(0)),
                        None => return Ok(()),
                    }
                }
                Form::Packed(frame) => {
                    match self.bytes.get(self.begun) {
                        Some(0x90..=0x9f | 0xdc | 0xdd | 0xc0) => {}
                        Some(byte) => {
                            return Err(format!("the byte 0x{byte:02x} begins no message"));
                        }
                        None => return Ok(()),
                    }
                    match frame.advance(&self.bytes, usize::MAX) {
                        Ok(Reach::End(end)) => {
                            if end - self.begun > most {
                                return Err(too_long(most));
                            }
                            *frame = Frame::at(end);
                            self.ends.push(end);
                            self.begun = end;
                        }
                        Ok(Reach::More(wanted)) => {
                            if wanted - self.begun > most {
                                return Err(too_long(most));
                            }
                            self.wanted = wanted;
                            return Ok(());
                        }
                        Err(trouble) => return Err(trouble.to_string()),
                    }
                }
                Form::Text(frame) => match frame.advance(&self.bytes)? {
                    Some(end) => {
                        *frame = TextFrame::at(end);
                        self.ends.push(end);
                        self.begun = end;
                    }
                    None if frame.between() => {
                        self.begun = self.bytes.len();
                        return Ok(());
                    }
                    None if self.bytes.len() - self.begun > most => return Err(too_long(most)),
                    None => return Ok(()),
                },
            }
        }
    }

    /// Gives whole messages to the pipeline; waits while that is full. False when it has ended.
    async fn pass_on(&mut self) -> bool {
        if self.ends.is_empty() {
            // Only blanks behind the last message of JSON.
            if self.begun == self.bytes.len() {
                self.bytes.clear();
                if let Form::Text(frame) = &mut self.form {
                    *frame = TextFrame::at(0);
                }
                self.begun = 0;
            }
            return true;
        }
        let rest = self.bytes.split_off(self.begun);
        let mut bytes = std::mem::replace(&mut self.bytes, rest);
        let mut ends = std::mem::take(&mut self.ends);
        let begun = std::mem::take(&mut self.begun);
        let mut broken = None;
        self.wanted = self.wanted.saturating_sub(begun);
        match &mut self.form {
            Form::Packed(frame) => frame.back(begun),
            Form::Text(frame) => {
                frame.back(begun);
                (bytes, ends, broken) = as_packed(&bytes, &ends);
            }
            Form::Unknown => {}
        }
        let block = Block {
            bytes,
            ends,
            peer: self.peer.clone(),
            _room: self.room.take(),
        };
        let sent = self.blocks.send(block).await.is_ok();
        if let Some(reason) = broken {
            self.peer.refuse(&reason);
        }
        sent
    }
}

/// Messages of JSON as MessagePack, up to the first that is none, with what is wrong with that.
fn as_packed(bytes: &[u8], ends: &[usize]) -> (Vec<u8>, Vec<usize>, Option<String>) {
    let (mut packed, mut places, mut begin) = (Vec::with_capacity(bytes.len()), Vec::new(), 0);
    for &end in ends {
        let message = bytes.get(begin..end).unwrap_or_default();
        if let Err(reason) = text::convert(message, &mut packed) {
            packed.truncate(places.last().copied().unwrap_or(0));
            return (packed, places, Some(reason));
        }
        places.push(packed.len());
        begin = end;
    }
    (packed, places, None)
}

fn too_long(most: usize) -> String {
    format!("a message is longer than {most} bytes")
}

/// Reads what is there. None when nothing came until the moment.
async fn read(
    reader: &mut ReadHalf<Box<dyn Stream>>,
    bytes: &mut Vec<u8>,
    until: Option<Instant>,
) -> Option<IoResult<usize>> {
    let read = reader.read_buf(bytes);
    match until {
        Some(until) => timeout_at(until, read).await.ok(),
        None => Some(read.await),
    }
}
