//! The Merkle tree over a segment's records: the tree of RFC 6962 section 2.1, with BLAKE3 in place of SHA-256 because
//! it has to run over all media as it is written, and is several times as fast.

/// A BLAKE3 hash.
pub(crate) type Hash = [u8; 32];

const LEAF: u8 = 0;
const NODE: u8 = 1;

/// Hash of a payload as it stands on disk.
pub(crate) fn payload_hash(payload: &[u8]) -> Hash {
    *blake3::hash(payload).as_bytes()
}

/// The leaf of a record. The payload goes in by its hash: that is made where the payload is made, before anybody knows
/// the record's place, and it stays what it is when the record moves to another segment.
pub(crate) fn leaf(header: &[u8], payload_hash: &Hash) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[LEAF]).update(header).update(payload_hash);
    *hasher.finalize().as_bytes()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[NODE]).update(left).update(right);
    *hasher.finalize().as_bytes()
}

/// A tree that grows leaf by leaf and holds one hash per set bit of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Merkle {
    leaves: u64,
    /// Roots of the perfect subtrees, largest first.
    peaks: Vec<Hash>,
}

impl Merkle {
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.leaves.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.leaves += 1;
    }

    pub(crate) fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return *blake3::hash(&[]).as_bytes() };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, word for word.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => *blake3::hash(&[]).as_bytes(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node(&naive(&leaves[..split]), &naive(&leaves[split..]))
            }
        }
    }

    #[test]
    fn grows_into_the_tree_of_the_definition() {
        let mut tree = Merkle::default();
        let mut leaves = Vec::new();
        for number in 0u8..70 {
            assert_eq!(tree.root(), naive(&leaves), "{number} leaves");
            let leaf = leaf(&[number], &payload_hash(&[]));
            leaves.push(leaf);
            tree.push(leaf);
        }
    }
}
