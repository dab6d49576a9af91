//! Platform configuration registers, and the condition keys under which policies read them.

use std::collections::BTreeMap;

/// What was attested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Platform {
    /// A Nitro enclave.
    Enclave,
    /// An instance with NitroTPM.
    NitroTpm,
}

/// The registers of a document: at least one, of index 0 to 31, all of one length.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Measurements {
    platform: Platform,
    registers: BTreeMap<u8, Vec<u8>>,
}

impl Measurements {
    pub(crate) fn none(platform: Platform) -> Self {
        Self { platform, registers: BTreeMap::new() }
    }

    /// Adds a register; false where its index or length is not one, or it does not go with those that are there.
    pub(crate) fn insert(&mut self, index: u8, value: &[u8]) -> bool {
        let goes_with_others = self.registers.values().next().is_none_or(|other| other.len() == value.len());
        index < REGISTERS
            && LENGTHS.contains(&value.len())
            && goes_with_others
            && self.registers.insert(index, value.to_vec()).is_none()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }

    /// What was attested.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// A register as lower-case hexadecimal text.
    #[must_use]
    pub fn register(&self, index: u8) -> Option<String> {
        self.registers.get(&index).map(|value| lower_hex(value))
    }

    /// The registers in the order of their index, as lower-case hexadecimal text.
    pub fn registers(&self) -> impl Iterator<Item = (u8, String)> {
        self.registers.iter().map(|(index, value)| (*index, lower_hex(value)))
    }

    /// The digest of an enclave's image, as lower-case hexadecimal text: its register 0.
    #[must_use]
    pub fn image_digest(&self) -> Option<String> {
        match self.platform {
            Platform::Enclave => self.register(0),
            Platform::NitroTpm => None,
        }
    }

    /// The condition keys of policies and their values.
    ///
    /// An enclave has `kms:RecipientAttestation:ImageSha384` and `…:PCR<n>`, a NitroTPM `…:NitroTPMPCR<n>`; no document has
    /// those of the other, nor one of a register that it lacks.
    pub fn conditions(&self) -> impl Iterator<Item = (String, String)> {
        let prefix = match self.platform {
            Platform::Enclave => "PCR",
            Platform::NitroTpm => "NitroTPMPCR",
        };
        let image = self.image_digest().map(|digest| (format!("{CONDITION}ImageSha384"), digest));
        let registers =
            self.registers().map(move |(index, value)| (format!("{CONDITION}{prefix}{index}"), value));
        image.into_iter().chain(registers)
    }
}

fn lower_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const CONDITION: &str = "kms:RecipientAttestation:";
const REGISTERS: u8 = 32;
const LENGTHS: [usize; 3] = [32, 48, 64];

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(platform: Platform) -> Measurements {
        let mut measurements = Measurements::none(platform);
        assert!(measurements.insert(31, &[0xab; 48]));
        assert!(measurements.insert(0, &[0x0c; 48]));
        measurements
    }

    #[test]
    fn the_condition_keys_are_those_of_the_platform() {
        let (zero, last) = ("0c".repeat(48), "ab".repeat(48));
        for (platform, expected) in [
            (Platform::Enclave, vec![("ImageSha384", &zero), ("PCR0", &zero), ("PCR31", &last)]),
            (Platform::NitroTpm, vec![("NitroTPMPCR0", &zero), ("NitroTPMPCR31", &last)]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(key, value)| (format!("kms:RecipientAttestation:{key}"), value.clone()))
                .collect();
            assert_eq!(measured(platform).conditions().collect::<Vec<_>>(), expected);
        }
        assert_eq!(measured(Platform::NitroTpm).image_digest(), None);
        assert_eq!(measured(Platform::Enclave).image_digest(), Some(zero));
    }

    #[test]
    fn registers_have_one_index_each_and_one_length() {
        for (case, index, value) in [
            ("index", 32, [0; 48].as_slice()),
            ("again", 0, &[0; 48]),
            ("another length", 1, &[0; 32]),
            ("no length", 1, &[0; 47]),
            ("empty", 1, &[]),
        ] {
            assert!(!measured(Platform::Enclave).insert(index, value), "{case}");
        }
        for (len, fits) in
            [(0, false), (31, false), (32, true), (48, true), (49, false), (64, true), (65, false)]
        {
            assert_eq!(Measurements::none(Platform::Enclave).insert(5, &vec![0; len]), fits, "{len}");
        }
    }
}
