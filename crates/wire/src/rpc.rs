//! One request in the protocols of CloudWatch: a form (awsQuery), JSON (awsJson 1.0) or CBOR (RPC v2).
//!
//! The members of a request become one tree, guided by the declarations or by the document itself; one code checks its limits.
//! An answer is put into a [`Sink`](crate::query::Sink). Errors have the codes of awsQuery everywhere, as
//! `awsQueryCompatible` says: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait>,
//! <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>.

mod cbor;
mod json;

pub(crate) use json::write as write_json_members;

use crate::json::{Json, Object};
use crate::query::{
    Api, Fault, Form, QueryError, QueryErrorCode, QueryInput, QueryOutput, write_answer, write_empty_answer,
    write_error,
};

/// A protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// RPC v2 CBOR.
    Cbor,
    /// awsJson 1.0.
    Json,
    /// awsQuery.
    Query,
}

impl Protocol {
    /// The type of the body of an answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Cbor => "application/cbor",
            Self::Json => "application/x-amz-json-1.0",
            Self::Query => "text/xml",
        }
    }

    /// Reads a request from its body.
    ///
    /// # Errors
    /// Where the body is none of this protocol, or a member is outside its limits.
    pub fn decode<I: QueryInput>(self, body: &[u8]) -> Result<I, QueryError> {
        let malformed = || QueryError::new(QueryErrorCode::Serialization, MALFORMED);
        let as_serialization = |error: QueryError| {
            let is_malformed = error.code == QueryErrorCode::MalformedInput;
            QueryError {
                code: if is_malformed { QueryErrorCode::Serialization } else { error.code },
                ..error
            }
        };
        let tree = match self {
            Self::Query => return I::decode(&Form::parse(body)?),
            // Nothing is a request without members.
            Self::Cbor | Self::Json if body.is_empty() => Json::Object(Object::from(Vec::new())),
            Self::Cbor => cbor::parse(body).ok().ok_or_else(malformed)?,
            Self::Json => crate::json::parse(body).ok().ok_or_else(malformed)?,
        };
        let Json::Object(object) = tree else { return Err(malformed()) };
        I::read(&object).map_err(as_serialization)
    }

    /// Writes the whole answer of an operation.
    pub fn write<O: QueryOutput>(self, output: &O, request_id: &str, out: &mut Vec<u8>) {
        match self {
            Self::Cbor => cbor::write(output, out),
            Self::Json => json::write(output, out),
            Self::Query => write_answer(output, request_id, out),
        }
    }

    /// Writes the whole answer of an operation that answers nothing.
    pub fn write_empty<A: Api>(self, operation: A, request_id: &str, out: &mut Vec<u8>) {
        match self {
            Self::Cbor | Self::Json => {}
            Self::Query => write_empty_answer(operation, request_id, out),
        }
    }

    /// Writes the answer that is this error, of the service `service` with `namespace`.
    pub fn write_error(
        self,
        error: &QueryError,
        (service, namespace): (&str, &str),
        request_id: &str,
        out: &mut Vec<u8>,
    ) {
        let kind = format!("{service}#{}", error.code.shape());
        match self {
            Self::Cbor => cbor::write_error(&kind, &error.message, out),
            Self::Json => json::write_error(&kind, &error.message, out),
            Self::Query => write_error(error, namespace, request_id, out),
        }
    }
}

/// What the header `x-amzn-query-error` says of an error.
#[must_use]
pub fn query_error(code: QueryErrorCode) -> String {
    let fault = match code.fault() {
        Fault::Receiver => "Receiver",
        Fault::Sender => "Sender",
    };
    format!("{code};{fault}")
}

// AWS: unverified
const MALFORMED: &str = "The body of the request cannot be read.";
