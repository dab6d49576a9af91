//! The actions of the service: what each is about, and how policies name them.
//!
//! Names are compared without regard to case. An action that is not in the table is one of a key, in its own account alone,
//! that no grant can give.
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html>.

use alloc::boxed::Box;
use alloc::string::String;
use core::cmp::Ordering;

use crate::context::Context;
use crate::fuel::Fuel;
use crate::pattern::{Pattern, Scope, Syntax};

/// The action of a request.
#[derive(Clone, Debug)]
pub struct Action(Name);

#[derive(Clone, Debug)]
enum Name {
    Known(usize),
    /// In lower case.
    Other(Box<str>),
}

/// What an action is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Subject {
    /// An alias and a key, each asked for by itself.
    AliasAndKey,
    /// A key.
    Key,
    /// No key at all: identity policies alone decide.
    Nothing,
    /// The resource of another service. Where it has a policy, such as the trust policy of a role, that counts as a key
    /// policy does; else identity policies decide.
    Other,
}

struct Row {
    name: &'static str,
    subject: Subject,
    /// Whether a caller of another account may be allowed.
    across_accounts: bool,
    grantable: bool,
    /// Whether requests have an encryption context.
    has_context: bool,
}

impl Action {
    /// The action `text`, such as `kms:Encrypt`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let name = text.split_once(':').filter(|(service, _)| service.eq_ignore_ascii_case("kms"));
        let known =
            name.and_then(|(_, name)| TABLE.binary_search_by(|row| order_ignoring_case(row.name, name)).ok());
        Self(known.map_or_else(|| Name::Other(text.to_ascii_lowercase().into()), Name::Known))
    }

    fn row(&self) -> Option<&'static Row> {
        match self.0 {
            Name::Known(index) => TABLE.get(index),
            Name::Other(_) => None,
        }
    }

    pub(crate) fn subject(&self) -> Subject {
        match &self.0 {
            Name::Known(_) => self.row().map_or(Subject::Key, |row| row.subject),
            Name::Other(name) if name.starts_with("kms:") || !name.contains(':') => Subject::Key,
            Name::Other(_) => Subject::Other,
        }
    }

    pub(crate) fn across_accounts(&self) -> bool {
        self.row().is_some_and(|row| row.across_accounts)
    }

    pub(crate) fn has_context(&self) -> bool {
        self.row().is_some_and(|row| row.has_context)
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.row().is_some_and(|row| row.name == name)
    }

    /// The bit that stands for it; none for an action that is not in the table.
    pub(crate) fn bit(&self) -> u64 {
        match self.0 {
            Name::Known(index) => 1 << index,
            Name::Other(_) => 0,
        }
    }
}

/// Operations of a grant.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Operations(u64);

impl Operations {
    /// The operations of these names, such as `Decrypt`; what no grant can give is left out.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().filter_map(Self::bit).fold(0, |set, bit| set | bit))
    }

    fn bit(name: &str) -> Option<u64> {
        TABLE.iter().position(|row| row.name == name && row.grantable).map(|index| 1 << index)
    }

    pub(crate) fn contain(self, action: &Action) -> bool {
        self.0 & action.bit() != 0
    }

    pub(crate) fn contain_name(self, name: &str) -> bool {
        Self::bit(name).is_some_and(|bit| self.0 & bit != 0)
    }
}

/// The actions of a statement.
#[derive(Clone, Debug)]
pub(crate) struct Actions {
    /// Those of the table that it covers.
    pub(crate) known: u64,
    patterns: Box<[Pattern]>,
    except: bool,
}

impl Actions {
    /// The actions that are `listed`, or every other one. `listed` is not empty, or none is covered.
    pub(crate) fn compile(listed: &[String], except: bool) -> Self {
        let compile = |text: &String| {
            Pattern::compile(&text.to_ascii_lowercase(), Syntax { wildcards: true, variables: false })
        };
        let patterns: Box<[Pattern]> = listed.iter().map(compile).collect();
        let mut actions = Self { known: 0, patterns, except };
        for (index, row) in TABLE.iter().enumerate() {
            let mut name = String::from("kms:");
            name.push_str(row.name);
            name.make_ascii_lowercase();
            if actions.covers_name(&name) {
                actions.known |= 1 << index;
            }
        }
        actions
    }

    pub(crate) fn cover(&self, action: &Action) -> bool {
        match &action.0 {
            Name::Known(_) => self.known & action.bit() != 0,
            Name::Other(name) => self.covers_name(name),
        }
    }

    fn covers_name(&self, name: &str) -> bool {
        let (context, fuel) = (Context::default(), Fuel::full());
        let scope = Scope { context: &context, fuel: &fuel };
        let named = self.patterns.iter().any(|pattern| pattern.matches(name, scope));
        named != self.except
    }
}

fn order_ignoring_case(one: &str, other: &str) -> Ordering {
    one.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(other.bytes().map(|byte| byte.to_ascii_lowercase()))
}

const fn row(name: &'static str, subject: Subject, flags: [bool; 3]) -> Row {
    let [across_accounts, grantable, has_context] = flags;
    Row { name, subject, across_accounts, grantable, has_context }
}

/// Of its account alone.
const LOCAL: [bool; 3] = [false, false, false];
/// Across accounts.
const WIDE: [bool; 3] = [true, false, false];
/// Across accounts, and by grants.
const GRANTED: [bool; 3] = [true, true, false];
/// Across accounts, by grants, with an encryption context.
const SEALING: [bool; 3] = [true, true, true];

/// At most 64: a bit stands for each.
const TABLE: [Row; 58] = [
    row("CancelKeyDeletion", Subject::Key, LOCAL),
    row("ConnectCustomKeyStore", Subject::Nothing, LOCAL),
    row("CreateAlias", Subject::AliasAndKey, LOCAL),
    row("CreateCustomKeyStore", Subject::Nothing, LOCAL),
    row("CreateGrant", Subject::Key, GRANTED),
    row("CreateKey", Subject::Nothing, LOCAL),
    row("Decapsulate", Subject::Key, GRANTED),
    row("Decrypt", Subject::Key, SEALING),
    row("DeleteAlias", Subject::AliasAndKey, LOCAL),
    row("DeleteCustomKeyStore", Subject::Nothing, LOCAL),
    row("DeleteImportedKeyMaterial", Subject::Key, LOCAL),
    row("DeriveSharedSecret", Subject::Key, GRANTED),
    row("DescribeCustomKeyStores", Subject::Nothing, LOCAL),
    row("DescribeKey", Subject::Key, GRANTED),
    row("DisableKey", Subject::Key, LOCAL),
    row("DisableKeyRotation", Subject::Key, LOCAL),
    row("DisconnectCustomKeyStore", Subject::Nothing, LOCAL),
    row("EnableKey", Subject::Key, LOCAL),
    row("EnableKeyRotation", Subject::Key, LOCAL),
    row("Encapsulate", Subject::Key, GRANTED),
    row("Encrypt", Subject::Key, SEALING),
    row("GenerateDataKey", Subject::Key, SEALING),
    row("GenerateDataKeyPair", Subject::Key, SEALING),
    row("GenerateDataKeyPairWithoutPlaintext", Subject::Key, SEALING),
    row("GenerateDataKeyWithoutPlaintext", Subject::Key, SEALING),
    row("GenerateMac", Subject::Key, GRANTED),
    row("GenerateRandom", Subject::Nothing, LOCAL),
    row("GetKeyLastUsage", Subject::Key, LOCAL),
    row("GetKeyPolicy", Subject::Key, LOCAL),
    row("GetKeyRotationStatus", Subject::Key, WIDE),
    row("GetParametersForImport", Subject::Key, LOCAL),
    row("GetPublicKey", Subject::Key, GRANTED),
    row("ImportKeyMaterial", Subject::Key, LOCAL),
    row("ListAliases", Subject::Nothing, LOCAL),
    row("ListGrants", Subject::Key, WIDE),
    row("ListKeyPolicies", Subject::Key, LOCAL),
    row("ListKeyRotations", Subject::Key, LOCAL),
    row("ListKeys", Subject::Nothing, LOCAL),
    row("ListResourceTags", Subject::Key, LOCAL),
    row("ListRetirableGrants", Subject::Nothing, LOCAL),
    row("PutKeyPolicy", Subject::Key, LOCAL),
    row("ReEncryptFrom", Subject::Key, SEALING),
    row("ReEncryptTo", Subject::Key, SEALING),
    row("ReplicateKey", Subject::Key, LOCAL),
    row("RetireGrant", Subject::Key, GRANTED),
    row("RevokeGrant", Subject::Key, WIDE),
    row("RotateKeyOnDemand", Subject::Key, LOCAL),
    row("ScheduleKeyDeletion", Subject::Key, LOCAL),
    row("Sign", Subject::Key, GRANTED),
    row("SynchronizeMultiRegionKey", Subject::Key, LOCAL),
    row("TagResource", Subject::Key, LOCAL),
    row("UntagResource", Subject::Key, LOCAL),
    row("UpdateAlias", Subject::AliasAndKey, LOCAL),
    row("UpdateCustomKeyStore", Subject::Nothing, LOCAL),
    row("UpdateKeyDescription", Subject::Key, LOCAL),
    row("UpdatePrimaryRegion", Subject::Key, LOCAL),
    row("Verify", Subject::Key, GRANTED),
    row("VerifyMac", Subject::Key, GRANTED),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_named_whatever_their_case() {
        for (listed, except, action, covered) in [
            ("*", false, "kms:Encrypt", true),
            ("kms:*", false, "kms:Encrypt", true),
            ("KMS:encrypt", false, "kms:Encrypt", true),
            ("kms:Encrypt", false, "KMS:ENCRYPT", true),
            ("kms:Encrypt", false, "kms:Decrypt", false),
            ("kms:?ncrypt", false, "kms:Encrypt", true),
            ("kms:*crypt", false, "kms:Decrypt", true),
            ("kms:ReEncrypt*", false, "kms:ReEncryptFrom", true),
            ("kms:GenerateDataKey*", false, "kms:GenerateDataKeyPairWithoutPlaintext", true),
            ("kms:GenerateDataKey", false, "kms:GenerateDataKeyPair", false),
            ("*:Encrypt", false, "kms:Encrypt", true),
            ("s3:*", false, "kms:Encrypt", false),
            ("kms:Encrypt", true, "kms:Encrypt", false),
            ("kms:Encrypt", true, "kms:Decrypt", true),
            ("s3:*", true, "kms:Decrypt", true),
            ("*", true, "kms:Decrypt", false),
            ("kms:*", false, "kms:FutureThing", true),
            ("kms:future*", false, "kms:FutureThing", true),
            ("kms:Encrypt", false, "kms:FutureThing", false),
            ("kms:Encrypt", true, "kms:FutureThing", true),
            ("kms:*", false, "s3:GetObject", false),
            ("s3:get*", false, "S3:GetObject", true),
            ("kms:Encrypt", false, "encrypt", false),
        ] {
            let actions = Actions::compile(&[listed.into()], except);
            assert_eq!(actions.cover(&Action::new(action)), covered, "{listed} {except} {action}");
        }
    }

    #[test]
    fn the_table_is_in_order_and_names_nothing_twice() {
        assert!(TABLE.iter().is_sorted_by(|one, next| order_ignoring_case(one.name, next.name).is_lt()));
        for row in &TABLE {
            let action = Action::new(&alloc::format!("kms:{}", row.name.to_ascii_uppercase()));
            assert!(action.is(row.name), "{}", row.name);
        }
    }
}
