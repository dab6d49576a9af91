//! The keys that a request is counted for.

use keyreeve_audit::event::Resource;
use keyreeve_core::Refusal;
use keyreeve_core::bracket::Notes;
use keyreeve_domain::{AccountId, KeyArn};
use keyreeve_wire::ErrorCode;

/// The first two keys that the request found, as far as the caller may know of them: a request that was refused before it was
/// allowed is none of another account's key.
pub(crate) fn of(notes: &Notes, caller: AccountId, refused: Option<&Refusal>) -> [Option<KeyArn>; 2] {
    let is_before = |refusal: &Refusal| {
        [ErrorCode::AccessDenied, ErrorCode::NotFound, ErrorCode::Throttling].contains(&refusal.0.code)
    };
    let is_unseen = refused.is_some_and(is_before);
    let mut keys = notes.resources().iter().filter_map(|resource| match resource {
        Resource::Key(arn) if is_unseen && arn.account != caller => None,
        Resource::Key(arn) => Some(*arn),
        Resource::Alias(_)
        | Resource::LogGroup { .. }
        | Resource::LogStream { .. }
        | Resource::Role { .. } => None,
    });
    [keys.next(), keys.next()]
}
