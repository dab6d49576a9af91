//! The identity file as TOML has it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

pub(super) use keyreeve_core::identity::record::InlinePolicy;
use keyreeve_core::record::TagRecord;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileShape {
    #[serde(default)]
    pub(super) account: Vec<AccountShape>,
    #[serde(default)]
    pub(super) service: Vec<ServiceShape>,
    pub(super) organization: Option<OrganizationShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountShape {
    pub(super) id: Spanned<String>,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) policy: Vec<ManagedPolicyShape>,
    #[serde(default)]
    pub(super) group: Vec<GroupShape>,
    #[serde(default)]
    pub(super) user: Vec<UserShape>,
    #[serde(default)]
    pub(super) role: Vec<RoleShape>,
    #[serde(default)]
    pub(super) provider: Vec<ProviderShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManagedPolicyShape {
    pub(super) name: Spanned<String>,
    #[serde(default = "root_path")]
    pub(super) path: String,
    pub(super) description: Option<String>,
    pub(super) policy: PolicyShape,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupShape {
    pub(super) name: Spanned<String>,
    #[serde(default = "root_path")]
    pub(super) path: String,
    #[serde(default)]
    pub(super) policies: BTreeMap<String, PolicyShape>,
    #[serde(default)]
    pub(super) attach: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserShape {
    pub(super) name: Spanned<String>,
    #[serde(default = "root_path")]
    pub(super) path: String,
    #[serde(default)]
    pub(super) policies: BTreeMap<String, PolicyShape>,
    #[serde(default)]
    pub(super) attach: Vec<String>,
    pub(super) boundary: Option<String>,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) access_keys: Vec<Spanned<AccessKeyShape>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleShape {
    pub(super) name: Spanned<String>,
    #[serde(default = "root_path")]
    pub(super) path: String,
    pub(super) trust: PolicyShape,
    pub(super) description: Option<String>,
    #[serde(default = "session_seconds")]
    pub(super) max_session_seconds: u32,
    #[serde(default)]
    pub(super) policies: BTreeMap<String, PolicyShape>,
    #[serde(default)]
    pub(super) attach: Vec<String>,
    pub(super) boundary: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderShape {
    pub(super) url: Spanned<String>,
    #[serde(default)]
    pub(super) client_ids: Vec<String>,
    #[serde(default)]
    pub(super) thumbprints: Vec<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccessKeyShape {
    pub(super) id: Option<String>,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) secret_env: Option<String>,
    pub(super) credentials_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceShape {
    pub(super) name: Spanned<String>,
    pub(super) account: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) access_keys: Vec<Spanned<AccessKeyShape>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganizationShape {
    pub(super) id: Spanned<String>,
    pub(super) management_account: Spanned<String>,
    /// The id of its root.
    pub(super) root: Spanned<String>,
    #[serde(default)]
    pub(super) service_control: BTreeMap<String, PolicyShape>,
    #[serde(default)]
    pub(super) resource_control: BTreeMap<String, PolicyShape>,
    #[serde(default)]
    pub(super) unit: Vec<UnitShape>,
    #[serde(default)]
    pub(super) account: Vec<MemberShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitShape {
    pub(super) id: Spanned<String>,
    pub(super) name: String,
    /// The unit that it is in; none is the root.
    pub(super) parent: Option<String>,
    #[serde(default)]
    pub(super) service_control: BTreeMap<String, PolicyShape>,
    #[serde(default)]
    pub(super) resource_control: BTreeMap<String, PolicyShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberShape {
    pub(super) id: Spanned<String>,
    /// The unit that it is in; none is the root.
    pub(super) unit: Option<String>,
    #[serde(default)]
    pub(super) service_control: BTreeMap<String, PolicyShape>,
    #[serde(default)]
    pub(super) resource_control: BTreeMap<String, PolicyShape>,
}

/// A policy: its text, or `{ file = "…" }`.
pub(super) enum PolicyShape {
    File(PathBuf),
    Text(String),
}

impl<'de> Deserialize<'de> for PolicyShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = PolicyShape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of a policy, or { file = \"…\" }")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<PolicyShape, E> {
                Ok(PolicyShape::Text(text.to_owned()))
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<PolicyShape, M::Error> {
                match map.next_entry::<String, PathBuf>()? {
                    Some((name, path)) if name == "file" => match map.next_key::<String>()? {
                        None => Ok(PolicyShape::File(path)),
                        Some(other) => Err(Error::unknown_field(&other, &["file"])),
                    },
                    Some((name, _)) => Err(Error::unknown_field(&name, &["file"])),
                    None => Err(Error::missing_field("file")),
                }
            }
        }

        deserializer.deserialize_any(Either)
    }
}

fn root_path() -> String {
    "/".to_owned()
}

/// The longest session where nothing is said, as the API has it.
fn session_seconds() -> u32 {
    3600
}

pub(super) fn tags(tags: BTreeMap<String, String>) -> Vec<TagRecord> {
    tags.into_iter().map(|(key, value)| TagRecord { key, value }).collect()
}
