//! Colour: from the camera's YUV to JPEG's (full range, BT.601: ITU-T T.871 section 7).
//!
//! GStreamer's converter passes I420 through untouched when only the range differs (seen in 1.22), and takes a slow way
//! over RGB for the rest. Both are one small matrix, done here after scaling, in place.

use crate::planar::Planar;

/// Fraction bits of the coefficients: all are below 4 and so fit 16 bits, which is what a vector unit multiplies fast.
const BITS: u32 = 13;
const ONE: f64 = (1 << BITS) as f64;
const HALF: i32 = 1 << (BITS - 1);

/// Which YUV it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Coding {
    pub(crate) matrix: Matrix,
    /// 0 to 255 for luma, or 16 to 235.
    pub(crate) full_range: bool,
}

/// Weights of red and blue in luma (ITU-T H.273 table 4).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Matrix {
    red: f64,
    blue: f64,
}

impl Matrix {
    pub(crate) const BT601: Self = Self { red: 0.299, blue: 0.114 };
    pub(crate) const BT709: Self = Self { red: 0.2126, blue: 0.0722 };
    pub(crate) const BT2020: Self = Self { red: 0.2627, blue: 0.0593 };
    pub(crate) const SMPTE240M: Self = Self { red: 0.212, blue: 0.087 };
    pub(crate) const FCC: Self = Self { red: 0.30, blue: 0.11 };
}

impl Coding {
    /// What JPEG has.
    pub(crate) const JPEG: Self = Self { matrix: Matrix::BT601, full_range: true };
}

/// Fixed-point coefficients from one coding to JPEG's. Grey stays grey, so luma adds nothing to chroma.
#[derive(Debug)]
struct Coefficients {
    black: i32,
    y: i16,
    y_from: [i16; 2],
    u_from: [i16; 2],
    v_from: [i16; 2],
}

impl Coefficients {
    fn new(from: Coding) -> Self {
        let Matrix { red: kr, blue: kb } = from.matrix;
        let kg = 1.0 - kr - kb;
        let to = Matrix::BT601;
        // What one unit of U and of V adds to red, green and blue.
        let (blue_u, red_v) = (2.0 * (1.0 - kb), 2.0 * (1.0 - kr));
        let (green_u, green_v) = (-kb * blue_u / kg, -kr * red_v / kg);
        let luma = |red: f64, green: f64, blue: f64| {
            to.red * red + (1.0 - to.red - to.blue) * green + to.blue * blue
        };
        let (y_u, y_v) = (luma(0.0, green_u, blue_u), luma(red_v, green_v, 0.0));
        let u = |blue: f64, y: f64| (blue - y) / (2.0 * (1.0 - to.blue));
        let v = |red: f64, y: f64| (red - y) / (2.0 * (1.0 - to.red));
        let (luma_gain, chroma_gain) =
            if from.full_range { (1.0, 1.0) } else { (255.0 / 219.0, 255.0 / 224.0) };
        #[expect(clippy::cast_possible_truncation, reason = "all gains are below 4")]
        let fixed = |gain: f64| (gain * ONE).round() as i16;
        let chroma = |a: f64, b: f64| [fixed(a * chroma_gain), fixed(b * chroma_gain)];
        Self {
            black: if from.full_range { 0 } else { 16 },
            y: fixed(luma_gain),
            y_from: chroma(y_u, y_v),
            u_from: chroma(u(blue_u, y_u), u(0.0, y_v)),
            v_from: chroma(v(0.0, y_u), v(red_v, y_v)),
        }
    }
}

/// Turns `picture`, which is in `from`, into JPEG's coding.
pub(crate) fn to_jpeg(picture: &mut Planar, from: Coding) {
    if from == Coding::JPEG {
        return;
    }
    let by = Coefficients::new(from);
    let width = picture.width();
    // What the chroma of one row adds to the luma of two. Plain loops over rows: the compiler vectorises them.
    let mut added = vec![0; width / 2];
    let black = HALF - by.black * i32::from(by.y);
    let chroma = picture.u.chunks_exact_mut(width / 2).zip(picture.v.chunks_exact_mut(width / 2));
    for (pair, (us, vs)) in picture.y.chunks_exact_mut(2 * width).zip(chroma) {
        for ((u, v), added) in us.iter_mut().zip(vs).zip(&mut added) {
            let (du, dv) = (i32::from(*u) - 128, i32::from(*v) - 128);
            let sum = |by: [i16; 2]| i32::from(by[0]) * du + i32::from(by[1]) * dv;
            *added = sum(by.y_from) + black;
            *u = byte(sum(by.u_from) + (128 << BITS) + HALF);
            *v = byte(sum(by.v_from) + (128 << BITS) + HALF);
        }
        let (top, bottom) = pair.split_at_mut(width);
        for row in [top, bottom] {
            for ([left, right], added) in row.as_chunks_mut::<2>().0.iter_mut().zip(&added) {
                *left = byte(i32::from(*left) * i32::from(by.y) + added);
                *right = byte(i32::from(*right) * i32::from(by.y) + added);
            }
        }
    }
}

fn byte(fixed: i32) -> u8 {
    (fixed >> BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planar::Plane;

    fn one(y: u8, u: u8, v: u8, from: Coding) -> [u8; 3] {
        let plane = |byte: &'static [u8]| Plane { bytes: byte, stride: 2 };
        let mut picture = Planar::copy(2, 2, [plane(&[0; 4]), plane(&[0; 2]), plane(&[0; 2])]).unwrap();
        picture.y.fill(y);
        picture.u.fill(u);
        picture.v.fill(v);
        to_jpeg(&mut picture, from);
        [picture.y[3], picture.u[0], picture.v[0]]
    }

    /// The textbook way over red, green and blue.
    fn rgb([y, u, v]: [u8; 3], from: Coding) -> [f64; 3] {
        let (y, c) = if from.full_range {
            (f64::from(y) / 255.0, 255.0)
        } else {
            ((f64::from(y) - 16.0) / 219.0, 224.0)
        };
        let (u, v) = ((f64::from(u) - 128.0) / c, (f64::from(v) - 128.0) / c);
        let Matrix { red: kr, blue: kb } = from.matrix;
        let (r, b) = (y + 2.0 * (1.0 - kr) * v, y + 2.0 * (1.0 - kb) * u);
        [r, (y - kr * r - kb * b) / (1.0 - kr - kb), b]
    }

    #[test]
    fn black_and_white_reach_the_ends() {
        for matrix in [Matrix::BT601, Matrix::BT709, Matrix::BT2020] {
            let limited = Coding { matrix, full_range: false };
            assert_eq!(one(16, 128, 128, limited), [0, 128, 128]);
            assert_eq!(one(235, 128, 128, limited), [255, 128, 128]);
            assert_eq!(one(0, 128, 128, limited), [0, 128, 128]);
            assert_eq!(one(77, 128, 128, Coding { matrix, full_range: true }), [77, 128, 128]);
        }
        assert_eq!(one(1, 2, 3, Coding::JPEG), [1, 2, 3]);
    }

    #[test]
    fn every_coding_keeps_red_green_and_blue() {
        for matrix in [Matrix::BT601, Matrix::BT709, Matrix::BT2020, Matrix::SMPTE240M, Matrix::FCC] {
            for full_range in [false, true] {
                let from = Coding { matrix, full_range };
                for y in (60..200).step_by(20) {
                    for (u, v) in [(128, 128), (100, 150), (150, 100), (90, 90), (160, 140)] {
                        let (before, after) = (rgb([y, u, v], from), rgb(one(y, u, v, from), Coding::JPEG));
                        for (a, b) in before.iter().zip(after) {
                            assert!(
                                (a - b).abs() < 2.0 / 255.0,
                                "{from:?} {y} {u} {v}: {before:?} {after:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}
