//! Texts for a value of the wrong JSON type.
//!
//! AWS: unverified for KMS. Text and number mismatches, `Expected list or null` and `Expected null` are second-hand,
//! measured on another AWS service that speaks awsJson 1.1; what is marked below is not measured at all.

use crate::error::InputError;
use crate::json::Json;

/// What a member holds, for the text of a mismatch.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// A single value, with its name and article.
    Scalar(&'static str),
    List,
    Map,
    Structure,
}

/// The error for a value that is not what is wanted.
pub(crate) fn mismatch(json: &Json<'_>, wanted: Wanted) -> InputError {
    let token = match json {
        Json::List(_) => return InputError::Serialization(Some(UNEXPECTED_LIST.to_owned())),
        Json::Object(_) => return InputError::Serialization(Some(UNEXPECTED_STRUCTURE.to_owned())),
        Json::Null => "NULL_VALUE",
        Json::Bool(true) => "TRUE_VALUE",
        Json::Bool(false) => "FALSE_VALUE",
        Json::Integer(_) | Json::Float(_) => "NUMBER_VALUE",
        Json::Text(_) => "STRING_VALUE",
    };
    InputError::Serialization(Some(match wanted {
        Wanted::Scalar(kind) => format!("{token} can not be converted to {kind}"),
        Wanted::List => "Expected list or null".to_owned(),
        // AWS: unverified
        Wanted::Map => "Expected map or null".to_owned(),
        Wanted::Structure => "Expected null".to_owned(),
    }))
}

pub(crate) const UNEXPECTED_LIST: &str = "Start of list found where not expected";
const UNEXPECTED_STRUCTURE: &str = "Start of structure or map found where not expected.";
