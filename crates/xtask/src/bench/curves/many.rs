//! Aliases, and grants on one key.

use std::path::Path;

use serde_json::{Value, json};

use crate::bench::curves::chart::Figure;
use crate::bench::curves::{Plan, Side, clear, compare, encrypt, on_disk};
use crate::bench::identities::{ACCOUNT, credentials, secret};
use crate::bench::parts::{PLAINTEXT, answer, create_with, progress};
use crate::bench::servers::{self, Bench, Bodies, Extent, Load, Place, Server};
use crate::process::Failure;

/// Aliases of one key at most, as AWS has it.
const ALIASES: u64 = 50;

/// Aliases of one account, fifty a key.
pub(crate) fn aliases(bench: &Bench<'_>, plan: &Plan) -> Result<Figure, Failure> {
    let mut figure = Figure::new("aliases", "Aliases of one account, fifty a key", "aliases");
    let server = bench.keyreeve_with("aliases", Place::First, false, "")?;
    let mut there = 0;
    let mut last = String::new();
    for &count in plan.aliases {
        let at = count as f64;
        let mut bodies = String::new();
        for number in there..count {
            if number % ALIASES == 0 || last.is_empty() {
                last = create_with(bench, &server, &json!({}))?;
            }
            let body = json!({"AliasName": format!("alias/of-a-bench/{number:07}"), "TargetKeyId": last});
            bodies += &format!("{body}\n");
        }
        let made = make_all(bench, &server, "CreateAlias", &bodies, count - there)?;
        progress(&format!("{count} aliases: {made:.0}/s"));
        figure.point("CreateAlias, 64 connections, per second", "new aliases", at, made);
        there = count;

        let file = bench.path("bodies.jsonl");
        let body = |number: u64| {
            let name = format!("alias/of-a-bench/{:07}", number.wrapping_mul(7_919) % count);
            json!({"KeyId": name, "Plaintext": PLAINTEXT}).to_string() + "\n"
        };
        servers::write(&file, &(0..count).map(body).collect::<String>())?;
        let one = json!({"KeyId": last, "Plaintext": PLAINTEXT}).to_string();
        let sides = [
            ("by an alias", encrypt(plan, Bodies::File(&file))),
            ("by the id", encrypt(plan, Bodies::One(&one))),
        ];
        let sides =
            sides.map(|(name, load)| Side { name, server: &server, credentials: None, load, more: &[] });
        compare(bench, plan, &mut figure, at, &sides)?;
        pages(bench, &mut figure, at, &server, ("ListAliases", &json!({"Limit": 100})))?;
    }
    server.stop()?;
    clear(bench, "aliases")?;
    Ok(figure)
}

/// Grants on one key, all of one grantee, each for a context of its own.
pub(crate) fn grants(bench: &Bench<'_>, plan: &Plan) -> Result<Figure, Failure> {
    let mut figure = Figure::new("grants", "Grants on one key, all of one user", "grants");
    let secret = secret(bench)?;
    let grantee = credentials(bench, "grantee")?;
    let identities = format!(
        "[[account]]\nid = \"{ACCOUNT}\"\n[[account.user]]\nname = \"grantee\"\naccess_keys = [{{ id = \"{}\", secret_file = {secret:?} }}]\n",
        crate::bench::identities::access_key("grantee"),
    );
    servers::write(&bench.path("identity.toml"), &identities)?;
    let config = format!("[identity]\nfile = {:?}\n", bench.path("identity.toml"));
    let server = bench.keyreeve_with("grants", Place::First, false, &config)?;
    let key = create_with(bench, &server, &json!({}))?;
    let floor = on_disk(&bench.path("grants/store.redb"));
    let grant = |volume: u64| {
        let grant = json!({
            "KeyId": key, "GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:user/grantee"),
            "Operations": ["Encrypt", "Decrypt"],
            "Constraints": {"EncryptionContextSubset": {"volume": volume.to_string()}},
        });
        grant.to_string() + "\n"
    };
    let encrypted = |volume: u64| {
        json!({"KeyId": key, "Plaintext": PLAINTEXT, "EncryptionContext": {"volume": volume.to_string()}})
            .to_string()
    };
    let mut there = 0;
    for &count in plan.grants {
        let at = count as f64;
        let made = make_all(
            bench,
            &server,
            "CreateGrant",
            &(there..count).map(grant).collect::<String>(),
            count - there,
        )?;
        progress(&format!("{count} grants: {made:.0}/s"));
        figure.point("CreateGrant, 64 connections, per second", "new grants", at, made);
        figure.point(
            "store on disk, bytes a grant",
            "grants",
            at,
            (on_disk(&bench.path("grants/store.redb")) - floor) / at,
        );
        there = count;
        let body = encrypted(count / 2);
        // So many came at once that all are read again, which the rounds are not to pay for.
        let whole = call_as(bench, &server, &grantee, &body)? / 1e3;
        figure.point("the first Encrypt by a grant, ms", "after all of them were made", at, whole);
        let load = encrypt(plan, Bodies::One(&body));
        let sides = [("by a grant", Some(grantee.as_path())), ("the root user", None)];
        let sides =
            sides.map(|(name, credentials)| Side { name, server: &server, credentials, load, more: &[] });
        compare(bench, plan, &mut figure, at, &sides)?;
        // After each new grant, the grantee's first request looks for what is new.
        let mut first = Vec::new();
        for more in 0..5 {
            answer(
                bench,
                &server,
                "CreateGrant",
                &serde_json::from_str(&grant(count + more)).unwrap_or(Value::Null),
            )?;
            first.push(call_as(bench, &server, &grantee, &encrypted(count / 2))?);
            there = count + more + 1;
        }
        let first = crate::bench::lines::median(first) / 1e3;
        progress(&format!("{count} grants: the first request after a new one takes {first:.2} ms"));
        figure.point("the first Encrypt by a grant, ms", "after one more was made", at, first);
        pages(bench, &mut figure, at, &server, ("ListGrants", &json!({"KeyId": key, "Limit": 100})))?;
    }
    server.stop()?;
    clear(bench, "grants")?;
    Ok(figure)
}

/// Sends each body once, and tells how many a second.
fn make_all(
    bench: &Bench<'_>,
    server: &Server,
    operation: &str,
    bodies: &str,
    count: u64,
) -> Result<f64, Failure> {
    let file = bench.path("made.jsonl");
    servers::write(&file, bodies)?;
    let load = Load {
        operation,
        bodies: Bodies::File(&file),
        connections: usize::try_from(count).unwrap_or(64).min(64),
        extent: Extent::Requests(count),
        place: Place::Anywhere,
    };
    Ok(bench.load(server, server, load)?.rate)
}

/// Microseconds of one Encrypt by somebody.
fn call_as(bench: &Bench<'_>, server: &Server, credentials: &Path, body: &str) -> Result<f64, Failure> {
    let load = Load {
        operation: "Encrypt",
        bodies: Bodies::One(body),
        connections: 1,
        extent: Extent::Requests(1),
        place: Place::Second,
    };
    Ok(bench.load_with(server, Some(credentials), load, &[])?.p50)
}

/// Reads a list to its end, and notes what its first and its last page took.
fn pages(
    bench: &Bench<'_>,
    figure: &mut Figure,
    at: f64,
    server: &Server,
    (operation, body): (&str, &Value),
) -> Result<(), Failure> {
    let pages = bench.call(server, operation, body, true)?;
    let median_of = |pages: &mut dyn Iterator<Item = &(Value, f64)>| {
        crate::bench::lines::median(pages.take(10).map(|(_, time)| time / 1e3).collect())
    };
    let panel = format!("a page of 100 of {operation}, ms");
    figure.point(&panel, "the first ten", at, median_of(&mut pages.iter()));
    figure.point(&panel, "the last ten", at, median_of(&mut pages.iter().rev()));
    Ok(())
}
