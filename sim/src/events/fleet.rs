//! Made-up vehicles: plates by the rules of mainland China (GA 36), classes, colours, and how cameras misread them.

use rand::{RngExt, rngs::SmallRng, seq::IndexedRandom};
use sightline_model::event::{Plate, VehicleClass};

/// The place's own province and those that its visitors come from.
const PROVINCES: [char; 12] = ['川', '川', '川', '川', '川', '川', '川', '渝', '陕', '粤', '京', '浙'];
/// Letters on plates: I and O are not issued.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";
/// Characters that cameras take for each other.
const LOOK_ALIKES: [(char, char); 7] =
    [('0', 'D'), ('8', 'B'), ('5', 'S'), ('2', 'Z'), ('1', 'L'), ('6', 'G'), ('0', 'Q')];
const COLOURS: [&str; 8] = ["white", "white", "black", "grey", "silver", "blue", "red", "brown"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vehicle {
    pub(super) plate: String,
    pub(super) plate_colour: &'static str,
    pub(super) class: VehicleClass,
    pub(super) colour: &'static str,
}

impl Vehicle {
    pub(super) fn any(random: &mut SmallRng) -> Self {
        let class = match random.random_range(0..100) {
            0..72 => VehicleClass::Car,
            72..84 => VehicleClass::Van,
            84..92 => VehicleClass::Truck,
            92..96 => VehicleClass::Bus,
            96..99 => VehicleClass::Motorcycle,
            _ => VehicleClass::Other,
        };
        let small = matches!(class, VehicleClass::Car | VehicleClass::Van);
        let electric = small && random.random_bool(0.3);
        let plate_colour = match class {
            _ if electric => "green",
            VehicleClass::Truck | VehicleClass::Bus | VehicleClass::Motorcycle => "yellow",
            _ => "blue",
        };
        Self { plate: plate(random, electric), plate_colour, class, colour: pick(random, &COLOURS, "white") }
    }

    /// The vehicle with this plate, looking the same each time it is made with the same randomness.
    pub(super) fn with_plate(plate: &str, random: &mut SmallRng) -> Self {
        let green = plate.chars().count() == 8;
        Self {
            plate: plate.to_owned(),
            plate_colour: if green { "green" } else { "blue" },
            class: VehicleClass::Car,
            colour: pick(random, &COLOURS, "white"),
        }
    }

    /// What a camera makes of the plate: mostly right, sometimes one look-alike, now and then nothing.
    pub(super) fn read(&self, random: &mut SmallRng) -> Option<Plate> {
        let chance = random.random_range(0..100);
        if chance < 2 {
            return None;
        }
        let (raw, range) = match chance {
            2..5 => (misread(&self.plate, random), 0.45..0.8),
            _ => (self.plate.clone(), 0.88..0.995),
        };
        Some(self.plate_as(raw, random.random_range(range)))
    }

    /// The plate read without a mistake.
    pub(super) fn read_well(&self, random: &mut SmallRng) -> Plate {
        self.plate_as(self.plate.clone(), random.random_range(0.9..0.995))
    }

    fn plate_as(&self, raw: String, confidence: f64) -> Plate {
        let confidence = (confidence * 1000.0).round() / 1000.0;
        Plate {
            raw,
            region: Some("CN".to_owned()),
            colour: Some(self.plate_colour.to_owned()),
            confidence: Some(confidence),
        }
    }
}

/// Province, office and five characters; six for electric vehicles, of which the first says so.
fn plate(random: &mut SmallRng, electric: bool) -> String {
    let mut plate = String::new();
    plate.push(pick(random, &PROVINCES, '川'));
    let office = random.random_range(0..100);
    plate.push(if office < 70 { 'A' } else { letter(random) });
    if electric {
        plate.push(if random.random_bool(0.8) { 'D' } else { 'F' });
    }
    for place in 0..5 {
        let is_letter = place < 2 && random.random_bool(0.3);
        plate.push(if is_letter { letter(random) } else { char::from(pick(random, DIGITS, b'0')) });
    }
    plate
}

fn letter(random: &mut SmallRng) -> char {
    char::from(pick(random, LETTERS, b'A'))
}

fn misread(plate: &str, random: &mut SmallRng) -> String {
    let other = |c: char| {
        LOOK_ALIKES.iter().find_map(|(a, b)| match c {
            _ if c == *a => Some(*b),
            _ if c == *b => Some(*a),
            _ => None,
        })
    };
    let doubtful: Vec<usize> =
        plate.chars().enumerate().skip(2).filter(|(_, c)| other(*c).is_some()).map(|(at, _)| at).collect();
    let wrong = doubtful.choose(random).copied();
    let read = |(at, c): (usize, char)| if Some(at) == wrong { other(c).unwrap_or(c) } else { c };
    plate.chars().enumerate().map(read).collect()
}

pub(super) fn pick<T: Copy>(random: &mut SmallRng, from: &[T], otherwise: T) -> T {
    from.choose(random).copied().unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use sightline_model::plate::{fold, normalise};

    use super::*;

    #[test]
    fn plates_follow_the_rules_and_misread_ones_fold_to_the_same() {
        let mut random = SmallRng::seed_from_u64(3);
        let mut misread_ones = 0;
        for _ in 0..2000 {
            let vehicle = Vehicle::any(&mut random);
            let length = if vehicle.plate_colour == "green" { 8 } else { 7 };
            assert_eq!(vehicle.plate.chars().count(), length, "{vehicle:?}");
            assert_eq!(normalise(&vehicle.plate).as_deref(), Some(vehicle.plate.as_str()));
            assert!(!vehicle.plate.contains(['I', 'O']), "{vehicle:?}");
            let Some(plate) = vehicle.read(&mut random) else { continue };
            assert_eq!(fold(&plate.raw), fold(&vehicle.plate));
            misread_ones += u32::from(plate.raw != vehicle.plate);
        }
        assert!((10..150).contains(&misread_ones), "{misread_ones}");
    }
}
