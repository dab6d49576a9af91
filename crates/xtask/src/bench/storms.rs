//! What others feel of a storm: of TLS handshakes, and of an account that sends all it can.

use std::path::Path;

use serde_json::json;

use crate::bench::Plan;
use crate::bench::identities::{ACCOUNT, access_key, credentials, secret};
use crate::bench::lines::{Line, Target, median};
use crate::bench::parts::{PLAINTEXT, create_with, progress};
use crate::bench::servers::{self, Bench, Bodies, Extent, Load, Place, Server, failed};
use crate::process::Failure;

/// Connections of a storm.
const STORM: usize = 256;
/// Connections of the account that sends all it can.
const FLOOD: usize = 1024;
/// Another account than the first.
const OTHER: &str = "111111111111";

/// Encrypt by 16 connections before, beside and after each storm.
pub(crate) fn storms(bench: &Bench<'_>, plan: Plan, lines: &mut Vec<Line>) -> Result<(), Failure> {
    if bench.certificate()? {
        handshakes(bench, plan, lines)?;
    } else {
        println!("SKIPPED: TLS takes `openssl` to make a certificate");
    }
    flood(bench, plan, lines, "without request quotas", "")?;
    let quota =
        format!("[quotas.account_request_rates.{OTHER}]\n\"Cryptographic operations (symmetric)\" = 1000\n");
    flood(bench, plan, lines, "with a request quota", &quota)
}

/// p99, in ms, before, beside and after.
#[derive(Default)]
struct Felt {
    before: Vec<f64>,
    beside: Vec<f64>,
    after: Vec<f64>,
}

impl Felt {
    fn tell(self, what: &str, bound: f64, lines: &mut Vec<Line>) {
        let beside = median(self.beside.clone());
        let rounds: Vec<_> = self.beside.into_iter().zip(self.before.iter().copied()).collect();
        lines.push(Line {
            value: beside,
            target: Target::AtMost(bound),
            ..Line::ratio(format!("Encrypt beside {what}: p99, ms"), &rounds, Target::AtMost(bound))
        });
        let rounds: Vec<_> = self.after.into_iter().zip(self.before).collect();
        lines.push(Line::ratio(
            format!("Encrypt a second after {what}: p99, ms"),
            &rounds,
            Target::AtMost(2.0),
        ));
    }
}

fn handshakes(bench: &Bench<'_>, plan: Plan, lines: &mut Vec<Line>) -> Result<(), Failure> {
    let server = bench.keyreeve("storm", Place::Anywhere, true)?;
    let key = create_with(bench, &server, &json!({}))?;
    let body = json!({"KeyId": key, "Plaintext": PLAINTEXT}).to_string();
    let mut felt = Felt::default();
    let (mut floor, mut peak) = (0.0, 0.0);
    for _ in 0..plan.rounds {
        felt.before.push(p99(bench, &server, None, plan, &body)?);
        floor = server.memory();
        let anew = ["--requests-per-connection", "1"];
        let storm = bench.background_as(
            &server,
            server.credentials(),
            ("GenerateRandom", "{\"NumberOfBytes\":32}", STORM),
            &anew,
        )?;
        let beside = p99(bench, &server, None, plan, &body);
        peak = server.memory().max(peak);
        storm.stop()?;
        felt.beside.push(beside?);
        felt.after.push(p99(bench, &server, None, after(plan), &body)?);
    }
    progress(&format!("memory {:.0} MiB, {:.0} in the storm", floor / 1024.0, peak / 1024.0));
    felt.tell(&format!("{STORM} clients that open a TLS connection for each request"), 100.0, lines);
    lines.push(Line::figure("memory in that storm, MiB", peak / 1024.0, Target::AtMost(256.0)));
    server.stop()
}

fn flood(
    bench: &Bench<'_>,
    plan: Plan,
    lines: &mut Vec<Line>,
    how: &str,
    quotas: &str,
) -> Result<(), Failure> {
    let secret = secret(bench)?;
    let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]});
    let identities = [ACCOUNT, OTHER].map(|account| {
        format!(
            "[[account]]\nid = \"{account}\"\n[[account.user]]\nname = \"user\"\npolicies = {{ all = '{all}' }}\n\
             access_keys = [{{ id = \"{}\", secret_file = {secret:?} }}]\n",
            access_key(if account == ACCOUNT { "user" } else { "flood" }),
        )
    });
    servers::write(&bench.path("identity.toml"), &identities.concat())?;
    let config = format!("[identity]\nfile = {:?}\n{quotas}", bench.path("identity.toml"));
    let server = bench.keyreeve_with("flood", Place::Anywhere, false, &config)?;
    let (user, flooding) = (credentials(bench, "user")?, credentials(bench, "flood")?);
    let key_of = |who: &Path| {
        let made = bench.call_as(&server, Some(who), "CreateKey", &json!({}), false)?;
        let key = made.first().and_then(|(answer, _)| answer.pointer("/KeyMetadata/KeyId").cloned());
        key.map(|key| json!({"KeyId": key, "Plaintext": PLAINTEXT}).to_string())
            .ok_or_else(|| failed("no key"))
    };
    let (body, other) = (key_of(&user)?, key_of(&flooding)?);
    let mut felt = Felt::default();
    for _ in 0..plan.rounds {
        felt.before.push(p99(bench, &server, Some(&user), plan, &body)?);
        let flood = bench.background_as(&server, Some(&flooding), ("Encrypt", &other, FLOOD), &[])?;
        let beside = p99(bench, &server, Some(&user), plan, &body);
        flood.stop()?;
        felt.beside.push(beside?);
        felt.after.push(p99(bench, &server, Some(&user), after(plan), &body)?);
    }
    let bound = if quotas.is_empty() { 250.0 } else { 150.0 };
    felt.tell(&format!("{FLOOD} connections of another account, {how}"), bound, lines);
    server.stop()
}

/// A second passes before anything is measured.
fn after(plan: Plan) -> Plan {
    Plan { warmup: 1.0, ..plan }
}

fn p99(
    bench: &Bench<'_>,
    server: &Server,
    credentials: Option<&Path>,
    plan: Plan,
    body: &str,
) -> Result<f64, Failure> {
    let extent = Extent::Seconds { warmup: plan.warmup.max(0.3), seconds: plan.seconds };
    let load = Load {
        operation: "Encrypt",
        bodies: Bodies::One(body),
        connections: 16,
        extent,
        place: Place::Anywhere,
    };
    let sample = bench.load_as(server, credentials.or(server.credentials()), load)?;
    progress(&format!(
        "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms",
        sample.rate,
        sample.p50 / 1e3,
        sample.p99 / 1e3
    ));
    Ok(sample.p99 / 1e3)
}
