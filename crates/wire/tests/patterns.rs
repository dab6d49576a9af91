//! The patterns of the service model against text generated from their own regular expressions.
#![expect(clippy::expect_used, reason = "test code")]

use std::collections::BTreeMap;

use keyreeve_wire::{Kind, Member, Pattern, Shape, model};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;

/// Every pattern of a request or an answer, by its text.
fn patterns() -> BTreeMap<&'static str, Pattern> {
    fn of_shape(shape: &Shape, found: &mut BTreeMap<&'static str, Pattern>) {
        found.extend(shape.pattern().map(|pattern| (pattern.text(), pattern)));
        if let Kind::List(element) = shape.kind() {
            of_shape(element, found);
        }
        if let Kind::Structure(members) = shape.kind() {
            of_members(members, found);
        }
    }
    fn of_members(members: &[Member], found: &mut BTreeMap<&'static str, Pattern>) {
        members.iter().for_each(|member| of_shape(member.shape, found));
    }
    let mut found = BTreeMap::new();
    for model in model() {
        of_members(model.input, &mut found);
        of_members(model.output.unwrap_or_default(), &mut found);
    }
    found
}

/// A Java expression as one that generates text: without anchors, and with Java's ASCII classes spelt out.
fn generator(text: &str) -> String {
    let mut expression = text.to_owned();
    for (java, spelt) in [
        (r"^\p{ASCII}", r"[\x00-\x7F]"),
        (r"[\w]", "[a-zA-Z0-9_]"),
        (r"[\w", "[a-zA-Z0-9_"),
        (r"\s", r" \t\n\x0B\x0C\r"),
        (r"\d", "[0-9]"),
        (":.+", ":[ -~]+"),
        ("-_.]", r"\-_.]"),
    ] {
        expression = expression.replace(java, spelt);
    }
    expression.replace(['^', '$'], "")
}

fn text_of_a_pattern() -> impl Strategy<Value = (&'static str, String)> {
    select(patterns().into_keys().collect::<Vec<_>>()).prop_flat_map(|text| {
        let texts = string_regex(&generator(text)).expect("an expression that generates");
        (Just(text), texts)
    })
}

proptest! {
    #[test]
    fn text_made_from_an_expression_matches_its_pattern((text, value) in text_of_a_pattern()) {
        prop_assert!(patterns()[text].matches(&value), "{} {:?}", text, value);
    }

    #[test]
    fn text_with_a_character_of_no_class_matches_no_pattern((text, value) in text_of_a_pattern()) {
        for foreign in ["\u{0100}", "\u{7f}\u{2028}"] {
            let value = format!("{foreign}{value}");
            prop_assert!(!patterns()[text].matches(&value), "{} {:?}", text, value);
        }
    }
}

#[test]
fn every_pattern_of_the_service_model_is_in_use() {
    assert_eq!(patterns().len(), 19);
}
