//! The arguments that a call still wants, shown behind the cursor.

use crate::functions::spec::Parameter;
use crate::shell::complete::open_call;
use crate::shell::session::Session;
use crate::syntax::scan::{self, Token, TokenKind};
use crate::syntax::{is_command, last_statement};

/// Words behind the cursor.
pub struct Hint {
    /// The words.
    pub display: String,
    /// Whether the right arrow takes them over.
    pub insertable: bool,
}

impl rustyline::hint::Hint for Hint {
    fn display(&self) -> &str {
        &self.display
    }

    fn completion(&self) -> Option<&str> {
        self.insertable.then_some(self.display.as_str())
    }
}

/// The parameters that the open call at the end of `text` still wants.
pub fn hint(session: &Session, text: &str) -> Option<Hint> {
    let start = last_statement(text)?;
    let mut code = &text[start..];
    if is_command(code) {
        code = code.split_once(char::is_whitespace)?.1;
    }
    let tokens: Vec<Token> = scan::tokens(code).collect();
    if tokens.last()?.kind == TokenKind::OpenText {
        return None;
    }
    let call = open_call(code, &tokens)?;
    let engine = session.engine();
    let names: Vec<String> = match engine.registry.spec(call.name) {
        Some(spec) => spec.parameters.iter().map(Parameter::usage).collect(),
        None => {
            use crate::eval::Functions;
            let defined = engine.registry.defined(call.name, &engine.context).ok()??;
            defined.parameters.iter().map(|p| p.to_string()).collect()
        }
    };
    let repeated = names.last().is_some_and(|name| name.ends_with('…'));
    let at = call.index + usize::from(call.begun);
    let rest: Vec<String> = match names.get(at..) {
        Some(rest) if !rest.is_empty() => rest.to_vec(),
        _ if repeated => names.last().cloned().into_iter().collect(),
        _ => Vec::new(),
    };
    let behind_comma = tokens.last().is_some_and(|t| t.kind == TokenKind::Blank);
    let comma = if call.begun && !rest.is_empty() {
        ", "
    } else {
        ""
    };
    let blank = if call.index > 0 && !call.begun && !behind_comma {
        " "
    } else {
        ""
    };
    Some(Hint {
        display: format!("{blank}{comma}{})", rest.join(", ")),
        insertable: false,
    })
}
