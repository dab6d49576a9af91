//! What requests to collectors of OpenTelemetry have in common: the headers that a collector asks for, and compression.
//!
//! Headers stand in a file, for one of them is a secret mostly. It is read for each request, so that a token is replaced without a
//! restart. INVARIANT: no error and no log has what stands in it.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::data_dir::warn_if_others_read;
use crate::exit::Failure;

/// How requests to a collector are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct CollectorRequest {
    headers: Option<PathBuf>,
    is_packed: bool,
}

impl CollectorRequest {
    /// Requests to `url` with the headers in the file `headers`, which is the value of `option`, compressed where `is_packed`.
    ///
    /// # Errors
    /// Where the file cannot be used, or would be told to whoever listens on the way.
    pub(crate) fn new(
        url: &Uri,
        headers: Option<&Path>,
        option: &str,
        is_packed: bool,
    ) -> Result<Self, Failure> {
        if let Some(path) = headers {
            let fault = |why: &dyn std::fmt::Display| {
                Failure::Config(format!("{option}, `{}`: {why}.", path.display()))
            };
            if url.scheme_str() != Some("https") && !is_here(url) {
                return Err(fault(&"headers go over https alone, or to this machine"));
            }
            let file = fs::File::open(path).map_err(|error| fault(&error))?;
            warn_if_others_read(path, &file);
            read(&file).map_err(|error| fault(&error))?;
        }
        Ok(Self { headers: headers.map(Path::to_owned), is_packed })
    }

    /// Adds to `headers` what a request needs that has `body`; the body as it is sent.
    ///
    /// # Errors
    /// Where the file cannot be read now.
    pub(crate) fn prepare(&self, headers: &mut HeaderMap, body: Vec<u8>) -> io::Result<Vec<u8>> {
        if let Some(path) = &self.headers {
            let fault = |error| io::Error::other(format!("`{}`: {error}", path.display()));
            let file = fs::File::open(path).map_err(fault)?;
            headers.extend(read(&file).map_err(fault)?);
        }
        if !self.is_packed {
            return Ok(body);
        }
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let mut packed = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
        packed.write_all(&body)?;
        packed.finish()
    }
}

/// Whether a URL names this machine.
fn is_here(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn read(file: &fs::File) -> io::Result<HeaderMap> {
    let mut text = String::new();
    file.take(BYTES_MOST + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|len| len > BYTES_MOST) {
        return Err(io::Error::other("it has more than 64 KiB"));
    }
    parse(&text)
        .map_err(|line| io::Error::other(format!("line {line} is no header `NAME: VALUE` that may be set")))
}

/// The headers of a text, one in each line; empty lines and those that begin with `#` say nothing. The number of a line that is none
/// otherwise.
fn parse(text: &str) -> Result<HeaderMap, usize> {
    let mut headers = HeaderMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let header = || {
            let (name, value) = line.split_once(':')?;
            let name: HeaderName = name.trim().parse().ok().filter(|name| !OURS.contains(name))?;
            let mut value = HeaderValue::from_str(value.trim()).ok().filter(|value| !value.is_empty())?;
            value.set_sensitive(true);
            Some((name, value))
        };
        let (name, value) = header().ok_or(at.saturating_add(1))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// What every request has already.
const OURS: [HeaderName; 7] =
    [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT];
const BYTES_MOST: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_of_headers_has_one_in_each_line() {
        let read =
            parse("# of the vendor\r\n\nAuthorization: Basic a:b==\r\nx-honeycomb-team:key \n").unwrap();
        let read: Vec<_> =
            read.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(read, [("authorization", "Basic a:b=="), ("x-honeycomb-team", "key")]);
        for (text, line) in [
            ("a: b\nno header", 2),
            (": b", 1),
            ("a b: c", 1),
            ("a:", 1),
            ("a: \u{7f}", 1),
            ("Content-Type: x", 1),
            ("host: x", 1),
            ("\n\nContent-Length: 1", 3),
        ] {
            assert_eq!(parse(text).unwrap_err(), line, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_no_value_is_shown(text in "(authorization|[ -~\n]{0,9}): ?secret[ -~]{0,9}\n?") {
            if let Ok(headers) = parse(&text) {
                let shown = format!("{headers:?}");
                prop_assert!(!shown.contains("secret"), "{}", shown);
            }
        }
    }

    #[test]
    fn headers_go_over_tls_or_stay_on_this_machine() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "api-key: secret").unwrap();
        for (url, is_taken) in [
            ("https://c.example.com/v1/logs", true),
            ("http://127.0.0.1:4318/v1/logs", true),
            ("http://[::1]:4318/v1/logs", true),
            ("http://localhost/v1/logs", true),
            ("http://localhost.example.com/v1/logs", false),
            ("http://10.0.0.1/v1/logs", false),
        ] {
            let url = Uri::from_static(url);
            assert_eq!(CollectorRequest::new(&url, Some(file.path()), "o", true).is_ok(), is_taken, "{url}");
            assert!(CollectorRequest::new(&url, None, "o", true).is_ok(), "{url}");
        }
    }
}
