//! The requests by which a test moves the clock and resets the service.

use http::{Method, StatusCode};
use keyreeve_core::bracket::Trail;
use keyreeve_domain::Timestamp;
use keyreeve_http::{TestModeAnswer, TestModeRequest};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Dev;
use crate::clock;

/// The clock does not go further than to the end of this year: dates of five digits are no dates to many clients.
const LAST_YEAR: i32 = 8999;

/// A move of the clock; one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance_seconds: Option<u64>,
    set: Option<String>,
}

/// Nothing at all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What the clock shows.
#[derive(Debug, Serialize)]
struct Clock {
    now: String,
    ahead_seconds: i64,
    /// Rotations, deletions and expiries that the move has brought about.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Message {
    message: String,
}

pub(super) async fn answer(dev: &Dev, request: &TestModeRequest, trail: &dyn Trail) -> TestModeAnswer {
    if request.from_page {
        let text = "A page in a browser may not do this: the request has an Origin header.";
        return refused(StatusCode::FORBIDDEN, text);
    }
    match (request.path.as_str(), &request.method) {
        ("/_keyreeve/clock", &Method::GET) => clock_is(None),
        ("/_keyreeve/clock", &Method::POST) => move_clock(dev, &request.body, trail).await,
        ("/_keyreeve/clock", _) => other_method("GET, POST"),
        ("/_keyreeve/reset", &Method::POST) => reset(dev, &request.body, trail).await,
        ("/_keyreeve/reset", _) => other_method("POST"),
        _ => refused(
            StatusCode::NOT_FOUND,
            "There is nothing at this path; there is /_keyreeve/clock (GET, POST) and /_keyreeve/reset (POST).",
        ),
    }
}

async fn move_clock(dev: &Dev, body: &[u8], trail: &dyn Trail) -> TestModeAnswer {
    let ahead = match ahead(body, clock::system(), clock::ahead()) {
        Ok(ahead) => ahead,
        Err(text) => return refused(StatusCode::BAD_REQUEST, text),
    };
    match dev.move_clock(ahead, trail).await {
        Ok(done) => clock_is(Some(done)),
        Err(error) => refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("What was due could not be done: {error}. See the log."),
        ),
    }
}

/// How many milliseconds ahead of `system` the clock is to be, which is `ahead` by now.
fn ahead(body: &[u8], system: Timestamp, ahead: i64) -> Result<i64, String> {
    const FORM: &str = r#"The body must be {"advance_seconds": N} or {"set": "2030-01-31T12:00:00Z"}"#;
    let asked: Move = serde_json::from_slice(body).map_err(|error| format!("{FORM}: {error}."))?;
    let target = match (asked.advance_seconds, asked.set) {
        (Some(seconds), None) => {
            let millis = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
            system.plus_millis(ahead).plus_millis(millis)
        }
        (None, Some(text)) => {
            let time = OffsetDateTime::parse(&text, &Rfc3339);
            let time = time.map_err(|error| format!("`set` is not a time of RFC 3339: {error}. {FORM}."))?;
            Timestamp::from_millis(i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX))
        }
        (Some(_), Some(_)) | (None, None) => return Err(format!("{FORM}.")),
    };
    match date(target) {
        Some(date) if target >= Timestamp::default() && date.year() <= LAST_YEAR => {
            Ok(target.millis_since(system))
        }
        Some(_) | None => Err(format!("The clock goes from the year 1970 to the year {LAST_YEAR}.")),
    }
}

async fn reset(dev: &Dev, body: &[u8], trail: &dyn Trail) -> TestModeAnswer {
    if !body.is_empty() && serde_json::from_slice::<Nothing>(body).is_err() {
        return refused(StatusCode::BAD_REQUEST, "A reset takes no body, or {}.");
    }
    match dev.reset(trail).await {
        Ok(()) => clock_is(None),
        Err(error) => {
            tracing::error!(%error, "the reset was not completed");
            let text = format!("The reset was not completed: {error}. Try again, or start anew.");
            refused(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
    }
}

fn clock_is(done: Option<usize>) -> TestModeAnswer {
    let now = date(clock::now()).and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_default();
    json(StatusCode::OK, &Clock { now, ahead_seconds: clock::ahead().div_euclid(1000), done })
}

fn date(time: Timestamp) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(time.millis()) * 1_000_000).ok()
}

fn other_method(allow: &'static str) -> TestModeAnswer {
    let text = format!("This path has another method: {allow}.");
    TestModeAnswer { allow: Some(allow), ..refused(StatusCode::METHOD_NOT_ALLOWED, text) }
}

fn refused(status: StatusCode, message: impl Into<String>) -> TestModeAnswer {
    json(status, &Message { message: message.into() })
}

fn json(status: StatusCode, body: &impl Serialize) -> TestModeAnswer {
    TestModeAnswer { status, allow: None, body: serde_json::to_vec(body).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garbled::garbled;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_garbled_move_of_the_clock_is_done_or_refused(
            body in prop_oneof![
                garbled(r#"{"advance_seconds": 253402300799}"#), garbled(r#"{"set": "2030-01-31T12:00:00+01:00"}"#),
            ],
        ) {
            let (system, moved) = (Timestamp::from_millis(1_800_000_000_000), -600);
            if let Ok(ahead) = ahead(body.as_bytes(), system, moved) {
                let year = date(system.plus_millis(ahead)).map(|date| date.year());
                prop_assert!(year.is_some_and(|year| (1970..=LAST_YEAR).contains(&year)), "{body}");
            }
        }
    }

    #[test]
    fn a_body_says_how_far_or_until_when() {
        let (system, moved) = (Timestamp::from_millis(400), 600);
        for (body, asked) in [
            (r#"{"advance_seconds": 60}"#, Some(61_000)),
            (r#"{"advance_seconds": 0}"#, Some(1_000)),
            (r#"{"set": "1970-01-01T00:00:00.500Z"}"#, Some(500)),
            (r#"{"set": "1970-01-02T01:00:00+01:00"}"#, Some(86_400_000)),
            (r#"{"advance_seconds": -1}"#, None),
            (r#"{"advance_seconds": 1.5}"#, None),
            (r#"{"advance_seconds": 18446744073709551615}"#, None),
            (r#"{"set": "9000-01-01T00:00:00Z"}"#, None),
            (r#"{"set": "1969-12-31T23:59:59Z"}"#, None),
            (r#"{"set": "tomorrow"}"#, None),
            (r#"{"set": "2030-01-01T00:00:00Z", "advance_seconds": 1}"#, None),
            (r#"{"advance": 1}"#, None),
            ("{}", None),
            ("", None),
        ] {
            let asked = asked.map(|asked: i64| asked - 400);
            assert_eq!(ahead(body.as_bytes(), system, moved).ok(), asked, "{body}");
        }
    }
}
