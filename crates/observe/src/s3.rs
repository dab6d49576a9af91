//! The part of S3 that reads the files of the trail: one bucket, of which each account sees its own files.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html>; path style alone.

use keyreeve_core::Cx;
use keyreeve_crypto::digest::{LowerHex, sha256};
use keyreeve_domain::Timestamp;
use percent_encoding::percent_decode_str;

use crate::answer::{Answer, Asked, Operation};
use crate::cloudtrail::authorize;
use crate::refusal::Refusal;

mod conditions;
mod listing;
mod object;
mod xml;

use conditions::Conditions;
use xml::{DECLARATION, NAMESPACE, XML, escaped, push};

/// A request, as its head has it.
#[derive(Clone, Debug)]
pub struct S3Asked {
    /// What is asked for.
    pub operation: Operation,
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
    conditions: Conditions,
}

impl S3Asked {
    /// The request that `method`, `path` and `query` make, with what `header` knows by its name in lower case.
    #[must_use]
    pub fn of<'a>(
        method: &str,
        path: &str,
        query: &str,
        header: impl Fn(&'static str) -> Option<&'a str>,
    ) -> Self {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (bucket, key) =
            path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(&value.replace('+', " ")))
        });
        let query: Vec<_> = pairs.collect();
        let has = |wanted: &str| query.iter().any(|(name, _)| name == wanted);
        let only =
            |known: &[&str]| query.iter().all(|(name, _)| is_of_any(name) || known.contains(&name.as_str()));
        let operation = match (method, bucket.is_empty(), key.is_empty()) {
            ("GET", true, true) if only(&[]) => Operation::ListBuckets,
            ("GET", false, true) if has("location") && only(&["location"]) => Operation::GetBucketLocation,
            ("GET", false, true) if only(&LISTING) => Operation::ListObjects,
            ("HEAD", false, true) if only(&[]) => Operation::HeadBucket,
            ("GET", false, false) if only(&[PART_NUMBER]) => Operation::GetObject,
            ("HEAD", false, false) if only(&[PART_NUMBER]) => Operation::HeadObject,
            _ => Operation::Other,
        };
        Self {
            operation,
            bucket: decoded(bucket),
            key: decoded(key),
            query,
            conditions: Conditions::of(header),
        }
    }

    /// Whether it is presigned in the form before the one that is served, version 2.
    #[must_use]
    pub fn is_of_signature_version_2(&self) -> bool {
        self.parameter("AWSAccessKeyId").is_some() && self.parameter("Signature").is_some()
    }

    fn parameter(&self, wanted: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

/// What a listing is asked for.
const LISTING: [&str; 9] = [
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "list-type",
    "marker",
    "max-keys",
    "prefix",
    "start-after",
];
/// A part of an object that was put in parts; those of the trail have one.
const PART_NUMBER: &str = "partNumber";

/// Whether a parameter says nothing of what is asked for: the name of the operation as SDKs add it, and what a signature is made of.
fn is_of_any(name: &str) -> bool {
    let of_signature = name.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("X-Amz-"));
    of_signature || matches!(name, "x-id" | "AWSAccessKeyId" | "Signature" | "Expires")
}

/// The answer that is this error.
#[must_use]
pub fn refused(refusal: &Refusal, asked: &S3Asked, request_id: &str) -> Answer {
    let Refusal { code, status, message } = refusal;
    let mut body = format!("{DECLARATION}<Error><Code>{code}</Code><Message>{}</Message>", escaped(message));
    match *code {
        "NoSuchKey" => push(&mut body, "Key", &asked.key),
        "NoSuchBucket" => push(&mut body, "BucketName", &asked.bucket),
        "InvalidRange" => push(&mut body, "RangeRequested", asked.conditions.range().unwrap_or_default()),
        "InvalidPartNumber" => {
            push(&mut body, "PartNumberRequested", asked.parameter(PART_NUMBER).unwrap_or_default());
            push(&mut body, "ActualPartCount", "1");
        }
        "PreconditionFailed" => push(&mut body, "Condition", asked.conditions.precondition()),
        _ => {}
    }
    push(&mut body, "RequestId", request_id);
    push(&mut body, "HostId", request_id);
    body.push_str("</Error>");
    // The answer to HEAD has no body.
    let is_head = matches!(asked.operation, Operation::HeadBucket | Operation::HeadObject);
    let body = if is_head { Vec::new() } else { body.into_bytes() };
    Answer { status: *status, content_type: XML, headers: Vec::new(), body, error: Some(code) }
}

fn denied() -> Refusal {
    Refusal::new("AccessDenied", "Access Denied").with_status(403)
}

/// Lets the caller through; a refusal has the text of S3.
async fn allowed(cx: &Cx<'_>, action: &str, resource: &str) -> Result<(), Refusal> {
    authorize(cx, action, resource).await.map_err(|refusal| match refusal.status {
        500.. => refusal,
        _ => Refusal { code: "AccessDenied", status: 403, ..refusal },
    })
}

/// Handles a request: who may, then whether it is there.
pub(crate) async fn handle(cx: &mut Cx<'_>, asked: &Asked<'_>, s3: &S3Asked) -> Result<Answer, Refusal> {
    cx.notes.request_parameters = noted(s3);
    let bucket = format!("arn:{}:s3:::{}", asked.names.home.partition(), s3.bucket);
    match s3.operation {
        Operation::ListBuckets => {
            allowed(cx, "s3:ListAllMyBuckets", &format!("{bucket}*")).await?;
            Ok(buckets(cx, asked))
        }
        Operation::GetBucketLocation => {
            allowed(cx, "s3:GetBucketLocation", &bucket).await?;
            exists(asked, s3)?;
            Ok(location(asked))
        }
        Operation::HeadBucket => {
            allowed(cx, "s3:ListBucket", &bucket).await?;
            exists(asked, s3)?;
            Ok(answer(Vec::new()))
        }
        Operation::ListObjects => {
            allowed(cx, "s3:ListBucket", &bucket).await?;
            exists(asked, s3)?;
            listing::list(cx, asked, s3).await
        }
        Operation::GetObject | Operation::HeadObject => {
            allowed(cx, "s3:GetObject", &format!("{bucket}/{}", s3.key)).await?;
            exists(asked, s3)?;
            object::object(cx, asked, s3).await
        }
        Operation::DescribeLogGroups
        | Operation::DescribeLogStreams
        | Operation::DescribeTrails
        | Operation::FilterLogEvents
        | Operation::GetLogEvents
        | Operation::GetTrail
        | Operation::GetTrailStatus
        | Operation::ListPublicKeys
        | Operation::ListTrails
        | Operation::LookupEvents
        | Operation::Other => Err(Refusal::new(
            "NotImplemented",
            "A header or query you provided requested a function that is not implemented.",
        )
        .with_status(501)),
    }
}

fn noted(s3: &S3Asked) -> Vec<u8> {
    let mut noted = Vec::new();
    let mut object = keyreeve_audit::json::Object::begin(&mut noted);
    if !s3.bucket.is_empty() {
        object.string("bucketName", &s3.bucket);
    }
    if !s3.key.is_empty() {
        object.string("key", &s3.key);
    }
    for name in ["prefix", "delimiter", "marker", "max-keys", "location"] {
        if let Some(value) = s3.parameter(name) {
            object.string(name, value);
        }
    }
    object.end();
    noted
}

fn exists(asked: &Asked<'_>, s3: &S3Asked) -> Result<(), Refusal> {
    match s3.bucket == asked.names.bucket {
        true => Ok(()),
        false => Err(Refusal::new("NoSuchBucket", "The specified bucket does not exist").with_status(404)),
    }
}

fn answer(body: Vec<u8>) -> Answer {
    Answer { status: 200, content_type: XML, headers: Vec::new(), body, error: None }
}

fn location(asked: &Asked<'_>) -> Answer {
    let home = asked.names.home.as_str();
    // The first Region has no name.
    let name = if home == "us-east-1" { "" } else { home };
    answer(
        format!("{DECLARATION}<LocationConstraint xmlns=\"{NAMESPACE}\">{name}</LocationConstraint>")
            .into_bytes(),
    )
}

/// The one bucket that there is, of whoever looks.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>.
fn buckets(cx: &Cx<'_>, asked: &Asked<'_>) -> Answer {
    let account = cx.caller.account();
    let owner = LowerHex::new(&sha256(&account.digits()));
    let since = asked.archive.status(account).started.unwrap_or(Timestamp::from_millis(0));
    let mut body = format!("{DECLARATION}<ListAllMyBucketsResult xmlns=\"{NAMESPACE}\"><Owner>");
    push(&mut body, "ID", owner.as_str());
    body.push_str("</Owner><Buckets><Bucket>");
    push(&mut body, "Name", &asked.names.bucket);
    push(&mut body, "CreationDate", &crate::layout::iso(since).replace('Z', ".000Z"));
    body.push_str("</Bucket></Buckets></ListAllMyBucketsResult>");
    answer(body.into_bytes())
}

/// A file is never written twice, so its name and length tell it.
fn etag(key: &str, len: u64) -> String {
    let hash = LowerHex::new(&sha256(format!("{key}\n{len}").as_bytes()));
    format!("\"{}\"", hash.as_str().get(..32).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_its_method_path_and_query_say() {
        for (method, path, query, operation, bucket, key) in [
            ("GET", "/b", "location", Operation::GetBucketLocation, "b", ""),
            ("GET", "/b/", "location=", Operation::GetBucketLocation, "b", ""),
            ("GET", "/b", "marker=x&prefix=y&encoding-type=url", Operation::ListObjects, "b", ""),
            ("GET", "/b", "list-type=2", Operation::ListObjects, "b", ""),
            ("GET", "/b", "policy", Operation::Other, "b", ""),
            ("HEAD", "/b", "", Operation::HeadBucket, "b", ""),
            ("GET", "/b/a/c%20d", "", Operation::GetObject, "b", "a/c d"),
            ("HEAD", "/b/a", "", Operation::HeadObject, "b", "a"),
            ("PUT", "/b/a", "", Operation::Other, "b", "a"),
            ("GET", "/", "", Operation::ListBuckets, "", ""),
            ("GET", "/b/a", "attributes", Operation::Other, "b", "a"),
            ("GET", "/b/a", "x-id=GetObject&versionId=1", Operation::Other, "b", "a"),
            ("HEAD", "/b/a", "versionId=1", Operation::Other, "b", "a"),
            ("GET", "/b/a", "x-id=GetObject&X-Amz-Signature=0&x-amz-date=0", Operation::GetObject, "b", "a"),
            ("GET", "/b/a", "partNumber=1", Operation::GetObject, "b", "a"),
            ("GET", "/b/a", "response-content-type=text/html", Operation::Other, "b", "a"),
            ("GET", "/b", "policyStatus", Operation::Other, "b", ""),
            ("GET", "/b", "list-type=2&metadataTable", Operation::Other, "b", ""),
            ("GET", "/b", "location&policy", Operation::Other, "b", ""),
            ("GET", "/", "prefix=x", Operation::Other, "", ""),
            ("GET", "/", "x-id=ListBuckets", Operation::ListBuckets, "", ""),
        ] {
            let asked = S3Asked::of(method, path, query, |_| None);
            let found = (asked.operation, asked.bucket.as_str(), asked.key.as_str());
            assert_eq!(found, (operation, bucket, key), "{method} {path}?{query}");
        }
    }
}
