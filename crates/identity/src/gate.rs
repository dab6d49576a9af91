//! Whether the caller may do what he asks for.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>.

use keyreeve_core::Cx;
use keyreeve_core::gate::{Elsewhere, GateError, On, Particulars as Asked, authorize_elsewhere};
use keyreeve_core::record::TagRecord;
use keyreeve_policy::ContextKey;

use crate::refusal::Refusal;

/// What policies may ask for of a request, beside what they may of every one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Particulars<'a> {
    /// The tags of the request: `aws:RequestTag/…` and `aws:TagKeys`.
    pub(crate) request_tags: &'a [TagRecord],
    /// The keys of the tags that are taken away: `aws:TagKeys`.
    pub(crate) tag_keys: &'a [String],
    /// The tags of the resource: `aws:ResourceTag/…` and `iam:ResourceTag/…`.
    pub(crate) resource_tags: &'a [TagRecord],
    /// The policy that is attached or detached: `iam:PolicyARN`.
    pub(crate) policy_arn: Option<&'a str>,
    /// The permissions boundary that is set, or that the resource has: `iam:PermissionsBoundary`.
    pub(crate) boundary: Option<&'a str>,
    /// How a refusal names the resource, where that is not by its ARN.
    pub(crate) shown: Option<&'a str>,
}

/// The actions whose requests have `iam:PermissionsBoundary`.
const BOUNDED: [&str; 14] = [
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
];

/// Lets the caller through to `resource` for the action `iam:…`, or says why not.
pub(crate) async fn authorize(
    cx: &Cx<'_>,
    action: &'static str,
    resource: &str,
    particulars: &Particulars<'_>,
) -> Result<(), Refusal> {
    let tags: Vec<_> =
        particulars.request_tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    let keys: Vec<_> = particulars.tag_keys.iter().map(String::as_str).collect();
    let lists = [(ContextKey::AwsTagKeys, keys.as_slice())];
    let texts: Vec<_> = [
        (ContextKey::IamPolicyArn, particulars.policy_arn),
        (ContextKey::IamPermissionsBoundary, particulars.boundary.filter(|_| BOUNDED.contains(&action))),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect();
    let asked = Asked { tags: &tags, lists: if keys.is_empty() { &[] } else { &lists }, ..Asked::of(&texts) };
    let account = cx.caller.account();
    let resource = Elsewhere { arn: resource, account, policy: None, tags: particulars.resource_tags };
    let decided = authorize_elsewhere(cx, action, resource, &asked).await;
    Ok(decided.map_err(|error| match (error, particulars.shown) {
        (GateError::Denied(mut denied), Some(shown)) => {
            denied.on = On::Resource(shown.to_owned());
            GateError::Denied(denied)
        }
        (error, _) => error,
    })?)
}

/// As [`authorize`], for something new that comes with tags: to tag it is an action of its own.
pub(crate) async fn authorize_new(
    cx: &Cx<'_>,
    action: &'static str,
    tagging: &'static str,
    resource: &str,
    particulars: &Particulars<'_>,
) -> Result<(), Refusal> {
    authorize(cx, action, resource, particulars).await?;
    if particulars.request_tags.is_empty() {
        return Ok(());
    }
    authorize(cx, tagging, resource, particulars).await
}
