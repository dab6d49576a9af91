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

/// All of them, by name.
pub const TARGETS: &[Target] = &[
    Target { name: "api_calls", run: calls::api_calls },
    Target { name: "attestation_document", run: keys::attestation_document },
    Target { name: "audit_segment", run: files::audit_segment },
    Target { name: "auditor_request", run: asked::auditor_request },
    Target { name: "backup_file", run: files::backup_file },
    Target { name: "ciphertext_blob", run: sealed::ciphertext_blob },
    Target { name: "cloudwatch_body", run: bodies::cloudwatch_body },
    Target { name: "digest_file", run: files::digest_file },
    Target { name: "filter_pattern", run: events::filter_pattern },
    Target { name: "id_token", run: id_token::id_token },
    Target { name: "imported_material", run: keys::imported_material },
    Target { name: "json_input", run: bodies::json_input },
    Target { name: "key_reference", run: names::key_reference },
    Target { name: "metric_files", run: files::metric_files },
    Target { name: "metric_math", run: asked::metric_math },
    Target { name: "pagination_marker", run: sealed::pagination_marker },
    Target { name: "policy_decision", run: policies::policy_decision },
    Target { name: "policy_document", run: policies::policy_document },
    Target { name: "policy_insight", run: policies::policy_insight },
    Target { name: "public_key", run: keys::public_key },
    Target { name: "query_form", run: bodies::query_form },
    Target { name: "s3_request", run: asked::s3_request },
    Target { name: "sigv4_head", run: signatures::sigv4_head },
    Target { name: "store_record", run: records::store_record },
    Target { name: "syslog_message", run: events::syslog_message },
    Target { name: "tokens", run: sealed::tokens },
];

/// Runs the target `name` over `data`.
///
/// # Panics
/// Where there is none, and where it finds something.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("there is such a target");
    (target.run)(data);
}

/// The text that bytes begin with, as far as they are UTF-8.
fn text(data: &[u8]) -> &str {
    let valid = match core::str::from_utf8(data) {
        Ok(text) => return text,
        Err(error) => error.valid_up_to(),
    };
    data.get(..valid).and_then(|valid| core::str::from_utf8(valid).ok()).unwrap_or_default()
}
