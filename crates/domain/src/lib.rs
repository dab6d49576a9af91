//! The words of the language: identifiers, ARNs, key specs, key states, time and the encryption context.
//!
//! Every value is well formed by construction: the only door into a type is its parser. No I/O, no clock, no randomness.
#![no_std]

extern crate alloc;

pub mod spec;
