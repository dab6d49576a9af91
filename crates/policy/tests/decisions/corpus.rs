//! Documented cases: what each decides, and why.

use serde_json::Value;

use crate::{engine, naive};

const SAMPLE: &str = include_str!("../cases/sample.jsonl");

fn check(name: &str, lines: &str) {
    for (number, line) in (1..).zip(lines.lines()) {
        let case: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}:{number}: {error}"));
        let expected = case["expected"].as_str().unwrap();
        let why = || format!("{name}:{number} {}: {}", case["id"], case["why"]);
        assert_eq!(engine::decision(&case), expected, "{}", why());
        assert_eq!(naive::decision(&case), expected, "naive: {}", why());
    }
}

#[test]
fn the_sample_of_documented_cases_decides_as_it_says() {
    check("sample", SAMPLE);
}
