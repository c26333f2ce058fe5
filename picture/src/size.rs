//! How large a picture is asked for, and what that comes to.

use std::fmt;

/// Widest and highest picture that is decoded or made: more is no camera but an attack on memory.
pub const MAX_SIDE: u32 = 8192;

/// How large a picture is wanted. The shape always stays, and small pictures are never blown up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Size {
    /// As large as the camera sends it.
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
