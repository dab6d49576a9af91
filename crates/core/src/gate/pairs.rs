//! What the gate hands out of an asymmetric or HMAC key.
//!
//! A handle owns what it works with, so that it can move to another thread; it is made by a [`Ready`] of the right action
//! and does that action alone. The key is parsed once, for the usage of its record, and kept parsed beside it. The material
//! goes when the handle does; a parsed key has of it what it computes with, see [`keyreeve_crypto::parsed_keys`].

use std::sync::Arc;

use keyreeve_crypto::asymmetric::{
    AgreeError, DecapsulateError, EncapsulateError, Encapsulated, EncryptError, KeyPair, Message,
    ParseKeyError, SignError, VerifyError,
};
use keyreeve_crypto::ciphertext::OpenError;
use keyreeve_crypto::hmac::MismatchError;
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::mac::MacKey;
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, SigningAlgorithm};
use keyreeve_locked_memory::LockedMemoryError;
use zeroize::Zeroizing;

use super::Ready;
use super::actions::{
    Agreeing, Authenticating, Decapsulating, Encapsulating, Encrypting, Opening, ReadingPublicKey, Signing,
    Verifying, VerifyingMac,
};
use crate::offload::Lane;
use crate::ring::{OpenKey, Parsed};
use crate::vault::VaultError;

/// The use of a key failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UseError<E> {
    /// No locked memory is left to parse the key into.
    #[error(transparent)]
    Memory(LockedMemoryError),
    /// The material is no key of its spec.
    #[error("the material is no key of its spec")]
    Parse,
    /// The operation itself failed.
    #[error("{0}")]
    Operation(E),
}

impl<E> From<ParseKeyError> for UseError<E> {
    fn from(error: ParseKeyError) -> Self {
        match error {
            ParseKeyError::Memory(error) => Self::Memory(error),
            ParseKeyError::NoPair | ParseKeyError::Rejected => Self::Parse,
        }
    }
}

/// A handle, and how long its work takes.
pub trait Handle: Send + 'static {
    /// Where the work is done; `None` where it is short enough to be done at once.
    fn lane(&self) -> Option<Lane>;
}

/// A key that is parsed, or opened and about to be.
struct Held {
    key: Arc<OpenKey>,
    material: Option<KeyMaterial>,
}

impl Held {
    fn of<A>(ready: &Ready<'_, A>) -> Result<Self, VaultError> {
        let material = match ready.key.parsed() {
            Some(_) => None,
            None => Some(ready.key.current_material(ready.vault)?),
        };
        Ok(Self { key: Arc::clone(ready.key), material })
    }

    fn spec(&self) -> KeySpec {
        self.key.record().spec
    }

    fn parsed<E>(&self) -> Result<&Parsed, UseError<E>> {
        if let Some(parsed) = self.key.parsed() {
            return Ok(parsed);
        }
        // INVARIANT: a handle without material was made of a key that is parsed already, and stays so.
        let material = self.material.as_ref().ok_or(UseError::Parse)?;
        let (spec, usage) = (self.spec(), self.key.record().usage);
        let parsed = match kind(spec) {
            Kind::Mac => Parsed::Mac(Box::new(MacKey::new(spec, material).or(Err(UseError::Parse))?)),
            Kind::Pair => Parsed::Pair(KeyPair::parse_for(spec, Some(usage), material)?),
            Kind::Symmetric => return Err(UseError::Parse),
        };
        // Two threads may parse the same key at once; the second copy is wiped.
        Ok(self.key.keep(parsed))
    }

    fn with<T, E>(&self, work: impl FnOnce(&KeyPair) -> Result<T, E>) -> Result<T, UseError<E>> {
        match self.parsed()? {
            Parsed::Pair(pair) => work(pair).map_err(UseError::Operation),
            Parsed::Mac(_) => Err(UseError::Parse),
        }
    }

    fn with_mac<T, E>(&self, work: impl FnOnce(&MacKey) -> Result<T, E>) -> Result<T, UseError<E>> {
        match self.parsed()? {
            Parsed::Mac(key) => work(key).map_err(UseError::Operation),
            Parsed::Pair(_) => Err(UseError::Parse),
        }
    }

    /// Where `work` is done: with a key that has yet to be parsed, where keys are parsed.
    fn lane(&self, work: Work) -> Option<Lane> {
        let parsing = self.material.as_ref().and_then(|_| lane(self.spec(), Work::Parse));
        parsing.or_else(|| lane(self.spec(), work))
    }
}

/// What is computed with a key pair.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// Agreement on a secret.
    Agree,
    /// Decryption.
    Decrypt,
    /// Parsing.
    Parse,
    /// Verification, or encryption under the public key.
    Public,
    /// The public key as it is kept.
    Read,
    /// A signature.
    Sign,
}

/// Where work is done that takes longer than about a hundred microseconds.
fn lane(spec: KeySpec, work: Work) -> Option<Lane> {
    let (lane, is_long) = match spec {
        KeySpec::Rsa3072 | KeySpec::Rsa4096 => (Lane::Operations, !matches!(work, Work::Public)),
        KeySpec::Rsa2048 | KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => {
            (Lane::Turns, !matches!(work, Work::Public))
        }
        KeySpec::EccNistP384 => (Lane::Turns, matches!(work, Work::Agree | Work::Public)),
        KeySpec::EccNistP521 | KeySpec::EccSecgP256K1 | KeySpec::Sm2 => (Lane::Turns, true),
        KeySpec::EccNistP256
        | KeySpec::EccNistEdwards25519
        | KeySpec::SymmetricDefault
        | KeySpec::Hmac224
        | KeySpec::Hmac256
        | KeySpec::Hmac384
        | KeySpec::Hmac512
        | KeySpec::MlKem512
        | KeySpec::MlKem768
        | KeySpec::MlKem1024 => return None,
    };
    (is_long && !matches!(work, Work::Read)).then_some(lane)
}

/// What the material of a key is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The key of a MAC.
    Mac,
    /// A key pair.
    Pair,
    /// A key that CiphertextBlobs are made under.
    Symmetric,
}

/// What the material of a key of `spec` is.
#[must_use]
pub fn kind(spec: KeySpec) -> Kind {
    match spec {
        KeySpec::SymmetricDefault => Kind::Symmetric,
        KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => Kind::Mac,
        KeySpec::Rsa2048
        | KeySpec::Rsa3072
        | KeySpec::Rsa4096
        | KeySpec::EccNistP256
        | KeySpec::EccNistP384
        | KeySpec::EccNistP521
        | KeySpec::EccSecgP256K1
        | KeySpec::EccNistEdwards25519
        | KeySpec::Sm2
        | KeySpec::MlDsa44
        | KeySpec::MlDsa65
        | KeySpec::MlDsa87
        | KeySpec::MlKem512
        | KeySpec::MlKem768
        | KeySpec::MlKem1024 => Kind::Pair,
    }
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident of $capability:ident by $method:ident, $work:ident;)+) => {$(
        $(#[$doc])*
        pub struct $name(Held);

        impl Handle for $name {
            fn lane(&self) -> Option<Lane> {
                self.0.lane(Work::$work)
            }
        }

        impl<A: $capability> Ready<'_, A> {
            #[doc = concat!("The key as a [`", stringify!($name), "`].")]
            ///
            /// # Errors
            /// Where the material does not open.
            pub fn $method(&self) -> Result<$name, VaultError> {
                Held::of(self).map($name)
            }
        }
    )+};
}

handles! {
    /// A handle that agrees on a secret.
    AgreementKey of Agreeing by agreeing, Agree;
    /// A handle that makes MACs.
    AuthenticatingKey of Authenticating by authenticating, Public;
    /// A handle that recovers an encapsulated secret.
    DecapsulatingKey of Decapsulating by decapsulating, Public;
    /// A handle that decrypts what was encrypted under a public key.
    DecryptingKey of Opening by decrypting, Decrypt;
    /// A handle that encapsulates a secret.
    EncapsulatingKey of Encapsulating by encapsulating, Public;
    /// A handle that encrypts under a public key.
    EncryptingKey of Encrypting by encrypting, Public;
    /// A handle that gives the public key.
    PublicKey of ReadingPublicKey by public_key, Read;
    /// A handle that signs.
    SigningKey of Signing by signing, Sign;
    /// A handle that verifies MACs.
    MacVerifyingKey of VerifyingMac by verifying_mac, Public;
    /// A handle that verifies signatures.
    VerifyingKey of Verifying by verifying, Public;
}

impl AgreementKey {
    /// The secret shared with the owner of `peer`, a public key as SPKI.
    ///
    /// # Errors
    /// Where `peer` is no public key of the same curve.
    pub fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, UseError<AgreeError>> {
        self.0.with(|pair| pair.agree(peer))
    }
}

impl AuthenticatingKey {
    /// The MAC of `message`.
    ///
    /// # Errors
    /// Where the key does not parse.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, UseError<MismatchError>> {
        self.0.with_mac(|key| Ok(key.sign(message)))
    }
}

impl MacVerifyingKey {
    /// Verifies the MAC of `message`.
    ///
    /// # Errors
    /// Where it is not that MAC.
    pub fn verify(&self, message: &[u8], mac: &[u8]) -> Result<(), UseError<MismatchError>> {
        self.0.with_mac(|key| key.verify(message, mac))
    }
}

impl EncapsulatingKey {
    /// A new secret, and its form for whoever has the private key.
    ///
    /// # Errors
    /// Where the library fails.
    pub fn encapsulate(&self) -> Result<Encapsulated, UseError<EncapsulateError>> {
        self.0.with(KeyPair::encapsulate)
    }
}

impl DecapsulatingKey {
    /// The secret in `ciphertext`.
    ///
    /// # Errors
    /// Where `ciphertext` has the wrong length.
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, UseError<DecapsulateError>> {
        self.0.with(|pair| pair.decapsulate(ciphertext))
    }
}

impl DecryptingKey {
    /// Decrypts `ciphertext`.
    ///
    /// # Errors
    /// One error for every reason.
    pub fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UseError<OpenError>> {
        self.0.with(|pair| pair.decrypt(algorithm, ciphertext))
    }
}

impl EncryptingKey {
    /// Encrypts `plaintext`.
    ///
    /// # Errors
    /// Where it is too long, or the library fails.
    pub fn encrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, UseError<EncryptError>> {
        self.0.with(|pair| pair.encrypt(algorithm, plaintext))
    }
}

impl PublicKey {
    /// The public key as SPKI.
    ///
    /// # Errors
    /// Where the key does not parse.
    pub fn to_spki(&self) -> Result<Vec<u8>, UseError<core::convert::Infallible>> {
        self.0.with(|pair| Ok(pair.public_key().to_vec()))
    }
}

impl SigningKey {
    /// Signs `message`.
    ///
    /// # Errors
    /// Where message and algorithm do not fit, or the library fails.
    pub fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
    ) -> Result<Vec<u8>, UseError<SignError>> {
        self.0.with(|pair| pair.sign(algorithm, message))
    }
}

impl VerifyingKey {
    /// Verifies a signature of `message`.
    ///
    /// # Errors
    /// Where it is no such signature.
    pub fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), UseError<VerifyError>> {
        self.0.with(|pair| pair.verify(algorithm, message, signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_takes_a_turn_and_what_is_longer_another_thread() {
        for (spec, work, expected) in [
            (KeySpec::EccNistP256, Work::Sign, None),
            (KeySpec::EccNistP384, Work::Sign, None),
            (KeySpec::EccNistP384, Work::Public, Some(Lane::Turns)),
            (KeySpec::EccNistP521, Work::Read, None),
            (KeySpec::EccSecgP256K1, Work::Sign, Some(Lane::Turns)),
            (KeySpec::MlDsa87, Work::Sign, Some(Lane::Turns)),
            (KeySpec::MlDsa87, Work::Public, None),
            (KeySpec::Rsa2048, Work::Decrypt, Some(Lane::Turns)),
            (KeySpec::Rsa2048, Work::Public, None),
            (KeySpec::Rsa4096, Work::Parse, Some(Lane::Operations)),
            (KeySpec::Rsa4096, Work::Read, None),
            (KeySpec::Rsa4096, Work::Sign, Some(Lane::Operations)),
            (KeySpec::Sm2, Work::Public, Some(Lane::Turns)),
        ] {
            assert_eq!(lane(spec, work), expected, "{spec:?} {work:?}");
        }
    }

    #[test]
    fn missing_memory_is_not_told_as_a_bad_key() {
        for (error, told) in [
            (ParseKeyError::Memory(LockedMemoryError), UseError::Memory(LockedMemoryError)),
            (ParseKeyError::NoPair, UseError::Parse),
            (ParseKeyError::Rejected, UseError::Parse),
        ] {
            assert_eq!(UseError::<SignError>::from(error), told);
        }
    }
}
