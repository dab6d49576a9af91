//! Connections, cores, and the levels of the trail.

use serde_json::json;

use crate::bench::curves::chart::Figure;
use crate::bench::curves::{Plan, Side, clear, compare, encrypt};
use crate::bench::parts::{PLAINTEXT, create_with};
use crate::bench::servers::{Bench, Bodies, Extent, Load, Place, Server, failed};
use crate::process::Failure;

/// Connections that send as soon as they are answered, plain and TLS; and what it costs to open one for each request.
pub(crate) fn connections(bench: &Bench<'_>, plan: &Plan) -> Result<Figure, Failure> {
    if !bench.certificate()? {
        return Err(failed("this figure takes `openssl`, for a certificate"));
    }
    let mut figure = Figure::new("connections", "Connections, each busy with Encrypt", "connections");
    let [plain, tls] =
        [bench.keyreeve("plain", Place::First, false)?, bench.keyreeve("tls", Place::First, true)?];
    let [plain_body, tls_body] = [encrypt_body(bench, &plain)?, encrypt_body(bench, &tls)?];
    for &connections in plan.connections {
        let at = connections as f64;
        let load = |body| by(plan, connections, body);
        let side =
            |name, server, body, more| Side { name, server, credentials: None, load: load(body), more };
        let kept = [side("plain", &plain, &plain_body, &[]), side("TLS", &tls, &tls_body, &[])];
        compare(bench, plan, &mut figure, at, &kept)?;
        figure.point("memory, MiB", "plain", at, plain.memory() / 1024.0);
        figure.point("memory, MiB", "TLS", at, tls.memory() / 1024.0);
        if connections > MOST_ANEW {
            continue;
        }
        let anew: &[&str] = &["--requests-per-connection", "1"];
        let sides = [side("plain", &plain, &plain_body, anew), side("TLS", &tls, &tls_body, anew)];
        let mut new = Figure::new("", "", "");
        compare(bench, plan, &mut new, at, &sides)?;
        let rates = new.panels.iter().filter(|panel| panel.title == "requests/s");
        for line in rates.flat_map(|panel| &panel.series) {
            let rate = line.points.first().map_or(f64::NAN, |(_, rate)| *rate);
            figure.point("a new connection for each request, per second", &line.name, at, rate);
        }
    }
    plain.stop()?;
    tls.stop()?;
    clear(bench, "plain")?;
    clear(bench, "tls")?;
    Ok(figure)
}

/// One worker on a core of its own and two workers on both, beside the load.
pub(crate) fn cores(bench: &Bench<'_>, plan: &Plan) -> Result<Figure, Failure> {
    let mut figure = Figure::new("cores", "Workers, and operations that cost little and much", "workers");
    for (workers, place) in [(1.0, Place::First), (2.0, Place::Anywhere)] {
        let server = bench.keyreeve("cores", place, false)?;
        let symmetric = encrypt_body(bench, &server)?;
        let sign = |spec: &str, algorithm: &str| {
            let key = create_with(bench, &server, &json!({"KeySpec": spec, "KeyUsage": "SIGN_VERIFY"}))?;
            let body = json!({"KeyId": key, "Message": PLAINTEXT, "SigningAlgorithm": algorithm});
            Ok::<_, Failure>(body.to_string())
        };
        let rsa = sign("RSA_2048", "RSASSA_PSS_SHA_256")?;
        let ecdsa = sign("ECC_NIST_P256", "ECDSA_SHA_256")?;
        for (name, operation, body) in [
            ("Encrypt", "Encrypt", &symmetric),
            ("Sign, ECC_NIST_P256", "Sign", &ecdsa),
            ("Sign, RSA_2048", "Sign", &rsa),
        ] {
            let load = Load { operation, place: Place::Anywhere, ..encrypt(plan, Bodies::One(body)) };
            let load = if workers < 2.0 { Load { place: Place::Second, ..load } } else { load };
            let side = Side { name, server: &server, credentials: None, load, more: &[] };
            compare(bench, plan, &mut figure, workers, &[side])?;
        }
        figure.point("memory, MiB", "after them", workers, server.memory() / 1024.0);
        server.stop()?;
        clear(bench, "cores")?;
    }
    Ok(figure)
}

/// The same server without a trail, and with each of its levels.
pub(crate) fn audit(bench: &Bench<'_>, plan: &Plan) -> Result<Figure, Failure> {
    let mut figure =
        Figure::new("audit", "The trail: none (in no shipped server), `write`, `sync`", "connections");
    let levels = ["off", "write", "sync"];
    let servers = levels.iter().map(|level| bench.trail_level(level)).collect::<Result<Vec<_>, _>>()?;
    let bodies =
        servers.iter().map(|server| encrypt_body(bench, server)).collect::<Result<Vec<_>, Failure>>()?;
    for &connections in plan.connections.iter().filter(|connections| **connections <= 1024) {
        let sides = levels.iter().zip(&servers).zip(&bodies).map(|((name, server), body)| {
            let load = by(plan, connections, body);
            Side { name, server, credentials: None, load, more: &[] }
        });
        compare(bench, plan, &mut figure, connections as f64, &sides.collect::<Vec<_>>())?;
    }
    servers.into_iter().try_for_each(Server::stop)?;
    clear(bench, "trail-write")?;
    clear(bench, "trail-sync")?;
    Ok(figure)
}

/// Connections that open one for each request, at most: of more, some would wait for their first for longer than a round takes.
const MOST_ANEW: usize = 64;

/// Encrypt by so many connections. Thousands of them take their time until all are open, and until each was answered a few times.
fn by<'a>(plan: &Plan, connections: usize, body: &'a str) -> Load<'a> {
    let many = connections as f64 / 1000.0;
    let extent = Extent::Seconds { warmup: plan.warmup + 2.0 * many, seconds: plan.seconds + many };
    Load { connections, extent, ..encrypt(plan, Bodies::One(body)) }
}

fn encrypt_body(bench: &Bench<'_>, server: &Server) -> Result<String, Failure> {
    let key = create_with(bench, server, &json!({}))?;
    Ok(json!({"KeyId": key, "Plaintext": PLAINTEXT}).to_string())
}
