//! Webhooks: where the actions of alarms lead.
//!
//! An action is the ARN of a topic; the configuration says which URL stands for it. What is sent is what SNS would deliver of a
//! notification over HTTP, without a signature: the certificate that it names is Amazon's. A URL may hold a secret, so no text
//! repeats it. Source: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Uri};
use http_body_util::Full;
use keyreeve_audit::event::Uuid;
use keyreeve_core::alarm::PendingAction;
use keyreeve_crypto::random::{self, SystemRandom};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::config::MetricsSection;
use crate::exit::Failure;
use crate::https::{FetchError, Https};

/// Why an action could not be run. What the history of the alarm tells.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebhookError {
    #[error("no webhook is configured for it")]
    None,
    #[error("no notification could be made")]
    Notification,
    #[error("the webhook answers with {0}")]
    Status(http::StatusCode),
    #[error("the webhook cannot be reached: {0}")]
    Unreachable(String),
    #[error("the webhook did not answer within 10 seconds")]
    Slow,
}

impl From<FetchError> for WebhookError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Url(_) => Self::Notification,
            FetchError::Connect { error, .. } => Self::Unreachable(error.to_string()),
            FetchError::Http { error, .. } => Self::Unreachable(error.to_string()),
            FetchError::Body { error, .. } => Self::Unreachable(error.to_string()),
            FetchError::Status { status, .. } => Self::Status(status),
            FetchError::Slow(_) => Self::Slow,
        }
    }
}

/// The webhooks of the configuration.
pub(crate) struct Webhooks {
    by_arn: BTreeMap<String, Uri>,
    https: Https,
}

/// The URL of a webhook.
fn url(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_http && uri.authority().is_some_and(|authority| !authority.host().is_empty())).then_some(uri)
}

impl Webhooks {
    /// Those of the section `[metrics]`.
    pub(crate) fn new(config: &MetricsSection) -> Result<Self, Failure> {
        let https = Https::new(config.webhook_ca.as_deref(), "[metrics] webhook_ca")?;
        Ok(Self { by_arn: Self::read(config)?, https })
    }

    /// The URLs of the section `[metrics]`.
    pub(crate) fn read(config: &MetricsSection) -> Result<BTreeMap<String, Uri>, Failure> {
        let mut by_arn = BTreeMap::new();
        for (arn, text) in &config.webhooks {
            let fault = |why: &str| Failure::Config(format!("[metrics] webhooks, `{arn}`: {why}."));
            if !arn.starts_with("arn:aws") || arn.split(':').count() < 6 {
                return Err(fault("it is no ARN"));
            }
            let uri = url(text).ok_or_else(|| fault("its URL is none with http or https"))?;
            by_arn.insert(arn.clone(), uri);
        }
        Ok(by_arn)
    }

    /// Tells the webhook of an action what has happened; again after a while where it cannot be told.
    pub(crate) async fn tell(&self, action: &PendingAction) -> Result<(), WebhookError> {
        let uri = self.by_arn.get(&action.arn).ok_or(WebhookError::None)?;
        let bits = random::array(&SystemRandom).ok().ok_or(WebhookError::Notification)?;
        let id = Uuid::from_random(bits);
        let body = notification(action, id.as_str());
        let mut pauses = PAUSES.into_iter();
        loop {
            let request = request(uri, &action.arn, id.as_str(), &body).ok_or(WebhookError::Notification)?;
            let error = match self.https.send(uri, request).await {
                Ok(_) => return Ok(()),
                Err(error) => WebhookError::from(error),
            };
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }
}

/// From one attempt to the next.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];
/// The longest subject.
const SUBJECT_MOST: usize = 100;

fn request(uri: &Uri, arn: &str, id: &str, body: &Bytes) -> Option<Request<Full<Bytes>>> {
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    Request::post(path)
        .header(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8"))
        .header("x-amz-sns-message-type", HeaderValue::from_static("Notification"))
        .header("x-amz-sns-message-id", id)
        .header("x-amz-sns-topic-arn", HeaderValue::from_bytes(arn.as_bytes()).ok()?)
        .body(Full::new(body.clone()))
        .ok()
}

fn notification(action: &PendingAction, id: &str) -> Bytes {
    let subject = action.subject.get(..action.subject.floor_char_boundary(SUBJECT_MOST));
    let nanos = i128::from(action.at.millis()) * 1_000_000;
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    let notification = json!({
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": action.arn,
        "Subject": subject,
        "Message": action.message,
        "Timestamp": at.and_then(|at| at.format(TIMESTAMP).ok()).unwrap_or_default(),
    });
    Bytes::from(notification.to_string())
}

const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_an_arn_and_a_url() {
        let arn = "arn:aws:sns:us-east-1:000000000000:oncall";
        for (arn, url, ok) in [
            (arn, "https://hooks.example.com/a?token=b", true),
            (arn, "http://127.0.0.1:8080", true),
            (arn, "ftp://example.com/", false),
            (arn, "hooks.example.com", false),
            (arn, "", false),
            ("oncall", "https://example.com/", false),
        ] {
            let webhooks = BTreeMap::from([(arn.to_owned(), url.to_owned())]);
            let config = MetricsSection { webhooks, ..MetricsSection::default() };
            assert_eq!(Webhooks::new(&config).is_ok(), ok, "{arn} {url}");
        }
    }

    #[test]
    fn a_notification_is_the_one_of_a_topic() {
        let action = PendingAction {
            arn: "arn:aws:sns:us-east-1:000000000000:oncall".to_owned(),
            subject: "ALARM: \"a\" in US East (N. Virginia)".to_owned(),
            message: r#"{"AlarmName":"a"}"#.to_owned(),
            at: keyreeve_domain::Timestamp::from_millis(1_796_026_800_123),
        };
        let read: serde_json::Value = serde_json::from_slice(&notification(&action, "id")).unwrap();
        let expected = json!({
            "Type": "Notification",
            "MessageId": "id",
            "TopicArn": action.arn,
            "Subject": action.subject,
            "Message": action.message,
            "Timestamp": "2026-11-30T08:20:00.123Z",
        });
        assert_eq!(read, expected);
    }
}
