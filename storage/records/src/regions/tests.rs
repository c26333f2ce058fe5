use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::testing::{camera, open, region, small_tree};

fn id(text: &str) -> RegionId {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_subtree_is_a_region_and_all_below() {
    let records = open().await;
    small_tree(&records).await;
    let below = records.region_with_descendants(id("north")).await.unwrap();
    assert_eq!(below, [id("north"), id("north-1")]);
    let above = records.region_with_ancestors(id("north-1")).await.unwrap();
    assert_eq!(above, [id("north-1"), id("north"), id("city")]);
    assert!(matches!(records.region_with_descendants(id("west")).await, Err(Error::NotFound { .. })));
    let both = records.regions_with_descendants(&[id("north"), id("south")]).await.unwrap();
    assert_eq!(both, BTreeSet::from([id("north"), id("north-1"), id("south")]));
}

#[tokio::test]
async fn a_region_in_use_stays() {
    let records = open().await;
    small_tree(&records).await;
    records.insert_camera(&camera("gate-1", "south"), crate::testing::at(0)).await.unwrap();
    let error = records.delete_region(id("city")).await.unwrap_err().to_string();
    assert!(error.contains("2 region(s) below it"), "{error}");
    let error = records.delete_region(id("south")).await.unwrap_err().to_string();
    assert!(error.contains("1 camera(s)"), "{error}");
    records.delete_region(id("north-1")).await.unwrap();
    assert!(matches!(records.delete_region(id("north-1")).await, Err(Error::NotFound { .. })));
}

/// The naive tree: a map, with the rule written down once more.
#[derive(Debug, Default)]
struct Model(BTreeMap<RegionId, Region>);

impl Model {
    fn may_put(&self, region: &Region) -> bool {
        let under = region.parent.is_none_or(|parent| {
            self.0.get(&parent).is_some_and(|parent| depth(parent.level) < depth(region.level))
        });
        under
            && self
                .0
                .values()
                .filter(|child| child.parent == Some(region.id))
                .all(|child| depth(child.level) > depth(region.level))
    }

    fn below(&self, root: RegionId) -> BTreeSet<RegionId> {
        let mut all = BTreeSet::from([root]);
        loop {
            let more: Vec<_> = self
                .0
                .values()
                .filter(|r| r.parent.is_some_and(|p| all.contains(&p)) && !all.contains(&r.id))
                .map(|r| r.id)
                .collect();
            if more.is_empty() {
                return all;
            }
            all.extend(more);
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Put { name: u8, parent: Option<u8>, level: usize },
    Delete { name: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let put = (0..8_u8, proptest::option::weighted(0.8, 0..8_u8), 0..5_usize)
        .prop_map(|(name, parent, level)| Step::Put { name, parent, level });
    let delete = (0..8_u8).prop_map(|name| Step::Delete { name });
    proptest::collection::vec(prop_oneof![6 => put, 1 => delete], 1..40)
}

async fn follows_the_model(steps: Vec<Step>) {
    let records = open().await;
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Put { name, parent, level } => {
                let parent = parent.map(|p| format!("r{p}"));
                let region = region(&format!("r{name}"), parent.as_deref(), LEVELS[level]);
                let allowed = model.may_put(&region);
                assert_eq!(records.upsert_region(&region).await.is_ok(), allowed, "{region:?} in {model:?}");
                if allowed {
                    model.0.insert(region.id, region);
                }
            }
            Step::Delete { name } => {
                let name = id(&format!("r{name}"));
                let allowed = model.0.contains_key(&name) && model.0.values().all(|r| r.parent != Some(name));
                assert_eq!(records.delete_region(name).await.is_ok(), allowed, "{name} in {model:?}");
                if allowed {
                    model.0.remove(&name);
                }
            }
        }
    }
    let stored: BTreeMap<_, _> =
        records.regions().await.unwrap().into_iter().map(|region| (region.id, region)).collect();
    assert_eq!(stored, model.0);
    for root in model.0.keys() {
        let below: BTreeSet<_> = records.region_with_descendants(*root).await.unwrap().into_iter().collect();
        assert_eq!(below, model.below(*root), "below {root}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_tree_follows_a_naive_model(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follows_the_model(steps));
    }
}
