//! Statements without their conditions.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::{Findings, Severity};
use crate::action::{Action, Actions, Subject};
use crate::arn::Resource;
use crate::condition::Condition;
use crate::document::{Document, Effect, Kind, Statement};
use crate::key::{ContextKey, KeyFamily};
use crate::principal::{AwsPrincipal, Principals};

pub(super) fn look(findings: &mut Findings, document: &Document, statement: &Statement) {
    look_at_actions(findings, document, statement);
    look_at_resources(findings, document, statement);
    look_at_principals(findings, statement);
    if statement.effect == Effect::Allow && document.kind != Kind::Trust {
        for (is_except, name) in
            [(statement.except_actions, "NotAction"), (statement.except_resources, "NotResource")]
        {
            if is_except {
                let message =
                    format!("it allows all but what `{name}` lists, also what there will be one day");
                findings.add(Severity::Warning, "allow-all-but", message, "list what it shall allow");
            }
        }
    }
}

/// Whether it names everybody.
pub(super) fn is_for_everybody(statement: &Statement) -> bool {
    statement.except_principals
        || statement
            .principals
            .as_ref()
            .is_none_or(|principals| principals.aws().contains(&AwsPrincipal::Anyone))
}

/// Whether all its actions are of this service.
pub(super) fn is_of_kms(statement: &Statement) -> bool {
    !statement.except_actions && statement.actions.iter().all(|action| service(action) == Some("kms"))
}

fn service(action: &str) -> Option<&'static str> {
    let (service, _) = action.split_once(':')?;
    ["kms", "sts", "iam"].into_iter().find(|known| service.eq_ignore_ascii_case(known))
}

fn look_at_actions(findings: &mut Findings, document: &Document, statement: &Statement) {
    if statement.actions.is_empty() {
        let advice = "say which actions it is about";
        findings.add(Severity::Error, "no-effect", "it names no action and has no effect".to_owned(), advice);
    }
    for action in &statement.actions {
        if service(action) == Some("kms") && Actions::compile(core::slice::from_ref(action), false).known == 0
        {
            let message = format!("there is no action `{action}`");
            findings.add(Severity::Error, "unknown-action", message, "correct its name");
        }
        let is_foreign = action.contains(':') && !action.starts_with('*') && service(action) != Some("kms");
        if document.kind == Kind::Resource && is_foreign {
            let message = format!("no request about a key has the action `{action}`");
            findings.add(Severity::Warning, "foreign-action", message, "leave it out of the policy of a key");
        }
    }
}

fn look_at_resources(findings: &mut Findings, document: &Document, statement: &Statement) {
    if document.kind == Kind::Trust {
        return;
    }
    if statement.resources.is_empty() {
        let advice = "say \"Resource\": \"*\", which is the key that the policy is of";
        findings.add(
            Severity::Error,
            "no-effect",
            "it names no resource and has no effect".to_owned(),
            advice,
        );
    }
    for resource in &statement.resources {
        let head = resource.splitn(6, ':').take(5).any(|segment| segment.contains("${"));
        if head {
            let message =
                format!("the variable in `{resource}` stands before the fifth colon, where it is text");
            findings.add(
                Severity::Error,
                "variable-place",
                message,
                "use a wildcard, or a condition on aws:ResourceAccount",
            );
        }
    }
    if statement.except_resources {
        return;
    }
    if document.kind == Kind::Resource && !statement.resources.is_empty() {
        let dead = statement.resources.iter().filter(|resource| !may_be_a_key(resource));
        let all = dead.clone().count() == statement.resources.len();
        for resource in dead {
            let severity = if all { Severity::Error } else { Severity::Warning };
            let message = format!("`{resource}` is no key, so it never is the one that the policy is of");
            findings.add(severity, "never-the-key", message, "say \"*\"");
        }
    }
    if document.kind == Kind::Identity && is_of_kms(statement) {
        look_at_subjects(findings, statement);
    }
}

/// Whether a key may have such an ARN. Segments that are missing are wildcards.
fn may_be_a_key(resource: &str) -> bool {
    let mut segments = resource.splitn(6, ':');
    let mut next = || segments.next().unwrap_or("*");
    let (arn, _, service, _, _, name) = (next(), next(), next(), next(), next(), next());
    resource == "*" || may_begin(arn, "arn") && may_begin(service, "kms") && may_begin(name, "key/")
}

/// Whether something that begins with `wanted` may match.
fn may_begin(pattern: &str, wanted: &str) -> bool {
    match pattern.find(['*', '?', '$']).and_then(|at| pattern.get(..at)) {
        Some(literal) => literal.starts_with(wanted) || wanted.starts_with(literal),
        None => pattern.starts_with(wanted),
    }
}

/// Actions and resources of a policy of an identity that do not go together.
fn look_at_subjects(findings: &mut Findings, statement: &Statement) {
    let of = |action: &String| Action::new(action).subject();
    let exact = statement.actions.iter().filter(|action| !action.contains(['*', '?']));
    let has_star = statement.resources.iter().any(|resource| resource == "*");
    for action in exact.clone().filter(|action| of(action) == Subject::Nothing) {
        if !has_star {
            let message = format!("`{action}` is about no key, and is asked for with the resource `*`");
            findings.add(
                Severity::Error,
                "needs-star",
                message,
                "allow it in a statement with \"Resource\": \"*\"",
            );
        }
    }
    let is_alias = |resource: &&String| Resource::new(resource).name().starts_with("alias/");
    let about_keys = exact.clone().count() == statement.actions.len()
        && exact.clone().all(|action| of(action) == Subject::Key);
    if about_keys && let Some(alias) = statement.resources.iter().find(is_alias) {
        let message = format!("its actions are about keys, and `{alias}` is an alias: it gives nothing");
        let advice = "name the key, or use \"*\" with a condition on kms:RequestAlias or kms:ResourceAliases";
        findings.add(Severity::Error, "alias-for-key", message, advice);
    }
}

fn look_at_principals(findings: &mut Findings, statement: &Statement) {
    let Some(principals) = &statement.principals else { return };
    for principal in principals.aws() {
        if let AwsPrincipal::UniqueId(id) = principal {
            let message = format!("`{id}` is the id of somebody who is gone");
            findings.add(Severity::Warning, "gone", message, "leave it out, or name who took over");
        }
    }
    match (statement.except_principals, statement.effect) {
        (true, Effect::Allow) => {
            let message = "it allows everybody but those whom `NotPrincipal` lists, of all accounts";
            findings.add(
                Severity::Error,
                "not-principal",
                message.to_owned(),
                "name with `Principal` whom it shall allow",
            );
        }
        (true, Effect::Deny) => {
            let message =
                "`NotPrincipal` with Deny hits everybody who has a permissions boundary, whoever is listed";
            let advice = "say \"Principal\": \"*\" with ArnNotEquals on aws:PrincipalArn";
            findings.add(Severity::Warning, "not-principal", message.to_owned(), advice);
        }
        (false, Effect::Allow) if is_for_everybody(statement) => look_at_everybody(findings, statement),
        (false, Effect::Allow) => look_at_services(findings, statement, principals),
        (false, Effect::Deny) => {}
    }
}

fn look_at_everybody(findings: &mut Findings, statement: &Statement) {
    let advice = "name whom it shall allow, or add a condition on kms:CallerAccount or aws:PrincipalOrgID";
    if statement.conditions.is_empty() {
        let message = "it allows everybody, of all accounts";
        findings.add(Severity::Error, "public", message.to_owned(), advice);
    } else if !statement.conditions.iter().any(|condition| narrows(condition, &CALLER)) {
        let message = "it allows everybody, of all accounts, under conditions that say nothing of who asks";
        findings.add(Severity::Warning, "public", message.to_owned(), advice);
    }
}

fn look_at_services(findings: &mut Findings, statement: &Statement, principals: &Principals) {
    let service = match principals {
        Principals::Anyone => None,
        Principals::Listed { services, .. } => services.first(),
    };
    if let Some(service) = service
        && !statement.conditions.iter().any(|condition| narrows(condition, &SOURCE))
    {
        let message = format!("`{service}` may use it for whomever it acts");
        let advice = "add a condition on aws:SourceArn, aws:SourceAccount or aws:SourceOrgID";
        findings.add(Severity::Warning, "confused-deputy", message, advice);
    }
}

/// What says who asks.
const CALLER: [ContextKey; 9] = [
    ContextKey::AwsPrincipalAccount,
    ContextKey::AwsPrincipalArn,
    ContextKey::AwsPrincipalOrgId,
    ContextKey::AwsPrincipalOrgPaths,
    ContextKey::AwsSourceAccount,
    ContextKey::AwsSourceArn,
    ContextKey::AwsSourceOrgId,
    ContextKey::AwsUserId,
    ContextKey::KmsCallerAccount,
];
/// What says for whom a service acts.
const SOURCE: [ContextKey; 6] = [
    ContextKey::AwsSourceAccount,
    ContextKey::AwsSourceArn,
    ContextKey::AwsSourceOrgId,
    ContextKey::AwsSourceOrgPaths,
    ContextKey::KmsCallerAccount,
    ContextKey::KmsEncryptionContextKeys,
];

fn narrows(condition: &Condition, keys: &[ContextKey]) -> bool {
    let named = ContextKey::named(&condition.key).is_some_and(|key| keys.contains(&key));
    let of_context = KeyFamily::of(&condition.key) == Some(KeyFamily::EncryptionContext);
    !condition.operator.negated
        && !condition.operator.if_exists
        && (named || of_context && keys.contains(&ContextKey::KmsEncryptionContextKeys))
        && condition.values.iter().all(|value: &String| value != "*")
}
