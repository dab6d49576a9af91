//! The gate stays shut: why, and what the caller is told.
//!
//! The texts are those of the service (`error-texts`, `authorization` section 6).

use keyreeve_domain::KeyArn;
use keyreeve_domain::spec::KeyUsage;
use keyreeve_policy::{Decision, Lack, Layer};
use keyreeve_wire::ErrorCode;

use crate::refusal::Refusal;
use crate::vault::VaultError;

/// The gate stays shut.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GateError {
    /// The caller may not do this.
    #[error(transparent)]
    Denied(#[from] Box<Denied>),
    /// The key is disabled.
    #[error("`{0}` is disabled")]
    Disabled(KeyArn),
    /// The key is not waiting for its deletion.
    #[error("`{0}` is not pending deletion")]
    NotPendingDeletion(KeyArn),
    /// The key waits for its deletion.
    #[error("`{0}` is pending deletion")]
    PendingDeletion(KeyArn),
    /// The key waits for the deletion of its replica keys.
    #[error("`{0}` is pending replica deletion")]
    PendingReplicaDeletion(KeyArn),
    /// The key waits for imported material.
    #[error("`{0}` is pending import")]
    PendingImport(KeyArn),
    /// The key is about to become the primary key, or to be it no longer.
    #[error("`{0}` is updating")]
    Updating(KeyArn),
    /// It could not be decided.
    #[error(transparent)]
    Undecided(#[from] VaultError),
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

/// A caller may not do something.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("User: {caller} is not authorized to perform: {action}{on} {why}")]
pub struct Denied {
    /// The ARN of the caller.
    pub caller: String,
    /// The action, such as `kms:Encrypt`.
    pub action: String,
    /// With what; how it is said.
    pub on: On,
    /// Why not.
    pub why: Why,
}

/// With what something may not be done, as a refusal says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum On {
    /// The key that made a ciphertext: which one it is, is not said.
    Ciphertext,
    /// Nothing is said.
    Nothing,
    /// A resource by its ARN, or `*`.
    Resource(String),
    /// A resource that is not said to exist.
    Unseen,
}

/// Why something may not be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Why {
    /// A policy of this layer denies it.
    Denied(Layer),
    /// No policy of this layer allows the action.
    Lacking(Layer, String),
    /// A key of another account: nothing is said of whether it exists.
    Unseen,
}

impl core::fmt::Display for On {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Ciphertext => f.write_str(" on the resource associated with this ciphertext"),
            Self::Nothing => Ok(()),
            Self::Resource(resource) => write!(f, " on resource: {resource}"),
            Self::Unseen => f.write_str(" on this resource"),
        }
    }
}

impl core::fmt::Display for Why {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Denied(layer @ Layer::Identity) => write!(f, "with an explicit deny in an {layer}"),
            Self::Denied(layer) => write!(f, "with an explicit deny in a {layer}"),
            Self::Lacking(layer, action) => write!(f, "because no {layer} allows the {action} action"),
            Self::Unseen => f.write_str(
                "because the resource does not exist in this Region, no resource-based policies allow access, or a \
                 resource-based policy explicitly denies access",
            ),
        }
    }
}

impl Why {
    /// Why `decision` refuses `action` to a caller of another account than the resource's, or of the same.
    pub(crate) fn of(decision: &Decision<'_>, action: &str, is_foreign: bool) -> Self {
        match decision {
            Decision::ExplicitDeny(cause) if is_foreign && cause.layer == Layer::Key => Self::Unseen,
            Decision::ImplicitDeny(Lack::Layer(Layer::Key) | Lack::CrossAccount) if is_foreign => {
                Self::Unseen
            }
            Decision::ExplicitDeny(cause) => Self::Denied(cause.layer),
            Decision::ImplicitDeny(Lack::Layer(layer)) => Self::Lacking(*layer, action.to_owned()),
            Decision::Allow(_)
            | Decision::ImplicitDeny(
                Lack::Anonymous | Lack::CrossAccount | Lack::TooDear | Lack::WrongResource,
            ) => Self::Lacking(Layer::Key, action.to_owned()),
        }
    }
}

impl From<GateError> for Refusal {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Denied(denied) => Self::new(ErrorCode::AccessDenied, denied.to_string()),
            GateError::Disabled(key) => Self::new(ErrorCode::Disabled, format!("{key} is disabled.")),
            GateError::NotPendingDeletion(key) => {
                Self::new(ErrorCode::KmsInvalidState, format!("{key} is not pending deletion."))
            }
            GateError::PendingDeletion(key) => {
                Self::new(ErrorCode::KmsInvalidState, format!("{key} is pending deletion."))
            }
            // AWS: unverified. The form is that of the others.
            GateError::PendingReplicaDeletion(key) => {
                Self::new(ErrorCode::KmsInvalidState, format!("{key} is pending replica deletion."))
            }
            GateError::Updating(key) => Self::new(ErrorCode::KmsInvalidState, format!("{key} is updating.")),
            GateError::PendingImport(key) => {
                Self::new(ErrorCode::KmsInvalidState, format!("{key} is pending import."))
            }
            GateError::Undecided(error) => error.into(),
            GateError::Usage { key, usage, operation } => Self::new(
                ErrorCode::InvalidKeyUsage,
                format!("{key} key usage is {usage} which is not valid for {operation}."),
            ),
        }
    }
}
