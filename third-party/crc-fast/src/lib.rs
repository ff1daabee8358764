//! The three checksums that the AWS SDK asks for, in the interface of the crate `crc-fast`.
//!
//! That crate has tables for each of its two dozen algorithms, and the linker cannot tell which are
//! used: 0.7 MB that do not compress, in every function that reads or writes an object. Ours hold
//! kilobytes, so a table of 256 entries for each is fast enough. Another algorithm or another method
//! that a later SDK asks for does not compile.

/// A checksum that AWS takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CrcAlgorithm {
    /// CRC-32, as in zip files.
    Crc32IsoHdlc,
    /// CRC-32C.
    Crc32Iscsi,
    /// CRC-64/NVME.
    Crc64Nvme,
}

impl CrcAlgorithm {
    /// The table of the algorithm, and all ones in its width.
    const fn parameters(self) -> (&'static [u64; 256], u64) {
        const ISO_HDLC: [u64; 256] = table(0xedb8_8320);
        const ISCSI: [u64; 256] = table(0x82f6_3b78);
        const NVME: [u64; 256] = table(0x9a6c_9329_ac4b_c9b5);
        match self {
            Self::Crc32IsoHdlc => (&ISO_HDLC, 0xffff_ffff),
            Self::Crc32Iscsi => (&ISCSI, 0xffff_ffff),
            Self::Crc64Nvme => (&NVME, u64::MAX),
        }
    }
}

/// What a byte adds, for a polynomial whose lowest bit stands for its highest power.
#[expect(clippy::indexing_slicing, reason = "a table has 256 entries")]
const fn table(polynomial: u64) -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut entry = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            entry = if entry & 1 == 1 { (entry >> 1) ^ polynomial } else { entry >> 1 };
            bit += 1;
        }
        table[byte] = entry;
        byte += 1;
    }
    table
}

/// A checksum on its way.
#[derive(Clone, Copy, Debug)]
pub struct Digest {
    table: &'static [u64; 256],
    ones: u64,
    state: u64,
}

impl Digest {
    /// The checksum of nothing.
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        let (table, ones) = algorithm.parameters();
        Self { table, ones, state: ones }
    }

    /// Adds `data`.
    #[expect(clippy::indexing_slicing, reason = "a byte is less than 256")]
    pub fn update(&mut self, data: &[u8]) {
        for byte in data {
            let entry = usize::from(self.state.to_le_bytes()[0] ^ byte);
            self.state = self.table[entry] ^ (self.state >> 8);
        }
    }

    /// The checksum of all that was added.
    pub fn finalize(&self) -> u64 {
        self.state ^ self.ones
    }
}

#[cfg(test)]
mod tests {
    use super::{CrcAlgorithm, Digest};

    fn checksum(algorithm: CrcAlgorithm, parts: &[&str]) -> u64 {
        let mut digest = Digest::new(algorithm);
        for part in parts {
            digest.update(part.as_bytes());
        }
        digest.finalize()
    }

    /// The values of the catalogue of parametrised CRC algorithms.
    #[test]
    fn the_nine_digits_have_the_checksums_that_are_published() {
        let digits = |algorithm| checksum(algorithm, &["1234", "", "56789"]);
        assert_eq!(digits(CrcAlgorithm::Crc32IsoHdlc), 0xcbf4_3926);
        assert_eq!(digits(CrcAlgorithm::Crc32Iscsi), 0xe306_9283);
        assert_eq!(digits(CrcAlgorithm::Crc64Nvme), 0xae8b_1486_0a79_9888);
    }

    #[test]
    fn nothing_has_the_checksum_zero() {
        assert_eq!(checksum(CrcAlgorithm::Crc32IsoHdlc, &[]), 0);
        assert_eq!(checksum(CrcAlgorithm::Crc64Nvme, &[]), 0);
    }
}
