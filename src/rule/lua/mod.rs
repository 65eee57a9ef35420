//! Rules in Lua.
use crate::eval::Value;
/// x
pub fn textual(v: &Value) -> String {
    crate::eval::text::to_text(v).to_string()
}
pub mod source;
