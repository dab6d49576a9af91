//! The bucket.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use keyreeve_observe::destination::{Destination, Parcel, Put, PutError, PutReply};
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, Error, GetResult, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, RetryConfig,
};
use rustls::ClientConfig;

use crate::connector::Connector;
use crate::credentials::Source;
use crate::reason::reason;
use crate::signing::Signing;

/// Which bucket, and how it is spoken to.
#[derive(Debug)]
pub struct Options {
    /// The URL of the service.
    pub endpoint: String,
    /// The name of the bucket.
    pub bucket: String,
    /// The Region that requests are signed for.
    pub region: String,
    /// The bucket is in the path of requests, not in the name of the host.
    pub path_style: bool,
    /// Speak plain HTTP to other machines, too.
    pub allow_plain_http: bool,
    /// The KMS key that the service of the bucket is to encrypt objects under (SSE-KMS).
    pub kms_key: Option<String>,
    /// The service knows `If-None-Match: *`.
    pub if_none_match: bool,
    /// How long a request may take.
    pub patience: Duration,
    /// How TLS is spoken; the application protocol is HTTP/1.1.
    pub tls: Arc<ClientConfig>,
    /// The access key.
    pub credentials: Source,
}

/// There can be no such bucket.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The endpoint is none.
    #[error("endpoint is not a URL such as https://s3.eu-central-1.amazonaws.com")]
    Endpoint,
    /// Files would be readable on their way.
    #[error("endpoint is plain HTTP to another machine: say https, or allow_plain_http = true")]
    PlainHttp,
    /// The library refuses.
    #[error("{0}")]
    Other(String),
}

/// A bucket.
#[derive(Debug)]
pub struct Bucket {
    store: AmazonS3,
    if_none_match: bool,
}

impl Bucket {
    /// A bucket, which is not asked anything yet.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn new(options: Options) -> Result<Self, SettingsError> {
        let endpoint = endpoint(&options)?;
        let never = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: 0,
            retry_timeout: options.patience,
        };
        let conditional = match options.if_none_match {
            true => S3ConditionalPut::ETagMatch,
            false => S3ConditionalPut::Disabled,
        };
        let mut builder = AmazonS3Builder::new()
            .with_endpoint(endpoint)
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_virtual_hosted_style_request(!options.path_style)
            .with_allow_http(true)
            .with_credentials(Arc::new(options.credentials))
            .with_crypto_provider(Arc::new(Signing))
            .with_http_connector(Connector { tls: options.tls, patience: options.patience })
            .with_retry(never)
            .with_conditional_put(conditional)
            // A bucket with object lock takes nothing without one.
            .with_checksum_algorithm(Checksum::SHA256);
        if let Some(key) = &options.kms_key {
            builder = builder.with_sse_kms_encryption(key);
        }
        let store = builder.build().map_err(|error| SettingsError::Other(reason(&error)))?;
        Ok(Self { store, if_none_match: options.if_none_match })
    }

    async fn put_once(&self, parcel: Parcel) -> Result<Put, PutError> {
        let Parcel { key, metadata, content } = parcel;
        let path = Path::from(key);
        let mode = match self.if_none_match {
            true => PutMode::Create,
            false => {
                // Whoever else writes between this and the next is not seen.
                if let Some(put) = self.compared(&path, &metadata, &content).await? {
                    return Ok(put);
                }
                PutMode::Overwrite
            }
        };
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, "application/json".into());
        attributes.insert(Attribute::ContentEncoding, "gzip".into());
        for (name, value) in &metadata {
            attributes.insert(Attribute::Metadata(name.clone().into()), value.clone().into());
        }
        let options = PutOptions { mode, attributes, ..PutOptions::default() };
        let payload = PutPayload::from(content.clone());
        match self.store.put_opts(&path, payload, options).await {
            Ok(_) => Ok(Put::Now),
            Err(Error::AlreadyExists { .. }) => match self.compared(&path, &metadata, &content).await? {
                Some(put) => Ok(put),
                // Two conditional writes of one name met, or somebody has removed it since.
                None => Err(PutError::Place("it said that an object is there which is not".to_owned())),
            },
            Err(error) => Err(PutError::Place(reason(&error))),
        }
    }

    /// Whether the object is there, as it is to be; nothing where there is none.
    async fn compared(
        &self,
        path: &Path,
        metadata: &[(String, String)],
        content: &[u8],
    ) -> Result<Option<Put>, PutError> {
        let failed = |error: Error| PutError::Place(reason(&error));
        let found: GetResult = match self.store.get(path).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(failed)?,
        };
        let is_said = metadata.iter().all(|(name, value)| {
            let held = found.attributes.get(&Attribute::Metadata(name.clone().into()));
            held.is_some_and(|held| held.as_ref() == value)
        });
        let is_same = found.bytes().await.map_err(failed)? == content;
        if is_said && is_same { Ok(Some(Put::Already)) } else { Err(PutError::Taken) }
    }
}

impl Destination for Bucket {
    fn put(&self, parcel: Parcel) -> PutReply<'_> {
        Box::pin(self.put_once(parcel))
    }
}

/// The URL that the library takes: with the bucket in its host where that is where it belongs.
fn endpoint(options: &Options) -> Result<String, SettingsError> {
    let uri: Uri = options.endpoint.parse().map_err(|_invalid| SettingsError::Endpoint)?;
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or(SettingsError::Endpoint)?;
    let is_known = matches!(scheme, "http" | "https") && !authority.host().is_empty();
    if !is_known || authority.as_str().contains('@') || uri.query().is_some() {
        return Err(SettingsError::Endpoint);
    }
    let host = authority.host();
    let is_loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if scheme == "http" && !is_loopback && !options.allow_plain_http {
        return Err(SettingsError::PlainHttp);
    }
    let below = uri.path().trim_end_matches('/');
    Ok(match options.path_style {
        true => format!("{scheme}://{authority}{below}"),
        false => format!("{scheme}://{}.{authority}{below}", options.bucket),
    })
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::crypto::aws_lc_rs::default_provider;
    use zeroize::Zeroizing;

    use super::*;

    fn options(url: &str) -> Options {
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Options {
            endpoint: url.to_owned(),
            bucket: "trail".to_owned(),
            region: "us-east-1".to_owned(),
            path_style: true,
            allow_plain_http: false,
            kms_key: None,
            if_none_match: true,
            patience: Duration::from_secs(5),
            tls: Arc::new(tls),
            credentials: Source::Held {
                id: "AKIA".to_owned(),
                secret: Zeroizing::new("secret".to_owned()),
                token: None,
            },
        }
    }

    #[test]
    fn an_endpoint_is_a_url_and_plain_http_is_for_this_machine_unless_said() {
        for (url, path_style, allow, expected) in [
            ("https://s3.example.com", true, false, Ok("https://s3.example.com")),
            ("https://s3.example.com/", false, false, Ok("https://trail.s3.example.com")),
            ("https://s3.example.com:8443/a/", true, false, Ok("https://s3.example.com:8443/a")),
            ("http://127.0.0.1:9000", true, false, Ok("http://127.0.0.1:9000")),
            ("http://[::1]:9000", true, false, Ok("http://[::1]:9000")),
            ("http://localhost:9000", true, false, Ok("http://localhost:9000")),
            ("http://localhost.example.com", true, false, Err("plain HTTP")),
            ("http://s3.example.com", true, false, Err("plain HTTP")),
            ("http://s3.example.com", true, true, Ok("http://s3.example.com")),
            ("https://key:secret@s3.example.com", true, false, Err("not a URL")),
            ("https://s3.example.com/?a=b", true, false, Err("not a URL")),
            ("s3.example.com", true, false, Err("not a URL")),
            ("ftp://s3.example.com", true, false, Err("not a URL")),
        ] {
            let options = Options { path_style, allow_plain_http: allow, ..options(url) };
            match (endpoint(&options), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{url}: {error}")
                }
                (found, _) => panic!("{url}: {found:?}"),
            }
            assert_eq!(Bucket::new(options).is_ok(), expected.is_ok(), "{url}");
        }
    }
}
