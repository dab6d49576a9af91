//! The organization, compiled: which policies bind which account.

use std::collections::HashMap;
use std::sync::Arc;

use keyreeve_domain::AccountId;
use keyreeve_policy::{KeySet, Kind};
use keyreeve_store::Snapshot;

use crate::caller::SourcePlace;
use crate::cx::Service;
use crate::identity::record::{InlinePolicy, MemberRecord, OrganizationRecord};
use crate::identity::space;
use crate::identity::standing::NamedPolicy;
use crate::vault::VaultError;

/// The organization.
#[derive(Debug)]
pub struct Organization {
    /// Its id, `o-…`.
    pub id: String,
    /// The account that service control policies do not bind.
    pub management_account: AccountId,
    /// The entry of the store that it was compiled from, to the byte: versions begin anew after a deletion.
    entry: Option<Box<[u8]>>,
    places: HashMap<AccountId, Arc<Place>>,
}

/// Where an account is in its organization.
#[derive(Debug, Default)]
pub struct Place {
    /// The id of the organization.
    pub organization: String,
    /// Its path: `o-…/r-…/ou-…/`.
    pub path: String,
    /// The service control policies that bind it, by level, the root first; none for the management account.
    pub service_control: Vec<Vec<NamedPolicy>>,
    /// The resource control policies that bind its resources, by level, the root first; none for the management account.
    pub resource_control: Vec<Vec<NamedPolicy>>,
    /// The condition keys that those mention.
    pub resource_mentions: KeySet,
}

impl Organization {
    /// Compiles the record.
    ///
    /// # Errors
    /// Where it does not hold together, or a policy of it does not compile.
    pub fn compile(record: &OrganizationRecord) -> Result<Self, VaultError> {
        let damaged = || VaultError::Damaged("organization".to_owned());
        let mut places = HashMap::new();
        for (index, unit) in record.units.iter().enumerate() {
            let mut chain = vec![unit];
            let mut at = (index, unit);
            while let Some(parent) = at.1.parent {
                let parent =
                    usize::try_from(parent).ok().filter(|parent| *parent < at.0).ok_or_else(damaged)?;
                at = (parent, record.units.get(parent).ok_or_else(damaged)?);
                chain.push(at.1);
            }
            chain.reverse();
            let ids: Vec<_> = chain.iter().map(|unit| unit.id.as_str()).collect();
            let path = format!("{}/{}/", record.id, ids.join("/"));
            // Accounts with the same policies in one unit are in one place, compiled once.
            let mut made: Vec<(&MemberRecord, Arc<Place>)> = Vec::new();
            for member in &unit.accounts {
                let is_managing = member.account == record.management_account;
                let same = made.iter().find(|(other, _)| {
                    !is_managing
                        && other.service_control == member.service_control
                        && other.resource_control == member.resource_control
                });
                if let Some((_, place)) = same {
                    places.insert(member.account, Arc::clone(place));
                    continue;
                }
                let mut place =
                    Place { organization: record.id.clone(), path: path.clone(), ..Place::default() };
                if !is_managing {
                    for unit in &chain {
                        place.service_control.push(compile(Kind::Identity, &unit.service_control)?);
                        place.resource_control.push(compile(Kind::Resource, &unit.resource_control)?);
                    }
                    place.service_control.push(compile(Kind::Identity, &member.service_control)?);
                    place.resource_control.push(compile(Kind::Resource, &member.resource_control)?);
                }
                let controls = place.resource_control.iter().flatten();
                place.resource_mentions = controls.map(|named| named.policy.mentions()).collect();
                let place = Arc::new(place);
                if !is_managing {
                    made.push((member, Arc::clone(&place)));
                }
                places.insert(member.account, place);
            }
        }
        let (id, management_account) = (record.id.clone(), record.management_account);
        Ok(Self { id, management_account, entry: None, places })
    }

    /// Where `account` is, if it is in the organization.
    #[must_use]
    pub fn place(&self, account: AccountId) -> Option<&Arc<Place>> {
        self.places.get(&account)
    }
}

fn compile(kind: Kind, policies: &[InlinePolicy]) -> Result<Vec<NamedPolicy>, VaultError> {
    policies.iter().map(|policy| NamedPolicy::compile(kind, &policy.name, &policy.text)).collect()
}

impl Service {
    /// The organization as the store has it, from the ring or the store; none where there is none.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn organization(&self) -> Result<Option<Arc<Organization>>, VaultError> {
        if let Some(known) = self.ring().organization() {
            return Ok(known);
        }
        let snapshot = self.vault().snapshot().await?;
        self.organization_at(&*snapshot).await
    }

    /// Where an account is in its organization, for a service that acts for a resource of it; nothing where it is in none.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn source_place(&self, account: AccountId) -> Result<Option<SourcePlace>, VaultError> {
        let organization = self.organization().await?;
        let place = organization.as_deref().and_then(|organization| organization.place(account));
        Ok(place
            .map(|place| SourcePlace { organization: place.organization.clone(), path: place.path.clone() }))
    }

    /// The organization as `snapshot` has it.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(crate) async fn organization_at(
        &self,
        snapshot: &dyn Snapshot,
    ) -> Result<Option<Arc<Organization>>, VaultError> {
        let path = space::organization()?;
        let entry = snapshot.get(&path).await?.map(|entry| Box::<[u8]>::from(&*entry.value));
        // One that was compiled from the very record is not compiled again.
        if let (Some(known), Some(_)) = (self.ring().organization().flatten(), &entry)
            && known.entry == entry
        {
            return Ok(Some(known));
        }
        let read = self.vault().read::<OrganizationRecord>(snapshot, &path).await?;
        let compiled = read.map(|read| {
            let compiled = Organization::compile(&read.record)?;
            Ok::<_, VaultError>(Arc::new(Organization { entry, ..compiled }))
        });
        let organization = compiled.transpose()?;
        self.ring().fill_organization(snapshot.revision(), organization.clone());
        Ok(organization)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::record::UnitRecord;

    #[test]
    fn accounts_with_the_same_policies_in_one_unit_are_in_one_place() {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let all = vec![InlinePolicy { name: "all".to_owned(), text: text.to_owned() }];
        let account = |number: u32| -> AccountId { format!("{number:012}").parse().unwrap() };
        let member = |number, service_control: &[InlinePolicy]| MemberRecord {
            account: account(number),
            service_control: service_control.to_vec(),
            resource_control: Vec::new(),
        };
        let record = OrganizationRecord {
            id: "o-example".to_owned(),
            management_account: account(1),
            units: vec![UnitRecord {
                id: "r-root".to_owned(),
                name: "Root".to_owned(),
                parent: None,
                service_control: all.clone(),
                resource_control: Vec::new(),
                accounts: vec![member(1, &all), member(2, &all), member(3, &all), member(4, &[])],
            }],
        };
        let organization = Organization::compile(&record).unwrap();
        let place = |number| organization.place(account(number)).unwrap();
        assert!(Arc::ptr_eq(place(2), place(3)));
        for other in [1, 4] {
            assert!(!Arc::ptr_eq(place(2), place(other)), "{other}");
        }
        assert!(place(1).service_control.is_empty());
        assert_eq!(place(4).service_control.len(), 2);
    }
}
