//! Who may do what: every operation for a caller that is allowed, denied, and of another account; every layer of policies;
//! and that a right is gone once it was taken away.

use keyreeve_core::caller::Acting;
use keyreeve_core::identity::record::{InlinePolicy, MemberRecord, OrganizationRecord, UnitRecord};
use keyreeve_core::identity::session::{NamedId, SessionHolder};
use keyreeve_core::identity::space;
use keyreeve_core::{Caller, Principal};
use keyreeve_domain::spec::KeyState;
use keyreeve_kms::is_supported;
use keyreeve_testkit::{Has, Reply, World, body};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

/// The operations that a caller of another account may be allowed.
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html>.
const ACROSS_ACCOUNTS: [Operation; 24] = [
    Operation::CreateGrant,
    Operation::Decapsulate,
    Operation::Decrypt,
    Operation::DeriveSharedSecret,
    Operation::DescribeKey,
    Operation::Encapsulate,
    Operation::Encrypt,
    Operation::GenerateDataKey,
    Operation::GenerateDataKeyPair,
    Operation::GenerateDataKeyPairWithoutPlaintext,
    Operation::GenerateDataKeyWithoutPlaintext,
    Operation::GenerateMac,
    Operation::GetKeyRotationStatus,
    Operation::GetPublicKey,
    Operation::ListGrants,
    Operation::ReEncrypt,
    Operation::RetireGrant,
    Operation::RevokeGrant,
    Operation::Sign,
    Operation::Verify,
    Operation::VerifyMac,
    // Of the caller's own account, whatever keys others have.
    Operation::GenerateRandom,
    Operation::ListAliases,
    Operation::ListKeys,
];
/// The operations on no key.
const ON_ACCOUNT: [Operation; 5] = [
    Operation::CreateKey,
    Operation::GenerateRandom,
    Operation::ListAliases,
    Operation::ListKeys,
    Operation::ListRetirableGrants,
];

fn supported() -> impl Iterator<Item = Operation> {
    Operation::ALL.iter().copied().filter(|operation| is_supported(*operation))
}

fn action(operation: Operation) -> String {
    let name = if operation == Operation::ReEncrypt { "ReEncryptFrom" } else { operation.name() };
    format!("kms:{name}")
}

fn denied(caller: &str, action: &str, rest: &str) -> Reply {
    let message = format!("User: {caller} is not authorized to perform: {action} {rest}");
    (400, json!({"__type": "AccessDeniedException", "message": message}))
}

fn statement(effect: &str, principal: &str, action: &str, more: &str) -> String {
    format!(r#"{{"Effect":"{effect}","Principal":{principal},"Action":"{action}","Resource":"*"{more}}}"#)
}

const ROOT: &str = r#"{"AWS":"arn:aws:iam::111122223333:root"}"#;

fn policy(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

fn put(world: &World, key: &str, statements: &[String]) {
    world.done(Operation::PutKeyPolicy, json!({"KeyId": key, "Policy": policy(statements)}));
}

fn everything() -> String {
    statement("Allow", ROOT, "kms:*", "")
}

#[test]
fn a_user_may_do_what_his_policy_allows() {
    for operation in supported().filter(|operation| *operation != Operation::RetireGrant) {
        let world = World::default();
        let of = world.fixture_for(operation);
        let own = world.root.account();
        let alice = world.user_with(own, "alice", Has::allowed("kms:*", "*"));
        let (status, answer) = world.call_as(&alice, operation, body(operation, &of));
        assert_eq!(status, 200, "{operation}: {answer}");
    }
}

#[test]
fn nobody_does_what_is_denied_whatever_allows_it() {
    for operation in supported() {
        let action = action(operation);
        let world = World::default();
        let of = world.fixture_for(operation);
        let own = world.root.account();
        let request = body(operation, &of);
        let allowed = r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#;
        let deny = format!(r#"{{"Effect":"Deny","Action":"{action}","Resource":"*"}}"#);
        let alice = world.user_with(own, "alice", Has::policy(&format!("{allowed},{deny}")));
        let before = world.dump();
        let resource = match request.get("AliasName").and_then(Value::as_str) {
            Some(alias) => of.arn.replace(&format!("key/{}", of.id), alias),
            None if ON_ACCOUNT.contains(&operation) => "*".to_owned(),
            None => of.arn.clone(),
        };
        let text = format!("on resource: {resource} with an explicit deny in an identity-based policy");
        let expected = denied(ALICE, &action, &text);
        assert_eq!(world.call_as(&alice, operation, request.clone()), expected, "{operation}");
        assert!(world.dump() == before, "{operation} changed the store");
        if ON_ACCOUNT.contains(&operation) || operation == Operation::PutKeyPolicy {
            continue;
        }
        let alice = world.user_with(own, "alice", Has::allowed("kms:*", "*"));
        let by = r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#;
        let keys = [of.id.as_str(), of.other.as_str()];
        for key in keys {
            put(&world, key, &[everything(), statement("Deny", by, &action, "")]);
        }
        let key = if operation == Operation::UpdateAlias { &of.other } else { &of.id };
        let key = of.arn.replace(&of.id, key);
        let text = format!("on resource: {key} with an explicit deny in a resource-based policy");
        let expected = denied(ALICE, &action, &text);
        assert_eq!(world.call_as(&alice, operation, request), expected, "{operation}");
    }
}

#[test]
fn another_account_may_do_what_both_sides_allow_and_the_operation_is_open_to() {
    for operation in supported().filter(|operation| !ON_ACCOUNT.contains(operation)) {
        let world = World::default();
        let of = world.fixture_for(operation);
        let request = body(operation, &of);
        if request.get("AliasName").is_some() {
            continue;
        }
        let far = world.stranger.account();
        let both = r#"{"AWS":["111122223333","444455556666"]}"#;
        if operation != Operation::CancelKeyDeletion {
            put(&world, &of.id, &[statement("Allow", both, "kms:*", "")]);
        }
        let eve = world.user_with(far, "eve", Has::allowed("kms:*", "*"));
        let mallory = world.user_with(far, "mallory", Has::default());
        let (status, answer) = world.call_as(&eve, operation, request.clone());
        let is_open = ACROSS_ACCOUNTS.contains(&operation) && operation != Operation::RetireGrant;
        assert_eq!(status == 200, is_open, "{operation}: {answer}");
        if !is_open {
            let rest = "on this resource because the resource does not exist in this Region, no resource-based policies \
                        allow access, or a resource-based policy explicitly denies access";
            let expected = denied("arn:aws:iam::444455556666:user/eve", &action(operation), rest);
            let text = answer["message"].as_str().unwrap_or_default();
            assert!(
                (status, answer.clone()) == expected || text.contains("no resource-based policy"),
                "{operation}: {answer}"
            );
        } else {
            // His own account says nothing of it.
            let world = World::default();
            let of = world.fixture_for(operation);
            put(&world, &of.id, &[statement("Allow", both, "kms:*", "")]);
            let mallory_again = world.user_with(far, "mallory", Has::default());
            assert_eq!(mallory.arn(), mallory_again.arn());
            let rest = format!(
                "on resource: {} because no identity-based policy allows the {} action",
                of.arn,
                action(operation)
            );
            let expected = denied(mallory.arn(), &action(operation), &rest);
            assert_eq!(
                world.call_as(&mallory_again, operation, body(operation, &of)),
                expected,
                "{operation}"
            );
        }
    }
}

#[test]
fn whoever_denies_himself_something_learns_nothing_of_foreign_keys() {
    let world = World::default();
    let far = world.stranger.account();
    let of = world.fixture(KeyState::Enabled);
    let deny = r#"{"Effect":"Deny","Action":"kms:*","Resource":"*"}"#;
    let attested = r#"{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:RecipientAttestation:PCR0":"x"}}}"#;
    for has in [Has::policy(deny), Has::policy(attested), Has::default()] {
        let eve = world.user_with(far, "eve", has);
        for request in [
            json!({"KeyId": of.arn, "Plaintext": "AAAA"}),
            json!({"KeyId": of.arn.replace(&format!("key/{}", of.id), &of.alias), "Plaintext": "AAAA"}),
        ] {
            let there = world.call_as(&eve, Operation::Encrypt, request.clone());
            let missing = request.to_string().replace(&of.id, "1234abcd-12ab-34cd-56ef-1234567890ab");
            let missing = serde_json::from_str(&missing).unwrap();
            assert_eq!(world.call_as(&eve, Operation::Encrypt, missing), there);
            assert_eq!(there.1["__type"], "AccessDeniedException");
        }
        let recipient =
            json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": "AAAA"});
        let request = json!({"KeyId": of.arn, "NumberOfBytes": 32, "Recipient": recipient});
        let (_, answer) = world.call_as(&eve, Operation::GenerateDataKey, request);
        assert_eq!(answer["__type"], "AccessDeniedException");
    }
}

#[test]
fn to_encrypt_anew_under_the_same_key_may_be_asked_for() {
    let world = World::default();
    let own = world.root.account();
    let of = world.fixture(KeyState::Enabled);
    let statement = r#"{"Effect":"Allow","Action":"kms:ReEncrypt*","Resource":"*","Condition":{"Bool":{"kms:ReEncryptOnSameKey":"true"}}}"#;
    let alice = world.user_with(own, "alice", Has::policy(statement));
    for (source, destination, allowed) in [
        (json!(of.id), &of.id, true),
        (Value::Null, &of.id, true),
        (json!(of.id), &of.other, false),
        (Value::Null, &of.other, false),
    ] {
        let mut request = json!({
            "CiphertextBlob": of.ciphertext, "DestinationKeyId": destination,
            "SourceEncryptionContext": {"purpose": "test"},
        });
        if !source.is_null() {
            request["SourceKeyId"] = source.clone();
        }
        let (status, answer) = world.call_as(&alice, Operation::ReEncrypt, request);
        assert_eq!(status == 200, allowed, "{source} {destination}: {answer}");
    }
}

/// A layer of policies, and what an Encrypt of a user ends in.
#[test]
fn every_layer_cuts() {
    let allow = |action: &str| format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
    let whole = |statements: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let world = World::default();
    let key = world.key();
    let own = world.root.account();
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{key}");
    let request = || json!({"KeyId": key, "Plaintext": "AAAA"});
    let lacking = |layer: &str| {
        let rest = format!("on resource: {arn} because no {layer} allows the kms:Encrypt action");
        denied(ALICE, "kms:Encrypt", &rest)
    };
    let bounded = |boundary: &str| Has { boundary: Some(whole(boundary)), ..Has::allowed("kms:*", "*") };
    let alice = world.user_with(own, "alice", bounded(&allow("kms:Encrypt")));
    assert_eq!(world.call_as(&alice, Operation::Encrypt, request()).0, 200);
    let alice = world.user_with(own, "alice", bounded(&allow("kms:Decrypt")));
    assert_eq!(world.call_as(&alice, Operation::Encrypt, request()), lacking("permissions boundary"));
    // A key policy that names the user himself is not cut by the lack of it.
    let by = r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#;
    put(&world, &key, &[everything(), statement("Allow", by, "kms:Encrypt", "")]);
    assert_eq!(world.call_as(&alice, Operation::Encrypt, request()).0, 200);
    put(&world, &key, &[everything()]);

    let _role = world.role_with(own, "Ops", Has::allowed("kms:*", "*"));
    let holder = || SessionHolder::Role {
        role: NamedId { name: "Ops".to_owned(), id: "AROAOps".to_owned() },
        name: "session".to_owned(),
    };
    for (passed, reason) in [
        (vec![whole(&allow("kms:Encrypt"))], None),
        (vec![whole(&allow("kms:Decrypt"))], Some("session policy")),
    ] {
        let session = world.session(own, holder(), passed);
        let answer = world.call_as(&session, Operation::Encrypt, request());
        match reason {
            None => assert_eq!(answer.0, 200, "{}", answer.1),
            Some(layer) => {
                let rest = format!("on resource: {arn} because no {layer} allows the kms:Encrypt action");
                let who = "arn:aws:sts::111122223333:assumed-role/Ops/session";
                assert_eq!(answer, denied(who, "kms:Encrypt", &rest));
            }
        }
    }

    for (service_control, resource_control, reason) in [
        (allow("*"), None, None),
        (allow("kms:Decrypt"), None, Some("because no service control policy allows the kms:Encrypt action")),
        (
            format!(r#"{},{{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}}"#, allow("*")),
            None,
            Some("with an explicit deny in a service control policy"),
        ),
        (
            allow("*"),
            Some(statement("Deny", r#""*""#, "kms:Encrypt", "")),
            Some("with an explicit deny in a resource control policy"),
        ),
    ] {
        let named = |text: &str| vec![InlinePolicy { name: "p".to_owned(), text: whole(text) }];
        world.organize(&OrganizationRecord {
            id: "o-example".to_owned(),
            management_account: "999999999999".parse().unwrap(),
            units: vec![UnitRecord {
                id: "r-root".to_owned(),
                name: "Root".to_owned(),
                parent: None,
                service_control: named(&service_control),
                resource_control: resource_control.as_deref().map(named).unwrap_or_default(),
                accounts: vec![MemberRecord {
                    account: own,
                    service_control: named(&allow("*")),
                    resource_control: Vec::new(),
                }],
            }],
        });
        let alice = world.user_with(own, "alice", Has::allowed("kms:*", "*"));
        let answer = world.call_as(&alice, Operation::Encrypt, request());
        match reason {
            None => assert_eq!(answer.0, 200, "{}", answer.1),
            Some(reason) => {
                assert_eq!(answer, denied(ALICE, "kms:Encrypt", &format!("on resource: {arn} {reason}")));
            }
        }
    }
}

#[test]
fn conditions_are_asked_of_what_the_request_is() {
    let world = World::default();
    let own = world.root.account();
    let of = world.fixture(KeyState::Enabled);
    let context = json!({"purpose": "test"});
    let has = |condition: &str| Has {
        tags: vec![("team".to_owned(), "red".to_owned())],
        ..Has::policy(&format!(
            r#"{{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{condition}}}"#
        ))
    };
    let encrypt = json!({"KeyId": of.id, "Plaintext": "AAAA", "EncryptionContext": context});
    let by_alias = json!({"KeyId": of.alias, "Plaintext": "AAAA", "EncryptionContext": context});
    let rotate = json!({"KeyId": of.id, "RotationPeriodInDays": 365});
    let schedule = json!({"KeyId": of.id, "PendingWindowInDays": 7, "DryRun": true});
    for (operation, request, condition, allowed) in [
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"kms:EncryptionContext:purpose":"test"}}"#, true),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"StringEquals":{"kms:EncryptionContext:purpose":"other"}}"#,
            false,
        ),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"kms:EncryptionContext:none":"test"}}"#, false),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["purpose","more"]}}"#,
            true,
        ),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["more"]}}"#,
            false,
        ),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"StringEquals":{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}}"#,
            true,
        ),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"kms:KeySpec":"SYMMETRIC_DEFAULT"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"kms:KeyUsage":"ENCRYPT_DECRYPT"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"kms:KeyOrigin":"EXTERNAL"}}"#, false),
        (Operation::Encrypt, &encrypt, r#"{"Bool":{"kms:MultiRegion":"false"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"Null":{"kms:MultiRegionKeyType":"true"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"Null":{"kms:RequestAlias":"true"}}"#, true),
        (Operation::Encrypt, &by_alias, r#"{"StringLike":{"kms:RequestAlias":"alias/of-*"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"StringLike":{"kms:RequestAlias":"alias/of-*"}}"#, false),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/of-*"}}"#,
            true,
        ),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/no-*"}}"#,
            false,
        ),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"aws:ResourceTag/Project":"x"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"aws:ResourceTag/Project":"y"}}"#, false),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"aws:PrincipalTag/team":"red"}}"#, true),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"StringEquals":{"kms:EncryptionContext:purpose":"${aws:username}"}}"#,
            false,
        ),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"aws:username":"alice"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"aws:PrincipalType":"User"}}"#, true),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"}}"#,
            true,
        ),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"aws:userid":"AIDAalice"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, false),
        (Operation::Encrypt, &encrypt, r#"{"Bool":{"aws:SecureTransport":"false"}}"#, true),
        (Operation::Encrypt, &encrypt, r#"{"StringEquals":{"aws:UserAgent":"testkit"}}"#, true),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#,
            true,
        ),
        (Operation::Encrypt, &encrypt, r#"{"DateLessThan":{"aws:EpochTime":"1500000000"}}"#, false),
        (Operation::Encrypt, &encrypt, r#"{"Null":{"aws:MultiFactorAuthPresent":"true"}}"#, true),
        (
            Operation::Encrypt,
            &encrypt,
            r#"{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}"#,
            false,
        ),
        (
            Operation::EnableKeyRotation,
            &rotate,
            r#"{"NumericLessThanEquals":{"kms:RotationPeriodInDays":"365"}}"#,
            true,
        ),
        (
            Operation::EnableKeyRotation,
            &rotate,
            r#"{"NumericLessThan":{"kms:RotationPeriodInDays":"365"}}"#,
            false,
        ),
        (
            Operation::ScheduleKeyDeletion,
            &schedule,
            r#"{"NumericGreaterThan":{"kms:ScheduleKeyDeletionPendingWindowInDays":"7"}}"#,
            false,
        ),
    ] {
        let alice = world.user_with(own, "alice", has(condition));
        let (status, answer) = world.call_as(&alice, operation, request.clone());
        assert_eq!(status == 200, allowed, "{operation} {request} {condition}: {answer}");
    }
}

#[test]
fn how_long_a_key_was_not_used_may_be_asked_for() {
    let world = World::default();
    let own = world.root.account();
    let key = world.key();
    let condition = r#"{"NumericGreaterThanEquals":{"kms:TrailingDaysWithoutKeyUsage":"90"}}"#;
    let statement =
        format!(r#"{{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{condition}}}"#);
    let alice = world.user_with(own, "alice", Has::policy(&statement));
    let schedule = || json!({"KeyId": key, "PendingWindowInDays": 7});
    world.pass_days(89);
    assert_eq!(world.call_as(&alice, Operation::ScheduleKeyDeletion, schedule()).0, 400);
    world.done(Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA"}));
    world.pass_days(89);
    assert_eq!(world.call_as(&alice, Operation::DisableKey, json!({"KeyId": key})).0, 400);
    world.pass_days(1);
    assert_eq!(world.call_as(&alice, Operation::DisableKey, json!({"KeyId": key})).0, 200);
    assert_eq!(world.call_as(&alice, Operation::ScheduleKeyDeletion, schedule()).0, 200);
}

#[test]
fn a_right_that_was_taken_away_is_gone_for_the_next_request() {
    let world = World::default();
    let own = world.root.account();
    let key = world.key();
    let request = || json!({"KeyId": key, "Plaintext": "AAAA"});
    world.user_with(own, "alice", Has::allowed("kms:*", "*"));
    let try_it = || world.call_as(&world.sign_in("AKIAalice"), Operation::Encrypt, request()).0;
    assert_eq!(try_it(), 200);
    world.user_with(own, "alice", Has::default());
    assert_eq!(try_it(), 400);
    world.user_with(own, "alice", Has::allowed("kms:*", "*"));
    assert_eq!(try_it(), 200);
    let by = r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#;
    put(&world, &key, &[everything(), statement("Deny", by, "kms:Encrypt", "")]);
    assert_eq!(try_it(), 400);
    put(&world, &key, &[everything()]);
    assert_eq!(try_it(), 200);
    world.lose(&keyreeve_core::space::credential("AKIAalice").unwrap());
    let gone =
        keyreeve_store::conformance::block_on(world.service.credential("AKIAalice", None, world.now()));
    assert!(gone.is_err());
}

#[test]
fn whoever_is_made_again_under_an_old_name_inherits_nothing() {
    let world = World::default();
    let own = world.root.account();
    let key = world.key();
    let bob = world.user_with(own, "bob", Has::default());
    let by = r#"{"AWS":"arn:aws:iam::111122223333:user/bob"}"#;
    put(&world, &key, &[everything(), statement("Allow", by, "kms:Encrypt", "")]);
    let request = || json!({"KeyId": key, "Plaintext": "AAAA"});
    assert_eq!(world.call_as(&bob, Operation::Encrypt, request()).0, 200);
    world.lose(&space::user(own, "bob").unwrap());
    let shown = world.done(Operation::GetKeyPolicy, json!({"KeyId": key}))["Policy"].to_string();
    assert!(shown.contains("AIDAbob") && !shown.contains("user/bob"), "{shown}");
    let again = world.user_with(own, "bob", Has::default());
    // The same name with another unique id.
    let path = space::user(own, "bob").unwrap();
    let vault = world.service.vault();
    let mut record = keyreeve_store::conformance::block_on(async {
        let snapshot = vault.snapshot().await.unwrap();
        vault
            .read::<keyreeve_core::identity::record::UserRecord>(&*snapshot, &path)
            .await
            .unwrap()
            .unwrap()
            .record
    });
    record.id = "AIDAanother".to_owned();
    world.keep(&path, &record);
    drop(again);
    let again = world.sign_in("AKIAbob");
    assert_eq!(world.call_as(&again, Operation::Encrypt, request()).0, 400);
}

#[test]
fn a_key_policy_names_whoever_exists() {
    let world = World::default();
    let own = world.root.account();
    let key = world.key();
    world.user_with(own, "bob", Has::default());
    world.role_with(own, "Ops", Has::default());
    for (principal, valid) in [
        ("arn:aws:iam::111122223333:user/bob", true),
        ("arn:aws:iam::111122223333:role/Ops", true),
        ("arn:aws:sts::111122223333:assumed-role/Ops/anything", true),
        ("arn:aws:iam::444455556666:root", true),
        ("444455556666", true),
        ("*", true),
        ("arn:aws:iam::111122223333:user/nobody", false),
        ("arn:aws:iam::111122223333:user/path/bob", false),
        ("arn:aws:iam::111122223333:role/None", false),
        ("arn:aws:iam::999999999999:root", false),
        ("arn:aws:iam::111122223333:group/g", false),
        ("AIDANEVERMADEEXAMPLE0", false),
    ] {
        let by = format!(r#"{{"AWS":"{principal}"}}"#);
        let text = policy(&[everything(), statement("Allow", &by, "kms:Encrypt", "")]);
        let answer = world.call(Operation::PutKeyPolicy, json!({"KeyId": key, "Policy": text}));
        if valid {
            assert_eq!(answer.0, 200, "{principal}: {}", answer.1);
        } else {
            let message = "Policy contains a statement with one or more invalid principals.";
            let expected = json!({"__type": "MalformedPolicyDocumentException", "message": message});
            assert_eq!(answer, (400, expected), "{principal}");
        }
    }
}

#[test]
fn an_aws_managed_key_is_looked_at_and_not_used() {
    let world = World::default();
    let described = world.done(Operation::DescribeKey, json!({"KeyId": "alias/aws/s3"}));
    let key = described["KeyMetadata"]["KeyId"].clone();
    let shown = world.done(Operation::GetKeyPolicy, json!({"KeyId": key}))["Policy"].to_string();
    assert!(shown.contains("auto-s3-2") && shown.contains("s3.us-east-1.amazonaws.com"), "{shown}");
    for (operation, request) in [
        (Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA"})),
        (Operation::ScheduleKeyDeletion, json!({"KeyId": key})),
        (Operation::PutKeyPolicy, json!({"KeyId": key, "Policy": policy(&[everything()])})),
    ] {
        let (status, answer) = world.call(operation, request);
        assert_eq!((status, answer["__type"].as_str()), (400, Some("AccessDeniedException")), "{operation}");
    }
}

#[test]
fn a_new_key_needs_the_right_to_make_it_and_to_tag_it() {
    let world = World::default();
    let own = world.root.account();
    let alice = world.user_with(own, "alice", Has::allowed("kms:CreateKey", "*"));
    let tags = json!({"Tags": [{"TagKey": "a", "TagValue": "b"}]});
    assert_eq!(world.call_as(&alice, Operation::CreateKey, json!({})).0, 200);
    let expected = denied(
        ALICE,
        "kms:TagResource",
        "because no identity-based policy allows the kms:TagResource action",
    );
    assert_eq!(world.call_as(&alice, Operation::CreateKey, tags.clone()), expected);
    // The right to tag covers every key of the account and Region: the one that is made has no id yet.
    for (resource, allowed) in [
        ("*", true),
        ("arn:aws:kms:*:111122223333:key/*", true),
        ("arn:aws:kms:us-east-1:111122223333:key/*", true),
        ("arn:aws:kms:us-west-2:111122223333:key/*", false),
        ("arn:aws:kms:*:444455556666:key/*", false),
        ("arn:aws:kms:*:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", false),
        ("arn:aws:kms:*:111122223333:alias/*", false),
    ] {
        let tag =
            |effect| format!(r#"{{"Effect":"{effect}","Action":"kms:TagResource","Resource":"{resource}"}}"#);
        let make =
            |more: &str| format!(r#"{{"Effect":"Allow","Action":"kms:CreateKey","Resource":"*"}},{more}"#);
        let bob = world.user_with(own, "bob", Has::policy(&make(&tag("Allow"))));
        let (status, answer) = world.call_as(&bob, Operation::CreateKey, tags.clone());
        assert_eq!(status == 200, allowed, "{resource}: {answer}");
        let all = r#"{"Effect":"Allow","Action":"kms:TagResource","Resource":"*"}"#;
        let bob = world.user_with(own, "bob", Has::policy(&make(&format!("{all},{}", tag("Deny")))));
        let (status, answer) = world.call_as(&bob, Operation::CreateKey, tags.clone());
        assert_eq!(status == 200, !allowed, "denied on {resource}: {answer}");
    }
    // The policy must let him put the next one.
    let by_root = policy(&[statement("Allow", r#"{"AWS":"arn:aws:iam::444455556666:root"}"#, "kms:*", "")]);
    let (_, answer) = world.call_as(&alice, Operation::CreateKey, json!({"Policy": by_root}));
    assert_eq!(answer["__type"], "MalformedPolicyDocumentException");
    let bypass = json!({"Policy": by_root, "BypassPolicyLockoutSafetyCheck": true});
    assert_eq!(world.call_as(&alice, Operation::CreateKey, bypass).0, 200);
}

#[test]
fn the_resource_control_policies_of_the_account_of_a_key_bind_whoever_comes_from_another() {
    let world = World::default();
    let (own, far) = (world.root.account(), world.stranger.account());
    let key = opened(&world);
    let policies =
        |statements: &[String]| vec![InlinePolicy { name: "p".to_owned(), text: policy(statements) }];
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#.to_owned();
    for (bound, status) in [(own, 400), (far, 200)] {
        let deny = [statement("Deny", r#""*""#, "kms:Encrypt", "")];
        let member = |account| MemberRecord {
            account,
            service_control: policies(std::slice::from_ref(&all)),
            resource_control: if account == bound { policies(&deny) } else { Vec::new() },
        };
        world.organize(&OrganizationRecord {
            id: "o-example".to_owned(),
            management_account: "999999999999".parse().unwrap(),
            units: vec![UnitRecord {
                id: "r-root".to_owned(),
                name: "Root".to_owned(),
                parent: None,
                service_control: policies(std::slice::from_ref(&all)),
                resource_control: Vec::new(),
                accounts: vec![member(own), member(far)],
            }],
        });
        let eve = world.user_with(far, "eve", Has::allowed("kms:*", "*"));
        let (found, answer) =
            world.call_as(&eve, Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA"}));
        assert_eq!(found, status, "{bound}: {answer}");
        // They do not bind AWS managed keys.
        world.done(Operation::DescribeKey, json!({"KeyId": "alias/aws/s3"}));
        world.user_with(own, "alice", Has::default());
        let alice =
            keyreeve_store::conformance::block_on(world.service.forwarded(ALICE, world.now())).unwrap();
        let by_s3 = alice.acting(Acting { via: Some("s3.amazonaws.com".to_owned()), ..Acting::default() });
        let request = json!({"KeyId": "alias/aws/s3", "Plaintext": "AAAA"});
        assert_eq!(world.call_as(&by_s3, Operation::Encrypt, request).0, 200, "{bound}");
        assert_eq!(world.call_as(&eve, Operation::DescribeKey, json!({"KeyId": key})).0, 200, "{bound}");
    }
}

/// The ARN of a key that both accounts may use.
fn opened(world: &World) -> String {
    let key = world.key();
    let far = r#"{"AWS":"arn:aws:iam::444455556666:root"}"#;
    put(world, &key, &[everything(), statement("Allow", far, "kms:*", "")]);
    format!("arn:aws:kms:us-east-1:111122223333:key/{key}")
}

#[test]
fn a_key_policy_shows_its_key_to_another_account_where_its_conditions_are_met() {
    let world = World::default();
    let key = world.key();
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{key}");
    let missing = arn.replace(&key, "1234abcd-12ab-34cd-56ef-1234567890ab");
    let eve = world.user_with(world.stranger.account(), "eve", Has::default());
    for (spec, is_shown) in [("SYMMETRIC_DEFAULT", true), ("RSA_2048", false)] {
        let condition = format!(r#","Condition":{{"StringEquals":{{"kms:KeySpec":"{spec}"}}}}"#);
        let far = r#"{"AWS":"arn:aws:iam::444455556666:root"}"#;
        put(&world, &key, &[everything(), statement("Allow", far, "kms:*", &condition)]);
        let ask =
            |arn: &str| world.call_as(&eve, Operation::Encrypt, json!({"KeyId": arn, "Plaintext": "AAAA"}));
        let (shown, unseen) = (ask(&arn), ask(&missing));
        assert_eq!((shown.0, &shown.1["__type"]), (400, &json!("AccessDeniedException")), "{spec}");
        let text = |reply: &Reply, arn: &str| reply.1["message"].as_str().unwrap().replace(arn, "ARN");
        assert_eq!(text(&shown, &arn) != text(&unseen, &missing), is_shown, "{spec}: {}", shown.1);
    }
}

#[test]
fn the_next_policy_of_a_key_may_be_put_under_a_condition_that_the_key_meets() {
    let world = World::default();
    let key = world.key();
    for (spec, status) in [("SYMMETRIC_DEFAULT", 200), ("RSA_2048", 400)] {
        let condition = format!(r#","Condition":{{"StringEquals":{{"kms:KeySpec":"{spec}"}}}}"#);

        let text = policy(&[statement("Allow", ROOT, "kms:*", &condition)]);
        let (found, answer) = world.call(Operation::PutKeyPolicy, json!({"KeyId": key, "Policy": text}));
        assert_eq!(found, status, "{spec}: {answer}");
    }
}

#[test]
fn the_name_of_a_key_policy_is_known_whether_it_is_given_or_not() {
    let world = World::default();
    let own = world.root.account();
    let key = world.done(Operation::CreateKey, json!({}))["KeyMetadata"]["KeyId"].clone();
    let text = world.done(Operation::GetKeyPolicy, json!({"KeyId": key}))["Policy"].clone();
    for (name, status) in [("default", 200), ("other", 400)] {
        let condition = format!(r#","Condition":{{"StringEquals":{{"kms:PolicyName":"{name}"}}}}"#);
        let allowed = format!(
            r#"{{"Effect":"Allow","Action":["kms:GetKeyPolicy","kms:PutKeyPolicy"],"Resource":"*"{condition}}}"#
        );
        let user = world.user_with(own, name, Has::policy(&allowed));
        for more in [json!({}), json!({"PolicyName": "default"})] {
            let with = |mut body: Value| {
                body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                body
            };
            let got = world.call_as(&user, Operation::GetKeyPolicy, with(json!({"KeyId": key})));
            assert_eq!(got.0, status, "{name} {more}: {}", got.1);
            let put = with(json!({"KeyId": key, "Policy": text, "BypassPolicyLockoutSafetyCheck": true}));
            let put = world.call_as(&user, Operation::PutKeyPolicy, put);
            assert_eq!(put.0, status, "{name} {more}: {}", put.1);
        }
    }
}

#[test]
fn a_service_uses_an_aws_managed_key_for_somebody_of_its_account() {
    let world = World::default();
    let own = world.root.account();
    world.user_with(own, "alice", Has::default());
    world.user_with(world.stranger.account(), "eve", Has::allowed("kms:*", "*"));
    let described = world.done(Operation::DescribeKey, json!({"KeyId": "alias/aws/s3"}));
    let key = described["KeyMetadata"]["Arn"].clone();
    let request = || json!({"KeyId": key, "Plaintext": "AAAA"});
    for (who, via, allowed) in [
        (ALICE, Some("s3.amazonaws.com"), true),
        ("arn:aws:iam::111122223333:root", Some("s3.amazonaws.com"), true),
        (ALICE, Some("ebs.amazonaws.com"), false),
        (ALICE, None, false),
        ("arn:aws:iam::444455556666:user/eve", Some("s3.amazonaws.com"), false),
    ] {
        let found = keyreeve_store::conformance::block_on(world.service.forwarded(who, world.now()));
        let acting = Acting { via: via.map(str::to_owned), ..Acting::default() };
        let caller = found.unwrap().acting(acting);
        let (status, answer) = world.call_as(&caller, Operation::Encrypt, request());
        assert_eq!(status == 200, allowed, "{who} {via:?}: {answer}");
    }
    let events = world.trail.drain();
    let invoked: Vec<_> =
        events.iter().filter(|event| event["userIdentity"]["invokedBy"] == "s3.amazonaws.com").collect();
    assert_eq!(invoked.len(), 3);
    for event in invoked {
        assert_eq!(
            (&event["sourceIPAddress"], &event["userAgent"]),
            (&json!("s3.amazonaws.com"), &json!("s3.amazonaws.com"))
        );
        assert_eq!(event["additionalEventData"]["serviceSourceIPAddress"], "127.0.0.1");
    }
    for nobody in ["arn:aws:iam::111122223333:user/nobody", "arn:aws:iam::111122223333:group/g", "x", ""] {
        let found = keyreeve_store::conformance::block_on(world.service.forwarded(nobody, world.now()));
        assert!(found.is_err(), "{nobody}");
    }
}

#[test]
fn a_service_does_for_itself_what_a_key_policy_lets_it_do() {
    let world = World::default();
    let key = world.key();
    let service = |source: Option<&str>| {
        let principal = Principal::Service("logs.us-east-1.amazonaws.com".to_owned());
        let acting = Acting { source_arn: source.map(str::to_owned), ..Acting::default() };
        Caller::new(world.root.account(), principal, "AKIASERVICE".to_owned()).acting(acting)
    };
    let request = || json!({"KeyId": key, "Plaintext": "AAAA"});
    assert_eq!(world.call_as(&service(None), Operation::Encrypt, request()).0, 400);
    let by = r#"{"Service":"logs.us-east-1.amazonaws.com"}"#;
    let guard = r#","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:logs:us-east-1:111122223333:*"}}"#;
    put(&world, &key, &[everything(), statement("Allow", by, "kms:Encrypt", guard)]);
    let group = "arn:aws:logs:us-east-1:111122223333:log-group:g";
    assert_eq!(world.call_as(&service(Some(group)), Operation::Encrypt, request()).0, 200);
    let far = "arn:aws:logs:us-east-1:444455556666:log-group:g";
    assert_eq!(world.call_as(&service(Some(far)), Operation::Encrypt, request()).0, 400);
    assert_eq!(world.call_as(&service(None), Operation::Encrypt, request()).0, 400);
}
