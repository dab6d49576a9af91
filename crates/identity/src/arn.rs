//! ARNs of IAM, as requests name them.

use keyreeve_core::Cx;
use keyreeve_core::identity::aws_managed::{self, AwsManagedPolicy};
use keyreeve_domain::AccountId;
use keyreeve_wire::query::QueryErrorCode;

use crate::entity::Target;
use crate::refusal::Refusal;

/// A managed policy, by its ARN.
#[derive(Clone, Copy)]
pub(crate) enum PolicyRef<'a> {
    /// One of AWS.
    Aws(&'static AwsManagedPolicy),
    /// One of the caller's account, by name. Whether the path is its own is to be compared with the record.
    Own(&'a str),
    /// None that could exist here.
    Unknown,
}

/// The policy that `arn` names.
pub(crate) fn policy<'a>(cx: &Cx<'_>, arn: &'a str) -> Result<PolicyRef<'a>, Refusal> {
    if let Some(policy) = aws_managed::find(arn) {
        return Ok(PolicyRef::Aws(policy));
    }
    let Some((account, rest)) = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(':'))
    else {
        return Err(not_valid(arn));
    };
    let name = rest.strip_prefix("policy/").and_then(|rest| rest.rsplit('/').next()).unwrap_or_default();
    if name.is_empty() || account != "aws" && account.parse::<AccountId>().is_err() {
        return Err(not_valid(arn));
    }
    Ok(if account == cx.caller.account().to_string() { PolicyRef::Own(name) } else { PolicyRef::Unknown })
}

/// The policy of the caller's account that `arn` names, which is to be changed.
pub(crate) fn own_policy<'a>(cx: &Cx<'_>, action: &str, arn: &'a str) -> Result<Target<'a>, Refusal> {
    match policy(cx, arn)? {
        PolicyRef::Own(name) => Ok(Target { name, arn: Some(arn) }),
        PolicyRef::Aws(_) => Err(Refusal::new(
            QueryErrorCode::AccessDenied,
            format!(
                "User: {} is not authorized to perform: {action} on resource: policy {arn}",
                cx.caller.arn()
            ),
        )),
        PolicyRef::Unknown => Err(no_policy(arn)),
    }
}

/// The provider of the caller's account that `arn` names: its name is its URL, without `https://`.
pub(crate) fn provider<'a>(cx: &Cx<'_>, arn: &'a str) -> Result<Target<'a>, Refusal> {
    let Some((account, rest)) = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(':'))
    else {
        return Err(not_valid(arn));
    };
    let url = rest.strip_prefix("oidc-provider/").filter(|url| !url.is_empty());
    let url = url.ok_or_else(|| not_valid(arn))?;
    if account == cx.caller.account().to_string() {
        Ok(Target { name: url, arn: Some(arn) })
    } else {
        Err(no_provider(arn))
    }
}

/// A kind and a name of a principal of the caller's account, such as `user` and `alice`.
pub(crate) fn principal<'a>(cx: &Cx<'_>, arn: &'a str) -> Result<(&'a str, &'a str), Refusal> {
    let prefix = format!("arn:aws:iam::{}:", cx.caller.account());
    let rest = arn.strip_prefix(prefix.as_str()).ok_or_else(|| not_valid(arn))?;
    let (kind, path) = rest.split_once('/').ok_or_else(|| not_valid(arn))?;
    Ok((kind, path.rsplit('/').next().unwrap_or_default()))
}

pub(crate) fn no_policy(arn: &str) -> Refusal {
    Refusal::missing(format!("Policy {arn} was not found."))
}

/// As [`no_policy`], of a policy that is to be attached, or is.
pub(crate) fn not_attachable(arn: &str) -> Refusal {
    Refusal::missing(format!("Policy {arn} does not exist or is not attachable."))
}

pub(crate) fn no_provider(arn: &str) -> Refusal {
    Refusal::missing(format!("OpenIDConnect Provider not found for arn {arn}"))
}

pub(crate) fn not_valid(arn: &str) -> Refusal {
    Refusal::invalid(format!("ARN {arn} is not valid."))
}
