//! Every shape that a request or an answer uses, with its limits.

use crate::iam::pattern;
use crate::shape::{Kind, Shape};
use crate::shapes::shapes;
use crate::sts::structures;

shapes! {
    ACCESS_KEY_ID = "accessKeyIdType" Kind::Text, limits(16, 128), pattern_of(pattern::WORD_OR_NONE);
    ACCESS_KEY_SECRET = "accessKeySecretType" Kind::Text, sensitive();
    ACCOUNT = "accountType" Kind::Text;
    ARN = "arnType" Kind::Text, limits(20, 2048), pattern_of(pattern::CONTEXT_ASSERTION);
    ASSUMED_ROLE_ID = "assumedRoleIdType" Kind::Text, limits(2, 193), pattern_of(pattern::EXTERNAL);
    ASSUMED_ROLE_USER = "AssumedRoleUser" Kind::Structure(structures::AssumedRoleUser::MEMBERS);
    AUDIENCE = "Audience" Kind::Text;
    CLIENT_TOKEN = "clientTokenType" Kind::Text, limits(4, 20000), sensitive();
    CONTEXT_ASSERTION = "contextAssertionType" Kind::Text, limits(4, 2048);
    CREDENTIALS = "Credentials" Kind::Structure(structures::Credentials::MEMBERS);
    DATE = "dateType" Kind::Timestamp;
    DECODED_MESSAGE = "decodedMessageType" Kind::Text;
    DURATION_SECONDS = "durationSecondsType" Kind::Integer, limits(900, 129600);
    ENCODED_MESSAGE = "encodedMessageType" Kind::Text, limits(1, 10240);
    EXTERNAL_ID = "externalIdType" Kind::Text, limits(2, 1224), pattern_of(pattern::EXTERNAL_ID);
    FEDERATED_ID = "federatedIdType" Kind::Text, limits(2, 193), pattern_of(pattern::FEDERATED_NAME);
    FEDERATED_USER = "FederatedUser" Kind::Structure(structures::FederatedUser::MEMBERS);
    ISSUER = "Issuer" Kind::Text;
    MINIMUM_SESSION_TOKEN_SIZE = "minimumSessionTokenSizeType" Kind::Integer, limits(0, 4096);
    NON_NEGATIVE_INTEGER = "nonNegativeIntegerType" Kind::Integer, min_of(0);
    POLICY_DESCRIPTOR = "PolicyDescriptorType" Kind::Structure(structures::PolicyDescriptorType::MEMBERS);
    POLICY_DESCRIPTOR_LIST = "policyDescriptorListType" Kind::List(&POLICY_DESCRIPTOR);
    PROVIDED_CONTEXT = "ProvidedContext" Kind::Structure(structures::ProvidedContext::MEMBERS);
    PROVIDED_CONTEXTS_LIST = "ProvidedContextsListType" Kind::List(&PROVIDED_CONTEXT), limits(1, 5);
    ROLE_DURATION_SECONDS = "roleDurationSecondsType" Kind::Integer, limits(900, 43200);
    ROLE_SESSION_NAME = "roleSessionNameType" Kind::Text, limits(2, 64), pattern_of(pattern::NAME_OR_NONE);
    SERIAL_NUMBER = "serialNumberType" Kind::Text, limits(9, 256), pattern_of(pattern::DEVICE);
    SESSION_POLICY_DOCUMENT = "sessionPolicyDocumentType" Kind::Text, limits(1, 2048), pattern_of(pattern::POLICY);
    SESSION_TOKEN_SIZE = "sessionTokenSizeType" Kind::Integer, min_of(0);
    SESSION_TOKEN_UTILIZATION = "sessionTokenUtilizationType" Kind::Integer, min_of(0);
    SOURCE_IDENTITY = "sourceIdentityType" Kind::Text, limits(2, 64), pattern_of(pattern::NAME_OR_NONE);
    TAG = "Tag" Kind::Structure(structures::Tag::MEMBERS);
    TAG_KEY = "tagKeyType" Kind::Text, limits(1, 128), pattern_of(pattern::TAG_KEY);
    TAG_KEY_LIST = "tagKeyListType" Kind::List(&TAG_KEY), max_of(50);
    TAG_LIST = "tagListType" Kind::List(&TAG), max_of(50);
    TAG_VALUE = "tagValueType" Kind::Text, limits(0, 256), pattern_of(pattern::TAG_VALUE);
    TOKEN = "tokenType" Kind::Text;
    TOKEN_CODE = "tokenCodeType" Kind::Text, limits(6, 6), pattern_of(pattern::DIGITS);
    UNRESTRICTED_SESSION_POLICY_DOCUMENT = "unrestrictedSessionPolicyDocumentType" Kind::Text, min_of(1), pattern_of(pattern::POLICY);
    URL = "urlType" Kind::Text, limits(4, 2048);
    USER_ID = "userIdType" Kind::Text;
    USER_NAME = "userNameType" Kind::Text, limits(2, 32), pattern_of(pattern::NAME_OR_NONE);
    WEB_IDENTITY_SUBJECT = "webIdentitySubjectType" Kind::Text, limits(6, 255);
}
