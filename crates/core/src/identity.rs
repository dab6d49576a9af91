//! Identities: accounts, users, groups, roles, policies, and where they stand in the store.
//!
//! What is here is data; the IAM and STS services change it, and the gate asks it.

pub mod record;
pub mod space;
