//! A plan as a table for people.

use std::fmt::{self, Display};

use sightline_model::Timestamp;

use super::{Action, Cut, Plan, Reason, Step};

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PastMaximum { class } => write!(f, "class {class}: past its maximum"),
            Self::ClassQuota { class } => write!(f, "class {class}: over its quota"),
            Self::OwnerQuota { owner } => write!(f, "owner {owner}: over its quota"),
            Self::DiskFull { disk } => write!(f, "disk {disk} is full"),
            Self::DiskFree { disk } => write!(f, "disk {disk} has room again"),
            Self::PastFull { class } => write!(f, "class {class}: old enough to be thinned"),
            Self::DayOver => f.write_str("every class is past its maximum"),
            Self::TierAge => f.write_str("old enough for the tier"),
        }
    }
}

impl Action {
    /// What it is done to.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::Evict { segment } | Self::Delete { segment } | Self::Upload { segment } => {
                format!("segment {segment:016x}")
            }
            Self::Rewrite { segment, drop, thin, keep } => {
                let mut parts = Vec::new();
                for (what, cuts) in [("drop", drop), ("thin", thin), ("hold", keep)] {
                    if !cuts.is_empty() {
                        parts.push(format!("{what} {}", streams(cuts)));
                    }
                }
                format!("segment {segment:016x}: {}", parts.join(", "))
            }
            Self::DestroyKeys { day, keep } => {
                let at = Timestamp::from_secs(i64::from(*day) * 86_400).to_string();
                let date = at.split('T').next().unwrap_or_default();
                match keep.len() {
                    0 => format!("day {date}"),
                    held => format!("day {date}, {held} camera-hours stay"),
                }
            }
            Self::Shed { disk, class } | Self::Resume { disk, class } => {
                format!("class {class} on disk {disk}")
            }
        }
    }
}

fn streams(cuts: &[Cut]) -> String {
    if cuts.iter().any(|cut| cut.stream.is_none()) {
        return "all streams".to_owned();
    }
    let mut keys: Vec<_> = cuts.iter().filter_map(|cut| cut.stream).collect();
    keys.sort_unstable();
    keys.dedup();
    match keys.as_slice() {
        [one] => one.to_string(),
        many => format!("{} streams", many.len()),
    }
}

/// Bytes as people read them.
fn bytes(count: u64) -> String {
    if count == 0 { String::new() } else { format!("{:.1} MB", count as f64 / 1e6) }
}

impl Step {
    /// What, to what, what it gives back, why: a row of the table.
    #[must_use]
    pub fn cells(&self) -> [String; 4] {
        [
            self.action.name().to_owned(),
            self.action.target(),
            bytes(self.frees_bytes),
            self.reason.to_string(),
        ]
    }
}

impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(refusal) = &self.refusal {
            writeln!(f, "Nothing is destroyed: {refusal}.")?;
        }
        let head = ["do", "what", "frees", "why"].map(str::to_owned);
        let rows: Vec<[String; 4]> =
            std::iter::once(head).chain(self.steps.iter().map(Step::cells)).collect();
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let (first, second, third) = (width(0), width(1), width(2));
        if self.is_empty() {
            writeln!(f, "There is nothing to do.")?;
        } else {
            for [what, target, frees, why] in &rows {
                writeln!(f, "{what:first$}  {target:second$}  {frees:>third$}  {why}")?;
            }
        }
        for note in &self.notes {
            writeln!(f, "Note: {note}.")?;
        }
        let (steps, frees, loses) = (self.steps.len(), self.frees_bytes() as f64, self.loses_bytes() as f64);
        write!(
            f,
            "As of {}: {steps} steps, {:.1} MB given back, {:.1} MB of footage gone.",
            self.at,
            frees / 1e6,
            loses / 1e6
        )
    }
}
