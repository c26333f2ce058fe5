//! The GOPs of a clip or playlist, and the parameter sets they need.

use std::sync::Arc;

use sightline_footage::GopEntry;
use sightline_model::{CameraId, TimeRange, Timestamp, gap::Gap, id::GrantId, media::ParameterSets};
use sightline_trust::{LookKind, Permit};

use super::look;
use crate::{
    Api,
    extract::SignedIn,
    problem::{Error, Refusal},
};

/// Most GOPs in one answer: six hours of two GOPs a second.
const MOST_PIECES: usize = 43_200;

/// How far back the key frame of a long GOP is looked for, in microseconds.
const LONGEST_GOP_US: i64 = 120_000_000;

/// What a clip or playlist is made of.
pub(super) struct Pieces {
    pub(super) permit: Permit,
    /// Never empty; the first one has a key frame.
    pub(super) entries: Vec<GopEntry>,
    /// What is missing inside the asked range.
    pub(super) gaps: Vec<Gap>,
}

/// Opens the door and finds the GOPs of `range`, from the key frame at or before its start.
pub(super) async fn find(
    api: &Api,
    who: &SignedIn,
    camera: CameraId,
    grant: Option<GrantId>,
    range: TimeRange,
) -> Result<Pieces, Error> {
    let mut permit = look(api, who, camera, grant, LookKind::Playback, Some(range)).await?;
    let mut entries = entries_of(&permit, range).await?;
    if entries.first().is_some_and(|entry| entry.part > 0) {
        // In the middle of a long GOP: its key frame lies before, and is shown if the grant reaches that far.
        let from = range.from.plus_micros(-LONGEST_GOP_US).max(permit.grant().range.from);
        let wider = TimeRange { from, to: range.to };
        permit = look(api, who, camera, grant, LookKind::Playback, Some(wider)).await?;
        entries = from_key_frame(entries_of(&permit, wider).await?, range.from);
    }
    if entries.is_empty() {
        let place = format!("between {} and {}", range.from, range.to);
        return Err(Refusal::NoFootage { camera: camera.to_string(), place }.into());
    }
    let mut gaps = permit.timeline(Timestamp::now()).await?.gaps;
    gaps.retain(|gap| gap.from < range.to && range.from < gap.to);
    Ok(Pieces { permit, entries, gaps })
}

async fn entries_of(permit: &Permit, range: TimeRange) -> Result<Vec<GopEntry>, Error> {
    let entries = permit.entries(range, MOST_PIECES + 1).await?;
    if entries.len() > MOST_PIECES {
        let why = format!("the range holds more than {MOST_PIECES} GOPs: ask for less at a time");
        return Err(Refusal::field("to", why).into());
    }
    Ok(entries)
}

/// Drops what lies before the last key frame at or before `from`.
fn from_key_frame(entries: Vec<GopEntry>, from: Timestamp) -> Vec<GopEntry> {
    let key = |entry: &GopEntry| entry.part == 0;
    let first = entries
        .iter()
        .rposition(|entry| key(entry) && entry.start <= from)
        .or_else(|| entries.iter().position(key))
        .unwrap_or(entries.len());
    entries.into_iter().skip(first).collect()
}

/// The parameter sets of every stretch: `(index of its first entry, parameters)`, in order.
///
/// Entries do not say which parameters they need, so GOPs are read: the ends of each run, and where they differ its
/// middle, and so on. A change that is taken back within one run, between two GOPs that were looked at, is found while
/// the clip is written, which stops there.
pub(super) async fn parameters(pieces: &Pieces) -> Result<Vec<(usize, Arc<ParameterSets>)>, Error> {
    let mut found: Vec<(usize, Arc<ParameterSets>)> = Vec::new();
    let mut begin = 0;
    while let Some(first) = pieces.entries.get(begin) {
        let length = pieces.entries.iter().skip(begin).take_while(|entry| entry.run == first.run).count();
        let end = begin + length - 1;
        // Stretches of this run still to be looked at: (index, parameters there, last index, parameters there).
        let at_begin = parameters_at(pieces, begin).await?;
        let at_end = parameters_at(pieces, end).await?;
        push(&mut found, begin, &at_begin);
        let mut open = vec![(begin, at_begin, end, at_end)];
        while let Some((low, at_low, high, at_high)) = open.pop() {
            if at_low == at_high {
                continue;
            }
            if high == low + 1 {
                push(&mut found, high, &at_high);
                continue;
            }
            let middle = low + (high - low) / 2;
            let at_middle = parameters_at(pieces, middle).await?;
            open.push((middle, Arc::clone(&at_middle), high, at_high));
            open.push((low, at_low, middle, at_middle));
        }
        begin = end + 1;
    }
    Ok(found)
}

fn push(found: &mut Vec<(usize, Arc<ParameterSets>)>, index: usize, params: &Arc<ParameterSets>) {
    if found.last().is_none_or(|(_, last)| last != params) {
        found.push((index, Arc::clone(params)));
    }
}

async fn parameters_at(pieces: &Pieces, index: usize) -> Result<Arc<ParameterSets>, Error> {
    let entry =
        pieces.entries.get(index).ok_or_else(|| Refusal::field("to", "the footage changed meanwhile"))?;
    Ok(Arc::clone(&pieces.permit.read(entry).await?.start.params))
}
