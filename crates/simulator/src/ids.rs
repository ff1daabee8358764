//! Identifiers in AWS's formats. The same seed gives the same identifiers.

/// A source of identifiers that never repeats one.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    state: u64,
    given: std::collections::BTreeSet<String>,
}

const LOWER: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, given: std::collections::BTreeSet::new() }
    }

    /// Excludes `id` from future identifiers.
    pub(crate) fn reserve(&mut self, id: &str) {
        self.given.insert(id.to_owned());
    }

    /// Returns lower-case letters and digits after `prefix`.
    pub(crate) fn lower(&mut self, prefix: &str, length: usize) -> String {
        self.unique(prefix, length, LOWER)
    }

    /// Returns upper-case letters and digits after `prefix`, as in access keys.
    pub(crate) fn upper(&mut self, prefix: &str, length: usize) -> String {
        self.unique(prefix, length, UPPER)
    }

    /// Returns an identifier in the form of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    /// Returns twelve digits. The first is not a zero.
    pub(crate) fn account(&mut self) -> String {
        loop {
            let number = 100_000_000_000 + self.next() % 900_000_000_000;
            let id = number.to_string();
            if self.given.insert(id.clone()) {
                return id;
            }
        }
    }

    fn unique(&mut self, prefix: &str, length: usize, alphabet: &[u8]) -> String {
        loop {
            let letters = (0..length).filter_map(|_| self.letter(alphabet));
            let id: String = prefix.chars().chain(letters).collect();
            if self.given.insert(id.clone()) {
                return id;
            }
        }
    }

    fn letter(&mut self, alphabet: &[u8]) -> Option<char> {
        let index = self.next() % u64::try_from(alphabet.len()).ok()?;
        alphabet.get(usize::try_from(index).ok()?).copied().map(char::from)
    }

    /// Returns the next number of the sequence known as `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Returns a hash of `text`, computed by the function known as FNV-1a.
pub(crate) fn hash(text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Returns an identifier in the form of a UUID. The same text gives the same identifier.
pub(crate) fn uuid_of(text: &str) -> String {
    Ids::new(hash(text)).uuid()
}

/// Returns seventeen hexadecimal digits, as in the IDs of EC2. The same text gives the same digits.
pub(crate) fn hex_of(text: &str) -> String {
    let number = Ids::new(hash(text)).next();
    format!("0{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_seed_gives_others() {
        let draw = |seed| {
            let mut ids = Ids::new(seed);
            (ids.account(), ids.lower("p-", 10), ids.upper("ASIA", 16))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_reserved_id_is_never_given() {
        let expected = Ids::new(1).account();
        let mut ids = Ids::new(1);
        ids.reserve(&expected);
        assert_ne!(ids.account(), expected);
    }
}
