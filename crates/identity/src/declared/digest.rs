//! What tells a declaration from every other.

use core::hash::{Hash as _, Hasher};

use keyreeve_crypto::digest::{LowerHex, Sha256};

use super::declaration::Declaration;

/// A digest of everything that a declaration says, and of the release that reads it: another one may make something else of it.
pub(super) fn digest_of(declaration: &Declaration) -> String {
    let mut bytes = Bytes(Sha256::new());
    (FORMAT, env!("CARGO_PKG_VERSION")).hash(&mut bytes);
    declaration.hash(&mut bytes);
    LowerHex::new(&bytes.0.finish()).as_str().to_owned()
}

/// Counts up with every change of what is made of a declaration.
const FORMAT: u32 = 2;

/// Everything that is hashed: texts end, and lists begin with their length, so that no two values have the same bytes.
struct Bytes(Sha256);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
