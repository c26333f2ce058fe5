//! What the objects of a tier are called: `PREFIX/NODE/SEGMENT/00000`, `.../00001`, and last `.../manifest`.

use object_store::path::Path;

const MANIFEST: &str = "manifest";

/// What an object of a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Piece {
    /// A chunk, by its number.
    Chunk(u32),
    /// The manifest.
    Manifest,
}

/// Name of a segment's folder: its id as in its local file's name.
pub(crate) fn folder(node: &Path, segment: u64) -> Path {
    node.clone().join(format!("{segment:016x}"))
}

/// Name of one object of a segment.
pub(crate) fn object(node: &Path, segment: u64, piece: Piece) -> Path {
    let folder = folder(node, segment);
    match piece {
        Piece::Chunk(number) => folder.join(format!("{number:05}")),
        Piece::Manifest => folder.join(MANIFEST),
    }
}

/// The segment that a folder's name stands for.
pub(crate) fn parse_folder(name: &str) -> Option<u64> {
    let plain = name.len() == 16 && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    u64::from_str_radix(name, 16).ok().filter(|_| plain)
}

/// Which segment and which piece an object below `node` is; `None` for what is not ours.
pub(crate) fn parse(node: &Path, object: &Path) -> Option<(u64, Piece)> {
    let mut parts = object.prefix_match(node)?;
    let segment = parse_folder(parts.next()?.as_ref())?;
    let last = parts.next()?;
    let last = last.as_ref();
    let piece = if last == MANIFEST {
        Piece::Manifest
    } else {
        let number = last.parse().ok().filter(|number| format!("{number:05}") == last)?;
        Piece::Chunk(number)
    };
    parts.next().is_none().then_some((segment, piece))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_read_back() {
        let node = Path::from("city/footage/north");
        for piece in [Piece::Chunk(0), Piece::Chunk(99_999), Piece::Chunk(100_000), Piece::Manifest] {
            assert_eq!(parse(&node, &object(&node, 0xabc, piece)), Some((0xabc, piece)));
        }
        assert_eq!(
            object(&node, 0xabc, Piece::Chunk(7)).as_ref(),
            "city/footage/north/0000000000000abc/00007"
        );
    }

    #[test]
    fn foreign_objects_are_not_ours() {
        let node = Path::from("north");
        for name in [
            "north/0000000000000ABC/00000",
            "north/0000000000000abc/0",
            "north/0000000000000abc/+0001",
            "north/0000000000000abc/manifest/x",
            "north/0000000000000abc",
            "north/readme",
            "south/0000000000000abc/00000",
        ] {
            assert_eq!(parse(&node, &Path::from(name)), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_node_of_any_name_is_one_folder(name in "[^\0]{1,32}", segment: u64) {
            let node = Path::from("p").join(name.as_str());
            prop_assert_eq!(node.parts_count(), 2);
            let object = object(&node, segment, Piece::Manifest);
            prop_assert_eq!(parse(&node, &Path::parse(object.as_ref()).unwrap()), Some((segment, Piece::Manifest)));
        }
    }
}
