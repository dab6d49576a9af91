//! Any texts as policies, any request: a decision, and always in bounded work.
#![no_main]

use keyreeve_policy::{
    Action, Caller, Context, ContextValue, Kind, Policies, Policy, Request, Resource, RoleSession, decide,
};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Example/s";

// Parts between NUL: a key policy, an identity policy, an action, a resource, then names and values of condition keys.
fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
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
    let account = "111122223333".parse().unwrap();
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
});
