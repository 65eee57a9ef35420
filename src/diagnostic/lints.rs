//! The lints: what is no error but perhaps not what was meant. They are rows of the table of codes.

use super::{CODES, Code, nearest};

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Most likely a mistake.
    Warning,
    /// It does not work.
    Error,
}

impl Level {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// What a lint has beside its code.
#[derive(Debug, Clone, Copy)]
pub struct LintInfo {
    /// Its name, such as `mixed-and-or`.
    pub name: &'static str,
    /// How much it weighs.
    pub level: Level,
}

/// The names of all lints.
pub fn lint_names() -> impl Iterator<Item = &'static str> {
    CODES
        .iter()
        .filter_map(|info| info.lint.map(|lint| lint.name))
}

/// Lints that shall not be mentioned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    codes: Vec<Code>,
    all: bool,
}

impl Allowed {
    /// Adds a lint by name or code; `all` means every one. Gives a sentence when there is no such lint.
    pub fn add(&mut self, name: &str) -> Result<(), String> {
        if name == "all" {
            self.all = true;
            return Ok(());
        }
        match Code::parse(name) {
            Some(code) if code.info().lint.is_some() => self.codes.push(code),
            Some(code) => {
                return Err(format!(
                    "{} is an error, which cannot be allowed",
                    code.name()
                ));
            }
            None => {
                let near = nearest(name, lint_names())
                    .map(|near| format!("; did you mean {near}?"))
                    .unwrap_or_default();
                return Err(format!("there is no lint {name}{near}"));
            }
        }
        Ok(())
    }

    /// Whether findings with this code shall not be mentioned.
    pub fn holds(&self, code: Code) -> bool {
        code.info().lint.is_some() && (self.all || self.codes.contains(&code))
    }
}

/// Puts the lints behind the rows of the errors. `L01` is about what an expression means, `L02` about comparisons,
/// `L03` about arguments, `L04` about names, `L05` about profiles.
macro_rules! with_lints {
    ($($errors:tt)*) => {
        codes! {
            $($errors)*
    MixedLogic "L0101" Lint "and before or without parentheses"
        cause "and and or have the same rank and group to the right: a and b or c is a and (b or c), not (a and b) or c."
        cure "Write the parentheses that say what you mean."
        example "a == 1 and b == 2 or c == 3" lint "mixed-and-or" Warning;
    MultiplyFirst "L0102" Lint "* behind / without parentheses"
        cause "* binds tighter than /, so 8 / 2 * 4 is 8 / (2 * 4), which is 1."
        cure "Write the parentheses that say what you mean."
        example "8 / 2 * 4" lint "multiply-before-divide" Warning;
    ComparisonChain "L0103" Lint "comparison of a comparison"
        cause "Comparisons group to the left: 1 < x < 9 compares the true or false of 1 < x with 9."
        cure "Join two comparisons with and: 1 < x and x < 9."
        example "1 < x < 9" lint "comparison-chain" Warning;
    InSwallows "L0104" Lint "in before a comparison"
        cause "in binds loosest: what stands behind it up to the next and or or is its container, so x in y == z is x in (y == z)."
        cure "Write the parentheses that say what you mean."
        example "'a' in name == true" lint "in-before-comparison" Warning;
    NotOperand "L0105" Lint "not(…) as the left side of an operator"
        cause "not(…) with parentheses negates only what they hold: not(a) == b compares the negation of a with b."
        cure "Put the whole comparison into the parentheses, or parentheses around not(…)."
        example "not(status) == 200" lint "negated-operand" Warning;
    TextInParentheses "L0106" Lint "in with one text in parentheses"
        cause "Parentheses make no list: x in ('abc') asks whether x is a part of the text."
        cure "Write x in ['abc'] for a list; leave the parentheses out for a part of a text."
        example "user in ('root')" lint "text-in-parentheses" Note;
    WholeDivision "L0107" Lint "division of whole numbers that leaves a rest"
        cause "Whole numbers divided give a whole number; the rest is dropped, so 1 / 2 is 0."
        cure "Write one of them as a double: 1.0 / 2."
        example "1 / 2" lint "integer-division" Warning;
    WholeOverflow "L0108" Lint "whole numbers that grow beyond their type"
        cause "Numbers without a letter have 32 bits; what goes beyond wraps around without an error."
        cure "Put an L behind the first number: 30L * 24 * 60 * 60 * 1000."
        example "30 * 24 * 60 * 60 * 1000" lint "integer-overflow" Warning;
    LiteralOperand "L0109" Lint "text or number as a condition"
        cause "and, or and not read texts and numbers as true or false: 'true', 'yes', 'on' and 1 are true, all others false."
        cure "Compare: x == 'a' or x == 'b', or x in ['a', 'b']."
        example "method == 'PUT' or 'POST'" lint "literal-operand" Warning;
    DuplicateKey "L0110" Lint "key that stands twice in a map"
        cause "Of equal keys in a map literal the first one wins."
        cure "Remove one of them."
        example "{'a' : 1, 'a' : 2}" lint "duplicate-key" Warning;
    Unreachable "L0111" Lint "branch that is never reached"
        cause "Branches are tried in order, and an earlier check is the same or always holds."
        cure "Remove the branch, or change its check."
        example "if x == 1 then 'a' else if x == 1 then 'b' else 'c'" lint "unreachable-branch" Warning;
    UnlikeEqual "L0201" Lint "comparison of values of unlike types"
        cause "A number never equals a text, nor does anything equal a value of another kind; only numbers of different types compare by value."
        cure "Convert one side, or compare with a value of the other side's type."
        example "URL_TO_PORT(url) == '443'" lint "unlike-types" Warning;
    UnlikeOrder "L0202" Lint "order between values of unlike types"
        cause "<, <=, > and >= compare two numbers, two texts or two booleans; other pairs are an error, and null gives false."
        cure "Convert one side, e.g. TO_INTEGER(x)."
        example "TO_STRING(port) > 1024" lint "unlike-order" Warning;
    UnlikeIn "L0203" Lint "in between unlike types"
        cause "in looks for the very type: 1 is not in [1L] nor in [1.0], and only a text can be part of a text."
        cure "Write elements of the type that is looked for, or convert it."
        example "TO_LONG(port) in [80, 443]" lint "unlike-in" Warning;
    NullOrder "L0204" Lint "order or in with null"
        cause "Null is neither less nor greater than anything, and nothing is in it: such a comparison is always false."
        cure "Compare with == null or != null, or use exists(x)."
        example "x > null" lint "null-order" Warning;
    NanComparison "L0205" Lint "comparison with NaN"
        cause "NaN differs from everything, also from itself."
        cure "Use IS_NAN(x)."
        example "x == NaN" lint "nan-comparison" Warning;
    OutOfRange "L0206" Lint "comparison with a value that the function never gives"
        cause "The function's results lie in a range that the number is outside of; MONTH counts from 0 for January."
        cure "Look at the function's documentation with ?NAME."
        example "MONTH(timestamp) == 12" lint "out-of-range" Warning;
    LetterCase "L0207" Lint "comparison with letters of the other case"
        cause "What comes out of TO_LOWER has no capitals, what comes out of TO_UPPER no small letters."
        cure "Write the text in the same case."
        example "TO_LOWER(user) == 'Admin'" lint "letter-case" Warning;
    Contradiction "L0208" Lint "conditions that exclude each other"
        cause "Joined by and, these conditions on one value can never hold together."
        cure "Join them with or, or use in […]."
        example "port == 80 and port == 443" lint "contradiction" Warning;
    AlwaysHolds "L0209" Lint "conditions of which one always holds"
        cause "A value always differs from at least one of two others."
        cure "Join the conditions with and, or use not in […]."
        example "port != 80 or port != 443" lint "always-holds" Warning;
    SelfComparison "L0210" Lint "comparison of a value with itself"
        cause "Both sides are the same."
        cure "Compare with what was meant; for NaN use IS_NAN(x)."
        example "src == src" lint "self-comparison" Warning;
    ConditionNever "L0211" Lint "condition that is never true or false"
        cause "Conditions are booleans, null or collections; a text or a number there is an error when it is reached."
        cure "Compare explicitly: LENGTH(s) > 0."
        example "if LENGTH(name) then 'named' else 'nameless'" lint "condition-type" Warning;
    IgnoredArgument "L0301" Lint "argument that is ignored"
        cause "The function takes fewer arguments, or does not look at one of this kind; it says nothing and goes on without it."
        cure "Remove the argument, or look at the function's documentation with ?NAME."
        example "TO_UPPER('a', 'b')" lint "ignored-argument" Warning;
    PlainRegex "L0302" Lint "regular expression that is a plain text"
        cause "A pattern must describe the whole string, and this one holds no sign with a meaning: it is only ==."
        cure "Write '.*word.*' to find it anywhere, or compare with ==."
        example "REGEXP_MATCH(message, 'error')" lint "plain-regex" Note;
    RegexGroup "L0303" Lint "group that the pattern does not have"
        cause "Groups are the opening parentheses of a pattern, counted from 1; for others the answer is null, and for 0 the string itself, whether it fits or not."
        cure "Put parentheses around the part that is wanted."
        example "REGEXP_GROUP_VAL(user, '[a-z]+', 1)" lint "regex-group" Warning;
    DatePattern "L0304" Lint "date pattern that reads or writes something else"
        cause "The case and number of letters matter: M month and m minute, y year and Y week year, d day of the month and D day of the year, H hours to 23 and h hours to 12, S milliseconds."
        cure "Change the letters as suggested."
        example "DATE_FORMAT('yyyy-mm-dd', now)" lint "date-pattern" Warning;
    UnknownZone "L0305" Lint "unknown time zone"
        cause "A time zone that is not known means GMT."
        cure "Write a name such as 'Europe/Prague' or 'GMT+2', with capitals as in the database of zones."
        example "DATE_FORMAT('HH:mm', now, 'Prague')" lint "unknown-zone" Warning;
    Subnet "L0306" Lint "subnet that is not written as one"
        cause "A subnet is an address and the number of its leading bits: 192.168.0.0/24. Bits behind those have no meaning."
        cure "Write the network's own address and a number of bits."
        example "IN_SUBNET(ip, '192.168.1.77/24')" lint "subnet" Warning;
    Fraction "L0307" Lint "percentile that looks like a fraction"
        cause "Percentiles count from 0 to 100: 0.95 is less than one percent."
        cure "Write 95 for 0.95."
        example "STATS_PERCENTILE(s, 0.95)" lint "fraction-percentile" Warning;
    Deprecated "L0308" Lint "form that is no longer wanted"
        cause "The function still takes arguments in this form, or did so once, and has a better one."
        cure "Use the form that is suggested."
        example "PROFILE_GET('logins', user, periods, 'weekday')" lint "deprecated-form" Warning;
    AlwaysFails "L0309" Lint "constant that cannot be computed"
        cause "This part depends on nothing but what is written, and ends in an error whenever it is reached."
        cure "The message is that of the error; look at its code."
        example "MAX(5)" lint "always-fails" Warning;
    NothingKept "L0310" Lint "predicate that never gives true"
        cause "FILTER keeps an element only when the result is exactly true; other values drop it, without an error."
        cure "Compare: FILTER(list, x -> x != null)."
        example "FILTER(names, name -> TO_LOWER(name))" lint "never-kept" Warning;
    ExtraParameter "L0311" Lint "lambda with more parameters than it gets"
        cause "The function gives its lambda fewer arguments; the other parameters are null."
        cure "Remove the parameters behind those."
        example "MAP(list, (x, i) -> x)" lint "extra-parameter" Warning;
    UnknownOption "L0312" Lint "word that the function does not know"
        cause "The function looks for certain words and passes over all others without an error."
        cure "Write one of the words that the message names."
        example "IS_IP(address, 'ipv4')" lint "unknown-option" Warning;
    WindowSelector "L0313" Lint "selector of windows that hardly means what it says"
        cause "The selector of PROFILE_WINDOW is legal, but a part of it has no meaning, or no window is ever picked."
        cure "Change what the message names; %window explains a selector."
        example "PROFILE_WINDOW('1 day including holidays:us:nyx')" lint "window-selector" Warning;
    HolidayEditions "L0314" Lint "holidays that differ between the editions"
        cause "The holidays of a country have changed since the recorded edition, and the selector picks other windows with the current one."
        cure "Set profiler.holidays.edition to 'current' if today's holidays are meant."
        example "PROFILE_WINDOW('1 hour window every 1 day from 400 days ago excluding holidays:us')" lint "holiday-editions" Note;
    UnusedAssignment "L0401" Lint "variable that is not read"
        cause "A script names a value and never uses the name again, or names another value before."
        cure "Leave the := out when only the printed value matters."
        example "" lint "unused-assignment" Note;
    UnknownField "L0402" Lint "field that no event has"
        cause "A name that is neither a variable nor a field of the events is null."
        cure "Look at the suggestion; field names are case-sensitive."
        example "" lint "unknown-field" Warning;
    UnknownLint "L0403" Lint "unknown lint in a comment"
        cause "A comment allows a lint that does not exist; it has no effect."
        cure "Write the name or the code of a lint: # stellar: allow(mixed-and-or)."
        example "" lint "unknown-lint" Note;
    UnseenName "L0501" Lint "name that a profile's result does not see"
        cause "result, triage and groupBy run at the flush: they see the variables of init and update, groupBy also profile, entity, start, end, duration and result. Messages are gone by then; such a name is null, and null is no measurement."
        cure "Keep what is wanted in a variable: write it into update."
        example "" lint "unseen-name" Warning;
    NeverReset "L0502" Lint "variable of a profile that is never set anew"
        cause "A flush keeps the variables of a profile; only init sets them anew. What update builds on itself goes on from the last period."
        cure "Write the variable into init, unless it shall go on."
        example "" lint "never-reset" Note;
    NotMergeable "L0503" Lint "profile marked mergeable whose variables cannot be merged"
        cause "Two partial states of an entity and period can be joined where each variable is a sum, a least or largest value, or something with a function to merge it, such as statistics, sketches and sets, and begins anew in init."
        cure "Change the variable as the message says, or leave mergeable out."
        example "" lint "not-mergeable" Warning;
    SameProfile "L0504" Lint "two profiles of one name"
        cause "Both write their measurements under the same name, so that one replaces the other in the store."
        cure "Give each profile a name of its own."
        example "" lint "same-profile" Warning;
    ExpiresAtOnce "L0505" Lint "measurements that expire at once"
        cause "expires counts days from the moment of writing; after 0 days or fewer nothing is found."
        cure "Write a number of days from 1, or leave expires out."
        example "" lint "expires-at-once" Warning;
        }
    };
}
