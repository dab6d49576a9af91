//! The bytes of every answer.
#![expect(clippy::expect_used, reason = "test code")]

use std::collections::BTreeMap;

use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::*;
use keyreeve_wire::*;
use serde_json::Value;

fn at() -> Timestamp {
    Timestamp::from_millis(1_614_905_581_947)
}

const KEY_METADATA: &str = r#"{"AWSAccountId":"AWSAccountId-v","Arn":"Arn-v","CloudHsmClusterId":"CloudHsmClusterId-v","CreationDate":1614905581.947,"CurrentKeyMaterialId":"CurrentKeyMaterialId-v","CustomKeyStoreId":"CustomKeyStoreId-v","CustomerMasterKeySpec":"SM2","DeletionDate":1614905581.947,"Description":"Description-v","Enabled":true,"EncapsulationAlgorithms":["ML_KEM"],"EncryptionAlgorithms":["SM2PKE"],"ExpirationModel":"KEY_MATERIAL_DOES_NOT_EXPIRE","KeyAgreementAlgorithms":["ECDH"],"KeyId":"KeyId-v","KeyManager":"CUSTOMER","KeySpec":"ML_KEM_1024","KeyState":"Updating","KeyUsage":"ENCAPSULATE_DECAPSULATE","MacAlgorithms":["HMAC_SHA_512"],"MultiRegion":true,"MultiRegionConfiguration":{"MultiRegionKeyType":"REPLICA","PrimaryKey":{"Arn":"Arn-v","Region":"Region-v"},"ReplicaKeys":[{"Arn":"Arn-v","Region":"Region-v"}]},"Origin":"EXTERNAL_KEY_STORE","PendingDeletionWindowInDays":365,"SigningAlgorithms":["ED25519_PH_SHA_512"],"ValidTo":1614905581.947,"XksKeyConfiguration":{"Id":"Id-v"}}"#;

fn key_metadata() -> KeyMetadata {
    KeyMetadata {
        aws_account_id: text("AWSAccountId-v"),
        arn: text("Arn-v"),
        cloud_hsm_cluster_id: Some(text("CloudHsmClusterId-v")),
        creation_date: at(),
        current_key_material_id: Some(text("CurrentKeyMaterialId-v")),
        custom_key_store_id: Some(text("CustomKeyStoreId-v")),
        customer_master_key_spec: Some(CustomerMasterKeySpec::Sm2),
        deletion_date: Some(at()),
        description: text("Description-v"),
        enabled: true,
        encapsulation_algorithms: Some(vec![EncapsulationAlgorithm::MlKem]),
        encryption_algorithms: Some(vec![EncryptionAlgorithm::Sm2Pke]),
        expiration_model: Some(ExpirationModel::KeyMaterialDoesNotExpire),
        key_agreement_algorithms: Some(vec![KeyAgreementAlgorithm::Ecdh]),
        key_id: text("KeyId-v"),
        key_manager: KeyManager::Customer,
        key_spec: KeySpec::MlKem1024,
        key_state: KeyState::Updating,
        key_usage: KeyUsage::EncapsulateDecapsulate,
        mac_algorithms: Some(vec![MacAlgorithm::HmacSha512]),
        multi_region: true,
        multi_region_configuration: Some(MultiRegionConfiguration {
            multi_region_key_type: MultiRegionKeyType::Replica,
            primary_key: MultiRegionKey { arn: text("Arn-v"), region: text("Region-v") },
            replica_keys: vec![MultiRegionKey { arn: text("Arn-v"), region: text("Region-v") }],
        }),
        origin: Origin::ExternalKeyStore,
        pending_deletion_window_in_days: Some(365),
        signing_algorithms: Some(vec![SigningAlgorithm::Ed25519PhSha512]),
        valid_to: Some(at()),
        xks_key_configuration: Some(XksKeyConfiguration { id: text("Id-v") }),
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn written<T: Output>(output: &T) -> String {
    let mut out = Vec::new();
    output.write(&mut out);
    String::from_utf8(out).expect("an answer is UTF-8")
}

/// The operation, the answer as written, and the answer as expected.
fn row<T: Output>(output: &T, expected: String) -> (Operation, String, String) {
    (T::OPERATION, written(output), expected)
}

#[test]
fn an_answer_with_every_member_is_compact_sorted_json() {
    let rows = [
        row(&CancelKeyDeletionOutput { key_id: text("KeyId-v") }, text(r#"{"KeyId":"KeyId-v"}"#)),
        row(&ConnectCustomKeyStoreOutput {}, text(r#"{}"#)),
        row(
            &CreateCustomKeyStoreOutput { custom_key_store_id: text("CustomKeyStoreId-v") },
            text(r#"{"CustomKeyStoreId":"CustomKeyStoreId-v"}"#),
        ),
        row(
            &CreateGrantOutput { grant_id: text("GrantId-v"), grant_token: text("GrantToken-v") },
            text(r#"{"GrantId":"GrantId-v","GrantToken":"GrantToken-v"}"#),
        ),
        row(
            &CreateKeyOutput { key_metadata: key_metadata() },
            format!("{}{KEY_METADATA}{}", r#"{"KeyMetadata":"#, r#"}"#),
        ),
        row(
            &DecapsulateOutput {
                encapsulation_algorithm: EncapsulationAlgorithm::MlKem,
                key_id: text("KeyId-v"),
                shared_secret: b"hi".to_vec().into(),
            },
            text(r#"{"EncapsulationAlgorithm":"ML_KEM","KeyId":"KeyId-v","SharedSecret":"aGk="}"#),
        ),
        row(
            &DecryptOutput {
                ciphertext_for_recipient: Some(b"hi".to_vec().into()),
                encryption_algorithm: EncryptionAlgorithm::Sm2Pke,
                key_id: text("KeyId-v"),
                key_material_id: Some(text("KeyMaterialId-v")),
                plaintext: Some(b"hi".to_vec().into()),
            },
            text(
                r#"{"CiphertextForRecipient":"aGk=","EncryptionAlgorithm":"SM2PKE","KeyId":"KeyId-v","KeyMaterialId":"KeyMaterialId-v","Plaintext":"aGk="}"#,
            ),
        ),
        row(&DeleteCustomKeyStoreOutput {}, text(r#"{}"#)),
        row(
            &DeleteImportedKeyMaterialOutput {
                key_id: text("KeyId-v"),
                key_material_id: Some(text("KeyMaterialId-v")),
            },
            text(r#"{"KeyId":"KeyId-v","KeyMaterialId":"KeyMaterialId-v"}"#),
        ),
        row(
            &DeriveSharedSecretOutput {
                ciphertext_for_recipient: Some(b"hi".to_vec().into()),
                key_agreement_algorithm: KeyAgreementAlgorithm::Ecdh,
                key_id: text("KeyId-v"),
                key_origin: Origin::ExternalKeyStore,
                shared_secret: Some(b"hi".to_vec().into()),
            },
            text(
                r#"{"CiphertextForRecipient":"aGk=","KeyAgreementAlgorithm":"ECDH","KeyId":"KeyId-v","KeyOrigin":"EXTERNAL_KEY_STORE","SharedSecret":"aGk="}"#,
            ),
        ),
        row(
            &DescribeCustomKeyStoresOutput {
                custom_key_stores: vec![CustomKeyStoresListEntry {
                    cloud_hsm_cluster_id: Some(text("CloudHsmClusterId-v")),
                    connection_error_code: Some(ConnectionErrorCode::XksProxyInvalidTlsConfiguration),
                    connection_state: ConnectionState::Disconnecting,
                    creation_date: at(),
                    custom_key_store_id: text("CustomKeyStoreId-v"),
                    custom_key_store_name: text("CustomKeyStoreName-v"),
                    custom_key_store_type: CustomKeyStoreType::ExternalKeyStore,
                    trust_anchor_certificate: Some(text("TrustAnchorCertificate-v")),
                    xks_proxy_configuration: Some(XksProxyConfiguration {
                        access_key_id: text("AccessKeyId-v").into(),
                        connectivity: XksProxyConnectivity::VpcEndpointService,
                        uri_endpoint: text("UriEndpoint-v"),
                        uri_path: text("UriPath-v"),
                        vpc_endpoint_service_name: Some(text("VpcEndpointServiceName-v")),
                        vpc_endpoint_service_owner: Some(text("VpcEndpointServiceOwner-v")),
                    }),
                }],
                next_marker: Some(text("NextMarker-v")),
                truncated: true,
            },
            text(
                r#"{"CustomKeyStores":[{"CloudHsmClusterId":"CloudHsmClusterId-v","ConnectionErrorCode":"XKS_PROXY_INVALID_TLS_CONFIGURATION","ConnectionState":"DISCONNECTING","CreationDate":1614905581.947,"CustomKeyStoreId":"CustomKeyStoreId-v","CustomKeyStoreName":"CustomKeyStoreName-v","CustomKeyStoreType":"EXTERNAL_KEY_STORE","TrustAnchorCertificate":"TrustAnchorCertificate-v","XksProxyConfiguration":{"AccessKeyId":"AccessKeyId-v","Connectivity":"VPC_ENDPOINT_SERVICE","UriEndpoint":"UriEndpoint-v","UriPath":"UriPath-v","VpcEndpointServiceName":"VpcEndpointServiceName-v","VpcEndpointServiceOwner":"VpcEndpointServiceOwner-v"}}],"NextMarker":"NextMarker-v","Truncated":true}"#,
            ),
        ),
        row(
            &DescribeKeyOutput { key_metadata: key_metadata() },
            format!("{}{KEY_METADATA}{}", r#"{"KeyMetadata":"#, r#"}"#),
        ),
        row(&DisconnectCustomKeyStoreOutput {}, text(r#"{}"#)),
        row(
            &EncapsulateOutput {
                encapsulation_algorithm: EncapsulationAlgorithm::MlKem,
                key_id: text("KeyId-v"),
                shared_secret: b"hi".to_vec().into(),
                shared_secret_ciphertext_blob: b"hi".to_vec().into(),
            },
            text(
                r#"{"EncapsulationAlgorithm":"ML_KEM","KeyId":"KeyId-v","SharedSecret":"aGk=","SharedSecretCiphertextBlob":"aGk="}"#,
            ),
        ),
        row(
            &EncryptOutput {
                ciphertext_blob: b"hi".to_vec().into(),
                encryption_algorithm: EncryptionAlgorithm::Sm2Pke,
                key_id: text("KeyId-v"),
            },
            text(r#"{"CiphertextBlob":"aGk=","EncryptionAlgorithm":"SM2PKE","KeyId":"KeyId-v"}"#),
        ),
        row(
            &GenerateDataKeyOutput {
                ciphertext_blob: b"hi".to_vec().into(),
                ciphertext_for_recipient: Some(b"hi".to_vec().into()),
                key_id: text("KeyId-v"),
                key_material_id: Some(text("KeyMaterialId-v")),
                plaintext: Some(b"hi".to_vec().into()),
            },
            text(
                r#"{"CiphertextBlob":"aGk=","CiphertextForRecipient":"aGk=","KeyId":"KeyId-v","KeyMaterialId":"KeyMaterialId-v","Plaintext":"aGk="}"#,
            ),
        ),
        row(
            &GenerateDataKeyPairOutput {
                ciphertext_for_recipient: Some(b"hi".to_vec().into()),
                key_id: text("KeyId-v"),
                key_material_id: Some(text("KeyMaterialId-v")),
                key_pair_spec: DataKeyPairSpec::MlKem1024,
                private_key_ciphertext_blob: b"hi".to_vec().into(),
                private_key_plaintext: Some(b"hi".to_vec().into()),
                public_key: b"hi".to_vec().into(),
            },
            text(
                r#"{"CiphertextForRecipient":"aGk=","KeyId":"KeyId-v","KeyMaterialId":"KeyMaterialId-v","KeyPairSpec":"ML_KEM_1024","PrivateKeyCiphertextBlob":"aGk=","PrivateKeyPlaintext":"aGk=","PublicKey":"aGk="}"#,
            ),
        ),
        row(
            &GenerateDataKeyPairWithoutPlaintextOutput {
                key_id: text("KeyId-v"),
                key_material_id: Some(text("KeyMaterialId-v")),
                key_pair_spec: DataKeyPairSpec::MlKem1024,
                private_key_ciphertext_blob: b"hi".to_vec().into(),
                public_key: b"hi".to_vec().into(),
            },
            text(
                r#"{"KeyId":"KeyId-v","KeyMaterialId":"KeyMaterialId-v","KeyPairSpec":"ML_KEM_1024","PrivateKeyCiphertextBlob":"aGk=","PublicKey":"aGk="}"#,
            ),
        ),
        row(
            &GenerateDataKeyWithoutPlaintextOutput {
                ciphertext_blob: b"hi".to_vec().into(),
                key_id: text("KeyId-v"),
                key_material_id: Some(text("KeyMaterialId-v")),
            },
            text(r#"{"CiphertextBlob":"aGk=","KeyId":"KeyId-v","KeyMaterialId":"KeyMaterialId-v"}"#),
        ),
        row(
            &GenerateMacOutput {
                key_id: text("KeyId-v"),
                mac: b"hi".to_vec().into(),
                mac_algorithm: MacAlgorithm::HmacSha512,
            },
            text(r#"{"KeyId":"KeyId-v","Mac":"aGk=","MacAlgorithm":"HMAC_SHA_512"}"#),
        ),
        row(
            &GenerateRandomOutput {
                ciphertext_for_recipient: Some(b"hi".to_vec().into()),
                plaintext: Some(b"hi".to_vec().into()),
            },
            text(r#"{"CiphertextForRecipient":"aGk=","Plaintext":"aGk="}"#),
        ),
        row(
            &GetKeyLastUsageOutput {
                key_creation_date: at(),
                key_id: text("KeyId-v"),
                key_last_usage: Some(KeyLastUsageData {
                    cloud_trail_event_id: Some(text("CloudTrailEventId-v")),
                    kms_request_id: Some(text("KmsRequestId-v")),
                    operation: KeyLastUsageOperation::Decapsulate,
                    timestamp: at(),
                }),
                tracking_start_date: Some(at()),
            },
            text(
                r#"{"KeyCreationDate":1614905581.947,"KeyId":"KeyId-v","KeyLastUsage":{"CloudTrailEventId":"CloudTrailEventId-v","KmsRequestId":"KmsRequestId-v","Operation":"Decapsulate","Timestamp":1614905581.947},"TrackingStartDate":1614905581.947}"#,
            ),
        ),
        row(
            &GetKeyPolicyOutput { policy: text("Policy-v"), policy_name: text("PolicyName-v") },
            text(r#"{"Policy":"Policy-v","PolicyName":"PolicyName-v"}"#),
        ),
        row(
            &GetKeyRotationStatusOutput {
                key_id: text("KeyId-v"),
                key_rotation_enabled: true,
                next_rotation_date: Some(at()),
                on_demand_rotation_start_date: Some(at()),
                rotation_period_in_days: Some(365),
            },
            text(
                r#"{"KeyId":"KeyId-v","KeyRotationEnabled":true,"NextRotationDate":1614905581.947,"OnDemandRotationStartDate":1614905581.947,"RotationPeriodInDays":365}"#,
            ),
        ),
        row(
            &GetParametersForImportOutput {
                import_token: b"hi".to_vec().into(),
                key_id: text("KeyId-v"),
                parameters_valid_to: at(),
                public_key: b"hi".to_vec().into(),
            },
            text(
                r#"{"ImportToken":"aGk=","KeyId":"KeyId-v","ParametersValidTo":1614905581.947,"PublicKey":"aGk="}"#,
            ),
        ),
        row(
            &GetPublicKeyOutput {
                customer_master_key_spec: Some(CustomerMasterKeySpec::Sm2),
                encapsulation_algorithms: Some(vec![EncapsulationAlgorithm::MlKem]),
                encryption_algorithms: Some(vec![EncryptionAlgorithm::Sm2Pke]),
                key_agreement_algorithms: Some(vec![KeyAgreementAlgorithm::Ecdh]),
                key_id: text("KeyId-v"),
                key_spec: KeySpec::MlKem1024,
                key_usage: KeyUsage::EncapsulateDecapsulate,
                public_key: b"hi".to_vec().into(),
                signing_algorithms: Some(vec![SigningAlgorithm::Ed25519PhSha512]),
            },
            text(
                r#"{"CustomerMasterKeySpec":"SM2","EncapsulationAlgorithms":["ML_KEM"],"EncryptionAlgorithms":["SM2PKE"],"KeyAgreementAlgorithms":["ECDH"],"KeyId":"KeyId-v","KeySpec":"ML_KEM_1024","KeyUsage":"ENCAPSULATE_DECAPSULATE","PublicKey":"aGk=","SigningAlgorithms":["ED25519_PH_SHA_512"]}"#,
            ),
        ),
        row(
            &ImportKeyMaterialOutput {
                key_id: text("KeyId-v"),
                key_material_id: Some(text("KeyMaterialId-v")),
            },
            text(r#"{"KeyId":"KeyId-v","KeyMaterialId":"KeyMaterialId-v"}"#),
        ),
        row(
            &ListAliasesOutput {
                aliases: vec![AliasListEntry {
                    alias_arn: text("AliasArn-v"),
                    alias_name: text("AliasName-v"),
                    creation_date: Some(at()),
                    last_updated_date: Some(at()),
                    target_key_id: Some(text("TargetKeyId-v")),
                }],
                next_marker: Some(text("NextMarker-v")),
                truncated: true,
            },
            text(
                r#"{"Aliases":[{"AliasArn":"AliasArn-v","AliasName":"AliasName-v","CreationDate":1614905581.947,"LastUpdatedDate":1614905581.947,"TargetKeyId":"TargetKeyId-v"}],"NextMarker":"NextMarker-v","Truncated":true}"#,
            ),
        ),
        row(
            &ListGrantsOutput {
                grants: vec![GrantListEntry {
                    constraints: Some(GrantConstraints {
                        encryption_context_equals: Some(EncryptionContext::from(BTreeMap::from([
                            (text("b"), text("2")),
                            (text("a"), text("1")),
                        ]))),
                        encryption_context_subset: Some(EncryptionContext::from(BTreeMap::from([
                            (text("b"), text("2")),
                            (text("a"), text("1")),
                        ]))),
                        source_arn: Some(text("SourceArn-v")),
                    }),
                    creation_date: at(),
                    grant_id: text("GrantId-v"),
                    grantee_principal: Some(text("GranteePrincipal-v")),
                    grantee_service_principal: Some(text("GranteeServicePrincipal-v")),
                    issuing_account: text("IssuingAccount-v"),
                    key_id: text("KeyId-v"),
                    name: Some(text("Name-v")),
                    operations: vec![GrantOperation::Decapsulate],
                    retiring_principal: Some(text("RetiringPrincipal-v")),
                    retiring_service_principal: Some(text("RetiringServicePrincipal-v")),
                }],
                next_marker: Some(text("NextMarker-v")),
                truncated: true,
            },
            text(
                r#"{"Grants":[{"Constraints":{"EncryptionContextEquals":{"a":"1","b":"2"},"EncryptionContextSubset":{"a":"1","b":"2"},"SourceArn":"SourceArn-v"},"CreationDate":1614905581.947,"GrantId":"GrantId-v","GranteePrincipal":"GranteePrincipal-v","GranteeServicePrincipal":"GranteeServicePrincipal-v","IssuingAccount":"IssuingAccount-v","KeyId":"KeyId-v","Name":"Name-v","Operations":["Decapsulate"],"RetiringPrincipal":"RetiringPrincipal-v","RetiringServicePrincipal":"RetiringServicePrincipal-v"}],"NextMarker":"NextMarker-v","Truncated":true}"#,
            ),
        ),
        row(
            &ListKeyPoliciesOutput {
                next_marker: Some(text("NextMarker-v")),
                policy_names: vec![text("PolicyNames-v")],
                truncated: true,
            },
            text(r#"{"NextMarker":"NextMarker-v","PolicyNames":["PolicyNames-v"],"Truncated":true}"#),
        ),
        row(
            &ListKeyRotationsOutput {
                next_marker: Some(text("NextMarker-v")),
                rotations: vec![RotationsListEntry {
                    expiration_model: Some(ExpirationModel::KeyMaterialDoesNotExpire),
                    import_state: Some(ImportState::PendingImport),
                    key_id: text("KeyId-v"),
                    key_material_description: Some(text("KeyMaterialDescription-v")),
                    key_material_id: Some(text("KeyMaterialId-v")),
                    key_material_state: Some(KeyMaterialState::PendingMultiRegionImportAndRotation),
                    rotation_date: Some(at()),
                    rotation_type: Some(RotationType::OnDemand),
                    valid_to: Some(at()),
                }],
                truncated: true,
            },
            text(
                r#"{"NextMarker":"NextMarker-v","Rotations":[{"ExpirationModel":"KEY_MATERIAL_DOES_NOT_EXPIRE","ImportState":"PENDING_IMPORT","KeyId":"KeyId-v","KeyMaterialDescription":"KeyMaterialDescription-v","KeyMaterialId":"KeyMaterialId-v","KeyMaterialState":"PENDING_MULTI_REGION_IMPORT_AND_ROTATION","RotationDate":1614905581.947,"RotationType":"ON_DEMAND","ValidTo":1614905581.947}],"Truncated":true}"#,
            ),
        ),
        row(
            &ListKeysOutput {
                keys: vec![KeyListEntry { key_arn: text("KeyArn-v"), key_id: text("KeyId-v") }],
                next_marker: Some(text("NextMarker-v")),
                truncated: true,
            },
            text(
                r#"{"Keys":[{"KeyArn":"KeyArn-v","KeyId":"KeyId-v"}],"NextMarker":"NextMarker-v","Truncated":true}"#,
            ),
        ),
        row(
            &ListResourceTagsOutput {
                next_marker: Some(text("NextMarker-v")),
                tags: vec![Tag { tag_key: text("TagKey-v"), tag_value: text("TagValue-v") }],
                truncated: true,
            },
            text(
                r#"{"NextMarker":"NextMarker-v","Tags":[{"TagKey":"TagKey-v","TagValue":"TagValue-v"}],"Truncated":true}"#,
            ),
        ),
        row(
            &ListRetirableGrantsOutput {
                grants: vec![GrantListEntry {
                    constraints: Some(GrantConstraints {
                        encryption_context_equals: Some(EncryptionContext::from(BTreeMap::from([
                            (text("b"), text("2")),
                            (text("a"), text("1")),
                        ]))),
                        encryption_context_subset: Some(EncryptionContext::from(BTreeMap::from([
                            (text("b"), text("2")),
                            (text("a"), text("1")),
                        ]))),
                        source_arn: Some(text("SourceArn-v")),
                    }),
                    creation_date: at(),
                    grant_id: text("GrantId-v"),
                    grantee_principal: Some(text("GranteePrincipal-v")),
                    grantee_service_principal: Some(text("GranteeServicePrincipal-v")),
                    issuing_account: text("IssuingAccount-v"),
                    key_id: text("KeyId-v"),
                    name: Some(text("Name-v")),
                    operations: vec![GrantOperation::Decapsulate],
                    retiring_principal: Some(text("RetiringPrincipal-v")),
                    retiring_service_principal: Some(text("RetiringServicePrincipal-v")),
                }],
                next_marker: Some(text("NextMarker-v")),
                truncated: true,
            },
            text(
                r#"{"Grants":[{"Constraints":{"EncryptionContextEquals":{"a":"1","b":"2"},"EncryptionContextSubset":{"a":"1","b":"2"},"SourceArn":"SourceArn-v"},"CreationDate":1614905581.947,"GrantId":"GrantId-v","GranteePrincipal":"GranteePrincipal-v","GranteeServicePrincipal":"GranteeServicePrincipal-v","IssuingAccount":"IssuingAccount-v","KeyId":"KeyId-v","Name":"Name-v","Operations":["Decapsulate"],"RetiringPrincipal":"RetiringPrincipal-v","RetiringServicePrincipal":"RetiringServicePrincipal-v"}],"NextMarker":"NextMarker-v","Truncated":true}"#,
            ),
        ),
        row(
            &ReEncryptOutput {
                ciphertext_blob: b"hi".to_vec().into(),
                destination_encryption_algorithm: EncryptionAlgorithm::Sm2Pke,
                destination_key_material_id: Some(text("DestinationKeyMaterialId-v")),
                key_id: text("KeyId-v"),
                source_encryption_algorithm: EncryptionAlgorithm::Sm2Pke,
                source_key_id: text("SourceKeyId-v"),
                source_key_material_id: Some(text("SourceKeyMaterialId-v")),
            },
            text(
                r#"{"CiphertextBlob":"aGk=","DestinationEncryptionAlgorithm":"SM2PKE","DestinationKeyMaterialId":"DestinationKeyMaterialId-v","KeyId":"KeyId-v","SourceEncryptionAlgorithm":"SM2PKE","SourceKeyId":"SourceKeyId-v","SourceKeyMaterialId":"SourceKeyMaterialId-v"}"#,
            ),
        ),
        row(
            &ReplicateKeyOutput {
                replica_key_metadata: key_metadata(),
                replica_policy: text("ReplicaPolicy-v"),
                replica_tags: Some(vec![Tag { tag_key: text("TagKey-v"), tag_value: text("TagValue-v") }]),
            },
            format!(
                "{}{KEY_METADATA}{}",
                r#"{"ReplicaKeyMetadata":"#,
                r#","ReplicaPolicy":"ReplicaPolicy-v","ReplicaTags":[{"TagKey":"TagKey-v","TagValue":"TagValue-v"}]}"#
            ),
        ),
        row(&RotateKeyOnDemandOutput { key_id: text("KeyId-v") }, text(r#"{"KeyId":"KeyId-v"}"#)),
        row(
            &ScheduleKeyDeletionOutput {
                deletion_date: Some(at()),
                key_id: text("KeyId-v"),
                key_state: KeyState::Updating,
                pending_window_in_days: Some(365),
            },
            text(
                r#"{"DeletionDate":1614905581.947,"KeyId":"KeyId-v","KeyState":"Updating","PendingWindowInDays":365}"#,
            ),
        ),
        row(
            &SignOutput {
                key_id: text("KeyId-v"),
                signature: b"hi".to_vec().into(),
                signing_algorithm: SigningAlgorithm::Ed25519PhSha512,
            },
            text(r#"{"KeyId":"KeyId-v","Signature":"aGk=","SigningAlgorithm":"ED25519_PH_SHA_512"}"#),
        ),
        row(&UpdateCustomKeyStoreOutput {}, text(r#"{}"#)),
        row(
            &VerifyOutput {
                key_id: text("KeyId-v"),
                signature_valid: true,
                signing_algorithm: SigningAlgorithm::Ed25519PhSha512,
            },
            text(r#"{"KeyId":"KeyId-v","SignatureValid":true,"SigningAlgorithm":"ED25519_PH_SHA_512"}"#),
        ),
        row(
            &VerifyMacOutput {
                key_id: text("KeyId-v"),
                mac_algorithm: MacAlgorithm::HmacSha512,
                mac_valid: true,
            },
            text(r#"{"KeyId":"KeyId-v","MacAlgorithm":"HMAC_SHA_512","MacValid":true}"#),
        ),
    ];
    for (operation, written, expected) in &rows {
        assert_eq!(written, expected, "{operation}");
        let read: Value = serde_json::from_str(written).expect("JSON");
        assert_eq!(&read.to_string(), written, "{operation}");
    }
    let with_body: Vec<_> = model().iter().filter(|m| m.output.is_some()).map(|m| m.operation).collect();
    assert_eq!(rows.iter().map(|(operation, ..)| *operation).collect::<Vec<_>>(), with_body);
}

#[test]
fn an_absent_member_is_left_out() {
    for (_, written, expected) in [
        row(
            &DecryptOutput {
                ciphertext_for_recipient: Some(b"hi".to_vec().into()),
                encryption_algorithm: EncryptionAlgorithm::RsaesOaepSha256,
                key_id: text("k"),
                key_material_id: None,
                plaintext: None,
            },
            text(
                r#"{"CiphertextForRecipient":"aGk=","EncryptionAlgorithm":"RSAES_OAEP_SHA_256","KeyId":"k"}"#,
            ),
        ),
        row(
            &GetKeyRotationStatusOutput {
                key_id: text("k"),
                key_rotation_enabled: false,
                next_rotation_date: None,
                on_demand_rotation_start_date: None,
                rotation_period_in_days: None,
            },
            text(r#"{"KeyId":"k","KeyRotationEnabled":false}"#),
        ),
        row(
            &ListKeysOutput { keys: Vec::new(), next_marker: None, truncated: false },
            text(r#"{"Keys":[],"Truncated":false}"#),
        ),
        row(
            &ListAliasesOutput {
                aliases: vec![AliasListEntry {
                    alias_arn: text("arn"),
                    alias_name: text("alias/aws/s3"),
                    creation_date: None,
                    last_updated_date: None,
                    target_key_id: None,
                }],
                next_marker: Some(text("m")),
                truncated: true,
            },
            text(
                r#"{"Aliases":[{"AliasArn":"arn","AliasName":"alias/aws/s3"}],"NextMarker":"m","Truncated":true}"#,
            ),
        ),
    ] {
        assert_eq!(written, expected);
    }
}
