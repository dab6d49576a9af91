//! Patterns, the events that they are for, and those that they are not for.

use proptest::prelude::*;

use super::*;

const EVENT: &str = r#"{"eventSource":"kms.amazonaws.com","eventName":"Decrypt","readOnly":true,"count":5,"eventVersion":"1.08",
    "errorCode":null,"text":"12","userIdentity":{"type":"Root","arn":"arn:aws:iam::000000000000:root","accountId":"000000000000"},
    "requestParameters":{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::b/k"}},"awsRegion":"us-east-1",
    "resources":[{"ARN":"arn:one"},{"ARN":"arn:two"}]}"#;

/// Of AWS's page on JSON.
const TRAIL: &str = r#"{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],
    "objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"cluster.name":"c"}"#;

/// Of AWS's page on compound expressions.
const USERS: &str = r#"{"user":{"id":1,"email":"John.Stiles@example.com"},
    "users":[{"id":2,"email":"John.Doe@example.com"},{"id":3,"email":"Jane.Doe@example.com"}],
    "actions":["GET","PUT","DELETE"],"coordinates":[[0,1,2],[4,5,6],[7,8,9]]}"#;

fn meets(pattern: &str, event: &str) -> bool {
    FilterPattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).meets(event.as_bytes())
}

#[test]
fn a_pattern_is_for_what_it_says() {
    for (pattern, meant) in [
        ("", true),
        ("{ $.eventSource = kms.amazonaws.com }", true),
        (r#"{ $.eventSource = "kms.amazonaws.com" }"#, true),
        ("{$.eventSource=kms.amazonaws.com}", true),
        ("{ $.eventSource = iam.amazonaws.com }", false),
        ("{ $.eventSource != iam.amazonaws.com }", true),
        ("{ $.nothing != iam.amazonaws.com }", false),
        ("{ $.eventSource = kms.* }", true),
        ("{ $.eventSource = *.amazonaws.* }", true),
        ("{ $.eventSource = *s3* }", false),
        (r#"{ $.eventSource = "*amazonaws*" }"#, true),
        ("{ $.eventName = Decrypt && $.count > 4 }", true),
        ("{ ($.eventName = Encrypt) || ($.eventName = Decrypt) }", true),
        ("{ $.eventName = Encrypt || $.eventName = Decrypt && $.count = 4 }", false),
        ("{ $.count >= 5 && $.count <= 5.0 && $.count != 4 }", true),
        ("{ $.count = 5e0 && $.count = +5 }", true),
        ("{ $.count < 5 }", false),
        ("{ $.text > 4 }", false),
        (r#"{ $.text = "12" }"#, true),
        ("{ $.readOnly IS TRUE }", true),
        ("{ $.readOnly is false }", false),
        // Recorded: a truth is no value to compare.
        ("{ $.readOnly = true }", false),
        ("{ $.readOnly != false }", false),
        ("{ $.readOnly = * }", false),
        ("{ $.errorCode IS NULL }", true),
        ("{ $.errorMessage NOT EXISTS }", true),
        ("{ $.errorCode NOT EXISTS }", false),
        ("{ $.userIdentity.type = Root }", true),
        ("{ $.resources[1].ARN = arn:two }", true),
        ("{ $.resources[2].ARN = arn:two }", false),
        ("{ $.resources[*].ARN = arn:two }", true),
        (r#"{ $["eventName"] = Decrypt }"#, true),
        ("Decrypt", true),
        ("Decrypt Encrypt", false),
        ("?Decrypt ?Encrypt", true),
        ("Decrypt -Root", false),
        (r#""kms.amazonaws.com" -Encrypt"#, true),
        ("kms.amazonaws.com us-east-1", true),
    ] {
        assert_eq!(meets(pattern, EVENT), meant, "{pattern}");
    }
}

#[test]
fn digits_without_quotes_are_a_number_or_the_text_that_is_written() {
    for (pattern, meant) in [
        ("{ $.userIdentity.accountId = 000000000000 }", true),
        ("{ $.userIdentity.accountId = 0 }", false),
        ("{ $.userIdentity.accountId != 111122223333 }", true),
        ("{ $.userIdentity.accountId != 000000000000 }", false),
        ("{ $.eventVersion = 1.08 }", true),
        ("{ $.eventVersion = 1.080 }", false),
        ("{ $.count = 5.0 }", true),
        (r#"{ $.count = "5" }"#, true),
        ("{ $.nothing = 5 }", false),
        ("{ $.errorCode != 5 }", false),
    ] {
        assert_eq!(meets(pattern, EVENT), meant, "{pattern}");
    }
}

#[test]
fn the_examples_of_aws_for_json_hold() {
    for (pattern, meant) in [
        (r#"{ $.eventType = "UpdateTrail" }"#, true),
        ("{ $.sourceIPAddress != 123.123.* }", true),
        (r#"{ $.arrayKey[0] = "value" }"#, true),
        ("{ $.eventType = %Trail% }", true),
        ("{ $.arrayKey[*] = %val.{2}% }", true),
        (r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }", true),
        ("{ $.['cluster.name'] = \"c\" }", true),
        ("{ $.SomeObject IS NULL }", true),
        ("{ $.SomeOtherObject NOT EXISTS }", true),
        // And what they are not for.
        ("{ $.sourceIPAddress != 111.111.* }", false),
        ("{ $.arrayKey[1] = \"value\" }", false),
        ("{ $.arrayKey = \"value\" }", false),
        ("{ $.eventType = %trail% }", false),
        ("{ $.eventType != %Trail% }", false),
        ("{ $.arrayKey[*] = %^val.{3}% }", false),
        (r"{ $.* = %111\.111\.111\.2% }", false),
        ("{ $.* = c }", true),
        ("{ $.objectList.* = a }", false),
        ("{ $.objectList[1].* = b }", true),
        ("{ $.objectList[*].id = 2 }", true),
        ("{ $['cluster.name'] = c }", true),
        ("{ $.[\"cluster.name\"] = c }", true),
        ("{ $.['cluster.name'] = d }", false),
        ("{ $.['cluster'].name = c }", false),
        ("{ $.['objectList'][0].['name'] = a }", true),
        ("{ $.objectList[0].id = %^1$% }", true),
        ("{ $.SomeObject != %a% }", false),
    ] {
        assert_eq!(meets(pattern, TRAIL), meant, "{pattern}");
    }
    for (pattern, meant) in [
        (r#"{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }"#, true),
        (
            r#"{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }"#,
            true,
        ),
        (
            r#"{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }"#,
            false,
        ),
        (r#"{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }"#, false),
    ] {
        assert_eq!(meets(pattern, USERS), meant, "{pattern}");
    }
    let numbers = r#"{"bandwidth":76,"latency":49.5,"refreshRate":60,"responseTime":5,"errorCode":400,"number":[1000,0.001]}"#;
    for (pattern, meant) in [
        ("{ $.bandwidth > 75 }", true),
        ("{ $.latency < 50 }", true),
        ("{ $.refreshRate >= 60 }", true),
        ("{ $.responseTime <= 5 }", true),
        ("{ $.errorCode = 400}", true),
        ("{ $.errorCode != 500 }", true),
        ("{ $.errorCode = 4* }", true),
        ("{ $.number[0] = 1e+3 }", true),
        ("{ $.number[0] != 1e-3 }", true),
        ("{ $.number[1] != 1e-3 }", false),
    ] {
        assert_eq!(meets(pattern, numbers), meant, "{pattern}");
    }
}

#[test]
fn each_kind_of_value_is_met_by_what_aws_was_seen_to_meet_it_with() {
    let values = [
        "null",
        "\"null\"",
        "true",
        "\"true\"",
        "3",
        "3.0",
        "3e0",
        "\"3\"",
        "\"3.0\"",
        "-3",
        "\"\"",
        "[]",
        "{}",
        "[3,\"Word\",null]",
        "\"Word\"",
        "\"wordy\"",
        "\"q?z\"",
    ];
    for (pattern, met) in [
        ("{ $.m = 3 }", &["3", "3.0", "3e0", "\"3\""][..]),
        ("{ $.m = 3e+0 }", &["3", "3.0", "3e0"]),
        (r#"{ $.m = "3" }"#, &["3", "\"3\""]),
        (
            "{ $.m != 3 }",
            &["\"null\"", "\"true\"", "\"3.0\"", "-3", "\"\"", "\"Word\"", "\"wordy\"", "\"q?z\""],
        ),
        ("{ $.m < 3 }", &["-3"]),
        ("{ $.m >= 3 }", &["3", "3.0", "3e0"]),
        (
            "{ $.m = * }",
            &[
                "\"null\"",
                "\"true\"",
                "3",
                "3.0",
                "3e0",
                "\"3\"",
                "\"3.0\"",
                "-3",
                "\"\"",
                "\"Word\"",
                "\"wordy\"",
                "\"q?z\"",
            ],
        ),
        (r#"{ $.m = "" }"#, &["\"\""]),
        (r#"{ $.m = "Wo*" }"#, &["\"Word\""]),
        (r#"{ $.m = "q?z" }"#, &["\"q?z\""]),
        ("{ $.m = %^Wo.*% }", &["\"Word\""]),
        ("{ $.m = true }", &["\"true\""]),
        ("{ $.m IS TRUE }", &["true"]),
        ("{ $.m IS FALSE }", &[]),
        ("{ $.m IS NULL }", &["null", "[3,\"Word\",null]"]),
        ("{ $.m NOT EXISTS }", &[]),
    ] {
        let is_met = |value: &&&str| meets(pattern, &format!("{{\"m\":{value}}}"));
        assert_eq!(values.iter().filter(is_met).copied().collect::<Vec<_>>(), met, "{pattern}");
    }
    for (event, is_met) in [("{}", true), ("[{\"n\":1}]", false), ("text", false), ("{torn", false)] {
        assert_eq!(meets("{ $.m NOT EXISTS }", event), is_met, "{event}");
    }
    // A star in brackets goes into members, too, and into nothing that is deeper.
    for (event, is_met) in [
        (r#"{"l":["a","b"]}"#, true),
        (r#"{"l":{"0":"b"}}"#, true),
        (r#"{"l":"b"}"#, false),
        (r#"{"l":[["b"]]}"#, false),
    ] {
        assert_eq!(meets("{ $.l[*] = b }", event), is_met, "{event}");
    }
}

#[test]
fn the_examples_of_aws_for_terms_hold() {
    let lines = [
        "[ERROR 400] BAD REQUEST",
        "[ERROR 401] UNAUTHORIZED REQUEST",
        "[ERROR 419] MISSING ARGUMENTS",
        "[ERROR 420] INVALID ARGUMENTS",
        "[ERROR 500] INTERNAL SERVER ERROR",
        "[SUCCESS 200] AUTHORIZED REQUEST",
    ];
    for (pattern, found) in [
        ("ERROR", &[0, 1, 2, 3, 4][..]),
        ("ERROR ARGUMENTS", &[2, 3]),
        ("?ERROR ?ARGUMENTS", &[0, 1, 2, 3, 4]),
        ("?ERROR ?ARGUMENTS REQUEST", &[0, 1, 5]),
        ("?SUCCESS -ARGUMENTS", &[0, 1, 4, 5]),
        ("\"INTERNAL SERVER ERROR\"", &[4]),
        ("ERROR -ARGUMENTS", &[0, 1, 4]),
        ("\" \"", &[0, 1, 2, 3, 4, 5]),
        ("\"\"", &[0, 1, 2, 3, 4, 5]),
        ("%AUTHORIZED%", &[1, 5]),
        ("%^.ERROR 4[0-9]{2}%", &[0, 1, 2, 3]),
        ("\"%AUTHORIZED%\"", &[]),
    ] {
        let met: Vec<usize> =
            lines.iter().enumerate().filter(|(_, line)| meets(pattern, line)).map(|(at, _)| at).collect();
        assert_eq!(met, found, "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_is_refused() {
    let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(40), ")".repeat(40));
    for text in [
        "{}",
        "{ $ = 1 }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a == 1 }",
        "{ $.a < x }",
        "{ $.a < %x% }",
        "{ $.a > \"1\" }",
        "{ a = 1 }",
        "{ $.a = 1 && }",
        "{ $.a = 1 & $.b = 2 }",
        "{ ($.a = 1 }",
        "{ $.[''] = 1 }",
        "{ $.a IS MAYBE }",
        "{ $.a IS NOT NULL }",
        "{ $.a EXISTS }",
        "{ $.a = null }",
        "{ $.a > 0 AND $.a < 3 }",
        "{ $.a = %% }",
        "[a, b]",
        "%%",
        "%a% b",
        "%a% %b%",
        "-",
        "- a",
        deep.as_str(),
    ] {
        assert_eq!(FilterPattern::parse(text), Err(FilterPatternError::Syntax), "{text}");
    }
    assert_eq!(FilterPattern::parse(&"a".repeat(1025)), Err(FilterPatternError::Syntax));
    FilterPattern::parse("{ $.a[*] = 1 && $.b[*] = 1 && $.* = %c% && $.a = %d% }").unwrap();
}

#[test]
fn a_refusal_says_what_aws_says() {
    for (text, message) in [
        ("{", "If a filter pattern starts with '{' it must end with '}'"),
        ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
        ("[a, b", "If a filter pattern starts with '[' it must end with ']'"),
        ("?Status: timeout", "Invalid character(s) in term ':'"),
        ("`ERROR", "Invalid character(s) in term '`'"),
        (r#"level\":\"error"#, r"Invalid character(s) in term '\'"),
        ("reason (JoinMultiplayer", "Invalid character(s) in term '('"),
        ("Enc*", "Invalid character(s) in term '*'"),
        ("a%b%", "Invalid character(s) in term '%'"),
        ("-%b%", "Invalid character(s) in term '%'"),
        (r#"{ $.message = "a", $.path = "b" }"#, "Invalid character(s) in term ','"),
        ("{ $.message = a, $.path = b }", "Invalid character(s) in term ','"),
        (r#"{ $."sc-status" = 5* }"#, "Invalid character(s) in term '$.\"'"),
        ("%something!%", "Invalid character(s) in term '%something!'"),
        ("%^(Enc|Dec)%", "Invalid character(s) in term '%^('"),
        ("%clé%", "Invalid character(s) in term '%clé'"),
        ("{ $.a = %(b)% }", "Invalid character(s) in term '%('"),
        ("{ $.a = %b }", "Invalid character(s) in term '%b }'"),
        ("%a", "Invalid character(s) in term '%a'"),
        ("%", "Invalid character(s) in term '%'"),
        ("\"open", "Invalid character(s) in term '\"open'"),
        ("{ $.a = \"open }", "Invalid character(s) in term '\"open }'"),
        ("{ $. = 1 }", "Invalid character(s) in term '$. '"),
        ("{ $..a = 1 }", "Invalid character(s) in term '$..'"),
        ("{ $.a[-1] = 1 }", "Invalid character(s) in term '[-'"),
        ("{ $.a[0:3] = 1 }", "Invalid character(s) in term '[0:'"),
        ("{ $.a[x] = 1 }", "Invalid character(s) in term '[x'"),
        ("{ $.a[] = 1 }", "Invalid character(s) in term '[]'"),
        ("{ $.['a] = 1 }", "Invalid character(s) in term ''a] = 1 }'"),
        ("{ !($.a = 1) }", "Invalid character(s) in term '!('"),
        ("{ \"a\": [3] }", "Invalid character(s) in term ':'"),
        ("%[ab%", "Failed to compile regular expression."),
        ("%*a%", "Failed to compile regular expression."),
        ("{ $.a = %b{2% }", "Failed to compile regular expression."),
        (
            "{ $.a[*].* = 1 }",
            "Your filter pattern has a JSON path selector that exceeds the maximum of 1 wildcard allowed per json selector.",
        ),
        (
            "{ $.a[*] = 1 && $.b[*] = 1 && $.c[*] = 1 && $.* = 1 }",
            "Your input has exceeded the maximum of 3 JSON wildcard selectors allowed per filter pattern.",
        ),
        (
            "{ $.a = %b% && $.a = %c% && $.a = %d% }",
            "Your input has exceeded the maximum of 2 regular expressions per filter pattern.",
        ),
        ("%.{1,1000}%", "Regular expression evaluation time exceeded allowed limit"),
        ("{ $.a == 1 }", "Invalid filter pattern"),
    ] {
        assert_eq!(
            FilterPattern::parse(text).map_err(|error| error.to_string()),
            Err(message.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn what_must_hold_is_known() {
    for (pattern, demanded) in [
        ("{ $.eventName = Decrypt && $.count > 4 }", Some("Decrypt")),
        ("{ $.['eventName'] = Decrypt }", Some("Decrypt")),
        ("{ $.eventName = Decrypt || $.count > 4 }", None),
        ("{ $.eventName = Dec* }", None),
        ("{ $.eventName = %Decrypt% }", None),
        ("{ $.eventName != Decrypt }", None),
        ("{ $.* = Decrypt }", None),
        ("Decrypt", None),
        ("%Decrypt%", None),
    ] {
        assert_eq!(FilterPattern::parse(pattern).unwrap().demands("eventName"), demanded, "{pattern}");
    }
}

#[test]
fn whatever_is_looked_for_has_weight() {
    for (pattern, weight) in [
        ("", 1),
        ("abc", 2),
        ("a b -c", 4),
        ("?a ?b ?c ?d", 5),
        ("{ $.a = b* }", 6),
        ("{ $.a = b* && ($.c IS NULL || $.d NOT EXISTS) }", 8),
        ("%abc%", 4),
        ("{ $.a = %abc% }", 9),
        ("{ $.a = %abc% || $.b != %abc% }", 13),
    ] {
        assert_eq!(FilterPattern::parse(pattern).unwrap().weight(), weight, "{pattern}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_much(text in "[\\[\\](){}$.a*\"'%\\\\ =!<>&|?1-]{0,60}", json in "\\PC{0,40}") {
        // Whatever it is taken for: it is read and held against an event to the end.
        drop(FilterPattern::parse(&text).map(|pattern| pattern.meets(json.as_bytes())));
    }

    #[test]
    fn a_quoted_text_is_taken_as_it_is(text in "[a-c :,*%()?-]{1,8}") {
        prop_assert_eq!(meets(&format!("\"{text}\""), &format!("x{text}y")), true);
    }
}
