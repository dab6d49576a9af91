//! Records as answers show them.

use keyreeve_core::identity::record::{
    GroupRecord, InlinePolicy, ManagedPolicyRecord, PolicyVersion, RoleRecord, UserRecord,
};
use keyreeve_core::record::TagRecord;
use keyreeve_domain::AccountId;
use keyreeve_wire::iam::{AttachedPermissionsBoundary, AttachedPolicy, Group, PolicyDetail, Role, Tag, User};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::entity::Entity;

/// Everything but what RFC 3986 leaves as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A policy as IAM hands it out.
pub(crate) fn document(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// A user; in a list without tags and boundary.
pub(crate) fn user(user: &UserRecord, account: AccountId, listed: bool) -> User {
    User {
        path: user.path.clone(),
        user_name: user.name.clone(),
        user_id: user.id.clone(),
        arn: user.arn(account),
        create_date: user.created,
        password_last_used: None,
        permissions_boundary: user.boundary.as_deref().filter(|_| !listed).map(boundary),
        tags: some_tags(&user.tags).filter(|_| !listed),
    }
}

pub(crate) fn group(group: &GroupRecord, account: AccountId) -> Group {
    Group {
        path: group.path.clone(),
        group_name: group.name.clone(),
        group_id: group.id.clone(),
        arn: group.arn(account),
        create_date: group.created,
    }
}

/// A role with its trust policy as it is shown, without its last use; in a list without tags and boundary.
pub(crate) fn role(role: &RoleRecord, account: AccountId, trust: &str, listed: bool) -> Role {
    Role {
        path: role.path.clone(),
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        arn: role.arn(account),
        create_date: role.created,
        assume_role_policy_document: document(trust),
        description: role.description.clone(),
        max_session_duration: Some(role.max_session_seconds),
        permissions_boundary: role.boundary.as_deref().filter(|_| !listed).map(boundary),
        tags: some_tags(&role.tags).filter(|_| !listed),
        role_last_used: None,
        source_role_template: None,
    }
}

/// A role as whoever made or changed it is told: without what it is used for.
pub(crate) fn changed_role(record: &RoleRecord, account: AccountId, trust: &str) -> Role {
    Role { max_session_duration: None, ..role(record, account, trust, false) }
}

pub(crate) fn boundary(arn: &str) -> AttachedPermissionsBoundary {
    AttachedPermissionsBoundary {
        // As AWS answers; its service model lists another value, `PermissionsBoundaryPolicy`.
        permissions_boundary_type: "Policy".to_owned(),
        permissions_boundary_arn: arn.to_owned(),
    }
}

pub(crate) fn attached(arn: &str) -> AttachedPolicy {
    AttachedPolicy { policy_name: policy_name(arn).to_owned(), policy_arn: arn.to_owned() }
}

pub(crate) fn inline(policy: &InlinePolicy) -> PolicyDetail {
    PolicyDetail { policy_name: policy.name.clone(), policy_document: document(&policy.text) }
}

/// A version of a managed policy, with its text or without.
pub(crate) fn version(
    policy: &ManagedPolicyRecord,
    version: &PolicyVersion,
    with_text: bool,
) -> keyreeve_wire::iam::PolicyVersion {
    keyreeve_wire::iam::PolicyVersion {
        document: with_text.then(|| document(&version.text)),
        version_id: version_id(version.number),
        is_default_version: version.number == policy.default,
        create_date: version.created,
    }
}

pub(crate) fn version_id(number: u32) -> String {
    format!("v{number}")
}

pub(crate) fn tags(tags: &[TagRecord]) -> Vec<Tag> {
    tags.iter().map(|tag| Tag { key: tag.key.clone(), value: tag.value.clone() }).collect()
}

/// Tags, where there are any.
pub(crate) fn some_tags(held: &[TagRecord]) -> Option<Vec<Tag>> {
    (!held.is_empty()).then(|| tags(held))
}

/// The name of the policy with this ARN.
pub(crate) fn policy_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}
