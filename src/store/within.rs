//! What a call must keep to.

use super::Deadline;
use crate::eval::{Call, Context};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a call must keep to: its time, and when it has to end.
#[derive(Debug, Clone, Copy)]
pub struct Within<'a> {
    /// Now, in milliseconds since 1970.
    pub now: i64,
    /// When it must have ended.
    pub deadline: Deadline,
    /// Set to end it at once.
    pub cancel: &'a Arc<AtomicBool>,
}

impl<'a> Within<'a> {
    /// Now, without a deadline.
    pub fn context(context: &'a Context) -> Within<'a> {
        Within {
            now: context.clock.now(),
            deadline: Deadline::NONE,
            cancel: &context.cancel,
        }
    }

    /// What a function must keep to.
    pub fn call(call: &'a Call<'_, '_>) -> Within<'a> {
        Within {
            deadline: call.deadline().into(),
            ..Within::context(call.context())
        }
    }
}
