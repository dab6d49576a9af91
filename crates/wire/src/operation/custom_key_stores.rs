//! Operations on custom key stores.

use keyreeve_domain::spec::{CustomKeyStoreType, XksProxyConnectivity};

use crate::declare::operation;
use crate::shapes;
use crate::structures::{CustomKeyStoresListEntry, XksProxyAuthenticationCredential};
use crate::value::SensitiveText;

operation! { CreateCustomKeyStore {
    input CreateCustomKeyStoreInput {
        custom_key_store_name: required String = "CustomKeyStoreName" CUSTOM_KEY_STORE_NAME,
        cloud_hsm_cluster_id: optional String = "CloudHsmClusterId" CLOUD_HSM_CLUSTER_ID,
        trust_anchor_certificate: optional String = "TrustAnchorCertificate" TRUST_ANCHOR_CERTIFICATE,
        key_store_password: optional SensitiveText = "KeyStorePassword" KEY_STORE_PASSWORD,
        custom_key_store_type: optional CustomKeyStoreType = "CustomKeyStoreType" CUSTOM_KEY_STORE_TYPE,
        xks_proxy_uri_endpoint: optional String = "XksProxyUriEndpoint" XKS_PROXY_URI_ENDPOINT,
        xks_proxy_uri_path: optional String = "XksProxyUriPath" XKS_PROXY_URI_PATH,
        xks_proxy_vpc_endpoint_service_name: optional String = "XksProxyVpcEndpointServiceName" XKS_PROXY_VPC_ENDPOINT_SERVICE_NAME,
        xks_proxy_vpc_endpoint_service_owner: optional String = "XksProxyVpcEndpointServiceOwner" ACCOUNT_ID,
        xks_proxy_authentication_credential: optional XksProxyAuthenticationCredential = "XksProxyAuthenticationCredential" XKS_PROXY_AUTHENTICATION_CREDENTIAL,
        xks_proxy_connectivity: optional XksProxyConnectivity = "XksProxyConnectivity" XKS_PROXY_CONNECTIVITY,
    }
    output CreateCustomKeyStoreOutput {
        custom_key_store_id: present String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
    }
    errors [
        CloudHsmClusterInUse, CustomKeyStoreNameInUse, CloudHsmClusterNotFound, KmsInternal,
        CloudHsmClusterNotActive, IncorrectTrustAnchor, CloudHsmClusterInvalidConfiguration,
        LimitExceeded, XksProxyUriInUse, XksProxyUriEndpointInUse, XksProxyUriUnreachable,
        XksProxyIncorrectAuthenticationCredential, XksProxyVpcEndpointServiceInUse,
        XksProxyVpcEndpointServiceNotFound, XksProxyVpcEndpointServiceInvalidConfiguration,
        XksProxyInvalidResponse, XksProxyInvalidConfiguration,
    ]
}}

operation! { UpdateCustomKeyStore {
    input UpdateCustomKeyStoreInput {
        custom_key_store_id: required String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
        new_custom_key_store_name: optional String = "NewCustomKeyStoreName" CUSTOM_KEY_STORE_NAME,
        key_store_password: optional SensitiveText = "KeyStorePassword" KEY_STORE_PASSWORD,
        cloud_hsm_cluster_id: optional String = "CloudHsmClusterId" CLOUD_HSM_CLUSTER_ID,
        xks_proxy_uri_endpoint: optional String = "XksProxyUriEndpoint" XKS_PROXY_URI_ENDPOINT,
        xks_proxy_uri_path: optional String = "XksProxyUriPath" XKS_PROXY_URI_PATH,
        xks_proxy_vpc_endpoint_service_name: optional String = "XksProxyVpcEndpointServiceName" XKS_PROXY_VPC_ENDPOINT_SERVICE_NAME,
        xks_proxy_vpc_endpoint_service_owner: optional String = "XksProxyVpcEndpointServiceOwner" ACCOUNT_ID,
        xks_proxy_authentication_credential: optional XksProxyAuthenticationCredential = "XksProxyAuthenticationCredential" XKS_PROXY_AUTHENTICATION_CREDENTIAL,
        xks_proxy_connectivity: optional XksProxyConnectivity = "XksProxyConnectivity" XKS_PROXY_CONNECTIVITY,
    }
    output UpdateCustomKeyStoreOutput {}
    errors [
        CustomKeyStoreNotFound, CustomKeyStoreNameInUse, CloudHsmClusterNotFound,
        CloudHsmClusterNotRelated, CustomKeyStoreInvalidState, KmsInternal,
        CloudHsmClusterNotActive, CloudHsmClusterInvalidConfiguration, XksProxyUriInUse,
        XksProxyUriEndpointInUse, XksProxyUriUnreachable,
        XksProxyIncorrectAuthenticationCredential, XksProxyVpcEndpointServiceInUse,
        XksProxyVpcEndpointServiceNotFound, XksProxyVpcEndpointServiceInvalidConfiguration,
        XksProxyInvalidResponse, XksProxyInvalidConfiguration,
    ]
}}

operation! { DeleteCustomKeyStore {
    input DeleteCustomKeyStoreInput {
        custom_key_store_id: required String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
    }
    output DeleteCustomKeyStoreOutput {}
    errors [
        CustomKeyStoreHasCmks, CustomKeyStoreInvalidState, CustomKeyStoreNotFound, KmsInternal,
    ]
}}

operation! { DescribeCustomKeyStores {
    input DescribeCustomKeyStoresInput {
        custom_key_store_id: optional String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
        custom_key_store_name: optional String = "CustomKeyStoreName" CUSTOM_KEY_STORE_NAME,
        limit: optional u32 = "Limit" LIMIT,
        marker: optional String = "Marker" MARKER,
    }
    output DescribeCustomKeyStoresOutput {
        custom_key_stores: present Vec<CustomKeyStoresListEntry> = "CustomKeyStores" CUSTOM_KEY_STORES_LIST,
        next_marker: optional String = "NextMarker" MARKER,
        truncated: present bool = "Truncated" BOOLEAN,
    }
    errors [
        CustomKeyStoreNotFound, InvalidMarker, KmsInternal,
    ]
}}

operation! { ConnectCustomKeyStore {
    input ConnectCustomKeyStoreInput {
        custom_key_store_id: required String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
    }
    output ConnectCustomKeyStoreOutput {}
    errors [
        CloudHsmClusterNotActive, CustomKeyStoreInvalidState, CustomKeyStoreNotFound, KmsInternal,
        CloudHsmClusterInvalidConfiguration,
    ]
}}

operation! { DisconnectCustomKeyStore {
    input DisconnectCustomKeyStoreInput {
        custom_key_store_id: required String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
    }
    output DisconnectCustomKeyStoreOutput {}
    errors [
        CustomKeyStoreInvalidState, CustomKeyStoreNotFound, KmsInternal,
    ]
}}
