//! `stellar eval`: one expression, or one a line for other programs.

use super::args::{Common, EvalArgs, ValueFormat};
use super::{output, setup};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, json as fault_json};
use crate::engine::Engine;
use crate::eval::{Value, Variables, json, text::to_text};
use crate::input::Live;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::io::{BufRead, BufWriter, Read, Write};
use std::sync::Arc;

/// Variables given as a list of names and values; a later one hides an earlier one.
pub struct Given(pub Vec<(SmolStr, Value)>);

impl Variables for Given {
    fn get(&self, name: &str) -> Option<Value> {
        self.0
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.clone())
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        self.0.clone()
    }
}

/// Runs the command.
pub fn eval(common: &Common, args: &EvalArgs) -> Outcome<bool> {
    let mut engine = setup::listening(common)?;
    let variables = setup::variables(&args.variables, engine.context.limits.depth)?;
    engine.context = engine.context.with_variables(Arc::new(Given(variables)));
    let Some(expression) = &args.expression else {
        let served = serve(&engine, args.typed);
        setup::leave(&engine);
        return served.map(|()| true);
    };
    let value = engine.evaluate(expression);
    setup::say(&engine);
    let value = value?;
    let shown = if args.typed {
        json::to_typed(&value)?.to_string()
    } else {
        match args.format {
            ValueFormat::Text => to_text(&value).to_string(),
            ValueFormat::Json => json::to_json(&value)?.to_string(),
        }
    };
    output::line(&shown)?;
    setup::leave(&engine);
    Ok(true)
}

/// Answers line by line. The output is flushed before a read that would wait.
fn serve(engine: &Engine, typed: bool) -> Outcome<()> {
    let cancel = &engine.context.cancel;
    let cannot_read = |error: std::io::Error| {
        Diagnostic::new(
            Code::CannotRead,
            format!("the input cannot be read: {error}"),
        )
    };
    let stdin = Live::new(std::io::stdin(), vec![cancel.clone()]).map_err(cannot_read)?;
    let mut input = std::io::BufReader::with_capacity(1 << 16, stdin);
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let longest = engine.context.limits.line as u64;
    let mut line = Vec::new();
    loop {
        if !input.buffer().contains(&b'\n') {
            output::written(out.flush())?;
        }
        line.clear();
        let read = (&mut input).take(longest + 1).read_until(b'\n', &mut line);
        match read {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return Err(cannot_read(error)),
        }
        let answer = if line.last() != Some(&b'\n') && line.len() as u64 > longest {
            skip_line(&mut input);
            refuse(
                Json::Null,
                &Diagnostic::new(
                    Code::LineLength,
                    format!("the line has more than {longest} bytes"),
                ),
            )
        } else {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            answer(engine, line, typed)
        };
        output::written(serde_json::to_writer(&mut out, &answer).map_err(std::io::Error::from))?;
        output::written(out.write_all(b"\n"))?;
        if cancel.load(std::sync::atomic::Ordering::Relaxed) {
            break;
        }
    }
    output::written(out.flush())?;
    engine.context.check_cancelled()
}

fn skip_line(input: &mut impl BufRead) {
    loop {
        let (found, used) = match input.fill_buf() {
            Ok([]) | Err(_) => return,
            Ok(buffer) => match memchr::memchr(b'\n', buffer) {
                Some(at) => (true, at + 1),
                None => (false, buffer.len()),
            },
        };
        input.consume(used);
        if found {
            return;
        }
    }
}

fn refuse(id: Json, fault: &Fault) -> Json {
    json!({"id": id, "ok": false, "error": fault_json(fault)})
}

/// The answer to one request.
fn answer(engine: &Engine, line: &[u8], typed: bool) -> Json {
    let bad = |message: &str| Diagnostic::new(Code::BadLine, message);
    let depth = engine.context.limits.depth;
    let request = std::str::from_utf8(line)
        .map_err(|_| Diagnostic::new(Code::NotUtf8, "the request is not UTF-8"))
        // The variables stand one level below the request.
        .and_then(|line| json::read_object(line, depth + 1));
    let request = match request {
        Ok(request) => request,
        Err(fault) => return refuse(Json::Null, &fault),
    };
    let id = request
        .get_text("id")
        .and_then(|id| json::to_json(&id).ok())
        .unwrap_or(Json::Null);
    let result = (|| {
        let expression = match request.get_text("expr") {
            Some(Value::Text(expression)) => expression,
            _ => return Err(bad("the request lacks \"expr\", a string")),
        };
        let variables = match request.get_text("vars") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Map(vars)) => vars
                .entries()
                .into_iter()
                .map(|(name, value)| (to_text(&name), value))
                .collect(),
            Some(_) => return Err(bad("\"vars\" is a JSON object")),
        };
        let context = engine.context.with_variables(Arc::new(Given(variables)));
        let program = engine.compile(&expression)?;
        let value = program.evaluate(&context)?;
        let mut answer = json!({
            "id": id,
            "ok": true,
            "type": value.type_name(),
            "value": json::to_json(&value)?,
            "text": to_text(&value).as_str(),
        });
        if typed {
            answer["typed"] = json::to_typed(&value)?;
        }
        Ok(answer)
    })();
    result.unwrap_or_else(|fault| refuse(id, &fault))
}
