//! The import of key material: a wrapping key for each import, and the token that holds it.
//!
//! Nothing is kept of a request for parameters: the token is the private half of the wrapping key, with what it was asked for,
//! sealed under the key of its day ([`crate::import_keys`]) and bound to the KMS key. It is good for that KMS key, and until it
//! expires.

use std::sync::Arc;

use keyreeve_crypto::asymmetric::KeyPair;
use keyreeve_crypto::import::{ImportError as UnwrapImportError, unwrap_import};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_domain::spec::{KeySpec, KeyUsage, WrappingAlgorithm, WrappingKeySpec};
use keyreeve_domain::{KeyArn, Timestamp};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::cx::Service;
use crate::import_keys::{OpenTokenError, day_of};
use crate::record::{KeyRecord, MaterialRecord};
use crate::vault::VaultError;

/// Days for which a wrapping key and its token are good.
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html>.
const VALID_DAYS: u32 = 1;

/// What an import is done with.
pub struct ImportParameters {
    /// The token.
    pub token: Vec<u8>,
    /// The public key that wraps the material, as SPKI.
    pub public_key: Vec<u8>,
    /// When both expire.
    pub valid_to: Timestamp,
}

/// Material could not be imported.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// The material does not open under the wrapping key of the token.
    #[error("the key material could not be unwrapped")]
    Ciphertext,
    /// The token has expired.
    #[error("the import token has expired")]
    Expired,
    /// What was wrapped is no material for the key.
    #[error("not key material of the key spec")]
    Material,
    /// The token is not one of this key.
    #[error("the import token is not one of the key")]
    Token,
    /// Something inside failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<OpenTokenError> for ImportError {
    fn from(error: OpenTokenError) -> Self {
        match error {
            OpenTokenError::Expired => Self::Expired,
            OpenTokenError::Forged => Self::Token,
            OpenTokenError::Vault(error) => Self::Vault(error),
        }
    }
}

/// The content of a token.
#[derive(Decode, Encode)]
struct Token {
    #[n(0)]
    #[cbor(with = "crate::record::text")]
    spec: KeySpec,
    #[n(1)]
    #[cbor(with = "crate::record::text")]
    algorithm: WrappingAlgorithm,
    #[n(2)]
    #[cbor(with = "crate::record::text")]
    wrapping_key_spec: WrappingKeySpec,
    #[n(3)]
    #[cbor(with = "crate::record::millis")]
    valid_to: Timestamp,
    #[n(4)]
    #[cbor(with = "crate::record::secret_bytes")]
    private_key: Zeroizing<Vec<u8>>,
}

/// The key spec of a wrapping key.
#[must_use]
pub fn wrapping_key(spec: WrappingKeySpec) -> KeySpec {
    match spec {
        WrappingKeySpec::Rsa2048 => KeySpec::Rsa2048,
        WrappingKeySpec::Rsa3072 => KeySpec::Rsa3072,
        WrappingKeySpec::Rsa4096 => KeySpec::Rsa4096,
        WrappingKeySpec::Sm2 => KeySpec::Sm2,
    }
}

impl Service {
    /// A new wrapping key for an import into the key `arn`, and its token.
    ///
    /// # Errors
    /// Where no wrapping key can be made, or not now.
    pub async fn import_parameters(
        &self,
        arn: &KeyArn,
        record: &KeyRecord,
        (algorithm, wrapping_key_spec): (WrappingAlgorithm, WrappingKeySpec),
        now: Timestamp,
    ) -> Result<ImportParameters, VaultError> {
        let valid_to = now.plus_days(VALID_DAYS);
        let spec = wrapping_key(wrapping_key_spec);
        let material = self.new_material(spec).await?;
        let read = move || {
            let pair = KeyPair::parse_for(spec, Some(KeyUsage::EncryptDecrypt), &material).ok();
            (pair.filter(|pair| pair.complete().is_ok()), material)
        };
        let (pair, material) = self.work(read).await?;
        let pair = pair.ok_or_else(|| VaultError::Damaged("a wrapping key".to_owned()))?;
        let public_key = pair.public_key().to_vec();
        // EXPOSE: the private key is sealed below, and this copy wiped.
        let private_key = Zeroizing::new(material.expose().to_vec());
        let token = Token { spec: record.spec, algorithm, wrapping_key_spec, valid_to, private_key };
        let mut content = Zeroizing::new(Vec::with_capacity(TOKEN_CAPACITY));
        minicbor::encode(&token, &mut *content).or(Err(VaultError::Damaged("an import token".to_owned())))?;
        let token = self.seal_import(&self.vault().import_binding(arn), &content, now).await?;
        self.import_keys().pairs().keep(&token, day_of(now), Arc::new(pair));
        Ok(ImportParameters { token, public_key, valid_to })
    }

    /// The material that was wrapped for an import into the key `arn`, as its record will hold it.
    ///
    /// # Errors
    /// See [`ImportError`].
    pub async fn import_material(
        &self,
        arn: &KeyArn,
        record: &KeyRecord,
        token: &[u8],
        wrapped: Vec<u8>,
        now: Timestamp,
    ) -> Result<MaterialRecord, ImportError> {
        let sealed = token;
        let content = self.open_import(&self.vault().import_binding(arn), sealed, now).await?;
        let token: Token = minicbor::decode(&content).or(Err(ImportError::Token))?;
        if token.spec != record.spec {
            return Err(ImportError::Token);
        }
        if token.valid_to <= now {
            return Err(ImportError::Expired);
        }
        let pair = self.import_keys().pairs().of(sealed);
        let unwrapped = self.work(move || unwrap(&token, pair.as_deref(), &wrapped)).await;
        let material = unwrapped.map_err(VaultError::from)??;
        self.import_keys().pairs().forget(sealed);
        Ok(self.vault().wrap_material(arn, record, &material)?)
    }
}

/// The material in `wrapped`, with the pair of the token where it is at hand.
fn unwrap(token: &Token, pair: Option<&KeyPair>, wrapped: &[u8]) -> Result<KeyMaterial, ImportError> {
    let parsed;
    let pair = match pair {
        Some(pair) => pair,
        None => {
            parsed = parse(token)?;
            &parsed
        }
    };
    unwrap_import(token.spec, token.algorithm, pair, wrapped).map_err(|error| match error {
        UnwrapImportError::Memory(error) => VaultError::Memory(error).into(),
        UnwrapImportError::Rejected => ImportError::Material,
        UnwrapImportError::Wrapping => ImportError::Ciphertext,
    })
}

fn parse(token: &Token) -> Result<KeyPair, VaultError> {
    let private_key = KeyMaterial::init_with(token.private_key.len(), |slot| {
        slot.copy_from_slice(&token.private_key);
        Ok(())
    });
    let private_key = private_key.map_err(VaultError::Memory)?;
    let pair = KeyPair::parse_for(
        wrapping_key(token.wrapping_key_spec),
        Some(KeyUsage::EncryptDecrypt),
        &private_key,
    );
    pair.ok().ok_or_else(|| VaultError::Damaged("an import token".to_owned()))
}

/// More than any token, so that no copy of a private key is left behind when the buffer grows.
const TOKEN_CAPACITY: usize = 4096;
