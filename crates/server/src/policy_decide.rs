//! `keyreeve policy decide`: decides the requests of a file by the policies that stand beside them, without a service.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use keyreeve_policy::{Cause, Decision, Grounds, Lack, Layer, decide};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::CasesArgs;
use crate::exit::Failure;
use crate::policy_case::{Case, CaseError};

/// Prints one decision a line, in the order of the cases. A line that is no case is named on standard error; the rest is decided.
pub(crate) fn run(args: &CasesArgs) -> Result<(), Failure> {
    for_each_case(&args.cases, &mut |line, _| answer(line))
}

/// Prints what `answer` makes of each line of the cases and its number, in their order.
pub(crate) fn for_each_case(
    path: &Path,
    answer: &mut dyn FnMut(&str, usize) -> Result<String, CaseError>,
) -> Result<(), Failure> {
    let unreadable = |error| Failure::CasesUnreadable { path: path.to_owned(), error };
    let mut cases: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(unreadable)?))
    };
    let mut answers = BufWriter::new(io::stdout().lock());
    let (mut line, mut number, mut malformed) = (Vec::new(), 0_usize, 0);
    loop {
        line.clear();
        if cases.read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            break;
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match as_text(&line).and_then(|line| answer(line, number)) {
            Ok(answer) => writeln!(answers, "{answer}")?,
            Err(error) => {
                malformed += 1;
                eprintln!("keyreeve: line {number}: {error}");
            }
        }
    }
    answers.flush()?;
    if malformed == 0 { Ok(()) } else { Err(Failure::MalformedCases { count: malformed }) }
}

fn as_text(line: &[u8]) -> Result<&str, CaseError> {
    str::from_utf8(line).ok().ok_or_else(|| CaseError::Json("the line is no UTF-8".to_owned()))
}

#[derive(Serialize)]
struct Answer {
    id: Option<Value>,
    decision: &'static str,
    because: Value,
}

/// The line that answers a case.
fn answer(line: &str) -> Result<String, CaseError> {
    let case = Case::parse(line)?;
    let (decision, because) = case.ask(|request, policies, sources| {
        explain(&decide(request, policies), sources.malformed.as_ref(), &case.action)
    })?;
    let id = case.id()?;
    serde_json::to_string(&Answer { id, decision, because })
        .map_err(|error| CaseError::Json(error.to_string()))
}

/// The words for a decision. Where a policy cannot be read nothing is allowed; what the others deny they deny.
pub(crate) fn explain(
    decision: &Decision<'_>,
    malformed: Option<&(&'static str, String)>,
    action: &str,
) -> (&'static str, Value) {
    if let Decision::ExplicitDeny(cause) = decision {
        let reason = format!("explicitly denied by {}", cause.layer);
        return ("explicit_deny", of_statement(cause, &reason));
    }
    if let Some((member, why)) = malformed {
        return ("implicit_deny", json!({"policy": member, "reason": why}));
    }
    match decision {
        Decision::Allow(Grounds::Grant(id)) => ("allow", json!({"grant": id, "reason": "a grant gives it"})),
        Decision::Allow(Grounds::Root) => {
            ("allow", json!({"reason": "the root user may do what needs no key policy"}))
        }
        Decision::Allow(Grounds::Statement(cause)) => {
            ("allow", of_statement(cause, &format!("allowed by {}", cause.layer)))
        }
        Decision::ExplicitDeny(cause) => ("explicit_deny", of_statement(cause, "")),
        Decision::ImplicitDeny(lack) => ("implicit_deny", of_lack(*lack, action)),
    }
}

fn of_statement(cause: &Cause<'_>, reason: &str) -> Value {
    let mut because = json!({
        "policy": member(cause.layer),
        "index": cause.policy,
        "statement": cause.statement,
        "sid": cause.sid,
        "reason": reason,
    });
    if let (Some(level), Some(because)) = (cause.level, because.as_object_mut()) {
        because.insert("level".to_owned(), level.into());
    }
    because
}

fn of_lack(lack: Lack, action: &str) -> Value {
    match lack {
        Lack::Anonymous => json!({"reason": "the caller is not known"}),
        Lack::CrossAccount => json!({"reason": "the operation is not open to callers of another account"}),
        Lack::Layer(layer) => {
            json!({"policy": member(layer), "reason": format!("no {layer} allows the {action} action")})
        }
        Lack::TooDear => json!({"reason": "the policies are too dear to evaluate"}),
        Lack::WrongResource => json!({"reason": "the action is about keys, and the resource is none"}),
    }
}

/// The member of a case that holds a layer.
pub(crate) fn member(layer: Layer) -> &'static str {
    match layer {
        Layer::Endpoint => "vpce_policy",
        Layer::Identity => "identity_policies",
        Layer::Key => "key_policy",
        Layer::PermissionsBoundary => "permissions_boundary",
        Layer::ResourceControl => "rcps",
        Layer::ServiceControl => "scps",
        Layer::Session => "session_policy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garbled::garbled;
    use proptest::prelude::*;
    use proptest::sample::select;

    proptest! {
        #[test]
        fn a_garbled_case_is_decided_or_refused(
            line in select(SAMPLE.lines().collect::<Vec<_>>()).prop_flat_map(garbled),
        ) {
            if let Ok(answer) = answer(&line) {
                prop_assert!(serde_json::from_str::<Value>(&answer).is_ok(), "{answer}");
            }
        }
    }

    const SAMPLE: &str = include_str!("../../policy/tests/cases/sample.jsonl");

    fn answered(line: &str) -> Value {
        serde_json::from_str(&answer(line).unwrap()).unwrap()
    }

    #[test]
    fn the_sample_of_documented_cases_is_answered_as_it_says() {
        for line in SAMPLE.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let answer = answered(line);
            assert_eq!(answer["id"], case["id"]);
            assert_eq!(answer["decision"], case["expected"], "{}: {}", case["id"], case["why"]);
        }
    }

    #[test]
    fn a_line_that_is_no_case_is_an_error() {
        let user = r#""principal":{"type":"user","arn":"arn:aws:iam::111122223333:user/Alice"}"#;
        let rest = r#""action":"kms:Decrypt","resource":"*""#;
        for (line, error) in [
            (String::new(), "the line is no JSON object"),
            ("[]".into(), "the line is no JSON object"),
            ("{".into(), "EOF while parsing an object at column 1"),
            (r#"{"action":"kms:Decrypt"}"#.into(), "missing field `principal` at column 24"),
            (format!(r#"{{{user},{user},{rest}}}"#), "duplicate field `principal` at column 85"),
            (format!(r#"{{"principal":{{"type":"group"}},{rest}}}"#), "`group` is no type of principal"),
            (format!(r#"{{"principal":{{"type":"user"}},{rest}}}"#), "`principal.account` is missing"),
            (format!(r#"{{{user},{rest},"resource_account":"1"}}"#), "`1` is no account"),
            (format!(r#"{{{user},{rest},"context":{{"a":{{}}}}}}"#), "`a` is no value of a condition key"),
            (format!(r#"{{{user},{rest},"context":{{"a":[["b"]]}}}}"#), "`a` is no value of a condition key"),
            (
                format!(r#"{{{user},{rest},"grants":[{{"Constraints":{{"Else":{{}}}}}}]}}"#),
                "unknown field `Else`, expected one of `EncryptionContextEquals`, `EncryptionContextSubset`, \
                 `SourceArn` at column 144",
            ),
        ] {
            assert_eq!(answer(&line).unwrap_err().to_string(), error, "{line}");
        }
        assert_eq!(as_text(b"{\xff}").unwrap_err().to_string(), "the line is no UTF-8");
    }

    #[test]
    fn a_policy_that_cannot_be_read_allows_nothing() {
        let allow = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
        let deny = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
        let case = |more: &str| {
            answered(&format!(
                r#"{{"id":[1],"principal":{{"type":"user","arn":"arn:aws:iam::111122223333:user/Alice"}},"action":"kms:Decrypt","resource":"arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"{more}}}"#
            ))
        };
        let quoted = Value::from(allow);
        for (more, decision) in [
            (String::new(), "implicit_deny"),
            (format!(r#","key_policy":{allow}"#), "allow"),
            (format!(r#","key_policy":{quoted}"#), "allow"),
            (format!(r#","key_policy":{allow},"permissions_boundary":null,"scps":null"#), "allow"),
            (format!(r#","key_policy":{allow},"permissions_boundary":{{}}"#), "implicit_deny"),
            (format!(r#","key_policy":{allow},"identity_policies":[{allow}]"#), "implicit_deny"),
            (format!(r#","key_policy":{allow},"identity_policies":[{{}},{deny}]"#), "explicit_deny"),
            (format!(r#","key_policy":{allow},"scps":[[{{}}]]"#), "implicit_deny"),
            (format!(r#","key_policy":{allow},"session_policy":7"#), "implicit_deny"),
        ] {
            let answer = case(&more);
            assert_eq!(answer["decision"], decision, "{more}");
            assert_eq!(answer["id"], json!([1]));
        }
        assert_eq!(case(r#","key_policy":{}"#)["because"]["policy"], "key_policy");
    }
}
