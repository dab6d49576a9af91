//! The objects of the bucket, in pages.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.

use keyreeve_core::Cx;

use super::xml::{DECLARATION, NAMESPACE, encoded, push};
use super::{S3Asked, answer, etag};
use crate::answer::{Answer, Asked};
use crate::archive::ObjectInfo;
use crate::layout::account_prefix;
use crate::refusal::Refusal;

/// The most entries of a page.
const KEYS_MOST: usize = 1000;

/// Objects that are asked for behind a common prefix.
const FEW: usize = 2;

/// What a page lists.
enum Entry {
    Object(ObjectInfo),
    /// What the names of several objects begin with, up to the delimiter.
    CommonPrefix(String),
}

impl Entry {
    /// The name that the next page begins after.
    fn name(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::CommonPrefix(prefix) => prefix,
        }
    }
}

/// A page of objects.
pub(super) async fn list(cx: &Cx<'_>, asked: &Asked<'_>, s3: &S3Asked) -> Result<Answer, Refusal> {
    let is_second = s3.parameter("list-type") == Some("2");
    let own = account_prefix(&asked.names.prefix, cx.caller.account());
    let prefix = s3.parameter("prefix").unwrap_or_default();
    let delimiter = s3.parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    let limit = match s3.parameter("max-keys") {
        None => KEYS_MOST,
        Some(text) => text.parse().map(|most: usize| most.min(KEYS_MOST)).map_err(|_error| {
            Refusal::new("InvalidArgument", "Provided max-keys not an integer or within integer range")
        })?,
    };
    let (token, marker) = (s3.parameter("continuation-token"), s3.parameter("marker"));
    let from = if is_second { token.or(s3.parameter("start-after")) } else { marker };
    // Of what is another account's nothing is seen.
    let seen = if own.starts_with(prefix) {
        Some(own.as_str())
    } else {
        Some(prefix).filter(|prefix| prefix.starts_with(&own))
    };
    let mut entries = match seen {
        Some(seen) if limit > 0 => {
            let listing = Listing { asked, seen, prefix, delimiter };
            listing.entries(from.unwrap_or_default(), limit + 1).await?
        }
        Some(_) | None => Vec::new(),
    };
    let is_truncated = entries.len() > limit;
    entries.truncate(limit);
    let last = entries.last().filter(|_| is_truncated).map(Entry::name);
    let encodes = s3.parameter("encoding-type") == Some("url");
    let name = |text: &str| if encodes { encoded(text) } else { text.to_owned() };
    let mut body = format!("{DECLARATION}<ListBucketResult xmlns=\"{NAMESPACE}\">");
    push(&mut body, "Name", &s3.bucket);
    push(&mut body, "Prefix", &name(prefix));
    if is_second {
        push(&mut body, "KeyCount", &entries.len().to_string());
        for (member, text) in [("ContinuationToken", token), ("NextContinuationToken", last)] {
            if let Some(text) = text {
                push(&mut body, member, text);
            }
        }
        if let Some(start) = s3.parameter("start-after") {
            push(&mut body, "StartAfter", &name(start));
        }
    } else {
        push(&mut body, "Marker", &name(from.unwrap_or_default()));
        // Without a delimiter, the name of the last object is the next marker.
        if let (Some(last), Some(_)) = (last, delimiter) {
            push(&mut body, "NextMarker", &name(last));
        }
    }
    if let Some(delimiter) = delimiter {
        push(&mut body, "Delimiter", &name(delimiter));
    }
    push(&mut body, "MaxKeys", &limit.to_string());
    if encodes {
        push(&mut body, "EncodingType", "url");
    }
    push(&mut body, "IsTruncated", if is_truncated { "true" } else { "false" });
    for entry in &entries {
        if let Entry::Object(ObjectInfo { key, len, modified }) = entry {
            body.push_str("<Contents>");
            push(&mut body, "Key", &name(key));
            push(&mut body, "LastModified", &crate::layout::iso(*modified).replace('Z', ".000Z"));
            push(&mut body, "ETag", &etag(key, *len));
            push(&mut body, "Size", &len.to_string());
            push(&mut body, "StorageClass", "STANDARD");
            body.push_str("</Contents>");
        }
    }
    for entry in &entries {
        if let Entry::CommonPrefix(common) = entry {
            body.push_str("<CommonPrefixes>");
            push(&mut body, "Prefix", &name(common));
            body.push_str("</CommonPrefixes>");
        }
    }
    body.push_str("</ListBucketResult>");
    Ok(answer(body.into_bytes()))
}

/// The objects that a request for pages of them is about.
struct Listing<'a> {
    asked: &'a Asked<'a>,
    /// What the names of all begin with that the caller sees.
    seen: &'a str,
    /// What the caller says that they begin with.
    prefix: &'a str,
    delimiter: Option<&'a str>,
}

impl Listing<'_> {
    /// The first `most` entries after `from`.
    ///
    /// Behind a common prefix few are asked for, since all of them may be under the next one; then more, as long as they are not.
    async fn entries(&self, from: &str, most: usize) -> Result<Vec<Entry>, Refusal> {
        let mut entries = Vec::new();
        let mut at_once = most;
        // A page that ended with a common prefix has told all that it stands for.
        let mut after = if self.common_prefix(from) == Some(from) { past(from) } else { from.to_owned() };
        loop {
            let wanted = most.saturating_sub(entries.len()).min(at_once);
            let objects = self.asked.archive.list(self.seen.to_owned(), after, wanted).await?;
            let is_all = objects.len() < wanted;
            for object in objects {
                let common = self.common_prefix(&object.key);
                match (common, entries.last()) {
                    (Some(common), Some(Entry::CommonPrefix(known))) if common == known => {}
                    (Some(common), _) => entries.push(Entry::CommonPrefix(common.to_owned())),
                    (None, _) => entries.push(Entry::Object(object)),
                }
            }
            (after, at_once) = match entries.last() {
                Some(Entry::CommonPrefix(common)) => (past(common), FEW),
                Some(Entry::Object(object)) => (object.key.clone(), at_once.saturating_mul(4).min(most)),
                None => return Ok(entries),
            };
            if is_all || entries.len() >= most {
                return Ok(entries);
            }
        }
    }

    /// What a name begins with, up to the first delimiter after the prefix.
    fn common_prefix<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (delimiter, rest) = (self.delimiter?, name.strip_prefix(self.prefix)?);
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        name.get(..end)
    }
}

/// What comes after every name that begins with `prefix`.
fn past(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

#[cfg(test)]
mod tests {
    use core::future::ready;
    use core::sync::atomic::{AtomicUsize, Ordering};

    use keyreeve_domain::{AccountId, Timestamp};
    use keyreeve_store::conformance::block_on;

    use super::*;
    use crate::archive::{Archive, Found, Object, PublicKey, Reply, Status, Wanted};
    use crate::layout::TrailNames;

    /// Objects of these names, in order, and how many were listed.
    struct Names(Vec<&'static str>, AtomicUsize);

    impl Archive for Names {
        fn lookup(&self, _wanted: Wanted) -> Reply<'_, Vec<Found>> {
            Box::pin(ready(Ok(Vec::new())))
        }

        fn list(&self, prefix: String, after: String, limit: usize) -> Reply<'_, Vec<ObjectInfo>> {
            let names = self.0.iter().filter(|name| name.starts_with(&prefix) && **name > after.as_str());
            let object = |name: &&str| ObjectInfo {
                key: (*name).to_owned(),
                len: 1,
                modified: Timestamp::from_millis(0),
            };
            let listed: Vec<_> = names.take(limit).map(object).collect();
            self.1.fetch_add(listed.len(), Ordering::Relaxed);
            Box::pin(ready(Ok(listed)))
        }

        fn object(&self, _key: String) -> Reply<'_, Option<Object>> {
            Box::pin(ready(Ok(None)))
        }

        fn public_keys(&self) -> Vec<PublicKey> {
            Vec::new()
        }

        fn status(&self, _account: AccountId) -> Status {
            Status::default()
        }
    }

    fn names_of_trail() -> TrailNames {
        TrailNames {
            home: "us-east-1".parse().unwrap(),
            kms_key: None,
            trail: "t".to_owned(),
            bucket: "b".to_owned(),
            prefix: String::new(),
        }
    }

    #[test]
    fn a_common_prefix_is_passed_without_listing_what_is_under_it() {
        let names: Vec<&'static str> =
            (0..100).flat_map(|at| (0..50).map(move |of| &*format!("{at:03}/{of:03}").leak())).collect();
        let (names, trail) = (Names(names, AtomicUsize::new(0)), names_of_trail());
        let asked = Asked { names: &trail, archive: &names, keys: None };
        let listing = Listing { asked: &asked, seen: "", prefix: "", delimiter: Some("/") };
        assert_eq!(block_on(listing.entries("", 1001)).unwrap().len(), 100);
        let listed = names.1.load(Ordering::Relaxed);
        assert!(listed <= 1001 + 2 * 100, "{listed} of 5000");
    }

    #[test]
    fn pages_of_any_size_list_the_same_names_and_common_prefixes() {
        let names = vec!["a", "b/1", "b/2", "b/3", "b0", "c/d/1", "c/d/2", "c/e", "f"];
        let names = Names(names, AtomicUsize::new(0));
        let trail = names_of_trail();
        let asked = Asked { names: &trail, archive: &names, keys: None };
        for (prefix, delimiter, expected) in [
            ("", None, &["a", "b/1", "b/2", "b/3", "b0", "c/d/1", "c/d/2", "c/e", "f"][..]),
            ("", Some("/"), &["a", "b/*", "b0", "c/*", "f"]),
            ("c/", Some("/"), &["c/d/*", "c/e"]),
            ("c", Some("/"), &["c/*"]),
            ("b/", Some("0"), &["b/1", "b/2", "b/3"]),
            ("x", Some("/"), &[]),
        ] {
            for size in 1..=10 {
                let listing = Listing { asked: &asked, seen: prefix, prefix, delimiter };
                let (mut listed, mut from) = (Vec::new(), String::new());
                loop {
                    let page = block_on(listing.entries(&from, size + 1)).unwrap();
                    let is_truncated = page.len() > size;
                    for entry in page.iter().take(size) {
                        from = entry.name().to_owned();
                        listed.push(match entry {
                            Entry::Object(object) => object.key.clone(),
                            Entry::CommonPrefix(common) => format!("{common}*"),
                        });
                    }
                    if !is_truncated {
                        break;
                    }
                }
                assert_eq!(listed, expected, "{prefix} {delimiter:?} in pages of {size}");
            }
        }
    }
}
