//! `stellar profile plot`: pictures of what profiles have measured.

use super::args::{Color, Common};
use super::output;
use crate::config::parse_now;
use crate::diagnostic::{Drawing, Outcome, Room, Size, Theme};
use crate::engine::Engine;
use crate::eval::Value;
use crate::input::replace;
use crate::profile::Profiles;
use crate::profile::plot::band;
use crate::profile::plot::read::{Request, When, figure};
use crate::profile::plot::values::Wanted;
use clap::Args as ClapArgs;
use std::path::PathBuf;

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
    /// How it is drawn.
    #[command(flatten)]
    pub picture: PictureArgs,
}

/// How pictures are drawn, for all commands that draw.
#[derive(Debug, ClapArgs)]
pub struct PictureArgs {
    /// Writes the picture to a file as SVG; - is standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "ascii")]
    pub svg: Option<PathBuf>,
    /// The width: characters of the terminal's picture, pixels of the SVG.
    #[arg(long, value_name = "N")]
    pub width: Option<usize>,
    /// The height of each of its parts: lines, or pixels.
    #[arg(long, value_name = "N")]
    pub height: Option<usize>,
    /// The colours of the SVG: those that its reader likes, or always the same.
    #[arg(long, value_name = "THEME", value_parser = theme, default_value = "auto", requires = "svg")]
    pub theme: Theme,
    /// Draws with ASCII characters only, as where the terminal or the locale know no others.
    #[arg(long)]
    pub ascii: bool,
}

fn theme(name: &str) -> Result<Theme, String> {
    let names = Theme::NAMES.map(|(name, _)| name);
    Theme::of(name).ok_or_else(|| format!("there are {}", names.join(", ")))
}

impl PictureArgs {
    /// Whether somebody asks for a picture, where a table is what is usual.
    pub fn wanted(&self) -> bool {
        self.svg.is_some() || self.ascii || self.width.is_some() || self.height.is_some()
    }

    /// Draws into the file, or for the terminal.
    pub fn draw(&self, common: &Common, picture: &dyn Drawing) -> Outcome<()> {
        if let Some(path) = &self.svg {
            let drawn = picture.svg(Size {
                width: self.width.unwrap_or(Size::default().width),
                height: self.height,
                theme: self.theme,
            });
            return match path.as_os_str() == "-" {
                true => output::line(drawn.trim_end()),
                false => replace(path, drawn.as_bytes()),
            };
        }
        let window = output::window();
        let usual = output::room();
        let width = self.width.unwrap_or(usual.width);
        let page = picture.page(Room {
            width,
            height: self.height,
            ascii: self.ascii || usual.ascii,
        });
        let colored = window.is_some() || common.color == Color::Always;
        // Lines that were asked to be longer than the window are not broken.
        output::line(&match colored {
            true => page.styled(width.max(window.unwrap_or(width))),
            false => page.plain(),
        })
    }
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
    args.picture.draw(common, &figure)?;
    Ok(true)
}
