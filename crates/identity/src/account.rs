//! GetAccountSummary, ListAccountAliases:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html> and the one beside it.

use keyreeve_core::Cx;
use keyreeve_core::identity::record::{AccountRecord, ManagedPolicyRecord};
use keyreeve_core::identity::space;
use keyreeve_core::vault::VaultError;
use keyreeve_wire::iam::{
    GetAccountSummaryInput, GetAccountSummaryOutput, ListAccountAliasesInput, ListAccountAliasesOutput,
    SummaryKey,
};

use crate::gate::{Particulars, authorize};
use crate::refusal::Refusal;

pub(crate) async fn get_account_summary(
    cx: &mut Cx<'_>,
    _: GetAccountSummaryInput,
) -> Result<GetAccountSummaryOutput, Refusal> {
    authorize(cx, "iam:GetAccountSummary", "*", &Particulars::default()).await?;
    let account = cx.caller.account();
    let vault = cx.service.vault();
    let snapshot = vault.snapshot().await?;
    let mut summary_map = std::collections::BTreeMap::from(QUOTAS);
    for (key, prefix) in [
        (SummaryKey::Users, space::users_prefix(account)),
        (SummaryKey::Groups, space::groups_prefix(account)),
        (SummaryKey::Roles, space::roles_prefix(account)),
        (SummaryKey::Policies, space::policies_prefix(account)),
        (SummaryKey::Providers, space::providers_prefix(account)),
    ] {
        let count = snapshot.count(&prefix).await.map_err(VaultError::from)?;
        summary_map.insert(key, u32::try_from(count).unwrap_or(u32::MAX));
    }
    let most = core::num::NonZeroUsize::MAX;
    let prefix = space::policies_prefix(account);
    let (policies, _) = vault.range::<ManagedPolicyRecord>(&*snapshot, &prefix, None, most).await?;
    let versions: usize = policies.iter().map(|(_, policy)| policy.versions.len()).sum();
    summary_map.insert(SummaryKey::PolicyVersionsInUse, u32::try_from(versions).unwrap_or(u32::MAX));
    let root = vault.read::<AccountRecord>(&*snapshot, &space::account(account)?).await?;
    let has_keys = root.is_some_and(|root| !root.record.root_access_keys.is_empty());
    summary_map.insert(SummaryKey::AccountAccessKeysPresent, u32::from(has_keys));
    Ok(GetAccountSummaryOutput { summary_map })
}

/// What does not depend on the account. Quotas of users, roles and policies are larger than those of AWS.
const QUOTAS: [(SummaryKey, u32); 28] = [
    (SummaryKey::UsersQuota, 50_000),
    (SummaryKey::GroupsQuota, 300),
    (SummaryKey::ServerCertificates, 0),
    (SummaryKey::ServerCertificatesQuota, 20),
    (SummaryKey::UserPolicySizeQuota, 2048),
    (SummaryKey::GroupPolicySizeQuota, 5120),
    (SummaryKey::GroupsPerUserQuota, 10),
    (SummaryKey::SigningCertificatesPerUserQuota, 2),
    (SummaryKey::AccessKeysPerUserQuota, 2),
    (SummaryKey::MfaDevices, 0),
    (SummaryKey::MfaDevicesInUse, 0),
    (SummaryKey::AccountMfaEnabled, 0),
    (SummaryKey::AccountPasswordPresent, 0),
    (SummaryKey::AccountSigningCertificatesPresent, 0),
    (SummaryKey::AttachedPoliciesPerGroupQuota, 10),
    (SummaryKey::AttachedPoliciesPerRoleQuota, 10),
    (SummaryKey::AttachedPoliciesPerUserQuota, 10),
    (SummaryKey::PoliciesQuota, 10_000),
    (SummaryKey::PolicySizeQuota, 6144),
    (SummaryKey::PolicyVersionsInUseQuota, 10_000),
    (SummaryKey::VersionsPerPolicyQuota, 5),
    (SummaryKey::GlobalEndpointTokenVersion, 2),
    (SummaryKey::AssumeRolePolicySizeQuota, 2048),
    (SummaryKey::InstanceProfiles, 0),
    (SummaryKey::InstanceProfilesQuota, 1000),
    (SummaryKey::RolePolicySizeQuota, 10_240),
    (SummaryKey::RolesQuota, 50_000),
    (SummaryKey::AccountAccessKeysPresent, 0),
];

pub(crate) async fn list_account_aliases(
    cx: &mut Cx<'_>,
    _: ListAccountAliasesInput,
) -> Result<ListAccountAliasesOutput, Refusal> {
    authorize(cx, "iam:ListAccountAliases", "*", &Particulars::default()).await?;
    Ok(ListAccountAliasesOutput { account_aliases: Vec::new(), is_truncated: false, marker: None })
}
