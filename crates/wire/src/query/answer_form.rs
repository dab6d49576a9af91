//! XML, which awsQuery answers, or the same as JSON, which whoever says `Accept: application/json` is given.
//!
//! The form of the JSON is what verifiers of signed GetCallerIdentity requests read (`GetCallerIdentityResponse`,
//! `GetCallerIdentityResult`). AWS: unverified beyond that.

use crate::encode::text;
use crate::query::{Api, QueryError, QueryOutput, write_answer, write_empty_answer, write_error};
use crate::rpc::write_json_members;

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AnswerForm {
    /// JSON.
    Json,
    /// XML.
    #[default]
    Xml,
}

impl AnswerForm {
    /// The form that a request with these `Accept` headers is answered in: JSON where they name it, and nothing that XML is.
    pub fn accepted<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut json, mut xml) = (false, false);
        for range in headers.into_iter().flat_map(|header| header.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            let is_refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            let is = |name: &str| media.eq_ignore_ascii_case(name) && !is_refused;
            json |= is("application/json");
            xml |= ["*/*", "application/*", "application/xml", "text/*", "text/xml"].into_iter().any(is);
        }
        if json && !xml { Self::Json } else { Self::Xml }
    }

    /// The type of the body of an answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "text/xml",
        }
    }

    /// Writes the whole answer of an operation.
    pub fn write<O: QueryOutput>(self, output: &O, request_id: &str, out: &mut Vec<u8>) {
        match self {
            Self::Json => envelope(O::OPERATION, request_id, out, |out| {
                text(out, &format!("{}Result", O::OPERATION.name()));
                out.push(b':');
                write_json_members(output, out);
                out.push(b',');
            }),
            Self::Xml => write_answer(output, request_id, out),
        }
    }

    /// Writes the whole answer of an operation that answers nothing.
    pub fn write_empty<A: Api>(self, operation: A, request_id: &str, out: &mut Vec<u8>) {
        match self {
            Self::Json => envelope(operation, request_id, out, |_| {}),
            Self::Xml => write_empty_answer(operation, request_id, out),
        }
    }

    /// Writes the answer of a service with `namespace` that is this error.
    pub fn write_error(self, error: &QueryError, namespace: &str, request_id: &str, out: &mut Vec<u8>) {
        match self {
            Self::Json => {
                out.extend_from_slice(b"{\"Error\":{\"Code\":");
                text(out, error.code.as_str());
                out.extend_from_slice(b",\"Message\":");
                text(out, &error.message);
                out.extend_from_slice(b",\"Type\":");
                text(out, error.code.fault().as_str());
                out.extend_from_slice(b"},\"RequestId\":");
                text(out, request_id);
                out.push(b'}');
            }
            Self::Xml => write_error(error, namespace, request_id, out),
        }
    }
}

fn envelope<A: Api>(operation: A, request_id: &str, out: &mut Vec<u8>, result: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'{');
    text(out, &format!("{}Response", operation.name()));
    out.extend_from_slice(b":{");
    result(out);
    out.extend_from_slice(b"\"ResponseMetadata\":{\"RequestId\":");
    text(out, request_id);
    out.extend_from_slice(b"}}}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_those_who_ask_for_it_alone() {
        for (headers, expected) in [
            (&[][..], AnswerForm::Xml),
            (&["*/*"], AnswerForm::Xml),
            (&["application/json"], AnswerForm::Json),
            (&["text/html", "application/json;q=0.9"], AnswerForm::Json),
            (&["application/json, text/xml"], AnswerForm::Xml),
            (&["application/json, text/plain, */*"], AnswerForm::Xml),
            (&["application/json;q=0"], AnswerForm::Xml),
            (&["Application/JSON", "application/xml;q=0"], AnswerForm::Json),
        ] {
            assert_eq!(AnswerForm::accepted(headers.iter().copied()), expected, "{headers:?}");
        }
    }
}
