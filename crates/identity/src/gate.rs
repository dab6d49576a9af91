//! Whether the caller may do what he asks for.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>.

use keyreeve_core::record::TagRecord;
use keyreeve_core::{Cx, Principal};
use keyreeve_wire::query::QueryErrorCode;

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
}

/// Lets the caller through to `resource` for the action `iam:…`, or says why not.
pub(crate) fn authorize(
    cx: &Cx<'_>,
    action: &'static str,
    resource: &str,
    _particulars: &Particulars<'_>,
) -> Result<(), Refusal> {
    // Until policies are asked here, too, the root user alone may do anything.
    match cx.caller.principal() {
        Principal::Root => Ok(()),
        Principal::FederatedUser(_) | Principal::Role(_) | Principal::Service(_) | Principal::User(_) => {
            Err(Refusal::new(
                QueryErrorCode::AccessDenied,
                format!(
                    "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based \
                     policy allows the {action} action",
                    cx.caller.arn()
                ),
            ))
        }
    }
}
