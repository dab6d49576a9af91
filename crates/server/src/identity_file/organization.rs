//! The organization of an identity file.

use std::collections::{BTreeMap, BTreeSet};

use keyreeve_core::identity::record::{InlinePolicy, MemberRecord, OrganizationRecord, UnitRecord};
use keyreeve_identity::declared::declaration as declared;

use super::shape::{MemberShape, OrganizationShape, PolicyShape, UnitShape};
use super::{Read, Reader};

/// The policy of a level that has none: AWS attaches it wherever service control policies are enabled.
const FULL_ACCESS: &str = "FullAWSAccess";
const FULL_ACCESS_TEXT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

impl Reader<'_> {
    pub(super) fn organization(&self, shape: OrganizationShape) -> Read<declared::Organization> {
        let line = self.line(&shape.id);
        let root_line = self.line(&shape.root);
        let root = UnitRecord {
            id: shape.root.into_inner(),
            name: "Root".to_owned(),
            parent: None,
            service_control: self.service_control(root_line, shape.service_control)?,
            resource_control: self.policies(root_line, shape.resource_control)?,
            accounts: Vec::new(),
        };
        let mut units = self.units(root, shape.unit)?;
        for member in shape.account {
            self.member(&mut units, member)?;
        }
        units.iter_mut().for_each(|unit| unit.accounts.sort_by_key(|member| member.account));
        let management_account = self.account_id(&shape.management_account)?;
        let record = OrganizationRecord { id: shape.id.into_inner(), management_account, units };
        Ok(declared::Organization { line, record })
    }

    /// The root and the units, each after the one that it is in, and in an order that is not that of the file.
    fn units(&self, root: UnitRecord, shapes: Vec<UnitShape>) -> Read<Vec<UnitRecord>> {
        let mut waiting: BTreeMap<String, UnitShape> = BTreeMap::new();
        for shape in shapes {
            let (id, line) = (shape.id.get_ref().clone(), self.line(&shape.id));
            if id == root.id || waiting.insert(id.clone(), shape).is_some() {
                return Err(self.file.fault(Some(line), &format!("there are two units `{id}`")));
            }
        }
        let mut units = vec![root];
        let mut at = 0;
        while let Some(parent) = units.get(at) {
            let (parent_id, is_root) = (parent.id.clone(), at == 0);
            let is_child =
                |shape: &UnitShape| shape.parent.as_ref().map_or(is_root, |parent| *parent == parent_id);
            let ids: BTreeSet<_> =
                waiting.iter().filter(|(_, shape)| is_child(shape)).map(|(id, _)| id.clone()).collect();
            for id in ids {
                let Some(shape) = waiting.remove(&id) else { continue };
                let line = self.line(&shape.id);
                units.push(UnitRecord {
                    id,
                    name: shape.name,
                    parent: u32::try_from(at).ok(),
                    service_control: self.service_control(line, shape.service_control)?,
                    resource_control: self.policies(line, shape.resource_control)?,
                    accounts: Vec::new(),
                });
            }
            at += 1;
        }
        if let Some((id, shape)) = waiting.into_iter().next() {
            let parent = shape.parent.unwrap_or_default();
            let text = format!(
                "unit `{id}`: its parent `{parent}` is not in the organization, or within the unit itself"
            );
            return Err(self.file.fault(Some(self.line(&shape.id)), &text));
        }
        Ok(units)
    }

    fn member(&self, units: &mut [UnitRecord], shape: MemberShape) -> Read<()> {
        let line = self.line(&shape.id);
        let account = self.account_id(&shape.id)?;
        let unit = match &shape.unit {
            None => units.first_mut(),
            Some(id) => units.iter_mut().find(|unit| unit.id == *id),
        };
        let Some(unit) = unit else {
            let text = format!("account {account}: there is no unit `{}`", shape.unit.unwrap_or_default());
            return Err(self.file.fault(Some(line), &text));
        };
        unit.accounts.push(MemberRecord {
            account,
            service_control: self.service_control(line, shape.service_control)?,
            resource_control: self.policies(line, shape.resource_control)?,
        });
        Ok(())
    }

    fn service_control(&self, line: usize, shapes: BTreeMap<String, PolicyShape>) -> Read<Vec<InlinePolicy>> {
        let mut policies = self.policies(line, shapes)?;
        if policies.is_empty() {
            policies.push(InlinePolicy { name: FULL_ACCESS.to_owned(), text: FULL_ACCESS_TEXT.to_owned() });
        }
        Ok(policies)
    }
}
