//! The context of a request: the condition keys that some policy mentions, and their values.
//!
//! What no policy mentions is not built. A key that does not exist for a request is absent, never empty.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html> and
//! <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>.

use std::borrow::Cow;

use keyreeve_attestation::Attestation;
use keyreeve_audit::event::write_time;
use keyreeve_domain::{AccountId, AliasName, Region, Timestamp};
use keyreeve_policy::{Context, ContextKey, ContextName, ContextValue, KeyFamily, KeySet};

use crate::caller::{Caller, Principal};
use crate::gate::particulars::Particulars;
use crate::identity::organization::Place;
use crate::record::TagRecord;
use crate::ring::OpenKey;

/// Everything that is known of a request.
pub(crate) struct Facts<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) region: Region,
    pub(crate) now: Timestamp,
    pub(crate) source_ip: &'a str,
    pub(crate) user_agent: &'a str,
    pub(crate) is_secure: bool,
    /// The account of the resource.
    pub(crate) account: AccountId,
    /// Where that account is in its organization.
    pub(crate) place: Option<&'a Place>,
    pub(crate) key: Option<KeyFacts<'a>>,
    /// Whether a key is what the request is about, be it there or not: `kms:CallerAccount` and `kms:ViaService` are of those alone.
    pub(crate) concerns_key: bool,
    /// The tags of a resource that is not a key.
    pub(crate) tags: &'a [TagRecord],
    pub(crate) attestation: Option<&'a Attestation>,
    pub(crate) particulars: &'a Particulars<'a>,
}

/// What is known of the key.
#[derive(Clone, Copy)]
pub(crate) struct KeyFacts<'a> {
    pub(crate) key: &'a OpenKey,
    /// The alias by which the request names it.
    pub(crate) alias: Option<&'a AliasName>,
    /// Its aliases, where some policy mentions them.
    pub(crate) aliases: &'a [AliasName],
}

/// The values, before they are a context.
pub(crate) struct Values<'a> {
    needed: KeySet,
    texts: Vec<(ContextName<'a>, Cow<'a, str>)>,
    lists: Vec<(ContextName<'a>, Vec<Cow<'a, str>>)>,
}

impl<'a> Values<'a> {
    /// The values of the keys in `needed`, as far as the request has them. `attested` are those of its recipient.
    pub(crate) fn of(needed: KeySet, facts: &'a Facts<'a>, attested: &'a [(String, String)]) -> Self {
        let mut values = Self { needed, texts: Vec::new(), lists: Vec::new() };
        if !needed.is_empty() {
            values.add_caller(facts);
            values.add_session(facts);
            values.add_request(facts);
            values.add_resource(facts);
            values.add_particulars(facts.particulars);
            for (name, value) in attested {
                values.texts.push((name.as_str().into(), value.into()));
            }
        }
        values
    }

    /// Asks with the context of these values.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&Context<'_>) -> T) -> T {
        let lists: Vec<Vec<&str>> =
            self.lists.iter().map(|(_, list)| list.iter().map(AsRef::as_ref).collect()).collect();
        let texts = self.texts.iter().map(|(name, text)| (*name, ContextValue::One(text)));
        let many = self.lists.iter().zip(&lists).map(|((name, _), list)| (*name, ContextValue::Many(list)));
        ask(&texts.chain(many).collect())
    }

    fn text(&mut self, key: ContextKey, value: impl FnOnce() -> Option<Cow<'a, str>>) {
        if self.needed.contains(key) {
            self.texts.extend(value().map(|value| (key.into(), value)));
        }
    }

    fn list(&mut self, key: ContextKey, values: impl FnOnce() -> Vec<Cow<'a, str>>) {
        if self.needed.contains(key) {
            self.lists.push((key.into(), values()));
        }
    }

    fn tags(&mut self, family: KeyFamily, tags: impl Iterator<Item = (&'a str, &'a str)>) {
        if self.needed.contains_family(family) {
            self.texts.extend(tags.map(|(key, value)| (ContextName::of_family(family, key), value.into())));
        }
    }

    fn add_caller(&mut self, facts: &'a Facts<'a>) {
        let caller = facts.caller;
        let account = caller.account();
        let service = match caller.principal() {
            Principal::Service(name) => Some(name.as_str()),
            Principal::FederatedUser(_)
            | Principal::Role(_)
            | Principal::Root
            | Principal::User(_)
            | Principal::WebIdentity(_) => None,
        };
        let known = |value: Option<Cow<'a, str>>| value.filter(|_| service.is_none());
        self.text(ContextKey::AwsPrincipalArn, || {
            known(Some(match caller.principal() {
                Principal::Role(role) => role.role_arn(account).into(),
                Principal::FederatedUser(_)
                | Principal::Root
                | Principal::Service(_)
                | Principal::User(_)
                | Principal::WebIdentity(_) => caller.arn().into(),
            }))
        });
        self.text(ContextKey::AwsPrincipalAccount, || known(Some(account.to_string().into())));
        self.text(ContextKey::AwsPrincipalType, || {
            known(Some(
                match caller.principal() {
                    Principal::FederatedUser(_) => "FederatedUser",
                    Principal::Role(_) => "AssumedRole",
                    Principal::Root => "Account",
                    Principal::Service(_) => "Service",
                    Principal::User(_) => "User",
                    Principal::WebIdentity(_) => "Anonymous",
                }
                .into(),
            ))
        });
        self.text(ContextKey::AwsUserId, || known(Some(caller.user_id().into())));
        self.text(ContextKey::AwsUserName, || match caller.principal() {
            Principal::User(user) => Some(user.name.as_str().into()),
            Principal::FederatedUser(_)
            | Principal::Role(_)
            | Principal::Root
            | Principal::Service(_)
            | Principal::WebIdentity(_) => None,
        });
        let is_service = if service.is_some() { "true" } else { "false" };
        self.text(ContextKey::AwsPrincipalIsAwsService, || Some(is_service.into()));
        self.text(ContextKey::AwsPrincipalServiceName, || service.map(Into::into));
        if service.is_some() {
            self.list(ContextKey::AwsPrincipalServiceNamesList, || {
                service.map(Into::into).into_iter().collect()
            });
        }
        self.text(ContextKey::KmsCallerAccount, || {
            Some(account.to_string().into()).filter(|_| facts.concerns_key)
        });
        let standing = caller.standing();
        if let Some(place) = &standing.place {
            self.text(ContextKey::AwsPrincipalOrgId, || Some(place.organization.as_str().into()));
            self.list(ContextKey::AwsPrincipalOrgPaths, || vec![place.path.as_str().into()]);
        }
        self.tags(KeyFamily::PrincipalTag, pairs(&standing.tags));
    }

    fn add_session(&mut self, facts: &'a Facts<'a>) {
        let Some(session) = facts.caller.session() else { return };
        self.text(ContextKey::AwsTokenIssueTime, || Some(date(session.issued).into()));
        self.text(ContextKey::AwsSourceIdentity, || session.source_identity.as_deref().map(Into::into));
        self.text(ContextKey::AwsFederatedProvider, || session.provider.as_deref().map(Into::into));
        let with_mfa = if session.mfa.is_some() { "true" } else { "false" };
        self.text(ContextKey::AwsMultiFactorAuthPresent, || Some(with_mfa.into()));
        self.text(ContextKey::AwsMultiFactorAuthAge, || {
            let seconds = facts.now.millis_since(session.mfa?).div_euclid(1000);
            Some(seconds.to_string().into())
        });
    }

    fn add_request(&mut self, facts: &'a Facts<'a>) {
        self.text(ContextKey::AwsCurrentTime, || Some(date(facts.now).into()));
        self.text(ContextKey::AwsEpochTime, || Some(facts.now.millis().div_euclid(1000).to_string().into()));
        self.text(ContextKey::AwsRequestedRegion, || Some(facts.region.to_string().into()));
        // Of what the service does by itself for a caller, there is no address.
        self.text(ContextKey::AwsSourceIp, || {
            Some(facts.source_ip.into()).filter(|_| facts.source_ip.parse::<core::net::IpAddr>().is_ok())
        });
        let is_secure = if facts.is_secure { "true" } else { "false" };
        self.text(ContextKey::AwsSecureTransport, || Some(is_secure.into()));
        self.text(ContextKey::AwsUserAgent, || {
            Some(facts.user_agent.into()).filter(|_| !facts.user_agent.is_empty())
        });
        self.add_service(facts);
    }

    /// What a service says of whom and what it calls for.
    fn add_service(&mut self, facts: &'a Facts<'a>) {
        let forwarded = if facts.caller.is_forwarded() { "true" } else { "false" };
        self.text(ContextKey::AwsViaAwsService, || Some(forwarded.into()));
        let Some(acting) = facts.caller.service() else { return };
        if let Some(via) = acting.via.as_deref() {
            let service = via.split('.').next().unwrap_or_default();
            self.text(ContextKey::KmsViaService, || {
                facts.concerns_key.then(|| format!("{service}.{}.amazonaws.com", facts.region).into())
            });
            self.text(ContextKey::AwsCalledViaFirst, || Some(via.into()));
            self.text(ContextKey::AwsCalledViaLast, || Some(via.into()));
            self.list(ContextKey::AwsCalledVia, || vec![via.into()]);
        } else {
            self.text(ContextKey::AwsSourceArn, || acting.source_arn.as_deref().map(Into::into));
            self.text(ContextKey::AwsSourceAccount, || acting.source_account.as_deref().map(Into::into));
            if let Some(place) = &acting.source_place {
                self.text(ContextKey::AwsSourceOrgId, || Some(place.organization.as_str().into()));
                self.list(ContextKey::AwsSourceOrgPaths, || vec![place.path.as_str().into()]);
            }
        }
    }

    fn add_resource(&mut self, facts: &'a Facts<'a>) {
        self.text(ContextKey::AwsResourceAccount, || Some(facts.account.to_string().into()));
        if let Some(place) = facts.place {
            self.text(ContextKey::AwsResourceOrgId, || Some(place.organization.as_str().into()));
            self.list(ContextKey::AwsResourceOrgPaths, || vec![place.path.as_str().into()]);
        }
        self.tags(KeyFamily::ResourceTag, pairs(facts.tags));
        self.tags(KeyFamily::IamResourceTag, pairs(facts.tags));
        let Some(KeyFacts { key, alias, aliases }) = facts.key else { return };
        let record = key.record();
        self.text(ContextKey::KmsKeySpec, || Some(record.spec.as_str().into()));
        self.text(ContextKey::KmsKeyUsage, || Some(record.usage.as_str().into()));
        self.text(ContextKey::KmsKeyOrigin, || Some(record.origin.as_str().into()));
        let is_multi_region = if key.arn().key.is_multi_region() { "true" } else { "false" };
        self.text(ContextKey::KmsMultiRegion, || Some(is_multi_region.into()));
        let key_type = record.multi_region.as_deref().map(|about| about.key_type.as_str());
        self.text(ContextKey::KmsMultiRegionKeyType, || key_type.map(Into::into));
        self.text(ContextKey::KmsRequestAlias, || alias.map(|alias| alias.as_str().into()));
        self.list(ContextKey::KmsResourceAliases, || {
            aliases.iter().map(|alias| alias.as_str().into()).collect()
        });
        self.tags(KeyFamily::ResourceTag, pairs(&record.tags));
    }

    fn add_particulars(&mut self, particulars: &'a Particulars<'a>) {
        for (key, value) in particulars.texts {
            self.text(*key, || Some((*value).into()));
        }
        for (key, values) in particulars.lists {
            self.list(*key, || values.iter().map(|value| (*value).into()).collect());
        }
        if self.needed.contains_others() {
            for (name, values) in particulars.others {
                match values {
                    [value] => self.texts.push(((*name).into(), (*value).into())),
                    values => {
                        self.lists
                            .push(((*name).into(), values.iter().map(|value| (*value).into()).collect()));
                    }
                }
            }
        }
        if let Some(context) = particulars.encryption_context {
            let pairs = context.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            self.tags(KeyFamily::EncryptionContext, pairs);
            self.list(ContextKey::KmsEncryptionContextKeys, || {
                context.keys().map(|name| name.as_str().into()).collect()
            });
        }
        if !particulars.tags.is_empty() {
            self.tags(KeyFamily::RequestTag, particulars.tags.iter().copied());
            self.list(ContextKey::AwsTagKeys, || {
                particulars.tags.iter().map(|(key, _)| (*key).into()).collect()
            });
        }
    }
}

fn pairs(tags: &[TagRecord]) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))
}

/// `2026-01-02T03:04:05Z`.
fn date(at: Timestamp) -> String {
    let mut quoted = Vec::with_capacity(22);
    write_time(&mut quoted, at);
    String::from_utf8(quoted).unwrap_or_default().trim_matches('"').to_owned()
}
