//! What the engine decides: against documented cases, against a naive interpreter of the same language, and by laws.
//!
//! A case is one JSON object, in the form that `keyreeve policy decide` takes.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]
#![expect(clippy::wildcard_enum_match_arm, reason = "the values of JSON are no enum of ours")]
#![expect(clippy::disallowed_methods, reason = "the tests read how long they may run")]

mod corpus;
mod differential;
mod engine;
mod generate;
mod insight;
mod laws;
mod limits;
mod naive;
mod recorded;
mod services;
mod simulations;
