//! What somebody may do when not all is known of his request.
//!
//! The request is decided twice: where everything that is not known is as the caller would have it, and where it is not. He is
//! never allowed what the first refuses, and always allowed what the second allows. In between it depends on the statements whose
//! conditions are open. Each is taken by itself: that two of them cannot hold together is not seen, so that `Depends` may say too
//! much, but `Allowed` and `Never` are certain.

use alloc::vec::Vec;

use crate::decide::{Policies, Request, decide, decide_hoping};
use crate::decision::{Cause, Decision, Grounds};
use crate::document::Effect;
use crate::explain::{
    ExplainedCondition, ExplainedGrant, ExplainedPolicy, ExplainedStatement, explain, explain_hoping,
};
use crate::requirement::Truth;

/// What somebody may do.
#[derive(Clone, Debug)]
pub enum Access<'e> {
    /// It is allowed, whatever else the request has.
    Allowed(Grounds<'e>),
    /// It depends on what is not known of the request.
    Depends(Vec<Residual<'e>>),
    /// It is refused, whatever else the request has.
    Never(Decision<'e>),
}

/// What it depends on.
#[derive(Clone, Debug)]
pub enum Residual<'e> {
    /// The constraints of this grant.
    Grant(&'e str),
    /// The conditions of a statement.
    Statement {
        /// The statement.
        cause: Cause<'e>,
        /// Whether it allows where they hold, or denies.
        effect: Effect,
        /// Which of its conditions are open, in the order of [`Statement::conditions`](crate::Statement::conditions).
        conditions: Vec<usize>,
        /// Whether it is open if it is about the resource.
        resource: bool,
    },
}

/// What the caller of `request` may do. Of its context, nothing but what is in it is known; nothing is known of its encryption
/// context.
#[must_use]
pub fn access<'p>(request: &Request<'_>, policies: &Policies<'p>) -> Access<'p> {
    let context = request.context.clone().opened();
    let open = Request { context: &context, ..*request };
    let best = decide_hoping(&open, policies, true);
    let worst = decide(&open, policies);
    match (best, worst) {
        (Decision::ExplicitDeny(_) | Decision::ImplicitDeny(_), _) => Access::Never(best),
        (Decision::Allow(_), Decision::Allow(grounds)) => Access::Allowed(grounds),
        (Decision::Allow(_), Decision::ExplicitDeny(_) | Decision::ImplicitDeny(_)) => {
            Access::Depends(residuals(&open, policies))
        }
    }
}

fn residuals<'p>(request: &Request<'_>, policies: &Policies<'p>) -> Vec<Residual<'p>> {
    let (closed, open) = (explain(request, policies), explain_hoping(request, policies));
    let mut residuals = Vec::new();
    for policy in closed.policies.iter().filter(|policy| policy.binds) {
        let of_layer = closed
            .policies
            .iter()
            .filter(|other| (other.layer, other.level) == (policy.layer, policy.level))
            .flat_map(|other| &other.statements);
        let settled = of_layer.filter(|one| allows(one, Truth::Yes)).map(|one| one.naming).max().flatten();
        for (index, statement) in policy.statements.iter().enumerate() {
            let is_needed = statement.effect == Effect::Deny || statement.naming > settled;
            if statement.applies == Truth::Open && is_needed {
                residuals.push(residual(policy, index, statement));
            }
        }
    }
    let gives = |grants: &[ExplainedGrant<'p>], index: usize| {
        grants.get(index).is_some_and(|grant| grant.lack.is_none())
    };
    for (index, grant) in open.grants.iter().enumerate() {
        if gives(&open.grants, index) && !gives(&closed.grants, index) {
            residuals.push(Residual::Grant(grant.id));
        }
    }
    residuals
}

fn allows(statement: &ExplainedStatement<'_, '_>, applies: Truth) -> bool {
    statement.effect == Effect::Allow && statement.applies == applies
}

fn residual<'p>(
    policy: &ExplainedPolicy<'p, '_>,
    index: usize,
    statement: &ExplainedStatement<'p, '_>,
) -> Residual<'p> {
    let is_open = |(_, condition): &(usize, &ExplainedCondition<'_, '_>)| condition.holds == Truth::Open;
    Residual::Statement {
        cause: Cause {
            layer: policy.layer,
            level: policy.level,
            policy: policy.index,
            statement: index,
            sid: statement.sid,
        },
        effect: statement.effect,
        conditions: statement.conditions.iter().enumerate().filter(is_open).map(|(index, _)| index).collect(),
        resource: statement.resource == Truth::Open,
    }
}
