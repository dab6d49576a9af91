//! The condition keys that are known by name, and sets of them.
//!
//! A policy tells which keys it mentions, so that a request need have no others. Keys that share a beginning and go on as
//! somebody pleases, such as tags, are families. Names are compared without regard to case.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html> and
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>.

use core::ops::BitOr;

/// What the values of a key are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValueType {
    /// An ARN.
    Arn,
    /// `true` or `false`.
    Bool,
    /// A point in time.
    Date,
    /// An address.
    Ip,
    /// A number.
    Numeric,
    /// Any text.
    Text,
}

#[derive(Clone, Copy)]
enum Arity {
    Many,
    One,
}

struct Row {
    key: ContextKey,
    name: &'static str,
    hash: u64,
    value_type: ValueType,
    arity: Arity,
}

macro_rules! context_keys {
    ($($key:ident $name:literal $type:ident $arity:ident,)*) => {
        /// A condition key with a name of its own.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum ContextKey {
            $(#[doc = concat!("`", $name, "`.")] $key,)*
        }

        const TABLE: &[Row] = &[$(Row {
            key: ContextKey::$key,
            name: $name,
            hash: hash(EMPTY_HASH, $name),
            value_type: ValueType::$type,
            arity: Arity::$arity,
        },)*];

        impl ContextKey {
            /// As the documentation writes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$key => $name,)*
                }
            }

            pub(crate) const fn hash(self) -> u64 {
                match self {
                    $(Self::$key => const { hash(EMPTY_HASH, $name) },)*
                }
            }
        }
    };
}

context_keys! {
    AwsCalledVia "aws:CalledVia" Text Many,
    AwsCalledViaFirst "aws:CalledViaFirst" Text One,
    AwsCalledViaLast "aws:CalledViaLast" Text One,
    AwsChatbotSourceArn "aws:ChatbotSourceArn" Arn One,
    AwsCurrentTime "aws:CurrentTime" Date One,
    AwsEc2InstanceSourcePrivateIpv4 "aws:Ec2InstanceSourcePrivateIPv4" Ip One,
    AwsEc2InstanceSourceVpc "aws:Ec2InstanceSourceVpc" Text One,
    AwsEpochTime "aws:EpochTime" Date One,
    AwsFederatedProvider "aws:FederatedProvider" Text One,
    AwsMultiFactorAuthAge "aws:MultiFactorAuthAge" Numeric One,
    AwsMultiFactorAuthPresent "aws:MultiFactorAuthPresent" Bool One,
    AwsPrincipalAccount "aws:PrincipalAccount" Text One,
    AwsPrincipalArn "aws:PrincipalArn" Arn One,
    AwsPrincipalIsAwsService "aws:PrincipalIsAWSService" Bool One,
    AwsPrincipalOrgId "aws:PrincipalOrgID" Text One,
    AwsPrincipalOrgPaths "aws:PrincipalOrgPaths" Text Many,
    AwsPrincipalServiceName "aws:PrincipalServiceName" Text One,
    AwsPrincipalServiceNamesList "aws:PrincipalServiceNamesList" Text Many,
    AwsPrincipalType "aws:PrincipalType" Text One,
    AwsReferer "aws:Referer" Text One,
    AwsRequestedRegion "aws:RequestedRegion" Text One,
    AwsResourceAccount "aws:ResourceAccount" Text One,
    AwsResourceOrgId "aws:ResourceOrgID" Text One,
    AwsResourceOrgPaths "aws:ResourceOrgPaths" Text Many,
    AwsSecureTransport "aws:SecureTransport" Bool One,
    AwsSourceAccount "aws:SourceAccount" Text One,
    AwsSourceArn "aws:SourceArn" Arn One,
    AwsSourceIdentity "aws:SourceIdentity" Text One,
    AwsSourceIp "aws:SourceIp" Ip One,
    AwsSourceOrgId "aws:SourceOrgID" Text One,
    AwsSourceOrgPaths "aws:SourceOrgPaths" Text Many,
    AwsSourceVpc "aws:SourceVpc" Text One,
    AwsSourceVpcArn "aws:SourceVpcArn" Arn One,
    AwsSourceVpce "aws:SourceVpce" Text One,
    AwsTagKeys "aws:TagKeys" Text Many,
    AwsTokenIssueTime "aws:TokenIssueTime" Date One,
    AwsUserAgent "aws:UserAgent" Text One,
    AwsUserId "aws:userid" Text One,
    AwsUserName "aws:username" Text One,
    AwsViaAwsService "aws:ViaAWSService" Bool One,
    AwsVpceAccount "aws:VpceAccount" Text One,
    AwsVpceOrgId "aws:VpceOrgID" Text One,
    AwsVpceOrgPaths "aws:VpceOrgPaths" Text Many,
    AwsVpcSourceIp "aws:VpcSourceIp" Ip One,
    IamAwsServiceName "iam:AWSServiceName" Text One,
    IamAssociatedResourceArn "iam:AssociatedResourceArn" Arn One,
    IamPassedToService "iam:PassedToService" Text One,
    IamPermissionsBoundary "iam:PermissionsBoundary" Arn One,
    IamPolicyArn "iam:PolicyARN" Arn One,
    KmsBypassPolicyLockoutSafetyCheck "kms:BypassPolicyLockoutSafetyCheck" Bool One,
    KmsCallerAccount "kms:CallerAccount" Text One,
    KmsCustomerMasterKeySpec "kms:CustomerMasterKeySpec" Text One,
    KmsCustomerMasterKeyUsage "kms:CustomerMasterKeyUsage" Text One,
    KmsDataKeyPairSpec "kms:DataKeyPairSpec" Text One,
    KmsEncryptionAlgorithm "kms:EncryptionAlgorithm" Text One,
    KmsEncryptionContextKeys "kms:EncryptionContextKeys" Text Many,
    KmsExpirationModel "kms:ExpirationModel" Text One,
    KmsGrantConstraintSourceArn "kms:GrantConstraintSourceArn" Arn One,
    KmsGrantConstraintType "kms:GrantConstraintType" Text One,
    KmsGranteePrincipal "kms:GranteePrincipal" Text One,
    KmsGranteeServicePrincipal "kms:GranteeServicePrincipal" Text One,
    KmsGrantIsForAwsResource "kms:GrantIsForAWSResource" Bool One,
    KmsGrantOperations "kms:GrantOperations" Text Many,
    KmsKeyAgreementAlgorithm "kms:KeyAgreementAlgorithm" Text One,
    KmsKeyOrigin "kms:KeyOrigin" Text One,
    KmsKeySpec "kms:KeySpec" Text One,
    KmsKeyUsage "kms:KeyUsage" Text One,
    KmsMacAlgorithm "kms:MacAlgorithm" Text One,
    KmsMessageType "kms:MessageType" Text One,
    KmsMultiRegion "kms:MultiRegion" Bool One,
    KmsMultiRegionKeyType "kms:MultiRegionKeyType" Text One,
    KmsPolicyName "kms:PolicyName" Text One,
    KmsPrimaryRegion "kms:PrimaryRegion" Text One,
    KmsReEncryptOnSameKey "kms:ReEncryptOnSameKey" Bool One,
    KmsReplicaRegion "kms:ReplicaRegion" Text One,
    KmsRequestAlias "kms:RequestAlias" Text One,
    KmsResourceAliases "kms:ResourceAliases" Text Many,
    KmsRetiringPrincipal "kms:RetiringPrincipal" Text One,
    KmsRetiringServicePrincipal "kms:RetiringServicePrincipal" Text One,
    KmsRotationPeriodInDays "kms:RotationPeriodInDays" Numeric One,
    KmsScheduleKeyDeletionPendingWindowInDays "kms:ScheduleKeyDeletionPendingWindowInDays" Numeric One,
    KmsSigningAlgorithm "kms:SigningAlgorithm" Text One,
    KmsTrailingDaysWithoutKeyUsage "kms:TrailingDaysWithoutKeyUsage" Numeric One,
    KmsValidTo "kms:ValidTo" Date One,
    KmsViaService "kms:ViaService" Text One,
    KmsWrappingAlgorithm "kms:WrappingAlgorithm" Text One,
    KmsWrappingKeySpec "kms:WrappingKeySpec" Text One,
    StsAwsServiceName "sts:AWSServiceName" Text One,
    StsDurationSeconds "sts:DurationSeconds" Numeric One,
    StsExternalId "sts:ExternalId" Text One,
    StsRoleSessionName "sts:RoleSessionName" Text One,
    StsSourceIdentity "sts:SourceIdentity" Text One,
    StsTaskPolicyArn "sts:TaskPolicyArn" Arn One,
    StsTransitiveTagKeys "sts:TransitiveTagKeys" Text Many,
}

/// Condition keys that share a beginning. Each takes one value.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum KeyFamily {
    /// `kms:EncryptionContext:` and the name of a pair.
    EncryptionContext,
    /// `iam:ResourceTag/` and the key of a tag of a user or a role.
    IamResourceTag,
    /// `aws:PrincipalTag/` and the key of a tag.
    PrincipalTag,
    /// `kms:RecipientAttestation:` and a measurement.
    RecipientAttestation,
    /// `aws:RequestTag/` and the key of a tag.
    RequestTag,
    /// `aws:ResourceTag/` and the key of a tag.
    ResourceTag,
}

/// A set of condition keys; a family is in it as a whole.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeySet(u128);

const FAMILIES: [KeyFamily; 6] = [
    KeyFamily::EncryptionContext,
    KeyFamily::IamResourceTag,
    KeyFamily::PrincipalTag,
    KeyFamily::RecipientAttestation,
    KeyFamily::RequestTag,
    KeyFamily::ResourceTag,
];

/// The bit of [`KeySet`] for the first family; keys stand before it.
const FIRST_FAMILY: u32 = 120;
/// The bit of [`KeySet`] for keys that are neither known nor of a family.
const OTHERS: u32 = 127;
const _: () = assert!(TABLE.len() <= 120, "a bit stands for each key");

impl ContextKey {
    /// Every key that is known.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.key)
    }

    /// The key of this name, whatever its case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::row_named(name).map(|row| row.key)
    }

    /// What its values are.
    #[must_use]
    pub fn value_type(self) -> ValueType {
        Self::row_named(self.name()).map_or(ValueType::Text, |row| row.value_type)
    }

    /// Whether it may have many values, so that a condition on it needs `ForAllValues` or `ForAnyValue`.
    #[must_use]
    pub fn is_multivalued(self) -> bool {
        Self::row_named(self.name()).is_some_and(|row| matches!(row.arity, Arity::Many))
    }

    fn row_named(name: &str) -> Option<&'static Row> {
        let hash = hash(EMPTY_HASH, name);
        TABLE.iter().find(|row| row.hash == hash && row.name.eq_ignore_ascii_case(name))
    }
}

impl KeyFamily {
    /// The family that the key `name` is of.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let begins = |family: &Self| {
            let prefix = family.prefix();
            name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        FAMILIES.into_iter().find(begins)
    }

    /// How its names begin.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::EncryptionContext => "kms:EncryptionContext:",
            Self::IamResourceTag => "iam:ResourceTag/",
            Self::PrincipalTag => "aws:PrincipalTag/",
            Self::RecipientAttestation => "kms:RecipientAttestation:",
            Self::RequestTag => "aws:RequestTag/",
            Self::ResourceTag => "aws:ResourceTag/",
        }
    }

    pub(crate) const fn hash(self) -> u64 {
        match self {
            Self::EncryptionContext => const { hash(EMPTY_HASH, Self::EncryptionContext.prefix()) },
            Self::IamResourceTag => const { hash(EMPTY_HASH, Self::IamResourceTag.prefix()) },
            Self::PrincipalTag => const { hash(EMPTY_HASH, Self::PrincipalTag.prefix()) },
            Self::RecipientAttestation => const { hash(EMPTY_HASH, Self::RecipientAttestation.prefix()) },
            Self::RequestTag => const { hash(EMPTY_HASH, Self::RequestTag.prefix()) },
            Self::ResourceTag => const { hash(EMPTY_HASH, Self::ResourceTag.prefix()) },
        }
    }

    const fn bit(self) -> u128 {
        1 << (FIRST_FAMILY
            + match self {
                Self::EncryptionContext => 0,
                Self::IamResourceTag => 1,
                Self::PrincipalTag => 2,
                Self::RecipientAttestation => 3,
                Self::RequestTag => 4,
                Self::ResourceTag => 5,
            })
    }
}

impl KeySet {
    /// No key.
    pub const EMPTY: Self = Self(0);

    /// Whether the key is in it.
    #[must_use]
    pub const fn contains(self, key: ContextKey) -> bool {
        self.0 & Self::bit(key) != 0
    }

    /// Whether the family is in it.
    #[must_use]
    pub const fn contains_family(self, family: KeyFamily) -> bool {
        self.0 & family.bit() != 0
    }

    /// Whether keys are in it that are neither known nor of a family, such as those of an identity provider.
    #[must_use]
    pub const fn contains_others(self) -> bool {
        self.0 & (1 << OTHERS) != 0
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This and the key.
    #[must_use]
    pub const fn with(self, key: ContextKey) -> Self {
        Self(self.0 | Self::bit(key))
    }

    /// This and the key of this name, or its family.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        match (ContextKey::named(name), KeyFamily::of(name)) {
            (Some(key), _) => self.with(key),
            (None, Some(family)) => Self(self.0 | family.bit()),
            (None, None) => Self(self.0 | 1 << OTHERS),
        }
    }

    const fn bit(key: ContextKey) -> u128 {
        1 << key as u32
    }
}

impl BitOr for KeySet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl FromIterator<Self> for KeySet {
    fn from_iter<I: IntoIterator<Item = Self>>(sets: I) -> Self {
        sets.into_iter().fold(Self::EMPTY, Self::union)
    }
}

pub(crate) const EMPTY_HASH: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a of a text in lower case that goes on from `start`.
pub(crate) const fn hash(start: u64, text: &str) -> u64 {
    let (mut hash, mut rest) = (start, text.as_bytes());
    while let Some((byte, behind)) = rest.split_first() {
        hash = (hash ^ byte.to_ascii_lowercase() as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = behind;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_for_one_key() {
        let mut all = KeySet::EMPTY;
        for row in TABLE {
            assert_eq!(ContextKey::named(&row.name.to_ascii_uppercase()), Some(row.key), "{}", row.name);
            assert_eq!((row.key.name(), row.key.hash()), (row.name, row.hash));
            assert_eq!(KeyFamily::of(row.name), None, "{}", row.name);
            assert!(!all.contains(row.key), "{}", row.name);
            all = all.with(row.key);
        }
        assert_eq!(ContextKey::all().count(), TABLE.len());
        assert!(FAMILIES.into_iter().all(|family| !all.contains_family(family)) && !all.contains_others());
    }

    #[test]
    fn a_set_has_what_was_put_in() {
        for family in FAMILIES {
            let set = KeySet::EMPTY.with_name(&alloc::format!("{}x", family.prefix().to_ascii_uppercase()));
            let has: alloc::vec::Vec<_> =
                FAMILIES.into_iter().filter(|family| set.contains_family(*family)).collect();
            assert_eq!(has, [family]);
            assert!(ContextKey::all().all(|key| !set.contains(key)) && !set.contains_others());
        }
        let set = KeySet::EMPTY.with_name("aws:USERNAME") | KeySet::EMPTY.with_name("issuer.example:sub");
        assert!(set.contains(ContextKey::AwsUserName) && set.contains_others() && !set.is_empty());
        assert!(!set.contains(ContextKey::AwsUserId));
        assert!(KeySet::from_iter([KeySet::EMPTY, KeySet::EMPTY]).is_empty());
        let tag = KeySet::EMPTY.with_name("aws:PrincipalTag/x");
        let all = KeySet::from_iter([set, tag, set]);
        assert_eq!(
            all.with(ContextKey::AwsUserName).with_name("issuer.example:aud").with_name("aws:PrincipalTag/y"),
            all
        );
        assert_eq!((all | set | tag, all.union(all)), (all, all));
        assert!(all.contains_family(KeyFamily::PrincipalTag) && all.contains(ContextKey::AwsUserName));
    }

    #[test]
    fn a_key_has_a_type_and_may_have_many_values() {
        for (key, value_type, many) in [
            (ContextKey::AwsCurrentTime, ValueType::Date, false),
            (ContextKey::AwsSourceIp, ValueType::Ip, false),
            (ContextKey::AwsTagKeys, ValueType::Text, true),
            (ContextKey::KmsMultiRegion, ValueType::Bool, false),
            (ContextKey::KmsRotationPeriodInDays, ValueType::Numeric, false),
            (ContextKey::AwsPrincipalArn, ValueType::Arn, false),
        ] {
            assert_eq!((key.value_type(), key.is_multivalued()), (value_type, many), "{}", key.name());
        }
    }
}
