//! Thrift's binary protocol on a socket that can be told to stop, and that believes no length it reads.

use crate::store::Deadline;
use parking_lot::Mutex;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use thrift::protocol::{
    TBinaryInputProtocol, TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier,
    TMessageIdentifier, TSetIdentifier, TStructIdentifier,
};
use thrift::{ProtocolError, ProtocolErrorKind};

/// How often a waiting socket looks whether it shall stop.
const TICK: Duration = Duration::from_millis(20);

/// How much is read or written at a time.
const BUFFER: usize = 1 << 16;

/// The most bytes of a text or a message, and the most members of a list.
const LONGEST: usize = 256 << 20;
const MEMBERS: i32 = 1 << 20;

/// What the call that uses the socket must keep to; it changes with every call.
#[derive(Default)]
pub struct Watch(Mutex<(Deadline, Arc<AtomicBool>)>);

impl Watch {
    /// From now on the socket keeps to these.
    pub fn set(&self, deadline: Deadline, cancel: &Arc<AtomicBool>) {
        *self.0.lock() = (deadline, cancel.clone());
    }

    fn ended(&self) -> bool {
        let (deadline, cancel) = &*self.0.lock();
        cancel.load(Ordering::Relaxed) || deadline.passed()
    }
}

/// A socket whose calls end when the watch says so, or when nothing moves for too long.
pub struct Wire {
    stream: TcpStream,
    watch: Arc<Watch>,
    patience: Duration,
}

impl Wire {
    /// Two ends of one socket: one to read, one to write.
    pub fn both(
        stream: TcpStream,
        watch: &Arc<Watch>,
        patience: Duration,
    ) -> io::Result<(Wire, Wire)> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(TICK))?;
        let wire = |stream| Wire {
            stream,
            watch: watch.clone(),
            patience,
        };
        Ok((wire(stream.try_clone()?), wire(stream)))
    }

    fn patiently(
        &mut self,
        mut work: impl FnMut(&mut TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let since = Instant::now();
        loop {
            let error = match work(&mut self.stream) {
                Err(error) => error,
                moved => return moved,
            };
            match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut if self.watch.ended() => {
                    return Err(io::Error::new(ErrorKind::TimedOut, "stopped"));
                }
                ErrorKind::WouldBlock | ErrorKind::TimedOut if since.elapsed() >= self.patience => {
                    let message = format!("nothing came for {} s", self.patience.as_secs());
                    return Err(io::Error::new(ErrorKind::TimedOut, message));
                }
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => return Err(error),
            }
        }
    }
}

/// What comes in.
pub struct Incoming {
    wire: Wire,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// What is left of the frame; `None`: there are no frames.
    frame: Option<usize>,
}

impl Incoming {
    /// What comes in on a socket.
    pub fn new(wire: Wire, framed: bool) -> Incoming {
        Incoming {
            wire,
            buffer: vec![0; BUFFER].into(),
            start: 0,
            end: 0,
            frame: framed.then_some(0),
        }
    }

    /// Some bytes, as many as there are; frames do not count here.
    fn some(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end {
            let buffer = &mut self.buffer;
            self.start = 0;
            self.end = self.wire.patiently(|stream| stream.read(buffer))?;
        }
        let ready = self.buffer.get(self.start..self.end).unwrap_or_default();
        let count = ready.len().min(out.len());
        for (to, from) in [(out.get_mut(..count), ready.get(..count))] {
            if let (Some(to), Some(from)) = (to, from) {
                to.copy_from_slice(from);
            }
        }
        self.start += count;
        Ok(count)
    }
}

impl Read for Incoming {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(mut left) = self.frame else {
            return self.some(out);
        };
        while left == 0 {
            let (mut head, mut filled) = ([0; 4], 0);
            while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match self.some(rest)? {
                    0 => return Ok(0),
                    count => filled += count,
                }
            }
            left = usize::try_from(i32::from_be_bytes(head)).unwrap_or(usize::MAX);
            if left > LONGEST {
                return Err(io::Error::new(
                    ErrorKind::InvalidData,
                    "this is no frame of Thrift",
                ));
            }
        }
        let most = out.len().min(left);
        let count = self.some(out.get_mut(..most).unwrap_or_default())?;
        self.frame = Some(left - count);
        Ok(count)
    }
}

/// What goes out, at the end of each message.
pub struct Outgoing {
    wire: Wire,
    buffer: Vec<u8>,
    framed: bool,
}

impl Outgoing {
    /// What goes out on a socket.
    pub fn new(wire: Wire, framed: bool) -> Outgoing {
        Outgoing {
            wire,
            buffer: Vec::with_capacity(BUFFER),
            framed,
        }
    }

    fn send(&mut self) -> io::Result<()> {
        let mut rest = self.buffer.as_slice();
        while !rest.is_empty() {
            let count = self.wire.patiently(|stream| stream.write(rest))?;
            if count == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
            rest = rest.get(count..).unwrap_or_default();
        }
        self.buffer.clear();
        Ok(())
    }
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A frame begins with its length, which is known at its end.
        if self.framed && self.buffer.is_empty() {
            self.buffer.extend([0; 4]);
        }
        self.buffer.extend_from_slice(bytes);
        if !self.framed && self.buffer.len() >= BUFFER {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let length = self.buffer.len().saturating_sub(4);
        if let (true, Some(head)) = (self.framed, self.buffer.get_mut(..4)) {
            head.copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
        self.send()
    }
}

/// Thrift's binary protocol that checks the lengths it reads before it makes room for them: something else may listen
/// behind the port.
pub struct Careful(TBinaryInputProtocol<Incoming>);

impl Careful {
    /// The protocol on what comes in.
    pub fn new(incoming: Incoming) -> Careful {
        Careful(TBinaryInputProtocol::new(incoming, true))
    }
}

fn too_long() -> thrift::Error {
    thrift::Error::Protocol(ProtocolError {
        kind: ProtocolErrorKind::SizeLimit,
        message: "a length that cannot be".to_string(),
    })
}

fn members(size: i32) -> thrift::Result<()> {
    if (0..=MEMBERS).contains(&size) {
        Ok(())
    } else {
        Err(too_long())
    }
}

impl TInputProtocol for Careful {
    fn read_message_begin(&mut self) -> thrift::Result<TMessageIdentifier> {
        // The inner one would read the name without looking at its length.
        let [first, second, _, kind] = self.0.read_i32()?.to_be_bytes();
        if [first, second] != [0x80, 1] {
            return Err(thrift::Error::Protocol(ProtocolError {
                kind: ProtocolErrorKind::BadVersion,
                message: "this is no message of Thrift's binary protocol".to_string(),
            }));
        }
        let kind = kind.try_into()?;
        let name = self.read_string()?;
        Ok(TMessageIdentifier::new(name, kind, self.read_i32()?))
    }

    fn read_bytes(&mut self) -> thrift::Result<Vec<u8>> {
        let length = usize::try_from(self.0.read_i32()?).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(too_long());
        }
        let mut bytes = vec![0; length];
        self.0.transport.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn read_string(&mut self) -> thrift::Result<String> {
        // Messages of exceptions are for people; a wrong byte in one is no reason to lose it.
        Ok(String::from_utf8_lossy(&self.read_bytes()?).into_owned())
    }

    fn read_list_begin(&mut self) -> thrift::Result<TListIdentifier> {
        let list = self.0.read_list_begin()?;
        members(list.size).map(|()| list)
    }

    fn read_set_begin(&mut self) -> thrift::Result<TSetIdentifier> {
        let set = self.0.read_set_begin()?;
        members(set.size).map(|()| set)
    }

    fn read_map_begin(&mut self) -> thrift::Result<TMapIdentifier> {
        let map = self.0.read_map_begin()?;
        members(map.size).map(|()| map)
    }

    fn read_message_end(&mut self) -> thrift::Result<()> {
        self.0.read_message_end()
    }

    fn read_struct_begin(&mut self) -> thrift::Result<Option<TStructIdentifier>> {
        self.0.read_struct_begin()
    }

    fn read_struct_end(&mut self) -> thrift::Result<()> {
        self.0.read_struct_end()
    }

    fn read_field_begin(&mut self) -> thrift::Result<TFieldIdentifier> {
        self.0.read_field_begin()
    }

    fn read_field_end(&mut self) -> thrift::Result<()> {
        self.0.read_field_end()
    }

    fn read_bool(&mut self) -> thrift::Result<bool> {
        self.0.read_bool()
    }

    fn read_i8(&mut self) -> thrift::Result<i8> {
        self.0.read_i8()
    }

    fn read_i16(&mut self) -> thrift::Result<i16> {
        self.0.read_i16()
    }

    fn read_i32(&mut self) -> thrift::Result<i32> {
        self.0.read_i32()
    }

    fn read_i64(&mut self) -> thrift::Result<i64> {
        self.0.read_i64()
    }

    fn read_double(&mut self) -> thrift::Result<f64> {
        self.0.read_double()
    }

    fn read_list_end(&mut self) -> thrift::Result<()> {
        self.0.read_list_end()
    }

    fn read_set_end(&mut self) -> thrift::Result<()> {
        self.0.read_set_end()
    }

    fn read_map_end(&mut self) -> thrift::Result<()> {
        self.0.read_map_end()
    }

    fn read_byte(&mut self) -> thrift::Result<u8> {
        self.0.read_byte()
    }
}
