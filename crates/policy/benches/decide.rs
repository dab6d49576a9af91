//! How long one decision takes: `cargo bench -p keyreeve-policy`.
//!
//! Ordinary requests: a caller with an identity policy, a boundary, a session policy, a service control policy, and the key
//! policy that leaves it to them; every statement has an action list, and many have conditions. Least of many rounds, since
//! what disturbs a round only makes it longer.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::time::Instant;

use keyreeve_policy::{
    Action, Caller, Context, ContextValue, Kind, Policies, Policy, Request, Resource, decide,
};

const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ROUNDS: u32 = 300;
const DECISIONS: u32 = 2_000;

/// Statements in all five policies, and the target in nanoseconds.
const SIZES: [(usize, f64); 3] = [(20, 600.0), (40, 1_200.0), (220, 3_000.0)];

fn main() {
    for (statements, target) in SIZES {
        let nanos = measure(statements);
        let verdict = if nanos <= target { "met" } else { "MISSED" };
        println!("5 layers, {statements} statements: {nanos:.0} ns (target {target:.0} ns, {verdict})");
    }
}

fn measure(statements: usize) -> f64 {
    let identity = statements - 8;
    let key = policy(Kind::Resource, 2, &|index| {
        let principal = if index == 0 {
            "arn:aws:iam::111122223333:root"
        } else {
            "arn:aws:iam::111122223333:role/Admin"
        };
        format!(r#""Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"kms:*","Resource":"*""#)
    });
    let of_identity = policy(Kind::Identity, identity, &|index| statement(index, identity));
    let boundary = policy(Kind::Identity, 2, &|index| guard(index));
    let session = policy(Kind::Identity, 2, &|index| guard(index));
    let control = policy(Kind::Identity, 2, &|index| guard(index));

    let context: Context<'_> = [
        ("aws:CurrentTime", "2026-06-15T12:00:00Z"),
        ("aws:EpochTime", "1781524800"),
        ("aws:PrincipalAccount", "111122223333"),
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:user/Alice"),
        ("aws:PrincipalIsAWSService", "false"),
        ("aws:PrincipalTag/team", "payments"),
        ("aws:PrincipalType", "User"),
        ("aws:RequestedRegion", "us-west-2"),
        ("aws:ResourceAccount", "111122223333"),
        ("aws:ResourceTag/team", "payments"),
        ("aws:SecureTransport", "true"),
        ("aws:SourceIp", "203.0.113.10"),
        ("aws:UserAgent", "aws-sdk-rust/1.3"),
        ("aws:ViaAWSService", "false"),
        ("aws:userid", "AIDAEXAMPLE"),
        ("aws:username", "Alice"),
        ("kms:CallerAccount", "111122223333"),
        ("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
        ("kms:EncryptionContext:Dept", "IT"),
        ("kms:KeyOrigin", "AWS_KMS"),
        ("kms:KeySpec", "SYMMETRIC_DEFAULT"),
        ("kms:KeyUsage", "ENCRYPT_DECRYPT"),
        ("kms:MultiRegion", "false"),
    ]
    .into_iter()
    .map(|(key, value)| (key, ContextValue::One(value)))
    .chain([("kms:EncryptionContextKeys", ContextValue::Many(&["Dept"]))])
    .collect();
    let action = Action::new("kms:Decrypt");
    let account = "111122223333".parse().unwrap();
    let request = Request {
        caller: Caller::User { account, arn: "arn:aws:iam::111122223333:user/Alice", id: None },
        action: &action,
        resource: Resource::new(KEY),
        resource_account: account,
        context: &context,
        encryption_context: &[("Dept", "IT")],
    };
    let policies = Policies {
        key: Some(&key),
        identity: &[&of_identity],
        boundary: Some(&boundary),
        session: Some(&[&session]),
        service_control: &[&[&control]],
        ..Policies::default()
    };
    assert!(decide(&request, &policies).is_allow(), "the request is an ordinary one");

    let round = || {
        let start = Instant::now();
        for _ in 0..DECISIONS {
            black_box(decide(black_box(&request), black_box(&policies)));
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(DECISIONS)
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn policy(kind: Kind, statements: usize, one: &dyn Fn(usize) -> String) -> Policy {
    let statements: Vec<_> = (0..statements).map(|index| format!("{{{}}}", one(index))).collect();
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    Policy::compile(kind, &text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A statement of the identity policy: its last one allows, after denials and grants of other things.
fn statement(index: usize, of: usize) -> String {
    if index + 1 == of {
        return r#""Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"arn:aws:kms:*:111122223333:key/*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}"#.into();
    }
    match index % 6 {
        0 => r#""Effect":"Allow","Action":["kms:Create*","kms:List*","kms:Describe*"],"Resource":"*""#.into(),
        1 => format!(r#""Effect":"Allow","Action":["kms:Encrypt","kms:Decrypt"],"Resource":"arn:aws:kms:us-west-2:111122223333:key/{index:08}-*""#),
        2 => r#""Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#.into(),
        3 => r#""Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/*""#.into(),
        4 => r#""Effect":"Allow","Action":"kms:Sign","Resource":"*","Condition":{"StringLike":{"aws:username":"A*"}}"#.into(),
        _ => r#""Effect":"Deny","Action":["kms:ScheduleKeyDeletion","kms:DisableKey"],"Resource":"*""#.into(),
    }
}

fn guard(index: usize) -> String {
    if index == 0 {
        r#""Effect":"Allow","Action":"*","Resource":"*""#.into()
    } else {
        r#""Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["us-west-2","eu-west-1"]}}"#.into()
    }
}
