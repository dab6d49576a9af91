//! From a thousand keys to a million.

use serde_json::{Value, json};

use crate::bench::curves::chart::Figure;
use crate::bench::curves::{Plan, Side, clear, compare, encrypt, on_disk};
use crate::bench::lines::median;
use crate::bench::parts::{PLAINTEXT, progress, shuffle};
use crate::bench::servers::{self, Bench, Bodies, Extent, Load, Place, Server};
use crate::process::Failure;

/// Keys that the rounds draw from; each key is used once before them.
const DRAWN: usize = 100_000;
/// While keys are made: segments do not pile up.
const FILLING: &str = "[audit]\nkeep_mib = 64\nlog_seconds = 60\n";
/// While they are measured: all fit into memory, and what the delivery of the trail takes is not counted among it.
const CONFIG: &str = "[store]\ncached_keys = 1100000\n[audit]\ndeliver = false\n";

/// Keys of one account: what a request, a page of a list, a start cost, and what each key takes.
pub(crate) fn keys(bench: &Bench<'_>, plan: &Plan) -> Result<Figure, Failure> {
    let mut figure = Figure::new("keys", "Keys of one account", "keys");
    let empty = bench.keyreeve_with("no-keys", Place::First, false, CONFIG)?;
    let (floor, nothing) = (empty.memory(), on_disk(&bench.path("no-keys/store.redb")));
    empty.stop()?;
    let mut there = 0;
    for &count in plan.keys {
        let at = count as f64;
        let server = bench.keyreeve_with("keys", Place::Anywhere, false, FILLING)?;
        let load = Load {
            operation: "CreateKey",
            bodies: Bodies::One("{}"),
            connections: 64,
            extent: Extent::Requests(count - there),
            place: Place::Anywhere,
        };
        let made = bench.load(&server, &server, load)?;
        progress(&format!("{count} keys: {:.0}/s", made.rate));
        figure.point("CreateKey, 64 connections, per second", "new keys", at, made.rate);
        let disk = on_disk(&bench.path("keys/store.redb"));
        figure.point("store on disk, bytes a key", "after the keys were made", at, (disk - nothing) / at);
        server.stop()?;
        there = count;

        let server = bench.keyreeve_with("keys", Place::First, false, CONFIG)?;
        progress(&format!("{count} keys: first answer after {:?}", server.first_answer));
        start(&mut figure, "", at, &server);
        use_them(bench, plan, &mut figure, at, &server)?;
        let each = (server.memory() - floor) * 1024.0 / at;
        progress(&format!("{count} keys: {each:.0} bytes of memory each"));
        figure.point("memory, bytes a key", "every key in memory", at, each);
        server.stop()?;
        let disk = on_disk(&bench.path("keys/store.redb"));
        figure.point("store on disk, bytes a key", "after each was used once", at, (disk - nothing) / at);
    }
    clear(bench, "keys")?;
    clear(bench, "no-keys")?;
    Ok(figure)
}

/// What a start took.
pub(crate) fn start(figure: &mut Figure, how: &str, at: f64, server: &Server) {
    let panel = "start, ms";
    figure.point(panel, &format!("to the first answer{how}"), at, server.first_answer.as_secs_f64() * 1e3);
    figure.point(panel, &format!("processor time{how}"), at, server.processor_time());
}

/// Lists all keys, uses each once, and then many of them against one.
fn use_them(
    bench: &Bench<'_>,
    plan: &Plan,
    figure: &mut Figure,
    at: f64,
    server: &Server,
) -> Result<(), Failure> {
    let pages = bench.call(server, "ListKeys", &json!({"Limit": 1000}), true)?;
    for (name, share) in [("the first", 0.0), ("in the middle", 0.5), ("the last", 1.0)] {
        let near = (pages.len() as f64 * share).round();
        let times = pages.iter().enumerate().filter(|(place, _)| (*place as f64 - near).abs() <= 5.0);
        let time = median(times.map(|(_, (_, time))| *time).collect());
        figure.point("a page of 1,000 of ListKeys, ms", name, at, time / 1e3);
    }
    let ids = pages.iter().filter_map(|(page, _)| page.get("Keys")?.as_array()).flatten();
    let mut ids: Vec<_> = ids.filter_map(|key| key.get("KeyId").and_then(Value::as_str)).collect();
    shuffle(&mut ids);
    let body = |id: &&str| json!({"KeyId": id, "Plaintext": PLAINTEXT}).to_string() + "\n";
    let file = bench.path("bodies.jsonl");
    servers::write(&file, &ids.iter().map(body).collect::<String>())?;
    let first = Load { extent: Extent::Requests(ids.len() as u64), ..encrypt(plan, Bodies::File(&file)) };
    let first = bench.load(server, server, first)?;
    figure.point("requests/s", "the first use of each key", at, first.rate);

    ids.truncate(DRAWN);
    servers::write(&file, &ids.iter().map(body).collect::<String>())?;
    let one = ids.first().map(body).unwrap_or_default();
    let random = encrypt(plan, Bodies::File(&file));
    let sides = [("random keys", random), ("one key", encrypt(plan, Bodies::One(one.trim())))];
    let sides = sides.map(|(name, load)| Side { name, server, credentials: None, load, more: &[] });
    compare(bench, plan, figure, at, &sides)
}
