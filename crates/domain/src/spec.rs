//! Enumerations of the KMS API (service model 2014-11-01) and the tables between them.
//!
//! Every enumeration lists its values in the order of the model; its text is the text on the wire.
//! Tables: which usages a key spec has and which algorithms each usage brings.

use core::fmt;
use core::str::FromStr;

/// The text is no value of the enumeration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a value of `{enumeration}`")]
pub struct ParseValueError {
    enumeration: &'static str,
}

impl ParseValueError {
    /// The name of the enumeration in the service model.
    pub const fn enumeration(&self) -> &'static str {
        self.enumeration
    }
}

macro_rules! enumerations {
    ($($(#[$meta:meta])* $name:ident = $shape:literal { $($variant:ident = $text:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl $name {
            /// The name of the enumeration in the service model.
            pub const SHAPE: &'static str = $shape;
            /// Every value, in the order of the service model.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The text of every value, in the order of [`Self::ALL`].
            pub const TEXTS: &'static [&'static str] = &[$($text,)+];

            /// The value as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ParseValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(ParseValueError { enumeration: Self::SHAPE }),
                }
            }
        }
    )+

        #[cfg(test)]
        #[test]
        fn every_text_of_every_enumeration_reads_back_as_its_value() {$(
            for (value, text) in $name::ALL.iter().zip($name::TEXTS) {
                assert_eq!(text.parse(), Ok(*value));
                assert_eq!(value.as_str(), *text);
            }
        )+}
    };
}

enumerations! {
    /// The cryptographic configuration of a key.
    KeySpec = "KeySpec" {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256K1 = "ECC_SECG_P256K1",
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
        MlDsa44 = "ML_DSA_44",
        MlDsa65 = "ML_DSA_65",
        MlDsa87 = "ML_DSA_87",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }

    /// What a key may be used for; fixed at creation.
    KeyUsage = "KeyUsageType" {
        SignVerify = "SIGN_VERIFY",
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        KeyAgreement = "KEY_AGREEMENT",
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }

    /// Where a key stands in its life.
    KeyState = "KeyState" {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        PendingImport = "PendingImport",
        PendingReplicaDeletion = "PendingReplicaDeletion",
        Unavailable = "Unavailable",
        Updating = "Updating",
    }

    /// Where the material of a key comes from.
    Origin = "OriginType" {
        AwsKms = "AWS_KMS",
        External = "EXTERNAL",
        AwsCloudhsm = "AWS_CLOUDHSM",
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }

    /// Who manages a key.
    KeyManager = "KeyManagerType" {
        Aws = "AWS",
        Customer = "CUSTOMER",
    }

    /// An algorithm of Encrypt, Decrypt and ReEncrypt.
    EncryptionAlgorithm = "EncryptionAlgorithmSpec" {
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        Sm2Pke = "SM2PKE",
    }

    /// An algorithm of Sign and Verify.
    SigningAlgorithm = "SigningAlgorithmSpec" {
        RsassaPssSha256 = "RSASSA_PSS_SHA_256",
        RsassaPssSha384 = "RSASSA_PSS_SHA_384",
        RsassaPssSha512 = "RSASSA_PSS_SHA_512",
        RsassaPkcs1V15Sha256 = "RSASSA_PKCS1_V1_5_SHA_256",
        RsassaPkcs1V15Sha384 = "RSASSA_PKCS1_V1_5_SHA_384",
        RsassaPkcs1V15Sha512 = "RSASSA_PKCS1_V1_5_SHA_512",
        EcdsaSha256 = "ECDSA_SHA_256",
        EcdsaSha384 = "ECDSA_SHA_384",
        EcdsaSha512 = "ECDSA_SHA_512",
        Sm2Dsa = "SM2DSA",
        MlDsaShake256 = "ML_DSA_SHAKE_256",
        Ed25519Sha512 = "ED25519_SHA_512",
        Ed25519PhSha512 = "ED25519_PH_SHA_512",
    }

    /// An algorithm of GenerateMac and VerifyMac.
    MacAlgorithm = "MacAlgorithmSpec" {
        HmacSha224 = "HMAC_SHA_224",
        HmacSha256 = "HMAC_SHA_256",
        HmacSha384 = "HMAC_SHA_384",
        HmacSha512 = "HMAC_SHA_512",
    }

    /// An algorithm of DeriveSharedSecret.
    KeyAgreementAlgorithm = "KeyAgreementAlgorithmSpec" {
        Ecdh = "ECDH",
    }

    /// An algorithm of Encapsulate and Decapsulate.
    EncapsulationAlgorithm = "EncapsulationAlgorithmSpec" {
        MlKem = "ML_KEM",
    }

    /// The length of a symmetric data key.
    DataKeySpec = "DataKeySpec" {
        Aes256 = "AES_256",
        Aes128 = "AES_128",
    }

    /// The kind of an asymmetric data key pair.
    DataKeyPairSpec = "DataKeyPairSpec" {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256K1 = "ECC_SECG_P256K1",
        Sm2 = "SM2",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }

    /// What the message of Sign and Verify is.
    MessageType = "MessageType" {
        Raw = "RAW",
        Digest = "DIGEST",
        ExternalMu = "EXTERNAL_MU",
    }

    /// An operation that a grant allows.
    GrantOperation = "GrantOperation" {
        Decrypt = "Decrypt",
        Encrypt = "Encrypt",
        GenerateDataKey = "GenerateDataKey",
        GenerateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext",
        ReEncryptFrom = "ReEncryptFrom",
        ReEncryptTo = "ReEncryptTo",
        Sign = "Sign",
        Verify = "Verify",
        GetPublicKey = "GetPublicKey",
        CreateGrant = "CreateGrant",
        RetireGrant = "RetireGrant",
        DescribeKey = "DescribeKey",
        GenerateDataKeyPair = "GenerateDataKeyPair",
        GenerateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext",
        GenerateMac = "GenerateMac",
        VerifyMac = "VerifyMac",
        DeriveSharedSecret = "DeriveSharedSecret",
        Encapsulate = "Encapsulate",
        Decapsulate = "Decapsulate",
    }

    /// What started a rotation.
    RotationType = "RotationType" {
        Automatic = "AUTOMATIC",
        OnDemand = "ON_DEMAND",
    }

    /// Whether a key material is in use.
    KeyMaterialState = "KeyMaterialState" {
        NonCurrent = "NON_CURRENT",
        Current = "CURRENT",
        PendingRotation = "PENDING_ROTATION",
        PendingMultiRegionImportAndRotation = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
    }

    /// Whether a key material is present.
    ImportState = "ImportState" {
        Imported = "IMPORTED",
        PendingImport = "PENDING_IMPORT",
    }

    /// Whether an import brings new material.
    ImportType = "ImportType" {
        NewKeyMaterial = "NEW_KEY_MATERIAL",
        ExistingKeyMaterial = "EXISTING_KEY_MATERIAL",
    }

    /// What ListKeyRotations lists.
    IncludeKeyMaterial = "IncludeKeyMaterial" {
        AllKeyMaterial = "ALL_KEY_MATERIAL",
        RotationsOnly = "ROTATIONS_ONLY",
    }

    /// Whether imported material expires.
    ExpirationModel = "ExpirationModelType" {
        KeyMaterialExpires = "KEY_MATERIAL_EXPIRES",
        KeyMaterialDoesNotExpire = "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }

    /// The part a multi-Region key plays.
    MultiRegionKeyType = "MultiRegionKeyType" {
        Primary = "PRIMARY",
        Replica = "REPLICA",
    }

    /// How imported material is wrapped (`AlgorithmSpec` of the model).
    WrappingAlgorithm = "AlgorithmSpec" {
        RsaesPkcs1V15 = "RSAES_PKCS1_V1_5",
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        RsaAesKeyWrapSha1 = "RSA_AES_KEY_WRAP_SHA_1",
        RsaAesKeyWrapSha256 = "RSA_AES_KEY_WRAP_SHA_256",
        Sm2Pke = "SM2PKE",
    }

    /// The public key that wraps imported material.
    WrappingKeySpec = "WrappingKeySpec" {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        Sm2 = "SM2",
    }

    /// What backs a custom key store.
    CustomKeyStoreType = "CustomKeyStoreType" {
        AwsCloudhsm = "AWS_CLOUDHSM",
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }

    /// The link between a custom key store and what backs it.
    ConnectionState = "ConnectionStateType" {
        Connected = "CONNECTED",
        Connecting = "CONNECTING",
        Failed = "FAILED",
        Disconnected = "DISCONNECTED",
        Disconnecting = "DISCONNECTING",
    }

    /// Why a custom key store is not connected.
    ConnectionErrorCode = "ConnectionErrorCodeType" {
        InvalidCredentials = "INVALID_CREDENTIALS",
        ClusterNotFound = "CLUSTER_NOT_FOUND",
        NetworkErrors = "NETWORK_ERRORS",
        InternalError = "INTERNAL_ERROR",
        InsufficientCloudhsmHsms = "INSUFFICIENT_CLOUDHSM_HSMS",
        UserLockedOut = "USER_LOCKED_OUT",
        UserNotFound = "USER_NOT_FOUND",
        UserLoggedIn = "USER_LOGGED_IN",
        SubnetNotFound = "SUBNET_NOT_FOUND",
        InsufficientFreeAddressesInSubnet = "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET",
        XksProxyAccessDenied = "XKS_PROXY_ACCESS_DENIED",
        XksProxyNotReachable = "XKS_PROXY_NOT_REACHABLE",
        XksVpcEndpointServiceNotFound = "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND",
        XksProxyInvalidResponse = "XKS_PROXY_INVALID_RESPONSE",
        XksProxyInvalidConfiguration = "XKS_PROXY_INVALID_CONFIGURATION",
        XksVpcEndpointServiceInvalidConfiguration = "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION",
        XksProxyTimedOut = "XKS_PROXY_TIMED_OUT",
        XksProxyInvalidTlsConfiguration = "XKS_PROXY_INVALID_TLS_CONFIGURATION",
    }

    /// How an external key store proxy is reached.
    XksProxyConnectivity = "XksProxyConnectivityType" {
        PublicEndpoint = "PUBLIC_ENDPOINT",
        VpcEndpointService = "VPC_ENDPOINT_SERVICE",
    }

    /// How an answer is encrypted for an attested recipient.
    KeyEncryptionMechanism = "KeyEncryptionMechanism" {
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
    }

    /// What a dry run leaves out.
    DryRunModifier = "DryRunModifierType" {
        IgnoreCiphertext = "IGNORE_CIPHERTEXT",
    }

    /// An operation that counts as use of a key.
    KeyLastUsageOperation = "KeyLastUsageTrackingOperation" {
        Decrypt = "Decrypt",
        DeriveSharedSecret = "DeriveSharedSecret",
        Encrypt = "Encrypt",
        GenerateDataKey = "GenerateDataKey",
        GenerateDataKeyPair = "GenerateDataKeyPair",
        GenerateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext",
        GenerateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext",
        GenerateMac = "GenerateMac",
        ReEncrypt = "ReEncrypt",
        Sign = "Sign",
        Verify = "Verify",
        VerifyMac = "VerifyMac",
        Encapsulate = "Encapsulate",
        Decapsulate = "Decapsulate",
    }

    /// Whose keys ListKeys lists.
    ResourceOwner = "ResourceOwnerType" {
        Own = "SELF",
        OtherAccountsViaRam = "OTHER_ACCOUNTS_VIA_RAM",
    }

    /// The deprecated name of [`KeySpec`]; it knows the older specs only.
    CustomerMasterKeySpec = "CustomerMasterKeySpec" {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256K1 = "ECC_SECG_P256K1",
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
    }
}

impl KeySpec {
    /// The usages a key of this spec can be created with, the usual one first.
    pub const fn usages(self) -> &'static [KeyUsage] {
        use KeyUsage::{EncapsulateDecapsulate, EncryptDecrypt, GenerateVerifyMac, KeyAgreement, SignVerify};
        match self {
            Self::SymmetricDefault => &[EncryptDecrypt],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[EncryptDecrypt, SignVerify],
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521 => &[SignVerify, KeyAgreement],
            Self::EccSecgP256K1
            | Self::EccNistEdwards25519
            | Self::MlDsa44
            | Self::MlDsa65
            | Self::MlDsa87 => &[SignVerify],
            Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => &[GenerateVerifyMac],
            Self::Sm2 => &[EncryptDecrypt, SignVerify, KeyAgreement],
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => &[EncapsulateDecapsulate],
        }
    }

    /// Whether a key of this spec can be created with this usage.
    pub fn allows(self, usage: KeyUsage) -> bool {
        self.usages().contains(&usage)
    }

    /// The encryption algorithms of an `ENCRYPT_DECRYPT` key; empty for a spec without that usage.
    pub const fn encryption_algorithms(self) -> &'static [EncryptionAlgorithm] {
        use EncryptionAlgorithm::{RsaesOaepSha1, RsaesOaepSha256, Sm2Pke, SymmetricDefault};
        match self {
            Self::SymmetricDefault => &[SymmetricDefault],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[RsaesOaepSha1, RsaesOaepSha256],
            Self::Sm2 => &[Sm2Pke],
            Self::EccNistP256
            | Self::EccNistP384
            | Self::EccNistP521
            | Self::EccSecgP256K1
            | Self::EccNistEdwards25519
            | Self::Hmac224
            | Self::Hmac256
            | Self::Hmac384
            | Self::Hmac512
            | Self::MlDsa44
            | Self::MlDsa65
            | Self::MlDsa87
            | Self::MlKem512
            | Self::MlKem768
            | Self::MlKem1024 => &[],
        }
    }

    /// The signing algorithms of a `SIGN_VERIFY` key; empty for a spec without that usage.
    pub const fn signing_algorithms(self) -> &'static [SigningAlgorithm] {
        use SigningAlgorithm as S;
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[
                S::RsassaPkcs1V15Sha256,
                S::RsassaPkcs1V15Sha384,
                S::RsassaPkcs1V15Sha512,
                S::RsassaPssSha256,
                S::RsassaPssSha384,
                S::RsassaPssSha512,
            ],
            Self::EccNistP256 | Self::EccSecgP256K1 => &[S::EcdsaSha256],
            Self::EccNistP384 => &[S::EcdsaSha384],
            Self::EccNistP521 => &[S::EcdsaSha512],
            Self::EccNistEdwards25519 => &[S::Ed25519Sha512, S::Ed25519PhSha512],
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => &[S::MlDsaShake256],
            Self::Sm2 => &[S::Sm2Dsa],
            Self::SymmetricDefault
            | Self::Hmac224
            | Self::Hmac256
            | Self::Hmac384
            | Self::Hmac512
            | Self::MlKem512
            | Self::MlKem768
            | Self::MlKem1024 => &[],
        }
    }

    /// The MAC algorithm of a `GENERATE_VERIFY_MAC` key; empty for a spec without that usage.
    pub const fn mac_algorithms(self) -> &'static [MacAlgorithm] {
        match self {
            Self::Hmac224 => &[MacAlgorithm::HmacSha224],
            Self::Hmac256 => &[MacAlgorithm::HmacSha256],
            Self::Hmac384 => &[MacAlgorithm::HmacSha384],
            Self::Hmac512 => &[MacAlgorithm::HmacSha512],
            Self::SymmetricDefault
            | Self::Rsa2048
            | Self::Rsa3072
            | Self::Rsa4096
            | Self::EccNistP256
            | Self::EccNistP384
            | Self::EccNistP521
            | Self::EccSecgP256K1
            | Self::EccNistEdwards25519
            | Self::Sm2
            | Self::MlDsa44
            | Self::MlDsa65
            | Self::MlDsa87
            | Self::MlKem512
            | Self::MlKem768
            | Self::MlKem1024 => &[],
        }
    }

    /// The key agreement algorithm of a `KEY_AGREEMENT` key; empty for a spec without that usage.
    pub fn key_agreement_algorithms(self) -> &'static [KeyAgreementAlgorithm] {
        if self.allows(KeyUsage::KeyAgreement) { &[KeyAgreementAlgorithm::Ecdh] } else { &[] }
    }

    /// The encapsulation algorithm of an `ENCAPSULATE_DECAPSULATE` key; empty for a spec without that usage.
    pub fn encapsulation_algorithms(self) -> &'static [EncapsulationAlgorithm] {
        if self.allows(KeyUsage::EncapsulateDecapsulate) { &[EncapsulationAlgorithm::MlKem] } else { &[] }
    }

    /// The deprecated name of this spec, for the specs that are old enough to have one.
    pub fn customer_master_key_spec(self) -> Option<CustomerMasterKeySpec> {
        self.as_str().parse().ok()
    }
}

impl CustomerMasterKeySpec {
    /// The key spec of the same name.
    pub const fn key_spec(self) -> KeySpec {
        match self {
            Self::Rsa2048 => KeySpec::Rsa2048,
            Self::Rsa3072 => KeySpec::Rsa3072,
            Self::Rsa4096 => KeySpec::Rsa4096,
            Self::EccNistP256 => KeySpec::EccNistP256,
            Self::EccNistP384 => KeySpec::EccNistP384,
            Self::EccNistP521 => KeySpec::EccNistP521,
            Self::EccSecgP256K1 => KeySpec::EccSecgP256K1,
            Self::SymmetricDefault => KeySpec::SymmetricDefault,
            Self::Hmac224 => KeySpec::Hmac224,
            Self::Hmac256 => KeySpec::Hmac256,
            Self::Hmac384 => KeySpec::Hmac384,
            Self::Hmac512 => KeySpec::Hmac512,
            Self::Sm2 => KeySpec::Sm2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_has_algorithms_exactly_for_its_usages() {
        for spec in KeySpec::ALL.iter().copied() {
            for (usage, some) in [
                (KeyUsage::EncryptDecrypt, !spec.encryption_algorithms().is_empty()),
                (KeyUsage::SignVerify, !spec.signing_algorithms().is_empty()),
                (KeyUsage::GenerateVerifyMac, !spec.mac_algorithms().is_empty()),
                (KeyUsage::KeyAgreement, !spec.key_agreement_algorithms().is_empty()),
                (KeyUsage::EncapsulateDecapsulate, !spec.encapsulation_algorithms().is_empty()),
            ] {
                assert_eq!(spec.allows(usage), some, "{spec} {usage}");
            }
        }
    }

    #[test]
    fn a_text_reads_only_as_it_is_spelt() {
        for text in ["", "symmetric_default", "RSA_2048 ", "RSA"] {
            assert!(text.parse::<KeySpec>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_deprecated_spec_name_is_the_spec_of_the_same_name() {
        for old in CustomerMasterKeySpec::ALL.iter().copied() {
            assert_eq!(old.as_str(), old.key_spec().as_str());
            assert_eq!(old.key_spec().customer_master_key_spec(), Some(old));
        }
        assert_eq!(KeySpec::MlDsa44.customer_master_key_spec(), None);
    }
}
