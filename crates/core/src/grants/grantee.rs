//! The grants of one grantee on one key, kept in memory and kept up as they come and go.
//!
//! INVARIANT: what is found for a request is what all grants of the grantee would give it, as the store has them once every change
//! that [`GranteeGrants::mark`] was told of is applied. A change is only noted when it happens; whoever asks next reads the grants
//! that it names, and no others.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use keyreeve_domain::KeyArn;
use keyreeve_policy::Grant;
use minicbor::Encode;
use parking_lot::RwLock;

use crate::caller::Caller;
use crate::cx::Service;
use crate::grants::{Digest, GrantParty, GrantRecord, GranteeKey};
use crate::record::IndexRecord;
use crate::space;
use crate::vault::VaultError;

/// The grants of a grantee on a key.
#[derive(Debug, Default)]
pub(crate) struct GranteeGrants(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    index: Index,
    /// The ids of grants that came or went since the index was made.
    changed: Vec<String>,
    /// How often that list has changed.
    times: u64,
}

/// What came of reading changed grants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Refreshed {
    /// Others changed meanwhile.
    Again,
    /// All of them must be read.
    Anew,
    Done,
}

/// What somebody must read before the grants can be asked.
#[derive(Debug)]
struct Due {
    ids: Vec<String>,
    times: u64,
}

impl GranteeGrants {
    fn new(records: &[GrantRecord], key: &KeyArn) -> Self {
        let state = State { index: Index::new(records, key), ..State::default() };
        Self(RwLock::new(state))
    }

    /// Notes that a grant came or went. False where so much has changed that all of them should be read again.
    pub(crate) fn mark(&self, id: &str) -> bool {
        let mut state = self.0.write();
        state.times = state.times.wrapping_add(1);
        if !state.changed.iter().any(|known| known == id) {
            state.changed.push(id.to_owned());
        }
        state.changed.len() <= MOST_CHANGED
    }

    /// Adds those that may give a request with this encryption context, or without any; or tells what must be read before.
    fn candidates(
        &self,
        context: Option<&BTreeMap<String, String>>,
        out: &mut Vec<Arc<Grant>>,
    ) -> Result<(), Due> {
        let state = self.0.read();
        if !state.changed.is_empty() {
            return Err(Due { ids: state.changed.clone(), times: state.times });
        }
        state.index.candidates(context, out);
        Ok(())
    }

    /// Takes in what the grants of `due` were found to be after it was told.
    fn refresh(&self, due: &Due, found: &[(&str, Option<GrantRecord>)], key: &KeyArn) -> Refreshed {
        let mut state = self.0.write();
        if state.times != due.times {
            return Refreshed::Again;
        }
        for (id, record) in found {
            match record {
                Some(record) => state.index.add(record, key, &HashMap::new()),
                None if state.index.remove(id) => {}
                // Half of the changes are in by now: nobody asks this index any more.
                None => return Refreshed::Anew,
            }
        }
        state.changed.clear();
        state.times = state.times.wrapping_add(1);
        Refreshed::Done
    }
}

/// Changes that are read one by one at most.
const MOST_CHANGED: usize = 256;

/// Grants by what they ask for. Of those that give the same for the same, one is shown.
#[derive(Debug, Default)]
struct Index {
    /// How many there are of each sort, and which is shown; by what they give and ask for.
    sorts: HashMap<Digest, Sort>,
    /// The sort of each grant, by its id.
    known: HashMap<Digest, Digest>,
    /// Those that ask nothing of the encryption context.
    unconstrained: Vec<Arc<Grant>>,
    /// Those that do, by what they give and in the order they came: one of each is shown to requests without a context.
    by_gift: BTreeMap<Digest, BTreeMap<u64, Arc<Grant>>>,
    /// Those that ask for a pair: each under the one that it shares with the fewest.
    by_pair: HashMap<String, HashMap<String, Vec<Arc<Grant>>>>,
    /// Those that ask for an empty encryption context.
    empty: Vec<Arc<Grant>>,
    /// Sorts that ever were.
    count: u64,
}

#[derive(Debug)]
struct Sort {
    shown: Arc<Grant>,
    /// What it gives, whatever it asks for.
    gift: Digest,
    /// Its place among those that give the same.
    place: u64,
    grants: usize,
}

/// How many grants ask for each pair.
type Shared<'r> = HashMap<(&'r String, &'r String), usize>;

impl Index {
    fn new(records: &[GrantRecord], key: &KeyArn) -> Self {
        let mut shared = Shared::new();
        for record in records {
            for pair in record.context_equals.iter().chain(&record.context_subset).flatten() {
                *shared.entry(pair).or_default() += 1;
            }
        }
        let mut index = Self::default();
        for record in records {
            index.add(record, key, &shared);
        }
        index
    }

    /// Adds a grant, unless it is there. Where `shared` does not know how many ask for a pair, those count that are found under it.
    fn add(&mut self, record: &GrantRecord, key: &KeyArn, shared: &Shared<'_>) {
        let id = Digest::of(&record.id);
        if self.known.contains_key(&id) {
            return;
        }
        let (gift, sort) = digests(record);
        self.known.insert(id, sort);
        if let Some(known) = self.sorts.get_mut(&sort) {
            known.grants += 1;
            return;
        }
        let (grant, place) = (Arc::new(record.to_policy(key)), self.count);
        self.count += 1;
        self.sorts.insert(sort, Sort { shown: Arc::clone(&grant), gift, place, grants: 1 });
        let Some(asked) = record.context_equals.as_ref().or(record.context_subset.as_ref()) else {
            self.unconstrained.push(grant);
            return;
        };
        self.by_gift.entry(gift).or_default().insert(place, Arc::clone(&grant));
        let under = |(name, value): (&String, &String)| {
            let found = self.by_pair.get(name).and_then(|values| values.get(value)).map_or(0, Vec::len);
            shared.get(&(name, value)).copied().unwrap_or(found)
        };
        match asked.iter().min_by_key(|pair| under(*pair)) {
            Some((name, value)) => {
                self.by_pair.entry(name.clone()).or_default().entry(value.clone()).or_default().push(grant);
            }
            None if record.context_equals.is_some() => self.empty.push(grant),
            // No pair at all is asked for.
            None => self.unconstrained.push(grant),
        }
    }

    /// Removes the grant with this id, if it is there. False where it is shown for others, which are not known by themselves.
    fn remove(&mut self, id: &str) -> bool {
        let digest = Digest::of(id);
        let Some(sort) = self.known.get(&digest).copied() else { return true };
        let Some(known) = self.sorts.get_mut(&sort) else { return true };
        if known.grants > 1 {
            if known.shown.id == id {
                return false;
            }
            known.grants -= 1;
            self.known.remove(&digest);
            return true;
        }
        self.known.remove(&digest);
        let Some(Sort { shown, gift, place, .. }) = self.sorts.remove(&sort) else { return true };
        let others = |grants: &mut Vec<Arc<Grant>>| grants.retain(|grant| !Arc::ptr_eq(grant, &shown));
        others(&mut self.unconstrained);
        others(&mut self.empty);
        if let Some(grants) = self.by_gift.get_mut(&gift) {
            grants.remove(&place);
            if grants.is_empty() {
                self.by_gift.remove(&gift);
            }
        }
        let asked =
            shown.constraints.context_equals.iter().chain(&shown.constraints.context_subset).flatten();
        for (name, value) in asked {
            let Some(values) = self.by_pair.get_mut(name) else { continue };
            if let Some(grants) = values.get_mut(value) {
                others(grants);
                if grants.is_empty() {
                    values.remove(value);
                }
            }
            if values.is_empty() {
                self.by_pair.remove(name);
            }
        }
        true
    }

    fn candidates(&self, context: Option<&BTreeMap<String, String>>, out: &mut Vec<Arc<Grant>>) {
        out.extend(self.unconstrained.iter().cloned());
        let Some(context) = context else {
            out.extend(self.by_gift.values().filter_map(|grants| grants.values().next().cloned()));
            return;
        };
        if context.is_empty() {
            out.extend(self.empty.iter().cloned());
        }
        for (name, value) in context {
            let fitting = self.by_pair.get(name).and_then(|values| values.get(value));
            out.extend(fitting.into_iter().flatten().cloned());
        }
    }
}

/// What a grant gives, and to whom.
#[derive(Encode)]
struct Gift<'a> {
    #[n(0)]
    grantee: &'a GrantParty,
    #[n(1)]
    operations: &'a [String],
    #[n(2)]
    source_arn: Option<&'a str>,
}

/// What it gives, and what it asks for.
#[derive(Encode)]
struct Whole<'a> {
    #[n(0)]
    gift: Gift<'a>,
    #[n(1)]
    equals: Option<&'a BTreeMap<String, String>>,
    #[n(2)]
    subset: Option<&'a BTreeMap<String, String>>,
}

/// The digests of what a grant gives, and of that together with what it asks for. They are kept nowhere.
fn digests(record: &GrantRecord) -> (Digest, Digest) {
    let GrantRecord { grantee, operations, source_arn, context_equals, context_subset, .. } = record;
    let gift = || Gift { grantee, operations, source_arn: source_arn.as_deref() };
    let whole = Whole { gift: gift(), equals: context_equals.as_ref(), subset: context_subset.as_ref() };
    // Writing to memory does not fail.
    let bytes = |bytes: Result<Vec<u8>, _>| Digest::of_bytes(&bytes.unwrap_or_default());
    (bytes(minicbor::to_vec(gift())), bytes(minicbor::to_vec(whole)))
}

impl Service {
    /// The grants on `key` that may give `caller` something in a request with this encryption context, or without any.
    pub(crate) async fn grants_for(
        &self,
        key: &KeyArn,
        caller: &Caller,
        context: Option<&BTreeMap<String, String>>,
    ) -> Result<Vec<Arc<Grant>>, VaultError> {
        let mut found = Vec::new();
        for grantee in caller.grantees() {
            let grantee = GranteeKey { region: key.region, key: key.key, grantee };
            let resident = self.ring().grants(&grantee);
            if resident.as_ref().is_none_or(|grants| grants.candidates(context, &mut found).is_err()) {
                // Apart, so that no ordinary request has room for it.
                Box::pin(self.read_candidates(key, grantee, resident, context, &mut found)).await?;
            }
        }
        Ok(found)
    }

    /// As [`GranteeGrants::candidates`], once what changed was read, or all.
    async fn read_candidates(
        &self,
        key: &KeyArn,
        grantee: GranteeKey,
        resident: Option<Arc<GranteeGrants>>,
        context: Option<&BTreeMap<String, String>>,
        found: &mut Vec<Arc<Grant>>,
    ) -> Result<(), VaultError> {
        if let Some(resident) = resident {
            for _ in 0..TRIES {
                let Err(due) = resident.candidates(context, found) else { return Ok(()) };
                // ORDER: the snapshot after the list, so that it has every change that the list names.
                let snapshot = self.vault().snapshot().await?;
                let mut changes = Vec::with_capacity(due.ids.len());
                for id in &due.ids {
                    let path = space::grant(key.region, key.key, id)?;
                    let read = self.vault().read::<GrantRecord>(&*snapshot, &path).await?;
                    changes.push((id.as_str(), read.map(|read| read.record)));
                }
                if resident.refresh(&due, &changes, key) == Refreshed::Anew {
                    break;
                }
            }
        }
        let read = self.read_grants(key, grantee).await?;
        // What was read just now has no changes: nobody else has it who could have marked any, or they are of later requests.
        read.0.read().index.candidates(context, found);
        Ok(())
    }

    async fn read_grants(&self, key: &KeyArn, grantee: GranteeKey) -> Result<Arc<GranteeGrants>, VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let prefix = space::grantee_prefix(&grantee);
        let (mut records, mut after) = (Vec::new(), None);
        loop {
            let (entries, more) =
                self.vault().range::<IndexRecord>(&*snapshot, &prefix, after.as_ref(), PAGE).await?;
            for (path, _) in &entries {
                let Some(id) = space::last_part(&prefix, path) else { continue };
                let path = space::grant(key.region, key.key, id)?;
                let read = self.vault().read::<GrantRecord>(&*snapshot, &path).await?;
                records.push(read.ok_or_else(|| VaultError::Damaged(path.to_string()))?.record);
            }
            after = entries.into_iter().next_back().map(|(path, _)| path).filter(|_| more);
            if after.is_none() {
                break;
            }
        }
        let grants = Arc::new(GranteeGrants::new(&records, key));
        self.ring().fill_grants(snapshot.revision(), grantee, &grants);
        Ok(grants)
    }
}

const PAGE: core::num::NonZeroUsize = core::num::NonZeroUsize::new(1000).unwrap();
/// How often changed grants are read, where others change meanwhile, before all are.
const TRIES: usize = 4;

#[cfg(test)]
mod tests {
    use keyreeve_domain::Timestamp;

    use super::*;

    fn record(id: u32, context: Option<&[(&str, String)]>, equals: bool) -> GrantRecord {
        let pairs = context.map(|pairs| pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect());
        let (context_equals, context_subset) = if equals { (pairs, None) } else { (None, pairs) };
        GrantRecord {
            id: id.to_string(),
            grantee: GrantParty::Aws { arn: "arn:aws:iam::111122223333:user/a".into(), id: None },
            retiring: None,
            issuing_account: "111122223333".parse().unwrap(),
            operations: vec!["Decrypt".into()],
            context_equals,
            context_subset,
            source_arn: None,
            name: None,
            created: Timestamp::default(),
        }
    }

    fn key() -> KeyArn {
        KeyArn {
            region: "us-east-1".parse().unwrap(),
            account: "111122223333".parse().unwrap(),
            key: "1234abcd-12ab-34cd-56ef-1234567890ab".parse().unwrap(),
        }
    }

    fn found(index: &Index, context: Option<&[(&str, &str)]>) -> Vec<Arc<Grant>> {
        let context: Option<BTreeMap<_, _>> =
            context.map(|pairs| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        let mut found = Vec::new();
        index.candidates(context.as_ref(), &mut found);
        found
    }

    fn ids(index: &Index, context: Option<&[(&str, &str)]>) -> Vec<String> {
        found(index, context).iter().map(|grant| grant.id.clone()).collect()
    }

    #[test]
    fn of_many_grants_those_alone_are_looked_at_that_may_fit() {
        let app = || ("app", "x".to_owned());
        let many = (0..1000).map(|id| record(id, Some(&[app(), ("volume", id.to_string())]), false));
        let records: Vec<_> = many
            .chain([
                record(1000, None, false),
                record(1001, None, false),
                record(1002, Some(&[]), true),
                record(1003, Some(&[app()]), true),
                record(1004, Some(&[]), false),
            ])
            .collect();
        let grants = Index::new(&records, &key());
        for (context, expected) in [
            (Some(&[("app", "x"), ("volume", "7")][..]), vec!["1000", "1004", "1003", "7"]),
            (Some(&[("volume", "1000")][..]), vec!["1000", "1004"]),
            (Some(&[][..]), vec!["1000", "1004", "1002"]),
            (None, vec!["1000", "1004", "0"]),
        ] {
            assert_eq!(ids(&grants, context), expected, "{context:?}");
        }
    }

    #[test]
    fn of_those_alike_the_one_that_is_shown_goes_by_itself_once_it_is_the_last() {
        let mut index = Index::new(&[record(1, None, false), record(2, None, false)], &key());
        assert!(!index.remove("1"));
        assert!(index.remove("2") && index.remove("1"));
    }

    /// A grant of a kind that the number draws: few contexts, so that many are alike.
    fn drawn(id: u32, draw: u64) -> GrantRecord {
        let (value, app) = ((draw % 3).to_string(), ((draw >> 8) % 2).to_string());
        let mut record = match (draw >> 16) % 6 {
            0 => record(id, None, false),
            1 => record(id, Some(&[]), true),
            2 => record(id, Some(&[]), false),
            3 => record(id, Some(&[("v", value)]), true),
            4 => record(id, Some(&[("a", app), ("v", value)]), false),
            _ => record(id, Some(&[("a", app), ("v", value)]), true),
        };
        if (draw >> 24).is_multiple_of(4) {
            record.operations = vec!["Encrypt".into()];
        }
        record
    }

    /// What the grants that are found give for what, without their ids.
    fn gives(index: &Index, context: Option<&[(&str, &str)]>) -> std::collections::BTreeSet<String> {
        let fits = |grant: &Grant| match context {
            // Without a context, any grant stands for all that give the same.
            None => format!("{:?}", grant.operations),
            Some(_) => format!("{:?} {:?}", grant.operations, grant.constraints),
        };
        let holds = |grant: &&Arc<Grant>| {
            let Some(context) = context else { return true };
            let asked = |pairs: &[(String, String)]| {
                pairs.iter().all(|(k, v)| context.contains(&(k.as_str(), v.as_str())))
            };
            let Grant { constraints, .. } = &***grant;
            constraints.context_subset.as_deref().is_none_or(asked)
                && constraints
                    .context_equals
                    .as_deref()
                    .is_none_or(|pairs| asked(pairs) && pairs.len() == context.len())
        };
        found(index, context).iter().filter(holds).map(|grant| fits(grant)).collect()
    }

    #[test]
    fn an_index_that_is_kept_up_gives_what_a_new_one_gives() {
        let mut state: u64 = 7;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 20
        };
        let (mut there, mut index, mut anew) = (Vec::<GrantRecord>::new(), Index::default(), 0);
        for step in 0..4000 {
            let growing = (step / 50) % 2 == 0;
            if there.is_empty() || draw() % 10 < if growing { 7 } else { 3 } {
                let record = drawn(step, draw());
                index.add(&record, &key(), &HashMap::new());
                there.push(record);
            } else {
                let gone = there.remove(usize::try_from(draw()).unwrap() % there.len());
                if !index.remove(&gone.id) {
                    (index, anew) = (Index::new(&there, &key()), anew + 1);
                }
            }
            let fresh = Index::new(&there, &key());
            for context in [
                None,
                Some(&[][..]),
                Some(&[("v", "0")][..]),
                Some(&[("a", "1"), ("v", "2")][..]),
                Some(&[("a", "0"), ("v", "1"), ("z", "")][..]),
            ] {
                assert_eq!(gives(&index, context), gives(&fresh, context), "{step} {context:?}");
                let live = |grant: &Arc<Grant>| there.iter().any(|record| record.id == grant.id);
                assert!(found(&index, context).iter().all(live), "{step} {context:?}");
            }
        }
        assert!(anew > 0 && anew < 2000, "{anew}");
        while let Some(gone) = there.pop() {
            if !index.remove(&gone.id) {
                index = Index::new(&there, &key());
            }
        }
        assert!(index.known.is_empty() && index.by_pair.is_empty() && index.by_gift.is_empty());
    }

    #[test]
    fn what_changed_is_read_before_anything_is_found() {
        let grants = GranteeGrants::new(&[record(1, None, false)], &key());
        let ask = || {
            let mut found = Vec::new();
            grants.candidates(None, &mut found).map(|()| found.len())
        };
        assert_eq!(ask().unwrap(), 1);
        assert!(grants.mark("2") && grants.mark("1") && grants.mark("2"));
        let due = ask().unwrap_err();
        assert_eq!(due.ids, ["2", "1"]);
        let changes = [("2", Some(record(2, Some(&[]), true))), ("1", None)];
        assert!(grants.mark("3"), "another change while those are read");
        assert_eq!(grants.refresh(&due, &changes, &key()), Refreshed::Again);
        let due = ask().unwrap_err();
        let all = [("2", Some(record(2, Some(&[]), true))), ("1", None), ("3", None)];
        assert_eq!(grants.refresh(&due, &all, &key()), Refreshed::Done);
        assert_eq!(ask().unwrap(), 1);
    }

    #[test]
    fn where_most_has_changed_all_is_read_again() {
        let grants = GranteeGrants::default();
        let marked = (0..300).filter(|id| grants.mark(&id.to_string())).count();
        assert_eq!(marked, MOST_CHANGED);
    }
}
