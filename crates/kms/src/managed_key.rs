//! AWS managed keys: `alias/aws/<service>`, made on first use.
//!
//! In the cloud only the service itself may use such a key; here the account may, so that what was written against the
//! cloud's default keys works. It can be used and looked at, not changed, and rotates every year.

use keyreeve_audit::event::Resource;
use keyreeve_core::commit::Draft;
use keyreeve_core::gate::actions::Action;
use keyreeve_core::record::{AliasRecord, KeyRecord, Lifecycle, RotationRecord};
use keyreeve_core::vault::VaultError;
use keyreeve_core::view::Found;
use keyreeve_core::{Cx, Principal, Refusal, space};
use keyreeve_crypto::random;
use keyreeve_domain::spec::{KeyManager, KeySpec, KeyUsage, Origin};
use keyreeve_domain::{AliasName, KeyArn, KeyId, KeyRef};

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
        let account = cx.caller.account();
        if cx.service.find(account, cx.region, alias.as_str()).await.is_err()
            && *cx.caller.principal() == Principal::Root
        {
            match make(cx, &alias).await {
                Ok(()) | Err(VaultError::Contended) => {}
                Err(error) => return Err(error.into()),
            }
        }
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

async fn make(cx: &mut Cx<'_>, alias: &AliasName) -> Result<(), VaultError> {
    let vault = cx.service.vault();
    let bits = random::array(vault.random()).map_err(keyreeve_crypto::key::MakeKeyError::from)?;
    let arn = KeyArn { region: cx.region, account: cx.caller.account(), key: KeyId::from_random(bits) };
    let service = alias.service().unwrap_or_default();
    let mut record = KeyRecord {
        account: arn.account,
        description: format!("Default key that protects my {service} data when no other key is defined"),
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
    };
    record.materials.push(vault.make_material(&arn, &record)?);
    let mut draft = Draft::new(vault);
    draft.put(&space::key(arn.region, arn.key)?, None, &record)?;
    draft.index(&space::owned(arn.account, arn.region, arn.key)?)?;
    if let Some((at, task)) = record.due() {
        draft.index(&space::due(at, task, arn.region, arn.key)?)?;
    }
    let named = AliasRecord { target: arn.key, created: cx.now, updated: cx.now };
    draft.put(&space::alias(arn.account, arn.region, alias)?, None, &named)?;
    draft.index(&space::named(arn.region, arn.key, alias)?)?;
    cx.notes.resource(Resource::Key(arn));
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
