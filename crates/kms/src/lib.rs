//! The KMS API: one file per operation, named as the API names it.
//!
//! A handler finds the key, opens the gate, does one pure step, commits, and shapes the answer. It sees no HTTP, no clock
//! and no global: everything arrives in its context. Each file lists its errors in the order in which they are checked.

mod answer;
mod asymmetric;
mod counted_keys;
mod days_unused;
mod dispatch;
mod grant_tokens;
mod grants;
mod imported;
mod managed_key;
mod metadata;
mod multi_region;
mod page_limit;
mod policy_check;
mod public_key;
mod recipient;
mod symmetric;
mod tag_check;

mod cancel_key_deletion;
mod create_alias;
mod create_grant;
mod create_key;
mod decapsulate;
mod decrypt;
mod delete_alias;
mod delete_imported_key_material;
mod derive_shared_secret;
mod describe_key;
mod disable_key;
mod disable_key_rotation;
mod enable_key;
mod enable_key_rotation;
mod encapsulate;
mod encrypt;
mod generate_data_key;
mod generate_data_key_pair;
mod generate_mac;
mod generate_random;
mod get_key_last_usage;
mod get_key_policy;
mod get_key_rotation_status;
mod get_parameters_for_import;
mod get_public_key;
mod import_key_material;
mod list_aliases;
mod list_grants;
mod list_key_policies;
mod list_key_rotations;
mod list_keys;
mod list_resource_tags;
mod list_retirable_grants;
mod put_key_policy;
mod re_encrypt;
mod replicate_key;
mod request_quota;
mod retire_grant;
mod revoke_grant;
mod rotate_key_on_demand;
mod schedule_key_deletion;
mod sign;
mod tag_resource;
mod untag_resource;
mod update_alias;
mod update_key_description;
mod update_primary_region;
mod verify;
mod verify_mac;

pub use answer::{Answer, Request, answer, answer_capacity};
pub use dispatch::is_supported;
pub use tag_check::fault as tag_fault;
