//! Seed files of local-kms, in each form that it has had.
//!
//! Source: <https://github.com/nsmithuk/local-kms>. What it refuses or ignores with a warning is taken where it has a meaning:
//! a spec is read from the material where none is said.

use core::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// Which form a file has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// `Keys` is a list of AES keys.
    First,
    /// `Keys` has `Symmetric` and `Asymmetric`.
    Second,
    /// `Version: 2`: `Keys` is a list of keys of any spec.
    Third,
}

/// As much as tells the forms apart.
#[derive(Deserialize)]
pub(super) struct Probe {
    #[serde(rename = "Version")]
    version: Option<u32>,
    #[serde(rename = "Keys")]
    keys: Option<Keys>,
    #[serde(rename = "Aliases")]
    aliases: Option<IgnoredAny>,
}

enum Keys {
    List,
    Map,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;

        impl<'de> Visitor<'de> for Look {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Keys::List)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Keys::Map)
            }
        }

        deserializer.deserialize_any(Look)
    }
}

impl Probe {
    /// The form; none where the file is not one of local-kms.
    pub(super) fn form(&self) -> Option<Form> {
        match (self.version, &self.keys, &self.aliases) {
            (None, None, None) => None,
            (Some(_), _, _) => Some(Form::Third),
            (None, Some(Keys::List), _) => Some(Form::First),
            (None, Some(Keys::Map) | None, _) => Some(Form::Second),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct FirstShape {
    #[serde(default)]
    pub(super) keys: Vec<KeyShape>,
    #[serde(default)]
    pub(super) aliases: Vec<AliasShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct SecondShape {
    #[serde(default)]
    pub(super) keys: KeysShape,
    #[serde(default)]
    pub(super) aliases: Vec<AliasShape>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct KeysShape {
    #[serde(default)]
    pub(super) symmetric: SymmetricShape,
    #[serde(default)]
    pub(super) asymmetric: AsymmetricShape,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct SymmetricShape {
    #[serde(default)]
    pub(super) aes: Vec<KeyShape>,
    #[serde(default)]
    pub(super) hmac: Vec<KeyShape>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct AsymmetricShape {
    #[serde(default)]
    pub(super) rsa: Vec<KeyShape>,
    #[serde(default)]
    pub(super) ecc: Vec<KeyShape>,
}

/// A key of the first and the second form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct KeyShape {
    pub(super) metadata: MetadataShape,
    #[serde(default)]
    pub(super) backing_keys: Vec<String>,
    pub(super) private_key_pem: Option<String>,
    pub(super) next_key_rotation: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct MetadataShape {
    pub(super) key_id: Spanned<String>,
    pub(super) description: Option<String>,
    pub(super) key_usage: Option<String>,
    pub(super) key_spec: Option<String>,
    pub(super) customer_master_key_spec: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) enabled: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ThirdShape {
    pub(super) version: Spanned<u32>,
    #[serde(default)]
    pub(super) keys: Vec<ThirdKeyShape>,
    #[serde(default)]
    pub(super) aliases: Vec<AliasShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ThirdKeyShape {
    pub(super) key_id: Spanned<String>,
    #[serde(default)]
    pub(super) metadata: ThirdMetadataShape,
    pub(super) next_key_rotation: Option<String>,
    #[serde(default)]
    pub(super) material: ThirdMaterialShape,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ThirdMetadataShape {
    pub(super) description: Option<String>,
    pub(super) key_spec: Option<String>,
    pub(super) key_usage: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ThirdMaterialShape {
    #[serde(default)]
    pub(super) backing_keys: Vec<String>,
    pub(super) private_key_pem: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct AliasShape {
    pub(super) alias_name: Spanned<String>,
    pub(super) target_key_id: Spanned<String>,
}
