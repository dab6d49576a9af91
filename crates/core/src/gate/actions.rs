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

    /// The action as policies know it.
    fn action() -> &'static policy::Action;
}

/// An action in an account, on no key.
pub trait AccountAction {
    /// The IAM action, such as `kms:CreateKey`.
    const NAME: &'static str;

    /// The action as policies know it.
    fn action() -> &'static policy::Action;
}

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
    ($($(#[$doc:meta])* $name:ident($operation:ident), $usage:expr, $states:ident, $grantable:literal, $metered:literal $(, $capability:ident)*;)+) => {$(
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
            const METERED: bool = $metered;

            fn action() -> &'static policy::Action {
                static ACTION: LazyLock<policy::Action> =
                    LazyLock::new(|| policy::Action::new(concat!("kms:", stringify!($name))));
                &ACTION
            }
        }
        $(impl $capability for $name {})*
    )+};
}

const AGREEMENT: Option<KeyUsage> = Some(KeyUsage::KeyAgreement);
const ENCAPSULATION: Option<KeyUsage> = Some(KeyUsage::EncapsulateDecapsulate);
const ENCRYPTION: Option<KeyUsage> = Some(KeyUsage::EncryptDecrypt);
const MAC: Option<KeyUsage> = Some(KeyUsage::GenerateVerifyMac);
const SIGNATURE: Option<KeyUsage> = Some(KeyUsage::SignVerify);

key_actions! {
    CancelKeyDeletion(CancelKeyDeletion), None, PendingDeletion, false, false, Changing;
    CreateAlias(CreateAlias), None, NotPendingDeletion, false, false;
    CreateGrant(CreateGrant), None, Usable, true, false;
    Decapsulate(Decapsulate), ENCAPSULATION, Usable, true, true, Decapsulating;
    Decrypt(Decrypt), ENCRYPTION, Usable, true, true, Opening;
    DeleteAlias(DeleteAlias), None, Any, false, false;
    DeleteImportedKeyMaterial(DeleteImportedKeyMaterial), None, Any, false, false, Changing;
    DeriveSharedSecret(DeriveSharedSecret), AGREEMENT, Usable, true, true, Agreeing;
    DescribeKey(DescribeKey), None, Any, true, false;
    DisableKey(DisableKey), None, Complete, false, false, Changing;
    DisableKeyRotation(DisableKeyRotation), None, UsableOrPendingImport, false, false, Changing;
    EnableKey(EnableKey), None, Complete, false, false, Changing;
    EnableKeyRotation(EnableKeyRotation), None, UsableOrPendingImport, false, false, Changing;
    Encapsulate(Encapsulate), ENCAPSULATION, Usable, true, true, Encapsulating;
    Encrypt(Encrypt), ENCRYPTION, Usable, true, true, Sealing, Encrypting;
    GenerateDataKey(GenerateDataKey), ENCRYPTION, Usable, true, true, Sealing;
    GenerateDataKeyPair(GenerateDataKeyPair), ENCRYPTION, Usable, true, false, Sealing;
    GenerateDataKeyPairWithoutPlaintext(GenerateDataKeyPairWithoutPlaintext), ENCRYPTION, Usable, true, false, Sealing;
    GenerateDataKeyWithoutPlaintext(GenerateDataKeyWithoutPlaintext), ENCRYPTION, Usable, true, true, Sealing;
    GenerateMac(GenerateMac), MAC, Usable, true, true, Authenticating;
    GetKeyLastUsage(GetKeyLastUsage), None, Any, false, false;
    GetKeyPolicy(GetKeyPolicy), None, Any, false, false;
    GetKeyRotationStatus(GetKeyRotationStatus), None, Any, false, false;
    GetParametersForImport(GetParametersForImport), None, NotPendingDeletion, false, false;
    GetPublicKey(GetPublicKey), None, Complete, true, false, ReadingPublicKey;
    ImportKeyMaterial(ImportKeyMaterial), None, NotPendingDeletion, false, false, Changing;
    ListGrants(ListGrants), None, Any, false, false;
    ListKeyPolicies(ListKeyPolicies), None, Any, false, false;
    ListKeyRotations(ListKeyRotations), None, Any, false, false;
    ListResourceTags(ListResourceTags), None, Any, false, false;
    PutKeyPolicy(PutKeyPolicy), None, Any, false, false, Changing;
    ReEncryptFrom(ReEncrypt), ENCRYPTION, Usable, true, true, Opening;
    ReEncryptTo(ReEncrypt), ENCRYPTION, Usable, true, false, Sealing, Encrypting;
    RetireGrant(RetireGrant), None, Any, true, false;
    RevokeGrant(RevokeGrant), None, Any, false, false;
    RotateKeyOnDemand(RotateKeyOnDemand), None, Usable, false, false, Changing;
    ScheduleKeyDeletion(ScheduleKeyDeletion), None, NotPendingDeletion, false, false, Changing;
    Sign(Sign), SIGNATURE, Usable, true, true, Signing;
    TagResource(TagResource), None, NotPendingDeletion, false, false, Changing;
    UntagResource(UntagResource), None, NotPendingDeletion, false, false, Changing;
    UpdateAlias(UpdateAlias), None, NotPendingDeletion, false, false;
    UpdateKeyDescription(UpdateKeyDescription), None, NotPendingDeletion, false, false, Changing;
    Verify(Verify), SIGNATURE, Usable, true, true, Verifying;
    VerifyMac(VerifyMac), MAC, Usable, true, true, VerifyingMac;
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

    fn action() -> &'static policy::Action {
        UpdateAlias::action()
    }
}

macro_rules! account_actions {
    ($($name:ident),+ $(,)?) => {$(
        #[doc = concat!("The action `kms:", stringify!($name), "` in an account.")]
        #[derive(Debug)]
        pub enum $name {}

        impl AccountAction for $name {
            const NAME: &'static str = concat!("kms:", stringify!($name));

            fn action() -> &'static policy::Action {
                static ACTION: LazyLock<policy::Action> =
                    LazyLock::new(|| policy::Action::new(concat!("kms:", stringify!($name))));
                &ACTION
            }
        }
    )+};
}

account_actions! { CreateKey, GenerateRandom, ListAliases, ListKeys, ListRetirableGrants }

/// The action `kms:TagResource` on a key that is being made.
#[derive(Debug)]
pub enum TagNewKey {}

impl AccountAction for TagNewKey {
    const NAME: &'static str = TagResource::NAME;

    fn action() -> &'static policy::Action {
        TagResource::action()
    }
}
