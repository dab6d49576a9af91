//! The actions: what each needs of a key.
//!
//! Source: the state table of <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>, corrected by
//! recordings of the service.

use std::sync::LazyLock;

use keyreeve_domain::spec::KeyUsage;
use keyreeve_policy as policy;

/// The states in which an action is possible.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum States {
    /// Every state.
    Any,
    /// Every state but pending deletion.
    NotPendingDeletion,
    /// Enabled or disabled.
    Complete,
    /// Pending deletion alone.
    PendingDeletion,
    /// Enabled alone.
    Usable,
    /// Enabled, or pending import.
    UsableOrPendingImport,
}

/// An action on a key.
pub trait Action {
    /// The IAM action, such as `kms:Encrypt`.
    const NAME: &'static str;
    /// The operation, as error texts name it.
    const OPERATION: &'static str;
    /// The usage that the key must have.
    const USAGE: Option<KeyUsage>;
    /// The states that the key must be in.
    const STATES: States;
    /// Whether a grant can give it.
    const GRANTABLE: bool;
    /// Whether it counts against the request quota of cryptographic operations with keys of its kind.
    const METERED: bool;
    /// Whether it needs a key that is not about to become the primary key of its related keys, or to be it no longer.
    const STEADY: bool;

    /// The action as policies know it.
    fn action() -> &'static policy::Action;
}

/// An action in an account, on no key.
pub trait AccountAction {
    /// The IAM action, such as `kms:CreateKey`.
    const NAME: &'static str;
    /// Whether it is about a key, which is not there yet.
    const CONCERNS_KEY: bool;
    /// Whether it is asked for on every key of the account and Region, in place of no resource: on one that has no id yet.
    const ON_ANY_KEY: bool = false;

    /// The action as policies know it.
    fn action() -> &'static policy::Action;
}

/// An action that counts as a cryptographic operation with a key.
pub trait Metered: Action {}
/// An action that needs a key whose place among its related keys does not change.
pub trait Steady: Action {}
/// An action that encrypts.
pub trait Sealing: Action {}
/// An action that decrypts.
pub trait Opening: Action {}
/// An action that encrypts what the caller brings, with a key of any kind.
pub trait Encrypting: Sealing {}
/// An action that signs.
pub trait Signing: Action {}
/// An action that verifies a signature.
pub trait Verifying: Action {}
/// An action that makes a MAC.
pub trait Authenticating: Action {}
/// An action that verifies a MAC.
pub trait VerifyingMac: Action {}
/// An action that agrees on a secret with the owner of another key.
pub trait Agreeing: Action {}
/// An action that makes a secret for the owner of the key.
pub trait Encapsulating: Action {}
/// An action that recovers such a secret.
pub trait Decapsulating: Action {}
/// An action that hands out the public key.
pub trait ReadingPublicKey: Action {}
/// An action that changes the key's record.
pub trait Changing: Action {}

macro_rules! key_actions {
    ($($(#[$doc:meta])* $name:ident($operation:ident), $usage:expr, $states:ident, $grantable:literal $(, $capability:ident)*;)+) => {$(
        $(#[$doc])*
        #[doc = concat!("The action `kms:", stringify!($name), "`.")]
        #[derive(Debug)]
        pub enum $name {}

        impl Action for $name {
            const NAME: &'static str = concat!("kms:", stringify!($name));
            const OPERATION: &'static str = stringify!($operation);
            const USAGE: Option<KeyUsage> = $usage;
            const STATES: States = States::$states;
            const GRANTABLE: bool = $grantable;
            const METERED: bool = has(&[$(stringify!($capability)),*], "Metered");
            const STEADY: bool = has(&[$(stringify!($capability)),*], "Steady");

            fn action() -> &'static policy::Action {
                static ACTION: LazyLock<policy::Action> =
                    LazyLock::new(|| policy::Action::new(concat!("kms:", stringify!($name))));
                &ACTION
            }
        }
        $(impl $capability for $name {})*
    )+};
}

/// Whether a capability is in a list.
const fn has(capabilities: &[&str], wanted: &str) -> bool {
    let mut rest = capabilities;
    while let [first, others @ ..] = rest {
        if is_same(first.as_bytes(), wanted.as_bytes()) {
            return true;
        }
        rest = others;
    }
    false
}

const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([first, rest @ ..], [second, others @ ..]) = (one, other) {
        if *first != *second {
            return false;
        }
        (one, other) = (rest, others);
    }
    one.is_empty() && other.is_empty()
}

const AGREEMENT: Option<KeyUsage> = Some(KeyUsage::KeyAgreement);
const ENCAPSULATION: Option<KeyUsage> = Some(KeyUsage::EncapsulateDecapsulate);
const ENCRYPTION: Option<KeyUsage> = Some(KeyUsage::EncryptDecrypt);
const MAC: Option<KeyUsage> = Some(KeyUsage::GenerateVerifyMac);
const SIGNATURE: Option<KeyUsage> = Some(KeyUsage::SignVerify);

key_actions! {
    CancelKeyDeletion(CancelKeyDeletion), None, PendingDeletion, false, Changing;
    CreateAlias(CreateAlias), None, NotPendingDeletion, false;
    CreateGrant(CreateGrant), None, Usable, true;
    Decapsulate(Decapsulate), ENCAPSULATION, Usable, true, Metered, Decapsulating;
    Decrypt(Decrypt), ENCRYPTION, Usable, true, Metered, Opening;
    DeleteAlias(DeleteAlias), None, Any, false;
    DeleteImportedKeyMaterial(DeleteImportedKeyMaterial), None, Any, false, Steady, Changing;
    DeriveSharedSecret(DeriveSharedSecret), AGREEMENT, Usable, true, Metered, Agreeing;
    DescribeKey(DescribeKey), None, Any, true;
    DisableKey(DisableKey), None, Complete, false, Steady, Changing;
    DisableKeyRotation(DisableKeyRotation), None, UsableOrPendingImport, false, Changing;
    EnableKey(EnableKey), None, Complete, false, Steady, Changing;
    EnableKeyRotation(EnableKeyRotation), None, UsableOrPendingImport, false, Changing;
    Encapsulate(Encapsulate), ENCAPSULATION, Usable, true, Metered, Encapsulating;
    Encrypt(Encrypt), ENCRYPTION, Usable, true, Metered, Sealing, Encrypting;
    GenerateDataKey(GenerateDataKey), ENCRYPTION, Usable, true, Metered, Sealing;
    GenerateDataKeyPair(GenerateDataKeyPair), ENCRYPTION, Usable, true, Sealing;
    GenerateDataKeyPairWithoutPlaintext(GenerateDataKeyPairWithoutPlaintext), ENCRYPTION, Usable, true, Sealing;
    GenerateDataKeyWithoutPlaintext(GenerateDataKeyWithoutPlaintext), ENCRYPTION, Usable, true, Metered, Sealing;
    GenerateMac(GenerateMac), MAC, Usable, true, Metered, Authenticating;
    GetKeyLastUsage(GetKeyLastUsage), None, Any, false;
    GetKeyPolicy(GetKeyPolicy), None, Any, false;
    GetKeyRotationStatus(GetKeyRotationStatus), None, Any, false;
    GetParametersForImport(GetParametersForImport), None, NotPendingDeletion, false, Steady;
    GetPublicKey(GetPublicKey), None, Complete, true, ReadingPublicKey;
    ImportKeyMaterial(ImportKeyMaterial), None, NotPendingDeletion, false, Changing;
    ListGrants(ListGrants), None, Any, false;
    ListKeyPolicies(ListKeyPolicies), None, Any, false;
    ListKeyRotations(ListKeyRotations), None, Any, false;
    ListResourceTags(ListResourceTags), None, Any, false;
    PutKeyPolicy(PutKeyPolicy), None, Any, false, Changing;
    ReEncryptFrom(ReEncrypt), ENCRYPTION, Usable, true, Metered, Opening;
    ReEncryptTo(ReEncrypt), ENCRYPTION, Usable, true, Sealing, Encrypting;
    ReplicateKey(ReplicateKey), None, Usable, false, Steady, Changing;
    RetireGrant(RetireGrant), None, Any, true;
    RevokeGrant(RevokeGrant), None, Any, false;
    RotateKeyOnDemand(RotateKeyOnDemand), None, Usable, false, Steady, Changing;
    ScheduleKeyDeletion(ScheduleKeyDeletion), None, NotPendingDeletion, false, Steady, Changing;
    Sign(Sign), SIGNATURE, Usable, true, Metered, Signing;
    TagResource(TagResource), None, NotPendingDeletion, false, Changing;
    UntagResource(UntagResource), None, NotPendingDeletion, false, Changing;
    UpdateAlias(UpdateAlias), None, NotPendingDeletion, false;
    UpdatePrimaryRegion(UpdatePrimaryRegion), None, Usable, false, Steady, Changing;
    UpdateKeyDescription(UpdateKeyDescription), None, NotPendingDeletion, false, Changing;
    Verify(Verify), SIGNATURE, Usable, true, Metered, Verifying;
    VerifyMac(VerifyMac), MAC, Usable, true, Metered, VerifyingMac;
}

/// The action `kms:UpdateAlias` on the key that the alias leaves, which may be in any state.
#[derive(Debug)]
pub enum UpdateAliasFrom {}

impl Action for UpdateAliasFrom {
    const NAME: &'static str = UpdateAlias::NAME;
    const OPERATION: &'static str = UpdateAlias::OPERATION;
    const USAGE: Option<KeyUsage> = None;
    const STATES: States = States::Any;
    const GRANTABLE: bool = false;
    const METERED: bool = false;
    const STEADY: bool = false;

    fn action() -> &'static policy::Action {
        UpdateAlias::action()
    }
}

macro_rules! account_actions {
    ($($name:ident, $concerns_key:literal;)+) => {$(
        #[doc = concat!("The action `kms:", stringify!($name), "` in an account.")]
        #[derive(Debug)]
        pub enum $name {}

        impl AccountAction for $name {
            const NAME: &'static str = concat!("kms:", stringify!($name));
            const CONCERNS_KEY: bool = $concerns_key;

            fn action() -> &'static policy::Action {
                static ACTION: LazyLock<policy::Action> =
                    LazyLock::new(|| policy::Action::new(concat!("kms:", stringify!($name))));
                &ACTION
            }
        }
    )+};
}

account_actions! {
    CreateKey, true;
    GenerateRandom, false;
    ListAliases, false;
    ListKeys, false;
    ListRetirableGrants, false;
}

/// The action `kms:TagResource` on a key that is being made.
#[derive(Debug)]
pub enum TagNewKey {}

impl AccountAction for TagNewKey {
    const NAME: &'static str = TagResource::NAME;
    const CONCERNS_KEY: bool = true;
    // Documented: the right must cover all keys of the account and Region.
    // Source: https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html
    const ON_ANY_KEY: bool = true;

    fn action() -> &'static policy::Action {
        TagResource::action()
    }
}
