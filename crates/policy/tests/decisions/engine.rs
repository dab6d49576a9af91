//! The engine, asked with a case.

use keyreeve_domain::AccountId;
use keyreeve_policy::{
    Action, AwsPrincipal, Caller, Constraints, Context, ContextValue, Decision, Grant, GrantPrincipal, Kind,
    Operations, Policies, Policy, Request, Resource, RoleSession, decide,
};
use serde_json::Value;

/// The word for what the engine decides of `case`.
pub(crate) fn decision(case: &Value) -> &'static str {
    with_decision(case, |decision| match decision {
        Decision::Allow(_) => "allow",
        Decision::ExplicitDeny(_) => "explicit_deny",
        Decision::ImplicitDeny(_) => "implicit_deny",
    })
}

/// What `look` sees in the decision.
pub(crate) fn with_decision<T>(case: &Value, look: impl FnOnce(&Decision<'_>) -> T) -> T {
    with_request(case, |request, policies| look(&decide(request, policies)))
}

/// What `look` sees in the request and its policies.
pub(crate) fn with_request<T>(case: &Value, look: impl FnOnce(&Request<'_>, &Policies<'_>) -> T) -> T {
    let principal = &case["principal"];
    let of_arn = |arn: &Value| Resource::new(arn.as_str()?).account().map(str::to_owned);
    let account = principal["account"].as_str().map(str::to_owned).or_else(|| of_arn(&principal["arn"]));
    let account: Option<AccountId> = account.map(|account| account.parse().unwrap());
    let arn = principal["arn"].as_str().unwrap_or_default();
    let caller = match principal["type"].as_str().unwrap() {
        "anonymous" => Caller::Anonymous,
        "assumed-role" => {
            let session = RoleSession::new(account.unwrap(), arn, principal["role_arn"].as_str());
            Caller::Role(session.with_id(principal["id"].as_str()))
        }
        "federated-user" => Caller::FederatedUser {
            account: account.unwrap(),
            session: arn,
            user: principal["user_arn"].as_str(),
            user_id: principal["id"].as_str(),
        },
        "root" => Caller::Root { account: account.unwrap() },
        "service" => Caller::Service { name: arn },
        "user" => Caller::User { account: account.unwrap(), arn, id: principal["id"].as_str() },
        "web-identity" => Caller::WebIdentity { provider: arn },
        other => panic!("{other}"),
    };
    let resource = case["resource"].as_str().unwrap();
    let owner = case["resource_account"].as_str().map(str::to_owned);
    let owner = owner.or_else(|| of_arn(&case["resource"])).map(|owner| owner.parse().unwrap()).or(account);

    let lists: Vec<(&str, Vec<&str>)> =
        members(&case["context"]).map(|(key, value)| (key, texts(value))).collect();
    let context: Context<'_> = members(&case["context"])
        .zip(&lists)
        .map(|((key, value), (_, list))| match value {
            Value::String(text) => (key, ContextValue::One(text)),
            _ => (key, ContextValue::Many(list)),
        })
        .collect();
    let encryption_context: Vec<_> =
        members(&case["encryption_context"]).map(|(key, value)| (key, value.as_str().unwrap())).collect();
    let action = Action::new(case["action"].as_str().unwrap());
    let request = Request {
        caller,
        action: &action,
        resource: Resource::new(resource),
        resource_account: owner.unwrap(),
        context: &context,
        encryption_context: &encryption_context,
    };

    let bound = |arn: &str| case["bound_ids"].get(arn)?.as_str();
    let compile = |kind, value: &Value| policy(kind, value, &bound);
    let key = compile(Kind::Resource, &case["key_policy"]);
    let key = key.or_else(|| compile(Kind::Trust, &case["trust_policy"]));
    let identity = policies(Kind::Identity, &case["identity_policies"], &bound);
    let boundary = compile(Kind::Identity, &case["permissions_boundary"]);
    let session = compile(Kind::Identity, &case["session_policy"]);
    let endpoint = compile(Kind::Resource, &case["vpce_policy"]);
    let service_control = levels(Kind::Identity, &case["scps"], &bound);
    let resource_control = levels(Kind::Resource, &case["rcps"], &bound);
    let grants: Vec<_> =
        case["grants"].as_array().into_iter().flatten().map(|one| grant(one, &bound)).collect();

    let identity: Vec<_> = identity.iter().collect();
    let session = session.as_ref().map(|session| vec![session]);
    let service_control: Vec<Vec<_>> = service_control.iter().map(|level| level.iter().collect()).collect();
    let resource_control: Vec<Vec<_>> = resource_control.iter().map(|level| level.iter().collect()).collect();
    let policies = Policies {
        key: key.as_ref(),
        identity: &identity,
        boundary: boundary.as_ref(),
        session: session.as_deref(),
        service_control: &service_control.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        resource_control: &resource_control.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        endpoint: endpoint.as_ref(),
        grants: &grants.iter().collect::<Vec<_>>(),
    };
    look(&request, &policies)
}

type Ids<'i> = &'i dyn Fn(&str) -> Option<&'i str>;

fn policy<'i>(kind: Kind, value: &Value, ids: Ids<'i>) -> Option<Policy> {
    let compile = || {
        Policy::compile_bound(kind, &value.to_string(), ids)
            .unwrap_or_else(|error| panic!("{error}: {value}"))
    };
    (!value.is_null()).then(compile)
}

fn policies(kind: Kind, values: &Value, ids: Ids<'_>) -> Vec<Policy> {
    values.as_array().into_iter().flatten().filter_map(|value| policy(kind, value, ids)).collect()
}

fn levels(kind: Kind, values: &Value, ids: Ids<'_>) -> Vec<Vec<Policy>> {
    values.as_array().into_iter().flatten().map(|level| policies(kind, level, ids)).collect()
}

fn grant<'i>(value: &Value, bound: &dyn Fn(&str) -> Option<&'i str>) -> Grant {
    let text = |name: &str| value[name].as_str();
    let principal = |arn: &str, service: &str| {
        let bound = |arn| GrantPrincipal::bound(arn, bound(arn));
        text(arn).map(bound).or_else(|| text(service).map(GrantPrincipal::service))
    };
    let constraints = &value["Constraints"];
    let pairs = |name: &str| {
        let pairs = members(&constraints[name]);
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.as_str().unwrap().to_owned()));
        (!constraints[name].is_null()).then(|| pairs.collect())
    };
    Grant {
        id: text("GrantId").unwrap_or_default().to_owned(),
        key: text("KeyId").unwrap_or_default().to_owned(),
        grantee: principal("GranteePrincipal", "GranteeServicePrincipal"),
        retiring: principal("RetiringPrincipal", "RetiringServicePrincipal"),
        issuing_account: text("IssuingAccount").map(|text| match text.parse() {
            Ok(AwsPrincipal::Account(account)) => account,
            other => panic!("{other:?}"),
        }),
        operations: Operations::new(texts(&value["Operations"])),
        constraints: Constraints {
            context_equals: pairs("EncryptionContextEquals"),
            context_subset: pairs("EncryptionContextSubset"),
            source_arn: constraints["SourceArn"].as_str().map(str::to_owned),
        },
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|value| value.as_str().unwrap()).collect()
}
