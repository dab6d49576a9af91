//! Errors of awsQuery: a code, whose fault it is, an HTTP status and a text.
//!
//! Sources: the service models, and
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>.

use std::fmt;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The service's.
    Receiver,
    /// The caller's.
    Sender,
}

impl Fault {
    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receiver => "Receiver",
            Self::Sender => "Sender",
        }
    }
}

macro_rules! error_codes {
    (modelled { $($modelled:ident = $modelled_status:literal, $modelled_code:literal, $shape:literal;)+ }
     common { $($common:ident = $common_status:literal, $common_code:literal;)+ }) => {
        /// The code of an error.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum QueryErrorCode {
            $(#[doc = concat!("`", $modelled_code, "`")] $modelled,)+
            $(#[doc = concat!("`", $common_code, "`, which no service model has")] $common,)+
        }

        impl QueryErrorCode {
            /// Every code, those of the service models first.
            pub const ALL: &'static [Self] = &[$(Self::$modelled,)+ $(Self::$common,)+];

            /// The code as it stands on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$modelled => $modelled_code,)+
                    $(Self::$common => $common_code,)+
                }
            }

            /// The name of the error in the service model, which is what CloudTrail writes; else the code.
            #[must_use]
            pub const fn shape(self) -> &'static str {
                match self {
                    $(Self::$modelled => $shape,)+
                    $(Self::$common => $common_code,)+
                }
            }

            /// The status of the HTTP answer.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self {
                    $(Self::$modelled => $modelled_status,)+
                    $(Self::$common => $common_status,)+
                }
            }
        }
    };
}

error_codes! {
    modelled {
        ConcurrentModification = 409, "ConcurrentModification", "ConcurrentModificationException";
        ConcurrentModificationException = 429, "ConcurrentModificationException", "ConcurrentModificationException";
        Conflict = 409, "ConflictException", "ConflictException";
        DeleteConflict = 409, "DeleteConflict", "DeleteConflictException";
        EntityAlreadyExists = 409, "EntityAlreadyExists", "EntityAlreadyExistsException";
        EntityTemporarilyUnmodifiable = 409, "EntityTemporarilyUnmodifiable", "EntityTemporarilyUnmodifiableException";
        ExpiredToken = 400, "ExpiredTokenException", "ExpiredTokenException";
        IDPCommunicationError = 400, "IDPCommunicationError", "IDPCommunicationErrorException";
        IDPRejectedClaim = 403, "IDPRejectedClaim", "IDPRejectedClaimException";
        InternalService = 500, "InternalServiceError", "InternalServiceFault";
        InvalidAuthorizationMessage = 400, "InvalidAuthorizationMessageException", "InvalidAuthorizationMessageException";
        InvalidFormat = 400, "InvalidFormat", "InvalidFormatFault";
        InvalidIdentityToken = 400, "InvalidIdentityToken", "InvalidIdentityTokenException";
        InvalidInput = 400, "InvalidInput", "InvalidInputException";
        InvalidNextToken = 400, "InvalidNextToken", "InvalidNextToken";
        InvalidParameterCombinationException = 400, "InvalidParameterCombination", "InvalidParameterCombinationException";
        InvalidParameterValueException = 400, "InvalidParameterValue", "InvalidParameterValueException";
        LimitExceeded = 409, "LimitExceeded", "LimitExceededException";
        LimitExceededFault = 400, "LimitExceeded", "LimitExceededFault";
        MalformedPolicyDocument = 400, "MalformedPolicyDocument", "MalformedPolicyDocumentException";
        MissingRequiredParameter = 400, "MissingParameter", "MissingRequiredParameterException";
        NoSuchEntity = 404, "NoSuchEntity", "NoSuchEntityException";
        OpenIdIdpCommunicationError = 400, "OpenIdIdpCommunicationError", "OpenIdIdpCommunicationErrorException";
        PackedPolicyTooLarge = 400, "PackedPolicyTooLarge", "PackedPolicyTooLargeException";
        PolicyEvaluation = 500, "PolicyEvaluation", "PolicyEvaluationException";
        PolicyNotAttachable = 400, "PolicyNotAttachable", "PolicyNotAttachableException";
        RegionDisabled = 403, "RegionDisabledException", "RegionDisabledException";
        ResourceConflict = 409, "ResourceConflict", "ResourceConflict";
        ResourceNotFound = 404, "ResourceNotFound", "ResourceNotFound";
        ResourceNotFoundException = 404, "ResourceNotFoundException", "ResourceNotFoundException";
        ServiceFailure = 500, "ServiceFailure", "ServiceFailureException";
        ServiceNotSupported = 404, "NotSupportedService", "ServiceNotSupportedException";
        UnmodifiableEntity = 400, "UnmodifiableEntity", "UnmodifiableEntityException";
    }
    common {
        AccessDenied = 403, "AccessDenied";
        IncompleteSignature = 403, "IncompleteSignature";
        InternalFailure = 500, "InternalFailure";
        InvalidAction = 400, "InvalidAction";
        InvalidClientTokenId = 403, "InvalidClientTokenId";
        InvalidParameterCombination = 400, "InvalidParameterCombination";
        InvalidParameterValue = 400, "InvalidParameterValue";
        MalformedInput = 400, "MalformedInput";
        MalformedQueryString = 400, "MalformedQueryString";
        MissingAction = 400, "MissingAction";
        MissingAuthenticationToken = 403, "MissingAuthenticationToken";
        MissingParameter = 400, "MissingParameter";
        OptInRequired = 403, "OptInRequired";
        RequestEntityTooLarge = 413, "RequestEntityTooLarge";
        RequestExpired = 400, "RequestExpired";
        RequestTimeout = 408, "RequestTimeout";
        Serialization = 400, "SerializationException";
        ServiceUnavailable = 503, "ServiceUnavailable";
        SessionExpired = 403, "ExpiredToken";
        SignatureDoesNotMatch = 403, "SignatureDoesNotMatch";
        Throttling = 400, "Throttling";
        ValidationError = 400, "ValidationError";
    }
}

impl QueryErrorCode {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        if self.http_status() < 500 { Fault::Sender } else { Fault::Receiver }
    }
}

impl fmt::Display for QueryErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is no value of its enumeration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a value of its enumeration")]
pub struct NoSuchValueError;

/// An error as the caller reads it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct QueryError {
    /// What kind of error it is.
    pub code: QueryErrorCode,
    /// The text.
    pub message: String,
}

impl QueryError {
    /// An error with a text.
    #[must_use]
    pub fn new(code: QueryErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A value that is outside its limits.
    #[must_use]
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(QueryErrorCode::ValidationError, message)
    }

    /// The request names no operation of its version.
    #[must_use]
    pub fn invalid_action(action: &str, version: &str) -> Self {
        let message = format!("Could not find operation {action} for version {version}");
        Self::new(QueryErrorCode::InvalidAction, message)
    }
}
