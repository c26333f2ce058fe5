//! Plates as text: normalising for storage, folding of look-alike characters for matching only.

/// Longest plate in characters, before and after normalising.
pub const MAX_CHARS: usize = 16;

/// A plate as it is stored: upper case, without separators. `None` when nothing usable is left or it is too long.
#[must_use]
pub fn normalise(raw: &str) -> Option<String> {
    let plate: String = raw
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '·' | '•' | '_'))
        .map(to_ascii_width)
        .flat_map(char::to_uppercase)
        .collect();
    let usable =
        !plate.is_empty() && plate.chars().all(char::is_alphanumeric) && plate.chars().count() <= MAX_CHARS;
    usable.then_some(plate)
}

/// A normalised plate with look-alike characters folded together, for comparing what cameras read.
#[must_use]
pub fn fold(plate: &str) -> String {
    plate
        .chars()
        .map(|c| match c {
            'O' | 'D' | 'Q' => '0',
            'I' | 'L' => '1',
            'Z' => '2',
            'S' => '5',
            'G' => '6',
            'B' => '8',
            other => other,
        })
        .collect()
}

/// Full-width forms (U+FF01 to U+FF5E) to ASCII.
fn to_ascii_width(c: char) -> char {
    match u32::from(c) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plate_has_one_form() {
        for raw in ["京A·12345", "京a12345", "京A-123 45", "京Ａ１２３４５"] {
            assert_eq!(normalise(raw).as_deref(), Some("京A12345"), "{raw}");
        }
        for raw in ["", " - ", "<script>", "12345678901234567"] {
            assert_eq!(normalise(raw), None, "{raw}");
        }
    }

    #[test]
    fn look_alikes_fold_together_and_others_do_not() {
        assert_eq!(fold("京B8O0D"), fold("京88OQ0"));
        assert_ne!(fold("京A12345"), fold("京A12346"));
    }
}
