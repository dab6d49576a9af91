//! Finding a key.

use std::sync::Arc;

use keyreeve_domain::key_ref::ParseKeyRefError;
use keyreeve_domain::{AccountId, AliasArn, AliasName, KeyArn, KeyId, KeyRef, Region};
use keyreeve_store::Snapshot;
use keyreeve_wire::ErrorCode;

use crate::cx::Service;
use crate::record::{AliasRecord, KeyRecord};
use crate::refusal::Refusal;
use crate::ring::OpenKey;
use crate::space;
use crate::vault::{VaultError, Versioned};

/// A key as a request found it, before the gate.
#[derive(Clone)]
pub struct Found {
    /// The key.
    pub key: Arc<OpenKey>,
    /// The alias by which the caller named it.
    pub alias: Option<AliasName>,
}

/// A key was not found.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LookupError {
    /// The operation takes no alias.
    #[error("the operation takes no alias")]
    AliasNotTaken,
    /// No such alias.
    #[error("no alias `{0}`")]
    NoAlias(AliasArn),
    /// No such key, as the ARN that it would have.
    #[error("no key `{0}`")]
    NoKey(String),
    /// The text names no key.
    #[error(transparent)]
    Malformed(#[from] ParseKeyRefError),
    /// An ARN of another Region.
    #[error("an ARN of `{0}` was sent to another Region")]
    OtherRegion(Region),
    /// The store failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<LookupError> for Refusal {
    fn from(error: LookupError) -> Self {
        let not_found = |message: String| Self::new(ErrorCode::NotFound, message);
        match error {
            LookupError::AliasNotTaken => {
                Self::new(ErrorCode::InvalidArn, "Key Aliases are not supported for this operation.")
            }
            LookupError::NoAlias(alias) => not_found(format!("Alias {alias} is not found.")),
            LookupError::NoKey(arn) => not_found(format!("Key '{arn}' does not exist")),
            LookupError::OtherRegion(region) => not_found(format!("Invalid arn {region}")),
            LookupError::Malformed(error) => match error {
                // AWS: unverified. The text for an ARN of another service or with a malformed part.
                ParseKeyRefError::Arn(text) => {
                    Self::new(ErrorCode::InvalidArn, format!("Invalid arn {text}"))
                }
                ParseKeyRefError::KeyInArn(id) => not_found(format!("Invalid keyId {id}")),
                ParseKeyRefError::Malformed(text) => not_found(format!("Invalid keyId '{text}'")),
                ParseKeyRefError::NeverIssued { id, .. } => not_found(format!("Key '{id}' does not exist")),
            },
            LookupError::Vault(error) => error.into(),
        }
    }
}

impl Service {
    /// The key that `text` names for `account` in `region`.
    ///
    /// # Errors
    /// See [`LookupError`].
    pub async fn find(&self, account: AccountId, region: Region, text: &str) -> Result<Found, LookupError> {
        let (arn, alias) = match parse(account, region, text)? {
            KeyRef::Id(key) => (KeyArn { region, account, key }, None),
            KeyRef::Arn(arn) => (arn, None),
            KeyRef::Alias(alias) => self.resolve(AliasArn { region, account, alias }).await?,
            KeyRef::AliasArn(arn) => self.resolve(arn).await?,
        };
        let key = self.key(arn.region, arn.key).await?.filter(|key| key.arn().account == arn.account);
        Ok(Found { key: key.ok_or_else(|| LookupError::NoKey(arn.to_string()))?, alias })
    }

    /// As [`Service::find`], for the operations that take no alias.
    ///
    /// # Errors
    /// See [`LookupError`].
    pub async fn find_without_alias(
        &self,
        account: AccountId,
        region: Region,
        text: &str,
    ) -> Result<Found, LookupError> {
        if KeyRef::looks_like_alias(text) {
            return Err(LookupError::AliasNotTaken);
        }
        self.find(account, region, text).await
    }

    async fn resolve(&self, arn: AliasArn) -> Result<(KeyArn, Option<AliasName>), LookupError> {
        let AliasArn { region, account, alias } = &arn;
        let key = match self.ring().alias(*account, *region, alias) {
            Some(key) => key,
            None => Box::pin(self.read_alias(&arn)).await?,
        };
        Ok((KeyArn { region: *region, account: *account, key }, Some(arn.alias)))
    }

    async fn read_alias(&self, arn: &AliasArn) -> Result<KeyId, LookupError> {
        let AliasArn { region, account, alias } = arn;
        let path = space::alias(*account, *region, alias).map_err(VaultError::from)?;
        let snapshot = self.vault().snapshot().await?;
        let read = self.vault().read::<AliasRecord>(&*snapshot, &path).await?;
        let target = read.ok_or_else(|| LookupError::NoAlias(arn.clone()))?.record.target;
        self.ring().fill_alias(&path, snapshot.revision(), (*account, *region, alias.clone()), target);
        Ok(target)
    }

    /// The key with this id, whoever owns it; from the ring or the store.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn key(&self, region: Region, key: KeyId) -> Result<Option<Arc<OpenKey>>, VaultError> {
        if let Some(found) = self.ring().key(region, key) {
            return Ok(Some(found));
        }
        Box::pin(self.read_key(region, key)).await
    }

    async fn read_key(&self, region: Region, key: KeyId) -> Result<Option<Arc<OpenKey>>, VaultError> {
        let snapshot = self.vault().snapshot().await?;
        self.key_at(&*snapshot, region, key).await
    }

    /// The key with this id as `snapshot` has it.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn key_at(
        &self,
        snapshot: &dyn Snapshot,
        region: Region,
        key: KeyId,
    ) -> Result<Option<Arc<OpenKey>>, VaultError> {
        let path = space::key(region, key)?;
        let Some(Versioned { record, version }) = self.vault().read::<KeyRecord>(snapshot, &path).await?
        else {
            return Ok(None);
        };
        let policy = self.key_policy(snapshot, region, key, &record).await?;
        let open = Arc::new(OpenKey::new(region, key, record, version, policy));
        self.ring().fill_key(&path, snapshot.revision(), &open);
        Ok(Some(open))
    }
}

/// Reads `text`, and refuses what names no key here before anything is looked up.
fn parse(account: AccountId, region: Region, text: &str) -> Result<KeyRef, LookupError> {
    let parsed = match text.parse() {
        Ok(parsed) => parsed,
        Err(ParseKeyRefError::NeverIssued { id, of }) => {
            let (region, account) = of.unwrap_or((region, account));
            return Err(LookupError::NoKey(format!(
                "arn:{}:kms:{region}:{account}:key/{id}",
                region.partition()
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let of = match &parsed {
        KeyRef::Arn(arn) => Some(arn.region),
        KeyRef::AliasArn(arn) => Some(arn.region),
        KeyRef::Alias(_) | KeyRef::Id(_) => None,
    };
    match of.filter(|of| *of != region) {
        Some(other) => Err(LookupError::OtherRegion(other)),
        None => Ok(parsed),
    }
}
