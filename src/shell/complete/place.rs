//! Which call the cursor stands in.

use crate::syntax::scan::{Token, TokenKind};

/// A call whose parenthesis is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenCall<'a> {
    /// The function.
    pub name: &'a str,
    /// Which argument the end of the text stands in, from 0.
    pub index: usize,
    /// Whether something of that argument is there already.
    pub begun: bool,
}

/// The innermost call that is open at the end of `code`, whose tokens are given.
pub fn open_call<'a>(code: &'a str, tokens: &[Token]) -> Option<OpenCall<'a>> {
    // For each open bracket: the function before it, and the arguments so far.
    let mut open: Vec<Option<OpenCall<'a>>> = Vec::new();
    let mut last_word = None;
    for token in tokens {
        let part = code.get(token.span.start..token.span.end).unwrap_or("");
        match token.kind {
            TokenKind::Blank | TokenKind::Comment => continue,
            TokenKind::Open => {
                mark_begun(&mut open);
                let call = last_word.filter(|_| part == "(");
                open.push(call.map(|name| OpenCall {
                    name,
                    index: 0,
                    begun: false,
                }));
            }
            TokenKind::Close => {
                open.pop();
            }
            TokenKind::Operator if part == "," => {
                if let Some(Some(call)) = open.last_mut() {
                    call.index += 1;
                    call.begun = false;
                }
            }
            _ => mark_begun(&mut open),
        }
        last_word = (token.kind == TokenKind::Word).then_some(part);
    }
    // A list or a map inside of an argument belongs to that argument.
    open.into_iter().rev().flatten().next()
}

fn mark_begun(open: &mut [Option<OpenCall<'_>>]) {
    if let Some(Some(call)) = open.last_mut() {
        call.begun = true;
    }
}
