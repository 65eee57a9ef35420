//! Help on the words of the language itself: `?and`, `?match`.

use crate::diagnostic::{Page, Style};

/// A word of the language, or several that belong together.
pub struct Keyword {
    /// The words, the first one is the page's name.
    pub words: &'static [&'static str],
    summary: &'static str,
    details: &'static str,
    usage: &'static str,
    /// Expressions and what comes of them.
    examples: &'static [(&'static str, &'static str)],
    see: &'static str,
}

/// All of them. Those of Metron may be written in capitals as well, but for NaN and def.
pub const KEYWORDS: &[Keyword] = &[
    Keyword {
        words: &["and"],
        summary: "True when both sides are true.",
        details: "The right side is evaluated only if the left one is true. && means the same. Null and empty \
                  collections count as false.",
        usage: "a and b",
        examples: &[
            ("1 < 2 and 'a' in 'abc'", "true"),
            ("false and 1 / 0 == 1", "false"),
        ],
        see: "or, not",
    },
    Keyword {
        words: &["or"],
        summary: "True when one side is true, or both.",
        details: "The right side is evaluated only if the left one is false. || means the same. and binds as tightly \
                  as or, so mixed chains want parentheses.",
        usage: "a or b",
        examples: &[
            ("1 > 2 or 'a' in 'abc'", "true"),
            ("true or 1 / 0 == 1", "true"),
        ],
        see: "and, not",
    },
    Keyword {
        words: &["not"],
        summary: "True when what follows is false.",
        details: "Without parentheses it reaches up to the next and or or; Metron wants the parentheses.",
        usage: "not(a)",
        examples: &[
            ("not(1 == 2)", "true"),
            ("not 1 == 2 and true", "true"),
            ("'x' not in 'abc'", "true"),
        ],
        see: "in, and, or",
    },
    Keyword {
        words: &["in"],
        summary: "Whether a collection holds a value, a map a key, or a text a part.",
        details: "not in is the opposite. Null on the right holds nothing.",
        usage: "value in collection, value not in collection",
        examples: &[
            ("22 in [22, 80]", "true"),
            ("'k' in {'k' : 1}", "true"),
            ("'b' in 'abc'", "true"),
            ("3 not in [1, 2]", "true"),
        ],
        see: "GET, MAP_EXISTS, IN_SUBNET, REGEXP_MATCH",
    },
    Keyword {
        words: &["if", "then", "else"],
        summary: "One of two values, by a condition.",
        details: "Only the chosen one is evaluated. condition ? a : b means the same. A chain goes on with else if; \
                  for many cases match reads better.",
        usage: "if condition then a else b",
        examples: &[
            ("if 1 < 2 then 'small' else 'large'", "small"),
            ("1 < 2 ? 'small' : 'large'", "small"),
            ("if null then 'yes' else 'no'", "no"),
        ],
        see: "match",
    },
    Keyword {
        words: &["match", "default"],
        summary: "The value of the first check that is true.",
        details: "The clauses are tried in order; default stands last and is taken when none fits.",
        usage: "match{ check => value, …, default => value }",
        examples: &[
            (
                "match{ 5 > 9 => 'many', 5 > 3 => 'some', default => 'few' }",
                "some",
            ),
            ("match{ 1 == 2 => 'a', default => 'b' }", "b"),
        ],
        see: "if, REGEXP_MATCH",
    },
    Keyword {
        words: &["exists"],
        summary: "Whether a variable or a field is there and not null.",
        details: "A missing variable is null and no error, so exists tells the two worlds apart: not there, and there \
                  with a value.",
        usage: "exists(name)",
        examples: &[("exists(no_such_name)", "false")],
        see: "null, IS_EMPTY, MAP_EXISTS",
    },
    Keyword {
        words: &["null"],
        summary: "No value: a missing variable, field or answer.",
        details: "The shell prints nothing for it. In arithmetic a missing variable counts as 0, as a condition null as false.",
        usage: "null",
        examples: &[
            ("null == no_such_name", "true"),
            ("no_such_name + 1", "1"),
            ("[null]", "[null]"),
        ],
        see: "exists, IS_EMPTY",
    },
    Keyword {
        words: &["true", "false"],
        summary: "The two truth values.",
        details: "Null and empty collections count as false where a condition is wanted; numbers and texts are errors \
                  there.",
        usage: "true, false",
        examples: &[
            ("true and not(false)", "true"),
            ("if [] then 1 else 2", "2"),
        ],
        see: "and, or, not, if",
    },
    Keyword {
        words: &["NaN"],
        summary: "The double that is not a number.",
        details: "It comes of calculations without a result, such as 0.0 / 0.0. Only this spelling is known.",
        usage: "NaN",
        examples: &[
            ("NaN", "NaN"),
            ("0.0 / 0.0", "NaN"),
            ("IS_NAN(NaN)", "true"),
        ],
        see: "IS_NAN",
    },
    Keyword {
        words: &["def"],
        summary: "Defines a function of one's own.",
        details: "Lines before it that begin with /// are its documentation, which ? shows. Parameters are names; the \
                  body sees them and what is defined by then.",
        usage: "def NAME(a, b) := expression",
        examples: &[],
        see: "%save",
    },
];

/// The page of a word of the language; `None` when it is none.
pub fn keyword(word: &str) -> Option<Page> {
    let same = |one: &&str| *one == word || (*one != "def" && one.to_uppercase() == word);
    let keyword = KEYWORDS.iter().find(|k| k.words.iter().any(same))?;
    let mut page = Page::new();
    page.put(Style::Name, keyword.words.join(", ")).end();
    page.line(keyword.summary);
    page.line(keyword.details);
    page.end().put(Style::Heading, "Usage:").text(" ");
    page.put(Style::Code, keyword.usage).end();
    if !keyword.examples.is_empty() {
        page.end().heading("Examples:");
        for (expression, result) in keyword.examples {
            page.text("  ").put(Style::Code, *expression);
            page.put(Style::Quiet, " --> ");
            page.put(Style::Result, *result).end();
        }
    }
    page.end().put(Style::Heading, "See also:").text(" ");
    page.put(Style::Name, keyword.see).end();
    Some(page)
}
