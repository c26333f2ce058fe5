//! Planes to JPEG.

use turbojpeg::{Compressor, Subsamp, YuvPlanesImage};

use crate::planar::Planar;

/// Street scenes at 80: text on plates stays sharp, a 768x576 picture takes about 70 kB.
const QUALITY: i32 = 80;

/// Encodes without a detour over RGB.
///
/// # Errors
/// With libjpeg's own words.
pub(crate) fn encode(picture: &Planar) -> Result<Vec<u8>, turbojpeg::Error> {
    let mut compressor = Compressor::new()?;
    compressor.set_quality(QUALITY)?;
    compressor.compress_yuv_planes_to_vec(&YuvPlanesImage {
        y_plane: picture.y.as_slice(),
        u_plane: picture.u.as_slice(),
        v_plane: picture.v.as_slice(),
        width: picture.width(),
        height: picture.height(),
        y_stride: picture.width(),
        u_stride: picture.width() / 2,
        v_stride: picture.width() / 2,
        subsamp: Subsamp::Sub2x2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planar::Plane;

    #[test]
    fn a_flat_grey_picture_comes_back_grey() {
        let plane = |stride| Plane { bytes: &[128; 320 * 240], stride };
        let picture = Planar::copy(320, 240, [plane(320), plane(160), plane(160)]).unwrap();
        let jpeg = encode(&picture).unwrap();
        let back = image::load_from_memory(&jpeg).unwrap().to_rgb8();
        assert_eq!((back.width(), back.height()), (320, 240));
        assert!(back.pixels().all(|p| p.0.iter().all(|c| c.abs_diff(128) <= 1)));
    }
}
