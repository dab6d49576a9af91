//! Documents of real machines, documents of a root of our own, and bytes that are no documents.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

mod arbitrary;
mod cases;
mod real;
mod refusals;
