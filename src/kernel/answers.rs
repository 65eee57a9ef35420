//! What front ends ask while a cell is written: completion, inspection, whether it is complete; and who the kernel is.

use super::{Kernel, languages};
use crate::diagnostic::floor;
use crate::eval::{Variables, text::to_text};
use crate::shell::complete::{Candidate, Kind, complete, open_call};
use crate::shell::{Shown, help_on};
use crate::syntax::is_incomplete;
use crate::syntax::scan::{TokenKind, tokens};
use jupyter_protocol::{
    CodeMirrorMode, CommInfoReply, CompleteReply, CompleteRequest, HelpLink, InspectReply,
    InspectRequest, IsCompleteReply, JupyterMessage, JupyterMessageContent, KernelInfoReply,
    LanguageInfo, Media, MediaType, ReplyStatus,
};
use serde_json::json;

/// The version of Jupyter's protocol that is spoken.
const PROTOCOL: &str = "5.4";
/// How many candidates a front end is given.
const CANDIDATES: usize = 1_000;
/// How many characters of a value inspection shows.
const VALUE: usize = 2_000;

/// A name for this run of the kernel.
pub(super) fn identifier() -> String {
    let mut bytes = [0u8; 16];
    // Without random numbers the process has a number still.
    if getrandom::fill(&mut bytes).is_err() {
        let id = std::process::id().to_be_bytes();
        bytes.iter_mut().zip(id).for_each(|(to, from)| *to = from);
    }
    data_encoding::HEXLOWER.encode(&bytes)
}

impl Kernel {
    /// The answer to a request; `None` for what needs none.
    pub(super) fn answer_to(&mut self, message: &JupyterMessage) -> Option<JupyterMessageContent> {
        Some(match &message.content {
            JupyterMessageContent::ExecuteRequest(request) => self.execute(request, message).into(),
            JupyterMessageContent::KernelInfoRequest(_) => {
                JupyterMessageContent::KernelInfoReply(Box::new(information()))
            }
            JupyterMessageContent::CompleteRequest(request) => self.complete(request).into(),
            JupyterMessageContent::InspectRequest(request) => self.inspect(request).into(),
            JupyterMessageContent::IsCompleteRequest(request) => is_complete(&request.code).into(),
            JupyterMessageContent::HistoryRequest(request) => self.history.answer(request).into(),
            JupyterMessageContent::CommInfoRequest(_) => CommInfoReply::default().into(),
            JupyterMessageContent::UnknownMessage(unknown)
                if unknown.msg_type.ends_with("_request") =>
            {
                let kind = &unknown.msg_type;
                let (name, text) = match unknown.content.as_str() {
                    Some(why) => (
                        "malformed",
                        format!("the {kind} is not as Jupyter's protocol wants it: {why}"),
                    ),
                    None => ("unknown", format!("the kernel does not know {kind}")),
                };
                unknown.reply(json!({
                    "status": "error",
                    "ename": name,
                    "evalue": text,
                    "traceback": [],
                }))
            }
            _ => return None,
        })
    }

    fn complete(&self, request: &CompleteRequest) -> CompleteReply {
        let code = request.code.as_str();
        let at = byte_of(code, request.cursor_pos);
        let found = match languages::is_other(code) {
            true => languages::complete(&self.session, code, at),
            false => complete(&self.session, code, at),
        };
        let start = char_of(code, found.replaces.start);
        let end = char_of(code, found.replaces.end);
        let shown = found.candidates.iter().take(CANDIDATES);
        let types: Vec<_> = shown
            .clone()
            .map(|one| json!({"text": name(one), "type": kind(one.kind), "start": start, "end": end}))
            .collect();
        let mut metadata = serde_json::Map::new();
        metadata.insert("_jupyter_types_experimental".to_string(), json!(types));
        CompleteReply {
            matches: shown.map(|one| name(one).to_string()).collect(),
            cursor_start: start,
            cursor_end: end,
            metadata,
            status: ReplyStatus::Ok,
            error: None,
        }
    }

    /// What is known of the name at the cursor, or of the function whose call it stands in.
    fn inspect(&self, request: &InspectRequest) -> InspectReply {
        let code = request.code.as_str();
        let at = byte_of(code, request.cursor_pos);
        let data = name_at(code, at)
            .and_then(|name| self.about(name))
            .or_else(|| {
                let head = &code[..floor(code, at)];
                let before: Vec<_> = tokens(head).collect();
                self.about(open_call(head, &before)?.name)
            });
        InspectReply {
            found: data.is_some(),
            data: data.unwrap_or_default(),
            ..InspectReply::default()
        }
    }

    fn about(&self, name: &str) -> Option<Media> {
        if let Some(value) = self.session.variables.get(name) {
            let text = to_text(&value);
            let mut shown: String = text.chars().take(VALUE).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            let text = format!("{name}: {}\n{shown}", value.type_name());
            return Some(Media::new(vec![MediaType::Plain(text)]));
        }
        let shown @ Shown::Page(..) = help_on(&self.session, name).ok()? else {
            return None;
        };
        self.forms(&shown).ok().flatten()
    }
}

/// The name that stands at a byte, or ends there.
fn name_at(code: &str, at: usize) -> Option<&str> {
    let at = floor(code, at);
    let line = code[..at].rfind('\n').map_or(0, |i| i + 1);
    if let Some(name) = languages::name_at(code, at) {
        return Some(name);
    }
    if let Some(topic) = code[line..].lines().next()?.trim_start().strip_prefix('?') {
        return Some(topic.trim());
    }
    let mut found = None;
    for token in tokens(code) {
        if token.span.start > at {
            break;
        }
        if matches!(token.kind, TokenKind::Word) && at <= token.span.end {
            found = code.get(token.span.start..token.span.end);
        }
    }
    found
}

pub(super) fn is_complete(code: &str) -> IsCompleteReply {
    // A cell of another language ends with an empty line.
    if languages::is_other(code) {
        return match code.ends_with("\n\n") || (code.contains('\n') && code.ends_with('\n')) {
            true => IsCompleteReply::complete(),
            false => IsCompleteReply::incomplete(String::new()),
        };
    }
    match is_incomplete(code) {
        true => IsCompleteReply::incomplete("  ".to_string()),
        false => IsCompleteReply::complete(),
    }
}

fn information() -> KernelInfoReply {
    let version = env!("CARGO_PKG_VERSION");
    KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: PROTOCOL.to_string(),
        implementation: "stellar".to_string(),
        implementation_version: version.to_string(),
        language_info: LanguageInfo {
            name: "stellar".to_string(),
            version: version.to_string(),
            mimetype: Some("text/x-stellar".to_string()),
            file_extension: Some(".stellar".to_string()),
            // Comments, texts, numbers and most words look the same there.
            pygments_lexer: Some("python".to_string()),
            codemirror_mode: Some(CodeMirrorMode::Simple("python".to_string())),
            nbconvert_exporter: None,
        },
        banner: format!(
            "Stellar {version}: ?NAME explains a function, ?words searches, %help lists commands"
        ),
        help_links: Vec::<HelpLink>::new(),
        debugger: false,
        error: None,
    }
}

/// What a front end puts in: it closes brackets by itself where its user wants that.
fn name(candidate: &Candidate) -> &str {
    match candidate.kind {
        Kind::Function => candidate.text.trim_end_matches('('),
        _ => &candidate.text,
    }
}

/// What front ends call a kind of candidate.
fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Variable => "variable",
        Kind::Key => "property",
        Kind::Function => "function",
        Kind::Keyword => "keyword",
        Kind::Command => "magic",
        Kind::Word => "text",
        Kind::File => "path",
    }
}

/// The byte of a place that front ends count in characters.
pub(super) fn byte_of(code: &str, at: usize) -> usize {
    code.char_indices()
        .nth(at)
        .map_or(code.len(), |(byte, _)| byte)
}

pub(super) fn char_of(code: &str, at: usize) -> usize {
    code[..floor(code, at)].chars().count()
}
