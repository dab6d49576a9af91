//! What the fuzzer does with bytes: one function for each target.
//!
//! The targets in `fuzz/` hand their bytes over and do nothing else, so that the tests of this crate can run the committed corpora, and
//! random bytes, with the stable compiler and without the fuzzer. A function returns, or it panics: that is a finding.
#![expect(clippy::expect_used, reason = "what fails here is a finding")]

mod archive;
mod asked;
mod asker;
mod bodies;
mod bytes;
mod calls;
mod events;
mod files;
mod http;
mod id_token;
mod keys;
mod names;
mod policies;
mod records;
mod sealed;
mod signatures;

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its file in `fuzz/fuzz_targets` and of its corpus in `fuzz/corpus`.
    pub name: &'static str,
    /// What it does with bytes.
    pub run: fn(&[u8]),
}

/// Each target stands by itself, too: the fuzzer looks at every place of the program after each input, so its binaries must hold no
/// more than their own target.
macro_rules! targets {
    ($($module:ident::$name:ident,)+) => {
        $(pub use $module::$name;)+

        /// All of them, by name.
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), run: $name },)+];
    };
}

targets! {
    calls::api_calls,
    keys::attestation_document,
    files::audit_segment,
    asked::auditor_request,
    files::backup_file,
    sealed::ciphertext_blob,
    bodies::cloudwatch_body,
    files::digest_file,
    events::filter_pattern,
    http::http_exchange,
    id_token::id_token,
    keys::imported_material,
    bodies::json_input,
    names::key_reference,
    files::metric_files,
    asked::metric_math,
    sealed::pagination_marker,
    policies::policy_decision,
    policies::policy_document,
    policies::policy_insight,
    keys::public_key,
    bodies::query_form,
    asked::s3_request,
    signatures::sigv4_head,
    records::store_record,
    events::syslog_message,
    sealed::tokens,
}

/// The text that bytes begin with, as far as they are UTF-8.
fn text(data: &[u8]) -> &str {
    let valid = match core::str::from_utf8(data) {
        Ok(text) => return text,
        Err(error) => error.valid_up_to(),
    };
    data.get(..valid).and_then(|valid| core::str::from_utf8(valid).ok()).unwrap_or_default()
}
