//! Where a stream leads.

use std::path::PathBuf;

use http::Uri;
use http::uri::Authority;

/// Where a stream leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// Lines of JSON in a file.
    File(PathBuf),
    /// Requests of OTLP to a collector of OpenTelemetry: its URL, with `http` or `https`.
    Otlp(Uri),
    /// Syslog in datagrams (RFC 5426): host and port.
    Udp(String, u16),
    /// Syslog in frames that are counted (RFC 6587).
    Tcp(String, u16),
    /// The same over TLS (RFC 5425).
    Tls(String, u16),
    /// Syslog in datagrams to a socket of this machine.
    Unix(PathBuf),
}

/// What is said of a URL that is none of them.
pub(super) const FORMS: &str = "it is none of udp://HOST[:PORT], tcp://HOST[:PORT], tls://HOST[:PORT], otlp:http(s)://HOST[:PORT][/PATH], unix:PATH and file:PATH";

const UDP_PORT: u16 = 514;
const TCP_PORT: u16 = 601;
const TLS_PORT: u16 = 6514;

impl Target {
    /// Reads a URL.
    pub(super) fn read(text: &str) -> Option<Self> {
        for (scheme, target) in [("unix:", Self::Unix as fn(PathBuf) -> Self), ("file:", Self::File)] {
            if let Some(path) = text.strip_prefix(scheme) {
                // `unix:///dev/log` is `unix:/dev/log`.
                let path = path.strip_prefix("//").unwrap_or(path);
                return (!path.is_empty() && !path.ends_with('/')).then(|| target(path.into()));
            }
        }
        if let Some(url) = text.strip_prefix("otlp:") {
            return collector(url).map(Self::Otlp);
        }
        let uri: Uri = text.parse().ok()?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('@');
        if host.is_empty() || !is_bare {
            return None;
        }
        let has_port = names_port(uri.authority()?);
        let port = |usual| if has_port { uri.port_u16() } else { Some(usual) };
        match uri.scheme_str()? {
            "udp" => Some(Self::Udp(host.to_owned(), port(UDP_PORT)?)),
            "tcp" => Some(Self::Tcp(host.to_owned(), port(TCP_PORT)?)),
            "tls" => Some(Self::Tls(host.to_owned(), port(TLS_PORT)?)),
            _ => None,
        }
    }

    /// Whether TCP is connected to.
    pub(crate) fn is_tcp(&self) -> bool {
        matches!(self, Self::Otlp(_) | Self::Tcp(..) | Self::Tls(..))
    }

    /// Whether the name of a host may have to be looked up.
    pub(crate) fn has_host(&self) -> bool {
        matches!(self, Self::Otlp(_) | Self::Udp(..) | Self::Tcp(..) | Self::Tls(..))
    }
}

/// Whether a port is said, if only one that is none and must not become the usual one.
fn names_port(authority: &Authority) -> bool {
    authority.as_str().rsplit(']').next().is_some_and(|rest| rest.contains(':'))
}

/// The URL of a collector; its path is that of logs where none is said.
fn collector(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let authority = uri.authority()?;
    let has_host = !authority.host().is_empty() && !authority.as_str().contains('@');
    let has_port = names_port(authority) == authority.port_u16().is_some();
    if !is_http || !has_host || !has_port || uri.query().is_some() {
        return None;
    }
    match uri.path() {
        "" | "/" => format!("{}{LOGS_PATH}", text.trim_end_matches('/')).parse().ok(),
        _ => Some(uri),
    }
}

/// Source: <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>.
const LOGS_PATH: &str = "/v1/logs";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garbled::garbled;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_garbled_target_is_taken_or_refused(
            text in prop_oneof![
                garbled("tls://[2001:db8::1]:6514/"), garbled("udp://collector.example:514"), garbled("unix:///dev/log"),
                any::<String>(),
            ],
        ) {
            drop(Target::read(&text));
        }
    }

    #[test]
    fn a_target_is_one_of_the_forms() {
        for (text, expected) in [
            ("udp://10.0.0.1", Some(Target::Udp("10.0.0.1".to_owned(), 514))),
            ("udp://[::1]:5514", Some(Target::Udp("::1".to_owned(), 5514))),
            ("tcp://logs.example.com", Some(Target::Tcp("logs.example.com".to_owned(), 601))),
            ("tls://logs.example.com:16514", Some(Target::Tls("logs.example.com".to_owned(), 16514))),
            ("unix:/dev/log", Some(Target::Unix("/dev/log".into()))),
            ("unix:///dev/log", Some(Target::Unix("/dev/log".into()))),
            ("file:events.jsonl", Some(Target::File("events.jsonl".into()))),
            (
                "file:///var/log/keyreeve/events.jsonl",
                Some(Target::File("/var/log/keyreeve/events.jsonl".into())),
            ),
            (
                "otlp:http://127.0.0.1:4318",
                Some(Target::Otlp(Uri::from_static("http://127.0.0.1:4318/v1/logs"))),
            ),
            (
                "otlp:https://c.example.com/",
                Some(Target::Otlp(Uri::from_static("https://c.example.com/v1/logs"))),
            ),
            (
                "otlp:https://c.example.com/otlp/v1/logs",
                Some(Target::Otlp(Uri::from_static("https://c.example.com/otlp/v1/logs"))),
            ),
            ("otlp:", None),
            ("otlp:c.example.com", None),
            ("otlp:tcp://c.example.com", None),
            ("otlp:https://user@c.example.com", None),
            ("otlp:https://c.example.com:99999", None),
            ("otlp:https://c.example.com/?x", None),
            ("file:", None),
            ("file:/var/log/", None),
            ("udp://", None),
            ("udp://host:99999", None),
            ("tcp://user@host", None),
            ("tls://host/path", None),
            ("https://host", None),
            ("host:514", None),
            ("", None),
        ] {
            assert_eq!(Target::read(text), expected, "{text}");
        }
    }
}
