//! The organization, compiled: which policies bind which account.

use std::collections::HashMap;
use std::sync::Arc;

use keyreeve_domain::AccountId;
use keyreeve_policy::{KeySet, Kind};
use keyreeve_store::Snapshot;

use crate::cx::Service;
use crate::identity::record::{InlinePolicy, OrganizationRecord};
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
            for member in &unit.accounts {
                let mut place =
                    Place { organization: record.id.clone(), path: path.clone(), ..Place::default() };
                if member.account != record.management_account {
                    for unit in &chain {
                        place.service_control.push(compile(Kind::Identity, &unit.service_control)?);
                        place.resource_control.push(compile(Kind::Resource, &unit.resource_control)?);
                    }
                    place.service_control.push(compile(Kind::Identity, &member.service_control)?);
                    place.resource_control.push(compile(Kind::Resource, &member.resource_control)?);
                }
                let controls = place.resource_control.iter().flatten();
                place.resource_mentions = controls.map(|named| named.policy.mentions()).collect();
                places.insert(member.account, Arc::new(place));
            }
        }
        Ok(Self { id: record.id.clone(), management_account: record.management_account, places })
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

    /// The organization as `snapshot` has it.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(crate) async fn organization_at(
        &self,
        snapshot: &dyn Snapshot,
    ) -> Result<Option<Arc<Organization>>, VaultError> {
        let path = space::organization()?;
        let read = self.vault().read::<OrganizationRecord>(snapshot, &path).await?;
        let organization = read.map(|read| Organization::compile(&read.record)).transpose()?.map(Arc::new);
        self.ring().fill_organization(snapshot.revision(), organization.clone());
        Ok(organization)
    }
}
