//! Policies: of keys, of identities, and what is decided by them.

use keyreeve_policy::{
    Access, Action, Caller, Context, ContextValue, Decision, Kind, Lack, Policies, Policy, Request, Resource,
    RoleSession, access, allows_to_put_policy, decide, explain, lint, parse_identity_policy,
    parse_resource_control_policy, parse_session_policy, parse_trust_policy, simulate, statement_spans,
};

use crate::text;

const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Example/s";

/// Any text as a key policy: a document or an error, and the lockout check always comes to an end.
pub fn policy_document(data: &[u8]) {
    if let Ok(policy) = Policy::compile(Kind::Resource, text(data)) {
        let account = "111122223333".parse().expect("an account");
        let request = Request {
            caller: Caller::Root { account },
            action: &Action::new("kms:PutKeyPolicy"),
            resource: Resource::new(KEY),
            resource_account: account,
            context: &Context::default(),
            encryption_context: &[],
        };
        core::hint::black_box(allows_to_put_policy(&policy, &request, false));
    }
}

/// Any texts as policies, any request: a decision, and always in bounded work.
///
/// Parts between NUL: a key policy, an identity policy, an action, a resource, then names and values of condition keys.
pub fn policy_decision(data: &[u8]) {
    let mut parts = text(data).split('\0');
    let mut part = || parts.next().unwrap_or_default();
    let key = Policy::compile(Kind::Resource, part()).ok();
    let identity = Policy::compile(Kind::Identity, part()).ok();
    let action = Action::new(part());
    let resource = part();
    let rest: Vec<_> = parts.collect();
    let context: Context<'_> = rest
        .chunks(2)
        .map(|pair| match pair {
            [name, value] => (*name, ContextValue::One(value)),
            _ => ("kms:EncryptionContextKeys", ContextValue::Many(&rest)),
        })
        .collect();
    let account = "111122223333".parse().expect("an account");
    let identity: Vec<_> = identity.iter().collect();
    for caller in [
        Caller::Anonymous,
        Caller::Role(RoleSession::new(account, SESSION, None)),
        Caller::Root { account },
        Caller::Service { name: "logs.amazonaws.com" },
    ] {
        let request = Request {
            caller,
            action: &action,
            resource: Resource::new(if resource.is_empty() { KEY } else { resource }),
            resource_account: account,
            context: &context,
            encryption_context: &[],
        };
        let policies = Policies {
            key: key.as_ref(),
            identity: &identity,
            session: Some(&identity),
            endpoint: key.as_ref(),
            ..Policies::default()
        };
        let decision = decide(&request, &policies);
        assert_eq!(decision, decide(&request, &policies));
        assert!(!(matches!(caller, Caller::Anonymous) && decision.is_allow()));
    }
}

/// Any texts as policies: what is said of them, and that it is what is decided.
///
/// Parts between NUL: a key policy, an identity policy, an action, then names and values of condition keys.
pub fn policy_insight(data: &[u8]) {
    let mut parts = text(data).split('\0');
    let mut part = || parts.next().unwrap_or_default();
    let (key_text, identity_text, action) = (part(), part(), Action::new(part()));
    for kind in [Kind::Identity, Kind::Resource, Kind::Trust] {
        let _findings = lint(kind, key_text);
    }
    let _spans = statement_spans(key_text);
    if let Ok(document) = parse_identity_policy(identity_text) {
        assert!(Policy::compile(Kind::Identity, identity_text).is_ok(), "{document:?}");
    }
    if let Ok(document) = parse_session_policy(identity_text) {
        assert!(Policy::compile(Kind::Identity, identity_text).is_ok(), "{document:?}");
    }
    if let Ok(document) = parse_resource_control_policy(key_text) {
        assert!(Policy::compile(Kind::Resource, key_text).is_ok(), "{document:?}");
    }
    if let Ok(document) = parse_trust_policy(key_text) {
        assert!(Policy::compile(Kind::Trust, key_text).is_ok(), "{document:?}");
    }
    let key = Policy::compile(Kind::Resource, key_text).ok();
    let identity = Policy::compile(Kind::Identity, identity_text).ok();
    let rest: Vec<_> = parts.collect();
    let pairs =
        rest.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, ContextValue::One(pair.get(1)?))));
    let context: Context<'_> = pairs.collect();
    let account = "111122223333".parse().expect("an account");
    let request = Request {
        caller: Caller::User { account, arn: "arn:aws:iam::111122223333:user/Alice", id: None },
        action: &action,
        resource: Resource::new(KEY),
        resource_account: account,
        context: &context,
        encryption_context: &[],
    };
    let identity: Vec<_> = identity.iter().collect();
    let policies = Policies { key: key.as_ref(), identity: &identity, ..Policies::default() };
    let decision = decide(&request, &policies);
    assert_eq!(explain(&request, &policies).decision, decision);
    let _simulation = simulate(&request, &policies);
    match access(&request, &policies) {
        Access::Allowed(_) => assert!(
            matches!(decision, Decision::Allow(_) | Decision::ImplicitDeny(Lack::TooDear)),
            "{decision:?}"
        ),
        Access::Depends(_) => {}
        Access::Never(_) => assert!(!matches!(decision, Decision::Allow(_)), "{decision:?}"),
    }
}
