//! What can go wrong with a key pair, one type for each thing that is done with it.

use keyreeve_locked_memory::LockedMemoryError;

use crate::key::MakeKeyError;
use crate::random::RandomError;

/// Key material could not be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MakeMaterialError {
    /// What was made did not pass its consistency test.
    #[error("the new key pair does not agree with itself")]
    Inconsistent,
    /// Randomness or locked memory is missing.
    #[error(transparent)]
    Key(#[from] MakeKeyError),
    /// The library failed.
    #[error("key generation failed")]
    Library,
}

impl From<LockedMemoryError> for MakeMaterialError {
    fn from(error: LockedMemoryError) -> Self {
        Self::Key(error.into())
    }
}

impl From<RandomError> for MakeMaterialError {
    fn from(error: RandomError) -> Self {
        Self::Key(error.into())
    }
}

/// The bytes are not the private key that they should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParseKeyError {
    /// No locked memory is left.
    #[error(transparent)]
    Memory(#[from] LockedMemoryError),
    /// The spec is symmetric.
    #[error("the key spec has no key pair")]
    NoPair,
    /// Malformed, of another kind, curve or size, or inconsistent.
    #[error("not a private key of the key spec")]
    Rejected,
}

/// A message could not be signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignError {
    /// The library failed.
    #[error("signing failed")]
    Library,
    /// A digest or mu is not as long as the algorithm says.
    #[error("the digest has another length than the algorithm")]
    MessageLength,
    /// The key does not have the algorithm, or the algorithm does not take this kind of message.
    #[error("the key, the algorithm and the kind of message do not go together")]
    Unsupported,
}

/// A signature was not verified.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// A digest or mu is not as long as the algorithm says.
    #[error("the digest has another length than the algorithm")]
    MessageLength,
    /// The signature is malformed, or another message's, or another key's.
    #[error("the signature does not match")]
    Mismatch,
    /// The key does not have the algorithm, or the algorithm does not take this kind of message.
    #[error("the key, the algorithm and the kind of message do not go together")]
    Unsupported,
}

/// A plaintext could not be encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EncryptError {
    /// The library failed.
    #[error("encryption failed")]
    Library,
    /// The plaintext is longer than key and algorithm can take.
    #[error("the plaintext is longer than {max} bytes")]
    TooLong {
        /// The longest plaintext in bytes.
        max: usize,
    },
    /// The key does not have the algorithm.
    #[error("the key does not have the algorithm")]
    Unsupported,
}

/// No secret was agreed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AgreeError {
    /// The library failed.
    #[error("key agreement failed")]
    Library,
    /// The peer's public key is malformed, on another curve, or not on the curve.
    #[error("not a public key on the curve of the key")]
    PeerKey,
    /// The key does not do key agreement.
    #[error("the key does not do key agreement")]
    Unsupported,
}

/// No secret was encapsulated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EncapsulateError {
    /// The library failed.
    #[error("encapsulation failed")]
    Library,
    /// The key does not do encapsulation.
    #[error("the key does not do encapsulation")]
    Unsupported,
}

/// A ciphertext was not decapsulated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecapsulateError {
    /// The ciphertext is not as long as the key says.
    #[error("the ciphertext has another length than the key")]
    CiphertextLength,
    /// The library failed.
    #[error("decapsulation failed")]
    Library,
    /// The key does not do encapsulation.
    #[error("the key does not do encapsulation")]
    Unsupported,
}
