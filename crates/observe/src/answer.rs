//! One request, from its body to the bytes of its answer, with its record in the trail.

use keyreeve_core::bracket::{Notes, Source, Trail};
use keyreeve_core::request::Operation as AnyOperation;
use keyreeve_core::{Cx, Service};

use crate::archive::Archive;
use crate::layout::TrailNames;
use crate::object_keys::ObjectKeys;
use crate::refusal::Refusal;
use crate::s3::S3Asked;
use crate::{cloudtrail, logs, lookup, s3};

/// An operation of CloudTrail, CloudWatch Logs or S3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Of CloudWatch Logs.
    DescribeLogGroups,
    /// Of CloudWatch Logs.
    DescribeLogStreams,
    /// Of CloudTrail.
    DescribeTrails,
    /// Of CloudWatch Logs.
    FilterLogEvents,
    /// Of S3.
    GetBucketLocation,
    /// Of CloudWatch Logs.
    GetLogEvents,
    /// Of S3.
    GetObject,
    /// Of CloudTrail.
    GetTrail,
    /// Of CloudTrail.
    GetTrailStatus,
    /// Of S3.
    HeadBucket,
    /// Of S3.
    HeadObject,
    /// Of S3.
    ListBuckets,
    /// Of S3, both versions.
    ListObjects,
    /// Of CloudTrail.
    ListPublicKeys,
    /// Of CloudTrail.
    ListTrails,
    /// Of CloudTrail.
    LookupEvents,
    /// Of S3: anything that is not done here.
    Other,
}

impl Operation {
    /// The operations of CloudTrail.
    pub const CLOUDTRAIL: [Self; 6] = [
        Self::DescribeTrails,
        Self::GetTrail,
        Self::GetTrailStatus,
        Self::ListPublicKeys,
        Self::ListTrails,
        Self::LookupEvents,
    ];

    /// The operations of CloudWatch Logs.
    pub const LOGS: [Self; 4] =
        [Self::DescribeLogGroups, Self::DescribeLogStreams, Self::FilterLogEvents, Self::GetLogEvents];

    /// The name, as the API spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DescribeLogGroups => "DescribeLogGroups",
            Self::DescribeLogStreams => "DescribeLogStreams",
            Self::DescribeTrails => "DescribeTrails",
            Self::FilterLogEvents => "FilterLogEvents",
            Self::GetLogEvents => "GetLogEvents",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::GetObject => "GetObject",
            Self::GetTrail => "GetTrail",
            Self::GetTrailStatus => "GetTrailStatus",
            Self::HeadBucket => "HeadBucket",
            Self::HeadObject => "HeadObject",
            Self::ListBuckets => "ListBuckets",
            Self::ListObjects => "ListObjects",
            Self::ListPublicKeys => "ListPublicKeys",
            Self::ListTrails => "ListTrails",
            Self::LookupEvents => "LookupEvents",
            Self::Other => "Unknown",
        }
    }

    /// The service and the operation of it that an `X-Amz-Target` header names; no operation where it names one that is not
    /// served. Nothing where the header is for another service.
    #[must_use]
    pub fn from_target(target: &str) -> Option<(Source, Option<Self>)> {
        let (service, name) = target.rsplit_once('.')?;
        let (source, operations) = match service {
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101" | "CloudTrail_20131101" => {
                (Source::CloudTrail, Self::CLOUDTRAIL.as_slice())
            }
            "Logs_20140328" => (Source::Logs, Self::LOGS.as_slice()),
            _ => return None,
        };
        Some((source, operations.iter().copied().find(|operation| operation.name() == name)))
    }
}

impl AnyOperation for Operation {
    fn name(self) -> &'static str {
        self.name()
    }

    fn read_only(self) -> bool {
        true
    }

    fn source(self) -> Source {
        match self {
            Self::DescribeTrails
            | Self::GetTrail
            | Self::GetTrailStatus
            | Self::ListPublicKeys
            | Self::ListTrails
            | Self::LookupEvents => Source::CloudTrail,
            Self::DescribeLogGroups
            | Self::DescribeLogStreams
            | Self::FilterLogEvents
            | Self::GetLogEvents => Source::Logs,
            Self::GetBucketLocation
            | Self::GetObject
            | Self::HeadBucket
            | Self::HeadObject
            | Self::ListBuckets
            | Self::ListObjects
            | Self::Other => Source::S3,
        }
    }
}

/// An authenticated request.
pub type Request<'a> = keyreeve_core::request::Request<'a, Operation>;

/// What leaves.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The code, where the answer is an error.
    pub error: Option<&'static str>,
}

/// The type of a body in JSON.
const JSON: &str = "application/x-amz-json-1.1";

impl Answer {
    /// The answer of CloudTrail or CloudWatch Logs that is this error.
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Self {
        let Refusal { status, code, .. } = *refusal;
        Self { status, content_type: JSON, headers: Vec::new(), body: refusal.to_json(), error: Some(code) }
    }
}

/// The trail that is asked about, and where it lies.
pub(crate) struct Asked<'a> {
    pub(crate) names: &'a TrailNames,
    pub(crate) archive: &'a dyn Archive,
    /// Who opens what is encrypted; S3 alone asks.
    pub(crate) keys: Option<&'a dyn ObjectKeys>,
}

/// Handles a request of CloudTrail or CloudWatch Logs. The answer is returned only once its record is in the trail.
pub async fn answer_json(
    service: &Service,
    trail: &dyn Trail,
    request: &Request<'_>,
    (names, archive): (&TrailNames, &dyn Archive),
    body: &[u8],
) -> Answer {
    let head = request.head(Some(request.caller), request.caller.account());
    let mut notes = Notes::default();
    let mut cx = request.context(service, trail, &head, &mut notes, request.caller);
    let asked = Asked { names, archive, keys: None };
    let outcome = dispatch(&mut cx, request.operation, &asked, body).await;
    drop(cx);
    let mut refused = outcome.as_ref().err().map(Refusal::for_trail);
    // The trail has nothing of what was asked of Logs by whoever was not let through, and calls that as most services do.
    if let (Source::Logs, Some((code @ "AccessDeniedException", _))) =
        (request.operation.source(), &mut refused)
    {
        *code = "AccessDenied";
        notes.request_parameters.clear();
    }
    if head.complete(trail, &notes, refused).await.is_err() {
        return Answer::refused(&Refusal::internal());
    }
    match outcome {
        Ok(body) => Answer { status: 200, content_type: JSON, headers: Vec::new(), body, error: None },
        Err(refusal) => Answer::refused(&refusal),
    }
}

async fn dispatch(
    cx: &mut Cx<'_>,
    operation: Operation,
    asked: &Asked<'_>,
    body: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let answer = match operation {
        Operation::DescribeLogGroups => logs::describe_log_groups(cx, asked, body).await?,
        Operation::DescribeLogStreams => logs::describe_log_streams(cx, asked, body).await?,
        Operation::DescribeTrails => cloudtrail::describe_trails(cx, asked, body).await?,
        Operation::FilterLogEvents => logs::filter_log_events(cx, asked, body).await?,
        Operation::GetLogEvents => logs::get_log_events(cx, asked, body).await?,
        Operation::GetTrail => cloudtrail::get_trail(cx, asked, body).await?,
        Operation::GetTrailStatus => cloudtrail::get_trail_status(cx, asked, body).await?,
        Operation::ListPublicKeys => cloudtrail::list_public_keys(cx, asked, body).await?,
        Operation::ListTrails => cloudtrail::list_trails(cx, asked, body).await?,
        Operation::LookupEvents => lookup::lookup_events(cx, asked, body).await?,
        Operation::GetBucketLocation
        | Operation::GetObject
        | Operation::HeadBucket
        | Operation::HeadObject
        | Operation::ListBuckets
        | Operation::ListObjects
        | Operation::Other => return Err(Refusal::internal()),
    };
    Ok(answer.to_string().into_bytes())
}

/// Handles a request of S3; `keys` opens objects that are encrypted. The answer is returned only once its record is in the trail.
pub async fn answer_s3(
    service: &Service,
    trail: &dyn Trail,
    request: &Request<'_>,
    (names, archive, keys): (&TrailNames, &dyn Archive, &dyn ObjectKeys),
    s3: &S3Asked,
) -> Answer {
    let head = request.head(Some(request.caller), request.caller.account());
    let mut notes = Notes::default();
    let mut cx = request.context(service, trail, &head, &mut notes, request.caller);
    let asked = Asked { names, archive, keys: Some(keys) };
    let outcome = s3::handle(&mut cx, &asked, s3).await;
    drop(cx);
    let refused = outcome.as_ref().err().map(Refusal::for_trail);
    let id = request.request_id;
    if head.complete(trail, &notes, refused).await.is_err() {
        return s3::refused(&Refusal::internal(), s3, id.as_str());
    }
    outcome.unwrap_or_else(|refusal| s3::refused(&refusal, s3, id.as_str()))
}
