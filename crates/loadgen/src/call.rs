//! Single calls: their answers, and how long each took.

use std::io::Write;

use serde_json::{Value, json};

use crate::error::LoadError;
use crate::options::CallOptions;
use crate::workload::Call;
use crate::{clock, target};

/// Call, and follow the markers where asked to.
pub(crate) async fn run(options: &CallOptions) -> Result<(), LoadError> {
    let (target, sender) = target::open(&options.target, false)?;
    let mut connection = target.connect().await?;
    let mut call = Call { operation: options.operation.clone(), body: options.body.clone() };
    let mut out = std::io::stdout().lock();
    loop {
        let signed = sender.sign(core::slice::from_ref(&call), clock::today());
        let request = signed.first().ok_or(LoadError::NoRequests)?;
        let start = clock::now();
        let (answer, body) = connection.call(request).await?;
        let took = clock::now() - start;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(body).into_owned();
            return Err(LoadError::Refused { status: answer.status, body });
        }
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let next = body.get("NextMarker").filter(|_| options.follow).cloned();
        writeln!(out, "{}", json!({ "microseconds": took.as_secs_f64() * 1e6, "answer": body }))?;
        match next.and_then(|marker| with_marker(&options.body, marker)) {
            Some(body) => call.body = body,
            None => return Ok(()),
        }
    }
}

/// `body`, an object, with its `Marker` set.
fn with_marker(body: &str, marker: Value) -> Option<String> {
    let mut body: Value = serde_json::from_str(body).ok()?;
    body.as_object_mut()?.insert("Marker".to_owned(), marker);
    Some(body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_put_in_and_replaced() {
        for (body, expected) in [
            ("{}", Some(r#"{"Marker":"m"}"#)),
            (r#"{"Limit":2,"Marker":"l"}"#, Some(r#"{"Limit":2,"Marker":"m"}"#)),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(with_marker(body, Value::from("m")).as_deref(), expected, "{body}");
        }
    }
}
