//! Request quotas: which there are, and what AWS starts with.
//!
//! A quota is of an account and a Region. Cryptographic operations share one for each kind of key; every other operation has its
//! own. Names are those of Service Quotas without "request rate".
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html>.

use keyreeve_domain::Region;
use keyreeve_domain::spec::{DataKeyPairSpec, KeySpec};

macro_rules! quotas {
    ($($name:ident $text:literal $rate:literal;)+) => {
        /// A request quota.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum RequestQuota {
            $(#[doc = concat!("`", $text, "`.")] $name,)+
        }

        impl RequestQuota {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name, as AWS has it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// Requests in a second, in most Regions.
            fn common_rate(self) -> f64 {
                match self {
                    $(Self::$name => $rate,)+
                }
            }
        }
    };
}

quotas! {
    // AWS: unverified for keys other than symmetric ones; the newest figures that are known.
    Ecc "Cryptographic operations (ECC)" 1_000.0;
    MlDsa "Cryptographic operations (ML-DSA)" 1_000.0;
    MlKem "Cryptographic operations (ML-KEM)" 1_000.0;
    Rsa "Cryptographic operations (RSA)" 1_000.0;
    Sm2 "Cryptographic operations (SM2)" 300.0;
    Symmetric "Cryptographic operations (symmetric)" 10_000.0;
    DataKeyPairEccNistP256 "GenerateDataKeyPair (ECC_NIST_P256)" 25.0;
    DataKeyPairEccNistP384 "GenerateDataKeyPair (ECC_NIST_P384)" 10.0;
    DataKeyPairEccNistP521 "GenerateDataKeyPair (ECC_NIST_P521)" 5.0;
    // AWS: unverified for Ed25519 and ML-KEM; as P-256.
    DataKeyPairEccNistEdwards25519 "GenerateDataKeyPair (ECC_NIST_EDWARDS25519)" 25.0;
    DataKeyPairEccSecgP256K1 "GenerateDataKeyPair (ECC_SECG_P256K1)" 25.0;
    DataKeyPairMlKem512 "GenerateDataKeyPair (ML_KEM_512)" 25.0;
    DataKeyPairMlKem768 "GenerateDataKeyPair (ML_KEM_768)" 25.0;
    DataKeyPairMlKem1024 "GenerateDataKeyPair (ML_KEM_1024)" 25.0;
    DataKeyPairRsa2048 "GenerateDataKeyPair (RSA_2048)" 1.0;
    DataKeyPairRsa3072 "GenerateDataKeyPair (RSA_3072)" 0.5;
    DataKeyPairRsa4096 "GenerateDataKeyPair (RSA_4096)" 0.1;
    DataKeyPairSm2 "GenerateDataKeyPair (SM2)" 25.0;
    CancelKeyDeletion "CancelKeyDeletion" 5.0;
    ConnectCustomKeyStore "ConnectCustomKeyStore" 5.0;
    CreateAlias "CreateAlias" 5.0;
    CreateCustomKeyStore "CreateCustomKeyStore" 5.0;
    CreateGrant "CreateGrant" 50.0;
    CreateKey "CreateKey" 5.0;
    DeleteAlias "DeleteAlias" 15.0;
    DeleteCustomKeyStore "DeleteCustomKeyStore" 5.0;
    DeleteImportedKeyMaterial "DeleteImportedKeyMaterial" 5.0;
    DescribeCustomKeyStores "DescribeCustomKeyStores" 5.0;
    DescribeKey "DescribeKey" 2_000.0;
    DisableKey "DisableKey" 5.0;
    DisableKeyRotation "DisableKeyRotation" 5.0;
    DisconnectCustomKeyStore "DisconnectCustomKeyStore" 5.0;
    EnableKey "EnableKey" 5.0;
    EnableKeyRotation "EnableKeyRotation" 15.0;
    // AWS: unverified; as the other readings of a key's history.
    GetKeyLastUsage "GetKeyLastUsage" 100.0;
    GetKeyPolicy "GetKeyPolicy" 1_000.0;
    GetKeyRotationStatus "GetKeyRotationStatus" 1_000.0;
    GetParametersForImport "GetParametersForImport" 0.25;
    GetPublicKey "GetPublicKey" 2_000.0;
    ImportKeyMaterial "ImportKeyMaterial" 5.0;
    ListAliases "ListAliases" 500.0;
    ListGrants "ListGrants" 100.0;
    ListKeyPolicies "ListKeyPolicies" 100.0;
    // AWS: unverified; as ListKeyPolicies.
    ListKeyRotations "ListKeyRotations" 100.0;
    ListKeys "ListKeys" 500.0;
    ListResourceTags "ListResourceTags" 2_000.0;
    ListRetirableGrants "ListRetirableGrants" 100.0;
    PutKeyPolicy "PutKeyPolicy" 15.0;
    ReplicateKey "ReplicateKey" 5.0;
    RetireGrant "RetireGrant" 30.0;
    RevokeGrant "RevokeGrant" 30.0;
    // AWS: unverified; as the other changes of a key.
    RotateKeyOnDemand "RotateKeyOnDemand" 5.0;
    ScheduleKeyDeletion "ScheduleKeyDeletion" 15.0;
    TagResource "TagResource" 10.0;
    UntagResource "UntagResource" 5.0;
    UpdateAlias "UpdateAlias" 5.0;
    UpdateCustomKeyStore "UpdateCustomKeyStore" 5.0;
    UpdateKeyDescription "UpdateKeyDescription" 5.0;
    UpdatePrimaryRegion "UpdatePrimaryRegion" 5.0;
}

impl RequestQuota {
    /// Its place in [`RequestQuota::ALL`].
    #[must_use]
    pub fn number(self) -> usize {
        self as usize
    }

    /// The quota with the name `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|quota| quota.name() == name)
    }

    /// That of cryptographic operations with a key of `spec`.
    #[must_use]
    pub fn of_key(spec: KeySpec) -> Self {
        match spec {
            KeySpec::EccNistEdwards25519
            | KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256K1 => Self::Ecc,
            KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512
            | KeySpec::SymmetricDefault => Self::Symmetric,
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => Self::MlDsa,
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => Self::MlKem,
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => Self::Rsa,
            KeySpec::Sm2 => Self::Sm2,
        }
    }

    /// That of data key pairs of `spec`.
    #[must_use]
    pub fn of_data_key_pair(spec: DataKeyPairSpec) -> Self {
        match spec {
            DataKeyPairSpec::EccNistEdwards25519 => Self::DataKeyPairEccNistEdwards25519,
            DataKeyPairSpec::EccNistP256 => Self::DataKeyPairEccNistP256,
            DataKeyPairSpec::EccNistP384 => Self::DataKeyPairEccNistP384,
            DataKeyPairSpec::EccNistP521 => Self::DataKeyPairEccNistP521,
            DataKeyPairSpec::EccSecgP256K1 => Self::DataKeyPairEccSecgP256K1,
            DataKeyPairSpec::MlKem512 => Self::DataKeyPairMlKem512,
            DataKeyPairSpec::MlKem768 => Self::DataKeyPairMlKem768,
            DataKeyPairSpec::MlKem1024 => Self::DataKeyPairMlKem1024,
            DataKeyPairSpec::Rsa2048 => Self::DataKeyPairRsa2048,
            DataKeyPairSpec::Rsa3072 => Self::DataKeyPairRsa3072,
            DataKeyPairSpec::Rsa4096 => Self::DataKeyPairRsa4096,
            DataKeyPairSpec::Sm2 => Self::DataKeyPairSm2,
        }
    }

    /// Requests in a second that AWS starts with in `region`.
    #[must_use]
    pub fn aws_default(self, region: &Region) -> f64 {
        match (self, region.as_str()) {
            (Self::Symmetric, "eu-west-1" | "us-east-1" | "us-west-2") => 100_000.0,
            // AWS: unverified. Two of these are documented.
            (
                Self::Symmetric,
                "ap-northeast-1" | "ap-southeast-1" | "ap-southeast-2" | "eu-central-1" | "eu-west-2"
                | "us-east-2",
            ) => 20_000.0,
            _ => self.common_rate(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_found_by_its_name_and_stands_at_its_number() {
        for (at, quota) in RequestQuota::ALL.iter().copied().enumerate() {
            assert_eq!(RequestQuota::named(quota.name()), Some(quota));
            assert_eq!(quota.number(), at);
        }
    }

    #[test]
    fn busy_regions_have_more_symmetric_operations_and_nothing_else() {
        for (region, quota, rate) in [
            ("us-east-1", RequestQuota::Symmetric, 100_000.0),
            ("us-east-2", RequestQuota::Symmetric, 20_000.0),
            ("sa-east-1", RequestQuota::Symmetric, 10_000.0),
            ("us-east-1", RequestQuota::CreateKey, 5.0),
            ("us-east-1", RequestQuota::DataKeyPairRsa4096, 0.1),
        ] {
            assert_eq!(quota.aws_default(&region.parse().unwrap()), rate, "{quota:?} in {region}");
        }
    }
}
