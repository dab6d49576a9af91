//! `keyreeve policy lint`: what is likely to be a mistake in policies.

use std::path::Path;

use keyreeve_policy::{Finding, Kind, Severity, lint};
use serde_json::{Value, json};

use crate::args::{LintArgs, PolicyKind};
use crate::exit::Failure;
use crate::policy_who_can::read;

/// Prints what is found in each file. That there are errors is a failure.
pub(crate) fn run(args: &LintArgs) -> Result<(), Failure> {
    let mut errors = 0;
    for path in &args.files {
        let unreadable = |error| Failure::CasesUnreadable { path: path.clone(), error };
        let text = read(path).map_err(unreadable)?;
        let kind = args.kind.map_or_else(|| guessed(&text), PolicyKind::kind);
        let findings = lint(kind, &text);
        errors += findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        for finding in &findings {
            println!(
                "{}",
                if args.json { as_json(path, finding).to_string() } else { as_text(path, finding) }
            );
        }
    }
    if errors == 0 { Ok(()) } else { Err(Failure::Findings { errors }) }
}

impl PolicyKind {
    fn kind(self) -> Kind {
        match self {
            Self::Identity => Kind::Identity,
            Self::Key => Kind::Resource,
            Self::Trust => Kind::Trust,
        }
    }
}

/// What a policy hangs on, by what it has: principals and resources, principals alone, or none.
fn guessed(text: &str) -> Kind {
    let policy: Value = serde_json::from_str(text).unwrap_or_default();
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let has =
        |names: [&str; 2]| statements.iter().any(|one| names.iter().any(|name| one.get(name).is_some()));
    let is_of_sts = |action: &Value| action.as_str().is_some_and(|action| action.starts_with("sts:"));
    let of_sts = statements.iter().all(|one| match one.get("Action") {
        Some(Value::Array(actions)) => actions.iter().all(is_of_sts),
        action => action.is_some_and(is_of_sts),
    });
    match (has(["Principal", "NotPrincipal"]), has(["Resource", "NotResource"])) {
        (true, false) if of_sts => Kind::Trust,
        (true, _) => Kind::Resource,
        (false, _) => Kind::Identity,
    }
}

fn as_text(path: &Path, finding: &Finding) -> String {
    let place = finding.span.map(|span| format!("{}:{}:", span.start.line, span.start.column));
    let statement = finding.statement.map(|index| format!("statement {index}"));
    let sid = finding.sid.as_ref().map(|sid| format!(" `{sid}`"));
    let statement = statement.map(|statement| format!("{statement}{}: ", sid.unwrap_or_default()));
    format!(
        "{}:{} {}: {}{} ({})\n  {}",
        path.display(),
        place.unwrap_or_default(),
        severity(finding.severity),
        statement.unwrap_or_default(),
        finding.message,
        finding.rule,
        finding.advice,
    )
}

fn as_json(path: &Path, finding: &Finding) -> Value {
    json!({
        "file": path.display().to_string(),
        "line": finding.span.map(|span| span.start.line),
        "column": finding.span.map(|span| span.start.column),
        "statement": finding.statement,
        "sid": finding.sid,
        "severity": severity(finding.severity),
        "rule": finding.rule,
        "message": finding.message,
        "advice": finding.advice,
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Notice => "notice",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_hangs_on_is_told_by_its_members() {
        for (statement, kind) in [
            (r#"{"Principal":"*","Action":"kms:*","Resource":"*"}"#, Kind::Resource),
            (r#"{"Principal":"*","Action":"kms:*"}"#, Kind::Resource),
            (r#"[{"Principal":"*","Action":["sts:AssumeRole"]}]"#, Kind::Trust),
            (r#"{"NotPrincipal":"*","Action":"sts:AssumeRole","Resource":"*"}"#, Kind::Resource),
            (r#"{"Action":"sts:AssumeRole","Resource":"*"}"#, Kind::Identity),
            ("null", Kind::Identity),
        ] {
            assert_eq!(guessed(&format!(r#"{{"Statement":{statement}}}"#)), kind, "{statement}");
        }
        assert_eq!(guessed("{"), Kind::Identity);
    }

    #[test]
    fn a_finding_is_written_with_its_place() {
        let text = r#"{"Version":"2012-10-17","Statement":{"Sid":"a","Effect":"Allow","Action":"kms:X","Resource":"*"}}"#;
        let findings = lint(guessed(text), text);
        let path = Path::new("p.json");
        let texts: Vec<_> = findings.iter().map(|finding| as_text(path, finding)).collect();
        assert_eq!(
            texts,
            [
                "p.json:1:37: error: statement 0 `a`: there is no action `kms:X` (unknown-action)\n  correct its name"
            ]
        );
        let value = as_json(path, &findings[0]);
        assert_eq!((&value["rule"], &value["column"]), (&json!("unknown-action"), &json!(37)));
        let broken = lint(Kind::Identity, "{");
        assert!(as_text(path, &broken[0]).starts_with("p.json: error: the policy is not well formed"));
    }
}
