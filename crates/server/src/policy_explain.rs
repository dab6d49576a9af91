//! `keyreeve policy explain`: what every policy, statement and grant of a case has to do with its decision.

use keyreeve_policy::{
    Cause, Effect, ExplainedCondition, ExplainedGrant, ExplainedPolicy, ExplainedStatement, Explanation,
    Found, GrantLack, Layer, Strength, Truth, explain,
};
use serde_json::{Value, json};

use crate::args::ExplainArgs;
use crate::exit::Failure;
use crate::policy_case::{Case, CaseError};
use crate::policy_decide::{self, for_each_case, member};
use crate::policy_sources::Sources;

/// Prints one explanation for each case, in their order.
pub(crate) fn run(args: &ExplainArgs) -> Result<(), Failure> {
    for_each_case(&args.cases.cases, &mut |line, number| {
        let case = Case::parse(line)?;
        if args.json { as_json(&case).map(|value| value.to_string()) } else { as_text(&case, number) }
    })
}

fn as_json(case: &Case<'_>) -> Result<Value, CaseError> {
    let id = case.id()?;
    case.ask(|request, policies, sources| {
        let explanation = explain(request, policies);
        let (decision, because) =
            policy_decide::explain(&explanation.decision, sources.malformed.as_ref(), &case.action);
        let policies: Vec<_> = explanation.policies.iter().map(|one| policy_as_json(one, sources)).collect();
        let grants: Vec<_> = explanation.grants.iter().map(grant_as_json).collect();
        json!({"id": id, "decision": decision, "because": because, "policies": policies, "grants": grants})
    })
}

fn policy_as_json(policy: &ExplainedPolicy<'_, '_>, sources: &Sources) -> Value {
    let statements = policy.statements.iter().enumerate();
    let statements: Vec<_> = statements
        .map(|(index, statement)| {
            json!({
                "statement": index,
                "sid": statement.sid,
                "effect": effect(statement.effect),
                "applies": statement.applies == Truth::Yes,
                "principal": statement.naming.filter(|_| names_principals(policy.layer)).map(naming),
                "action": statement.action,
                "resource": truth(statement.resource),
                "conditions": conditions_as_json(policy, index, statement, sources),
            })
        })
        .collect();
    let mut explained = json!({
        "policy": member(policy.layer), "index": policy.index, "binds": policy.binds, "statements": statements,
    });
    if let (Some(level), Some(explained)) = (policy.level, explained.as_object_mut()) {
        explained.insert("level".to_owned(), level.into());
    }
    explained
}

fn conditions_as_json(
    policy: &ExplainedPolicy<'_, '_>,
    index: usize,
    statement: &ExplainedStatement<'_, '_>,
    sources: &Sources,
) -> Vec<Value> {
    let written = sources.statement(&cause(policy, index));
    let conditions = statement.conditions.iter().enumerate();
    conditions
        .map(|(at, condition)| {
            json!({
                "operator": condition.operator.to_string(),
                "key": condition.key,
                "values": written.and_then(|one| one.conditions.get(at)).map(|one| &one.values),
                "request": found_as_json(&condition.found),
                "holds": truth(condition.holds),
            })
        })
        .collect()
}

fn found_as_json(found: &Found<'_>) -> Value {
    match found {
        Found::Absent | Found::Ambiguous | Found::Open => Value::Null,
        Found::Value(keyreeve_policy::ContextValue::Many(values)) => json!(values),
        Found::Value(keyreeve_policy::ContextValue::One(value)) => json!(value),
    }
}

fn grant_as_json(grant: &ExplainedGrant<'_>) -> Value {
    json!({"grant": grant.id, "gives": grant.lack.is_none(), "lacks": grant.lack.map(lack)})
}

fn as_text(case: &Case<'_>, number: usize) -> Result<String, CaseError> {
    let id = case.id()?.map(|id| format!(" {id}")).unwrap_or_default();
    case.ask(|request, policies, sources| {
        let explanation = explain(request, policies);
        let (decision, because) =
            policy_decide::explain(&explanation.decision, sources.malformed.as_ref(), &case.action);
        let mut text = format!("case{id} of line {number}: {} on {}\n", case.action, case.resource);
        let decision = decision.replace('_', " ");
        text.push_str(&format!("  decision: {decision}{}\n", why(&because)));
        write_policies(&mut text, &explanation, sources);
        for grant in &explanation.grants {
            let says =
                grant.lack.map_or("gives it".to_owned(), |one| format!("does not give it: {}", lack(one)));
            text.push_str(&format!("  grant {}: {says}\n", grant.id));
        }
        text
    })
}

fn why(because: &Value) -> String {
    let text = |name: &str| because.get(name).and_then(Value::as_str);
    let number = |name: &str| because.get(name).and_then(Value::as_u64);
    let mut why = text("reason").map(|reason| format!(", {reason}")).unwrap_or_default();
    if let (Some(policy), Some(statement)) = (text("policy"), number("statement")) {
        let level = number("level").map(|level| format!("[{level}]")).unwrap_or_default();
        let index = number("index").unwrap_or_default();
        why.push_str(&format!(" ({policy}{level}[{index}], statement {statement}"));
        why.push_str(&text("sid").map(|sid| format!(" `{sid}`")).unwrap_or_default());
        why.push(')');
    }
    why
}

fn write_policies(text: &mut String, explanation: &Explanation<'_, '_>, sources: &Sources) {
    for policy in &explanation.policies {
        let level = policy.level.map(|level| format!("[{level}]")).unwrap_or_default();
        let binds = if policy.binds { "" } else { " (has no say in this request)" };
        text.push_str(&format!("  {}{level}[{}]{binds}\n", member(policy.layer), policy.index));
        for (index, statement) in policy.statements.iter().enumerate() {
            let sid = statement.sid.map(|sid| format!(" `{sid}`")).unwrap_or_default();
            let says = if statement.applies == Truth::Yes {
                // Policies that hang on a principal name none.
                let naming = statement.naming.filter(|_| names_principals(policy.layer)).map(naming);
                naming.map_or("applies".to_owned(), |naming| format!("applies ({naming})"))
            } else {
                let reasons = reasons(policy, index, statement, sources);
                format!("does not apply: {}", reasons.join("; "))
            };
            text.push_str(&format!("    {index}{sid} {}: {says}\n", effect(statement.effect)));
        }
    }
}

fn names_principals(layer: Layer) -> bool {
    match layer {
        Layer::Endpoint | Layer::Key | Layer::ResourceControl => true,
        Layer::Identity | Layer::PermissionsBoundary | Layer::ServiceControl | Layer::Session => false,
    }
}

/// Why a statement does not apply: all of it.
fn reasons(
    policy: &ExplainedPolicy<'_, '_>,
    index: usize,
    statement: &ExplainedStatement<'_, '_>,
    sources: &Sources,
) -> Vec<String> {
    let written = sources.statement(&cause(policy, index));
    let mut reasons = Vec::new();
    if statement.naming.is_none() {
        reasons.push("it is about other principals".to_owned());
    }
    if !statement.action {
        reasons.push("it is about other actions".to_owned());
    }
    if statement.resource != Truth::Yes {
        reasons.push("it is about other resources".to_owned());
    }
    for (at, condition) in statement.conditions.iter().enumerate() {
        let holds = match (condition.holds, statement.effect) {
            (Truth::Yes, _) | (Truth::Undecidable, Effect::Deny) => continue,
            (Truth::Undecidable, Effect::Allow) => "cannot be decided",
            (Truth::No | Truth::Open, _) => "does not hold",
        };
        let values = written.and_then(|one| one.conditions.get(at)).map(|one| one.values.join("`, `"));
        reasons.push(format!(
            "{} `{}` with `{}` {holds}: {}",
            condition.operator,
            condition.key,
            values.unwrap_or_default(),
            found_in_words(condition),
        ));
    }
    reasons
}

fn found_in_words(condition: &ExplainedCondition<'_, '_>) -> String {
    match condition.found {
        Found::Absent => "the request has no such key".to_owned(),
        Found::Ambiguous => "the request has two such keys that differ in case alone".to_owned(),
        Found::Open => "it is not known what the request has".to_owned(),
        Found::Value(keyreeve_policy::ContextValue::Many(values)) => {
            let one =
                if condition.operator.quantifier.is_none() { ", and the operator compares one" } else { "" };
            format!("the request has the values `{}`{one}", values.join("`, `"))
        }
        Found::Value(keyreeve_policy::ContextValue::One(value)) => format!("the request has `{value}`"),
    }
}

fn cause(policy: &ExplainedPolicy<'_, '_>, statement: usize) -> Cause<'static> {
    Cause { layer: policy.layer, level: policy.level, policy: policy.index, statement, sid: None }
}

pub(crate) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    }
}

fn naming(strength: Strength) -> &'static str {
    match strength {
        Strength::Account => "names his account",
        Strength::Direct => "names the caller himself",
        Strength::Identity => "names whom his session stands for",
    }
}

fn truth(truth: Truth) -> &'static str {
    match truth {
        Truth::No => "no",
        Truth::Open => "open",
        Truth::Undecidable => "undecidable",
        Truth::Yes => "yes",
    }
}

fn lack(lack: GrantLack) -> String {
    match lack {
        GrantLack::Ceiling(layer) => format!("no {layer} allows it"),
        GrantLack::Child => "the grant to be made would give more".to_owned(),
        GrantLack::Constraint => "a constraint does not hold".to_owned(),
        GrantLack::Grantee => "it is for another principal".to_owned(),
        GrantLack::Key => "it is on another key".to_owned(),
        GrantLack::Operation => "it is for other operations".to_owned(),
        GrantLack::Retiring => "the caller may not retire it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = r#"{"id":"a","principal":{"type":"user","arn":"arn:aws:iam::111122223333:user/Alice"},"action":"kms:Decrypt","resource":"arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab","context":{"aws:username":"Alice","aws:TagKeys":["x","y"]},"key_policy":{"Version":"2012-10-17","Statement":[{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*","Condition":{"Null":{"aws:SourceIp":"true"}}},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/Bob"},"Action":"kms:*","Resource":"arn:aws:s3:::b"}]},"identity_policies":[{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::b"},"StringEquals":{"aws:username":["Bob","Eve"]},"ForAnyValue:StringLike":{"aws:TagKeys":"z*"}}}]}],"scps":[[{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}]],"grants":[{"GrantId":"g","KeyId":"1234abcd-12ab-34cd-56ef-1234567890ab","GranteePrincipal":"arn:aws:iam::111122223333:user/Alice","Operations":["Encrypt"]}]}"#;

    #[test]
    fn an_explanation_says_of_each_statement_why() {
        let text = as_text(&Case::parse(CASE).unwrap(), 7).unwrap();
        let expected = "\
case \"a\" of line 7: kms:Decrypt on arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
  decision: implicit deny, no identity-based policy allows the kms:Decrypt action
  scps[0][0]
    0 Allow: applies
  key_policy[0]
    0 `Root` Allow: applies (names his account)
    1 Deny: does not apply: it is about other actions
    2 Allow: does not apply: it is about other principals; it is about other resources
  identity_policies[0]
    0 Allow: does not apply: ArnLike `aws:SourceArn` with `arn:aws:s3:::b` does not hold: the request has no such key; \
             ForAnyValue:StringLike `aws:TagKeys` with `z*` does not hold: the request has the values `x`, `y`; \
             StringEquals `aws:username` with `Bob`, `Eve` does not hold: the request has `Alice`
  grant g: does not give it: it is for other operations
";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&text), squeezed(expected));
    }

    #[test]
    fn an_explanation_for_programs_has_the_same() {
        let value = as_json(&Case::parse(CASE).unwrap()).unwrap();
        assert_eq!(value["id"], "a");
        assert_eq!(value["decision"], "implicit_deny");
        assert_eq!(value["because"]["policy"], "identity_policies");
        let policies = value["policies"].as_array().unwrap();
        let names: Vec<_> = policies.iter().map(|policy| policy["policy"].as_str().unwrap()).collect();
        assert_eq!(names, ["scps", "key_policy", "identity_policies"]);
        assert_eq!(policies[0]["level"], 0);
        assert_eq!(policies[1]["statements"][0]["applies"], true);
        assert_eq!(policies[1]["statements"][2]["principal"], Value::Null);
        let condition = &policies[2]["statements"][0]["conditions"][2];
        assert_eq!(condition["operator"], "StringEquals");
        assert_eq!((&condition["values"], &condition["request"]), (&json!(["Bob", "Eve"]), &json!("Alice")));
        assert_eq!(
            value["grants"],
            json!([{"grant": "g", "gives": false, "lacks": "it is for other operations"}])
        );
    }
}
