//! How large a picture is asked for, and what that comes to.

use std::fmt;

/// Widest and highest picture that is decoded or made: more is no camera but an attack on memory.
pub const MAX_SIDE: u32 = 8192;

/// Narrowest and lowest picture that is made. GStreamer's scaler writes outside its memory when a field's chroma comes to no
/// row at all (seen in 1.22 with an interlaced picture scaled to 2x2).
const MIN_SIDE: u32 = 16;

/// How large a picture is wanted. The shape always stays, and small pictures are never blown up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Size {
    /// As large as the camera sends it, with square pixels.
    #[default]
    Original,
    /// At most this many pixels wide.
    Width(u32),
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original => f.write_str("original"),
            Self::Width(width) => write!(f, "{width} wide"),
        }
    }
}

/// A decoded picture's pixels and the shape of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Width to height of one pixel (sample aspect ratio, ITU-T H.264 table E-1).
    pub(crate) pixel: (u32, u32),
}

impl Size {
    /// Width and height of the picture to make out of `shape`: square pixels, even sides (JPEG's chroma is half as wide
    /// and high), from
    /// [`MIN_SIDE`] to [`MAX_SIDE`].
    pub(crate) fn fit(self, shape: Shape) -> (u32, u32) {
        let (wide, high) = (u64::from(shape.width).max(1), u64::from(shape.height).max(1));
        let shown = stretched(wide, shape.pixel);
        let limit = u64::from(MAX_SIDE);
        let wanted = match self {
            Self::Original => shown,
            Self::Width(width) => u64::from(width).min(shown),
        };
        let highest = limit * shown / high;
        let width = wanted.min(limit).min(highest);
        // Untouched pixels where nothing has to change; else the height follows the width.
        let height = if width == shown { high } else { (high * width + shown / 2) / shown };
        (even(width), even(height))
    }
}

/// Width in square pixels. Ratios beyond 4:1 are mistakes of the encoder and ignored.
fn stretched(width: u64, pixel: (u32, u32)) -> u64 {
    let (wide, high) = (u64::from(pixel.0), u64::from(pixel.1));
    if wide == 0 || high == 0 || wide > 4 * high || high > 4 * wide {
        return width;
    }
    ((width * wide + high / 2) / high).max(1)
}

/// The even number at or below, at least [`MIN_SIDE`].
fn even(side: u64) -> u32 {
    u32::try_from(side & !1).unwrap_or(MAX_SIDE).max(MIN_SIDE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(width: u32, height: u32) -> Shape {
        Shape { width, height, pixel: (1, 1) }
    }

    #[test]
    fn the_shape_stays() {
        for (size, from, to) in [
            (Size::Original, shape(768, 576), (768, 576)),
            (Size::Width(384), shape(768, 576), (384, 288)),
            (Size::Width(640), shape(1920, 1080), (640, 360)),
            (Size::Width(320), shape(576, 768), (320, 426)),
            (Size::Width(333), shape(768, 576), (332, 250)),
        ] {
            assert_eq!(size.fit(from), to, "{size} of {from:?}");
        }
    }

    #[test]
    fn small_pictures_are_not_blown_up_and_tiny_ones_not_empty() {
        assert_eq!(Size::Width(4000).fit(shape(768, 576)), (768, 576));
        assert_eq!(Size::Width(0).fit(shape(768, 576)), (16, 16));
        assert_eq!(Size::Original.fit(shape(4, 4)), (16, 16));
        assert_eq!(Size::Original.fit(shape(351, 287)), (350, 286));
    }

    #[test]
    fn pixels_become_square() {
        let d1 = Shape { width: 704, height: 576, pixel: (12, 11) };
        assert_eq!(Size::Original.fit(d1), (768, 576));
        assert_eq!(Size::Width(384).fit(d1), (384, 288));
        let nonsense = Shape { width: 704, height: 576, pixel: (1, 65535) };
        assert_eq!(Size::Original.fit(nonsense), (704, 576));
    }

    proptest! {
        #[test]
        fn always_even_bounded_and_of_the_same_shape(
            width in 1..=MAX_SIDE, height in 1..=MAX_SIDE, pixel in (0u32..300, 0u32..300), wanted in 0u32..20_000,
        ) {
            for size in [Size::Original, Size::Width(wanted)] {
                let (w, h) = size.fit(Shape { width, height, pixel });
                prop_assert!(w % 2 == 0 && h % 2 == 0 && w >= MIN_SIDE && h >= MIN_SIDE && w <= MAX_SIDE && h <= MAX_SIDE);
                let shown = stretched(u64::from(width), pixel);
                // One pixel of rounding on either side of each length.
                let (w, h, shown, high) = (f64::from(w), f64::from(h), shown as f64, f64::from(height));
                let off = (w * high - h * shown).abs();
                prop_assert!(off <= 2.0 * (shown + high) + 4.0 || w <= 16.0 || h <= 16.0, "{w}x{h} of {shown}x{high}");
            }
        }
    }
}
