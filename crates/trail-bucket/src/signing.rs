//! What signatures of requests are made with: SHA-256 and HMAC of the library that everything else uses.

use std::mem;

use keyreeve_crypto::digest::Sha256;
use keyreeve_crypto::hmac::Key;
use object_store::client::{
    CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm,
};
use object_store::{Error, Result};
use zeroize::Zeroizing;

/// SHA-256 and HMAC with it; no signatures with private keys, which other clouds alone ask for.
#[derive(Debug)]
pub(crate) struct Signing;

impl CryptoProvider for Signing {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Digest { hash: Sha256::new(), out: None })),
            _ => Err(missing()),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                Ok(Box::new(Hmac { key: Key::new(secret), message: Zeroizing::default(), out: None }))
            }
            _ => Err(missing()),
        }
    }

    fn sign(&self, _algorithm: SigningAlgorithm, _pem: &[u8]) -> Result<Box<dyn Signer>> {
        Err(missing())
    }
}

fn missing() -> Error {
    Error::NotSupported { source: "the algorithm is not one of S3".into() }
}

struct Digest {
    hash: Sha256,
    out: Option<[u8; 32]>,
}

impl DigestContext for Digest {
    fn update(&mut self, data: &[u8]) {
        self.hash.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        let hash = mem::replace(&mut self.hash, Sha256::new());
        Ok(self.out.insert(hash.finish()))
    }
}

struct Hmac {
    key: Key,
    message: Zeroizing<Vec<u8>>,
    /// The keys that signatures are derived by are among these.
    out: Option<Zeroizing<[u8; 32]>>,
}

impl HmacContext for Hmac {
    fn update(&mut self, data: &[u8]) {
        self.message.extend_from_slice(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        let out = Zeroizing::new(self.key.sign(&[&self.message]));
        Ok(self.out.insert(out).as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_codes_are_those_of_the_standards() {
        // FIPS 180-4, "abc"; RFC 4231, test case 2.
        let mut digest = Signing.digest(DigestAlgorithm::Sha256).unwrap();
        digest.update(b"a");
        digest.update(b"bc");
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(digest.finish().unwrap()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let mut hmac = Signing.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        hmac.update(b"what do ya want ");
        hmac.update(b"for nothing?");
        assert_eq!(
            hex(hmac.finish().unwrap()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(Signing.sign(SigningAlgorithm::RS256, b"").is_err());
    }
}
