//! The picture between decoder and JPEG.

/// Y, U and V planes without padding, chroma half as wide and high, as JPEG has them: full range, BT.601.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planar {
    width: usize,
    height: usize,
    pub(crate) y: Vec<u8>,
    pub(crate) u: Vec<u8>,
    pub(crate) v: Vec<u8>,
}

/// One plane as a decoder leaves it: rows of `stride` bytes of which the first ones count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) stride: usize,
}

impl Planar {
    /// Copies the planes. `None` when a side is odd or zero, or a plane is shorter than it should be.
    pub(crate) fn copy(width: usize, height: usize, [y, u, v]: [Plane<'_>; 3]) -> Option<Self> {
        if width == 0 || height == 0 || !width.is_multiple_of(2) || !height.is_multiple_of(2) {
            return None;
        }
        Some(Self {
            width,
            height,
            y: packed(y, width, height)?,
            u: packed(u, width / 2, height / 2)?,
            v: packed(v, width / 2, height / 2)?,
        })
    }

    /// Pixels in a row; even.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Rows; even.
    pub(crate) fn height(&self) -> usize {
        self.height
    }
}

fn packed(plane: Plane<'_>, width: usize, height: usize) -> Option<Vec<u8>> {
    if plane.stride < width {
        return None;
    }
    let mut bytes = Vec::with_capacity(width * height);
    for row in plane.bytes.chunks(plane.stride).take(height) {
        bytes.extend_from_slice(row.get(..width)?);
    }
    (bytes.len() == width * height).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_goes_and_the_last_row_needs_none() {
        let y = Plane { bytes: &[1, 2, 0, 0, 3, 4], stride: 4 };
        let c = Plane { bytes: &[9, 0], stride: 2 };
        let planar = Planar::copy(2, 2, [y, c, c]).unwrap();
        assert_eq!((planar.y, planar.u, planar.v), (vec![1, 2, 3, 4], vec![9], vec![9]));
    }

    #[test]
    fn odd_sides_and_short_planes_are_refused() {
        let plane = Plane { bytes: &[0; 16], stride: 4 };
        assert!(Planar::copy(3, 2, [plane; 3]).is_none());
        assert!(Planar::copy(4, 0, [plane; 3]).is_none());
        assert!(Planar::copy(4, 6, [plane; 3]).is_none());
        assert!(Planar::copy(6, 2, [plane; 3]).is_none());
    }
}
