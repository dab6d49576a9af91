//! That all identities were found to be as a declaration says.
//!
//! A start with the same declaration then has nothing to compare.
//!
//! INVARIANT: the note goes with any change of what a declaration may be about ([`is_about_identities`]), in the same commit.

use keyreeve_store::{Path, Revision, Version};
use minicbor::{Decode, Encode};

use crate::commit::Draft;
use crate::cx::Service;
use crate::identity::space;
use crate::record::record;
use crate::vault::VaultError;

record! { FollowedRecord = 27 }

/// A declaration, and whether everything was found to be as it says.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct FollowedRecord {
    /// The digest of the declaration, which no other has.
    #[n(0)]
    pub digest: String,
    /// Whether everything is as it says; else somebody is looking.
    #[n(1)]
    pub is_complete: bool,
}

impl Service {
    /// Whether everything is as the declaration with this digest says.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn is_followed(&self, digest: &str) -> Result<bool, VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let read = self.vault().read::<FollowedRecord>(&*snapshot, &space::followed()?).await?;
        Ok(read.is_some_and(|read| read.record.is_complete && read.record.digest == digest))
    }

    /// Notes that everything was found to be as the declaration with this digest says at the revision `seen`; whether that could be
    /// noted. It cannot where anything has changed since.
    ///
    /// # Errors
    /// Where the store fails, or somebody else was faster.
    pub async fn note_followed(&self, digest: &str, seen: Revision) -> Result<bool, VaultError> {
        let path = space::followed()?;
        let version = self.vault().snapshot().await?.get(&path).await?.map(|entry| entry.version);
        // ORDER: what changes from here on takes the note along. What changed before has a revision of its own, which shows now.
        self.put_followed(&path, version, digest, false).await?;
        if self.vault().snapshot().await?.revision().get() != seen.get().saturating_add(1) {
            return Ok(false);
        }
        let begun = Version::after(version).ok_or_else(|| VaultError::Damaged(path.to_string()))?;
        self.put_followed(&path, Some(begun), digest, true).await.map(|()| true)
    }

    async fn put_followed(
        &self,
        path: &Path,
        seen: Option<Version>,
        digest: &str,
        is_complete: bool,
    ) -> Result<(), VaultError> {
        let mut draft = Draft::new(self.vault());
        draft.put(path, seen, &FollowedRecord { digest: digest.to_owned(), is_complete })?;
        self.commit(draft).await
    }
}

/// Whether a declaration may be about what stands at `path`.
pub(crate) fn is_about_identities(path: &Path) -> bool {
    let kind = path.as_bytes().split(|byte| *byte == b'/').next().unwrap_or_default();
    KINDS.contains(&kind)
}

const KINDS: [&[u8]; 9] = [
    b"account",
    b"attached",
    b"credential",
    b"declared",
    b"group-key",
    b"iam",
    b"member",
    b"organization",
    b"unique",
];
