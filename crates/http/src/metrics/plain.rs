//! The older text form of metrics, which is read where OpenMetrics is not asked for.
//!
//! Source: <https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md>, version 0.0.4.

use std::collections::HashSet;

/// Its type of content.
pub(crate) const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is said of a family before its samples.
const OF_FAMILIES: [&str; 2] = ["# HELP ", "# TYPE "];

/// `open`, a text of OpenMetrics, in the older form: there a counter is called by the name of its samples, and there are no units and no
/// mark of the end.
pub(crate) fn plain(open: &str) -> String {
    let counter = |line: &'_ str| -> Option<String> {
        Some(line.strip_prefix("# TYPE ")?.strip_suffix(" counter")?.to_owned())
    };
    let counters: HashSet<String> = open.lines().filter_map(counter).collect();
    let mut out = String::with_capacity(open.len() + 1024);
    for line in open.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        let of_family = OF_FAMILIES.iter().find_map(|start| Some((*start, line.strip_prefix(start)?)));
        match of_family.and_then(|(start, rest)| Some((start, rest.split_once(' ')?))) {
            Some((start, (name, rest))) if counters.contains(name) => {
                out.extend([start, name, "_total ", rest]);
            }
            Some(_) | None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_called_as_their_samples_and_nothing_else_changes() {
        let open = "# HELP a_seconds Time.\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\na_seconds_sum 1\n\
                    # HELP requests All requests.\n# TYPE requests counter\nrequests_total{code=\"# EOF\"} 2\n\
                    # HELP requests_now Those in hand, no counter.\n# TYPE requests_now gauge\nrequests_now 3\n# EOF\n";
        let expected = "# HELP a_seconds Time.\n# TYPE a_seconds histogram\na_seconds_sum 1\n\
                        # HELP requests_total All requests.\n# TYPE requests_total counter\nrequests_total{code=\"# EOF\"} 2\n\
                        # HELP requests_now Those in hand, no counter.\n# TYPE requests_now gauge\nrequests_now 3\n";
        assert_eq!(plain(open), expected);
    }
}
