//! Retention classes, quotas and the bounds of a plan: raw as configured, then resolved once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use humantime_serde::re::humantime::format_duration;
use serde::{Deserialize, Serialize};
use sightline_model::camera::CameraKind;

use super::stock::OwnerId;
use crate::Error;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long one class of footage is kept. Durations are text: `"30d"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Its number in the header of every segment. Footage on disk refers to it: never give it a new meaning.
    pub code: u8,
    /// Its name in plans, logs and metrics.
    pub name: String,
    /// The kinds of camera that fall in it. A kind that no class names falls in class 0.
    #[serde(default)]
    pub kinds: Vec<CameraKind>,
    /// Nothing goes before this age, not even when the disk is full.
    #[serde(with = "humantime_serde")]
    pub min: Duration,
    /// Everything that is not held goes at this age.
    #[serde(with = "humantime_serde")]
    pub max: Duration,
    /// Age at which footage is thinned to its key frames; never when left out.
    #[serde(with = "humantime_serde", default, skip_serializing_if = "Option::is_none")]
    pub full: Option<Duration>,
    /// Most bytes that the class may take on this node; no bound when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// When space runs out, the class with the smallest number loses footage first and stops recording first.
    #[serde(default = "default_priority")]
    pub priority: u8,
}

const fn default_priority() -> u8 {
    100
}

impl Default for Class {
    fn default() -> Self {
        Self {
            code: 0,
            name: "default".to_owned(),
            kinds: Vec::new(),
            min: DAY,
            max: 30 * DAY,
            full: None,
            quota_bytes: None,
            priority: default_priority(),
        }
    }
}

/// Most bytes that the cameras of one owner may take on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerQuota {
    /// The region that owns the cameras.
    pub owner: OwnerId,
    /// The bound.
    pub quota_bytes: u64,
}

/// Footage policies as they are configured. Durations are text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// Retention classes. Class 0, `default` (at least 1 day, at most 30, never thinned), is there unless it is given.
    pub classes: Vec<Class>,
    /// Quotas of owners.
    pub owners: Vec<OwnerQuota>,
    /// How often plans are made and carried out; also whenever a disk runs full.
    #[serde(with = "humantime_serde")]
    pub every: Duration,
    /// Most of what is stored, in percent, that one plan may destroy. 100 takes the guard away.
    pub max_step_percent: u8,
    /// Least part of a segment, in percent, that is worth writing it again for.
    pub rewrite_min_percent: u8,
    /// How far the clock may be ahead of the last sign of life before it is taken for wrong and nothing is destroyed.
    #[serde(with = "humantime_serde")]
    pub ahead_max: Duration,
    /// Bytes a second that writing segments again may read and write.
    pub rewrite_bytes_per_s: u64,
    /// Free space, in percent of a disk, below which footage goes before its maximum.
    pub keep_free_percent: u8,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            classes: Vec::new(),
            owners: Vec::new(),
            every: Duration::from_secs(600),
            max_step_percent: 50,
            rewrite_min_percent: 10,
            ahead_max: DAY,
            rewrite_bytes_per_s: 32 << 20,
            keep_free_percent: 5,
        }
    }
}

/// When sealed segments change their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierAges {
    /// Age at which a segment goes up.
    pub after: Duration,
    /// Age until which the local copy stays as well, unless the disk is full.
    pub keep_local: Duration,
}

/// Footage policies, checked and ready for use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    classes: BTreeMap<u8, Class>,
    pub(super) owners: BTreeMap<OwnerId, u64>,
    pub(super) max_step_percent: u64,
    pub(super) rewrite_min_percent: u64,
    pub(super) ahead_max: Duration,
    pub(super) tier: Option<TierAges>,
}

impl Policies {
    /// Checks a configuration and makes it ready for use. `tier` is there when the node has a second place for footage.
    ///
    /// # Errors
    /// [`Error::Config`], naming the class and the field, when a value cannot work.
    pub fn resolve(config: &PolicyConfig, tier: Option<TierAges>) -> Result<Self, Error> {
        check_classes(&config.classes)?;
        check_bounds(config)?;
        let mut owners = BTreeMap::new();
        for OwnerQuota { owner, quota_bytes } in &config.owners {
            if *quota_bytes == 0 {
                return bad("owners", format!("quota_bytes of {owner} must be more than 0"));
            }
            if owners.insert(*owner, *quota_bytes).is_some() {
                return bad("owners", format!("name {owner} twice: keep one"));
            }
        }
        let mut classes: BTreeMap<u8, Class> =
            config.classes.iter().map(|class| (class.code, class.clone())).collect();
        classes.entry(0).or_default();
        Ok(Self {
            classes,
            owners,
            max_step_percent: u64::from(config.max_step_percent),
            rewrite_min_percent: u64::from(config.rewrite_min_percent),
            ahead_max: config.ahead_max,
            tier,
        })
    }

    /// The class of a code in a segment's header; `None` when nobody describes it.
    #[must_use]
    pub fn class(&self, code: u8) -> Option<&Class> {
        self.classes.get(&code)
    }

    /// All classes, by code.
    pub fn classes(&self) -> impl Iterator<Item = &Class> {
        self.classes.values()
    }

    /// The code of the class that cameras of a kind fall in.
    #[must_use]
    pub fn class_of(&self, kind: CameraKind) -> u8 {
        self.classes().find(|class| class.kinds.contains(&kind)).map_or(0, |class| class.code)
    }

    /// The longest that any footage is kept.
    pub(super) fn longest_max(&self) -> Duration {
        self.classes().map(|class| class.max).max().unwrap_or(Duration::MAX)
    }
}

fn bad<T>(field: &'static str, problem: String) -> Result<T, Error> {
    Err(Error::Config { field, problem })
}

fn check_classes(classes: &[Class]) -> Result<(), Error> {
    let (mut codes, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut kinds: Vec<(CameraKind, &str)> = Vec::new();
    for class in classes {
        let name = &class.name;
        if name.trim().is_empty() {
            return bad("classes", format!("give class {} a name", class.code));
        }
        if !codes.insert(class.code) {
            return bad("classes", format!("use code {} twice: {name:?} needs one of its own", class.code));
        }
        if !names.insert(name) {
            return bad("classes", format!("use the name {name:?} twice"));
        }
        for kind in &class.kinds {
            if let Some((_, other)) = kinds.iter().find(|(had, _)| had == kind) {
                return bad(
                    "classes",
                    format!("put {kind:?} cameras in {other:?} and in {name:?}: keep one"),
                );
            }
            kinds.push((*kind, name));
        }
        check_ages(class)?;
    }
    Ok(())
}

fn check_ages(class: &Class) -> Result<(), Error> {
    let name = &class.name;
    let max = format_duration(class.max);
    if class.max < HOUR {
        return bad("classes", format!("keep {name:?} for at most {max}: max must be at least 1h"));
    }
    if class.min > class.max {
        let min = format_duration(class.min);
        return bad(
            "classes",
            format!("keep {name:?} for at least {min} and at most {max}: lower min or raise max"),
        );
    }
    if let Some(full) = class.full.filter(|full| *full > class.max) {
        let full = format_duration(full);
        return bad(
            "classes",
            format!("thin {name:?} after {full}, when all of it is gone ({max}): lower full"),
        );
    }
    if class.quota_bytes == Some(0) {
        return bad("classes", format!("give {name:?} a quota_bytes of 0: leave it out, or give it room"));
    }
    Ok(())
}

fn check_bounds(config: &PolicyConfig) -> Result<(), Error> {
    for (field, percent) in
        [("max_step_percent", config.max_step_percent), ("rewrite_min_percent", config.rewrite_min_percent)]
    {
        if !(1..=100).contains(&percent) {
            return bad(field, format!("is {percent}: it must be from 1 to 100"));
        }
    }
    if config.keep_free_percent > 90 {
        return bad("keep_free_percent", "must be at most 90".to_owned());
    }
    if config.every < Duration::from_secs(1) {
        return bad("every", "must be at least 1s".to_owned());
    }
    if config.ahead_max < HOUR {
        return bad("ahead_max", "must be at least 1h".to_owned());
    }
    if config.rewrite_bytes_per_s < 1 << 20 {
        return bad("rewrite_bytes_per_s", format!("must be at least {}", 1 << 20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<Policies, String> {
        let config: PolicyConfig = toml::from_str(text).map_err(|error| error.to_string())?;
        Policies::resolve(&config, None).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_word_there_is_the_default_class() {
        let policies = resolve("").unwrap();
        assert_eq!(policies.class(0), Some(&Class::default()));
        assert_eq!((policies.classes().count(), policies.class_of(CameraKind::KeySite)), (1, 0));
    }

    #[test]
    fn classes_read_as_text_and_take_their_kinds() {
        let text = "[[classes]]\ncode = 3\nname = 'key sites'\nkinds = ['key_site']\nmin = '7d'\nmax = '90d'\n\
                    full = '30d'\nquota_bytes = 1000\npriority = 200\n[[owners]]\nowner = 'north'\nquota_bytes = 5";
        let policies = resolve(text).unwrap();
        let class = policies.class(3).unwrap();
        assert_eq!((class.min, class.full, class.priority), (7 * DAY, Some(30 * DAY), 200));
        assert_eq!((policies.class_of(CameraKind::KeySite), policies.class_of(CameraKind::Street)), (3, 0));
        assert_eq!(policies.longest_max(), 90 * DAY);
        assert_eq!(policies.owners.values().copied().collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn what_cannot_work_is_named_with_the_way_out() {
        let class = |rest: &str| format!("[[classes]]\ncode = 1\nname = 'a'\nmin = '1d'\nmax = '2d'\n{rest}");
        for (text, words) in [
            (class("").replace("'2d'", "'5h'"), "at least 1day and at most 5h"),
            (class("full = '3d'"), "thin \"a\" after 3days"),
            (class("quota_bytes = 0"), "quota_bytes of 0"),
            (class("").replace("'a'", "''"), "give class 1 a name"),
            (class(&class("")), "code 1 twice"),
            (class(&class("").replace("= 1", "= 2")), "name \"a\" twice"),
            (
                class("kinds = ['street']\n")
                    + &class("kinds = ['street']").replace("= 1", "= 2").replace("'a'", "'b'"),
                "Street cameras in \"a\" and in \"b\"",
            ),
            (class("colour = 1"), "colour"),
            ("max_step_percent = 0".to_owned(), "max_step_percent"),
            ("rewrite_min_percent = 101".to_owned(), "rewrite_min_percent"),
            ("every = '0s'".to_owned(), "every"),
            ("ahead_max = '1s'".to_owned(), "ahead_max"),
            ("rewrite_bytes_per_s = 1".to_owned(), "rewrite_bytes_per_s"),
            ("keep_free_percent = 99".to_owned(), "keep_free_percent"),
            ("[[owners]]\nowner = 'n'\nquota_bytes = 0".to_owned(), "quota_bytes of n"),
            ("[[owners]]\nowner = 'n'\nquota_bytes = 1\n".repeat(2), "name n twice"),
        ] {
            let error = resolve(&text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
