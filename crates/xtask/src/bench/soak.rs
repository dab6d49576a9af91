//! `cargo xtask bench --soak MINUTES`: a mix of requests at 70 % of what the server can take, for long, and what becomes of memory,
//! descriptors, latencies and the disk.

use serde_json::{Value, json};

use crate::bench::curves::chart::Figure;
use crate::bench::curves::{keep, on_disk};
use crate::bench::lines::{self, Line, Target, median};
use crate::bench::parts::{PLAINTEXT, answer, create_with, progress};
use crate::bench::servers::{self, Bench, Bodies, Extent, Load, Place, Server};
use crate::process::{Failure, heading};
use crate::repository::Repository;

/// Seconds of a window: each gives one point.
const WINDOW: f64 = 13.0;
/// Seconds before each window in which as much is sent as is answered: a shared machine is not the same all the time.
const PROBE: f64 = 2.0;
/// What is sent of what could be, by the last three of those.
const SHARE: f64 = 0.7;
const CONNECTIONS: usize = 64;
/// Delivered segments are removed, so that the disk holds what an ordinary installation holds.
const CONFIG: &str = "[audit]\nkeep_mib = 256\nlog_seconds = 60\n";

/// What was seen in a window.
struct Window {
    rate: f64,
    p50: f64,
    p99: f64,
    memory: f64,
    descriptors: f64,
    store: f64,
}

/// Runs it, draws it, and holds the last quarter against the second: the first fills caches.
pub(crate) fn run(bench: &Bench<'_>, repository: &Repository, minutes: f64) -> Result<(), Failure> {
    heading("soak");
    let server = bench.keyreeve_with("soak", Place::Anywhere, false, CONFIG)?;
    let mix = bench.path("mix");
    servers::write(&mix, &calls(bench, &server)?)?;
    let send = |seconds: f64, more: &[&str]| {
        let load = Load {
            operation: "",
            bodies: Bodies::Mix(&mix),
            connections: CONNECTIONS,
            extent: Extent::Seconds { warmup: 0.0, seconds },
            place: Place::Anywhere,
        };
        bench.load_with(&server, server.credentials(), load, more)
    };
    let count = (minutes * 60.0 / (PROBE + WINDOW)).ceil().max(4.0);
    let (mut windows, mut most) = (Vec::new(), Vec::new());
    while (windows.len() as f64) < count {
        most.push(send(PROBE, &[])?.rate);
        let recent = most.iter().rev().take(3).copied().collect();
        let rate = (median(recent) * SHARE).round().to_string();
        let sample = send(WINDOW, &["--rate", &rate])?;
        let window = Window {
            rate: sample.rate,
            p50: sample.p50 / 1e3,
            p99: sample.p99 / 1e3,
            memory: server.memory() / 1024.0,
            descriptors: server.descriptors() as f64,
            store: on_disk(&bench.path("soak/store.redb")) / f64::from(1 << 20),
        };
        progress(&format!(
            "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms, {:.0} MiB, {} descriptors, store {:.1} MiB",
            window.rate, window.p50, window.p99, window.memory, window.descriptors, window.store
        ));
        windows.push(window);
    }
    server.stop()?;
    keep(repository, figure(&windows))?;
    heading("results");
    print!("{}", lines::table(&judge(&windows)));
    Ok(())
}

fn figure(windows: &[Window]) -> Figure {
    let mut figure = Figure::new("soak", "A mix of requests at 70 % of what the server can take", "minutes");
    figure.logarithmic = false;
    for (place, window) in windows.iter().enumerate() {
        let at = (place as f64 + 1.0) * (PROBE + WINDOW) / 60.0;
        figure.point("requests/s", "answered", at, window.rate);
        figure.point("latency, ms", "p50", at, window.p50);
        figure.point("latency, ms", "p99", at, window.p99);
        figure.point("MiB", "memory", at, window.memory);
        figure.point("MiB", "the store on disk", at, window.store);
    }
    figure
}

/// The last quarter against the second.
fn judge(windows: &[Window]) -> Vec<Line> {
    let quarter = windows.len() / 4;
    let part = |from: usize, of: fn(&Window) -> f64| {
        median(windows.iter().skip(from).take(quarter).map(of).collect())
    };
    let line = |what: &str, of: fn(&Window) -> f64, target| {
        let sides = [(part(windows.len() - quarter, of), part(quarter, of))];
        Line::ratio(format!("{what}, the last quarter against the second"), &sides, target)
    };
    // A connection that has just ended may still be open, a leak stays open: the fewest of each quarter are told.
    let fewest = |from: usize| {
        let part = windows.iter().skip(from).take(quarter);
        part.map(|window| window.descriptors).fold(f64::INFINITY, f64::min)
    };
    let descriptors = [(fewest(windows.len() - quarter), fewest(quarter))];
    vec![
        line("memory, MiB", |window| window.memory, Target::AtMost(1.1)),
        Line::ratio(
            "descriptors, the fewest of the last quarter against the second",
            &descriptors,
            Target::AtMost(1.05),
        ),
        line("store on disk, MiB", |window| window.store, Target::AtMost(1.1)),
        line("requests/s", |window| window.rate, Target::AtLeast(0.95)),
        line("p50, ms", |window| window.p50, Target::AtMost(1.25)),
        line("p99, ms", |window| window.p99, Target::AtMost(1.5)),
    ]
}

/// Weights, operations and bodies: mostly symmetric cryptography, some signatures, reads and changes.
fn calls(bench: &Bench<'_>, server: &Server) -> Result<String, Failure> {
    let mut text = String::new();
    let mut add = |weight: u32, operation: &str, body: &Value| {
        text.push_str(&format!("{weight} {operation} {body}\n"));
    };
    let sign = create_with(bench, server, &json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}))?;
    add(40, "Sign", &json!({"KeyId": sign, "Message": PLAINTEXT, "SigningAlgorithm": "ECDSA_SHA_256"}));
    for number in 0..20 {
        let key = create_with(bench, server, &json!({}))?;
        let encrypt = json!({"KeyId": key, "Plaintext": PLAINTEXT});
        let blob = answer(bench, server, "Encrypt", &encrypt)?.get("CiphertextBlob").cloned();
        add(16, "Encrypt", &encrypt);
        add(16, "Decrypt", &json!({"CiphertextBlob": blob}));
        add(8, "GenerateDataKey", &json!({"KeyId": key, "KeySpec": "AES_256"}));
        add(2, "DescribeKey", &json!({"KeyId": key}));
        add(
            1,
            "UpdateKeyDescription",
            &json!({"KeyId": key, "Description": format!("key {number} of a soak")}),
        );
    }
    add(4, "ListKeys", &json!({"Limit": 100}));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_to_the_end_misses_its_target() {
        let window =
            |memory: f64| Window { rate: 1.0, p50: 1.0, p99: 1.0, memory, descriptors: 24.0, store: 1.0 };
        for (growing, met) in [(false, true), (true, false)] {
            let memory = |place: u32| if growing { 100.0 + f64::from(place) } else { 100.0 };
            let windows: Vec<_> = (0..80).map(|place| window(memory(place))).collect();
            let lines = judge(&windows);
            let line = lines.first().map(|line| line.json()).unwrap_or_default();
            assert_eq!(line.get("met"), Some(&Value::Bool(met)), "{line}");
        }
    }
}
