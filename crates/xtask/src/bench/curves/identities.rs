//! Statements of policies, and users.

use serde_json::{Value, json};

use crate::bench::curves::chart::Figure;
use crate::bench::curves::keys::start;
use crate::bench::curves::{Plan, Side, clear, compare, encrypt, on_disk};
use crate::bench::identities::{ACCOUNT, SECRET, access_key, credentials, secret};
use crate::bench::parts::{PLAINTEXT, answer, create_with, progress};
use crate::bench::servers::{self, Bench, Bodies, Load, Place};
use crate::process::Failure;

/// A key policy of ever more statements, of which the last allows, against a key without a policy of its own.
pub(crate) fn policies(bench: &Bench<'_>, plan: &Plan) -> Result<Figure, Failure> {
    let mut figure =
        Figure::new("policies", "Statements of a key policy, of which the last allows", "statements");
    let secret = secret(bench)?;
    let user = credentials(bench, "user")?;
    let everything = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]});
    let identities = format!(
        "[[account]]\nid = \"{ACCOUNT}\"\n\
         [[account.user]]\nname = \"user\"\naccess_keys = [{{ id = \"{}\", secret_file = {secret:?} }}]\n\
         [[account.user]]\nname = \"owner\"\npolicies = {{ all = '{everything}' }}\naccess_keys = [{{ id = \"{}\", secret_file = {secret:?} }}]\n",
        access_key("user"),
        access_key("owner"),
    );
    servers::write(&bench.path("identity.toml"), &identities)?;
    let config = format!("[identity]\nfile = {:?}\n", bench.path("identity.toml"));
    let server = bench.keyreeve_with("policies", Place::First, false, &config)?;
    let owner = credentials(bench, "owner")?;
    let [key, plain] = [create_with(bench, &server, &json!({}))?, create_with(bench, &server, &json!({}))?];
    for &count in plan.statements {
        let policy = key_policy(count).to_string();
        let body = json!({"KeyId": key, "PolicyName": "default", "Policy": policy, "BypassPolicyLockoutSafetyCheck": true});
        answer(bench, &server, "PutKeyPolicy", &body)?;
        let body = |key: &str| {
            json!({"KeyId": key, "Plaintext": PLAINTEXT, "EncryptionContext": {"tenant": "one"}}).to_string()
        };
        let bodies = [body(&key), body(&plain)];
        let [by_policy, by_default] = bodies.each_ref().map(|body| encrypt(plan, Bodies::One(body)));
        let sides = [
            ("by the key policy", Some(user.as_path()), by_policy),
            ("by a user policy of one statement", Some(owner.as_path()), by_default),
        ];
        let sides = sides.map(|(name, credentials, load)| Side {
            name,
            server: &server,
            credentials,
            load,
            more: &[],
        });
        compare(bench, plan, &mut figure, count as f64, &sides)?;
    }
    server.stop()?;
    clear(bench, "policies")?;
    Ok(figure)
}

/// Statements for other contexts, and at last the one that counts, in less than 32 KiB.
fn key_policy(count: u64) -> Value {
    let statement = |tenant: &str| {
        json!({
            "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:Encrypt", "Resource": "*",
            "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": tenant}},
        })
    };
    // The short form of the same, so that three hundred fit.
    let other = |number: u64| json!({"Sid": format!("s{number}"), "Effect": "Allow", "Principal": "*", "Action": "kms:Sign", "Resource": "*"});
    // The root user stays able to put the next policy; for him the condition has nothing to say.
    let user = json!({
        "Effect": "Allow", "Principal": {"AWS": [format!("arn:aws:iam::{ACCOUNT}:user/user"), ACCOUNT]},
        "Action": ["kms:Encrypt", "kms:PutKeyPolicy"], "Resource": "*",
        "Condition": {"StringEqualsIfExists": {"kms:EncryptionContext:tenant": "one"}},
    });
    let few = count.saturating_sub(1);
    let before =
        (0..few).map(|number| if number % 10 == 0 { statement(&number.to_string()) } else { other(number) });
    json!({"Version": "2012-10-17", "Statement": before.chain([user]).collect::<Vec<_>>()})
}

/// Users of the identity file, each with a policy and an access key.
pub(crate) fn users(bench: &Bench<'_>, plan: &Plan) -> Result<Figure, Failure> {
    let mut figure =
        Figure::new("users", "Users of the identity file, each with a policy and an access key", "users");
    let secret = secret(bench)?;
    let config = format!("[identity]\nfile = {:?}\n", bench.path("identity.toml"));
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]});
    for &count in plan.users {
        let at = count as f64;
        let mut text = format!("[[account]]\nid = \"{ACCOUNT}\"\n");
        let mut profiles = String::new();
        for number in 0..count {
            text += &format!(
                "[[account.user]]\nname = \"u{number}\"\npolicies = {{ all = '{policy}' }}\naccess_keys = [{{ id = \"{}\", secret_file = {secret:?} }}]\n",
                unique_id(number)
            );
            profiles += &format!(
                "[u{number}]\naws_access_key_id = {}\naws_secret_access_key = {SECRET}\n",
                unique_id(number)
            );
        }
        servers::write(&bench.path("identity.toml"), &text)?;
        let everybody = bench.path("credentials-all");
        servers::write(&everybody, &profiles)?;
        let server = bench.keyreeve_with("users", Place::Anywhere, false, &config)?;
        progress(&format!("{count} users: first start {:?}", server.first_answer));
        start(&mut figure, ", all new", at, &server);
        let key = create_with(bench, &server, &json!({}))?;
        server.stop()?;
        figure.point(
            "store on disk, bytes a user",
            "users",
            at,
            on_disk(&bench.path("users/store.redb")) / at,
        );
        let server = bench.keyreeve_with("users", Place::First, false, &config)?;
        progress(&format!("{count} users: next start {:?}", server.first_answer));
        start(&mut figure, ", none new", at, &server);
        figure.point("memory, MiB", "after the start", at, server.memory() / 1024.0);
        let body = json!({"KeyId": key, "Plaintext": PLAINTEXT}).to_string();
        let load = encrypt(plan, Bodies::One(&body));
        let load = Load { connections: 16, ..load };
        let sides =
            [("every user in turn", &["--every-profile"][..]), ("one user", &["--profile", "u0"][..])];
        let sides = sides.map(|(name, more)| Side {
            name,
            server: &server,
            credentials: Some(&everybody),
            load,
            more,
        });
        compare(bench, plan, &mut figure, at, &sides)?;
        figure.point("memory, MiB", "after the load", at, server.memory() / 1024.0);
        server.stop()?;
        clear(bench, "users")?;
    }
    Ok(figure)
}

/// The access key of a user: 20 capital letters and digits.
fn unique_id(number: u64) -> String {
    format!("AKIABENCHUSER{number:0>7}")
}
