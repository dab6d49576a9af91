//! The text of a seed file: our own form, or one of local-kms.

use std::collections::BTreeMap;
use std::path::Path;

use keyreeve_domain::spec::KeyUsage;
use keyreeve_domain::{AccountId, AliasName, KeyId, Region};
use serde::de::DeserializeOwned;
use serde_saphyr::{Location, Spanned};

use super::key::{PERIOD, Rotation, Wish};
use super::{Place, Planted, SeedAccount};
use crate::dev::local_kms::{self, AliasShape, Form};
use crate::dev::shape::{FileShape, KeyShape, OneOrMore};
use crate::exit::Failure;

/// What one file says.
pub(super) struct Read {
    pub(super) accounts: Vec<SeedAccount>,
    pub(super) keys: Vec<Planted>,
}

/// A file that is being read.
struct Reader<'a> {
    path: &'a Path,
    account: AccountId,
    region: Region,
}

/// Variables by which local-kms is told where its keys are.
const ACCOUNT_VARIABLE: &str = "KMS_ACCOUNT_ID";
const REGION_VARIABLE: &str = "KMS_REGION";

pub(super) fn read(path: &Path, text: &str, account: AccountId, region: Region) -> Result<Read, Failure> {
    let mut reader = Reader { path, account, region };
    // What is wrong with a file that does not even parse is told by the form that is ours.
    let form = serde_saphyr::from_str::<local_kms::Probe>(text).ok().and_then(|probe| probe.form());
    let Some(form) = form else {
        let shape = reader.parse(text)?;
        return reader.own(shape);
    };
    if let Ok(account) = std::env::var(ACCOUNT_VARIABLE) {
        reader.account = reader.parsed(1, &account, ACCOUNT_VARIABLE)?;
    }
    if let Ok(region) = std::env::var(REGION_VARIABLE) {
        reader.region = reader.parsed(1, &region, REGION_VARIABLE)?;
    }
    reader.local_kms(form, text)
}

impl Reader<'_> {
    fn place(&self, line: u64) -> Place {
        Place { path: self.path.to_owned(), line }
    }

    fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, Failure> {
        serde_saphyr::from_str(text).map_err(|error| {
            let line = error.location().map_or(1, |location| location.line());
            self.place(line).fault(error.without_snippet())
        })
    }

    fn parsed<T: core::str::FromStr<Err: core::fmt::Display>>(
        &self,
        line: u64,
        text: &str,
        what: &str,
    ) -> Result<T, Failure> {
        text.parse().map_err(|error| self.place(line).fault(format!("{what} `{text}`: {error}")))
    }

    fn spanned<T: core::str::FromStr<Err: core::fmt::Display>>(
        &self,
        text: &Spanned<String>,
        what: &str,
    ) -> Result<T, Failure> {
        self.parsed(line(text), &text.value, what)
    }

    /// A file in our own form.
    fn own(mut self, shape: FileShape) -> Result<Read, Failure> {
        if let Some(account) = &shape.account {
            self.account = self.spanned(account, "account")?;
        }
        if let Some(region) = &shape.region {
            self.region = self.spanned(region, "Region")?;
        }
        let accounts = shape
            .accounts
            .into_iter()
            .map(|account| Ok(SeedAccount { id: self.spanned(&account.id, "account")?, name: account.name }));
        let accounts = accounts.collect::<Result<_, Failure>>()?;
        let keys = shape.keys.into_iter().map(|key| self.own_key(key)).collect::<Result<_, _>>()?;
        Ok(Read { accounts, keys })
    }

    fn own_key(&self, shape: KeyShape) -> Result<Planted, Failure> {
        let place = self.place(line(&shape.id));
        let id: KeyId = self.spanned(&shape.id, "key id")?;
        let account = shape.account.map_or(Ok(self.account), |account| self.spanned(&account, "account"))?;
        let region = shape.region.map_or(Ok(self.region), |region| self.spanned(&region, "Region"))?;
        let materials = match shape.material.map(|material| material.value) {
            None => Vec::new(),
            Some(OneOrMore::One(one)) => vec![one],
            Some(OneOrMore::More(more)) => more,
        };
        let policy = shape.policy.map(|policy| match policy.value.as_str() {
            Some(text) => text.to_owned(),
            None => policy.value.to_string(),
        });
        let aliases = shape.aliases.iter().map(|alias| self.alias(alias)).collect::<Result<_, _>>()?;
        let rotation = shape.rotation.map(|rotation| Rotation {
            period_days: rotation.value.period_days.unwrap_or(PERIOD),
            next: rotation.value.next,
        });
        let wish = Wish {
            spec: shape.spec.map(|spec| spec.value),
            usage: shape.usage.map(|usage| usage.value),
            usual: None,
            origin: shape.origin.map(|origin| origin.value),
            description: shape.description,
            enabled: shape.enabled,
            materials,
            material_expires: shape.material_expires.map(|expires| expires.value),
            tags: shape.tags,
            policy,
            aliases,
            rotation,
        };
        wish.granted(&place, (account, region, id))
    }

    fn alias(&self, alias: &Spanned<String>) -> Result<AliasName, Failure> {
        let name: AliasName = self.spanned(alias, "alias")?;
        if alias.value.starts_with("alias/aws/") {
            return Err(self
                .place(line(alias))
                .fault("aliases of AWS services cannot be seeded; choose another name"));
        }
        Ok(name)
    }

    /// A file of local-kms.
    fn local_kms(&self, form: Form, text: &str) -> Result<Read, Failure> {
        let mut keys = Vec::new();
        let aliases = match form {
            Form::First => {
                let shape: local_kms::FirstShape = self.parse(text)?;
                keys.extend(shape.keys.into_iter().map(|key| (key, None)).map(second));
                shape.aliases
            }
            Form::Second => {
                let shape: local_kms::SecondShape = self.parse(text)?;
                let (symmetric, asymmetric) = (shape.keys.symmetric, shape.keys.asymmetric);
                let usual = Some(KeyUsage::SignVerify);
                let one_usage = symmetric.aes.into_iter().chain(symmetric.hmac).map(|key| (key, None));
                let pairs = asymmetric.rsa.into_iter().chain(asymmetric.ecc).map(|key| (key, usual));
                keys.extend(one_usage.chain(pairs).map(second));
                shape.aliases
            }
            Form::Third => {
                let shape: local_kms::ThirdShape = self.parse(text)?;
                if shape.version.value != 2 {
                    let text = format!(
                        "there is no version {} of the seed files of local-kms; say 2",
                        shape.version.value
                    );
                    return Err(self.place(line(&shape.version)).fault(text));
                }
                keys.extend(shape.keys.into_iter().map(third));
                shape.aliases
            }
        };
        let mut named = self.named(&aliases)?;
        let granted = keys.into_iter().map(|(id, mut wish)| {
            let place = self.place(line(&id));
            let id: KeyId = self.spanned(&id, "KeyId")?;
            wish.aliases = named.remove(&id.to_string()).map(|(_, aliases)| aliases).unwrap_or_default();
            wish.granted(&place, (self.account, self.region, id))
        });
        let keys = granted.collect::<Result<_, _>>()?;
        match named.into_iter().next() {
            None => Ok(Read { accounts: Vec::new(), keys }),
            Some((target, (line, _))) => Err(self
                .place(line)
                .fault(format!("no key `{target}` in this file; add it, or take the alias out"))),
        }
    }

    /// The aliases, by the key that they stand for, with a line of each.
    fn named(&self, aliases: &[AliasShape]) -> Result<BTreeMap<String, (u64, Vec<AliasName>)>, Failure> {
        let mut named = BTreeMap::<String, (u64, Vec<AliasName>)>::new();
        for alias in aliases {
            let target = &alias.target_key_id;
            let id = target.value.rsplit("key/").next().unwrap_or_default().to_owned();
            named
                .entry(id)
                .or_insert_with(|| (line(target), Vec::new()))
                .1
                .push(self.alias(&alias.alias_name)?);
        }
        Ok(named)
    }
}

fn second((key, usual): (local_kms::KeyShape, Option<KeyUsage>)) -> (Spanned<String>, Wish) {
    let metadata = key.metadata;
    let wish = Wish {
        spec: metadata.key_spec.or(metadata.customer_master_key_spec),
        usage: metadata.key_usage,
        usual,
        origin: metadata.origin,
        description: metadata.description.unwrap_or_default(),
        enabled: metadata.enabled,
        materials: key.backing_keys.into_iter().chain(key.private_key_pem).collect(),
        rotation: key.next_key_rotation.map(|next| Rotation { period_days: PERIOD, next: Some(next) }),
        ..Wish::default()
    };
    (metadata.key_id, wish)
}

fn third(key: local_kms::ThirdKeyShape) -> (Spanned<String>, Wish) {
    let wish = Wish {
        spec: key.metadata.key_spec,
        usage: key.metadata.key_usage,
        description: key.metadata.description.unwrap_or_default(),
        materials: key.material.backing_keys.into_iter().chain(key.material.private_key_pem).collect(),
        rotation: key.next_key_rotation.map(|next| Rotation { period_days: PERIOD, next: Some(next) }),
        ..Wish::default()
    };
    (key.key_id, wish)
}

fn line<T>(of: &Spanned<T>) -> u64 {
    Location::line(&of.referenced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garbled::{example, garbled};
    use proptest::prelude::*;

    /// Keys as local-kms has them.
    /// Source: <https://github.com/nsmithuk/local-kms#seeding>.
    const LOCAL_KMS: &str = "Keys:
  Symmetric:
    Aes:
      - Metadata:
          KeyId: bc436485-5092-42b8-92a3-0aa8b93536dc
          Description: a key
        BackingKeys:
          - 34743777217A25432A46294A404E635266556A586E3272357538782F413F4428
  Asymmetric:
    Ecc:
      - Metadata:
          KeyId: 800d5768-3fd7-4edd-a4b8-4c81c3e4c147
          KeyUsage: SIGN_VERIFY
        PrivateKeyPem: none
Aliases:
  - AliasName: alias/testing
    TargetKeyId: bc436485-5092-42b8-92a3-0aa8b93536dc
";

    fn documented() -> String {
        example(include_str!("../../../../../docs/dev-mode.md"), "# of keys that name none")
    }

    fn read_text(text: &str) -> Result<Read, Failure> {
        let (account, region) = ("111122223333".parse().unwrap(), "us-east-1".parse().unwrap());
        read(Path::new("seed.yaml"), text, account, region)
    }

    #[test]
    fn the_documented_seed_is_one() {
        assert_eq!(read_text(&documented()).map(|read| read.keys.len()).ok(), Some(2));
    }

    proptest! {
        #[test]
        fn a_garbled_seed_is_taken_or_refused(text in prop_oneof![garbled(&documented()), garbled(LOCAL_KMS)]) {
            if let Err(error) = read_text(&text) {
                prop_assert!(error.to_string().contains("seed.yaml:"), "{error}");
            }
        }
    }
}
