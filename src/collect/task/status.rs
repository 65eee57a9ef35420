//! What a task may be doing, and what leads from one to the other.

/// What a task is doing, in the words of Devo. A removed task is not kept, so that it has no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was made and has not run yet.
    Created,
    /// It runs.
    Running,
    /// All rows came.
    Completed,
    /// Somebody stopped it, or an error did.
    Stopped,
    /// What it reads or writes cannot be reached; it tries again.
    Reconnecting,
    /// The program that ran it has ended; `stellar serve` goes on with it.
    Paused,
}

/// All of them.
pub const STATUSES: [Status; 6] = [
    Status::Created,
    Status::Running,
    Status::Completed,
    Status::Stopped,
    Status::Reconnecting,
    Status::Paused,
];

/// What happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Its thread begins to read.
    Begin,
    /// The last row has been written.
    Complete,
    /// An error ends it.
    Fail,
    /// What it reads or writes is away.
    Lose,
    /// What was away is back.
    Regain,
    /// The program ends.
    Pause,
    /// Somebody stops it.
    Stop,
    /// Somebody starts it again.
    Start,
    /// Somebody removes it.
    Remove,
}

/// All of them.
pub const MOVES: [Move; 9] = [
    Move::Begin,
    Move::Complete,
    Move::Fail,
    Move::Lose,
    Move::Regain,
    Move::Pause,
    Move::Stop,
    Move::Start,
    Move::Remove,
];

impl Status {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Status::Created => "CREATED",
            Status::Running => "RUNNING",
            Status::Completed => "COMPLETED",
            Status::Stopped => "STOPPED",
            Status::Reconnecting => "RECONNECTING",
            Status::Paused => "PAUSED",
        }
    }

    /// The status with this word.
    pub fn named(word: &str) -> Option<Status> {
        STATUSES.into_iter().find(|status| status.word() == word)
    }

    /// Whether some thread should be working on it.
    pub fn works(self) -> bool {
        matches!(
            self,
            Status::Created | Status::Running | Status::Reconnecting
        )
    }

    /// Whether it goes on by itself where tasks are looked after.
    pub fn goes_on(self) -> bool {
        self.works() || self == Status::Paused
    }

    /// The status after a move; `None` where the move is not allowed. What is removed has none any more, so that
    /// [`Move::Remove`] is allowed always and changes nothing here.
    pub fn after(self, made: Move) -> Option<Status> {
        use Status::{Completed, Created, Paused, Reconnecting, Running, Stopped};
        Some(match (made, self) {
            (Move::Remove, status) => status,
            (Move::Begin, Created | Running | Reconnecting | Paused) => Running,
            (Move::Complete, Running | Reconnecting) => Completed,
            (Move::Fail, Created | Running | Reconnecting) => Stopped,
            (Move::Lose, Running | Reconnecting) => Reconnecting,
            (Move::Regain, Running | Reconnecting) => Running,
            (Move::Pause, Created | Running | Reconnecting | Paused) => Paused,
            (Move::Stop, Created | Running | Reconnecting | Paused) => Stopped,
            (Move::Start, Stopped | Paused) => Created,
            _ => return None,
        })
    }
}
