//! From what a file says of a key to the key.

use std::collections::BTreeMap;

use keyreeve_core::record::TagRecord;
use keyreeve_core::seed::{SeedKey, SeedRotation};
use keyreeve_crypto::chosen::{chosen_material, spec_of_pair};
use keyreeve_domain::spec::{KeySpec, KeyUsage, Origin};
use keyreeve_domain::{AccountId, AliasName, KeyArn, KeyId, Region, Timestamp};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Place, Planted};
use crate::dev::material::decode;
use crate::exit::Failure;

/// What a file says of a key, in whatever form it does.
#[derive(Default)]
pub(super) struct Wish {
    pub(super) spec: Option<String>,
    pub(super) usage: Option<String>,
    /// The usage of a key that says none, where its spec has several.
    pub(super) usual: Option<KeyUsage>,
    pub(super) origin: Option<String>,
    pub(super) description: String,
    pub(super) enabled: Option<bool>,
    pub(super) materials: Vec<String>,
    pub(super) material_expires: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) policy: Option<String>,
    pub(super) aliases: Vec<AliasName>,
    pub(super) rotation: Option<Rotation>,
}

/// Automatic rotation.
pub(super) struct Rotation {
    pub(super) period_days: u32,
    pub(super) next: Option<String>,
}

/// Days between two rotations.
const PERIODS: core::ops::RangeInclusive<u32> = 90..=2560;
/// Where no period is said.
pub(super) const PERIOD: u32 = 365;
/// Bytes of a description.
const DESCRIPTION: usize = 8192;
/// Tags of a key.
const TAGS: usize = 50;
/// Characters of the key of a tag; it has one at least.
const TAG_KEY: usize = 128;
/// Characters of the value of a tag.
const TAG_VALUE: usize = 256;

/// Whether CreateKey would take these tags, with the quota of AWS.
fn tags(tags: &BTreeMap<String, String>) -> Result<(), String> {
    if tags.len() > TAGS {
        return Err(format!("it has more than {TAGS} tags"));
    }
    for (key, value) in tags {
        if !(1..=TAG_KEY).contains(&key.chars().count()) || value.chars().count() > TAG_VALUE {
            return Err(format!(
                "the key of a tag has 1 to {TAG_KEY} characters, and its value at most {TAG_VALUE}: `{key}`"
            ));
        }
        if let Some(fault) = keyreeve_kms::tag_fault(key, value) {
            return Err(format!("the tag `{key}`: {fault}"));
        }
    }
    Ok(())
}

impl Wish {
    /// The key that is wished for.
    pub(super) fn granted(
        self,
        place: &Place,
        (account, region, id): (AccountId, Region, KeyId),
    ) -> Result<Planted, Failure> {
        let fault = |text: String| place.fault(format!("key `{id}`: {text}"));
        if self.description.len() > DESCRIPTION {
            return Err(fault(format!("its description is longer than {DESCRIPTION} bytes")));
        }
        tags(&self.tags).map_err(fault)?;
        let decoded: Vec<_> =
            self.materials.iter().map(|text| decode(text)).collect::<Result<_, _>>().map_err(fault)?;
        let spec = match &self.spec {
            Some(text) => one_of(text, KeySpec::ALL, "spec").map_err(fault)?,
            None => match decoded.first().filter(|first| first.is_document) {
                Some(first) => spec_of_pair(&first.bytes)
                    .ok_or_else(|| fault("its material is no private key of a known spec".to_owned()))?,
                None => KeySpec::SymmetricDefault,
            },
        };
        let usage = self.usage(spec).map_err(fault)?;
        let origin = match &self.origin {
            None => Origin::AwsKms,
            Some(text) => one_of(text, &[Origin::AwsKms, Origin::External], "origin").map_err(fault)?,
        };
        let materials = decoded
            .iter()
            .map(|decoded| {
                chosen_material(spec, &decoded.bytes)
                    .map_err(|error| fault(format!("its material is {error}, {spec}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if materials.len() > 1 && (spec != KeySpec::SymmetricDefault || origin == Origin::External) {
            let text = "only SYMMETRIC_DEFAULT keys of origin AWS_KMS have more than one version of material";
            return Err(fault(text.to_owned()));
        }
        let expires = self.material_expires.as_deref().map(time).transpose().map_err(fault)?;
        if expires.is_some() && (origin != Origin::External || materials.is_empty()) {
            let text = "only material of origin EXTERNAL expires; take `material_expires` out";
            return Err(fault(text.to_owned()));
        }
        let rotation = self.rotation(spec, origin).map_err(fault)?;
        let tags = self.tags.into_iter().map(|(key, value)| TagRecord { key, value }).collect();
        let key = SeedKey {
            arn: KeyArn { region, account, key: id },
            description: self.description,
            spec,
            usage,
            origin,
            enabled: self.enabled.unwrap_or(true),
            tags,
            materials,
            valid_to: expires,
            rotation,
            policy: self.policy,
            aliases: self.aliases,
        };
        Ok(Planted { place: place.clone(), key })
    }

    fn usage(&self, spec: KeySpec) -> Result<KeyUsage, String> {
        let allowed: Vec<_> = KeyUsage::ALL.iter().copied().filter(|usage| spec.allows(*usage)).collect();
        match (&self.usage, allowed.as_slice()) {
            (Some(text), _) => one_of(text, &allowed, "usage"),
            (None, [only]) => Ok(*only),
            (None, several) => match self.usual.filter(|usual| several.contains(usual)) {
                Some(usual) => Ok(usual),
                None => Err(format!("say its `usage`: {}", texts(several))),
            },
        }
    }

    fn rotation(&self, spec: KeySpec, origin: Origin) -> Result<Option<SeedRotation>, String> {
        let Some(rotation) = &self.rotation else { return Ok(None) };
        if spec != KeySpec::SymmetricDefault || origin != Origin::AwsKms {
            return Err(
                "only SYMMETRIC_DEFAULT keys of origin AWS_KMS are rotated; take `rotation` out".to_owned()
            );
        }
        if !PERIODS.contains(&rotation.period_days) {
            let (least, most) = (PERIODS.start(), PERIODS.end());
            return Err(format!("`period_days` must be from {least} to {most}"));
        }
        let next = rotation.next.as_deref().map(time).transpose()?;
        Ok(Some(SeedRotation { period_days: rotation.period_days, next }))
    }
}

fn one_of<T: Copy + ToString>(text: &str, values: &[T], what: &str) -> Result<T, String> {
    let found = values.iter().find(|value| value.to_string() == text);
    found.copied().ok_or_else(|| format!("there is no {what} `{text}`; choose {}", texts(values)))
}

fn texts<T: ToString>(values: &[T]) -> String {
    let texts: Vec<_> = values.iter().map(T::to_string).collect();
    texts.join(", ")
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time = OffsetDateTime::parse(text, &Rfc3339);
    let time = time.map_err(|error| format!("`{text}` is no time of RFC 3339: {error}"))?;
    Ok(Timestamp::from_millis(i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)))
}
