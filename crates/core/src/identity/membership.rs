//! Which group the record of a user means.
//!
//! A user knows a group by its *reference*: the name that it was made with, whatever it is called now. So a group with any number
//! of users is renamed in one small commit.
//!
//! INVARIANT: no two groups of an account have one reference. One whose name is not its reference has an index entry from the
//! reference to the name; one that is made with a name that is still the reference of another gets a reference that no
//! name can be.

use keyreeve_domain::AccountId;
use keyreeve_store::Snapshot;

use crate::cx::Service;
use crate::identity::record::{GroupKeyRecord, GroupRecord};
use crate::identity::space;
use crate::vault::VaultError;

impl GroupRecord {
    /// What the records of its users call it. No two are told apart by case.
    #[must_use]
    pub fn reference(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.name)
    }
}

/// The reference of a group with the unique id `id` that is made with the name that another group is still known by. No
/// name has a colon.
#[must_use]
pub fn reference_of_id(id: &str) -> String {
    format!("id:{id}")
}

impl Service {
    /// The group of `account` that records of users call `reference`.
    ///
    /// # Errors
    /// Where the store fails, or there is no such group: who is in a group keeps it from being deleted.
    pub async fn group_of_reference(
        &self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        reference: &str,
    ) -> Result<GroupRecord, VaultError> {
        let path = space::group(account, reference)?;
        let named = self.vault().read::<GroupRecord>(snapshot, &path).await?.map(|read| read.record);
        let is_it = |group: &GroupRecord| group.reference().eq_ignore_ascii_case(reference);
        if let Some(group) = named.filter(is_it) {
            return Ok(group);
        }
        let key = space::group_key(account, reference)?;
        let damaged = || VaultError::Damaged(path.to_string());
        let renamed = self.vault().read::<GroupKeyRecord>(snapshot, &key).await?.ok_or_else(damaged)?.record;
        let path = space::group(account, &renamed.name)?;
        let group = self.vault().read::<GroupRecord>(snapshot, &path).await?.map(|read| read.record);
        group.filter(is_it).ok_or_else(|| VaultError::Damaged(path.to_string()))
    }
}
