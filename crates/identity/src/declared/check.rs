//! Holding what is declared to the rules of the API: a declaration is checked as the request that would make the same.

use keyreeve_core::identity::record::{
    InlinePolicy, ManagedPolicyRecord, OrganizationRecord, ProviderRecord, RoleRecord, UserRecord,
};
use keyreeve_core::record::TagRecord;
use keyreeve_wire::iam::{Operation, Tag};
use keyreeve_wire::query::Form;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::declaration::{Group, ManagedPolicy, Provider, Role, User};
use crate::entity::Tagged;
use crate::refusal::Refusal;
use crate::{policy_check, providers, tag_check};

/// The shortest and the longest id of an access key, and of a secret.
const ACCESS_KEY_ID: core::ops::RangeInclusive<usize> = 16..=128;
const SECRET: core::ops::RangeInclusive<usize> = 8..=128;

/// The parameters of a request.
#[derive(Default)]
struct Parameters(String);

impl Parameters {
    fn with(mut self, name: &str, value: &str) -> Self {
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        self.0.push_str(&format!("&{name}={value}"));
        self
    }

    fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn with_tags(self, tags: &[TagRecord]) -> Self {
        (1..).zip(tags).fold(self, |parameters, (number, TagRecord { key, value })| {
            let name = |part| format!("Tags.member.{number}.{part}");
            parameters.with(&name("Key"), key).with(&name("Value"), value)
        })
    }

    fn with_list(self, name: &str, values: &[String]) -> Self {
        (1..).zip(values).fold(self, |parameters, (number, value)| {
            parameters.with(&format!("{name}.member.{number}"), value)
        })
    }

    fn check(&self, operation: Operation) -> Result<(), Refusal> {
        Ok((operation.model().check)(&Form::parse(self.0.as_bytes())?)?)
    }
}

fn tags<E: Tagged>(tags: &[TagRecord]) -> Result<(), Refusal> {
    let tags: Vec<Tag> =
        tags.iter().map(|TagRecord { key, value }| Tag { key: key.clone(), value: value.clone() }).collect();
    tag_check::records::<E>(&tags).map(drop)
}

/// The own policies of a user, group or role.
fn inline(policies: &[InlinePolicy]) -> Result<(), (Option<String>, Refusal)> {
    for InlinePolicy { name, text } in policies {
        let request =
            Parameters::default().with("UserName", "a").with("PolicyName", name).with("PolicyDocument", text);
        request
            .check(Operation::PutUserPolicy)
            .and_then(|()| policy_check::identity(text))
            .map_err(|refusal| (Some(name.clone()), refusal))?;
    }
    Ok(())
}

/// What is wrong, and with which policy if with one.
pub(super) type Wrong = (Option<String>, Refusal);

fn entity(refusal: Refusal) -> Wrong {
    (None, refusal)
}

pub(super) fn policy(policy: &ManagedPolicy) -> Result<(), Wrong> {
    Parameters::default()
        .with("PolicyName", &policy.name)
        .with("Path", &policy.path)
        .with_some("Description", policy.description.as_deref())
        .with("PolicyDocument", &policy.text)
        .with_tags(&policy.tags)
        .check(Operation::CreatePolicy)
        .and_then(|()| tags::<ManagedPolicyRecord>(&policy.tags))
        .and_then(|()| policy_check::managed(&policy.text))
        .map_err(entity)
}

pub(super) fn group(group: &Group) -> Result<(), Wrong> {
    let request = Parameters::default().with("GroupName", &group.name).with("Path", &group.path);
    request.check(Operation::CreateGroup).map_err(entity)?;
    inline(&group.policies)
}

pub(super) fn user(user: &User) -> Result<(), Wrong> {
    Parameters::default()
        .with("UserName", &user.name)
        .with("Path", &user.path)
        .with_some("PermissionsBoundary", user.boundary.as_deref())
        .with_tags(&user.tags)
        .check(Operation::CreateUser)
        .and_then(|()| tags::<UserRecord>(&user.tags))
        .map_err(entity)?;
    inline(&user.policies)
}

pub(super) fn role(role: &Role) -> Result<(), Wrong> {
    Parameters::default()
        .with("RoleName", &role.name)
        .with("Path", &role.path)
        .with("AssumeRolePolicyDocument", &role.trust)
        .with_some("Description", role.description.as_deref())
        .with("MaxSessionDuration", &role.max_session_seconds.to_string())
        .with_some("PermissionsBoundary", role.boundary.as_deref())
        .with_tags(&role.tags)
        .check(Operation::CreateRole)
        .and_then(|()| tags::<RoleRecord>(&role.tags))
        .map_err(entity)?;
    inline(&role.policies)
}

pub(super) fn provider(provider: &Provider) -> Result<(), Wrong> {
    Parameters::default()
        .with("Url", &provider.url)
        .with_list("ClientIDList", &provider.client_ids)
        .with_list("ThumbprintList", &provider.thumbprints)
        .with_tags(&provider.tags)
        .check(Operation::CreateOpenIDConnectProvider)
        .and_then(|()| tags::<ProviderRecord>(&provider.tags))
        .and_then(|()| providers::url(&provider.url).map(drop))
        .and_then(|()| providers::check_client_ids(&provider.client_ids))
        .and_then(|()| providers::check_thumbprints(&provider.thumbprints))
        .map_err(entity)
}

/// Whether an access key is of the form that requests can be signed with.
pub(super) fn access_key(id: &str, secret: &str) -> Result<(), &'static str> {
    if !ACCESS_KEY_ID.contains(&id.len())
        || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err("the id of an access key is 16 to 128 letters, digits and underscores");
    }
    if !SECRET.contains(&secret.len()) || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a secret access key is 8 to 128 printable ASCII characters");
    }
    Ok(())
}

/// Whether this is the name of a service, such as `s3.amazonaws.com`.
pub(super) fn is_service(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    name.strip_suffix(".amazonaws.com").is_some_and(|rest| rest.split('.').all(is_part))
}

/// The organization: ids as the API of AWS Organizations has them, and its policies.
pub(super) fn organization(record: &OrganizationRecord) -> Result<(), String> {
    let lower = |text: &str, lengths: core::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !record.id.strip_prefix("o-").is_some_and(|rest| lower(rest, 10..=32)) {
        return Err(format!("`{}` is not the id of an organization, such as o-a1b2c3d4e5", record.id));
    }
    let mut ids = std::collections::BTreeSet::new();
    for unit in &record.units {
        let (kind, is_id) = match unit.parent {
            None => {
                ("a root, such as r-a1b2", unit.id.strip_prefix("r-").is_some_and(|rest| lower(rest, 4..=32)))
            }
            Some(_) => (
                "an organizational unit, such as ou-a1b2-c3d4e5f6",
                unit.id
                    .strip_prefix("ou-")
                    .and_then(|rest| rest.split_once('-'))
                    .is_some_and(|(root, own)| lower(root, 4..=32) && lower(own, 8..=32)),
            ),
        };
        if !is_id {
            return Err(format!("`{}` is not the id of {kind}", unit.id));
        }
        if !ids.insert(&unit.id) {
            return Err(format!("there are two units `{}`", unit.id));
        }
        controls(&unit.id, &unit.service_control, &unit.resource_control)?;
        for member in &unit.accounts {
            controls(&member.account.to_string(), &member.service_control, &member.resource_control)?;
        }
    }
    Ok(())
}

fn controls(place: &str, service: &[InlinePolicy], resource: &[InlinePolicy]) -> Result<(), String> {
    let all = service.iter().map(|policy| (policy, policy_check::service_control(&policy.text))).chain(
        resource.iter().map(|policy| (policy, policy_check::resource_control(&policy.name, &policy.text))),
    );
    for (policy, checked) in all {
        checked.map_err(|Refusal(error)| format!("{place}, policy `{}`: {}", policy.name, error.message))?;
    }
    Ok(())
}
