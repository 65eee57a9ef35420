//! `%window`.

use super::{Request, bad};
use crate::diagnostic::{Outcome, Page};
use crate::profile::explain_window;
use crate::shell::session::{Session, Shown};

/// The width of a time line where there is no window.
const WIDTH: usize = 80;

pub(super) fn window(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    if request.rest.is_empty() {
        return Err(bad("%window lacks a selector"));
    }
    let width = session.look().window.map_or(WIDTH, |(width, _)| width);
    let text = explain_window(&session.engine().context, request.rest, width)?;
    let mut page = Page::new();
    page.line(text);
    Ok(Shown::Page(page, None))
}
