//! The measurements.

use serde_json::{Value, json};

use crate::bench::Plan;
use crate::bench::lines::{Line, Target, median};
use crate::bench::servers::{self, Bench, Bodies, Extent, Load, Place, Sample, Server, failed};
use crate::process::Failure;

/// From an empty directory to the first answer, and what an idle server takes.
pub(crate) fn start(bench: &Bench<'_>, plan: Plan, lines: &mut Vec<Line>) -> Result<(), Failure> {
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        let server = bench.keyreeve(&format!("empty-{round}"), Place::Anywhere, false)?;
        times.push(server.first_answer.as_secs_f64() * 1e3);
        memory.push(server.memory() / 1024.0);
        server.stop()?;
    }
    lines.push(Line::figure("empty start to first answer, ms", median(times), Target::AtMost(50.0)));
    lines.push(Line::figure("idle memory, MiB", median(memory), Target::AtMost(30.0)));
    Ok(())
}

/// Operations with a symmetric key, each against the null server with answers of the same length.
pub(crate) fn symmetric(
    bench: &Bench<'_>,
    plan: Plan,
    tls: bool,
    lines: &mut Vec<Line>,
) -> Result<(), Failure> {
    if tls && !bench.certificate()? {
        println!("SKIPPED: TLS takes `openssl` to make a certificate");
        return Ok(());
    }
    let scheme = if tls { "TLS, " } else { "" };
    let ours = bench.keyreeve("symmetric", Place::First, tls)?;
    let key = create(bench, &ours)?;
    let encrypt = json!({"KeyId": key, "Plaintext": PLAINTEXT});
    let blob = answer(bench, &ours, "Encrypt", &encrypt)?.get("CiphertextBlob").cloned();
    for (operation, body) in [
        ("Encrypt", encrypt),
        ("Decrypt", json!({"CiphertextBlob": blob})),
        ("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
    ] {
        let length = answer(bench, &ours, operation, &body)?.to_string().len();
        let null = bench.null(length, tls)?;
        let body = body.to_string();
        for &connections in plan.connections {
            let load = Load {
                operation,
                bodies: Bodies::One(&body),
                connections,
                extent: Extent::Seconds { warmup: plan.warmup, seconds: plan.seconds },
                place: Place::Second,
            };
            let rounds =
                rounds(plan, || Ok((bench.load(&ours, &ours, load)?, bench.load(&null, &ours, load)?)))?;
            let what = |figure: &str| format!("{operation}, {scheme}{connections} conn.: {figure}");
            let sides =
                |of: fn(&Sample) -> f64| rounds.iter().map(|(a, b)| (of(a), of(b))).collect::<Vec<_>>();
            if connections == 1 {
                lines.push(Line::ratio(what("p50, us"), &sides(|one| one.p50), Target::AtMost(1.3)));
                continue;
            }
            lines.push(Line::ratio(what("requests/s"), &sides(|one| one.rate), Target::AtLeast(0.65)));
            lines.push(Line::ratio(what("CPU us/request"), &sides(|one| one.cpu), Target::AtMost(1.5)));
            lines.push(Line::ratio(what("p99, us"), &sides(|one| one.p99), Target::AtMost(2.0)));
        }
    }
    ours.stop()
}

/// CreateKey by 64 clients, against what redb alone commits in groups.
pub(crate) fn create_key(bench: &Bench<'_>, plan: Plan, lines: &mut Vec<Line>) -> Result<(), Failure> {
    let seconds = plan.seconds;
    let mut sides = Vec::new();
    for round in 0..plan.rounds.div_ceil(2) {
        let server = bench.keyreeve(&format!("create-{round}"), Place::Anywhere, false)?;
        let load = Load {
            operation: "CreateKey",
            bodies: Bodies::One("{}"),
            connections: 64,
            extent: Extent::Seconds { warmup: plan.warmup, seconds },
            place: Place::Anywhere,
        };
        let created = bench.load(&server, &server, load)?.rate;
        server.stop()?;
        sides.extend(bench.group_commits(seconds)?.into_iter().map(|raw| (created, raw)));
        progress(&format!("CreateKey {created:.0}/s"));
    }
    lines.push(Line::ratio("CreateKey, 64 clients: per second", &sides, Target::AtLeast(0.5)));
    Ok(())
}

/// An account with many keys.
pub(crate) fn many_keys(bench: &Bench<'_>, plan: Plan, lines: &mut Vec<Line>) -> Result<(), Failure> {
    let server = bench.keyreeve("many", Place::Anywhere, false)?;
    let load = Load {
        operation: "CreateKey",
        bodies: Bodies::One("{}"),
        connections: 64,
        extent: Extent::Requests(plan.keys),
        place: Place::Anywhere,
    };
    let created = bench.load(&server, &server, load)?.rate;
    progress(&format!("{} keys at {created:.0}/s", plan.keys));
    server.stop()?;

    let empty = bench.keyreeve("none", Place::First, false)?;
    create(bench, &empty)?;
    let floor = empty.memory();
    empty.stop()?;
    let server = bench.keyreeve("many", Place::First, false)?;
    let keys = format!("{} keys: ", plan.keys);
    let ready = server.first_answer.as_secs_f64();
    lines.push(Line::figure(format!("{keys}start to first answer, s"), ready, Target::AtMost(2.0)));

    let pages = bench.call(&server, "ListKeys", &json!({"Limit": 100}), true)?;
    let at = |share: f64| {
        let near = (pages.len() as f64 * share).round();
        let near = pages.iter().enumerate().filter(|(place, _)| (*place as f64 - near).abs() <= 10.0);
        median(near.map(|(_, (_, time))| *time).collect())
    };
    for (name, share) in [("in the middle", 0.5), ("at the end", 1.0)] {
        let what = format!("{keys}a page of ListKeys {name}, us, against the first");
        lines.push(Line::ratio(what, &[(at(share), at(0.0))], Target::AtMost(1.3)));
    }

    let ids = pages.iter().filter_map(|(page, _)| page.get("Keys")?.as_array()).flatten();
    let mut ids: Vec<_> = ids.filter_map(|key| key.get("KeyId")?.as_str()).collect();
    shuffle(&mut ids);
    let bodies = ids.iter().map(|id| json!({"KeyId": id, "Plaintext": PLAINTEXT}).to_string() + "\n");
    let file = bench.path("bodies.jsonl");
    servers::write(&file, &bodies.collect::<String>())?;
    let one = json!({"KeyId": ids.first(), "Plaintext": PLAINTEXT}).to_string();
    let load =
        |bodies, extent| Load { operation: "Encrypt", bodies, connections: 16, extent, place: Place::Second };
    // Each key once, so that all are in memory.
    bench.load(&server, &server, load(Bodies::File(&file), Extent::Requests(plan.keys)))?;
    let each = (server.memory() - floor) * 1024.0 / plan.keys as f64;
    lines.push(Line::figure(
        format!("{keys}memory above the empty server, bytes/key"),
        each,
        Target::AtMost(2048.0),
    ));
    let extent = Extent::Seconds { warmup: plan.warmup, seconds: plan.seconds };
    let rounds = rounds(plan, || {
        let random = bench.load(&server, &server, load(Bodies::File(&file), extent))?;
        Ok((random, bench.load(&server, &server, load(Bodies::One(&one), extent))?))
    })?;
    let sides: Vec<_> = rounds.iter().map(|(random, one)| (random.rate, one.rate)).collect();
    let what = format!("{keys}Encrypt on random keys, requests/s, against one key");
    lines.push(Line::ratio(what, &sides, Target::AtLeast(0.8)));
    server.stop()
}

/// 32 bytes.
pub(crate) const PLAINTEXT: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn create(bench: &Bench<'_>, server: &Server) -> Result<String, Failure> {
    create_with(bench, server, &json!({}))
}

/// The id of a new key with these properties.
pub(crate) fn create_with(bench: &Bench<'_>, server: &Server, body: &Value) -> Result<String, Failure> {
    let made = answer(bench, server, "CreateKey", body)?;
    let key = made.pointer("/KeyMetadata/KeyId").and_then(Value::as_str);
    key.map(str::to_owned).ok_or_else(|| failed(format!("no key: {made}")))
}

/// The one answer to an operation.
pub(crate) fn answer(
    bench: &Bench<'_>,
    server: &Server,
    operation: &str,
    body: &Value,
) -> Result<Value, Failure> {
    let answers = bench.call(server, operation, body, false)?;
    answers.into_iter().next().map(|(answer, _)| answer).ok_or_else(|| failed("no answer"))
}

/// Both sides in turn, as often as planned.
pub(crate) fn rounds(
    plan: Plan,
    mut round: impl FnMut() -> Result<(Sample, Sample), Failure>,
) -> Result<Vec<(Sample, Sample)>, Failure> {
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds {
        let (ours, theirs) = round()?;
        let ratio = ours.rate / theirs.rate;
        progress(&format!(
            "{:.0}/s {:.1} us CPU against {:.0}/s {:.1} us: {ratio:.2}",
            ours.rate, ours.cpu, theirs.rate, theirs.cpu
        ));
        rounds.push((ours, theirs));
    }
    Ok(rounds)
}

pub(crate) fn progress(text: &str) {
    println!("{text}");
}

/// Another order, the same in every run.
pub(crate) fn shuffle<T>(items: &mut [T]) {
    let mut state: u64 = 1;
    for place in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from((state >> 33) % (place as u64 + 1)).unwrap_or(place);
        items.swap(place, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<_> = (0..1000).collect();
        shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert_eq!(items, (0..1000).collect::<Vec<_>>());
    }
}
