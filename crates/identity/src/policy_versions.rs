//! CreatePolicyVersion, GetPolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion, DeletePolicyVersion:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html> and those beside it.

use keyreeve_core::Cx;
use keyreeve_core::identity::aws_managed::AwsManagedPolicy;
use keyreeve_core::identity::record::{ManagedPolicyRecord, PolicyVersion};
use keyreeve_wire::iam::{
    CreatePolicyVersionInput, CreatePolicyVersionOutput, DeletePolicyVersionInput, GetPolicyVersionInput,
    GetPolicyVersionOutput, ListPolicyVersionsInput, ListPolicyVersionsOutput, SetDefaultPolicyVersionInput,
};

use crate::amend::{amend, read};
use crate::arn::{self, PolicyRef};
use crate::entity::Target;
use crate::gate::{Particulars, authorize};
use crate::page::{self, Wanted};
use crate::policies::aws_created;
use crate::refusal::Refusal;
use crate::{policy_check, shown};

/// The versions that a policy may have.
pub(crate) const VERSIONS_MOST: usize = 5;

pub(crate) async fn create_policy_version(
    cx: &mut Cx<'_>,
    input: CreatePolicyVersionInput,
) -> Result<CreatePolicyVersionOutput, Refusal> {
    let action = "iam:CreatePolicyVersion";
    let target = arn::own_policy(cx, action, &input.policy_arn)?;
    let particulars = Particulars::default();
    let policy_version = amend::<ManagedPolicyRecord, _>(cx, action, target, &particulars, async |policy| {
        policy_check::managed(&input.policy_document)?;
        let record = &mut policy.record;
        if record.versions.len() >= VERSIONS_MOST {
            return Err(Refusal::quota(format!(
                "A managed policy can have up to {VERSIONS_MOST} versions. Before you create a new version, you must \
                 delete an existing version."
            )));
        }
        let version =
            PolicyVersion { number: record.next, text: input.policy_document.clone(), created: policy.now };
        record.next = record.next.saturating_add(1);
        record.updated = policy.now;
        if input.set_as_default {
            record.default = version.number;
        }
        record.versions.push(version.clone());
        Ok(shown::version(record, &version, false))
    })
    .await?;
    Ok(CreatePolicyVersionOutput { policy_version })
}

/// The number of a version of a policy that has it.
fn number(policy: &ManagedPolicyRecord, arn: &str, id: &str) -> Result<u32, Refusal> {
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    let found = number.filter(|number| policy.versions.iter().any(|version| version.number == *number));
    found.ok_or_else(|| no_version(arn, id))
}

fn no_version(arn: &str, id: &str) -> Refusal {
    Refusal::missing(format!("Policy {arn} version {id} does not exist or is not attachable."))
}

/// What is said of a version of a policy that is not there, in place of what is said of the policy.
fn of_version(arn: &str, id: &str) -> impl Fn(Refusal) -> Refusal {
    move |refusal| if refusal == arn::no_policy(arn) { no_version(arn, id) } else { refusal }
}

/// The one version that a policy of AWS has.
fn of_aws(policy: &AwsManagedPolicy, with_text: bool) -> keyreeve_wire::iam::PolicyVersion {
    keyreeve_wire::iam::PolicyVersion {
        document: with_text.then(|| shown::document(policy.text)),
        version_id: shown::version_id(1),
        is_default_version: true,
        create_date: aws_created(),
    }
}

pub(crate) async fn get_policy_version(
    cx: &mut Cx<'_>,
    input: GetPolicyVersionInput,
) -> Result<GetPolicyVersionOutput, Refusal> {
    let (action, arn, id) = ("iam:GetPolicyVersion", input.policy_arn.as_str(), input.version_id.as_str());
    let policy_version = match arn::policy(cx, arn)? {
        PolicyRef::Aws(policy) => {
            authorize(cx, action, arn, &Particulars::default()).await?;
            if id != "v1" {
                return Err(no_version(arn, id));
            }
            of_aws(policy, true)
        }
        PolicyRef::Own(name) => {
            let policy = read::<ManagedPolicyRecord>(cx, action, Target { name, arn: Some(arn) }).await;
            let policy = policy.map_err(of_version(arn, id))?;
            let number = number(&policy, arn, id)?;
            let found = policy.versions.iter().find(|version| version.number == number);
            shown::version(&policy, found.ok_or_else(|| no_version(arn, id))?, true)
        }
        PolicyRef::Unknown => return Err(no_version(arn, id)),
    };
    Ok(GetPolicyVersionOutput { policy_version })
}

pub(crate) async fn list_policy_versions(
    cx: &mut Cx<'_>,
    input: ListPolicyVersionsInput,
) -> Result<ListPolicyVersionsOutput, Refusal> {
    let (action, arn) = ("iam:ListPolicyVersions", input.policy_arn.as_str());
    let versions = match arn::policy(cx, arn)? {
        PolicyRef::Aws(policy) => {
            authorize(cx, action, arn, &Particulars::default()).await?;
            vec![(1, of_aws(policy, false))]
        }
        PolicyRef::Own(name) => {
            let policy = read::<ManagedPolicyRecord>(cx, action, Target { name, arn: Some(arn) }).await?;
            let versions = policy.versions.iter();
            versions.map(|version| (version.number, shown::version(&policy, version, false))).collect()
        }
        PolicyRef::Unknown => return Err(arn::no_policy(arn)),
    };
    let wanted = Wanted::new(&input.marker, input.max_items);
    // The latest first.
    let key = |(number, _): &(u32, _)| format!("{:010}", u32::MAX - number);
    let page = page::of_items(cx, &format!("{action}/{arn}"), wanted, versions, key)?;
    Ok(ListPolicyVersionsOutput {
        is_truncated: page.is_truncated(),
        versions: page.items.into_iter().map(|(_, version)| version).collect(),
        marker: page.marker,
    })
}

pub(crate) async fn set_default_policy_version(
    cx: &mut Cx<'_>,
    input: SetDefaultPolicyVersionInput,
) -> Result<(), Refusal> {
    let action = "iam:SetDefaultPolicyVersion";
    let of_version = of_version(&input.policy_arn, &input.version_id);
    let target = arn::own_policy(cx, action, &input.policy_arn).map_err(&of_version)?;
    amend::<ManagedPolicyRecord, ()>(cx, action, target, &Particulars::default(), async |policy| {
        policy.record.default = number(&policy.record, &input.policy_arn, &input.version_id)?;
        policy.record.updated = policy.now;
        Ok(())
    })
    .await
    .map_err(of_version)
}

pub(crate) async fn delete_policy_version(
    cx: &mut Cx<'_>,
    input: DeletePolicyVersionInput,
) -> Result<(), Refusal> {
    let action = "iam:DeletePolicyVersion";
    let target = arn::own_policy(cx, action, &input.policy_arn)?;
    amend::<ManagedPolicyRecord, ()>(cx, action, target, &Particulars::default(), async |policy| {
        let number = number(&policy.record, &input.policy_arn, &input.version_id)?;
        if number == policy.record.default {
            return Err(Refusal::conflict("Cannot delete the default version of a policy."));
        }
        policy.record.versions.retain(|version| version.number != number);
        policy.record.updated = policy.now;
        Ok(())
    })
    .await
}
