//! Person fields are taken out of every message at the door, before it is read as anything.
//!
//! Sightline looks at vehicles and places. Devices send more than that: a driver's seat belt, a face, an age. Such
//! fields are removed at any depth and counted by kind; they are not stored, not published and not logged. What is
//! stored is built from the typed event alone, so a field under an unknown name does not get through either: this
//! list makes it visible in the counters that a source sends what it should not.

use serde_json::Value;

/// Number of person fields removed, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stripped {
    /// Of somebody in a vehicle.
    pub occupant: u64,
    /// Of a face.
    pub face: u64,
    /// Of a person or a body.
    pub person: u64,
    /// What somebody looks like or belongs to.
    pub attribute: u64,
    /// Who somebody is.
    pub identity: u64,
}

/// A word in a key that makes it a person field, in lower case.
const OCCUPANT: &[&str] = &[
    "driver",
    "drivers",
    "codriver",
    "copilot",
    "passenger",
    "passengers",
    "occupant",
    "occupants",
    "rider",
    "riders",
    "seatbelt",
    "belt",
    "phoning",
    "smoking",
    "驾驶员",
    "司机",
    "乘客",
    "副驾",
];
const FACE: &[&str] = &["face", "faces", "facial", "iris", "retina", "eye", "eyes", "人脸", "面部"];
const PERSON: &[&str] = &[
    "person",
    "persons",
    "people",
    "pedestrian",
    "pedestrians",
    "human",
    "humans",
    "gait",
    "pose",
    "skeleton",
    "行人",
    "人体",
    "步态",
];
const ATTRIBUTE: &[&str] = &[
    "age",
    "sex",
    "gender",
    "ethnicity",
    "ethnic",
    "race",
    "nationality",
    "nation",
    "skin",
    "hair",
    "beard",
    "glasses",
    "mask",
    "hat",
    "clothes",
    "clothing",
    "coat",
    "trousers",
    "religion",
    "emotion",
    "mood",
    "disability",
    "年龄",
    "性别",
    "民族",
    "种族",
    "肤色",
    "表情",
    "衣着",
];
const IDENTITY: &[&str] = &[
    "idcard",
    "passport",
    "fingerprint",
    "voiceprint",
    "biometric",
    "biometrics",
    "owner",
    "surname",
    "身份证",
    "姓名",
    "车主",
];

/// Removes every person field, at any depth, and counts what was removed.
pub(crate) fn strip(value: &mut Value) -> Stripped {
    let mut stripped = Stripped::default();
    strip_into(value, &mut stripped);
    stripped
}

// The recursion is bounded: serde_json reads at most 128 levels.
fn strip_into(value: &mut Value, stripped: &mut Stripped) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| match counter_of(key, stripped) {
                Some(counter) => {
                    *counter += 1;
                    false
                }
                None => true,
            });
            fields.values_mut().for_each(|value| strip_into(value, stripped));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip_into(item, stripped)),
        _ => {}
    }
}

fn counter_of<'s>(key: &str, stripped: &'s mut Stripped) -> Option<&'s mut u64> {
    let words = words(key);
    let whole: String = words.concat();
    let names = |list: &[&str]| {
        list.iter().any(|word| {
            let contained = !word.is_ascii() && key.contains(word);
            contained || whole == *word || words.iter().any(|of_key| of_key == word)
        })
    };
    // A driver's face is a face: the more telling kind first.
    let Stripped { occupant, face, person, attribute, identity } = stripped;
    [(FACE, face), (IDENTITY, identity), (ATTRIBUTE, attribute), (OCCUPANT, occupant), (PERSON, person)]
        .into_iter()
        .find_map(|(list, counter)| names(list).then_some(counter))
}

/// The words of a key: `driverAge`, `driver_age` and `DRIVER-AGE` are all "driver", "age".
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in key.chars() {
        let starts = c.is_uppercase() && after_lower;
        if !c.is_alphabetic() || starts {
            words.push(String::new());
        }
        if c.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Every word on the list, by kind: for the documentation.
#[must_use]
pub fn list() -> [(&'static str, &'static [&'static str]); 5] {
    [
        ("occupant", OCCUPANT),
        ("face", FACE),
        ("person", PERSON),
        ("attribute", ATTRIBUTE),
        ("identity", IDENTITY),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn person_fields_go_at_any_depth_and_are_counted() {
        let mut value = json!({
            "id": "1", "driverAge": 40, "vehicle": { "colour": "red", "FaceBox": [1, 2], "seat_belt": true },
            "objects": [{ "type": "car" }, { "pedestrian_count": 3 }, [{ "sex": "m" }]],
            "驾驶员性别": "男", "ID-Card": "1",
        });
        let stripped = strip(&mut value);
        assert_eq!(
            value,
            json!({ "id": "1", "vehicle": { "colour": "red" }, "objects": [{ "type": "car" }, {}, [{}]] })
        );
        assert_eq!(stripped, Stripped { occupant: 1, face: 1, person: 1, attribute: 3, identity: 1 });
    }

    #[test]
    fn vehicle_fields_stay() {
        let mut value = json!({
            "id": "1", "time": "t", "camera": "c", "lane": 1, "plate": { "raw": "A", "region": "CN", "colour": "blue",
            "confidence": 1 }, "vehicle_class": "car", "vehicle_colour": "red", "direction": "leaving", "speed_kmh": 1,
            "kind": "fire", "severity": "minor", "drill": true, "place": { "lat": 1, "lon": 1 }, "text": "x",
            "healthy": true, "firmware": "1", "temperature_c": 1, "heading_deg": 1, "alarm_bits": 0,
            "image": "x", "passage": 1, "package": 1, "message": 1, "interface": 1, "surface": 1,
        });
        let before = value.clone();
        assert_eq!(strip(&mut value), Stripped::default());
        assert_eq!(value, before);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let key = prop_oneof!["[a-z_A-Z]{0,12}", Just("face".to_owned()), Just("driver_age".to_owned())];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from)
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_is_left_to_strip(mut value in any_json()) {
            strip(&mut value);
            let mut again = value.clone();
            prop_assert_eq!(strip(&mut again), Stripped::default());
            prop_assert_eq!(again, value);
        }
    }
}
