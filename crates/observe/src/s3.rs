//! The part of S3 that reads the files of the trail: one bucket, of which each account sees its own files.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html>; path style alone.

use core::fmt::Write;

use keyreeve_core::Cx;
use keyreeve_crypto::digest::{LowerHex, sha256};
use keyreeve_domain::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use time::OffsetDateTime;

use crate::answer::{Answer, Asked, Operation};
use crate::archive::{Object, ObjectInfo};
use crate::cloudtrail::authorize;
use crate::layout::account_prefix;
use crate::refusal::Refusal;
use crate::sealed_file::SealedFile;

/// A request, as its head has it.
#[derive(Clone, Debug)]
pub struct S3Asked {
    /// What is asked for.
    pub operation: Operation,
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
}

impl S3Asked {
    /// The request that `method`, `path` and `query` make.
    #[must_use]
    pub fn of(method: &str, path: &str, query: &str) -> Self {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (bucket, key) =
            path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(&value.replace('+', " ")))
        });
        let query: Vec<_> = pairs.collect();
        let has = |wanted: &str| query.iter().any(|(name, _)| name == wanted);
        let operation = match (method, bucket.is_empty(), key.is_empty()) {
            ("GET", false, true) if has("location") => Operation::GetBucketLocation,
            ("GET", false, true) if !query.iter().any(|(name, _)| SUBRESOURCES.contains(&name.as_str())) => {
                Operation::ListObjects
            }
            ("HEAD", false, true) => Operation::HeadBucket,
            ("GET", false, false) if !query.iter().any(|(name, _)| SUBRESOURCES.contains(&name.as_str())) => {
                Operation::GetObject
            }
            ("HEAD", false, false) => Operation::HeadObject,
            _ => Operation::Other,
        };
        Self { operation, bucket: decoded(bucket), key: decoded(key), query }
    }

    fn parameter(&self, wanted: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

/// What a bucket or an object has that is not served.
const SUBRESOURCES: [&str; 12] = [
    "acl",
    "cors",
    "encryption",
    "lifecycle",
    "logging",
    "notification",
    "policy",
    "tagging",
    "torrent",
    "uploads",
    "versioning",
    "versions",
];

const XML: &str = "application/xml";
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The answer that is this error.
#[must_use]
pub fn refused(refusal: &Refusal, asked: &S3Asked, request_id: &str) -> Answer {
    let Refusal { code, status, message } = refusal;
    let mut body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{}</Message>",
        escaped(message)
    );
    match *code {
        "NoSuchKey" => push(&mut body, "Key", &asked.key),
        "NoSuchBucket" => push(&mut body, "BucketName", &asked.bucket),
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
            list(cx, asked, s3).await
        }
        Operation::GetObject | Operation::HeadObject => {
            allowed(cx, "s3:GetObject", &format!("{bucket}/{}", s3.key)).await?;
            exists(asked, s3)?;
            object(cx, asked, s3).await
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
    object.string("bucketName", &s3.bucket);
    if !s3.key.is_empty() {
        object.string("key", &s3.key);
    }
    for name in ["prefix", "marker", "max-keys", "location"] {
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
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"{NAMESPACE}\">{name}</LocationConstraint>"
        )
        .into_bytes(),
    )
}

/// The most objects of a page.
const KEYS_MOST: usize = 1000;

async fn list(cx: &Cx<'_>, asked: &Asked<'_>, s3: &S3Asked) -> Result<Answer, Refusal> {
    let is_second = s3.parameter("list-type") == Some("2");
    let own = account_prefix(&asked.names.prefix, cx.caller.account());
    let prefix = s3.parameter("prefix").unwrap_or_default();
    let limit = match s3.parameter("max-keys") {
        None => KEYS_MOST,
        Some(text) => text.parse().map(|most: usize| most.min(KEYS_MOST)).map_err(|_error| {
            Refusal::new("InvalidArgument", "Provided max-keys not an integer or within integer range")
        })?,
    };
    if s3.parameter("delimiter").is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(Refusal::new("NotImplemented", "Delimiters are not implemented.").with_status(501));
    }
    let from = if is_second {
        s3.parameter("continuation-token").or(s3.parameter("start-after"))
    } else {
        s3.parameter("marker")
    };
    // Of what is another account's nothing is seen.
    let seen = if own.starts_with(prefix) {
        Some(own.clone())
    } else {
        prefix.starts_with(&own).then(|| prefix.to_owned())
    };
    let mut objects = match seen {
        Some(seen) if limit > 0 => {
            asked.archive.list(seen, from.unwrap_or_default().to_owned(), limit + 1).await?
        }
        Some(_) | None => Vec::new(),
    };
    let is_truncated = objects.len() > limit;
    objects.truncate(limit);
    let encodes = s3.parameter("encoding-type") == Some("url");
    let name = |text: &str| if encodes { encoded(text) } else { text.to_owned() };
    let mut body =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"{NAMESPACE}\">");
    push(&mut body, "Name", &s3.bucket);
    push(&mut body, "Prefix", &name(prefix));
    if is_second {
        push(&mut body, "KeyCount", &objects.len().to_string());
        if let Some(token) = s3.parameter("continuation-token") {
            push(&mut body, "ContinuationToken", token);
        }
        if let (true, Some(last)) = (is_truncated, objects.last()) {
            push(&mut body, "NextContinuationToken", &last.key);
        }
    } else {
        push(&mut body, "Marker", &name(from.unwrap_or_default()));
    }
    push(&mut body, "MaxKeys", &limit.to_string());
    if encodes {
        push(&mut body, "EncodingType", "url");
    }
    push(&mut body, "IsTruncated", if is_truncated { "true" } else { "false" });
    for ObjectInfo { key, len, modified } in &objects {
        body.push_str("<Contents>");
        push(&mut body, "Key", &name(key));
        push(&mut body, "LastModified", &crate::layout::iso(*modified).replace('Z', ".000Z"));
        push(&mut body, "ETag", &etag(key, *len));
        push(&mut body, "Size", &len.to_string());
        push(&mut body, "StorageClass", "STANDARD");
        body.push_str("</Contents>");
    }
    body.push_str("</ListBucketResult>");
    Ok(answer(body.into_bytes()))
}

async fn object(cx: &Cx<'_>, asked: &Asked<'_>, s3: &S3Asked) -> Result<Answer, Refusal> {
    if !s3.key.starts_with(&account_prefix(&asked.names.prefix, cx.caller.account())) {
        return Err(denied());
    }
    let Some(Object { info, metadata, content, is_sealed }) = asked.archive.object(s3.key.clone()).await?
    else {
        return Err(Refusal::new("NoSuchKey", "The specified key does not exist.").with_status(404));
    };
    let mut headers = vec![
        ("last-modified".to_owned(), http_date(info.modified)),
        ("etag".to_owned(), etag(&info.key, info.len)),
    ];
    headers.extend(metadata.into_iter().map(|(name, value)| (format!("x-amz-meta-{name}"), value)));
    let is_head = s3.operation == Operation::HeadObject;
    let mut content = content;
    if is_sealed {
        let file = SealedFile::read(&content).filter(|file| file.is_of(&s3.key)).ok_or_else(damaged)?;
        headers.push(("x-amz-server-side-encryption".to_owned(), "aws:kms".to_owned()));
        headers.push(("x-amz-server-side-encryption-aws-kms-key-id".to_owned(), file.key.to_owned()));
        // As with S3, what is said of an object takes no right to its key.
        if !is_head {
            let keys = asked.keys.ok_or_else(Refusal::internal)?;
            let opened = file.open(&keys.decrypt(cx.caller, &file).await?);
            content = opened.map_err(|_unwrap| damaged())?;
        }
    }
    if is_head {
        headers.push(("content-length".to_owned(), info.len.to_string()));
    }
    Ok(Answer {
        status: 200,
        content_type: "application/json",
        headers,
        body: if is_head { Vec::new() } else { content },
        error: None,
    })
}

/// A file of the folder that is not what was delivered.
fn damaged() -> Refusal {
    tracing::error!("an encrypted log file of the trail is not what was delivered");
    Refusal::internal()
}

/// A file is never written twice, so its name and length tell it.
fn etag(key: &str, len: u64) -> String {
    let hash = LowerHex::new(&sha256(format!("{key}\n{len}").as_bytes()));
    format!("\"{}\"", hash.as_str().get(..32).unwrap_or_default())
}

/// RFC 9110 section 5.6.7.
fn http_date(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.millis().div_euclid(1000))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (day, month) = (at.weekday().to_string(), at.month().to_string());
    let short = |text: &str| text.get(..3).unwrap_or_default().to_owned();
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        short(&day),
        at.day(),
        short(&month),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

fn push(out: &mut String, name: &str, text: &str) {
    // Writing to a `String` never fails.
    write!(out, "<{name}>{}</{name}>", escaped(text)).unwrap_or_default();
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Whoever reads XML takes a line feed for it.
            '\r' => out.push_str("&#xD;"),
            // XML 1.0 has no other control characters, and not these two, not even as references.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}');
            }
            other => out.push(other),
        }
    }
    out
}

/// What a name keeps when it is encoded.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
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
            ("GET", "/", "", Operation::Other, "", ""),
        ] {
            let asked = S3Asked::of(method, path, query);
            let found = (asked.operation, asked.bucket.as_str(), asked.key.as_str());
            assert_eq!(found, (operation, bucket, key), "{method} {path}?{query}");
        }
    }

    #[test]
    fn a_text_in_xml_has_the_characters_of_xml_alone() {
        for (text, expected) in [
            ("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"),
            ("tab\t, line\n, return\r", "tab\t, line\n, return&#xD;"),
            ("\0\u{1}\u{b}\u{1f}\u{fffe}\u{ffff}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("\u{7f}é\u{fffd}\u{1f511}", "\u{7f}é\u{fffd}\u{1f511}"),
        ] {
            assert_eq!(escaped(text), expected, "{}", text.escape_debug());
        }
    }

    #[test]
    fn a_time_is_written_as_http_has_it() {
        assert_eq!(http_date(Timestamp::from_millis(784_111_777_000)), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
