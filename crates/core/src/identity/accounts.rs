//! Accounts, as the operator makes them.

use core::num::NonZeroUsize;

use keyreeve_domain::{AccountId, Timestamp};
use zeroize::Zeroizing;

use crate::commit::Draft;
use crate::cx::Service;
use crate::identity::record::AccountRecord;
use crate::identity::space;
use crate::record::CredentialRecord;
use crate::space::{credential, last_part};
use crate::vault::VaultError;

/// The most accounts that are listed.
const ACCOUNTS_MOST: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

/// How often an account is looked at again after somebody else was faster.
const ATTEMPTS: usize = 64;

/// An account cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CreateAccountError {
    /// There is one with this id.
    #[error("account {0} exists already")]
    Exists(AccountId),
    /// The store failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Service {
    /// The account with this id.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn account(&self, account: AccountId) -> Result<Option<AccountRecord>, VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let read = self.vault().read::<AccountRecord>(&*snapshot, &space::account(account)?).await?;
        Ok(read.map(|read| read.record))
    }

    /// Every account.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn accounts(&self) -> Result<Vec<(AccountId, AccountRecord)>, VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let prefix = space::ACCOUNT_PREFIX;
        let (held, _) = self.vault().range::<AccountRecord>(&*snapshot, prefix, None, ACCOUNTS_MOST).await?;
        let id = |path: &keyreeve_store::Path| last_part(prefix, path)?.parse().ok();
        Ok(held.into_iter().filter_map(|(path, record)| Some((id(&path)?, record))).collect())
    }

    /// Makes sure that the account is there and that its root user has the access key `id` with `secret` beside others; whether
    /// the account had to be made. Many may ask at once.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn add_root_credential(
        &self,
        account: AccountId,
        name: &str,
        (id, secret): (&str, &str),
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let (home, path) = (space::account(account)?, credential(id)?);
        for _ in 0..ATTEMPTS {
            let snapshot = self.vault().snapshot().await?;
            let known = self.vault().read::<AccountRecord>(&*snapshot, &home).await?;
            let held = self.vault().read::<CredentialRecord>(&*snapshot, &path).await?;
            let (is_new, seen) = (known.is_none(), known.as_ref().map(|known| known.version));
            let mut record = known.map_or_else(
                || AccountRecord { name: name.to_owned(), created: now, root_access_keys: Vec::new() },
                |known| known.record,
            );
            let is_listed = record.root_access_keys.iter().any(|key| key == id);
            if is_listed && held.is_some() {
                return Ok(false);
            }
            let mut draft = Draft::new(self.vault());
            if held.is_none() {
                let secret = Zeroizing::new(secret.to_owned());
                let key = CredentialRecord {
                    account,
                    secret,
                    created: now,
                    user: None,
                    inactive: None,
                    service: None,
                };
                draft.put(&path, None, &key)?;
            }
            if !is_listed {
                record.root_access_keys.push(id.to_owned());
                draft.put(&home, seen, &record)?;
            }
            match self.commit(draft).await {
                Ok(()) => return Ok(is_new),
                Err(VaultError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        Err(VaultError::Contended)
    }

    /// Makes an account whose root user has the access key `id` with `secret`.
    ///
    /// # Errors
    /// See [`CreateAccountError`].
    pub async fn create_account(
        &self,
        account: AccountId,
        name: &str,
        (id, secret): (&str, Zeroizing<String>),
        now: Timestamp,
    ) -> Result<(), CreateAccountError> {
        let home = space::account(account).map_err(VaultError::from)?;
        let path = credential(id).map_err(VaultError::from)?;
        let snapshot = self.vault().snapshot().await?;
        if self.vault().read::<AccountRecord>(&*snapshot, &home).await?.is_some() {
            return Err(CreateAccountError::Exists(account));
        }
        let root_access_keys = vec![id.to_owned()];
        let record = AccountRecord { name: name.to_owned(), created: now, root_access_keys };
        let key =
            CredentialRecord { account, secret, created: now, user: None, inactive: None, service: None };
        let mut draft = Draft::new(self.vault());
        draft.put(&home, None, &record)?;
        draft.put(&path, None, &key)?;
        Ok(self.commit(draft).await?)
    }
}
