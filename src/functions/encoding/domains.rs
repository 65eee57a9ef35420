//! Domain names beyond ASCII: IDNA by UTS 46.

use crate::diagnostic::Outcome;
use crate::eval::text::check_length;
use crate::eval::{Call, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, required};

pub(super) const DOMAIN_TO_ASCII: FunctionSpec = FunctionSpec {
    name: "DOMAIN_TO_ASCII",
    family: Family::Hashing,
    summary: "Writes a domain name as the DNS carries it: in ASCII, with Punycode where it must be.",
    details: "By UTS 46, non-transitional: capitals become small letters, characters of equal meaning the same one, and \
              every label beyond ASCII becomes xn-- and its Punycode (RFC 3492). Use it before comparing or looking up.",
    parameters: &[required("domain", Kind::Text, "the domain name")],
    returns: "the name in ASCII; null for null and for what is no domain name",
    errors: &["the argument is neither a string nor null"],
    examples: &[
        example("DOMAIN_TO_ASCII('bücher.example')", "xn--bcher-kva.example"),
        example("DOMAIN_TO_ASCII('WWW.Example.ORG')", "www.example.org"),
        example("DOMAIN_TO_ASCII('раураl.com')", "xn--l-7sba6dbr.com"),
        example("DOMAIN_TO_ASCII(null)", "null"),
        fails("DOMAIN_TO_ASCII(1)", "E0203"),
    ],
    see: &["DOMAIN_TO_UNICODE", "ENCODE"],
    words: &[
        "punycode",
        "IDN",
        "IDNA",
        "xn--",
        "homograph",
        "internationalized",
    ],
    run: |call| converted(call, |domain| idna::domain_to_ascii(domain).ok()),
    ..SPEC
};

pub(super) const DOMAIN_TO_UNICODE: FunctionSpec = FunctionSpec {
    name: "DOMAIN_TO_UNICODE",
    family: Family::Hashing,
    summary: "Writes a domain name as people see it, with Punycode decoded.",
    details: "By UTS 46, non-transitional. Names that look like others show their letters best in ASCII: see DOMAIN_TO_ASCII.",
    parameters: &[required("domain", Kind::Text, "the domain name")],
    returns: "the name in Unicode; null for null and for what is no domain name, such as one with broken Punycode",
    errors: &["the argument is neither a string nor null"],
    examples: &[
        example(
            "DOMAIN_TO_UNICODE('xn--bcher-kva.example')",
            "bücher.example",
        ),
        example("DOMAIN_TO_UNICODE('www.example.org')", "www.example.org"),
        example("DOMAIN_TO_UNICODE('xn--a')", "null"),
        example("DOMAIN_TO_UNICODE(null)", "null"),
        fails("DOMAIN_TO_UNICODE(1)", "E0203"),
    ],
    see: &["DOMAIN_TO_ASCII", "DECODE"],
    words: &[
        "punycode",
        "IDN",
        "IDNA",
        "xn--",
        "homograph",
        "internationalized",
    ],
    run: |call| {
        converted(call, |domain| {
            let (unicode, valid) = idna::domain_to_unicode(domain);
            valid.is_ok().then_some(unicode)
        })
    },
    ..SPEC
};

/// No domain name is longer, however it is written; longer texts are not looked at.
const LONGEST: usize = 4096;

fn converted(call: &mut Call<'_, '_>, convert: fn(&str) -> Option<String>) -> Outcome<Value> {
    match call.arg(0) {
        Value::Null => Ok(Value::Null),
        Value::Text(domain) if domain.len() > LONGEST => Ok(Value::Null),
        Value::Text(domain) => match convert(domain) {
            Some(name) => {
                check_length(name.len(), call.context().limits.string)?;
                Ok(Value::string(name))
            }
            None => Ok(Value::Null),
        },
        _ => Err(call.wrong_type(0, "a string")),
    }
}
