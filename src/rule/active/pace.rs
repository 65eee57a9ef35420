//! How many alerts of a rule are let through in a second.

/// Whose seconds count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// Those of the events, over files: the second of an alert's own time.
    #[default]
    Events,
    /// Those of the machine, in a server.
    Machine,
}

/// How many seconds are remembered, for alerts that come out of order.
const SECONDS: usize = 64;

/// The alerts of the latest seconds.
#[derive(Debug)]
pub(super) struct Rate {
    most: u64,
    seconds: Vec<(i64, u64)>,
    /// The place of the second that was counted last, and of the next to be forgotten.
    last: usize,
    next: usize,
}

impl Rate {
    /// Lets `most` alerts through in a second.
    pub fn new(most: u64) -> Rate {
        Rate {
            most,
            seconds: Vec::new(),
            last: 0,
            next: 0,
        }
    }

    /// Whether one more alert at a time (in milliseconds) is let through.
    pub fn take(&mut self, time: i64) -> bool {
        let second = time.div_euclid(1000);
        let known = self.seconds.get(self.last);
        if known.is_none_or(|(known, _)| *known != second) {
            let found = self.seconds.iter().position(|(known, _)| *known == second);
            self.last = found.unwrap_or_else(|| self.begin(second));
        }
        let Some((_, count)) = self.seconds.get_mut(self.last) else {
            return true;
        };
        let room = *count < self.most;
        *count += u64::from(room);
        room
    }

    fn begin(&mut self, second: i64) -> usize {
        if self.seconds.len() < SECONDS {
            self.seconds.push((second, 0));
            return self.seconds.len() - 1;
        }
        let place = self.next;
        self.next = (place + 1) % SECONDS;
        if let Some(slot) = self.seconds.get_mut(place) {
            *slot = (second, 0);
        }
        place
    }
}
