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
pub mod pairs;

use core::marker::PhantomData;
use std::collections::BTreeMap;
use std::sync::Arc;

use keyreeve_crypto::ciphertext::{self, Header, OpenError, SealError};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::random::Random;
use keyreeve_domain::spec::{KeyManager, KeyUsage};
use keyreeve_domain::{AccountId, KeyArn, KeyId, KeyMaterialId, Region};
use keyreeve_wire::ErrorCode;
use zeroize::Zeroizing;

use crate::caller::{Caller, Principal};
use crate::record::{KeyRecord, Lifecycle};
use crate::refusal::Refusal;
use crate::ring::OpenKey;
use crate::vault::{Vault, VaultError};
use actions::{AccountAction, Action, Changing, Opening, Sealing, States};

/// The gate stays shut.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GateError {
    /// The caller may not do this.
    #[error("`{caller}` may not do `{action}` on `{resource}`")]
    Denied {
        /// The ARN of the caller.
        caller: String,
        /// The IAM action.
        action: &'static str,
        /// The ARN of the resource, or `*`.
        resource: String,
        /// Whose policy did not allow it.
        missing: MissingAllow,
    },
    /// The key is disabled.
    #[error("`{0}` is disabled")]
    Disabled(KeyArn),
    /// The key is not waiting for its deletion.
    #[error("`{0}` is not pending deletion")]
    NotPendingDeletion(KeyArn),
    /// The key waits for its deletion.
    #[error("`{0}` is pending deletion")]
    PendingDeletion(KeyArn),
    /// The key is for something else.
    #[error("`{key}` is for {usage}, not for {operation}")]
    Usage {
        /// The key.
        key: KeyArn,
        /// What it is for.
        usage: KeyUsage,
        /// The operation that was called.
        operation: &'static str,
    },
}

/// Which kind of policy would have had to allow a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MissingAllow {
    /// A policy of the caller.
    Identity,
    /// The key policy.
    Resource,
    /// The key policy of a key in another account, or none: nothing is said of whether the key exists.
    Unseen,
}

impl From<GateError> for Refusal {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Denied { caller, action, resource, missing } => {
                let why = match missing {
                    MissingAllow::Identity => {
                        format!(
                            "on resource: {resource} because no identity-based policy allows the {action} action"
                        )
                    }
                    MissingAllow::Resource => {
                        format!(
                            "on resource: {resource} because no resource-based policy allows the {action} action"
                        )
                    }
                    MissingAllow::Unseen => UNSEEN.to_owned(),
                };
                Self::new(
                    ErrorCode::AccessDenied,
                    format!("User: {caller} is not authorized to perform: {action} {why}"),
                )
            }
            GateError::Disabled(key) => Self::new(ErrorCode::Disabled, format!("{key} is disabled.")),
            GateError::NotPendingDeletion(key) => {
                Self::new(ErrorCode::KmsInvalidState, format!("{key} is not pending deletion."))
            }
            GateError::PendingDeletion(key) => {
                Self::new(ErrorCode::KmsInvalidState, format!("{key} is pending deletion."))
            }
            GateError::Usage { key, usage, operation } => Self::new(
                ErrorCode::InvalidKeyUsage,
                format!("{key} key usage is {usage} which is not valid for {operation}."),
            ),
        }
    }
}

const UNSEEN: &str = "on this resource because the resource does not exist in this Region, no resource-based policies \
                      allow access, or a resource-based policy explicitly denies access";

/// A key that the gate let through for the action `A`.
pub struct Ready<'a, A> {
    key: &'a Arc<OpenKey>,
    vault: &'a Vault,
    action: PhantomData<A>,
}

/// Lets `caller` through to `key` for the action `A`, or says why not.
///
/// # Errors
/// In this order: not authorized, wrong usage, wrong state.
pub fn open<'a, A: Action>(
    caller: &Caller,
    vault: &'a Vault,
    key: &'a Arc<OpenKey>,
) -> Result<Ready<'a, A>, GateError> {
    authorize::<A>(caller, key)?;
    let record = key.record();
    if A::USAGE.is_some_and(|usage| usage != record.usage) {
        return Err(GateError::Usage { key: *key.arn(), usage: record.usage, operation: A::OPERATION });
    }
    check_state(A::STATES, key)?;
    Ok(Ready { key, vault, action: PhantomData })
}

/// Checks that `caller` may do `A` with `key`, and gives nothing of it: for the few operations that have to compare something
/// with the key before they ask for its usage and state, which [`open`] then does.
///
/// Until policies are evaluated, the root of the account that owns the key is the one principal that may do anything.
/// With an AWS managed key it may use and look, but not change.
///
/// # Errors
/// Not authorized.
pub fn authorize<A: Action>(caller: &Caller, key: &OpenKey) -> Result<(), GateError> {
    let denied = |missing| {
        Err(GateError::Denied {
            caller: caller.arn().to_owned(),
            action: A::NAME,
            resource: key.arn_text().to_owned(),
            missing,
        })
    };
    if caller.account() != key.arn().account {
        return denied(MissingAllow::Unseen);
    }
    match caller.principal() {
        Principal::Root if key.record().manager == KeyManager::Aws && !A::ON_MANAGED => {
            denied(MissingAllow::Resource)
        }
        Principal::Root => Ok(()),
        Principal::User(_) | Principal::Role(_) | Principal::FederatedUser(_) | Principal::Service(_) => {
            denied(MissingAllow::Identity)
        }
    }
}

fn check_state(states: States, key: &OpenKey) -> Result<(), GateError> {
    let arn = *key.arn();
    match (key.record().lifecycle, states) {
        (_, States::Any)
        | (Lifecycle::Enabled, States::Usable | States::NotPendingDeletion)
        | (Lifecycle::Disabled, States::NotPendingDeletion)
        | (Lifecycle::PendingDeletion { .. }, States::PendingDeletion) => Ok(()),
        (Lifecycle::Disabled, States::Usable) => Err(GateError::Disabled(arn)),
        (Lifecycle::PendingDeletion { .. }, States::NotPendingDeletion | States::Usable) => {
            Err(GateError::PendingDeletion(arn))
        }
        (Lifecycle::Enabled | Lifecycle::Disabled, States::PendingDeletion) => {
            Err(GateError::NotPendingDeletion(arn))
        }
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

/// Lets `caller` do `A` in its own account.
///
/// # Errors
/// Where the caller is not authorized.
pub fn open_account<A: AccountAction>(caller: &Caller) -> Result<Allowed<A>, GateError> {
    match caller.principal() {
        Principal::Root => Ok(Allowed { account: caller.account(), action: PhantomData }),
        Principal::User(_) | Principal::Role(_) | Principal::FederatedUser(_) | Principal::Service(_) => {
            Err(GateError::Denied {
                caller: caller.arn().to_owned(),
                action: A::NAME,
                resource: "*".to_owned(),
                missing: MissingAllow::Identity,
            })
        }
    }
}

/// The refusal of a foreign key that may or may not exist.
#[must_use]
pub fn unseen<A: Action>(caller: &Caller) -> GateError {
    GateError::Denied {
        caller: caller.arn().to_owned(),
        action: A::NAME,
        resource: String::new(),
        missing: MissingAllow::Unseen,
    }
}

/// The refusal of a ciphertext whose key is unknown here, or not for this caller.
#[must_use]
pub fn unseen_ciphertext<A: Action>(caller: &Caller) -> Refusal {
    let (caller, action) = (caller.arn(), A::NAME);
    let why = "the resource does not exist in this Region, no resource-based policies allow access, or a resource-based \
               policy explicitly denies access";
    Refusal::new(
        ErrorCode::AccessDenied,
        format!(
            "User: {caller} is not authorized to perform: {action} on the resource associated with this ciphertext \
             because {why}"
        ),
    )
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
