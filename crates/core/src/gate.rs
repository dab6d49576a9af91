//! The gate: the one place where a request is let through to a key.
//!
//! Only [`open`] yields a [`Ready`], and key material is reached through `Ready` alone. What a `Ready` can do depends on
//! the action that it was opened for, so a forgotten check, or a check for another action, does not compile:
//!
//! ```
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::Encrypt>) {
//!     let key = ready.sealing();
//! }
//! ```
//! The right to describe a key is not the right to encrypt with it:
//! ```compile_fail,E0599
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::DescribeKey>) {
//!     let key = ready.sealing();
//! }
//! ```
//! The right to encrypt is not the right to decrypt:
//! ```compile_fail,E0599
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::Encrypt>) {
//!     let key = ready.opening(&todo!());
//! }
//! ```
//! Nor is the right to verify the right to sign, or to read the public key the right to use it:
//! ```
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::Sign>) {
//!     let key = ready.signing();
//! }
//! ```
//! ```compile_fail,E0599
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::Verify>) {
//!     let key = ready.signing();
//! }
//! ```
//! ```compile_fail,E0599
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::GetPublicKey>) {
//!     let key = ready.verifying();
//! }
//! ```
//! ```compile_fail,E0599
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::VerifyMac>) {
//!     let key = ready.authenticating();
//! }
//! ```
//! ```compile_fail,E0599
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::Encapsulate>) {
//!     let key = ready.decapsulating();
//! }
//! ```
//! ```compile_fail,E0599
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::Sign>) {
//!     let key = ready.agreeing();
//! }
//! ```
//! A data key is made under a symmetric key; nothing that the caller brings is encrypted with the right to make one:
//! ```compile_fail,E0599
//! use keyreeve_core::gate::{Ready, actions};
//! fn handler(ready: &Ready<'_, actions::GenerateDataKey>) {
//!     let key = ready.encrypting();
//! }
//! ```
//! A handle that moves to another thread comes from a `Ready` too:
//! ```compile_fail,E0423
//! use keyreeve_core::gate::pairs::SigningKey;
//! fn forge<T>(held: T) -> SigningKey {
//!     SigningKey(held)
//! }
//! ```
//! A key that was found but not let through has no material to give, parsed or not:
//! ```compile_fail,E0624
//! use keyreeve_core::{ring::OpenKey, vault::Vault};
//! fn handler(found: &OpenKey, vault: &Vault) {
//!     let material = found.material(&todo!(), vault);
//! }
//! ```
//! ```compile_fail,E0624
//! use keyreeve_core::ring::OpenKey;
//! fn handler(found: &OpenKey) {
//!     let pair = found.parsed();
//! }
//! ```
//! Nobody else can make a `Ready`:
//! ```compile_fail,E0451
//! use keyreeve_core::{gate::{Ready, actions}, ring::OpenKey, vault::Vault};
//! use std::sync::Arc;
//! fn forge<'a>(key: &'a Arc<OpenKey>, vault: &'a Vault) -> Ready<'a, actions::Encrypt> {
//!     Ready { key, vault, action: core::marker::PhantomData }
//! }
//! ```
//! The order of checks: authorization, then usage, then state (`error-texts`, "check order"). An error while deciding is
//! a refusal.

pub mod actions;
pub mod error;
mod facts;
mod judge;
pub mod pairs;
pub mod particulars;

use core::marker::PhantomData;
use std::collections::BTreeMap;
use std::sync::Arc;

use keyreeve_crypto::ciphertext::{self, Header, OpenError, SealError};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::random::Random;
use keyreeve_domain::{AccountId, AliasArn, AliasName, KeyArn, KeyId, KeyMaterialId, Region, Timestamp};
use keyreeve_policy::{Grant, Policy};
use zeroize::Zeroizing;

use crate::caller::Caller;
use crate::cx::Cx;
use crate::record::{KeyRecord, Lifecycle, TagRecord};
use crate::ring::OpenKey;
use crate::vault::{Vault, VaultError};
use actions::{AccountAction, Action, Changing, Opening, Sealing, States};
pub use error::{Denied, GateError, On, Why};
use judge::Question;
pub use particulars::Particulars;

/// A key that the gate let through for the action `A`.
pub struct Ready<'a, A> {
    key: &'a Arc<OpenKey>,
    vault: &'a Vault,
    action: PhantomData<A>,
}

/// Lets the caller of `cx` through to `key` for the action `A`, or says why not. `alias` is the one by which it was named.
///
/// # Errors
/// In this order: not authorized, wrong usage, wrong state.
pub async fn open<'k, A: Action>(
    cx: &Cx<'k>,
    key: &'k Arc<OpenKey>,
    alias: Option<&AliasName>,
    particulars: &Particulars<'_>,
) -> Result<Ready<'k, A>, GateError> {
    authorize::<A>(cx, key, alias, particulars).await?;
    let_through(cx, key)
}

/// Lets the caller of `cx` through to `key` to retire `grant`.
///
/// # Errors
/// As [`open`].
pub async fn open_for_grant<'k, A: Action>(
    cx: &Cx<'k>,
    key: &'k Arc<OpenKey>,
    grant: &Grant,
    particulars: &Particulars<'_>,
) -> Result<Ready<'k, A>, GateError> {
    judge::on_grant::<A>(cx, key, grant, particulars).await?;
    note_owner(cx, key);
    let_through(cx, key)
}

/// Checks that the caller may do `A` with `key`, and gives nothing of it: for the few operations that have to compare something
/// with the key before they ask for its usage and state, which [`open`] then does.
///
/// # Errors
/// Not authorized.
pub async fn authorize<A: Action>(
    cx: &Cx<'_>,
    key: &Arc<OpenKey>,
    alias: Option<&AliasName>,
    particulars: &Particulars<'_>,
) -> Result<(), GateError> {
    judge::on_key::<A>(cx, key, alias, particulars).await?;
    note_owner(cx, key);
    Ok(())
}

/// Lets the account of a key know, whatever comes of the request.
fn note_owner(cx: &Cx<'_>, key: &OpenKey) {
    let owner = key.arn().account;
    if owner != cx.caller.account() {
        cx.notes.let_through_by(owner);
    }
}

fn let_through<'k, A: Action>(cx: &Cx<'k>, key: &'k Arc<OpenKey>) -> Result<Ready<'k, A>, GateError> {
    let record = key.record();
    if A::USAGE.is_some_and(|usage| usage != record.usage) {
        return Err(GateError::Usage { key: *key.arn(), usage: record.usage, operation: A::OPERATION });
    }
    check_state(A::STATES, key, cx.now)?;
    let is_updating = record.multi_region.as_deref().is_some_and(|about| about.is_updating(key.arn().region));
    if A::STEADY && is_updating {
        return Err(GateError::Updating(*key.arn()));
    }
    Ok(Ready { key, vault: cx.service.vault(), action: PhantomData })
}

fn check_state(states: States, key: &OpenKey, now: Timestamp) -> Result<(), GateError> {
    let (arn, record) = (*key.arn(), key.record());
    let is_pending_import = record.is_pending_import(now);
    match (record.lifecycle, states) {
        (_, States::Any)
        | (
            Lifecycle::PendingDeletion { .. } | Lifecycle::PendingReplicaDeletion { .. },
            States::PendingDeletion,
        ) => Ok(()),
        (Lifecycle::PendingDeletion { .. }, _) => Err(GateError::PendingDeletion(arn)),
        (Lifecycle::PendingReplicaDeletion { .. }, _) => Err(GateError::PendingReplicaDeletion(arn)),
        (Lifecycle::Enabled | Lifecycle::Disabled, States::PendingDeletion) => {
            Err(GateError::NotPendingDeletion(arn))
        }
        (Lifecycle::Enabled | Lifecycle::Disabled, States::Complete | States::Usable)
            if is_pending_import =>
        {
            Err(GateError::PendingImport(arn))
        }
        (Lifecycle::Enabled | Lifecycle::Disabled, States::UsableOrPendingImport) if is_pending_import => {
            Ok(())
        }
        (Lifecycle::Disabled, States::Usable | States::UsableOrPendingImport) => {
            Err(GateError::Disabled(arn))
        }
        (
            Lifecycle::Enabled,
            States::Complete | States::NotPendingDeletion | States::Usable | States::UsableOrPendingImport,
        )
        | (Lifecycle::Disabled, States::Complete | States::NotPendingDeletion) => Ok(()),
    }
}

/// The right to do `A` in an account, where no key is involved.
#[derive(Debug)]
pub struct Allowed<A> {
    account: AccountId,
    action: PhantomData<A>,
}

impl<A> Allowed<A> {
    /// The account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }
}

/// Lets the caller of `cx` do `A` in its own account.
///
/// # Errors
/// Not authorized.
pub async fn open_account<A: AccountAction>(
    cx: &Cx<'_>,
    particulars: &Particulars<'_>,
) -> Result<Allowed<A>, GateError> {
    let account = cx.caller.account();
    let keys =
        A::ON_ANY_KEY.then(|| format!("arn:{}:kms:{}:{account}:key/*", cx.region.partition(), cx.region));
    // The key has no policy of its own yet. One that leaves everything to the account lets policies of its identities decide.
    let policy = keys.as_ref().and_then(|_| cx.service.written_policy(account, cx.region, None));
    let question = Question {
        action: A::action(),
        action_name: A::NAME,
        resource: keys.as_deref().unwrap_or("*"),
        account,
        key: None,
        concerns_key: A::CONCERNS_KEY,
        policy: policy.as_deref(),
        tags: &[],
        particulars,
    };
    judge::without_grants(cx, &question).await?;
    Ok(Allowed { account, action: PhantomData })
}

/// Checks that the caller of `cx` may do `A` with an alias. Policies of its own have to say so: an alias has none.
///
/// # Errors
/// Not authorized.
pub async fn authorize_alias<A: Action>(cx: &Cx<'_>, alias: &AliasArn) -> Result<(), GateError> {
    let question = Question {
        action: A::action(),
        action_name: A::NAME,
        resource: &alias.to_string(),
        account: alias.account,
        key: None,
        concerns_key: true,
        policy: None,
        tags: &[],
        particulars: &Particulars::NONE,
    };
    judge::without_grants(cx, &question).await
}

/// A resource of another service than KMS.
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere<'a> {
    /// Its ARN, or `*`.
    pub arn: &'a str,
    /// Its account.
    pub account: AccountId,
    /// Its policy, such as the trust policy of a role.
    pub policy: Option<&'a Policy>,
    /// Its tags.
    pub tags: &'a [TagRecord],
}

/// Checks that the caller of `cx` may do `action`, such as `iam:CreateUser`, with a resource of another service.
///
/// # Errors
/// Not authorized.
pub async fn authorize_elsewhere(
    cx: &Cx<'_>,
    action: &str,
    resource: Elsewhere<'_>,
    particulars: &Particulars<'_>,
) -> Result<(), GateError> {
    let question = Question {
        action: &keyreeve_policy::Action::new(action),
        action_name: action,
        resource: resource.arn,
        account: resource.account,
        key: None,
        concerns_key: false,
        policy: resource.policy,
        tags: resource.tags,
        particulars,
    };
    judge::without_grants(cx, &question).await
}

/// Whether the policies that bear on a use of `key` ask for what the recipient of the answer has attested.
///
/// # Errors
/// Where the store cannot be read.
pub async fn asks_for_attestation(cx: &Cx<'_>, key: &OpenKey) -> Result<bool, VaultError> {
    judge::asks_for_attestation(cx, key).await
}

/// Whether the caller of `cx` could put the next policy of the key `arn` if `policy` were its policy. `key` is the key, where it
/// exists already.
#[must_use]
pub fn could_put_next(cx: &Cx<'_>, arn: &KeyArn, key: Option<&OpenKey>, policy: &Policy) -> bool {
    judge::could_put_next(cx, arn, key, policy)
}

/// The refusal of a foreign key that may or may not exist.
#[must_use]
pub fn unseen<A: Action>(caller: &Caller, particulars: &Particulars<'_>) -> GateError {
    unseen_action(caller, A::NAME, particulars)
}

/// As [`unseen`], by the name of the action.
#[must_use]
pub fn unseen_action(caller: &Caller, action: &str, particulars: &Particulars<'_>) -> GateError {
    let on = if particulars.by_ciphertext { On::Ciphertext } else { On::Unseen };
    let (caller, action) = (caller.arn().to_owned(), action.to_owned());
    Box::new(Denied { caller, action, on, why: Why::Unseen }).into()
}

impl<'a, A> Ready<'a, A> {
    /// The key's ARN.
    #[must_use]
    pub fn arn(&self) -> &'a KeyArn {
        self.key.arn()
    }

    /// The key's ARN as text.
    #[must_use]
    pub fn arn_text(&self) -> &'a str {
        self.key.arn_text()
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.key.arn().key
    }

    /// The key's Region.
    #[must_use]
    pub fn region(&self) -> Region {
        self.key.arn().region
    }

    /// The key's record.
    #[must_use]
    pub fn record(&self) -> &'a KeyRecord {
        self.key.record()
    }
}

impl<'a, A: Changing> Ready<'a, A> {
    /// The key, to be replaced in the store.
    #[must_use]
    pub fn changing(&self) -> &'a OpenKey {
        self.key
    }
}

impl<'a, A: Sealing> Ready<'a, A> {
    /// The current material, to encrypt with.
    ///
    /// # Errors
    /// Where the material does not open.
    pub fn sealing(&self) -> Result<SealingKey<'a>, VaultError> {
        let damaged = || VaultError::Damaged(self.arn_text().to_owned());
        let current = self.record().materials.last().ok_or_else(damaged)?.id;
        let material = self.key.material(&current, self.vault)?.ok_or_else(damaged)?;
        Ok(SealingKey { material, header: Header { key: self.id(), material: current } })
    }
}

impl<'a, A: Opening> Ready<'a, A> {
    /// The material with the id `id`, to decrypt with; `None` where this key never had it.
    ///
    /// # Errors
    /// Where the material does not open.
    pub fn opening(&self, id: &KeyMaterialId) -> Result<Option<OpeningKey<'a>>, VaultError> {
        Ok(self.key.material(id, self.vault)?.map(OpeningKey))
    }
}

/// A handle that encrypts: what holds the material behind it is the key store's business.
pub struct SealingKey<'a> {
    material: &'a KeyMaterial,
    header: Header,
}

impl SealingKey<'_> {
    /// The id of the material.
    #[must_use]
    pub fn material_id(&self) -> KeyMaterialId {
        self.header.material
    }

    /// Encrypts `plaintext` into a CiphertextBlob.
    ///
    /// # Errors
    /// Where the random number generator or the library fails.
    pub fn seal(
        &self,
        context: &BTreeMap<String, String>,
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        let mut blob = Vec::new();
        ciphertext::seal(self.material, &self.header, context, plaintext, random, &mut blob)?;
        Ok(blob)
    }
}

/// A handle that decrypts.
pub struct OpeningKey<'a>(&'a KeyMaterial);

impl OpeningKey<'_> {
    /// Decrypts a CiphertextBlob.
    ///
    /// # Errors
    /// One error for every reason.
    pub fn open(
        &self,
        blob: &[u8],
        context: &BTreeMap<String, String>,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        ciphertext::open(self.0, blob, context)
    }
}
