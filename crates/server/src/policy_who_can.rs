//! `keyreeve policy who-can`: which principals may do an action on a key, and on what it depends.
//!
//! The file names the principals that are known, each with its policies. Whom the key policy names besides them is added: other
//! accounts, services, everybody. Of the requests nothing is known but who asks, and the context that the file has.

use std::path::Path;
use std::{fs, io};

use keyreeve_domain::AccountId;
use keyreeve_policy::{
    Access, Caller, Document, Effect, Named, Policies, Request, Residual, Resource, access,
};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::args::WhoCanArgs;
use crate::exit::Failure;
use crate::policy_case::{Case, CaseError, Pairs, without_line};
use crate::policy_decide::{self, member};
use crate::policy_sources::Sources;

/// Prints who may do each action of the file.
pub(crate) fn run(args: &WhoCanArgs) -> Result<(), Failure> {
    let unreadable = |error| Failure::CasesUnreadable { path: args.file.clone(), error };
    let text = read(&args.file).map_err(unreadable)?;
    let wrong =
        |error: CaseError| Failure::MalformedInput { path: args.file.clone(), reason: error.to_string() };
    let answers = answers(&text).map_err(wrong)?;
    if args.json {
        for answer in &answers {
            println!("{}", json!(answer));
        }
    } else {
        print!("{}", as_text(&answers));
    }
    Ok(())
}

/// The text of a file, or of standard input.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    if path == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) }
}

/// What one principal may do.
#[derive(Serialize)]
struct Answer {
    action: String,
    principal: String,
    /// `allowed`, `depends` or `never`.
    access: &'static str,
    /// Whether he is of another account than the key.
    cross_account: bool,
    /// Whether he is anybody at all.
    public: bool,
    because: Value,
    depends_on: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// Somebody to ask for.
struct Subject {
    name: String,
    /// The members of a case that are his own.
    members: Map<String, Value>,
    /// Whether his account is all that is known of him.
    is_account: bool,
    is_public: bool,
    note: Option<&'static str>,
}

fn answers(text: &str) -> Result<Vec<Answer>, CaseError> {
    let input: Pairs<&RawValue> =
        serde_json::from_str(text).map_err(|error| CaseError::Json(error.to_string()))?;
    let Pairs(input) = input;
    let member = |name: &str| input.iter().find(|(key, _)| key == name).map(|(_, raw)| *raw);
    let text_of = |name: &'static str| {
        let raw = member(name).ok_or(CaseError::Missing { member: name })?;
        serde_json::from_str::<String>(raw.get())
            .ok()
            .ok_or_else(|| CaseError::Value { what: name, value: raw.get().to_owned() })
    };
    let key = text_of("key")?;
    let raw_actions = member("action").ok_or(CaseError::Missing { member: "action" })?.get();
    let one_action = serde_json::from_str::<String>(raw_actions).map(|one| vec![one]);
    let actions = one_action.or_else(|_| serde_json::from_str::<Vec<String>>(raw_actions));
    let actions = actions.map_err(|error| CaseError::Json(format!("`action`: {}", without_line(&error))))?;
    let owner = Resource::new(&key).account().and_then(|account| account.parse().ok());
    let owner: AccountId =
        owner.ok_or_else(|| CaseError::Value { what: "ARN of a key", value: key.clone() })?;
    let subjects = subjects(member("principals"), &key_policy(member("key_policy"))?, owner)?;
    // What all cases have; a member of a principal wins over it.
    let common: Vec<_> = input
        .iter()
        .filter(|(name, _)| !["action", "context", "key", "principals"].contains(&name.as_str()))
        .map(|(name, raw)| (name.as_str(), *raw))
        .collect();
    let mut answers = Vec::new();
    for action in &actions {
        for subject in &subjects {
            let text = case_text(subject, &common, member("context"), action, &key)?;
            answers.push(answer(subject, &text, action, owner)?);
        }
    }
    Ok(answers)
}

fn key_policy(raw: Option<&RawValue>) -> Result<Document, CaseError> {
    let raw = raw.ok_or(CaseError::Missing { member: "key_policy" })?;
    let text = serde_json::from_str::<String>(raw.get());
    Document::parse(text.as_deref().unwrap_or(raw.get()))
        .map_err(|error| CaseError::Json(format!("`key_policy`: {error}")))
}

/// The principals that the file has, and whom the key policy names besides them.
fn subjects(
    known: Option<&RawValue>,
    key_policy: &Document,
    owner: AccountId,
) -> Result<Vec<Subject>, CaseError> {
    let known = known.map_or("[]", RawValue::get);
    let known: Vec<Map<String, Value>> = serde_json::from_str(known)
        .map_err(|error| CaseError::Json(format!("`principals`: {}", without_line(&error))))?;
    let mut subjects: Vec<_> = known.into_iter().map(Subject::known).collect();
    for named in key_policy.named() {
        let is_known = |arn: &str| subjects.iter().any(|subject| subject.name == arn);
        match named {
            Named::Account(account) if account != owner => subjects.push(Subject::account(account)),
            Named::Account(_) => {}
            Named::Anyone => subjects.push(Subject::anyone(key_policy, owner)),
            Named::Identity(arn) if is_known(&arn) => {}
            Named::Identity(arn) => subjects.extend(Subject::identity(&arn, owner)),
            Named::Service(name) => subjects.push(Subject::service(&name)),
        }
    }
    Ok(subjects)
}

impl Subject {
    fn known(members: Map<String, Value>) -> Self {
        let of = |name: &str| members.get("principal")?.get(name)?.as_str();
        let name = of("arn").or_else(|| of("account")).unwrap_or("?").to_owned();
        Self { name, members, is_account: false, is_public: false, note: None }
    }

    fn new(name: String, principal: Value) -> Self {
        let members = Map::from_iter([("principal".to_owned(), principal)]);
        Self { name, members, is_account: false, is_public: false, note: None }
    }

    /// Of another account, whose own policies are taken to allow everything.
    fn foreign(self) -> Self {
        let mut members = self.members;
        members.insert("identity_policies".to_owned(), json!([EVERYTHING]));
        Self { members, note: Some("if its own account allows it too"), ..self }
    }

    fn account(account: AccountId) -> Self {
        let principal = json!({"type": "root", "account": account.to_string()});
        Self { is_account: true, ..Self::new(format!("account {account}"), principal) }.foreign()
    }

    /// Somebody of an account that no policy names.
    fn anyone(key_policy: &Document, owner: AccountId) -> Self {
        let account = if owner.to_string() == STRANGER { "999999999998" } else { STRANGER };
        let arn = format!("arn:aws:iam::{account}:user/anyone");
        let subject = Self::new("anyone".to_owned(), json!({"type": "user", "arn": arn}));
        let is_account = key_policy.asks_for_arns_of_any_account();
        Self { is_account, is_public: true, ..subject }.foreign()
    }

    fn identity(arn: &str, owner: AccountId) -> Option<Self> {
        let kind = match Caller::of_arn(arn)? {
            Caller::FederatedUser { .. } => "federated-user",
            Caller::Role(_) => "assumed-role",
            Caller::User { .. } => "user",
            Caller::Anonymous | Caller::Root { .. } | Caller::Service { .. } | Caller::WebIdentity { .. } => {
                return None;
            }
        };
        let principal = if arn.contains(":role/") {
            let account = Resource::new(arn).account();
            json!({"type": kind, "arn": "", "account": account, "role_arn": arn})
        } else {
            json!({"type": kind, "arn": arn})
        };
        let subject = Self::new(arn.to_owned(), principal);
        let is_foreign = Resource::new(arn).account() != Some(&owner.to_string());
        Some(if is_foreign {
            subject.foreign()
        } else {
            Self { note: Some("not among the principals of the file: taken to have no policies"), ..subject }
        })
    }

    fn service(name: &str) -> Self {
        Self::new(name.to_owned(), json!({"type": "service", "arn": name}))
    }
}

/// A policy that allows everything.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
/// An account of nobody.
const STRANGER: &str = "999999999999";

/// The case that asks for one principal.
fn case_text(
    subject: &Subject,
    common: &[(&str, &RawValue)],
    context: Option<&RawValue>,
    action: &str,
    key: &str,
) -> Result<String, CaseError> {
    let mut members: Vec<String> = Vec::new();
    let mut add = |name: &str, json: &str| members.push(format!("{}:{json}", json!(name)));
    add("action", &json!(action).to_string());
    add("resource", &json!(key).to_string());
    for (name, raw) in common.iter().filter(|(name, _)| !subject.members.contains_key(*name)) {
        add(name, raw.get());
    }
    for (name, value) in subject.members.iter().filter(|(name, _)| *name != "context") {
        add(name, &value.to_string());
    }
    let context = known_context(subject, context)?;
    add("context", &Value::Object(context).to_string());
    Ok(format!("{{{}}}", members.join(",")))
}

/// What is known of the requests of a principal: what the file says, or who asks.
fn known_context(subject: &Subject, common: Option<&RawValue>) -> Result<Map<String, Value>, CaseError> {
    let wrong = |error: serde_json::Error| CaseError::Json(format!("`context`: {}", without_line(&error)));
    let common: Map<String, Value> =
        common.map_or(Ok(Map::new()), |raw| serde_json::from_str(raw.get())).map_err(wrong)?;
    let own = subject.members.get("context").and_then(Value::as_object).cloned().unwrap_or_default();
    let principal = subject.members.get("principal").cloned().unwrap_or_default();
    let text = json!({"principal": principal, "action": "", "resource": ""}).to_string();
    let mut known = Map::new();
    for (key, value) in Case::parse(&text)?.caller()?.known_keys() {
        let of_account = ["aws:PrincipalAccount", "aws:PrincipalIsAWSService", "kms:CallerAccount"];
        if !subject.is_account || of_account.contains(&key.name()) {
            known.insert(key.name().to_owned(), value.into());
        }
    }
    // A later one wins, whatever its case.
    for (key, value) in common.into_iter().chain(own) {
        known.retain(|name, _| !name.eq_ignore_ascii_case(&key));
        // What is null is known to be absent.
        known.insert(key, if value.is_null() { json!([]) } else { value });
    }
    Ok(known)
}

fn answer(subject: &Subject, case: &str, action: &str, owner: AccountId) -> Result<Answer, CaseError> {
    let case = Case::parse(case)?;
    let malformed = case.ask(|_, _, sources| sources.malformed.clone())?;
    if let Some((member, why)) = malformed {
        return Err(CaseError::Json(format!("`{member}` of {}: {why}", subject.name)));
    }
    case.ask(|request, policies, sources| {
        let (access, because, depends_on) = described(request, policies, sources, action);
        let account = request.caller.account();
        Answer {
            action: action.to_owned(),
            principal: subject.name.clone(),
            access,
            cross_account: account.is_some_and(|account| account != owner),
            public: subject.is_public,
            because,
            depends_on,
            note: subject.note,
        }
    })
}

fn described(
    request: &Request<'_>,
    policies: &Policies<'_>,
    sources: &Sources,
    action: &str,
) -> (&'static str, Value, Vec<Value>) {
    match access(request, policies) {
        Access::Allowed(grounds) => {
            let decision = keyreeve_policy::Decision::Allow(grounds);
            ("allowed", policy_decide::explain(&decision, None, action).1, Vec::new())
        }
        Access::Never(decision) => ("never", policy_decide::explain(&decision, None, action).1, Vec::new()),
        Access::Depends(residuals) => {
            let depends_on = residuals.iter().map(|residual| described_residual(residual, sources)).collect();
            ("depends", Value::Null, depends_on)
        }
    }
}

fn described_residual(residual: &Residual<'_>, sources: &Sources) -> Value {
    match residual {
        Residual::Grant(id) => json!({"grant": id}),
        Residual::Statement { cause, effect, conditions, resource } => {
            let written = sources.statement(cause);
            let conditions: Vec<_> = conditions
                .iter()
                .filter_map(|index| written?.conditions.get(*index))
                .map(
                    |one| json!({"operator": one.operator.to_string(), "key": one.key, "values": one.values}),
                )
                .collect();
            json!({
                "effect": match effect { Effect::Allow => "Allow", Effect::Deny => "Deny" },
                "policy": member(cause.layer),
                "level": cause.level,
                "index": cause.policy,
                "statement": cause.statement,
                "sid": cause.sid,
                "conditions": conditions,
                "resource": resource.then(|| written.map(|one| &one.resources)),
            })
        }
    }
}

fn as_text(answers: &[Answer]) -> String {
    let mut text = String::new();
    let mut action = "";
    for answer in answers {
        if answer.action != action {
            action = &answer.action;
            text.push_str(&format!("{action}\n"));
        }
        let flags = [(answer.public, "PUBLIC"), (answer.cross_account, "other account")];
        let flags: Vec<_> = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag).collect();
        let flags = if flags.is_empty() { String::new() } else { format!(" [{}]", flags.join(", ")) };
        let reason = answer.because.get("reason").and_then(Value::as_str);
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let note = answer.note.filter(|_| answer.access != "never");
        let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
        text.push_str(&format!("  {:8} {}{flags}{reason}{note}\n", answer.access, answer.principal));
        for residual in &answer.depends_on {
            text.push_str(&format!("             {}\n", residual_in_words(residual)));
        }
    }
    text
}

fn residual_in_words(residual: &Value) -> String {
    let of = |value: &Value, name: &str| -> String {
        value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    if residual.get("grant").is_some() {
        return format!("allowed by grant {} if its constraints hold", of(residual, "grant"));
    }
    let condition = |one: &Value| {
        let values = one.get("values").and_then(Value::as_array).into_iter().flatten();
        let values: Vec<_> = values.filter_map(Value::as_str).collect();
        format!("{} `{}` with `{}` holds", of(one, "operator"), of(one, "key"), values.join("`, `"))
    };
    let conditions = residual.get("conditions").and_then(Value::as_array).into_iter().flatten();
    let mut conditions: Vec<_> = conditions.map(condition).collect();
    if residual.get("resource").is_some_and(|resource| !resource.is_null()) {
        conditions.push("it is about this key".to_owned());
    }
    let verb = if of(residual, "effect") == "Deny" { "denied" } else { "allowed" };
    let level = residual.get("level").and_then(Value::as_u64).map(|level| format!("[{level}]"));
    let number = |name: &str| residual.get(name).and_then(Value::as_u64).unwrap_or_default();
    let sid = residual.get("sid").and_then(Value::as_str).map(|sid| format!(" `{sid}`"));
    format!(
        "{verb} by {}{}[{}] statement {}{} if {}",
        of(residual, "policy"),
        level.unwrap_or_default(),
        number("index"),
        number("statement"),
        sid.unwrap_or_default(),
        conditions.join(" and "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn input(more: &str) -> String {
        format!(
            r#"{{"key":"{KEY}","action":"kms:Decrypt","principals":[
              {{"principal":{{"type":"user","arn":"arn:aws:iam::111122223333:user/Alice"}},"identity_policies":[{EVERYTHING}]}},
              {{"principal":{{"type":"user","arn":"arn:aws:iam::111122223333:user/Bob"}}}},
              {{"principal":{{"type":"user","arn":"arn:aws:iam::111122223333:user/Carol"}},"context":{{"aws:PrincipalTag/team":"red"}},"identity_policies":[{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"red"}},"Bool":{{"aws:MultiFactorAuthPresent":"true"}}}}}}}}]}}
            ],{more}}}"#
        )
    }

    fn said(more: &str) -> Vec<(String, &'static str, bool, bool)> {
        let answers = answers(&input(more)).unwrap();
        answers
            .into_iter()
            .map(|answer| (answer.principal, answer.access, answer.cross_account, answer.public))
            .collect()
    }

    #[test]
    fn who_may_is_told_of_everybody_who_is_known_or_named() {
        let policy = r#""key_policy":{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
            {"Effect":"Allow","Principal":{"AWS":["444455556666","arn:aws:iam::222233334444:role/R","arn:aws:iam::111122223333:role/New"]},"Action":"kms:Decrypt","Resource":"*"},
            {"Effect":"Allow","Principal":{"Service":"logs.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}"#;
        let expected = [
            ("arn:aws:iam::111122223333:user/Alice", "allowed", false, false),
            ("arn:aws:iam::111122223333:user/Bob", "never", false, false),
            ("arn:aws:iam::111122223333:user/Carol", "depends", false, false),
            ("account 444455556666", "allowed", true, false),
            ("arn:aws:iam::111122223333:role/New", "allowed", false, false),
            ("arn:aws:iam::222233334444:role/R", "allowed", true, false),
            ("logs.amazonaws.com", "depends", false, false),
        ];
        assert_eq!(
            said(policy),
            expected.map(|(name, access, cross, public)| (name.to_owned(), access, cross, public))
        );
    }

    #[test]
    fn what_is_public_is_flagged() {
        let public = |condition: &str| {
            let policy = format!(
                r#""key_policy":{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{condition}}}]}}"#
            );
            said(&policy).into_iter().find(|(_, _, _, public)| *public).unwrap().1
        };
        for (condition, access) in [
            ("{}", "allowed"),
            (r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#, "never"),
            (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, "depends"),
            (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}"#, "never"),
            (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Admin"}}"#, "depends"),
            (r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, "depends"),
        ] {
            assert_eq!(public(condition), access, "{condition}");
        }
    }

    #[test]
    fn what_it_depends_on_is_said() {
        let policy = r#""context":{"aws:SourceIp":"203.0.113.9","aws:SourceVpce":null},"key_policy":{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
            {"Sid":"Out","Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]},
            "scps":[[{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}]]"#;
        let text = as_text(&answers(&input(policy)).unwrap());
        assert_eq!(
            text,
            "kms:Decrypt\n  \
               allowed  arn:aws:iam::111122223333:user/Alice: allowed by identity-based policy\n  \
               never    arn:aws:iam::111122223333:user/Bob: no identity-based policy allows the kms:Decrypt action\n  \
               depends  arn:aws:iam::111122223333:user/Carol\n             \
                 allowed by identity_policies[0] statement 0 if Bool `aws:MultiFactorAuthPresent` with `true` holds\n"
        );
    }

    #[test]
    fn a_file_that_is_none_is_an_error() {
        for (text, error) in [
            ("[]", "invalid type: sequence, expected an object at line 1 column 0"),
            ("{}", "`key` is missing"),
            (r#"{"key":"x"}"#, "`action` is missing"),
            (r#"{"key":"x","action":"kms:Decrypt"}"#, "`x` is no ARN of a key"),
        ] {
            assert_eq!(answers(text).map(|_| ()).unwrap_err().to_string(), error, "{text}");
        }
        for (more, error) in [
            (r#""key_policy":{}"#, "`key_policy`: the policy is not well formed: there is no statement"),
            (
                r#""key_policy":{"Statement":{"Effect":"Allow","Principal":"*"}},"scps":[[{}]]"#,
                "`scps` of arn:aws:iam::111122223333:user/Alice: the policy is not well formed: there is no statement",
            ),
        ] {
            assert_eq!(answers(&input(more)).map(|_| ()).unwrap_err().to_string(), error, "{more}");
        }
    }
}
