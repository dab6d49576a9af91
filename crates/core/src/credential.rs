//! Access keys: who signs in with which secret.

use core::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_locked_memory::LockedBytes;
use zeroize::Zeroizing;

use crate::caller::{Caller, Principal};
use crate::commit::Draft;
use crate::cx::Service;
use crate::record::CredentialRecord;
use crate::space;
use crate::vault::VaultError;

/// An access key, opened.
pub struct Credential {
    caller: Caller,
    secret: LockedBytes,
    generation: u64,
}

/// Numbers what was opened, so that a signing key cached for one secret is never used for the next.
static GENERATION: AtomicU64 = AtomicU64::new(1);

impl Credential {
    /// Who signs in with it.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The secret access key. Each call says why in an `EXPOSE` comment.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        // EXPOSE: the caller says why.
        self.secret.expose()
    }

    /// Differs whenever the record may have changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

impl Service {
    /// The access key `id`, from the ring or the store.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn credential(&self, id: &str) -> Result<Option<Arc<Credential>>, VaultError> {
        if let Some(found) = self.ring().credential(id) {
            return Ok(Some(found));
        }
        let Ok(path) = space::credential(id) else { return Ok(None) };
        let snapshot = self.vault().snapshot().await?;
        let Some(read) = self.vault().read::<CredentialRecord>(&*snapshot, &path).await? else {
            return Ok(None);
        };
        let credential = Arc::new(Credential {
            caller: Caller::new(read.record.account, Principal::Root, id.to_owned()),
            secret: LockedBytes::copy_of(read.record.secret.as_bytes())?,
            generation: GENERATION.fetch_add(1, Ordering::Relaxed),
        });
        self.ring().fill_credential(&path, snapshot.revision(), id, &credential);
        Ok(Some(credential))
    }

    /// Makes `id` with `secret` the one access key of the account root: any other is deleted.
    ///
    /// # Errors
    /// Where the store cannot be written to.
    pub async fn set_root_credential(
        &self,
        account: AccountId,
        id: &str,
        secret: Zeroizing<String>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let (held, _) = self
            .vault()
            .range::<CredentialRecord>(&*snapshot, space::CREDENTIAL_PREFIX, None, AT_MOST)
            .await?;
        let path = space::credential(id)?;
        let mut draft = Draft::new(self.vault());
        let mut is_held = false;
        for (other, record) in held.iter().filter(|(_, record)| record.account == account) {
            if *other == path && *record.secret == *secret {
                is_held = true;
            } else if *other != path {
                draft.unindex(other);
            }
        }
        if !is_held {
            let seen = snapshot.get(&path).await?.map(|entry| entry.version);
            draft.put(&path, seen, &CredentialRecord { account, secret, created: now, user: None, inactive: None, service: None })?;
        }
        if draft.is_empty() { Ok(()) } else { self.commit(draft).await }
    }
}

const AT_MOST: NonZeroUsize = NonZeroUsize::new(100).unwrap();
