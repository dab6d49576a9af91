//! The API at run time: every operation with its members, limits and errors.
//!
//! Source of truth: the service model 2014-11-01; `cargo xtask parity` compares the two.

use crate::operation::*;
use crate::shape::Member;
use crate::{ErrorCode, InputError, Operation};

/// An operation as the service model describes it.
#[derive(Clone, Copy, Debug)]
pub struct OperationModel {
    /// Which operation.
    pub operation: Operation,
    /// The members of the request, in the order in which they are checked.
    pub input: &'static [Member],
    /// The members of the answer; `None` when the answer has no body.
    pub output: Option<&'static [Member]>,
    /// The errors the model declares.
    pub errors: &'static [ErrorCode],
    /// Reads a request only to say whether it decodes.
    pub check: fn(&[u8]) -> Result<(), InputError>,
}

/// Every operation, in the order of [`Operation::ALL`].
pub const fn model() -> &'static [OperationModel] {
    MODEL
}

const MODEL: &[OperationModel] = &[
    CancelKeyDeletionInput::MODEL,
    ConnectCustomKeyStoreInput::MODEL,
    CreateAliasInput::MODEL,
    CreateCustomKeyStoreInput::MODEL,
    CreateGrantInput::MODEL,
    CreateKeyInput::MODEL,
    DecapsulateInput::MODEL,
    DecryptInput::MODEL,
    DeleteAliasInput::MODEL,
    DeleteCustomKeyStoreInput::MODEL,
    DeleteImportedKeyMaterialInput::MODEL,
    DeriveSharedSecretInput::MODEL,
    DescribeCustomKeyStoresInput::MODEL,
    DescribeKeyInput::MODEL,
    DisableKeyInput::MODEL,
    DisableKeyRotationInput::MODEL,
    DisconnectCustomKeyStoreInput::MODEL,
    EnableKeyInput::MODEL,
    EnableKeyRotationInput::MODEL,
    EncapsulateInput::MODEL,
    EncryptInput::MODEL,
    GenerateDataKeyInput::MODEL,
    GenerateDataKeyPairInput::MODEL,
    GenerateDataKeyPairWithoutPlaintextInput::MODEL,
    GenerateDataKeyWithoutPlaintextInput::MODEL,
    GenerateMacInput::MODEL,
    GenerateRandomInput::MODEL,
    GetKeyLastUsageInput::MODEL,
    GetKeyPolicyInput::MODEL,
    GetKeyRotationStatusInput::MODEL,
    GetParametersForImportInput::MODEL,
    GetPublicKeyInput::MODEL,
    ImportKeyMaterialInput::MODEL,
    ListAliasesInput::MODEL,
    ListGrantsInput::MODEL,
    ListKeyPoliciesInput::MODEL,
    ListKeyRotationsInput::MODEL,
    ListKeysInput::MODEL,
    ListResourceTagsInput::MODEL,
    ListRetirableGrantsInput::MODEL,
    PutKeyPolicyInput::MODEL,
    ReEncryptInput::MODEL,
    ReplicateKeyInput::MODEL,
    RetireGrantInput::MODEL,
    RevokeGrantInput::MODEL,
    RotateKeyOnDemandInput::MODEL,
    ScheduleKeyDeletionInput::MODEL,
    SignInput::MODEL,
    TagResourceInput::MODEL,
    UntagResourceInput::MODEL,
    UpdateAliasInput::MODEL,
    UpdateCustomKeyStoreInput::MODEL,
    UpdateKeyDescriptionInput::MODEL,
    UpdatePrimaryRegionInput::MODEL,
    VerifyInput::MODEL,
    VerifyMacInput::MODEL,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn every_operation_stands_once_in_the_order_of_the_model() {
        let operations: Vec<_> = model().iter().map(|model| model.operation).collect();
        assert_eq!(operations, Operation::ALL);
    }

    #[test]
    fn members_of_an_answer_stand_in_alphabetical_order() {
        for model in model() {
            for members in
                model.output.into_iter().chain(model.output.into_iter().flatten().filter_map(nested))
            {
                assert!(members.is_sorted_by_key(|member| member.name), "{}", model.operation);
            }
        }
    }

    fn nested(member: &Member) -> Option<&'static [Member]> {
        if let Kind::List(shape) = member.shape.kind() {
            return nested(&Member { shape, ..*member });
        }
        if let Kind::Structure(members) = member.shape.kind() { Some(members) } else { None }
    }
}
