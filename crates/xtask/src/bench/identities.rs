//! What users, policies and grants cost: the same Encrypt by a user with twenty statements in five layers and by one whom a grant
//! lets do it among very many, against the root user.

use std::path::PathBuf;

use serde_json::json;

use crate::bench::Plan;
use crate::bench::lines::{Line, Target};
use crate::bench::parts::{PLAINTEXT, create_with, progress, rounds};
use crate::bench::servers::{self, Bench, Bodies, Extent, Load, Place};
use crate::process::Failure;

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const SECRET: &str = "a-secret-of-forty-characters-for-a-bench";

pub(crate) fn identities(bench: &Bench<'_>, plan: Plan, lines: &mut Vec<Line>) -> Result<(), Failure> {
    secret(bench)?;
    servers::write(&bench.path("identity.toml"), &file(bench))?;
    let more = format!("[identity]\nfile = {:?}\n", bench.path("identity.toml"));
    let server = bench.keyreeve_with("identities", Place::First, false, &more)?;
    let key = create_with(bench, &server, &json!({}))?;
    let bodies = (0..plan.grants).map(|volume| {
        let grant = json!({
            "KeyId": key, "GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:user/grantee"),
            "Operations": ["Encrypt", "Decrypt"],
            "Constraints": {"EncryptionContextSubset": {"volume": volume.to_string()}},
        });
        grant.to_string() + "\n"
    });
    let grants = bench.path("grants.jsonl");
    servers::write(&grants, &bodies.collect::<String>())?;
    let load = Load {
        operation: "CreateGrant",
        bodies: Bodies::File(&grants),
        connections: 64,
        extent: Extent::Requests(plan.grants),
        place: Place::Anywhere,
    };
    let made = bench.load(&server, &server, load)?.rate;
    progress(&format!("{} grants at {made:.0}/s", plan.grants));
    let body =
        json!({"KeyId": key, "Plaintext": PLAINTEXT, "EncryptionContext": {"volume": "7"}}).to_string();
    let load = Load {
        operation: "Encrypt",
        bodies: Bodies::One(&body),
        connections: 16,
        extent: Extent::Seconds { warmup: plan.warmup, seconds: plan.seconds },
        place: Place::Second,
    };
    for (who, of) in [
        ("user", "a user of 20 statements".to_owned()),
        ("grantee", format!("one of {} grants", plan.grants)),
    ] {
        let credentials = credentials(bench, who)?;
        let rounds = rounds(plan, || {
            Ok((bench.load_as(&server, Some(&credentials), load)?, bench.load(&server, &server, load)?))
        })?;
        let sides: Vec<_> = rounds.iter().map(|(one, root)| (one.rate, root.rate)).collect();
        let what = format!("Encrypt by {of}, requests/s, against the root user");
        lines.push(Line::ratio(what, &sides, Target::AtLeast(0.95)));
    }
    server.stop()
}

/// The file with the secret of all access keys.
pub(crate) fn secret(bench: &Bench<'_>) -> Result<PathBuf, Failure> {
    let path = bench.path("secret");
    servers::write(&path, SECRET).map(|()| path)
}

/// The access key of a user with a short name.
pub(crate) fn access_key(who: &str) -> String {
    format!("AKIABENCHMARK{:Q<7}", who.to_ascii_uppercase())
}

/// A credentials file of a user.
pub(crate) fn credentials(bench: &Bench<'_>, who: &str) -> Result<PathBuf, Failure> {
    let path = bench.path(&format!("credentials-{who}"));
    let key = access_key(who);
    let text = format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n");
    servers::write(&path, &text)?;
    Ok(path)
}

/// A user with three managed policies, one of his own and a boundary, and one without any.
fn file(bench: &Bench<'_>) -> String {
    let statement = |number: u32| {
        json!({
            "Sid": format!("s{number}"), "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{number:08}-0000-0000-0000-000000000000"),
            "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "one"}},
        })
    };
    let policy = |statements: Vec<serde_json::Value>| {
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    };
    let mut text = format!("[[account]]\nid = \"{ACCOUNT}\"\n");
    for number in 0..3 {
        let statements = policy((0..6).map(|at| statement(number * 6 + at)).collect());
        text += &format!("[[account.policy]]\nname = \"p{number}\"\npolicy = '{statements}'\n");
    }
    let boundary = policy(vec![json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})]);
    text += &format!("[[account.policy]]\nname = \"bounds\"\npolicy = '{boundary}'\n");
    let own = policy(vec![
        json!({"Effect": "Allow", "Action": "kms:Encrypt", "Resource": format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/*")}),
        json!({
            "Effect": "Deny", "Action": "kms:*", "Resource": "*",
            "Condition": {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
        }),
    ]);
    let secret = bench.path("secret");
    let arn = |name: &str| format!("\"arn:aws:iam::{ACCOUNT}:policy/{name}\"");
    text += &format!(
        "[[account.user]]\nname = \"user\"\nattach = [{}, {}, {}]\nboundary = {}\npolicies = {{ own = '{own}' }}\n",
        arn("p0"),
        arn("p1"),
        arn("p2"),
        arn("bounds")
    );
    text += &format!("access_keys = [{{ id = \"{}\", secret_file = {secret:?} }}]\n", access_key("user"));
    text += "[[account.user]]\nname = \"grantee\"\n";
    text += &format!("access_keys = [{{ id = \"{}\", secret_file = {secret:?} }}]\n", access_key("grantee"));
    text
}
