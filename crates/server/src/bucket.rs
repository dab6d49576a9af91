//! The bucket of the configuration.

use std::sync::Arc;

use keyreeve_observe::destination::Destination;

use crate::config::Config;
use crate::exit::Failure;

/// Refuses a section `[bucket]` that cannot be followed.
pub(crate) fn validate(config: &Config) -> Result<(), Failure> {
    let bucket = &config.bucket;
    let refused = |text: &str| Err(Failure::Config(text.to_owned()));
    if bucket.endpoint.is_none() {
        return Ok(());
    }
    if !config.audit.deliver {
        return refused("[bucket] needs [audit] deliver = true: what is delivered is what it gets.");
    }
    if bucket.timeout_seconds == 0 || bucket.region.is_empty() {
        return refused("[bucket] needs a region, and timeout_seconds must be at least 1.");
    }
    if !cfg!(feature = "bucket") {
        return refused("[bucket] endpoint needs a build with `--features bucket`; this one has none.");
    }
    Ok(())
}

/// What the names of files begin with.
pub(crate) fn prefix(config: &Config) -> String {
    match config.audit.prefix.as_str() {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    }
}

/// What tells the bucket from all others.
pub(crate) fn identity(config: &Config) -> String {
    let endpoint = config.bucket.endpoint.as_deref().unwrap_or_default();
    format!("{}\n{}\n{}", endpoint.trim_end_matches('/'), config.audit.bucket, config.audit.prefix)
}

/// The bucket, if there is one.
#[cfg(not(feature = "bucket"))]
pub(crate) fn destination(config: &Config) -> Result<Option<Arc<dyn Destination>>, Failure> {
    validate(config).map(|()| None)
}

/// The bucket, if there is one.
#[cfg(feature = "bucket")]
pub(crate) fn destination(config: &Config) -> Result<Option<Arc<dyn Destination>>, Failure> {
    use std::time::Duration;

    use keyreeve_trail_bucket::{Bucket, Options};

    use crate::https;

    let section = &config.bucket;
    let fault = |error: &dyn std::fmt::Display| Failure::Config(format!("[bucket] {error}."));
    let Some(endpoint) = &section.endpoint else { return Ok(None) };
    let credentials = credentials(config)?;
    // An access key that is not there now would be missed at the first file.
    drop(credentials.read().map_err(|error| fault(&error))?);
    let bucket = Bucket::new(Options {
        endpoint: endpoint.clone(),
        bucket: config.audit.bucket.clone(),
        region: section.region.clone(),
        path_style: section.path_style,
        allow_plain_http: section.allow_plain_http,
        kms_key: section.sse_kms_key.clone(),
        if_none_match: section.if_none_match,
        patience: Duration::from_secs(section.timeout_seconds),
        tls: https::tls_client(section.bucket_ca.as_deref(), "[bucket] bucket_ca")?,
        credentials,
    });
    Ok(Some(Arc::new(bucket.map_err(|error| fault(&error))?)))
}

#[cfg(feature = "bucket")]
fn credentials(config: &Config) -> Result<keyreeve_trail_bucket::Source, Failure> {
    use keyreeve_trail_bucket::Source;
    use zeroize::Zeroizing;

    if let Some(path) = &config.bucket.credentials_file {
        return Ok(Source::File { path: path.clone(), profile: config.bucket.profile.clone() });
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable(ID_VARIABLE), variable(SECRET_VARIABLE).map(Zeroizing::new)) {
        (Some(id), Some(secret)) => {
            Ok(Source::Held { id, secret, token: variable(TOKEN_VARIABLE).map(Zeroizing::new) })
        }
        _ => Err(Failure::Config(format!(
            "[bucket] needs an access key: credentials_file, or {ID_VARIABLE} and {SECRET_VARIABLE}."
        ))),
    }
}

#[cfg(feature = "bucket")]
const ID_VARIABLE: &str = "KEYREEVE_BUCKET_ACCESS_KEY_ID";
#[cfg(feature = "bucket")]
const SECRET_VARIABLE: &str = "KEYREEVE_BUCKET_SECRET_ACCESS_KEY";
#[cfg(feature = "bucket")]
const TOKEN_VARIABLE: &str = "KEYREEVE_BUCKET_SESSION_TOKEN";

#[cfg(all(test, feature = "bucket"))]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_one_that_can_be_put_to_and_takes_an_access_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("credentials");
        std::fs::write(&file, "[default]\naws_access_key_id = A\naws_secret_access_key = S\n").unwrap();
        let with_key = format!("credentials_file = {file:?}\n");
        for (text, ok) in [
            (String::new(), true),
            (format!("[bucket]\nendpoint = \"https://s3.example.com\"\n{with_key}"), true),
            (format!("[bucket]\nendpoint = \"http://127.0.0.1:9000\"\n{with_key}"), true),
            (format!("[bucket]\nendpoint = \"http://s3.example.com\"\n{with_key}"), false),
            (format!("[bucket]\nendpoint = \"s3.example.com\"\n{with_key}"), false),
            (
                format!("[bucket]\nendpoint = \"https://s3.example.com\"\nprofile = \"none\"\n{with_key}"),
                false,
            ),
            (
                format!("[bucket]\nendpoint = \"https://s3.example.com\"\ntimeout_seconds = 0\n{with_key}"),
                false,
            ),
            (
                format!(
                    "[audit]\ndeliver = false\n[bucket]\nendpoint = \"https://s3.example.com\"\n{with_key}"
                ),
                false,
            ),
            ("[bucket]\nendpoint = \"https://s3.example.com\"\n".to_owned(), false),
        ] {
            let config: Config = toml::from_str(&text).unwrap();
            let made = validate(&config).and_then(|()| destination(&config));
            assert_eq!(made.is_ok(), ok, "{text}");
        }
    }
}
