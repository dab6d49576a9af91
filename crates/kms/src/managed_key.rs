//! AWS managed keys: `alias/aws/<service>`, made on first use.
//!
//! They have the key policy that AWS gives them: everybody in the account may use one through its service, and the account may
//! look at it. One is made for whoever would be allowed to describe it. It rotates every year.

use std::sync::Arc;

use keyreeve_audit::event::Resource;
use keyreeve_core::commit::Draft;
use keyreeve_core::gate::actions::Action;
use keyreeve_core::gate::{self, Particulars, actions};
use keyreeve_core::managed_policy::{managed_description, managed_text};
use keyreeve_core::record::{AliasRecord, KeyRecord, Lifecycle, RotationRecord};
use keyreeve_core::ring::OpenKey;
use keyreeve_core::vault::VaultError;
use keyreeve_core::view::Found;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_crypto::random;
use keyreeve_domain::spec::{KeyManager, KeySpec, KeyUsage, Origin};
use keyreeve_domain::{AliasName, KeyArn, KeyId, KeyRef};
use keyreeve_policy::{Kind, Policy};
use keyreeve_store::Version;

/// The services that have a predefined alias, in the order of their names.
pub(crate) const SERVICES: [&str; 29] = [
    "acm",
    "backup",
    "cloud9",
    "codeartifact",
    "codebuild",
    "codecommit",
    "connect",
    "dms",
    "dynamodb",
    "ebs",
    "elasticfilesystem",
    "es",
    "fsx",
    "glue",
    "kinesis",
    "kinesisvideo",
    "lambda",
    "lightsail",
    "mq",
    "rds",
    "redshift",
    "s3",
    "secretsmanager",
    "ses",
    "sns",
    "sqs",
    "ssm",
    "workspaces",
    "xray",
];

/// As [`Cx::find`]; a predefined alias without a key is given one first.
pub(crate) async fn find<A: Action>(cx: &mut Cx<'_>, key_id: &str) -> Result<Found, Refusal> {
    if let Some(alias) = predefined(cx, key_id) {
        Box::pin(make_if_missing(cx, &alias)).await?;
    }
    cx.find::<A>(key_id).await
}

/// The predefined alias that `key_id` names in the caller's account and Region.
fn predefined(cx: &Cx<'_>, key_id: &str) -> Option<AliasName> {
    if !KeyRef::looks_like_alias(key_id) {
        return None;
    }
    let alias = match key_id.parse().ok()? {
        KeyRef::Alias(alias) => alias,
        KeyRef::AliasArn(arn) if arn.region == cx.region && arn.account == cx.caller.account() => arn.alias,
        KeyRef::AliasArn(_) | KeyRef::Arn(_) | KeyRef::Id(_) => return None,
    };
    alias.service().is_some_and(|service| SERVICES.contains(&service)).then_some(alias)
}

async fn make_if_missing(cx: &mut Cx<'_>, alias: &AliasName) -> Result<(), Refusal> {
    let account = cx.caller.account();
    match cx.service.find(account, cx.region, alias.as_str()).await {
        Ok(_) => Ok(()),
        Err(_) => make_if_allowed(cx, alias).await,
    }
}

async fn make_if_allowed(cx: &mut Cx<'_>, alias: &AliasName) -> Result<(), Refusal> {
    let vault = cx.service.vault();
    let bits = random::array(vault.random())?;
    let arn = KeyArn { region: cx.region, account: cx.caller.account(), key: KeyId::from_random(bits) };
    let service = alias.service().unwrap_or_default();
    let record = KeyRecord {
        account: arn.account,
        description: managed_description(service),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        manager: KeyManager::Aws,
        created: cx.now,
        lifecycle: Lifecycle::Enabled,
        tags: Vec::new(),
        materials: Vec::new(),
        rotation: Some(RotationRecord { period_days: 365, next: cx.now.plus_days(365) }),
        on_demand_rotations: 0,
        has_policy: false,
        pending: None,
        multi_region: None,
    };
    let text = managed_text(arn.account, arn.region, service);
    let policy = Policy::compile(Kind::Resource, &text).or(Err(Refusal::internal()))?;
    let version = Version::after(None).ok_or_else(Refusal::internal)?;
    let as_it_would_be = OpenKey::new(arn.region, arn.key, record.clone(), version, Arc::new(policy));
    let as_it_would_be = Arc::new(as_it_would_be);
    if gate::authorize::<actions::DescribeKey>(cx, &as_it_would_be, Some(alias), &Particulars::NONE)
        .await
        .is_err()
    {
        return Ok(());
    }
    match make(cx, alias, &arn, record).await {
        Ok(()) | Err(VaultError::Contended) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn make(
    cx: &mut Cx<'_>,
    alias: &AliasName,
    arn: &KeyArn,
    mut record: KeyRecord,
) -> Result<(), VaultError> {
    let vault = cx.service.vault();
    record.materials.push(vault.make_material(arn, &record)?);
    let mut draft = Draft::new(vault);
    draft.put(&space::key(arn.region, arn.key)?, None, &record)?;
    draft.index(&space::owned(arn.account, arn.region, arn.key)?)?;
    if let Some((at, task)) = record.due() {
        draft.index(&space::due(at, task, arn.region, arn.key)?)?;
    }
    let named = AliasRecord { target: arn.key, created: cx.now, updated: cx.now };
    draft.put(&space::alias(arn.account, arn.region, alias)?, None, &named)?;
    draft.index(&space::named(arn.region, arn.key, alias)?)?;
    cx.notes.resource(Resource::Key(*arn));
    cx.commit(draft).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_stand_in_order() {
        assert!(SERVICES.is_sorted());
    }
}
