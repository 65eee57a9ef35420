//! Rules at work, with the embedded store.
