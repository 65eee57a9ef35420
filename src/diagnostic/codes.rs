//! The numbers of all diagnostics, each with its cause and its cure. A number is never used for something else.

use super::lints::{Level, LintInfo};

/// The four kinds of failure that programs which drive `stellar` tell apart, and what is no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Data, a file or the way of use is wrong.
    Input,
    /// The text is not an expression.
    Syntax,
    /// The expression cannot be evaluated.
    Evaluation,
    /// A limit was reached.
    Limit,
    /// The expression has a meaning, but perhaps not the one that was meant.
    Lint,
}

/// What `stellar help CODE` says about a code.
#[derive(Debug, Clone, Copy)]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// Its spelling, such as `E0203`.
    pub name: &'static str,
    /// Which kind of failure it is.
    pub kind: Kind,
    /// A few words.
    pub title: &'static str,
    /// How one comes to see it.
    pub cause: &'static str,
    /// What to do.
    pub cure: &'static str,
    /// An expression that shows it, or empty.
    pub example: &'static str,
    /// What else a lint has; `None` for errors.
    pub lint: Option<LintInfo>,
}

macro_rules! codes {
    ($($variant:ident $name:literal $kind:ident $title:literal cause $cause:literal cure $cure:literal $(example $example:literal)?
        $(lint $lint:literal $level:ident)?;)*) => {
        /// The number of a diagnostic.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        /// Every code, in order.
        pub const CODES: &[CodeInfo] = &[
            $(CodeInfo {
                code: Code::$variant, name: $name, kind: Kind::$kind, title: $title, cause: $cause, cure: $cure,
                example: codes!(@example $($example)?),
                lint: codes!(@lint $($lint $level)?),
            },)*
        ];
    };
    (@example) => { "" };
    (@example $example:literal) => { $example };
    (@lint) => { None };
    (@lint $lint:literal $level:ident) => { Some(LintInfo { name: $lint, level: Level::$level }) };
}

with_lints! {
    Unexpected "E0101" Syntax "unexpected text"
        cause "The expression goes on with something that cannot stand there."
        cure "The message names what was expected; look at the place and just before it."
        example "1 + * 2";
    Unclosed "E0102" Syntax "unclosed bracket"
        cause "A bracket is opened and never closed."
        cure "Close it; the message shows where it was opened."
        example "f(1, 2";
    Unopened "E0103" Syntax "closing bracket without an opening one"
        cause "A closing bracket has no partner, or closes a bracket of another kind."
        cure "Remove it, or open its partner."
        example "(1, 2]";
    UnclosedString "E0104" Syntax "unclosed string"
        cause "A quotation mark opens a string that never ends."
        cure "Close it with the same mark; write \\' or \\\" for a mark inside."
        example "'abc";
    BadEscape "E0105" Syntax "unknown escape in a string"
        cause "Inside strings a backslash stands only before \\, n, r, t and the string's own quotation mark."
        cure "Write two backslashes for one; a regular expression such as \\d is written '\\\\d'."
        example "'\\d+'";
    CurlyQuote "E0106" Syntax "typographic quotation mark"
        cause "A word processor or a web page has turned straight quotation marks into curly ones."
        cure "Write ' or \" instead."
        example "‘abc’";
    StrayCharacter "E0107" Syntax "character that has no meaning here"
        cause "A character is not part of the language, such as a single = or an exclamation mark."
        cure "Compare with ==, negate with not(…), join with and / or."
        example "a = 1";
    BadNumber "E0108" Syntax "malformed number"
        cause "Numbers have no leading zeros, no underscores and no L after a fraction."
        cure "Write 7 for 007, 1000 for 1_000, 5L only after whole numbers."
        example "007";
    IntegerRange "E0109" Evaluation "whole number beyond its type"
        cause "A whole number without a letter must fit 32 bits; with L it must fit 64."
        cure "Put an L behind it: 3000000000L."
        example "3000000000";
    AssignmentHere "E0110" Syntax "assignment where only an expression may stand"
        cause "`:=` names a value in the shell and in scripts, once a line; it is no part of an expression."
        cure "Remove it, or put it at the start of a line of a script."
        example "1 + (x := 2)";
    KeywordName "E0111" Syntax "keyword used as a name"
        cause "Words such as in, if, match, default and true cannot name variables or functions."
        cure "Choose another name."
        example "in(1)";
    Incomplete "E0112" Syntax "incomplete form"
        cause "A conditional needs its else, a match needs its default, a map entry its value."
        cure "Add the missing part."
        example "if a then 1";
    BadDefinition "E0113" Syntax "malformed definition"
        cause "A definition reads: def NAME(a, b) := expression."
        cure "Follow that form; parameters are plain names, each once."
        example "";
    OperandHere "E0114" Syntax "operand that needs parentheses or cannot stand here"
        cause "Stellar would read this in a way that nobody expects, so it wants parentheses."
        cure "Write the parentheses that say what you mean."
        example "1 + if true then 1 else 2";
    UnknownMagic "E0115" Syntax "unknown magic command"
        cause "A line that begins with % names a command of the shell that does not exist."
        cure "Look at the list of commands with %help."
        example "";
    BadMagic "E0116" Syntax "malformed magic command"
        cause "The command lacks something, or has too much."
        cure "The message says what it expects."
        example "";
    UnknownFunction "E0201" Evaluation "unknown function"
        cause "No function of this name exists. Names are case-sensitive."
        cure "Look at `stellar docs`, or at the suggestion."
        example "TO_UPER('a')";
    ArgumentCount "E0202" Evaluation "wrong number of arguments"
        cause "The function needs more arguments, or refuses that many."
        cure "Look at the function's signature with ?NAME or `stellar docs NAME`."
        example "SPLIT('a,b')";
    ArgumentType "E0203" Evaluation "argument of the wrong type"
        cause "The function cannot work with a value of this type."
        cure "Convert it first (TO_STRING, TO_INTEGER, …) or pass another value."
        example "MAP(5, x -> x)";
    ArgumentValue "E0204" Evaluation "argument with an impossible value"
        cause "The type is right, the value is not: an index out of range, an empty separator."
        cure "The message says what is allowed."
        example "SUBSTRING('abc', 5)";
    OperatorType "E0205" Evaluation "operator on values it does not work with"
        cause "Arithmetic wants numbers, ordering wants two numbers or two values of one kind; + also joins when a string is on either side."
        cure "Convert one side, e.g. TO_INTEGER(x)."
        example "true + 1";
    DivisionByZero "E0206" Evaluation "whole number divided by zero"
        cause "Integer division has no result for zero. A missing variable counts as 0."
        cure "Check the divisor first, or divide by a double: x / 0.0 gives Infinity."
        example "1 / 0";
    ConditionType "E0207" Evaluation "condition that is not true or false"
        cause "Conditions are booleans; null and empty collections count as false, anything else is an error."
        cure "Compare explicitly: x != 0, LENGTH(s) > 0."
        example "if 'yes' then 1 else 2";
    NotComparable "E0208" Evaluation "values without an order"
        cause "<, <=, > and >= compare two numbers, two strings or two booleans."
        cure "Convert one side first."
        example "1 < 'a'";
    BadRegex "E0209" Evaluation "malformed regular expression"
        cause "The pattern is not a regular expression in Java's dialect."
        cure "The message says where it goes wrong; remember that a backslash is written twice in a string."
        example "REGEXP_MATCH('a', '(')";
    BadDatePattern "E0210" Evaluation "malformed date pattern"
        cause "The pattern is none of Java's SimpleDateFormat: yyyy-MM-dd HH:mm:ss, plain words in single quotes."
        cure "Use letters of that list; quote others."
        example "TO_EPOCH_TIMESTAMP('2016', 'bbbb')";
    BadFormat "E0211" Evaluation "malformed format string"
        cause "FORMAT follows Java's Formatter: %s for any value, %d for whole numbers, %f for doubles."
        cure "Change the specifier, or convert the value."
        example "FORMAT('%d', 1.5)";
    Recursion "E0212" Evaluation "function that calls itself"
        cause "Functions written in Stellar must not call themselves, neither directly nor through others."
        cure "Use REDUCE or MAP for repetition."
        example "";
    Redefinition "E0213" Evaluation "definition of a built-in"
        cause "A built-in function cannot be defined anew."
        cure "Choose another name."
        example "";
    SelfContaining "E0214" Evaluation "collection put into itself"
        cause "A list, map or set cannot contain itself."
        cure "Put a copy into it."
        example "";
    Immutable "E0215" Evaluation "value that cannot be changed"
        cause "The reserved name _ is a view of all variables; it cannot be changed."
        cure "Copy what you need with MAP_MERGE([_, {…}])."
        example "";
    NotJson "E0216" Evaluation "text that is not JSON"
        cause "The argument is not a complete JSON text of the kind wanted."
        cure "Look at the place that the message names."
        example "TO_JSON_MAP('[1]')";
    NotAvailable "E0217" Evaluation "function without what it needs"
        cause "The function needs a service or a permission that the configuration does not give."
        cure "The message names the setting."
        example "";
    NotANumber "E0218" Evaluation "number that has no place here"
        cause "A computation ended in an overflow, or a number was expected and something else found."
        cure "Check the values that come in."
        example "";
    Redundant "E0219" Evaluation "name defined twice"
        cause "Two parameters or functions of one name would hide each other."
        cure "Rename one."
        example "";
    NotWanted "E0220" Evaluation "function of a Metron cluster"
        cause "This function steers parts of a Metron cluster that do not exist here."
        cure "The message says what to use instead."
        example "";
    BadWindow "E0221" Evaluation "malformed window selector"
        cause "The text does not say which periods of a profile are meant: a number and a unit are missing, a word is misspelt, a date or a country does not exist."
        cure "Write '1 hour', 'from 2 hours ago to 30 minutes ago', or '1 hour window every 24 hours from 14 days ago including tuesdays excluding holidays:us'."
        example "PROFILE_WINDOW('1 week')";
    BadProfile "E0222" Evaluation "malformed definition of profiles"
        cause "The text is no JSON, a field is unknown, missing or of the wrong type."
        cure "Write {\"profiles\": [{\"profile\": \"name\", \"foreach\": \"ip_src_addr\", \"init\": {\"n\": \"0\"}, \"update\": {\"n\": \"n + 1\"}, \"result\": \"n\"}]}; onlyif, groupBy and expires may be added."
        example "PROFILER_INIT('{\"profiles\": [{\"profile\": \"p\"}]}')";
    ExpressionLength "E0301" Limit "expression too long"
        cause "An expression may hold so many bytes as [limits] expression says (64 KiB unless changed)."
        cure "Split it into several with := or def."
        example "";
    Nesting "E0302" Limit "nesting too deep"
        cause "Brackets, conditionals, lambdas and values may nest 256 levels deep unless [limits] depth says otherwise."
        cure "Give inner parts names."
        example "";
    StringLength "E0303" Limit "string too long"
        cause "An expression would make a string larger than [limits] string allows."
        cure "Work on smaller pieces, or raise the limit."
        example "FILL_LEFT('x', 'y', 2000000000)";
    CollectionSize "E0304" Limit "collection too large"
        cause "An expression would make a collection larger than [limits] collection allows."
        cure "Work on smaller pieces, or raise the limit."
        example "";
    Steps "E0305" Limit "too many steps"
        cause "One evaluation called functions and lambdas more often than [limits] steps allows."
        cure "Make it do less, or raise the limit."
        example "";
    Timeout "E0306" Limit "took too long"
        cause "One evaluation ran longer than [limits] time allows."
        cure "Make it do less, or raise the limit."
        example "";
    Interrupted "E0307" Limit "interrupted"
        cause "The evaluation was stopped from outside (Ctrl-C)."
        cure "Start it again."
        example "";
    RegexSteps "E0308" Limit "regular expression that took too many steps"
        cause "A pattern with look-around or back-references tried too many ways to match."
        cure "Make the pattern more exact: no nested repetitions such as (a+)+."
        example "";
    RegexSize "E0309" Limit "regular expression too large"
        cause "The pattern, or the machine compiled from it, is larger than allowed."
        cure "Shorten it; avoid large counted repetitions inside each other."
        example "";
    BadLine "E0401" Input "line that is not an event"
        cause "Every line must be one complete, valid UTF-8 JSON object (or a row of the table)."
        cure "The message names the line and the place in it."
        example "";
    NotUtf8 "E0402" Input "text that is not UTF-8"
        cause "Scripts, expressions and events are read as UTF-8."
        cure "Convert the file first, e.g. with iconv."
        example "";
    CannotRead "E0403" Input "file that cannot be read"
        cause "The file does not exist, or may not be read."
        cure "Check the name and the permissions."
        example "";
    CannotWrite "E0404" Input "file that cannot be written"
        cause "The file or its folder may not be written, or the disk is full."
        cure "Check the name, the permissions and the space."
        example "";
    LineLength "E0405" Input "line too long"
        cause "A line is longer than [limits] line allows."
        cure "Raise the limit if such events are meant."
        example "";
    NotBoolean "E0406" Input "filter that is not true or false"
        cause "filter keeps an event when the result is true and drops it when false, null or an empty collection; other results are errors."
        cure "Compare explicitly: x != 0, LENGTH(s) > 0."
        example "";
    BadCompression "E0407" Input "damaged compressed file"
        cause "The compressed data ends early or is damaged."
        cure "Check the file with gzip -t or zstd -t."
        example "";
    BadTable "E0408" Input "table that cannot be read"
        cause "A CSV, TSV or Zeek file lacks its header, or a row does not fit."
        cure "The message names the line."
        example "";
    BadPipeline "E0409" Input "pipeline that cannot be read"
        cause "The file is no YAML, or an action, a parameter or a value in it is unknown, missing or of the wrong type."
        cure "The message shows the place; `stellar pipeline list` names the actions and their parameters."
        example "";
    BadQuery "E0410" Input "query that cannot be read"
        cause "The query misses a part, names a source or a column that does not exist, or uses a clause where it has no meaning."
        cure "The message shows the place; a query is from SOURCE, then any of where, select, group every … by …, limit."
        example "";
    BadTask "E0411" Input "collection task that cannot be"
        cause "A parameter of a collection task is missing or wrong, its name is taken, there is no such task, or its status does not allow what is asked."
        cure "The message names the parameter or the status; `stellar collect list` shows all tasks."
        example "";
    BadTemplate "E0412" Input "template that cannot be rendered"
        cause "The text between {{ and }} is no action of Go's text/template, names an unknown function, or met a value that it cannot work with."
        cure "The message shows the place; fields are written {{ .First.a.b }} and {{ .Meta.name }}, and every if, range and with needs an end."
        example "";
    BadRule "E0413" Input "rule that cannot be used"
        cause "A part of the rule is missing, has the wrong type, or is something that the program does not know."
        cure "The message names the part by its path in the JSON text, or by its line in the Lua text."
        example "";
    Configuration "E0501" Input "configuration that cannot be used"
        cause "The configuration file is not TOML, or a value has the wrong type."
        cure "The message names the key and the place."
        example "";
    UnknownKey "E0502" Input "unknown configuration key"
        cause "A key in the configuration does not exist; it would have had no effect."
        cure "Look at the suggestion; `stellar doctor` shows what is configured."
        example "";
    Secret "E0503" Input "secret that cannot be found"
        cause "${NAME} or ${file:PATH} in the configuration names something that does not exist."
        cure "Set the variable, or create the file."
        example "";
    Usage "E0504" Input "wrong use of a command"
        cause "Arguments do not fit together."
        cure "Look at stellar COMMAND --help."
        example "";
    StoreOpen "E0601" Input "store that cannot be opened"
        cause "The embedded file cannot be opened or created."
        cure "Check [store] path, its folder and the permissions."
        example "";
    StoreVersion "E0602" Input "store written by a newer program"
        cause "The embedded file was written by a newer stellar than this one."
        cure "Use the newer program, or another file."
        example "";
    StoreFailed "E0603" Input "store that failed"
        cause "Reading or writing the embedded file failed: it is busy, full or damaged."
        cure "Look at the message; `stellar store check` examines the file."
        example "";
    ServerFailed "E0604" Input "server that does not answer"
        cause "A configured server cannot be reached, or answers with an error."
        cure "`stellar doctor` shows what is configured and what answers."
        example "";
    DamagedValue "E0605" Input "stored value that cannot be read"
        cause "A value in a store is damaged, or it is an object of Java that has no counterpart here."
        cure "The message names the place in its bytes; write the value again, or remove it."
        example "";
    EventStorage "E0606" Input "operation of the event store that failed"
        cause "The database of events refuses an operation: a table or a column does not exist, or the connection is lost."
        cure "Look at the message; `stellar event init` creates what is missing."
        example "";
    EventData "E0607" Input "value that the event store cannot keep"
        cause "A value does not fit its column: a NUL character in a text, a port beyond 32 bits, an address that is none."
        cure "The message names the column; correct the value."
        example "";
    EventIntegrity "E0608" Input "event that breaks a rule of its table"
        cause "An event with the same identifier is there already, or a column that must have a value has none."
        cure "The message names the identifier or the column."
        example "";
    BadMessage "E0609" Input "message that is not valid IDEA"
        cause "A security event is not JSON, or one of its values is not what the IDEA format asks for."
        cure "The message names the place, such as Source[0].IP4[1], and what is expected there."
        example "";
    Internal "E0901" Evaluation "fault of the program itself"
        cause "The program found itself in a state that should not exist."
        cure "Please report it with the expression that led here."
        example "";
}

impl Code {
    /// Everything known about the code.
    pub fn info(self) -> &'static CodeInfo {
        // The table is made from the same list as the enum, so the position is the discriminant.
        &CODES[self as usize]
    }

    /// The spelling, such as `E0203`.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Finds a code by its spelling in any case; lints also by their names.
    pub fn parse(text: &str) -> Option<Code> {
        let text = text.trim();
        CODES
            .iter()
            .find(|info| {
                info.name.eq_ignore_ascii_case(text)
                    || info
                        .lint
                        .is_some_and(|lint| lint.name.eq_ignore_ascii_case(text))
            })
            .map(|info| info.code)
    }

    /// How much it weighs.
    pub fn level(self) -> Level {
        self.info().lint.map_or(Level::Error, |lint| lint.level)
    }
}
