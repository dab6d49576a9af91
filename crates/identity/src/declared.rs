//! Identities that are declared in a file, and kept as it says.
//!
//! What the file made, it changes and removes; what people made through the API is left alone, and where the two meet, that
//! is an error. So each thing that the file made has a mark of its own in the store. The same declaration a second time writes
//! nothing. What is to change is computed from records alone; [`reconcile`] reads them and writes what comes out.

mod apply;
mod check;
pub mod declaration;
mod digest;
mod entities;
mod keys;
mod load;
mod plan;
mod principals;
mod removals;
mod state;

use core::fmt;

pub use apply::{Announce, Outcome, ReconcileError, examine, reconcile};
pub use declaration::Declaration;

/// What is wrong with a declaration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The line of the file where it is, where it is at one.
    pub line: Option<usize>,
    /// What it is.
    pub text: String,
}

impl Fault {
    fn at(line: usize, text: impl fmt::Display) -> Self {
        Self { line: Some(line), text: text.to_string() }
    }

    fn anywhere(text: impl fmt::Display) -> Self {
        Self { line: None, text: text.to_string() }
    }
}
