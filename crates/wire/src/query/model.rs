//! An operation at run time: its members, limits and errors.

use crate::query::error::{QueryError, QueryErrorCode};
use crate::query::form::Form;
use crate::shape::Member;

/// An operation as its service model describes it.
#[derive(Clone, Copy, Debug)]
pub struct QueryModel {
    /// The name of the operation.
    pub name: &'static str,
    /// The members of the request, in the order in which they are checked.
    pub input: &'static [Member],
    /// The members of the answer; `None` when there is none.
    pub output: Option<&'static [Member]>,
    /// The errors the model declares.
    pub errors: &'static [QueryErrorCode],
    /// Reads a request only to say whether it decodes.
    pub check: fn(&Form<'_>) -> Result<(), QueryError>,
}
