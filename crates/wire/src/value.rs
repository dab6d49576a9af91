//! Values of members that no plain Rust type stands for.
//!
//! A value that may be secret cannot be copied, compared with `==` or printed; `expose()` is the only way to it.

use std::collections::BTreeMap;
use std::collections::btree_map::{self, Entry};
use std::fmt;

use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::{EncryptionAlgorithm, SigningAlgorithm};
use zeroize::Zeroizing;

/// Bytes that are no secret: ciphertext, a signature, a public key.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Blob(Vec<u8>);

impl Blob {
    /// The bytes.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

/// Bytes that may be secret (a `sensitive` blob of the model): wiped on drop.
pub struct SensitiveBlob(Zeroizing<Vec<u8>>);

impl SensitiveBlob {
    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, still wiped on drop.
    pub fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl From<Zeroizing<Vec<u8>>> for SensitiveBlob {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for SensitiveBlob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

/// A point in time of a request of KMS, whose events write dates in words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KmsDate(pub Timestamp);

/// Text that may be secret (a `sensitive` string of the model): wiped on drop.
pub struct SensitiveText(Zeroizing<String>);

impl SensitiveText {
    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SensitiveText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<Zeroizing<String>> for SensitiveText {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

/// An encryption context: pairs of text, each key once, in the order of the keys' bytes.
///
/// Not secret: AWS KMS logs it in clear.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EncryptionContext(BTreeMap<String, String>);

impl EncryptionContext {
    /// The context without a pair.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a pair; `false`, and nothing changes, when the key is there already.
    #[must_use]
    pub fn insert(&mut self, key: String, value: String) -> bool {
        match self.0.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(value);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs in the order of the keys' bytes.
    pub fn iter(&self) -> btree_map::Iter<'_, String, String> {
        self.0.iter()
    }

    /// The pairs as a map.
    pub const fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl From<BTreeMap<String, String>> for EncryptionContext {
    fn from(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
    }
}

impl<'a> IntoIterator for &'a EncryptionContext {
    type Item = (&'a String, &'a String);
    type IntoIter = btree_map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The signing algorithm a request names: one more than there are, for AWS KMS takes `SYMMETRIC_DEFAULT` here and
/// only later answers that it does not fit the key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RequestedSigningAlgorithm {
    /// An algorithm that signs.
    Signing(SigningAlgorithm),
    /// `SYMMETRIC_DEFAULT`, which fits no key of usage `SIGN_VERIFY`.
    SymmetricDefault,
}

impl RequestedSigningAlgorithm {
    /// The value as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signing(algorithm) => algorithm.as_str(),
            Self::SymmetricDefault => EncryptionAlgorithm::SymmetricDefault.as_str(),
        }
    }

    /// The algorithm, when it is one that signs.
    pub const fn signing(self) -> Option<SigningAlgorithm> {
        match self {
            Self::Signing(algorithm) => Some(algorithm),
            Self::SymmetricDefault => None,
        }
    }
}

impl fmt::Display for RequestedSigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
