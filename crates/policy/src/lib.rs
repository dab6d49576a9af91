//! Policies: their grammar, the check that nobody locks himself out, and the decision on a request.
//!
//! Pure functions, total and bounded: no I/O, no clock. A text is parsed to a [`Document`], which is well formed; a
//! [`Policy`] is compiled from it once; [`decide`] asks all policies that bear on a request. What cannot be decided is refused.
//! [`explain`] says why, [`access`] what may be when not all of a request is known, [`simulate`] what policies would decide by
//! themselves, [`lint`] what is likely to be a mistake.
//! Sources: <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies.html>.
#![no_std]

extern crate alloc;

mod access;
mod action;
mod arn;
mod caller;
mod condition;
mod context;
mod decide;
mod decision;
mod document;
mod explain;
mod fuel;
mod grant;
mod json;
mod key;
mod lint;
mod lockout;
mod pattern;
mod policy;
mod principal;
mod requirement;
mod simulate;
mod spans;
mod subject;
mod validate;
mod value;

pub use access::{Access, Residual, access};
pub use action::{Action, Operations};
pub use arn::Resource;
pub use caller::{Caller, RoleSession, Strength};
pub use condition::{Comparison, Condition, Operator, ParseOperatorError, Quantifier, Relation};
pub use context::{Context, ContextName, ContextValue, Found};
pub use decide::{Policies, Request, decide};
pub use decision::{Cause, Decision, Grounds, Lack, Layer};
pub use document::{Document, Effect, Kind, ParsePolicyError, Statement, Version};
pub use explain::{
    ExplainedCondition, ExplainedGrant, ExplainedPolicy, ExplainedStatement, Explanation, explain,
};
pub use grant::{Constraints, Grant, GrantLack, GrantPrincipal};
pub use key::{ContextKey, KeyFamily, KeySet, ValueType};
pub use lint::{Finding, Severity, lint};
pub use lockout::allows_to_put_policy;
pub use policy::{LONGEST_POLICY, Policy};
pub use principal::{AwsPrincipal, ParsePrincipalError, Principals};
pub use requirement::Truth;
pub use simulate::{Simulated, Simulation, context_keys, simulate};
pub use spans::{Position, Span, simulator_spans, statement_spans};
pub use subject::Named;
pub use validate::{
    invalid_principal, parse_identity_policy, parse_managed_policy, parse_resource_control_policy,
    parse_session_policy, parse_trust_policy,
};
pub use value::{is_address, is_base64, is_number};

/// The name of the only policy that a key has.
pub const DEFAULT_NAME: &str = "default";

/// The policy of a key that was made without one, as it is read back.
#[must_use]
pub fn default_text(account: keyreeve_domain::AccountId, partition: &str) -> alloc::string::String {
    alloc::format!(
        "{{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n  \"Statement\" : [ {{\n    \
         \"Sid\" : \"Enable IAM User Permissions\",\n    \"Effect\" : \"Allow\",\n    \"Principal\" : {{\n      \
         \"AWS\" : \"arn:{partition}:iam::{account}:root\"\n    }},\n    \"Action\" : \"kms:*\",\n    \
         \"Resource\" : \"*\"\n  }} ]\n}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_is_well_formed_and_locks_nobody_out() {
        let account = "111122223333".parse().unwrap();
        let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let policy = Policy::compile(Kind::Resource, &default_text(account, "aws")).unwrap();
        let request = Request {
            caller: Caller::Root { account },
            action: &Action::new("kms:PutKeyPolicy"),
            resource: Resource::new(arn),
            resource_account: account,
            context: &Context::default(),
            encryption_context: &[],
        };
        assert!(allows_to_put_policy(&policy, &request, false));
    }
}
