//! The keys of OpenID Connect identity providers: from files that the operator pinned, or from the providers themselves.
//!
//! A pinned file is read anew whenever it is asked for. What a provider publishes is kept for a while, and so is the news
//! that it could not be had; whoever asks meanwhile waits for the one request that is under way. Sources:
//! <https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig>, RFC 7517 section 5.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyreeve_core::identity::issuer::{IssuerError, IssuerKeys, KeysFuture};
use parking_lot::Mutex;
use serde::Deserialize;

use crate::config::IdentitySection;
use crate::exit::Failure;
use crate::https::Https;

/// How long published keys are kept.
const KEPT: Duration = Duration::from_secs(600);
/// How long they are kept where somebody asks for fresh ones.
const KEPT_FRESH: Duration = Duration::from_secs(30);
/// How long a provider that failed is left alone.
const FAILED: Duration = Duration::from_secs(5);
/// The bytes that a key set may have.
pub(crate) const MOST: u64 = 1 << 20;

/// The identity providers of the configuration, by URL without `https://`.
pub(crate) struct Issuers {
    pinned: HashMap<String, PathBuf>,
    published: HashMap<String, Published>,
    https: Https,
}

/// The keys of a provider that publishes them.
#[derive(Default)]
struct Published {
    held: Mutex<Held>,
    /// Held by whoever fetches.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    keys: Option<(Instant, Arc<str>)>,
    failed: Option<(Instant, IssuerError)>,
}

impl Held {
    /// What can be answered with at once.
    fn answer(&self, fresh: bool, now: Instant) -> Option<Result<Arc<str>, IssuerError>> {
        let within = |at: Instant, limit| now.saturating_duration_since(at) < limit;
        let keys = |limit| self.keys.as_ref().filter(|(at, _)| within(*at, limit));
        if let Some((_, keys)) = keys(if fresh { KEPT_FRESH } else { KEPT }) {
            return Some(Ok(Arc::clone(keys)));
        }
        let (_, error) = self.failed.as_ref().filter(|(at, _)| within(*at, FAILED))?;
        // Keys that were asked for anew are still better than none.
        Some(keys(KEPT).map_or_else(|| Err(error.clone()), |(_, keys)| Ok(Arc::clone(keys))))
    }
}

/// What is needed of the configuration of a provider.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Issuers {
    /// The providers of the configuration.
    pub(crate) fn new(config: &IdentitySection) -> Result<Self, Failure> {
        let pinned: HashMap<_, _> = config.jwks.iter().map(|(url, path)| (name(url), path.clone())).collect();
        let published: HashMap<_, _> =
            config.issuers.iter().map(|url| (name(url), Published::default())).collect();
        if let Some(url) = published.keys().find(|url| pinned.contains_key(*url)) {
            return Err(Failure::Config(format!("[identity] jwks and issuers both name https://{url}.")));
        }
        let https = Https::new(config.issuer_ca.as_deref(), "[identity] issuer_ca")?;
        Ok(Self { pinned, published, https })
    }

    async fn published(&self, url: &str, of: &Published, fresh: bool) -> Result<Arc<str>, IssuerError> {
        if let Some(answer) = of.held.lock().answer(fresh, Instant::now()) {
            return answer;
        }
        let _fetching = of.fetching.lock().await;
        if let Some(answer) = of.held.lock().answer(fresh, Instant::now()) {
            return answer;
        }
        let fetched = self.fetch(url).await;
        let mut held = of.held.lock();
        let now = Instant::now();
        match &fetched {
            Ok(keys) => *held = Held { keys: Some((now, Arc::clone(keys))), failed: None },
            Err(error) => held.failed = Some((now, error.clone())),
        }
        fetched
    }

    async fn fetch(&self, url: &str) -> Result<Arc<str>, IssuerError> {
        let failed = |error: &dyn std::fmt::Display| IssuerError(error.to_string());
        let discovery = self.https.get(&format!("https://{url}/.well-known/openid-configuration")).await;
        let discovery = discovery.map_err(|error| failed(&error))?;
        let Discovery { issuer, jwks_uri } =
            serde_json::from_slice(&discovery).map_err(|error| failed(&error))?;
        if name(&issuer) != url || !issuer.starts_with(SCHEME) {
            return Err(IssuerError(format!("https://{url} says that it is the issuer `{issuer}`")));
        }
        if !jwks_uri.starts_with(SCHEME) {
            return Err(IssuerError(format!("the jwks_uri `{jwks_uri}` of https://{url} is not https")));
        }
        let keys = self.https.get(&jwks_uri).await.map_err(|error| failed(&error))?;
        Ok(String::from_utf8(keys).map_err(|error| failed(&error))?.into())
    }
}

impl IssuerKeys for Issuers {
    fn keys<'a>(&'a self, url: &'a str, fresh: bool) -> KeysFuture<'a> {
        Box::pin(async move {
            if let Some(path) = self.pinned.get(url) {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&path)).await;
                return read.map_err(|error| IssuerError(error.to_string()))?;
            }
            match self.published.get(url) {
                Some(of) => self.published(url, of, fresh).await,
                None => Err(IssuerError(format!(
                    "https://{url} is neither in [identity] jwks nor in [identity] issuers"
                ))),
            }
        })
    }
}

/// Reads a pinned file.
fn read(path: &Path) -> Result<Arc<str>, IssuerError> {
    let failed = |error: &dyn std::fmt::Display| IssuerError(format!("`{}`: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut text = String::new();
    let read = file.take(MOST + 1).read_to_string(&mut text).map_err(|error| failed(&error))?;
    if u64::try_from(read).is_ok_and(|read| read > MOST) {
        return Err(failed(&"it is longer than 1 MiB"));
    }
    Ok(text.into())
}

const SCHEME: &str = "https://";

/// The URL of a provider as providers are named: without scheme and final slash.
fn name(url: &str) -> String {
    url.strip_prefix(SCHEME).unwrap_or(url).trim_end_matches('/').to_owned()
}

/// Whether `text` can be the URL of a provider.
pub(crate) fn is_issuer(text: &str) -> bool {
    let rest = text.strip_prefix(SCHEME).unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    !host.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@'))
}

/// Refuses URLs that cannot be those of providers.
pub(crate) fn check(jwks: &BTreeMap<String, PathBuf>, issuers: &[String]) -> Result<(), Failure> {
    match jwks.keys().chain(issuers).find(|url| !is_issuer(url)) {
        None => Ok(()),
        Some(url) => Err(Failure::Config(format!(
            "[identity] `{url}` is not the URL of an identity provider, such as https://token.example.com."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuers(config: &str) -> Issuers {
        Issuers::new(&toml::from_str(config).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_pinned_file_is_read_anew_whenever_it_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jwks.json");
        let issuers = issuers(&format!("jwks = {{ \"https://token.example.com/\" = {path:?} }}"));
        assert!(issuers.keys("token.example.com", false).await.is_err());
        for text in ["{\"keys\":[]}", "{\"keys\":[{}]}"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(issuers.keys("token.example.com", false).await.as_deref(), Ok(text));
        }
        std::fs::write(&path, vec![b' '; (1 << 20) + 1]).unwrap();
        assert!(issuers.keys("token.example.com", false).await.unwrap_err().0.contains("1 MiB"));
    }

    #[tokio::test]
    async fn a_provider_that_is_not_listed_has_no_keys() {
        let issuers = issuers("issuers = [\"https://token.example.com\"]");
        let error = issuers.keys("other.example.com", false).await.unwrap_err();
        assert!(error.0.contains("neither"), "{error}");
    }

    /// What a provider answers with, by path.
    type Documents = Arc<Mutex<HashMap<&'static str, (u16, String)>>>;

    /// A provider on a free port of this machine: the port, and the paths that it was asked for.
    async fn provider(documents: Documents) -> (u16, Arc<Mutex<Vec<String>>>) {
        use rustls_pki_types::pem::PemObject;
        use rustls_pki_types::{CertificateDer, PrivateKeyDer};
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let files = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/issuer/server");
        let chain = vec![CertificateDer::from_pem_file(format!("{files}.crt")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(format!("{files}.key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let path = String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned();
                let (status, body) =
                    documents.lock().get(path.as_str()).cloned().unwrap_or((404, String::new()));
                log.lock().push(path);
                let answer = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.ok();
            }
        });
        (port, asked)
    }

    const CONFIGURATION: &str = "/.well-known/openid-configuration";

    #[tokio::test]
    async fn published_keys_are_fetched_once_for_all_who_ask_meanwhile() {
        let documents = Documents::default();
        let (port, asked) = provider(Arc::clone(&documents)).await;
        let url = format!("localhost:{port}");
        let discovery = serde_json::json!({"issuer": format!("https://{url}"), "jwks_uri": format!("https://{url}/jwks")});
        documents.lock().insert(CONFIGURATION, (200, discovery.to_string()));
        documents.lock().insert("/jwks", (200, "{\"keys\":[]}".into()));
        let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/issuer/ca.crt");
        let issuers = issuers(&format!("issuers = [\"https://{url}\"]\nissuer_ca = \"{ca}\""));
        let (one, other) = tokio::join!(issuers.keys(&url, false), issuers.keys(&url, true));
        assert_eq!(one.as_deref(), Ok("{\"keys\":[]}"));
        assert_eq!(one, other);
        assert_eq!(*asked.lock(), [CONFIGURATION, "/jwks"]);
    }

    #[tokio::test]
    async fn a_provider_that_is_not_what_it_should_be_has_no_keys() {
        let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/issuer/ca.crt");
        for (name, trusted, status, issuer, keys, length, expected) in [
            ("an unknown certificate", false, 200, "", "https", 2, "certificate"),
            ("another issuer", true, 200, "/other", "https", 2, "says that it is the issuer"),
            ("keys in the clear", true, 200, "", "http", 2, "is not https"),
            ("a redirect", true, 302, "", "https", 2, "302"),
            ("a long document", true, 200, "", "https", (1 << 20) + 1, "length limit"),
        ] {
            let documents = Documents::default();
            let (port, asked) = provider(Arc::clone(&documents)).await;
            let url = format!("localhost:{port}");
            let discovery = serde_json::json!({"issuer": format!("https://{url}{issuer}"), "jwks_uri": format!("{keys}://{url}/jwks")});
            documents.lock().insert(CONFIGURATION, (status, discovery.to_string()));
            documents.lock().insert("/jwks", (200, " ".repeat(length)));
            let ca = if trusted { format!("issuer_ca = \"{ca}\"") } else { String::new() };
            let issuers = issuers(&format!("issuers = [\"https://{url}\"]\n{ca}"));
            let error = issuers.keys(&url, false).await.unwrap_err();
            assert!(error.0.contains(expected), "{name}: {error}");
            let before = asked.lock().len();
            assert_eq!(issuers.keys(&url, true).await, Err(error), "{name}");
            assert_eq!(asked.lock().len(), before, "{name}: the failure is kept");
        }
    }

    #[test]
    fn what_is_kept_is_answered_with_for_as_long_as_it_is_said_to_be() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let keys: Arc<str> = "keys".into();
        let error = IssuerError("down".into());
        let good = Some((start, Arc::clone(&keys)));
        let bad = |seconds| Some((after(seconds), error.clone()));
        let (ok, down) = (Some(Ok(keys)), Some(Err(error.clone())));
        for (name, keys, failed, fresh, seconds, expected) in [
            ("nothing is kept", None, None, false, 0, &None),
            ("keys are kept", good.clone(), None, false, 599, &ok),
            ("keys grow old", good.clone(), None, false, 600, &None),
            ("fresh ones are had again", good.clone(), None, true, 30, &None),
            ("but not at once", good.clone(), None, true, 29, &ok),
            ("a failure is kept", None, bad(0), false, 4, &down),
            ("but not for long", None, bad(0), true, 5, &None),
            ("old keys stand in for fresh ones", good.clone(), bad(100), true, 101, &ok),
            ("but not for ever", good, bad(600), true, 601, &down),
        ] {
            let held = Held { keys, failed };
            assert_eq!(held.answer(fresh, after(seconds)), *expected, "{name}");
        }
    }

    #[test]
    fn a_provider_is_named_by_an_https_url() {
        for (url, expected) in [
            ("https://token.example.com", true),
            ("https://token.example.com:8443/a/", true),
            ("http://token.example.com", false),
            ("https:///a", false),
            ("token.example.com", false),
            ("https://token.example.com?a", false),
        ] {
            assert_eq!(is_issuer(url), expected, "{url}");
        }
    }
}
