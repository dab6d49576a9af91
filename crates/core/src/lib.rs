//! The one way to a key.
//!
//! A request has a context ([`Cx`]), finds a key in one consistent view ([`view`]), opens the gate ([`gate`]) and works
//! with what the gate hands out. Key material hangs on [`gate::Ready`] and on nothing else.

pub mod alarm;
pub mod bracket;
pub mod caller;
pub mod change_turns;
pub mod check;
pub mod commit;
pub mod credential;
pub mod cx;
pub mod digest_keys;
pub mod distribution;
pub mod due;
pub mod expirations;
pub mod gate;
pub mod grants;
pub mod identity;
pub mod import;
mod import_keys;
pub mod key_policy;
pub mod keyring;
pub mod last_use;
pub mod managed_policy;
pub mod marker;
pub mod multi_region;
pub mod offload;
pub mod quota;
pub mod record;
pub mod refusal;
pub mod request;
pub mod request_quota;
pub mod request_rate;
pub mod ring;
pub mod seed;
pub mod service_event;
pub mod space;
pub mod stock;
pub mod tally;
pub mod usage;
pub mod vault;
pub mod view;
mod wrapping_pairs;

pub use caller::{Caller, Principal};
pub use cx::{Cx, Service, ServiceOptions};
pub use refusal::Refusal;
