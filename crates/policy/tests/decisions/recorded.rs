//! Conditions as recorded answers of AWS have them (September 2026): what is none of its type, order, and odd spellings.

use serde_json::{Value, json};

use crate::{engine, naive};

const MATCHES: (&str, &str) = ("allow", "explicit_deny");
const MATCHES_NOT: (&str, &str) = ("implicit_deny", "allow");
/// Neither lets in who must stay out, nor loses a denial.
const CLOSED: (&str, &str) = ("implicit_deny", "explicit_deny");

/// What a statement that allows and one that denies under `condition` decide.
fn decisions(
    condition: &Value,
    context: &Value,
    by: fn(&Value) -> &'static str,
) -> (&'static str, &'static str) {
    let statement = |effect, condition: &Value| json!({"Effect": effect, "Action": "kms:*", "Resource": "*", "Condition": condition});
    let case = |statements: Value| {
        json!({
            "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice"},
            "action": "kms:Decrypt",
            "resource": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "context": context,
            "key_policy": {"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*",
            }},
            "identity_policies": [{"Version": "2012-10-17", "Statement": statements}],
        })
    };
    let (allow, deny) = (statement("Allow", condition), statement("Deny", condition));
    (by(&case(json!([allow]))), by(&case(json!([statement("Allow", &json!({})), deny]))))
}

fn check(rows: Vec<(&str, Value, Value, (&str, &str))>) {
    let mut failures = Vec::new();
    for (operator, values, value, expected) in rows {
        let condition = json!({operator: {"aws:RequestTag/value": values}});
        let context = json!({"aws:RequestTag/value": value});
        for (name, by) in [("engine", engine::decision as fn(&Value) -> _), ("naive", naive::decision)] {
            let said = decisions(&condition, &context, by);
            if said != expected {
                failures.push(format!("{name}: {operator} {values} {value}: {said:?}, not {expected:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn what_is_no_number_and_no_date_equals_nothing() {
    let mut rows = Vec::new();
    for value in ["ten", "", "NaN", "Infinity"] {
        rows.push(("NumericEquals", json!("10"), json!(value), MATCHES_NOT));
        rows.push(("NumericLessThan", json!("10"), json!(value), MATCHES_NOT));
        rows.push(("NumericGreaterThanEquals", json!("10"), json!(value), MATCHES_NOT));
        rows.push(("NumericNotEquals", json!("10"), json!(value), MATCHES));
        rows.push(("NumericEquals", json!(value), json!("10"), MATCHES_NOT));
        rows.push(("NumericEquals", json!(value), json!(value), MATCHES_NOT));
        rows.push(("NumericNotEquals", json!(value), json!("10"), MATCHES));
        rows.push(("NumericNotEquals", json!(["10", value]), json!("10"), MATCHES_NOT));
    }
    for value in ["010", "+10", "10.0", "10.", "1e1"] {
        rows.push(("NumericEquals", json!("10"), json!(value), MATCHES));
        rows.push(("NumericEquals", json!(value), json!("10"), MATCHES));
    }
    for value in ["soon", ""] {
        rows.push(("DateEquals", json!("2026-06-15"), json!(value), MATCHES_NOT));
        rows.push(("DateNotEquals", json!("2026-06-15"), json!(value), MATCHES));
        rows.push(("DateEquals", json!(value), json!("2026-06-15"), MATCHES_NOT));
        rows.push(("DateNotEquals", json!(value), json!("2026-06-15"), MATCHES));
        rows.push(("DateNotEquals", json!(value), json!(value), MATCHES));
    }
    check(rows);
}

#[test]
fn dates_are_compared_at_milliseconds() {
    check(vec![
        ("DateEquals", json!("2026-06-15T12:00:00Z"), json!("2026-06-15T12:00:00.0009Z"), MATCHES),
        ("DateEquals", json!("2026-06-15T12:00:00.1231Z"), json!("2026-06-15T12:00:00.1239Z"), MATCHES),
        ("DateEquals", json!("2026-06-15T12:00:00.123Z"), json!("2026-06-15T12:00:00.124Z"), MATCHES_NOT),
        ("DateLessThan", json!("2026-06-15T12:00:00.0009Z"), json!("2026-06-15T12:00:00Z"), MATCHES_NOT),
        ("DateEquals", json!("2026-06-15T12:00:00Z"), json!("+1781524800"), MATCHES),
        ("DateEquals", json!("2026-06-15T00:00:00"), json!("2026-06-15"), MATCHES),
    ]);
}

#[test]
fn what_is_not_true_is_false() {
    let mut rows = Vec::new();
    for value in ["maybe", "1", "", " true "] {
        rows.push(("Bool", json!("true"), json!(value), MATCHES_NOT));
        rows.push(("Bool", json!("false"), json!(value), MATCHES));
        rows.push(("Bool", json!(value), json!("false"), MATCHES));
        rows.push(("Null", json!(value), json!("present"), MATCHES));
        rows.push(("Null", json!(value), json!(""), MATCHES));
    }
    rows.push(("Bool", json!("TRUE"), json!("True"), MATCHES));
    rows.push(("Null", json!("TRUE"), json!("present"), MATCHES_NOT));
    check(rows);
}

#[test]
fn base64_is_compared_as_it_is_written_in_full() {
    let mut rows = vec![("BinaryEquals", json!("Zg=="), json!("Zg=="), MATCHES)];
    for value in ["Zw==", "Zg", "Zh==", "no base64", "", " Zg== "] {
        rows.push(("BinaryEquals", json!("Zg=="), json!(value), MATCHES_NOT));
    }
    check(rows);
}

#[test]
fn an_arn_that_is_none_is_not_compared() {
    let (user, users) = ("arn:aws:iam::111122223333:user/Alice", "arn:aws:iam::*:user/*");
    let mut rows = Vec::new();
    for value in ["rubbish", "", "arn:aws:iam"] {
        for values in [json!(users), json!(user), json!("*"), json!("rubbish"), json!([users, "rubbish"])] {
            rows.push(("ArnLike", values.clone(), json!(value), MATCHES_NOT));
            rows.push(("ArnEquals", values.clone(), json!(value), MATCHES_NOT));
            rows.push(("ArnNotLike", values.clone(), json!(value), MATCHES_NOT));
            rows.push(("ArnNotEqualsIfExists", values, json!(value), MATCHES_NOT));
        }
    }
    rows.push(("ForAnyValue:ArnNotLike", json!(users), json!(["rubbish"]), MATCHES_NOT));
    check(rows);
}

#[test]
fn an_arn_of_a_policy_that_is_none_ends_the_comparison_closed() {
    let (user, users, roles) =
        (json!("arn:aws:iam::111122223333:user/Alice"), "arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*");
    check(vec![
        ("ArnLike", json!("rubbish"), user.clone(), CLOSED),
        ("ArnNotLike", json!("rubbish"), user.clone(), CLOSED),
        ("ArnLike", json!(["rubbish", users]), user.clone(), CLOSED),
        ("ArnLike", json!([users, "rubbish"]), user.clone(), MATCHES),
        ("ArnLike", json!(["rubbish", roles]), user.clone(), CLOSED),
        ("ArnLike", json!([roles, "rubbish"]), user.clone(), CLOSED),
        ("ArnNotLike", json!(["rubbish", users]), user.clone(), CLOSED),
        ("ArnNotLike", json!([users, "rubbish"]), user.clone(), MATCHES_NOT),
        ("ArnNotLike", json!(["rubbish", roles]), user.clone(), CLOSED),
        ("ArnNotLike", json!([roles, "rubbish"]), user, CLOSED),
    ]);
}

#[test]
fn an_address_that_is_none_is_not_compared_and_a_network_that_is_none_contains_nothing() {
    let mut rows = Vec::new();
    for value in ["host", "", "203.0.113.9/32", "203.0.513", "::203.0.113.9", "2001:db8::203.0.113.9"] {
        for values in ["203.0.113.0/24", "::/0", "host"] {
            rows.push(("IpAddress", json!(values), json!(value), MATCHES_NOT));
            rows.push(("NotIpAddress", json!(values), json!(value), MATCHES_NOT));
        }
    }
    for (network, address) in [
        ("host", "203.0.113.9"),
        ("203.0.113.0/33", "203.0.113.9"),
        ("2001:db8::/129", "2001:db8::1"),
        ("2001:db8::5/64", "2001:db8::5"),
        ("2001:db8::1/0", "2001:db8::1"),
        ("::ffff:203.0.113.0/120", "203.0.113.9"),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.9"),
        ("::ffff:cb00:7100/120", "::ffff:203.0.113.9"),
        ("::/0", "::ffff:203.0.113.9"),
    ] {
        rows.push(("IpAddress", json!(network), json!(address), MATCHES_NOT));
        rows.push(("NotIpAddress", json!(network), json!(address), MATCHES));
    }
    rows.push(("IpAddress", json!(["host", "203.0.113.0/24"]), json!("203.0.113.9"), MATCHES));
    rows.push(("NotIpAddress", json!(["host", "203.0.113.0/24"]), json!("203.0.113.9"), MATCHES_NOT));
    rows.push(("NotIpAddress", json!(["203.0.113.0/24", "host"]), json!("198.51.100.7"), MATCHES));
    check(rows);
}

#[test]
fn addresses_and_networks_are_read_in_odd_spellings() {
    let mut rows = Vec::new();
    for (network, address, expected) in [
        ("203.0.113.77/24", "203.0.113.9", MATCHES),
        ("203.000.113.0/024", "203.0.113.9", MATCHES),
        ("203.0.113.0/+24", "203.0.0113.009", MATCHES),
        ("203.0.113.0/24", "::ffff:203.0.113.9", MATCHES),
        ("203.0.113.0/24", "::FFFF:cb00:7109", MATCHES),
        ("2001:db8::4/127", "2001:db8::5", MATCHES),
        ("2001:DB8::/064", "2001:0db8:0000:0000:0000:0000:0000:0001", MATCHES),
        ("2001:db8:::/64", "2001:db8::1", MATCHES),
        ("2001:db8::1:/128", "2001:db8::1", MATCHES),
        ("2001:db8::1", "2001:db8:::1", MATCHES),
        ("2001:db8::1", "2001:db8::1:", MATCHES),
        ("2001:db8::1", ":2001:db8::1", MATCHES_NOT),
        ("0:2001:db8::1", ":2001:db8::1", MATCHES),
        ("::/0", ":::", MATCHES),
        ("::/0", "2001::db8::1", MATCHES_NOT),
        ("::/0", "2001::db8:::1", MATCHES_NOT),
        ("::/0", "2001:db8::::1", MATCHES_NOT),
    ] {
        rows.push(("IpAddress", json!(network), json!(address), expected));
    }
    check(rows);
}

#[test]
fn many_values_are_compared_by_sets_alone() {
    let mut rows = Vec::new();
    for value in [json!(["a"]), json!(["b"]), json!(["a", "b"])] {
        for operator in [
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIfExists",
            "StringNotEqualsIfExists",
            "StringNotLike",
        ] {
            rows.push((operator, json!("a"), value.clone(), MATCHES_NOT));
        }
    }
    rows.push(("ForAnyValue:NumericNotEquals", json!("1"), json!(["x", "1"]), MATCHES));
    rows.push(("ForAllValues:NumericNotEquals", json!("1"), json!(["x", "1"]), MATCHES_NOT));
    rows.push(("ForAllValues:NumericNotEquals", json!("1"), json!(["x", "2"]), MATCHES));
    // An empty text of a key with one value is a value.
    rows.push(("ForAllValues:StringEquals", json!("a"), json!(""), MATCHES_NOT));
    rows.push(("ForAnyValue:StringEquals", json!(""), json!(""), MATCHES));
    rows.push(("StringEquals", json!(""), json!(""), MATCHES));
    check(rows);
}

#[test]
fn a_question_mark_is_a_unit_of_utf_16() {
    check(vec![
        ("StringLike", json!("a?b"), json!("a😀b"), MATCHES_NOT),
        ("StringLike", json!("a??b"), json!("a😀b"), MATCHES),
        ("StringLike", json!("a?*b"), json!("a😀b"), MATCHES),
        ("StringLike", json!("a😀b"), json!("a😀b"), MATCHES),
        ("StringLike", json!("a*b"), json!("a\nb"), MATCHES),
        ("ArnLike", json!("arn:aws:iam::*:user/?"), json!("arn:aws:iam::111122223333:user/😀"), MATCHES_NOT),
        ("ArnLike", json!("arn:aws:iam::*:user/??"), json!("arn:aws:iam::111122223333:user/😀"), MATCHES),
    ]);
}
