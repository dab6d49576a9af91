//! The engine against the naive interpreter, on generated cases.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::{engine, generate, naive};

/// Cases for each that another property has in this run: 8,192 unless `PROPTEST_CASES` says otherwise.
const CASES_FOR_EACH: u32 = 32;
/// Cases from which on the share of each ending is what the generator makes it, and not chance.
const CASES_OF_A_SHARE: u32 = 4096;
/// Cases of a long run.
const LONG_CASES: u32 = 150_000;
const MILLION: u32 = 1_000_000;

#[test]
fn the_engine_decides_as_the_naive_interpreter_does() {
    let long = std::env::var_os("KEYREEVE_TEST_LONG").is_some();
    compare(if long { LONG_CASES } else { Config::default().cases.saturating_mul(CASES_FOR_EACH) });
}

#[test]
#[ignore = "takes a quarter of an hour, optimised; the long run of the suites asks for it"]
fn the_engine_decides_a_million_cases_as_the_naive_interpreter_does() {
    compare(MILLION);
}

fn compare(cases: u32) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let seen = RefCell::new(BTreeMap::new());
    let outcome = TestRunner::new(config).run(&generate::case(), |case| {
        let decision = engine::decision(&case);
        *seen.borrow_mut().entry(decision).or_insert(0_u32) += 1;
        prop_assert_eq!(decision, naive::decision(&case), "{:#}", case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    // Cases that all end alike would show nothing. Of few cases, chance alone may leave out an ending.
    let seen = seen.into_inner();
    for decision in ["allow", "explicit_deny", "implicit_deny"] {
        let share = seen.get(decision).copied().unwrap_or_default();
        assert!(share > cases / 20 || cases < CASES_OF_A_SHARE, "{seen:?}");
    }
}
