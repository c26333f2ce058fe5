//! Data goes to stdout, everything else to stderr. The only file that prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is where the command line prints")]

use std::fmt::Display;

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde::Serialize;

/// How data is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Default)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

impl Format {
    /// Writes `data`: as JSON, or as people want it.
    pub(crate) fn print<T: Serialize>(
        self,
        data: &T,
        human: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        match self {
            Self::Human => println!("{}", human(data).trim_end()),
            Self::Json => println!("{}", serde_json::to_string_pretty(data)?),
        }
        Ok(())
    }
}

/// A line for the person at the terminal.
pub(crate) fn note(text: impl Display) {
    eprintln!("{text}");
}

/// Tells a failure with all its causes, in one sentence.
pub(crate) fn problem(error: &anyhow::Error) {
    eprintln!("sightline: {error:#}");
}

/// Raw text to stdout (a completion script).
pub(crate) fn raw(text: &str) {
    print!("{text}");
}

/// A table with a head.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(head);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// A progress bar on stderr; none when nobody watches.
pub(crate) fn progress(length: u64, unit: &'static str) -> indicatif::ProgressBar {
    let style =
        indicatif::ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {unit} {{eta}}"));
    let bar = indicatif::ProgressBar::new(length);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
