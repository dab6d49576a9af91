//! Pages.
//!
//! A marker is sealed and bound to its list, as those of KMS are: it cannot be made or changed by others.

use core::num::NonZeroUsize;

use keyreeve_core::Cx;
use keyreeve_store::Path;

use crate::entity::Entity;
use crate::refusal::Refusal;

/// What a request says of the page that it wants.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) marker: Option<&'a str>,
    pub(crate) max_items: Option<u32>,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(marker: &'a Option<String>, max_items: Option<u32>) -> Self {
        Self { marker: marker.as_deref(), max_items }
    }

    fn limit(self) -> NonZeroUsize {
        let asked = self.max_items.and_then(|most| usize::try_from(most).ok()).and_then(NonZeroUsize::new);
        asked.unwrap_or(DEFAULT).min(MOST)
    }
}

const DEFAULT: NonZeroUsize = NonZeroUsize::new(100).unwrap();
const MOST: NonZeroUsize = NonZeroUsize::new(1000).unwrap();

/// A page.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next page starts; absent on the last page.
    pub(crate) marker: Option<String>,
}

impl<T> Page<T> {
    pub(crate) fn is_truncated(&self) -> bool {
        self.marker.is_some()
    }
}

// AWS: unverified
fn no_marker() -> Refusal {
    Refusal(keyreeve_wire::query::QueryError::validation("Invalid Marker."))
}

/// A page of the entities of a kind, in the order of their names, those that `keep` keeps.
pub(crate) async fn of_entities<E: Entity>(
    cx: &Cx<'_>,
    list: &str,
    wanted: Wanted<'_>,
    keep: impl Fn(&E) -> bool,
) -> Result<Page<E>, Refusal> {
    let account = cx.caller.account();
    let scope = format!("{list}/{account}");
    let mut after = match wanted.marker {
        None => None,
        Some(marker) => {
            let position = cx.service.read_marker(&scope, marker).or(Err(no_marker()))?;
            Some(Path::new(position).or(Err(no_marker()))?)
        }
    };
    let limit = wanted.limit();
    let prefix = E::prefix(account);
    let snapshot = cx.service.vault().snapshot().await?;
    let mut items: Vec<(Path, E)> = Vec::new();
    let mut more = true;
    while more && items.len() <= limit.get() {
        let (entries, left) =
            cx.service.vault().range::<E>(&*snapshot, &prefix, after.as_ref(), MOST).await?;
        after = entries.last().map(|(path, _)| path.clone());
        more = left;
        items.extend(entries.into_iter().filter(|(_, entity)| keep(entity)));
    }
    let has_next = items.len() > limit.get();
    items.truncate(limit.get());
    let last = items.last().filter(|_| has_next);
    let marker = last.map(|(path, _)| cx.service.marker(&scope, path.as_bytes())).transpose()?;
    Ok(Page { items: items.into_iter().map(|(_, entity)| entity).collect(), marker })
}

/// A page of `items`, in the order of their keys, which are unique.
pub(crate) fn of_items<T>(
    cx: &Cx<'_>,
    list: &str,
    wanted: Wanted<'_>,
    mut items: Vec<T>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, Refusal> {
    let scope = format!("{list}/{}", cx.caller.account());
    items.sort_by_cached_key(&key);
    if let Some(marker) = wanted.marker {
        let position = cx.service.read_marker(&scope, marker).or(Err(no_marker()))?;
        items.retain(|item| key(item).as_bytes() > position.as_slice());
    }
    let has_next = items.len() > wanted.limit().get();
    items.truncate(wanted.limit().get());
    let last = items.last().filter(|_| has_next);
    let marker = last.map(|item| cx.service.marker(&scope, key(item).as_bytes())).transpose()?;
    Ok(Page { items, marker })
}

/// A page of as many places as a list has that is known by its length alone: what stands there is made for the page only.
pub(crate) fn of_places(
    cx: &Cx<'_>,
    list: &str,
    wanted: Wanted<'_>,
    count: usize,
) -> Result<Page<usize>, Refusal> {
    let scope = format!("{list}/{}", cx.caller.account());
    let from = match wanted.marker {
        None => 0,
        Some(marker) => {
            let position = cx.service.read_marker(&scope, marker).or(Err(no_marker()))?;
            let number = core::str::from_utf8(&position).ok().and_then(|text| text.parse::<usize>().ok());
            number.ok_or_else(no_marker)?
        }
    };
    let to = from.saturating_add(wanted.limit().get()).min(count);
    let marker = (to < count).then(|| cx.service.marker(&scope, to.to_string().as_bytes())).transpose()?;
    Ok(Page { items: (from..to).collect(), marker })
}
