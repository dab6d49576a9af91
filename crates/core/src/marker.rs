//! Pagination: pages of a prefix, and markers that only this service can make.
//!
//! A marker is a sealed position, bound to the operation, the account, the Region and whatever else the list is of. It
//! tells nothing, and one that was changed or made for another list is refused.

use core::num::NonZeroUsize;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keyreeve_store::Path;
use keyreeve_wire::ErrorCode;

use crate::cx::Service;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::vault::VaultError;

/// The marker is not one of this list.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the marker is not one of this list")]
pub struct MarkerError;

impl From<MarkerError> for Refusal {
    fn from(MarkerError: MarkerError) -> Self {
        Self::silent(ErrorCode::InvalidMarker)
    }
}

/// What is listed, and from where.
pub struct List<'a> {
    /// What the list is of; part of what a marker is bound to.
    pub scope: &'a str,
    /// The entries.
    pub prefix: &'a [u8],
    /// At most so many.
    pub limit: NonZeroUsize,
    /// Where the page before ended.
    pub marker: Option<&'a str>,
}

/// A page.
pub struct Page<R> {
    /// Its entries.
    pub entries: Vec<(Path, R)>,
    /// Where the next page starts; absent on the last page.
    pub next: Option<String>,
}

impl Service {
    /// One page of `list`, from the latest state of the store.
    ///
    /// # Errors
    /// Where the marker is not one of this list, or the store cannot be read.
    pub async fn page<R: Record>(&self, list: List<'_>) -> Result<Page<R>, Refusal> {
        let after = match list.marker {
            None => None,
            Some(marker) => Some(self.position(&list, marker)?),
        };
        let snapshot = self.vault().snapshot().await?;
        let (entries, more) = self.vault().range(&*snapshot, list.prefix, after.as_ref(), list.limit).await?;
        let last = entries.last().filter(|_| more);
        let next = last.map(|(path, _)| self.marker(list.scope, path.as_bytes())).transpose()?;
        Ok(Page { entries, next })
    }

    /// A marker for the position `at` in the list `scope`.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub fn marker(&self, scope: &str, at: &[u8]) -> Result<String, VaultError> {
        Ok(STANDARD_NO_PAD.encode(self.vault().seal_marker(scope, at)?))
    }

    /// The position that `marker` stands for in the list `scope`.
    ///
    /// # Errors
    /// Where the marker was not made for this list.
    pub fn read_marker(&self, scope: &str, marker: &str) -> Result<Vec<u8>, MarkerError> {
        let sealed = STANDARD_NO_PAD.decode(marker).or(Err(MarkerError))?;
        self.vault().open_marker(scope, &sealed).ok_or(MarkerError)
    }

    fn position(&self, list: &List<'_>, marker: &str) -> Result<Path, MarkerError> {
        let position = Path::new(self.read_marker(list.scope, marker)?).or(Err(MarkerError))?;
        if position.starts_with(list.prefix) { Ok(position) } else { Err(MarkerError) }
    }
}
