//! Any text as a key policy: a document or an error, and the lockout check always comes to an end.
#![no_main]

use keyreeve_policy::{Action, Caller, Context, Kind, Policy, Request, Resource, allows_to_put_policy};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fuzz_target!(|text: &str| {
    if let Ok(policy) = Policy::compile(Kind::Resource, text) {
        let account = "111122223333".parse().unwrap();
        let request = Request {
            caller: Caller::Root { account },
            action: &Action::new("kms:PutKeyPolicy"),
            resource: Resource::new(KEY),
            resource_account: account,
            context: &Context::default(),
            encryption_context: &[],
        };
        let _ = allows_to_put_policy(&policy, &request, false);
    }
});
