//! Whether the caller may do what he asks for.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html>.

use keyreeve_core::Cx;
use keyreeve_core::gate::{Elsewhere, Particulars as Asked, authorize_elsewhere};
use keyreeve_core::record::TagRecord;
use keyreeve_policy::ContextKey;

use super::refusal::Refusal;

/// What policies may ask for of a request, beside what they may of every one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Particulars<'a> {
    /// The tags of the request: `aws:RequestTag/…` and `aws:TagKeys`.
    pub(crate) request_tags: &'a [TagRecord],
    /// The keys of the tags that are taken away: `aws:TagKeys`.
    pub(crate) tag_keys: &'a [String],
    /// The tags of the alarm: `aws:ResourceTag/…`.
    pub(crate) resource_tags: &'a [TagRecord],
    /// The actions of the alarm: `cloudwatch:AlarmActions`.
    pub(crate) actions: &'a [&'a str],
}

/// Lets the caller through to `resource` for the action `cloudwatch:…`, or says why not.
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
    let others = [("cloudwatch:AlarmActions", particulars.actions)];
    let asked = Asked {
        tags: &tags,
        lists: if keys.is_empty() { &[] } else { &lists },
        others: if particulars.actions.is_empty() { &[] } else { &others },
        ..Asked::NONE
    };
    let account = cx.caller.account();
    let resource = Elsewhere { arn: resource, account, policy: None, tags: particulars.resource_tags };
    Ok(authorize_elsewhere(cx, action, resource, &asked).await?)
}

/// The ARN of an alarm of the caller's account in the Region that was called.
pub(crate) fn alarm_arn(cx: &Cx<'_>, name: &str) -> String {
    format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", cx.region, cx.caller.account())
}
