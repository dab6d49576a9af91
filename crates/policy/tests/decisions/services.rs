//! The actions of other services: IAM by the caller's own policies, the assumption of a role by its trust policy.

use keyreeve_policy::{
    Action, Caller, Context, ContextKey, Decision, Grounds, Kind, Lack, Layer, Policies, Policy, Request,
    Resource, RoleSession, decide,
};

const USER: &str = "arn:aws:iam::111122223333:user/Alice";
const EVE: &str = "arn:aws:iam::444455556666:user/Eve";
const ROLE: &str = "arn:aws:iam::111122223333:role/Example";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Other/s";
const OTHER: &str = "arn:aws:iam::111122223333:role/path/Other";
const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/idp.example";

fn user(arn: &str) -> Caller<'_> {
    Caller::User { account: Resource::new(arn).account().unwrap().parse().unwrap(), arn, id: None }
}

fn session() -> Caller<'static> {
    Caller::Role(RoleSession::new("111122223333".parse().unwrap(), SESSION, Some(OTHER)))
}

fn root(account: &str) -> Caller<'static> {
    Caller::Root { account: account.parse().unwrap() }
}

fn identity(effect: &str, action: &str) -> Policy {
    let text = format!(r#"{{"Statement":{{"Effect":"{effect}","Action":"{action}","Resource":"*"}}}}"#);
    Policy::compile(Kind::Identity, &text).unwrap()
}

fn trust(statements: &str) -> Policy {
    Policy::compile(Kind::Trust, &format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#))
        .unwrap()
}

fn trusting(principal: &str) -> Policy {
    trust(&format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole*"}}"#))
}

fn ask<'p>(caller: Caller<'_>, action: &str, policies: &Policies<'p>) -> Decision<'p> {
    let context = Context::from_iter::<[(&str, _); 0]>([]);
    let request = Request {
        caller,
        action: &Action::new(action),
        resource: Resource::new(ROLE),
        resource_account: "111122223333".parse().unwrap(),
        context: &context,
        encryption_context: &[],
    };
    decide(&request, policies)
}

fn word(decision: &Decision<'_>) -> String {
    match decision {
        Decision::Allow(_) => "allowed".into(),
        Decision::ExplicitDeny(cause) => format!("denied by {}", cause.layer),
        Decision::ImplicitDeny(Lack::Layer(layer)) => format!("no {layer}"),
        Decision::ImplicitDeny(lack) => format!("{lack:?}"),
    }
}

#[test]
fn iam_is_decided_by_the_policies_of_the_caller() {
    let (allow, deny) = (identity("Allow", "iam:*"), identity("Deny", "iam:Create*"));
    let other = identity("Allow", "kms:*");
    type Row<'r> = (Caller<'r>, &'r [&'r Policy], Option<&'r Policy>, Option<&'r Policy>, &'r str);
    let all: [Row<'_>; 10] = [
        (user(USER), &[&allow], None, None, "allowed"),
        (user(USER), &[], None, None, "no identity-based policy"),
        (user(USER), &[&other], None, None, "no identity-based policy"),
        (user(USER), &[&allow, &deny], None, None, "denied by identity-based policy"),
        (user(USER), &[&allow], Some(&other), None, "no permissions boundary"),
        (user(USER), &[&allow], None, Some(&other), "no service control policy"),
        (root("111122223333"), &[], None, None, "allowed"),
        (root("111122223333"), &[], None, Some(&other), "no service control policy"),
        (root("444455556666"), &[], None, None, "CrossAccount"),
        (user(EVE), &[&allow], None, None, "CrossAccount"),
    ];
    for (caller, identity, boundary, control, expected) in all {
        let level = control.map(|control| [control]);
        let levels: Vec<&[&Policy]> = level.iter().map(<[_; 1]>::as_slice).collect();
        let policies = Policies { identity, boundary, service_control: &levels, ..Policies::default() };
        assert_eq!(word(&ask(caller, "iam:CreateUser", &policies)), expected, "{caller:?}");
    }
}

#[test]
fn a_role_is_assumed_by_whom_it_trusts() {
    let may = identity("Allow", "sts:AssumeRole");
    let web = Caller::WebIdentity { provider: PROVIDER };
    for (principal, caller, has_policy, expected) in [
        (r#"{"AWS":"arn:aws:iam::111122223333:user/Alice"}"#, user(USER), false, "allowed"),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/path/Other"}"#, session(), false, "allowed"),
        (r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/Other/s"}"#, session(), false, "allowed"),
        (r#"{"AWS":"111122223333"}"#, user(USER), false, "no identity-based policy"),
        (r#"{"AWS":"111122223333"}"#, user(USER), true, "allowed"),
        (r#"{"AWS":"111122223333"}"#, session(), true, "allowed"),
        (r#"{"AWS":"444455556666"}"#, user(USER), true, "no resource-based policy"),
        (r#"{"AWS":"arn:aws:iam::444455556666:user/Eve"}"#, user(EVE), false, "no identity-based policy"),
        (r#"{"AWS":"arn:aws:iam::444455556666:user/Eve"}"#, user(EVE), true, "allowed"),
        (r#"{"AWS":"444455556666"}"#, user(EVE), false, "no identity-based policy"),
        (r#"{"AWS":"444455556666"}"#, user(EVE), true, "allowed"),
        (r#"{"AWS":"111122223333"}"#, user(EVE), true, "no resource-based policy"),
        (r#"{"AWS":"*"}"#, user(USER), false, "allowed"),
        (r#"{"AWS":"*"}"#, user(EVE), false, "no identity-based policy"),
        (
            r#"{"Service":"ec2.amazonaws.com"}"#,
            Caller::Service { name: "ec2.amazonaws.com" },
            false,
            "allowed",
        ),
        (
            r#"{"AWS":"111122223333"}"#,
            Caller::Service { name: "ec2.amazonaws.com" },
            false,
            "no resource-based policy",
        ),
        (r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp.example"}"#, web, false, "allowed"),
        (r#"{"Federated":"accounts.google.com"}"#, web, false, "no resource-based policy"),
        (r#""*""#, web, false, "no resource-based policy"),
        (r#""*""#, Caller::Anonymous, false, "Anonymous"),
    ] {
        let trust = trusting(principal);
        let identity: &[&Policy] = if has_policy { &[&may] } else { &[] };
        let policies = Policies { key: Some(&trust), identity, ..Policies::default() };
        assert_eq!(word(&ask(caller, "sts:AssumeRole", &policies)), expected, "{principal} {caller:?}");
    }
}

#[test]
fn a_role_that_denies_is_not_assumed() {
    let web = Caller::WebIdentity { provider: PROVIDER };
    let all = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"*","Federated":"{PROVIDER}"}},"Action":"sts:*"}}"#
    );
    for principal in
        [r#""Principal":"*""#, r#""Principal":{"AWS":"*"}"#, r#""NotPrincipal":{"AWS":"444455556666"}"#]
    {
        let trust = trust(&format!(r#"{all},{{"Effect":"Deny",{principal},"Action":"*"}}"#));
        for caller in [user(USER), session(), web] {
            let policies = Policies { key: Some(&trust), ..Policies::default() };
            assert_eq!(
                word(&ask(caller, "sts:AssumeRoleWithWebIdentity", &policies)),
                "denied by resource-based policy",
                "{principal} {caller:?}"
            );
        }
    }
}

#[test]
fn a_decision_carries_the_name_of_the_statement() {
    for effect in ["Allow", "Deny"] {
        let named = format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{EVE}"}},"Action":"*"}},{{"Sid":"By name","Effect":"{effect}","Principal":{{"AWS":"{USER}"}},"Action":"*"}}"#
        );
        let trust = trust(&named);
        let policies = Policies { key: Some(&trust), ..Policies::default() };
        let cause = match ask(user(USER), "sts:AssumeRole", &policies) {
            Decision::Allow(Grounds::Statement(cause)) | Decision::ExplicitDeny(cause) => cause,
            other => panic!("{other:?}"),
        };
        assert_eq!((cause.statement, cause.sid), (1, Some("By name")), "{effect}");
    }
}

#[test]
fn a_trust_policy_names_whom_it_trusts_and_no_resource() {
    let principal = r#""Principal":{"AWS":"111122223333"}"#;
    let federated = r#""Principal":{"Federated":"accounts.google.com"}"#;
    for (members, ok) in [
        (format!(r#""Effect":"Allow",{principal},"Action":"sts:AssumeRole""#), true),
        (format!(r#""Effect":"Allow",{federated},"Action":"sts:AssumeRoleWithWebIdentity""#), true),
        (format!(r#""Effect":"Allow",{principal},"Action":"sts:AssumeRole","Resource":"*""#), false),
        (format!(r#""Effect":"Allow",{principal},"Action":"sts:AssumeRole","NotResource":[]"#), false),
        (format!(r#""Effect":"Allow",{principal}"#), false),
        (r#""Effect":"Allow","Action":"sts:AssumeRole""#.into(), false),
    ] {
        let text = format!(r#"{{"Statement":{{{members}}}}}"#);
        assert_eq!(Policy::compile(Kind::Trust, &text).is_ok(), ok, "{text}");
    }
}

#[test]
fn a_policy_tells_which_keys_it_asks_for() {
    let policy = |resource: &str, condition: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"{resource}","Condition":{condition}}}}}"#
        );
        Policy::compile(Kind::Identity, &text).unwrap().mentions()
    };
    assert!(policy("*", "{}").is_empty());
    let set = policy(
        "arn:aws:kms:*:*:key/${aws:username}",
        r#"{"StringLike":{"aws:PrincipalTag/a":"${kms:KeySpec}"},"ArnLike":{"AWS:sourcearn":"arn:aws:s3:::${aws:UserId}"}}"#,
    );
    let mentioned: Vec<_> = ContextKey::all().filter(|key| set.contains(*key)).collect();
    assert_eq!(
        mentioned,
        [ContextKey::AwsSourceArn, ContextKey::AwsUserId, ContextKey::AwsUserName, ContextKey::KmsKeySpec]
    );
    assert!(set.contains_family(keyreeve_policy::KeyFamily::PrincipalTag) && !set.contains_others());
    assert!(policy("*", r#"{"Bool":{"idp.example:aud":"true"}}"#).contains_others());
    // Without a version, a variable is text like any other.
    let old =
        r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:kms:*:*:key/${aws:username}"}}"#;
    assert!(Policy::compile(Kind::Identity, old).unwrap().mentions().is_empty());
}

#[test]
fn a_policy_that_is_bound_follows_the_identity_and_not_its_name() {
    let text =
        format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{USER}"}},"Action":"sts:*"}}}}"#);
    let bound = Policy::compile_bound(Kind::Trust, &text, &|arn| (arn == USER).then_some("AIDAOLD")).unwrap();
    let policies = Policies { key: Some(&bound), ..Policies::default() };
    for (id, expected) in
        [(Some("AIDAOLD"), "allowed"), (Some("AIDANEW"), "no resource-based policy"), (None, "allowed")]
    {
        let caller = Caller::User { account: "111122223333".parse().unwrap(), arn: USER, id };
        assert_eq!(word(&ask(caller, "sts:AssumeRole", &policies)), expected, "{id:?}");
    }
    assert!(matches!(
        ask(root("111122223333"), "sts:AssumeRole", &policies),
        Decision::ImplicitDeny(Lack::Layer(Layer::Key))
    ));
}
