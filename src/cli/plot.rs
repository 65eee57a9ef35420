//! `stellar profile plot`: pictures of what profiles have measured.

use super::args::{Color, Common};
use super::output;
use crate::config::parse_now;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::eval::Value;
use crate::profile::Profiles;
use crate::profile::plot::read::{Request, When, figure};
use crate::profile::plot::values::Wanted;
use crate::profile::plot::{band, svg, text};
use clap::Args as ClapArgs;
use std::path::{Path, PathBuf};

/// `stellar profile plot`
#[derive(Debug, ClapArgs)]
pub struct PlotArgs {
    /// The profile.
    pub profile: String,
    /// What it is about, such as addresses; each is drawn above the next.
    #[arg(required = true, value_name = "ENTITY", allow_negative_numbers = true)]
    pub entities: Vec<String>,
    /// A group; several are given in their order.
    #[arg(
        long = "group",
        alias = "groups",
        value_name = "GROUP",
        allow_hyphen_values = true
    )]
    pub groups: Vec<String>,
    /// Of when, such as 'from 14 days ago'; all there is without.
    #[arg(long, value_name = "SELECTOR", conflicts_with_all = ["begin", "end"])]
    pub window: Option<String>,
    /// From when on, in milliseconds or ISO 8601.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub begin: Option<String>,
    /// Until when.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub end: Option<String>,
    /// Makes a number of each value, such as 'STATS_MEAN(value)'; it may also use entity.
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub expr: Option<String>,
    /// Draws what was expected behind the values, which is usual: the median of the same weekday and hour in earlier
    /// weeks, and so many median absolute deviations to both sides (3.5).
    #[arg(long, value_name = "WIDTH", num_args = 0..=1, require_equals = true)]
    pub band: Option<Option<f64>>,
    /// Draws the values alone.
    #[arg(long, conflicts_with = "band")]
    pub no_band: bool,
    /// Gives all entities the same axis of values, so that they can be compared.
    #[arg(long)]
    pub same_scale: bool,
    /// Writes the picture to a file as SVG instead; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// The width: characters of the terminal's picture, pixels of the SVG.
    #[arg(long, value_name = "N")]
    pub width: Option<usize>,
    /// The height of each entity's picture: lines, or pixels.
    #[arg(long, value_name = "N")]
    pub height: Option<usize>,
    /// Draws with ASCII characters only, as where the terminal or the locale know no others.
    #[arg(long)]
    pub ascii: bool,
}

/// Writes a picture to a file; `-` is standard output.
pub fn save(path: &Path, picture: &str) -> Outcome<()> {
    if path.as_os_str() == "-" {
        return output::line(picture.trim_end());
    }
    std::fs::write(path, picture).map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        Diagnostic::new(Code::CannotWrite, message)
    })
}

/// Runs `stellar profile plot`; `false` when there is nothing to draw.
pub fn plot(
    common: &Common,
    engine: &Engine,
    profiles: &Profiles,
    args: &PlotArgs,
) -> Outcome<bool> {
    let context = &engine.context;
    let instant = |text: &Option<String>| {
        let read = |text: &String| parse_now(text, |at| context.zone.offset_millis(at));
        text.as_ref().map(read).transpose()
    };
    let request = Request {
        profile: args.profile.as_str().into(),
        entities: args
            .entities
            .iter()
            .map(|name| name.as_str().into())
            .collect(),
        groups: args.groups.iter().map(Value::text).collect(),
        when: When {
            window: args.window.clone(),
            begin: instant(&args.begin)?,
            end: instant(&args.end)?,
        },
        expression: args.expr.clone(),
        wanted: Wanted {
            width: match args.no_band {
                true => None,
                false => Some(band::checked(args.band.flatten().unwrap_or(band::WIDTH))?),
            },
            same_scale: args.same_scale,
        },
    };
    let (figure, notes) = figure(&request, profiles, context)?;
    notes.iter().for_each(|note| output::note(note));
    let Some(figure) = figure else {
        return Ok(false);
    };
    if let Some(path) = &args.svg {
        let usual = svg::Size::default();
        let picture = figure.svg(svg::Size {
            width: args.width.unwrap_or(usual.width),
            height: args.height,
        });
        save(path, &picture)?;
        return Ok(true);
    }
    let window = output::window();
    let width = args.width.or(window).unwrap_or(text::Size::default().width);
    let page = figure.page(text::Size {
        width,
        height: args.height,
        ascii: args.ascii || text::wants_ascii(|name| std::env::var(name).ok()),
    });
    let colored = window.is_some() || common.color == Color::Always;
    // Lines that were asked to be longer than the window are not broken.
    output::line(&match colored {
        true => page.styled(width.max(window.unwrap_or(width))),
        false => page.plain(),
    })?;
    Ok(true)
}
