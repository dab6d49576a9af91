//! The operations of the API and the request and answer of each.

mod aliases;
mod cryptography;
mod custom_key_stores;
mod data_keys;
mod grants;
mod keys;
mod material;
mod policies;
mod tags;

use std::fmt;

pub use aliases::*;
pub use cryptography::*;
pub use custom_key_stores::*;
pub use data_keys::*;
pub use grants::*;
pub use keys::*;
pub use material::*;
pub use policies::*;
pub use tags::*;

macro_rules! operations {
    ($($name:ident: $effect:ident,)+) => {
        /// An operation, in the order of the service model.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Operation {
            $(#[doc = concat!("[`", stringify!($name), "`](https://docs.aws.amazon.com/kms/latest/APIReference/API_", stringify!($name), ".html)")] $name,)+
        }

        impl Operation {
            /// Every operation, in the order of the service model.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name, as the API spells it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// The operation of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// Whether CloudTrail calls it read-only. The use of a key counts as reading.
            pub const fn read_only(self) -> bool {
                match self {
                    $(Self::$name => operations!(@$effect),)+
                }
            }
        }
    };
    (@reads) => { true };
    (@writes) => { false };
}

operations! {
    CancelKeyDeletion: writes,
    ConnectCustomKeyStore: writes,
    CreateAlias: writes,
    CreateCustomKeyStore: writes,
    CreateGrant: writes,
    CreateKey: writes,
    Decapsulate: reads,
    Decrypt: reads,
    DeleteAlias: writes,
    DeleteCustomKeyStore: writes,
    DeleteImportedKeyMaterial: writes,
    DeriveSharedSecret: reads,
    DescribeCustomKeyStores: reads,
    DescribeKey: reads,
    DisableKey: writes,
    DisableKeyRotation: writes,
    DisconnectCustomKeyStore: writes,
    EnableKey: writes,
    EnableKeyRotation: writes,
    Encapsulate: reads,
    Encrypt: reads,
    GenerateDataKey: reads,
    GenerateDataKeyPair: reads,
    GenerateDataKeyPairWithoutPlaintext: reads,
    GenerateDataKeyWithoutPlaintext: reads,
    GenerateMac: reads,
    GenerateRandom: reads,
    GetKeyLastUsage: reads,
    GetKeyPolicy: reads,
    GetKeyRotationStatus: reads,
    GetParametersForImport: reads,
    GetPublicKey: reads,
    ImportKeyMaterial: writes,
    ListAliases: reads,
    ListGrants: reads,
    ListKeyPolicies: reads,
    ListKeyRotations: reads,
    ListKeys: reads,
    ListResourceTags: reads,
    ListRetirableGrants: reads,
    PutKeyPolicy: writes,
    ReEncrypt: reads,
    ReplicateKey: writes,
    RetireGrant: writes,
    RevokeGrant: writes,
    RotateKeyOnDemand: writes,
    ScheduleKeyDeletion: writes,
    Sign: reads,
    TagResource: writes,
    UntagResource: writes,
    UpdateAlias: writes,
    UpdateCustomKeyStore: writes,
    UpdateKeyDescription: writes,
    UpdatePrimaryRegion: writes,
    Verify: reads,
    VerifyMac: reads,
}

impl Operation {
    /// The operation that an `X-Amz-Target` header names: `TrentService.` and the name.
    pub fn from_target(target: &str) -> Option<Self> {
        target.strip_prefix("TrentService.").and_then(Self::from_name)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_an_operation_exactly() {
        for (target, operation) in [
            ("TrentService.Encrypt", Some(Operation::Encrypt)),
            (
                "TrentService.GenerateDataKeyWithoutPlaintext",
                Some(Operation::GenerateDataKeyWithoutPlaintext),
            ),
            ("TrentService.encrypt", None),
            ("TrentService.Encrypt ", None),
            ("trentservice.Encrypt", None),
            ("Encrypt", None),
            ("TrentService.", None),
            ("", None),
        ] {
            assert_eq!(Operation::from_target(target), operation, "{target:?}");
        }
        for operation in Operation::ALL.iter().copied() {
            assert_eq!(Operation::from_target(&format!("TrentService.{operation}")), Some(operation));
        }
        assert_eq!(Operation::ALL.len(), 56);
    }

    #[test]
    fn the_use_of_a_key_is_read_only_and_management_is_not() {
        for (operation, read_only) in [
            (Operation::Decrypt, true),
            (Operation::GenerateRandom, true),
            (Operation::GetParametersForImport, true),
            (Operation::ListKeys, true),
            (Operation::CreateGrant, false),
            (Operation::RetireGrant, false),
            (Operation::ImportKeyMaterial, false),
            (Operation::TagResource, false),
        ] {
            assert_eq!(operation.read_only(), read_only, "{operation}");
        }
    }
}
