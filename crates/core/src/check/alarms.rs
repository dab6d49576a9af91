//! Alarms and their histories.

use keyreeve_domain::{AccountId, Region};
use keyreeve_store::{Entry, Path};

use super::{Check, Problem, parts};
use crate::alarm::{self, AlarmPastRecord, AlarmRecord};
use crate::record::IndexRecord;
use crate::vault::VaultError;

impl Check<'_> {
    pub(super) async fn alarm_entry(
        &mut self,
        kind: &str,
        rest: &str,
        path: &Path,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        let Some((place, rest)) = place(rest) else {
            self.found(path, Problem::Unknown);
            return Ok(());
        };
        match kind {
            "alarm" => self.alarm(place, rest, path, entry).await,
            "alarm-id" => self.alarm_id(place, rest, path, entry).await,
            "alarm-past" => self.past(place, path, entry).await,
            _ => self.past_of(place, path, entry).await,
        }
    }

    async fn alarm(
        &mut self,
        (account, region): (AccountId, Region),
        name: &str,
        path: &Path,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        let Some(record) = self.open::<AlarmRecord>(path, entry) else { return Ok(()) };
        if record.name != name {
            self.disagrees(path, "the alarm has another name");
            return Ok(());
        }
        self.needs(path, &alarm::id(account, region, &record)?).await
    }

    async fn alarm_id(
        &mut self,
        (account, region): (AccountId, Region),
        rest: &str,
        path: &Path,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        let Some((id, name)) = rest.split_once('/') else {
            self.found(path, Problem::Unknown);
            return Ok(());
        };
        self.open::<IndexRecord>(path, entry);
        let held = self.read::<AlarmRecord>(&alarm::alarm(account, region, name)?).await?;
        self.stands_for(path, &held, |record| record.id == id);
        Ok(())
    }

    async fn past(
        &mut self,
        (account, region): (AccountId, Region),
        path: &Path,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        let Some(record) = self.open::<AlarmPastRecord>(path, entry) else { return Ok(()) };
        let index = alarm::index_of_past(account, region, path, &record)?;
        self.needs(path, &index).await
    }

    async fn past_of(
        &mut self,
        (account, region): (AccountId, Region),
        path: &Path,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        self.open::<IndexRecord>(path, entry);
        let place = alarm::past_by_index(account, region, path)?;
        let held = self.read::<AlarmPastRecord>(&place).await?;
        self.stands_for(path, &held, |record| {
            alarm::index_of_past(account, region, &place, record).is_ok_and(|index| index == *path)
        });
        Ok(())
    }
}

/// The account and the Region that a path begins with, and the rest of it.
fn place(text: &str) -> Option<((AccountId, Region), &str)> {
    let [account, region, rest] = parts(text)?;
    Some(((account.parse().ok()?, region.parse().ok()?), rest))
}
