//! Operations on OIDC providers.

use keyreeve_domain::Timestamp;

use crate::iam::operation::Operation;
use crate::iam::shapes;
use crate::iam::structures::{OpenIDConnectProviderListEntry, Tag};
use crate::query::declare::query_operation;

query_operation! { CreateOpenIDConnectProvider {
    input CreateOpenIDConnectProviderInput {
        url: required String = "Url" OPEN_ID_CONNECT_PROVIDER_URL,
        client_id_list: default Vec<String> = "ClientIDList" CLIENT_ID_LIST,
        thumbprint_list: default Vec<String> = "ThumbprintList" THUMBPRINT_LIST,
        tags: default Vec<Tag> = "Tags" TAG_LIST,
    }
    output CreateOpenIDConnectProviderOutput {
        open_id_connect_provider_arn: present String = "OpenIDConnectProviderArn" ARN,
        tags: optional Vec<Tag> = "Tags" TAG_LIST,
    }
    errors [
        InvalidInput, EntityAlreadyExists, LimitExceeded, ConcurrentModification, ServiceFailure,
        OpenIdIdpCommunicationError,
    ]
} }

query_operation! { GetOpenIDConnectProvider {
    input GetOpenIDConnectProviderInput {
        open_id_connect_provider_arn: required String = "OpenIDConnectProviderArn" ARN,
    }
    output GetOpenIDConnectProviderOutput {
        url: present String = "Url" OPEN_ID_CONNECT_PROVIDER_URL,
        client_id_list: present Vec<String> = "ClientIDList" CLIENT_ID_LIST,
        thumbprint_list: present Vec<String> = "ThumbprintList" THUMBPRINT_LIST,
        create_date: present Timestamp = "CreateDate" DATE,
        tags: present Vec<Tag> = "Tags" TAG_LIST,
    }
    errors [InvalidInput, NoSuchEntity, ServiceFailure]
} }

query_operation! { ListOpenIDConnectProviders {
    input ListOpenIDConnectProvidersInput {}
    output ListOpenIDConnectProvidersOutput {
        open_id_connect_provider_list: present Vec<OpenIDConnectProviderListEntry> = "OpenIDConnectProviderList" OPEN_ID_CONNECT_PROVIDER_LIST,
    }
    errors [ServiceFailure]
} }

query_operation! { DeleteOpenIDConnectProvider {
    input DeleteOpenIDConnectProviderInput {
        open_id_connect_provider_arn: required String = "OpenIDConnectProviderArn" ARN,
    }
    errors [InvalidInput, NoSuchEntity, ServiceFailure]
} }

query_operation! { AddClientIDToOpenIDConnectProvider {
    input AddClientIDToOpenIDConnectProviderInput {
        open_id_connect_provider_arn: required String = "OpenIDConnectProviderArn" ARN,
        client_id: required String = "ClientID" CLIENT_ID,
    }
    errors [ConcurrentModification, InvalidInput, NoSuchEntity, LimitExceeded, ServiceFailure]
} }

query_operation! { RemoveClientIDFromOpenIDConnectProvider {
    input RemoveClientIDFromOpenIDConnectProviderInput {
        open_id_connect_provider_arn: required String = "OpenIDConnectProviderArn" ARN,
        client_id: required String = "ClientID" CLIENT_ID,
    }
    errors [ConcurrentModification, InvalidInput, NoSuchEntity, ServiceFailure]
} }

query_operation! { UpdateOpenIDConnectProviderThumbprint {
    input UpdateOpenIDConnectProviderThumbprintInput {
        open_id_connect_provider_arn: required String = "OpenIDConnectProviderArn" ARN,
        thumbprint_list: required Vec<String> = "ThumbprintList" THUMBPRINT_LIST,
    }
    errors [ConcurrentModification, InvalidInput, NoSuchEntity, ServiceFailure]
} }

query_operation! { TagOpenIDConnectProvider {
    input TagOpenIDConnectProviderInput {
        open_id_connect_provider_arn: required String = "OpenIDConnectProviderArn" ARN,
        tags: required Vec<Tag> = "Tags" TAG_LIST,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, ConcurrentModification, ServiceFailure]
} }

query_operation! { UntagOpenIDConnectProvider {
    input UntagOpenIDConnectProviderInput {
        open_id_connect_provider_arn: required String = "OpenIDConnectProviderArn" ARN,
        tag_keys: required Vec<String> = "TagKeys" TAG_KEY_LIST,
    }
    errors [NoSuchEntity, InvalidInput, ConcurrentModification, ServiceFailure]
} }

query_operation! { ListOpenIDConnectProviderTags {
    input ListOpenIDConnectProviderTagsInput {
        open_id_connect_provider_arn: required String = "OpenIDConnectProviderArn" ARN,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListOpenIDConnectProviderTagsOutput {
        tags: required Vec<Tag> = "Tags" TAG_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure, InvalidInput]
} }
