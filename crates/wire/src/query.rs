//! The awsQuery protocol of IAM, STS and CloudWatch: a form in, XML out.
//!
//! A request is a form with an `Action`, a `Version` and the members of its input, flattened into names such as
//! `Tags.member.1.Key`. Members are declared as those of AWS KMS are and checked by the same code. Protocol:
//! [AWS query](https://smithy.io/2.0/aws/protocols/aws-query-protocol.html).

mod answer_form;
pub(crate) mod declare;
mod decode;
mod elements;
mod error;
mod form;
mod model;
mod sink;
mod xml;

pub(crate) use self::xml::{ISO_8601, formatted};

pub use answer_form::AnswerForm;
pub(crate) use decode::{decode, read};
pub use elements::write_elements;
pub use error::{Fault, NoSuchValueError, QueryError, QueryErrorCode};
pub use form::Form;
pub use model::QueryModel;
pub use sink::{Answered, Sink};
pub use xml::{write_answer, write_empty_answer, write_error};

use crate::json::Object;
pub use crate::violation::Values;

/// An operation of a service that speaks awsQuery.
pub trait Api: Copy + Sized + 'static {
    /// The `Version` that a request names.
    const VERSION: &'static str;
    /// The namespace of an answer.
    const NAMESPACE: &'static str;
    /// Whether its answers tell milliseconds.
    const MILLISECONDS: bool;
    /// Whether its errors show the values that they complain about.
    const VALUES: Values;

    /// The name, as the API spells it.
    fn name(self) -> &'static str;

    /// The operation of this name.
    fn from_name(name: &str) -> Option<Self>;

    /// Whether CloudTrail calls it read-only.
    fn read_only(self) -> bool;

    /// The operation that a form asks for.
    ///
    /// # Errors
    /// Where the form names none, one that is not known here, or another version.
    fn of(form: &Form<'_>) -> Result<Self, QueryError> {
        // AWS: unverified
        let action = form.get("Action").ok_or_else(|| {
            QueryError::new(QueryErrorCode::MissingAction, "The request must contain the parameter Action.")
        })?;
        let version = form.get("Version").unwrap_or("NO_VERSION_SPECIFIED");
        let found = Self::from_name(action).filter(|_| version == Self::VERSION);
        found.ok_or_else(|| QueryError::invalid_action(action, version))
    }
}

/// A request.
pub trait QueryInput: Sized {
    /// The operations of its service.
    type Operation: Api;
    /// The operation it asks for.
    const OPERATION: Self::Operation;

    /// Reads the members of a request. Names that are no member are ignored.
    ///
    /// # Errors
    /// Where a member is outside its limits; the text names each.
    fn decode(form: &Form<'_>) -> Result<Self, QueryError>;

    /// As [`QueryInput::decode`], of a tree that came in another protocol.
    ///
    /// # Errors
    /// As there.
    fn read(object: &Object<'_>) -> Result<Self, QueryError>;

    /// Appends the `requestParameters` of the request's event: its members as a JSON object, without anything secret.
    fn write_parameters(&self, out: &mut Vec<u8>);
}

/// An answer. An operation without one answers an envelope alone.
pub trait QueryOutput {
    /// The operations of its service.
    type Operation: Api;
    /// The operation it answers.
    const OPERATION: Self::Operation;

    /// Puts its members into `sink`.
    fn write_members(&self, sink: &mut dyn Sink);
}
