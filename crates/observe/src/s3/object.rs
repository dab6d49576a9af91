//! One object of the bucket, whole or in part.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>.

use std::time::{Duration, SystemTime};

use keyreeve_core::Cx;
use keyreeve_domain::Timestamp;

use super::conditions::{Part, Unmet};
use super::xml::XML;
use super::{PART_NUMBER, S3Asked, denied, etag};
use crate::answer::{Answer, Asked, Operation};
use crate::archive::Object;
use crate::layout::account_prefix;
use crate::refusal::Refusal;
use crate::sealed_file::SealedFile;

/// An object, or what is said of it.
pub(super) async fn object(cx: &Cx<'_>, asked: &Asked<'_>, s3: &S3Asked) -> Result<Answer, Refusal> {
    if !s3.key.starts_with(&account_prefix(&asked.names.prefix, cx.caller.account())) {
        return Err(denied());
    }
    let Some(Object { info, metadata, mut content, is_sealed }) =
        asked.archive.object(s3.key.clone()).await?
    else {
        return Err(Refusal::new("NoSuchKey", "The specified key does not exist.").with_status(404));
    };
    let tag = etag(&info.key, info.len);
    let mut headers = vec![
        ("last-modified".to_owned(), http_date(info.modified)),
        ("etag".to_owned(), tag.clone()),
        ("accept-ranges".to_owned(), "bytes".to_owned()),
    ];
    match s3.conditions.judge(&tag, info.modified) {
        Ok(()) => {}
        Err(Unmet::NotModified) => {
            return Ok(Answer { status: 304, content_type: XML, headers, body: Vec::new(), error: None });
        }
        Err(Unmet::PreconditionFailed) => {
            let text = "At least one of the pre-conditions you specified did not hold";
            return Err(Refusal::new("PreconditionFailed", text).with_status(412));
        }
    }
    headers.extend(metadata.into_iter().map(|(name, value)| (format!("x-amz-meta-{name}"), value)));
    let part = match s3.parameter(PART_NUMBER) {
        None => s3.conditions.part(info.len),
        // The one part that there is, which is told as a part.
        Some("1") if info.len > 0 => Part::Bytes(0..=info.len - 1),
        Some("1") => Part::Whole,
        Some(_) => {
            let text = "The requested partnumber is not satisfiable";
            return Err(Refusal::new("InvalidPartNumber", text).with_status(416));
        }
    };
    if part == Part::None {
        return Err(Refusal::new("InvalidRange", "The requested range is not satisfiable").with_status(416));
    }
    let is_head = s3.operation == Operation::HeadObject;
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
    let (status, len) = match &part {
        Part::Bytes(bytes) => {
            let (first, last) = (*bytes.start(), *bytes.end());
            headers.push(("content-range".to_owned(), format!("bytes {first}-{last}/{}", info.len)));
            if !is_head {
                content = slice(&content, first, last).ok_or_else(damaged)?;
            }
            (206, last - first + 1)
        }
        Part::Whole | Part::None => (200, info.len),
    };
    if is_head {
        headers.push(("content-length".to_owned(), len.to_string()));
        content = Vec::new();
    }
    Ok(Answer { status, content_type: "application/json", headers, body: content, error: None })
}

/// The bytes from `first` to `last`; nothing where there are fewer.
fn slice(content: &[u8], first: u64, last: u64) -> Option<Vec<u8>> {
    let (first, last) = (usize::try_from(first).ok()?, usize::try_from(last).ok()?);
    content.get(first..=last).map(<[u8]>::to_vec)
}

/// A file of the folder that is not what was delivered.
fn damaged() -> Refusal {
    tracing::error!("an encrypted log file of the trail is not what was delivered");
    Refusal::internal()
}

/// RFC 9110 section 5.6.7.
fn http_date(at: Timestamp) -> String {
    let seconds = u64::try_from(at.millis().div_euclid(1000)).unwrap_or_default();
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_http_has_it() {
        assert_eq!(http_date(Timestamp::from_millis(784_111_777_000)), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
