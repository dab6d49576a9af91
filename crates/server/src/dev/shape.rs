//! The seed file in the form that `docs/dev-mode.md` describes, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileShape {
    pub(super) account: Option<Spanned<String>>,
    pub(super) region: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) accounts: Vec<AccountShape>,
    #[serde(default)]
    pub(super) keys: Vec<KeyShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountShape {
    pub(super) id: Spanned<String>,
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyShape {
    pub(super) id: Spanned<String>,
    pub(super) account: Option<Spanned<String>>,
    pub(super) region: Option<Spanned<String>>,
    pub(super) spec: Option<Spanned<String>>,
    pub(super) usage: Option<Spanned<String>>,
    pub(super) origin: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) description: String,
    pub(super) enabled: Option<bool>,
    /// One, or the versions of a rotated key, the oldest first.
    pub(super) material: Option<Spanned<OneOrMore>>,
    pub(super) material_expires: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    pub(super) policy: Option<Spanned<serde_json::Value>>,
    #[serde(default)]
    pub(super) aliases: Vec<Spanned<String>>,
    pub(super) rotation: Option<Spanned<RotationShape>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RotationShape {
    pub(super) period_days: Option<u32>,
    pub(super) next: Option<String>,
}
