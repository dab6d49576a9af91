//! A decision, explained: every policy that was given, every statement of it, and what each says of the request.
//!
//! The statements are looked at by the same functions that decide, one by one and to the end.

use alloc::vec::Vec;

use crate::caller::Strength;
use crate::condition::Operator;
use crate::context::Found;
use crate::decide::{Evaluation, Policies, Request, decide_hoping};
use crate::decision::{Decision, Layer};
use crate::document::Effect;
use crate::fuel::Fuel;
use crate::grant::GrantLack;
use crate::policy::{Policy, Question, Statement};
use crate::requirement::{Requirement, Truth, truth};

/// A decision, and what everything that was asked said.
#[derive(Clone, Debug)]
pub struct Explanation<'p, 'a> {
    /// What [`decide`](crate::decide) says.
    pub decision: Decision<'p>,
    /// Every policy, layer after layer.
    pub policies: Vec<ExplainedPolicy<'p, 'a>>,
    /// Every grant.
    pub grants: Vec<ExplainedGrant<'p>>,
}

/// What a policy says.
#[derive(Clone, Debug)]
pub struct ExplainedPolicy<'p, 'a> {
    /// The kind of policy.
    pub layer: Layer,
    /// The level of the organization, from its root on, in layers that have levels.
    pub level: Option<usize>,
    /// Which policy of that layer or level.
    pub index: usize,
    /// Whether policies of this layer have a say in the request.
    pub binds: bool,
    /// Its statements, in order.
    pub statements: Vec<ExplainedStatement<'p, 'a>>,
}

/// What a statement says.
#[derive(Clone, Debug)]
pub struct ExplainedStatement<'p, 'a> {
    /// Its name.
    pub sid: Option<&'p str>,
    /// Whether it allows or denies what it is about.
    pub effect: Effect,
    /// How strongly it names the caller; none if it is about somebody else.
    pub naming: Option<Strength>,
    /// Whether it is about the action.
    pub action: bool,
    /// Whether it is about the resource.
    pub resource: Truth,
    /// Its conditions, in the order of [`Statement::conditions`](crate::Statement::conditions).
    pub conditions: Vec<ExplainedCondition<'p, 'a>>,
    /// Whether it is about the request: all of that together. Never undecidable: that counts for a denial alone.
    pub applies: Truth,
}

/// What a condition says.
#[derive(Clone, Debug)]
pub struct ExplainedCondition<'p, 'a> {
    /// How it compares.
    pub operator: Operator,
    /// The key.
    pub key: &'p str,
    /// What the request has for the key.
    pub found: Found<'a>,
    /// Whether it holds.
    pub holds: Truth,
}

/// What a grant says.
#[derive(Clone, Debug)]
pub struct ExplainedGrant<'p> {
    /// Its id.
    pub id: &'p str,
    /// Why it does not give what is asked; none if it does. It never does so against a denial.
    pub lack: Option<GrantLack>,
}

/// Explains what [`decide`](crate::decide) says of a request.
#[must_use]
pub fn explain<'p, 'a>(request: &Request<'a>, policies: &Policies<'p>) -> Explanation<'p, 'a> {
    explain_as(request, policies, false)
}

/// The same, where what is not known of the request is as the caller would have it.
pub(crate) fn explain_hoping<'p, 'a>(request: &Request<'a>, policies: &Policies<'p>) -> Explanation<'p, 'a> {
    explain_as(request, policies, true)
}

fn explain_as<'p, 'a>(request: &Request<'a>, policies: &Policies<'p>, hopes: bool) -> Explanation<'p, 'a> {
    let fuel = Fuel::full();
    let evaluation = Evaluation::new(request, policies, &fuel, hopes);
    let mut explained = Vec::new();
    let mut add = |layer, level, of_layer: &[&'p Policy]| {
        let binds = evaluation.binds(layer);
        for (index, policy) in of_layer.iter().enumerate() {
            let fuel = Fuel::full();
            let evaluation = Evaluation::new(request, policies, &fuel, hopes);
            let statements =
                policy.statements().iter().map(|one| explain_statement(one, &evaluation.question, request));
            let statements = statements.collect();
            explained.push(ExplainedPolicy { layer, level, index, binds, statements });
        }
    };
    for (level, of_level) in policies.service_control.iter().enumerate() {
        add(Layer::ServiceControl, Some(level), of_level);
    }
    for (level, of_level) in policies.resource_control.iter().enumerate() {
        add(Layer::ResourceControl, Some(level), of_level);
    }
    add(Layer::Key, None, policies.key.as_slice());
    add(Layer::Identity, None, policies.identity);
    add(Layer::PermissionsBoundary, None, policies.boundary.as_slice());
    add(Layer::Session, None, policies.session.unwrap_or_default());
    add(Layer::Endpoint, None, policies.endpoint.as_slice());
    let allowances = evaluation.ask_all();
    let grants = policies.grants.iter().map(|grant| ExplainedGrant {
        id: &grant.id,
        lack: match &allowances {
            Ok(allowances) => evaluation.lack_of_grant(grant, allowances),
            Err(_) => grant.lacks(&evaluation.grant_use()),
        },
    });
    Explanation {
        decision: decide_hoping(request, policies, hopes),
        policies: explained,
        grants: grants.collect(),
    }
}

fn explain_statement<'p, 'a>(
    statement: &'p Statement,
    question: &Question<'_>,
    request: &Request<'a>,
) -> ExplainedStatement<'p, 'a> {
    let (naming, action) = (statement.strength(question), statement.covers_action(question));
    let resource = statement.covers_resource(question);
    let condition = |requirement: &'p Requirement| ExplainedCondition {
        operator: requirement.operator(),
        key: requirement.key().text(),
        found: request.context.find(requirement.key()),
        holds: requirement.holds(question.scope),
    };
    let conditions: Vec<_> = statement.requirements.iter().map(condition).collect();
    let holds = conditions.iter().map(|condition| condition.holds.under(statement.effect));
    let applies =
        holds.fold(truth(naming.is_some() && action).and(resource), |applies, holds| applies.and(holds));
    ExplainedStatement {
        sid: statement.sid.as_deref(),
        effect: statement.effect,
        naming,
        action,
        resource,
        conditions,
        applies,
    }
}
