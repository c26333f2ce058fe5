//! The hotlist in memory, and the question whether a plate is on it. Pure: time and place come with the question.

use std::collections::HashMap;

use sightline_model::{RegionId, Timestamp, hotlist::HotlistEntry, plate};

/// Entries by their folded plate. Whether an entry applies is asked at each match, so one that runs out stops at once.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    by_fold: HashMap<String, Vec<HotlistEntry>>,
    entries: usize,
}

/// An entry that a plate is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit<'m> {
    pub(crate) entry: &'m HotlistEntry,
    /// Whether only look-alike characters made the plates equal.
    pub(crate) look_alike: bool,
}

/// A plate that was read, when and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sighting<'s> {
    /// The plate, normalised.
    pub(crate) plate: &'s str,
    /// When the vehicle was seen.
    pub(crate) at: Timestamp,
    /// The region it was seen in and all above; empty when the camera is not registered.
    pub(crate) regions: &'s [RegionId],
}

impl Matcher {
    pub(crate) fn new(entries: impl IntoIterator<Item = HotlistEntry>) -> Self {
        let mut matcher = Self::default();
        for entry in entries {
            matcher.entries += 1;
            matcher.by_fold.entry(plate::fold(&entry.plate)).or_default().push(entry);
        }
        matcher
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// The entries that apply both when the vehicle was seen and now. A late report of a time before the authority
    /// began is no hit, and neither is one that comes after it ended.
    pub(crate) fn hits(&self, sighting: Sighting<'_>, now: Timestamp) -> impl Iterator<Item = Hit<'_>> {
        let Sighting { plate, at, regions } = sighting;
        let listed = self.by_fold.get(&plate::fold(plate)).map(Vec::as_slice).unwrap_or_default();
        listed
            .iter()
            .filter(move |entry| entry.is_active(at) && entry.is_active(now))
            .filter(move |entry| entry.region.is_none_or(|region| regions.contains(&region)))
            .map(move |entry| Hit { entry, look_alike: entry.plate != plate })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use sightline_model::{
        hotlist::HotlistReason,
        id::{AccountId, HotlistId},
    };
    use uuid::Uuid;

    use super::*;

    pub(crate) fn entry(plate: &str) -> HotlistEntry {
        HotlistEntry {
            id: HotlistId(Uuid::now_v7()),
            plate: plate.to_owned(),
            reason: HotlistReason::Stolen,
            case: "C-1".to_owned(),
            region: None,
            author: AccountId(Uuid::from_u128(1)),
            approver: Some(AccountId(Uuid::from_u128(2))),
            valid_from: Timestamp(100),
            valid_to: Timestamp(200),
            withdrawn_at: None,
            created_at: Timestamp(0),
        }
    }

    fn hits(matcher: &Matcher, plate: &str, at: i64, now: i64, regions: &[RegionId]) -> Vec<bool> {
        let sighting = Sighting { plate, at: Timestamp(at), regions };
        matcher.hits(sighting, Timestamp(now)).map(|hit| hit.look_alike).collect()
    }

    #[test]
    fn exact_and_look_alike_plates_hit_and_are_told_apart() {
        let matcher = Matcher::new([entry("京A12B45")]);
        assert_eq!(hits(&matcher, "京A12B45", 150, 150, &[]), [false]);
        assert_eq!(hits(&matcher, "京A12845", 150, 150, &[]), [true]);
        assert!(hits(&matcher, "京A12345", 150, 150, &[]).is_empty());
    }

    #[test]
    fn an_entry_applies_only_inside_its_time_at_the_pass_and_now() {
        let matcher = Matcher::new([entry("A1")]);
        for (at, now, hit) in
            [(100, 100, true), (199, 199, true), (99, 150, false), (150, 200, false), (150, 99, false)]
        {
            assert_eq!(!hits(&matcher, "A1", at, now, &[]).is_empty(), hit, "at {at}, now {now}");
        }
    }

    #[test]
    fn unapproved_and_withdrawn_entries_never_hit() {
        let proposed = HotlistEntry { approver: None, ..entry("A1") };
        let withdrawn = HotlistEntry { withdrawn_at: Some(Timestamp(120)), ..entry("A1") };
        let matcher = Matcher::new([proposed, withdrawn]);
        assert!(hits(&matcher, "A1", 150, 150, &[]).is_empty());
    }

    #[test]
    fn a_region_covers_what_lies_below_it_and_no_unknown_place() {
        let region = |text: &str| text.parse::<RegionId>().unwrap();
        let matcher = Matcher::new([HotlistEntry { region: Some(region("north")), ..entry("A1") }]);
        assert_eq!(hits(&matcher, "A1", 150, 150, &[region("north-7"), region("north")]).len(), 1);
        assert!(hits(&matcher, "A1", 150, 150, &[region("south")]).is_empty());
        assert!(hits(&matcher, "A1", 150, 150, &[]).is_empty());
    }

    proptest! {
        #[test]
        fn the_index_finds_what_a_scan_finds(
            listed in prop::collection::vec(("[ABDOQ0128SZ5]{1,4}", 0i64..50, 1i64..50), 0..30),
            read in "[ABDOQ0128SZ5]{1,4}", at in 0i64..100,
        ) {
            let entries: Vec<_> = listed.iter().map(|(plate, from, length)| HotlistEntry {
                valid_from: Timestamp(*from), valid_to: Timestamp(from + length), ..entry(plate)
            }).collect();
            let at = Timestamp(at);
            let mut expected: Vec<_> = entries.iter()
                .filter(|e| plate::fold(&e.plate) == plate::fold(&read) && e.is_active(at)).map(|e| e.id).collect();
            let matcher = Matcher::new(entries.clone());
            let sighting = Sighting { plate: &read, at, regions: &[] };
            let mut found: Vec<_> = matcher.hits(sighting, at).map(|hit| hit.entry.id).collect();
            expected.sort();
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
