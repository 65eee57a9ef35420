//! One line of JSON, appended to a byte buffer by hand: building values for every event would cost most of the time.

use chrono::DateTime;

/// A buffer of finished lines and the one being written.
#[derive(Default)]
pub struct Line {
    bytes: Vec<u8>,
    clock: Clock,
}

/// The last second that was written as text, since neighbouring events share it.
struct Clock {
    second: i64,
    day: i64,
    text: [u8; 20],
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            second: i64::MIN,
            day: i64::MIN,
            text: *b"0000-00-00T00:00:00Z",
        }
    }
}

impl Clock {
    fn at(&mut self, ms: i64) -> &[u8; 20] {
        let second = ms.div_euclid(1000);
        if second != self.second {
            self.second = second;
            let day = second.div_euclid(86_400);
            if day != self.day {
                self.day = day;
                let date = DateTime::from_timestamp(second, 0).unwrap_or_default();
                let date = date.format("%Y-%m-%d").to_string();
                for (to, from) in self.text.iter_mut().zip(date.bytes()) {
                    *to = from;
                }
            }
            let rest = second.rem_euclid(86_400) as u32;
            for (at, number) in [(11, rest / 3600), (14, rest / 60 % 60), (17, rest % 60)] {
                self.text[at] = b'0' + (number / 10) as u8;
                self.text[at + 1] = b'0' + (number % 10) as u8;
            }
        }
        &self.text
    }
}

impl Line {
    /// The bytes of all lines so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets what was written out.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Begins an event.
    #[inline]
    pub fn open(&mut self) -> &mut Self {
        self.raw("{")
    }

    /// Ends an event and its line.
    #[inline]
    pub fn close(&mut self) {
        self.end_map();
        self.bytes.pop();
        self.raw("\n");
    }

    /// Bytes as they are.
    #[inline]
    pub fn raw(&mut self, text: &str) -> &mut Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// One character that needs no escape.
    #[inline]
    pub fn byte(&mut self, byte: u8) -> &mut Self {
        self.bytes.push(byte);
        self
    }

    /// The digits of a number.
    #[inline]
    pub fn digits(&mut self, mut number: u64) -> &mut Self {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
        self
    }

    /// Exactly `width` hexadecimal digits.
    #[inline]
    pub fn hex(&mut self, number: u64, width: u32) -> &mut Self {
        for place in (0..width).rev() {
            let digit = (number >> (4 * place) & 15) as usize;
            self.bytes.push(b"0123456789abcdef"[digit]);
        }
        self
    }

    /// A key and its colon.
    #[inline]
    pub fn key(&mut self, key: &str) -> &mut Self {
        self.raw("\"").raw(key).raw("\":")
    }

    /// A whole number.
    #[inline]
    pub fn number(&mut self, key: &str, number: u64) -> &mut Self {
        self.key(key).digits(number).raw(",")
    }

    /// A number of seconds with six decimals, as Zeek writes them.
    #[inline]
    pub fn seconds(&mut self, key: &str, micros: u64) -> &mut Self {
        self.key(key).digits(micros / 1_000_000).raw(".");
        let mut rest = micros % 1_000_000;
        let mut decimals = *b"000000";
        for place in decimals.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.bytes.extend_from_slice(&decimals);
        self.raw(",")
    }

    /// A text that is known to need no escapes.
    #[inline]
    pub fn plain(&mut self, key: &str, text: &str) -> &mut Self {
        self.key(key).raw("\"").raw(text).raw("\",")
    }

    /// Any text.
    #[inline]
    pub fn text(&mut self, key: &str, text: &str) -> &mut Self {
        self.key(key).quoted(text).raw(",")
    }

    /// A JSON string of any text, without a key.
    pub fn quoted(&mut self, text: &str) -> &mut Self {
        self.raw("\"");
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.byte(b'\\').byte(byte),
                b'\n' => self.raw("\\n"),
                b'\t' => self.raw("\\t"),
                0..0x20 => self.raw("\\u00").hex(u64::from(byte), 2),
                _ => self.byte(byte),
            };
        }
        self.raw("\"")
    }

    /// Begins a text that is put together from pieces.
    #[inline]
    pub fn begin(&mut self, key: &str) -> &mut Self {
        self.key(key).raw("\"")
    }

    /// Ends a text that was begun.
    #[inline]
    pub fn end(&mut self) -> &mut Self {
        self.raw("\",")
    }

    /// A list of one text that is known to need no escapes.
    #[inline]
    pub fn only(&mut self, key: &str, text: &str) -> &mut Self {
        self.key(key).raw("[\"").raw(text).raw("\"],")
    }

    /// `true` or `false`
    #[inline]
    pub fn bool(&mut self, key: &str, value: bool) -> &mut Self {
        self.key(key).raw(if value { "true," } else { "false," })
    }

    /// `null`
    #[inline]
    pub fn null(&mut self, key: &str) -> &mut Self {
        self.key(key).raw("null,")
    }

    /// Ends a map that was begun with a key and a brace.
    #[inline]
    pub fn end_map(&mut self) -> &mut Self {
        self.end_with(b'{', b'}')
    }

    /// Ends a list that was begun with a key and a bracket.
    #[inline]
    pub fn end_list(&mut self) -> &mut Self {
        self.end_with(b'[', b']')
    }

    fn end_with(&mut self, opened: u8, closing: u8) -> &mut Self {
        // The comma of the last element gives its place away; an empty collection has none.
        if self.bytes.last() != Some(&opened) {
            self.bytes.pop();
        }
        self.byte(closing).byte(b',')
    }

    /// The two fields of time that every kind but `conn` begins with.
    #[inline]
    pub fn time(&mut self, ms: i64) -> &mut Self {
        self.number("timestamp", ms.unsigned_abs());
        self.raw("\"date\":\"");
        self.bytes.extend_from_slice(self.clock.at(ms));
        self.end()
    }
}
