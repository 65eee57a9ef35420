//! Names of months, days, halves of the day and eras in English locales.

/// The names one locale uses.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Names {
    pub months: [&'static str; 12],
    pub short_months: [&'static str; 12],
    /// Short names of a month that stands without a day.
    pub short_months_alone: [&'static str; 12],
    /// From Sunday on.
    pub weekdays: [&'static str; 7],
    pub short_weekdays: [&'static str; 7],
    pub am_pm: [&'static str; 2],
    pub eras: [&'static str; 2],
    pub long_eras: [&'static str; 2],
    /// What stands before the exponent of a number.
    pub exponent: &'static str,
}

/// The months in English.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days of the week in English, from Sunday on.
pub const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

const SHORT_MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

const SHORT_MONTHS_GB: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec",
];

const SHORT_MONTHS_AU: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec",
];

const SHORT_MONTHS_CA: [&str; 12] = [
    "Jan.", "Feb.", "Mar.", "Apr.", "May", "Jun.", "Jul.", "Aug.", "Sep.", "Oct.", "Nov.", "Dec.",
];

const US: Names = Names {
    months: MONTHS,
    short_months: SHORT_MONTHS,
    short_months_alone: SHORT_MONTHS,
    weekdays: WEEKDAYS,
    short_weekdays: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
    am_pm: ["AM", "PM"],
    eras: ["BC", "AD"],
    long_eras: ["Before Christ", "Anno Domini"],
    exponent: "E",
};

const WORLD: Names = Names {
    am_pm: ["am", "pm"],
    ..US
};

static NAMES_US: Names = US;
static NAMES_WORLD: Names = WORLD;
static NAMES_IE: Names = Names {
    am_pm: ["a.m.", "p.m."],
    ..US
};
static NAMES_GB: Names = Names {
    short_months: SHORT_MONTHS_GB,
    short_months_alone: SHORT_MONTHS_GB,
    ..WORLD
};
static NAMES_AU: Names = Names {
    short_months: SHORT_MONTHS_AU,
    exponent: "e",
    ..WORLD
};
static NAMES_CA: Names = Names {
    short_months: SHORT_MONTHS_CA,
    short_months_alone: SHORT_MONTHS_CA,
    short_weekdays: ["Sun.", "Mon.", "Tue.", "Wed.", "Thu.", "Fri.", "Sat."],
    am_pm: ["a.m.", "p.m."],
    exponent: "e",
    ..US
};
static NAMES_SE: Names = Names {
    exponent: "×10^",
    ..WORLD
};
static NAMES_SI: Names = Names {
    exponent: "e",
    ..WORLD
};

/// Regions where English writes "am" and "pm" in small letters.
const SMALL_AM_PM: &str = "001 150 AG AI AT BB BE BM BS BW BZ CC CH CK CM CX CY DE DG DK DM ER FI \
    FJ FK FM GD GG GH GI GM GY HK IL IM IN IO JE JM KE KI KN KY LC LR LS MG MO MS MT MU MW MY NA \
    NF NG NL NR NU NZ PG PH PK PN PW RW SB SC SD SG SH SL SS SX SZ TC TK TO TT TV TZ UG VC \
    VG VU WS ZA ZM ZW";

/// Names of a language in a region (both may be empty); languages other than
/// English get the names of the United States.
pub(super) fn names_of(language: &str, region: &str) -> &'static Names {
    match (language, region) {
        ("en", "AU") => &NAMES_AU,
        ("en", "CA") => &NAMES_CA,
        ("en", "GB") => &NAMES_GB,
        ("en", "IE") => &NAMES_IE,
        ("en", "SE") => &NAMES_SE,
        ("en", "SI") => &NAMES_SI,
        ("en", region) if SMALL_AM_PM.split(' ').any(|r| r == region) => &NAMES_WORLD,
        _ => &NAMES_US,
    }
}
