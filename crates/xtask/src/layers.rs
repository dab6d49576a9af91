//! The layers of the workspace: edges only look down.
//!
//! Every crate states its rank and whether it does I/O in `[package.metadata.layer]`. A normal or build dependency on
//! another crate of ours has a strictly lower rank; a crate without I/O names no crate that does; a crate with `dev = true`
//! serves tests alone. Dev-dependencies may look anywhere as long as there is no cycle.

use std::collections::BTreeMap;

use serde_json::Value;

/// Crates that do I/O, or bring it along: barred from a crate with `io = false`.
const IO_CRATES: [&str; 8] =
    ["hyper", "hyper-util", "object_store", "redb", "rustls", "socket2", "tokio", "tokio-rustls"];

/// Crates that one crate of ours alone may name.
const WALLS: [(&str, &str); 6] = [
    ("aws-lc-fips-sys", "keyreeve-aws-lc-ffi"),
    ("aws-lc-rs", "keyreeve-crypto"),
    ("aws-lc-sys", "keyreeve-aws-lc-ffi"),
    ("keyreeve-aws-lc-ffi", "keyreeve-crypto"),
    ("object_store", "keyreeve-trail-bucket"),
    ("redb", "keyreeve-store-redb"),
];

struct Layer<'m> {
    rank: i64,
    io: bool,
    dev: bool,
    dependencies: Vec<Edge<'m>>,
}

struct Edge<'m> {
    name: &'m str,
    dev: bool,
}

/// What breaks the layers, by the metadata of `cargo metadata --no-deps`.
pub(crate) fn complaints(metadata: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut layers = BTreeMap::new();
    for package in metadata.get("packages").and_then(Value::as_array).into_iter().flatten() {
        let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
        match layer(package) {
            Some(layer) => drop(layers.insert(name, layer)),
            None => complaints.push(format!("{name}: [package.metadata.layer] needs a `rank` and `io`")),
        }
    }
    for (name, layer) in &layers {
        for edge in &layer.dependencies {
            complaints.extend(judge(name, layer, edge, &layers));
        }
    }
    complaints.extend(cycle(&layers).map(|path| format!("a cycle: {}", path.join(" -> "))));
    complaints
}

fn layer(package: &Value) -> Option<Layer<'_>> {
    let layer = package.pointer("/metadata/layer")?;
    let dependencies = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    let edge = |dependency: &'_ Value| dependency.get("kind").and_then(Value::as_str) == Some("dev");
    Some(Layer {
        rank: layer.get("rank")?.as_i64()?,
        io: layer.get("io")?.as_bool()?,
        dev: layer.get("dev").and_then(Value::as_bool).unwrap_or(false),
        dependencies: dependencies
            .filter_map(|dependency| {
                Some(Edge { name: dependency.get("name")?.as_str()?, dev: edge(dependency) })
            })
            .collect(),
    })
}

fn judge(
    name: &str,
    from: &Layer<'_>,
    edge: &Edge<'_>,
    layers: &BTreeMap<&str, Layer<'_>>,
) -> Option<String> {
    let dependency = edge.name;
    if let Some((_, owner)) = WALLS.iter().find(|(walled, owner)| *walled == dependency && *owner != name) {
        return Some(format!("{name}: only {owner} may depend on {dependency}"));
    }
    if edge.dev {
        return None;
    }
    if !from.io && IO_CRATES.contains(&dependency) {
        return Some(format!("{name}: does no I/O, so it may not depend on {dependency}"));
    }
    let to = layers.get(dependency)?;
    if to.rank >= from.rank {
        return Some(format!("{name} (rank {}): depends on {dependency} (rank {})", from.rank, to.rank));
    }
    if to.io && !from.io {
        return Some(format!("{name}: does no I/O, so it may not depend on {dependency}, which does"));
    }
    (to.dev && !from.dev).then(|| format!("{name}: {dependency} is for tests alone"))
}

/// The crates of a cycle, the first one again at the end.
fn cycle<'m>(layers: &BTreeMap<&'m str, Layer<'m>>) -> Option<Vec<&'m str>> {
    let mut done = Vec::new();
    layers.keys().find_map(|name| descend(name, layers, &mut Vec::new(), &mut done))
}

fn descend<'m>(
    name: &'m str,
    layers: &BTreeMap<&'m str, Layer<'m>>,
    path: &mut Vec<&'m str>,
    done: &mut Vec<&'m str>,
) -> Option<Vec<&'m str>> {
    if let Some(start) = path.iter().position(|above| *above == name) {
        return Some(path.iter().skip(start).copied().chain([name]).collect());
    }
    let layer = layers.get(name).filter(|_| !done.contains(&name))?;
    path.push(name);
    let found = layer.dependencies.iter().find_map(|edge| descend(edge.name, layers, path, done));
    path.pop();
    done.push(name);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, layer: &Value, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<_> =
            dependencies.iter().map(|(name, kind)| json!({"name": name, "kind": kind})).collect();
        json!({"name": name, "metadata": {"layer": layer}, "dependencies": dependencies})
    }

    #[test]
    fn each_breach_of_the_layers_is_named() {
        let pure = |rank: i64| json!({"rank": rank, "io": false});
        for (case, packages, complaint) in [
            ("down", vec![package("a", &pure(1), &[("b", None)]), package("b", &pure(0), &[])], None),
            (
                "own rank",
                vec![package("a", &pure(1), &[("b", None)]), package("b", &pure(1), &[])],
                Some("a (rank 1): depends on b (rank 1)"),
            ),
            (
                "build dependency up",
                vec![package("a", &pure(0), &[("b", Some("build"))]), package("b", &pure(1), &[])],
                Some("a (rank 0): depends on b (rank 1)"),
            ),
            (
                "dev up",
                vec![package("a", &pure(0), &[("b", Some("dev"))]), package("b", &pure(1), &[])],
                None,
            ),
            (
                "dev cycle",
                vec![package("a", &pure(0), &[("b", Some("dev"))]), package("b", &pure(1), &[("a", None)])],
                Some("a cycle: a -> b -> a"),
            ),
            (
                "i/o",
                vec![package("a", &pure(0), &[("tokio", None)])],
                Some("a: does no I/O, so it may not depend on tokio"),
            ),
            ("i/o in tests", vec![package("a", &pure(0), &[("tokio", Some("dev"))])], None),
            (
                "wall",
                vec![package("a", &json!({"rank": 0, "io": true}), &[("redb", Some("dev"))])],
                Some("a: only keyreeve-store-redb may depend on redb"),
            ),
            ("owner", vec![package("keyreeve-crypto", &pure(0), &[("aws-lc-rs", None)])], None),
            (
                "test crate",
                vec![
                    package("a", &pure(1), &[("b", None)]),
                    package("b", &json!({"rank": 0, "io": false, "dev": true}), &[]),
                ],
                Some("a: b is for tests alone"),
            ),
            (
                "no layer",
                vec![package("a", &json!({"rank": 0}), &[])],
                Some("a: [package.metadata.layer] needs a `rank` and `io`"),
            ),
        ] {
            let found = complaints(&json!({"packages": packages}));
            assert_eq!(found, complaint.into_iter().collect::<Vec<_>>(), "{case}");
        }
    }
}
