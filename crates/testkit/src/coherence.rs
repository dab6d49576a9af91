//! What holds between the records of a store, whatever happened.

use std::num::NonZeroUsize;

use keyreeve_core::grants::{GrantParty, GrantRecord, GranteeKey, SameGrantRecord};
use keyreeve_core::record::{AliasRecord, IndexRecord, KeyRecord, PolicyRecord, Record, UsageRecord};
use keyreeve_core::space;
use keyreeve_domain::{AccountId, AliasName, KeyId, Region};
use keyreeve_store::Path;
use keyreeve_store::conformance::block_on;
use keyreeve_wire::Operation;
use serde_json::{Value, json};

use crate::bodies::Fixture;
use crate::world::World;

impl World {
    /// Checks that every index entry has its record and every record its index entries, and that nothing is left of a
    /// key that is gone.
    ///
    /// # Panics
    /// Where that does not hold; the text names the case and the paths.
    pub fn assert_coherent(&self, case: &str) {
        let mut expected = Vec::new();
        let mut keys = Vec::new();
        for (path, key) in self.records::<KeyRecord>("key/") {
            let (region, id) = parts(&path);
            keys.push((region, id));
            expected.extend([Ok(path), space::owned(key.account, region, id)]);
            expected.extend(key.has_policy.then(|| space::policy(region, id)));
            expected.extend(key.due().map(|(at, task)| space::due(at, task, region, id)));
        }
        for (path, alias) in self.records::<AliasRecord>("alias/") {
            let (region, name) = alias_of(&path);
            assert!(keys.contains(&(region, alias.target)), "{case}: {path} has no key");
            expected.extend([Ok(path), space::named(region, alias.target, &name)]);
        }
        for (path, _) in self.records::<UsageRecord>("usage/") {
            assert!(keys.contains(&parts(&path)), "{case}: {path} has no key");
            expected.push(Ok(path));
        }
        for (path, grant) in self.records::<GrantRecord>("grant/") {
            let (region, key) = parts(&path);
            assert!(keys.contains(&(region, key)), "{case}: {path} has no key");
            let grantee = GranteeKey { region, key, grantee: grant.grantee.known_by() };
            expected.extend([Ok(path), space::grantee(&grantee, &grant.id)]);
            let retiring = grant.retiring.as_ref().map(GrantParty::known_by);
            expected.extend(retiring.map(|retiring| space::retirable(region, retiring, key, &grant.id)));
            expected.extend(grant.properties().map(|same| space::same_grant(region, key, same)));
        }
        self.records::<SameGrantRecord>("same-grant/");
        self.records::<PolicyRecord>("policy/");
        for index in ["owned/", "named/", "due/", "grantee/", "retirable/"] {
            self.records::<IndexRecord>(index);
        }
        let mut expected: Vec<_> =
            expected.into_iter().map(|path| path.expect("a path").to_string()).collect();
        expected.sort();
        // The keys of import tokens belong to a day, not to a KMS key.
        let found = self.paths().into_iter().filter(|path| !path.starts_with("import-key/"));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{case}");
    }

    /// Checks that the service answers what a service without a cache answers.
    ///
    /// # Panics
    /// Where it does not; the text names the case and the request.
    pub fn assert_not_stale(&self, of: &Fixture, case: &str) {
        let fresh = self.fresh_service();
        let key = |operation| (operation, json!({"KeyId": of.arn}));
        let alias = |alias: &str| (Operation::DescribeKey, json!({"KeyId": alias}));
        for (operation, body) in [
            key(Operation::DescribeKey),
            key(Operation::GetKeyPolicy),
            key(Operation::GetKeyRotationStatus),
            key(Operation::ListAliases),
            key(Operation::ListGrants),
            key(Operation::ListResourceTags),
            (Operation::ListKeyRotations, json!({"KeyId": of.id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"})),
            (Operation::DescribeKey, json!({"KeyId": of.other})),
            alias(&of.alias),
            alias(&of.other_alias),
            alias("alias/new"),
            (Operation::ListKeys, json!({"Limit": 1000})),
            (Operation::ListAliases, json!({"Limit": 100})),
        ] {
            let answer = self.call(operation, body.clone());
            assert_eq!(answer, self.call_on(&fresh, operation, &body), "{case}: {operation} {body}");
        }
    }

    fn records<R: Record>(&self, prefix: &str) -> Vec<(Path, R)> {
        let service = self.fresh_service();
        let vault = service.vault();
        let snapshot = block_on(vault.snapshot()).expect("a snapshot");
        let range = vault.range(&*snapshot, prefix.as_bytes(), None, NonZeroUsize::MAX);
        block_on(range).expect("every record opens").0
    }
}

/// The Region and the key id that a path of a key, a usage or a policy has.
fn parts(path: &Path) -> (Region, KeyId) {
    let text = path.to_string();
    let mut parts = text.split('/').skip(1);
    let mut next = || parts.next().unwrap_or_default();
    (next().parse().expect("a Region"), next().parse().expect("a key id"))
}

/// The Region and the name that the path of an alias has.
fn alias_of(path: &Path) -> (Region, AliasName) {
    let text = path.to_string();
    let mut parts = text.splitn(4, '/').skip(1);
    let mut next = || parts.next().unwrap_or_default();
    let _: AccountId = next().parse().expect("an account");
    (next().parse().expect("a Region"), next().parse().expect("an alias"))
}

/// The texts of a member of each element of a list in an answer.
#[must_use]
pub fn column(answer: &Value, list: &str, member: &str) -> Vec<String> {
    let elements = answer.get(list).and_then(Value::as_array).into_iter().flatten();
    elements.filter_map(|element| element.get(member)?.as_str().map(str::to_owned)).collect()
}
