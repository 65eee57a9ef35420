//! Rows as bytes: everything but the message itself.
//!
//! Lengths and numbers are written as varints of seven bits a byte, lists with their length in front, in the order of
//! the table.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::event::{Column, ColumnKind, PHYSICAL, Range, Row};

/// Which columns are wanted, as bits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted(u32);

impl Wanted {
    pub(super) fn of(columns: &[Column]) -> Wanted {
        Wanted(
            columns
                .iter()
                .fold(0, |bits, column| bits | 1 << *column as u32),
        )
    }

    pub(super) fn has(self, column: Column) -> bool {
        self.0 & (1 << column as u32) != 0
    }
}

/// The bytes of a row, without its message.
pub(super) fn encode(row: &Row) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    for &column in PHYSICAL {
        match column {
            Column::Id => text(&mut out, &row.id),
            Column::DetectTime => time(&mut out, row.detecttime),
            Column::StorageTime => time(&mut out, row.storagetime.unwrap_or_default()),
            Column::SourceIp => ranges(&mut out, &row.source_ip),
            Column::TargetIp => ranges(&mut out, &row.target_ip),
            Column::SourcePort => ints(&mut out, &row.source_port),
            Column::TargetPort => ints(&mut out, &row.target_port),
            Column::Event => {}
            _ => {
                let texts = row.texts(column);
                number(&mut out, texts.len() as u128);
                texts.iter().for_each(|one| text(&mut out, one));
            }
        }
    }
    out
}

fn number(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Small numbers of either sign become short.
fn zigzag(value: i64) -> u128 {
    u128::from((value.wrapping_shl(1) ^ (value >> 63)) as u64)
}

fn time(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn text(out: &mut Vec<u8>, value: &str) {
    number(out, value.len() as u128);
    out.extend_from_slice(value.as_bytes());
}

fn ints(out: &mut Vec<u8>, values: &[i64]) {
    number(out, values.len() as u128);
    values.iter().for_each(|value| number(out, zigzag(*value)));
}

fn ranges(out: &mut Vec<u8>, values: &[Range]) {
    number(out, values.len() as u128);
    for value in values {
        // Bit 0 of the mark: IPv6; bit 1: more than one address.
        let mark = u8::from(!value.is_v4()) | u8::from(value.low() != value.high()) << 1;
        out.push(mark);
        match *value {
            Range::V4(low, high) => {
                out.extend_from_slice(&low.to_be_bytes());
                if low != high {
                    out.extend_from_slice(&high.to_be_bytes());
                }
            }
            Range::V6(low, high) => {
                out.extend_from_slice(&low.to_be_bytes());
                if low != high {
                    out.extend_from_slice(&high.to_be_bytes());
                }
            }
        }
    }
}

/// The wanted columns of a row; the others stay empty. E0605 for damaged bytes.
pub(super) fn decode(bytes: &[u8], wanted: Wanted) -> Outcome<Row> {
    let mut reader = Reader(bytes);
    reader.row(wanted).ok_or_else(damaged)
}

pub(super) fn damaged() -> Fault {
    Diagnostic::new(Code::DamagedValue, "a stored event is damaged")
        .help("`stellar store check` examines the file")
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn row(&mut self, wanted: Wanted) -> Option<Row> {
        let mut row = Row::default();
        for &column in PHYSICAL {
            let keep = wanted.has(column);
            match column.kind() {
                ColumnKind::Bytes => {}
                ColumnKind::Time => {
                    let value = i64::from_le_bytes(*self.take(8)?.first_chunk()?);
                    match column {
                        Column::DetectTime => row.detecttime = value,
                        _ => row.storagetime = Some(value),
                    }
                }
                ColumnKind::Ints => {
                    let values = self.list(keep, |reader| {
                        let value = reader.number()? as u64;
                        Some((value >> 1) as i64 ^ -((value & 1) as i64))
                    })?;
                    match column {
                        Column::SourcePort => row.source_port = values,
                        _ => row.target_port = values,
                    }
                }
                ColumnKind::Ranges => {
                    let values = self.list(keep, Reader::range)?;
                    match column {
                        Column::SourceIp => row.source_ip = values,
                        _ => row.target_ip = values,
                    }
                }
                ColumnKind::Text | ColumnKind::Texts if column == Column::Id => {
                    let id = self.text()?;
                    if keep {
                        row.id = id.to_string();
                    }
                }
                ColumnKind::Text => {
                    let text = self
                        .list(keep, |reader| reader.text().map(str::to_string))?
                        .pop();
                    match column {
                        Column::Description => row.description = text,
                        Column::EventClass => row.eventclass = text,
                        _ => row.eventseverity = text,
                    }
                }
                ColumnKind::Texts => {
                    let texts = if keep {
                        self.list(true, |reader| reader.text().map(str::to_string))?
                    } else {
                        self.list(false, |reader| reader.text().map(|_| String::new()))?
                    };
                    match column {
                        Column::Category => row.category = texts,
                        Column::SourceType => row.source_type = texts,
                        Column::TargetType => row.target_type = texts,
                        Column::Protocol => row.protocol = texts,
                        Column::NodeName => row.node_name = texts,
                        Column::NodeType => row.node_type = texts,
                        Column::ResolvedAbuses => row.resolvedabuses = texts,
                        _ => row.inspectionerrors = texts,
                    }
                }
            }
        }
        Some(row)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u128> {
        let mut value = 0;
        for shift in (0..128).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn list<T>(&mut self, keep: bool, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.length()?;
        // Damaged bytes must not reserve what they do not hold.
        let mut list = Vec::with_capacity(if keep { length.min(self.0.len()) } else { 0 });
        for _ in 0..length {
            let value = one(self)?;
            if keep {
                list.push(value);
            }
        }
        Some(list)
    }

    fn range(&mut self) -> Option<Range> {
        let mark = *self.take(1)?.first()?;
        if mark & 1 == 0 {
            let low = u32::from_be_bytes(*self.take(4)?.first_chunk()?);
            let high = match mark & 2 {
                0 => low,
                _ => u32::from_be_bytes(*self.take(4)?.first_chunk()?),
            };
            Some(Range::v4(low, high))
        } else {
            let low = u128::from_be_bytes(*self.take(16)?.first_chunk()?);
            let high = match mark & 2 {
                0 => low,
                _ => u128::from_be_bytes(*self.take(16)?.first_chunk()?),
            };
            Some(Range::v6(low, high))
        }
    }
}

/// A message as it lies in the file.
pub(super) fn pack(event: &[u8]) -> Outcome<Vec<u8>> {
    let mut packed = Vec::with_capacity(event.len() + 1);
    packed.push(PLAIN);
    packed.extend_from_slice(event);
    Ok(packed)
}

/// Marks a message as it is.
const PLAIN: u8 = 0;

/// The message of what lies in the file.
pub(super) fn unpack(packed: &[u8]) -> Outcome<Vec<u8>> {
    match packed.split_first() {
        Some((&PLAIN, event)) => Ok(event.to_vec()),
        _ => Err(damaged()),
    }
}
