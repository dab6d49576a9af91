//! Errors on the wire: a code, an HTTP status and, mostly, a message.
//!
//! The body is `{"__type":"Code","message":"text"}`; without a text the member is absent, not empty.

use std::fmt;

macro_rules! error_codes {
    (modelled { $($modelled:ident = $modelled_status:literal, $modelled_code:literal;)+ }
     unmodelled { $($other:ident = $other_status:literal, $other_code:literal;)+ }) => {
        /// The code of an error.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum ErrorCode {
            $(#[doc = concat!("`", $modelled_code, "`")] $modelled,)+
            $(#[doc = concat!("`", $other_code, "`, which the service model does not have")] $other,)+
        }

        impl ErrorCode {
            /// Every code, those of the service model first.
            pub const ALL: &'static [Self] = &[$(Self::$modelled,)+ $(Self::$other,)+];
            /// The codes of the service model.
            pub const MODELLED: &'static [Self] = &[$(Self::$modelled,)+];

            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$modelled => $modelled_code,)+
                    $(Self::$other => $other_code,)+
                }
            }

            /// The status of the HTTP answer.
            pub const fn http_status(self) -> u16 {
                match self {
                    $(Self::$modelled => $modelled_status,)+
                    $(Self::$other => $other_status,)+
                }
            }
        }
    };
}

error_codes! {
    modelled {
        AlreadyExists = 400, "AlreadyExistsException";
        CloudHsmClusterInUse = 400, "CloudHsmClusterInUseException";
        CloudHsmClusterInvalidConfiguration = 400, "CloudHsmClusterInvalidConfigurationException";
        CloudHsmClusterNotActive = 400, "CloudHsmClusterNotActiveException";
        CloudHsmClusterNotFound = 400, "CloudHsmClusterNotFoundException";
        CloudHsmClusterNotRelated = 400, "CloudHsmClusterNotRelatedException";
        Conflict = 400, "ConflictException";
        CustomKeyStoreHasCmks = 400, "CustomKeyStoreHasCMKsException";
        CustomKeyStoreInvalidState = 400, "CustomKeyStoreInvalidStateException";
        CustomKeyStoreNameInUse = 400, "CustomKeyStoreNameInUseException";
        CustomKeyStoreNotFound = 400, "CustomKeyStoreNotFoundException";
        DependencyTimeout = 500, "DependencyTimeoutException";
        Disabled = 400, "DisabledException";
        DryRunOperation = 400, "DryRunOperationException";
        ExpiredImportToken = 400, "ExpiredImportTokenException";
        IncorrectKey = 400, "IncorrectKeyException";
        IncorrectKeyMaterial = 400, "IncorrectKeyMaterialException";
        IncorrectTrustAnchor = 400, "IncorrectTrustAnchorException";
        InvalidAliasName = 400, "InvalidAliasNameException";
        InvalidArn = 400, "InvalidArnException";
        InvalidCiphertext = 400, "InvalidCiphertextException";
        InvalidGrantId = 400, "InvalidGrantIdException";
        InvalidGrantToken = 400, "InvalidGrantTokenException";
        InvalidImportToken = 400, "InvalidImportTokenException";
        InvalidKeyUsage = 400, "InvalidKeyUsageException";
        InvalidMarker = 400, "InvalidMarkerException";
        KmsInternal = 500, "KMSInternalException";
        KmsInvalidMac = 400, "KMSInvalidMacException";
        KmsInvalidSignature = 400, "KMSInvalidSignatureException";
        KmsInvalidState = 400, "KMSInvalidStateException";
        KeyUnavailable = 500, "KeyUnavailableException";
        LimitExceeded = 400, "LimitExceededException";
        MalformedPolicyDocument = 400, "MalformedPolicyDocumentException";
        NotFound = 400, "NotFoundException";
        Tag = 400, "TagException";
        UnsupportedOperation = 400, "UnsupportedOperationException";
        XksKeyAlreadyInUse = 400, "XksKeyAlreadyInUseException";
        XksKeyInvalidConfiguration = 400, "XksKeyInvalidConfigurationException";
        XksKeyNotFound = 400, "XksKeyNotFoundException";
        XksProxyIncorrectAuthenticationCredential = 400, "XksProxyIncorrectAuthenticationCredentialException";
        XksProxyInvalidConfiguration = 400, "XksProxyInvalidConfigurationException";
        XksProxyInvalidResponse = 400, "XksProxyInvalidResponseException";
        XksProxyUriEndpointInUse = 400, "XksProxyUriEndpointInUseException";
        XksProxyUriInUse = 400, "XksProxyUriInUseException";
        XksProxyUriUnreachable = 400, "XksProxyUriUnreachableException";
        XksProxyVpcEndpointServiceInUse = 400, "XksProxyVpcEndpointServiceInUseException";
        XksProxyVpcEndpointServiceInvalidConfiguration = 400, "XksProxyVpcEndpointServiceInvalidConfigurationException";
        XksProxyVpcEndpointServiceNotFound = 400, "XksProxyVpcEndpointServiceNotFoundException";
    }
    unmodelled {
        AccessDenied = 400, "AccessDeniedException";
        ExpiredToken = 400, "ExpiredTokenException";
        IncompleteSignature = 400, "IncompleteSignatureException";
        InternalFailure = 500, "InternalFailure";
        InvalidSignature = 400, "InvalidSignatureException";
        MissingAuthenticationToken = 400, "MissingAuthenticationTokenException";
        NotAuthorized = 400, "NotAuthorizedException";
        OptInRequired = 403, "OptInRequired";
        RequestEntityTooLarge = 413, "RequestEntityTooLargeException";
        Serialization = 400, "SerializationException";
        ServiceUnavailable = 503, "ServiceUnavailable";
        RequestTimeout = 408, "RequestTimeoutException";
        Throttling = 400, "ThrottlingException";
        UnknownOperation = 400, "UnknownOperationException";
        UnrecognizedClient = 400, "UnrecognizedClientException";
        Validation = 400, "ValidationException";
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An error as the caller reads it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{code}: {}", message.as_deref().unwrap_or("no message"))]
pub struct ApiError {
    /// What kind of error it is.
    pub code: ErrorCode,
    /// The text; some errors have none.
    pub message: Option<String>,
}

impl ApiError {
    /// An error with a text.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()) }
    }

    /// An error without a text.
    pub const fn bare(code: ErrorCode) -> Self {
        Self { code, message: None }
    }

    /// Writes the body of the answer.
    pub fn write_body(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"__type\":");
        crate::encode::text(out, self.code.as_str());
        if let Some(message) = &self.message {
            out.extend_from_slice(b",\"message\":");
            crate::encode::text(out, message);
        }
        out.push(b'}');
    }
}

/// The body of a request is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InputError {
    /// The body is no JSON object, or a member has the wrong JSON type. Not every such answer has a text.
    #[error("the body cannot be read")]
    Serialization(Option<String>),
    /// Members are outside their limits; the text names each.
    #[error("{0}")]
    Validation(String),
}

impl From<InputError> for ApiError {
    fn from(error: InputError) -> Self {
        match error {
            InputError::Serialization(message) => Self { code: ErrorCode::Serialization, message },
            InputError::Validation(message) => Self::new(ErrorCode::Validation, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_a_text_has_no_message_member() {
        for (error, body) in [
            (ApiError::bare(ErrorCode::InvalidCiphertext), r#"{"__type":"InvalidCiphertextException"}"#),
            (
                ApiError::new(ErrorCode::NotFound, "Invalid keyId 'a\"b'"),
                r#"{"__type":"NotFoundException","message":"Invalid keyId 'a\"b'"}"#,
            ),
            (InputError::Serialization(None).into(), r#"{"__type":"SerializationException"}"#),
            (InputError::Validation("v".into()).into(), r#"{"__type":"ValidationException","message":"v"}"#),
        ] {
            let mut out = Vec::new();
            error.write_body(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), body);
        }
    }

    #[test]
    fn only_faults_of_the_service_are_5xx() {
        let faults: Vec<_> = ErrorCode::ALL.iter().filter(|code| code.http_status() >= 500).collect();
        assert_eq!(
            faults,
            [
                &ErrorCode::DependencyTimeout,
                &ErrorCode::KmsInternal,
                &ErrorCode::KeyUnavailable,
                &ErrorCode::InternalFailure,
                &ErrorCode::ServiceUnavailable,
            ]
        );
        assert_eq!(ErrorCode::MODELLED.len(), 48);
    }
}
