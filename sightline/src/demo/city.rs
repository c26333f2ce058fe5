//! The demo's made-up district: its regions, and where its cameras stand.

use sightline_model::{
    CameraId, RegionId,
    camera::{CameraKind, Position},
    id::InvalidCode,
    region::{Region, RegionLevel},
};

/// Code, parent, level and name of each region, parents first.
const REGIONS: &[(&str, Option<&str>, RegionLevel, &str)] = &[
    ("demo-province", None, RegionLevel::Province, "示例省 Demo Province"),
    ("demo-city", Some("demo-province"), RegionLevel::City, "示例市 Demo City"),
    ("willow-district", Some("demo-city"), RegionLevel::District, "柳树区 Willow District"),
    ("river-town", Some("willow-district"), RegionLevel::Town, "河湾街道 River Town"),
    ("hill-town", Some("willow-district"), RegionLevel::Town, "青山街道 Hill Town"),
    ("lakeside", Some("river-town"), RegionLevel::Community, "湖滨社区 Lakeside"),
    ("station-square", Some("river-town"), RegionLevel::Community, "站前社区 Station Square"),
    ("old-market", Some("hill-town"), RegionLevel::Community, "老市场社区 Old Market"),
];

/// A place where a camera stands.
struct Site {
    id: &'static str,
    name: &'static str,
    region: &'static str,
    kind: CameraKind,
    tags: &'static [&'static str],
    at: (f64, f64),
    bearing_deg: f64,
}

const fn site(
    id: &'static str,
    name: &'static str,
    region: &'static str,
    kind: CameraKind,
    tags: &'static [&'static str],
    at: (f64, f64),
    bearing_deg: f64,
) -> Site {
    Site { id, name, region, kind, tags, at, bearing_deg }
}

use CameraKind::{Compound, KeySite, Street};

const SITES: &[Site] = &[
    site(
        "river-crossing",
        "滨河路口 River crossing",
        "lakeside",
        Street,
        &["crossing", "traffic"],
        (0.0012, 0.0008),
        40.0,
    ),
    site(
        "lakeside-gate",
        "湖滨苑大门 Lakeside gate",
        "lakeside",
        Compound,
        &["gate"],
        (0.0021, -0.0011),
        180.0,
    ),
    site(
        "station-forecourt",
        "站前广场 Station forecourt",
        "station-square",
        KeySite,
        &["station"],
        (-0.0008, 0.0019),
        270.0,
    ),
    site(
        "market-street",
        "老市场街 Market street",
        "old-market",
        Street,
        &["traffic"],
        (-0.0032, -0.0024),
        95.0,
    ),
    site("school-road", "学府路 School road", "old-market", KeySite, &["school"], (-0.0041, 0.0007), 10.0),
    site(
        "bridge-west",
        "西桥 West bridge",
        "lakeside",
        Street,
        &["bridge", "traffic"],
        (0.0035, 0.0027),
        220.0,
    ),
    site("depot-yard", "公交场站 Bus depot", "station-square", KeySite, &["depot"], (-0.0015, 0.0034), 310.0),
    site(
        "lakeside-east",
        "湖滨苑东门 Lakeside east gate",
        "lakeside",
        Compound,
        &["gate"],
        (0.0026, 0.0002),
        75.0,
    ),
    site(
        "hill-road",
        "青山路 Hill road",
        "old-market",
        Street,
        &["traffic", "crossing"],
        (-0.0049, -0.0013),
        150.0,
    ),
];

/// A point in the open ocean: the demo borrows no real city.
pub(crate) const CENTRE: (f64, f64) = (30.0, -140.0);

/// A simulated camera as it will be registered.
pub(crate) struct Place {
    pub id: CameraId,
    pub name: String,
    pub region: RegionId,
    pub kind: CameraKind,
    pub tags: Vec<String>,
    pub position: Position,
}

/// The regions, parents first.
pub(crate) fn regions() -> Result<Vec<Region>, InvalidCode> {
    REGIONS
        .iter()
        .map(|(id, parent, level, name)| {
            Ok(Region {
                id: id.parse()?,
                parent: parent.map(str::parse).transpose()?,
                level: *level,
                name: (*name).to_owned(),
            })
        })
        .collect()
}

/// The first `count` camera places; beyond the named ones each place gets further cameras with numbers.
pub(crate) fn places(count: usize) -> Result<Vec<Place>, InvalidCode> {
    SITES
        .iter()
        .cycle()
        .take(count)
        .enumerate()
        .map(|(index, site)| place(site, index / SITES.len()))
        .collect()
}

fn place(site: &Site, round: usize) -> Result<Place, InvalidCode> {
    let (id, name) = match round {
        0 => (site.id.to_owned(), site.name.to_owned()),
        _ => (format!("{}-{}", site.id, round + 1), format!("{} {}", site.name, round + 1)),
    };
    let aside = 0.0004 * f64::from(u16::try_from(round).unwrap_or(u16::MAX));
    Ok(Place {
        id: id.parse()?,
        name,
        region: site.region.parse()?,
        kind: site.kind,
        tags: site.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        position: Position {
            lat: CENTRE.0 + site.at.0 + aside,
            lon: CENTRE.1 + site.at.1 + aside,
            bearing_deg: site.bearing_deg,
            fov_deg: 75.0,
            range_m: 80.0,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_place_is_distinct_and_stands_in_a_region() {
        let regions: BTreeSet<_> = regions().unwrap().into_iter().map(|region| region.id).collect();
        let places = places(500).unwrap();
        let ids: BTreeSet<_> = places.iter().map(|place| place.id).collect();
        assert_eq!(ids.len(), 500);
        assert!(places.iter().all(|place| regions.contains(&place.region)));
    }

    #[test]
    fn parents_come_first() {
        let regions = regions().unwrap();
        for (index, region) in regions.iter().enumerate() {
            let known = |parent| regions.iter().take(index).any(|before| before.id == parent);
            assert!(region.parent.is_none_or(known), "{}", region.id);
        }
    }
}
