//! What the IDEA format says about the keys of a message (<https://idea.cesnet.cz/en/definition>), and Mentat's own key.

use std::fmt;

/// What one value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// The name of the format.
    Version,
    /// The type of an attachment's content.
    MediaType,
    /// A set of characters.
    Charset,
    /// How the content of an attachment is encoded.
    Encoding,
    /// The name of an attachment within its message.
    Handle,
    /// The identifier of a message.
    Id,
    /// A moment.
    Time,
    /// A length of time.
    Duration,
    /// `scheme:something`, which hashes and names of networks are, too.
    Uri,
    /// IPv4.
    Net4,
    /// IPv6.
    Net6,
    /// The name of a detector.
    Name,
    /// The address of a network card.
    Mac,
    /// A category.
    Category,
    /// A type of a source, target, node or attachment.
    Tag,
    /// A protocol: anything that is a text or has one.
    Protocol,
}

/// What the value of a key must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// One value.
    One(Kind),
    /// A list of such values.
    Many(Kind),
    /// A list of objects.
    Each(Shape),
    /// An object.
    Inner(Shape),
}

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Message,
    /// A source or a target.
    Party,
    Attach,
    Node,
    /// Mentat's own object.
    Private,
}

impl Shape {
    /// The rule for a key; `None` for a key that may hold anything.
    pub fn rule(self, key: &str) -> Option<Rule> {
        match self {
            Shape::Message => message(key),
            Shape::Party => party(key),
            Shape::Attach => attach(key),
            Shape::Node => node(key),
            Shape::Private => private(key),
        }
    }
}

fn message(key: &str) -> Option<Rule> {
    Some(match key {
        "ID" => Rule::One(Kind::Id),
        "Format" => Rule::One(Kind::Version),
        "DetectTime" | "CreateTime" | "EventTime" | "CeaseTime" | "WinStartTime" | "WinEndTime"
        | "ts" => Rule::One(Kind::Time),
        "Category" => Rule::Many(Kind::Category),
        "Description" | "Note" => Rule::One(Kind::Text),
        "Source" | "Target" => Rule::Each(Shape::Party),
        "Node" => Rule::Each(Shape::Node),
        "Attach" => Rule::Each(Shape::Attach),
        "_CESNET" => Rule::Inner(Shape::Private),
        "ConnCount" | "FlowCount" | "PacketCount" | "ByteCount" | "ts_u" => {
            Rule::One(Kind::Integer)
        }
        "Confidence" => Rule::One(Kind::Float),
        "Ref" => Rule::Many(Kind::Uri),
        "AltNames" => Rule::Many(Kind::Text),
        "CorrelID" | "AggrID" | "PredID" | "RelID" => Rule::Many(Kind::Id),
        _ => return None,
    })
}

fn party(key: &str) -> Option<Rule> {
    Some(match key {
        "IP4" => Rule::Many(Kind::Net4),
        "IP6" => Rule::Many(Kind::Net6),
        "Port" | "ASN" => Rule::Many(Kind::Integer),
        "Proto" => Rule::Many(Kind::Protocol),
        "Type" => Rule::Many(Kind::Tag),
        "Hostname" | "URL" | "Email" | "Router" => Rule::Many(Kind::Text),
        "MAC" => Rule::Many(Kind::Mac),
        "AttachHand" => Rule::Many(Kind::Handle),
        "Note" => Rule::One(Kind::Text),
        "Spoofed" | "Imprecise" | "Anonymised" => Rule::One(Kind::Boolean),
        "Netname" | "Ref" => Rule::Many(Kind::Uri),
        _ => return None,
    })
}

fn attach(key: &str) -> Option<Rule> {
    Some(match key {
        "Handle" => Rule::One(Kind::Handle),
        "FileName" | "ContentID" => Rule::Many(Kind::Text),
        "Type" => Rule::Many(Kind::Tag),
        "Hash" | "Ref" | "ExternalURI" => Rule::Many(Kind::Uri),
        "Size" => Rule::One(Kind::Integer),
        "Note" | "Content" => Rule::One(Kind::Text),
        "ContentType" => Rule::One(Kind::MediaType),
        "ContentCharset" => Rule::One(Kind::Charset),
        "ContentEncoding" => Rule::One(Kind::Encoding),
        _ => return None,
    })
}

fn node(key: &str) -> Option<Rule> {
    Some(match key {
        "Name" => Rule::One(Kind::Name),
        "Type" => Rule::Many(Kind::Tag),
        "SW" => Rule::Many(Kind::Text),
        "AggrWin" => Rule::One(Kind::Duration),
        "Note" => Rule::One(Kind::Text),
        _ => return None,
    })
}

fn private(key: &str) -> Option<Rule> {
    Some(match key {
        "InspectionErrors" | "ResolvedAbuses" | "SourceResolvedCountry" => Rule::Many(Kind::Text),
        "StorageTime" => Rule::One(Kind::Time),
        "EventTemplate" | "EventClass" | "EventSeverity" | "Impact" => Rule::One(Kind::Text),
        "SourceResolvedASN" => Rule::Many(Kind::Integer),
        _ => return None,
    })
}

impl fmt::Display for Kind {
    /// As a message says what was expected.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Text => "text",
            Kind::Boolean => "boolean",
            Kind::Integer => "whole number",
            Kind::Float => "number",
            Kind::Version => "known format (IDEA0 is the only one)",
            Kind::MediaType => "media type (such as text/plain)",
            Kind::Charset => "name of a character set",
            Kind::Encoding => "known encoding (base64 is the only one)",
            Kind::Handle => "handle (letters, digits and _, no digit first)",
            Kind::Id => "identifier (letters, digits and . _ -)",
            Kind::Time => "time (such as 2026-01-01T12:00:00Z, with a zone, or seconds since 1970)",
            Kind::Duration => "duration (such as 00:05:00, 1D12:00:00, or seconds)",
            Kind::Uri => "reference (scheme:something, without blanks)",
            Kind::Net4 => "IPv4 address, network or range",
            Kind::Net6 => "IPv6 address, network or range",
            Kind::Name => "name of a detector (small letters, digits, _ and dots)",
            Kind::Mac => "MAC address (such as 00:1b:44:11:3a:b7)",
            Kind::Category => "category (Word or Word.Word of letters, digits, _ and -)",
            Kind::Tag => "type (letters, digits, _ and -)",
            Kind::Protocol => "name of a protocol",
        })
    }
}

impl Kind {
    /// Whether a text is one of these, for the kinds that are texts of a certain form.
    pub fn has_form(self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match self {
            Kind::Version => text == "IDEA0",
            Kind::Encoding => text.eq_ignore_ascii_case("base64"),
            Kind::Id => some_of(bytes, |b| word(b) || matches!(b, b'.' | b'-')),
            Kind::Tag => some_of(bytes, |b| word(b) || b == b'-'),
            Kind::Category => {
                let tag = |part: &str| Kind::Tag.has_form(part);
                match text.split_once('.') {
                    Some((first, second)) => tag(first) && tag(second),
                    None => tag(text),
                }
            }
            Kind::Name => text.split('.').all(|part| {
                let small = |b: u8| b.is_ascii_lowercase() || b == b'_';
                part.bytes().next().is_some_and(small)
                    && part.bytes().all(|b| small(b) || b.is_ascii_digit())
            }),
            Kind::Handle => some_of(bytes, word) && !bytes.first().is_some_and(u8::is_ascii_digit),
            Kind::Mac => {
                bytes.len() == 17
                    && bytes.iter().enumerate().all(|(at, b)| match at % 3 {
                        2 => *b == b':',
                        _ => b.is_ascii_hexdigit(),
                    })
            }
            Kind::Uri => text.split_once(':').is_some_and(|(scheme, rest)| {
                let scheme = scheme.as_bytes();
                scheme.first().is_some_and(u8::is_ascii_alphabetic)
                    && scheme
                        .iter()
                        .all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
                    && rest
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"[]._~:/?#@*'&()+,;=%-".contains(&b))
            }),
            Kind::MediaType => text.split_once('/').is_some_and(|(first, second)| {
                Kind::Tag.has_form(first)
                    && some_of(second.as_bytes(), |b| {
                        word(b) || matches!(b, b'+' | b'.' | b'-')
                    })
            }),
            Kind::Charset => some_of(bytes, |b| {
                word(b) || matches!(b, b'.' | b':' | b'(' | b')' | b'-')
            }),
            _ => true,
        }
    }
}

/// A letter, a digit or `_`.
fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// At least one byte, and all of them good.
fn some_of(bytes: &[u8], good: impl Fn(u8) -> bool) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&b| good(b))
}
