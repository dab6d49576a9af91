//! Any texts as policies: what is said of them, and that it is what is decided.
#![no_main]

use keyreeve_policy::{
    Access, Action, Caller, Context, ContextValue, Decision, Kind, Lack, Policies, Policy, Request, Resource,
    access, decide, explain, lint, parse_identity_policy, parse_trust_policy, simulate, statement_spans,
};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

// Parts between NUL: a key policy, an identity policy, an action, then names and values of condition keys.
fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
    let mut part = || parts.next().unwrap_or_default();
    let (key_text, identity_text, action) = (part(), part(), Action::new(part()));
    for kind in [Kind::Identity, Kind::Resource, Kind::Trust] {
        let _findings = lint(kind, key_text);
    }
    let _spans = statement_spans(key_text);
    if let Ok(document) = parse_identity_policy(identity_text) {
        assert!(Policy::compile(Kind::Identity, identity_text).is_ok(), "{document:?}");
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
    let account = "111122223333".parse().unwrap();
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
});
