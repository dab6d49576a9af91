//! Encryption under a public key, for the operations that take keys of any kind.
//!
//! What is encrypted so is the bare ciphertext of the algorithm: it names no key and binds no context.

use keyreeve_core::gate::Ready;
use keyreeve_core::gate::actions::{Encrypting, Opening};
use keyreeve_core::{Cx, Refusal};
use keyreeve_crypto::asymmetric::EncryptError;
use keyreeve_crypto::ciphertext::OpenError;
use keyreeve_domain::spec::EncryptionAlgorithm;
use keyreeve_wire::{Blob, ErrorCode};
use zeroize::Zeroizing;

use crate::asymmetric::{refusal, too_long};

/// Encrypts `plaintext`.
pub(crate) async fn encrypt<A: Encrypting>(
    cx: &Cx<'_>,
    ready: &Ready<'_, A>,
    algorithm: EncryptionAlgorithm,
    plaintext: Zeroizing<Vec<u8>>,
) -> Result<Vec<u8>, Refusal> {
    let sealed = cx.service.compute(ready.encrypting()?, move |key| key.encrypt(algorithm, &plaintext));
    sealed.await?.map_err(|error| {
        refusal(error, |error| match error {
            EncryptError::TooLong { max } => Some(too_long(ready.record().spec, algorithm, max)),
            EncryptError::Library | EncryptError::Unsupported => None,
        })
    })
}

/// Decrypts `ciphertext`; every reason for a failure has the same answer.
pub(crate) async fn decrypt<A: Opening>(
    cx: &Cx<'_>,
    ready: &Ready<'_, A>,
    algorithm: EncryptionAlgorithm,
    ciphertext: &Blob,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let ciphertext = ciphertext.clone();
    let opened =
        cx.service.compute(ready.decrypting()?, move |key| key.decrypt(algorithm, ciphertext.as_ref()));
    opened
        .await?
        .map_err(|error| refusal(error, |OpenError| Some(Refusal::silent(ErrorCode::InvalidCiphertext))))
}
