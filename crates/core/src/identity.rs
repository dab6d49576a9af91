//! Identities: accounts, users, groups, roles, policies, and where they stand in the store.
//!
//! What is here is data; the IAM and STS services change it, and the gate asks it.

pub mod accounts;
pub mod aws_managed;
pub mod followed;
pub mod issuer;
pub mod membership;
pub mod organization;
pub mod record;
pub mod session;
pub mod space;
pub mod standing;
