//! Where a stream leads.

use std::path::PathBuf;

use http::Uri;

/// Where a stream leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// Lines of JSON in a file.
    File(PathBuf),
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
pub(super) const FORMS: &str =
    "it is none of udp://HOST[:PORT], tcp://HOST[:PORT], tls://HOST[:PORT], unix:PATH and file:PATH";

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
        let uri: Uri = text.parse().ok()?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('@');
        if host.is_empty() || !is_bare {
            return None;
        }
        let authority = uri.authority()?.as_str();
        // A port that is none must not become the usual one.
        let has_port = authority.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
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
        matches!(self, Self::Tcp(..) | Self::Tls(..))
    }

    /// Whether the name of a host may have to be looked up.
    pub(crate) fn has_host(&self) -> bool {
        matches!(self, Self::Udp(..) | Self::Tcp(..) | Self::Tls(..))
    }
}

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
