//! The APIs of IAM and STS: one file per operation or small family of operations.
//!
//! A handler finds what it is about in one snapshot, asks whether the caller may do it, makes one change, commits, and shapes
//! the answer. It sees no HTTP, no clock and no global: everything arrives in its context. What may be done is asked before
//! whether the thing exists, so that nothing leaks.

pub mod declared;

mod amend;
mod answer;
mod arn;
mod dispatch;
mod entity;
mod gate;
mod id_token;
mod ids;
mod page;
mod policy_check;
mod refusal;
mod sessions;
mod shown;
mod tag_check;

mod absent;
mod access_keys;
mod account;
mod assume_role;
mod attached_policies;
mod authorization_details;
mod authorization_message;
mod boundaries;
mod caller_identity;
mod groups;
mod inline_policies;
mod memberships;
mod policies;
mod policy_versions;
mod providers;
mod roles;
mod session_token;
mod simulated;
mod simulation;
mod tags;
mod users;
mod web_identity;

pub use answer::{Answer, Operation, Request, answer};
pub use ids::{access_key_account, access_key_id, secret_access_key};
pub use refusal::Refusal;
