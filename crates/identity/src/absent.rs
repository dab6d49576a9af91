//! What users and roles of AWS may have and those here never do: passwords, MFA devices, certificates, keys of other protocols,
//! instance profiles. Tools ask for them before they delete a user or a role; they are told that there are none.

use keyreeve_core::Cx;
use keyreeve_core::identity::record::{RoleRecord, UserRecord};
use keyreeve_wire::iam::{
    DeleteLoginProfileInput, GetLoginProfileInput, GetLoginProfileOutput, ListInstanceProfilesForRoleInput,
    ListInstanceProfilesForRoleOutput, ListMFADevicesInput, ListMFADevicesOutput, ListSSHPublicKeysInput,
    ListSSHPublicKeysOutput, ListServiceSpecificCredentialsInput, ListServiceSpecificCredentialsOutput,
    ListSigningCertificatesInput, ListSigningCertificatesOutput, ListVirtualMFADevicesInput,
    ListVirtualMFADevicesOutput,
};

use crate::amend::read;
use crate::entity::arn;
use crate::gate::{Particulars, authorize};
use crate::refusal::Refusal;

/// Checks that the caller may ask for what the user of this name has, and that there is one; without a name it is the caller.
async fn check_user(cx: &Cx<'_>, action: &'static str, name: Option<&str>) -> Result<(), Refusal> {
    match name.or_else(|| cx.caller.principal().user().map(|user| user.name.as_str())) {
        Some(name) => read::<UserRecord>(cx, action, name).await.map(drop),
        None => {
            let resource = arn::<UserRecord>(cx.caller.account(), "/", "*");
            authorize(cx, action, &resource, &Particulars::default()).await
        }
    }
}

pub(crate) async fn list_mfa_devices(
    cx: &mut Cx<'_>,
    input: ListMFADevicesInput,
) -> Result<ListMFADevicesOutput, Refusal> {
    check_user(cx, "iam:ListMFADevices", input.user_name.as_deref()).await?;
    Ok(ListMFADevicesOutput { mfa_devices: Vec::new(), is_truncated: false, marker: None })
}

pub(crate) async fn list_virtual_mfa_devices(
    cx: &mut Cx<'_>,
    _: ListVirtualMFADevicesInput,
) -> Result<ListVirtualMFADevicesOutput, Refusal> {
    let resource = format!("arn:aws:iam::{}:mfa/*", cx.caller.account());
    authorize(cx, "iam:ListVirtualMFADevices", &resource, &Particulars::default()).await?;
    Ok(ListVirtualMFADevicesOutput { virtual_mfa_devices: Vec::new(), is_truncated: false, marker: None })
}

pub(crate) async fn list_ssh_public_keys(
    cx: &mut Cx<'_>,
    input: ListSSHPublicKeysInput,
) -> Result<ListSSHPublicKeysOutput, Refusal> {
    check_user(cx, "iam:ListSSHPublicKeys", input.user_name.as_deref()).await?;
    Ok(ListSSHPublicKeysOutput { ssh_public_keys: Vec::new(), is_truncated: false, marker: None })
}

pub(crate) async fn list_signing_certificates(
    cx: &mut Cx<'_>,
    input: ListSigningCertificatesInput,
) -> Result<ListSigningCertificatesOutput, Refusal> {
    check_user(cx, "iam:ListSigningCertificates", input.user_name.as_deref()).await?;
    Ok(ListSigningCertificatesOutput { certificates: Vec::new(), is_truncated: false, marker: None })
}

pub(crate) async fn list_service_specific_credentials(
    cx: &mut Cx<'_>,
    input: ListServiceSpecificCredentialsInput,
) -> Result<ListServiceSpecificCredentialsOutput, Refusal> {
    check_user(cx, "iam:ListServiceSpecificCredentials", input.user_name.as_deref()).await?;
    Ok(ListServiceSpecificCredentialsOutput {
        service_specific_credentials: Vec::new(),
        marker: None,
        is_truncated: false,
    })
}

pub(crate) async fn list_instance_profiles_for_role(
    cx: &mut Cx<'_>,
    input: ListInstanceProfilesForRoleInput,
) -> Result<ListInstanceProfilesForRoleOutput, Refusal> {
    read::<RoleRecord>(cx, "iam:ListInstanceProfilesForRole", &input.role_name).await?;
    Ok(ListInstanceProfilesForRoleOutput { instance_profiles: Vec::new(), is_truncated: false, marker: None })
}

fn no_login_profile(name: Option<&str>) -> Refusal {
    Refusal::missing(format!("Login Profile for User {} cannot be found.", name.unwrap_or_default()))
}

pub(crate) async fn get_login_profile(
    cx: &mut Cx<'_>,
    input: GetLoginProfileInput,
) -> Result<GetLoginProfileOutput, Refusal> {
    check_user(cx, "iam:GetLoginProfile", input.user_name.as_deref()).await?;
    Err(no_login_profile(input.user_name.as_deref()))
}

pub(crate) async fn delete_login_profile(
    cx: &mut Cx<'_>,
    input: DeleteLoginProfileInput,
) -> Result<(), Refusal> {
    check_user(cx, "iam:DeleteLoginProfile", input.user_name.as_deref()).await?;
    Err(no_login_profile(input.user_name.as_deref()))
}
