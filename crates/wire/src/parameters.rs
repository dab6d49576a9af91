//! `requestParameters`: what a trail may say of a request.
//!
//! Names start with a lower-case letter. A value of a sensitive shape, a blob, a grant token and a recipient are never
//! written, nor is what has no value, unless a default stands for it. Source:
//! <https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html>.

use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::{EncryptionAlgorithm, MessageType};

use crate::encode::{ToJson, text};
use crate::query::{ISO_8601, formatted};
use crate::value::{
    Blob, EncryptionContext, KmsDate, RequestedSigningAlgorithm, SensitiveBlob, SensitiveText,
};

/// A value of a request.
pub(crate) trait Parameter {
    /// Whether a trail may hold it, and it is there.
    fn is_logged(&self) -> bool {
        true
    }

    /// The same of a value that a request may leave out, where it is given.
    fn is_logged_where_given(&self) -> bool {
        self.is_logged()
    }

    fn write_parameter(&self, out: &mut Vec<u8>);

    /// What stands for an absent value, where its default is logged.
    const DEFAULT: Option<&'static str> = None;
}

/// Writes a member, unless it is not to be logged; `first` says whether none stands before it.
pub(crate) fn member(out: &mut Vec<u8>, first: &mut bool, name: &str, value: &impl Parameter) {
    if !value.is_logged() || name.starts_with("GrantToken") || name == "Recipient" {
        return;
    }
    if !*first {
        out.push(b',');
    }
    *first = false;
    out.push(b'"');
    let mut letters = name.bytes();
    out.extend(letters.next().map(|letter| letter.to_ascii_lowercase()));
    out.extend(letters);
    out.extend_from_slice(b"\":");
    value.write_parameter(out);
}

macro_rules! as_answered {
    ($($type:ty),+ $(,)?) => {$(
        impl Parameter for $type {
            fn write_parameter(&self, out: &mut Vec<u8>) {
                self.write_json(out);
            }
        }
    )+};
}

as_answered! { String, f64, u32 }

impl Parameter for i64 {
    fn write_parameter(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.to_string().as_bytes());
    }
}

impl Parameter for Timestamp {
    fn write_parameter(&self, out: &mut Vec<u8>) {
        text(out, &formatted(*self, ISO_8601));
    }
}

impl Parameter for KmsDate {
    fn write_parameter(&self, out: &mut Vec<u8>) {
        text(out, &self.0.event_date());
    }
}

macro_rules! as_text {
    ($($type:ident),+ $(,)?) => {$(
        impl Parameter for keyreeve_domain::spec::$type {
            fn write_parameter(&self, out: &mut Vec<u8>) {
                text(out, self.as_str());
            }
        }
    )+};
}

as_text! {
    CustomKeyStoreType, CustomerMasterKeySpec, DataKeyPairSpec, DataKeySpec, DryRunModifier, EncapsulationAlgorithm,
    ExpirationModel, GrantOperation, ImportType, IncludeKeyMaterial, KeyAgreementAlgorithm,
    KeyEncryptionMechanism, KeySpec, KeyUsage, MacAlgorithm, Origin, ResourceOwner, WrappingAlgorithm,
    WrappingKeySpec, XksProxyConnectivity,
}

impl Parameter for EncryptionAlgorithm {
    const DEFAULT: Option<&'static str> = Some(EncryptionAlgorithm::SymmetricDefault.as_str());

    fn write_parameter(&self, out: &mut Vec<u8>) {
        text(out, self.as_str());
    }
}

impl Parameter for MessageType {
    const DEFAULT: Option<&'static str> = Some(MessageType::Raw.as_str());

    fn write_parameter(&self, out: &mut Vec<u8>) {
        text(out, self.as_str());
    }
}

impl Parameter for RequestedSigningAlgorithm {
    fn write_parameter(&self, out: &mut Vec<u8>) {
        text(out, self.as_str());
    }
}

impl Parameter for bool {
    fn is_logged(&self) -> bool {
        *self
    }

    fn is_logged_where_given(&self) -> bool {
        true
    }

    fn write_parameter(&self, out: &mut Vec<u8>) {
        self.write_json(out);
    }
}

impl Parameter for EncryptionContext {
    fn is_logged(&self) -> bool {
        !self.is_empty()
    }

    fn write_parameter(&self, out: &mut Vec<u8>) {
        self.write_json(out);
    }
}

macro_rules! never_logged {
    ($($type:ty),+ $(,)?) => {$(
        impl Parameter for $type {
            fn is_logged(&self) -> bool {
                false
            }

            fn write_parameter(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(b"null");
            }
        }
    )+};
}

never_logged! { Blob, SensitiveBlob, SensitiveText }

impl<T: Parameter> Parameter for Option<T> {
    fn is_logged(&self) -> bool {
        self.as_ref().map_or(T::DEFAULT.is_some(), Parameter::is_logged_where_given)
    }

    fn write_parameter(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write_parameter(out),
            None => text(out, T::DEFAULT.unwrap_or_default()),
        }
    }
}

impl<T: Parameter> Parameter for Vec<T> {
    fn is_logged(&self) -> bool {
        !self.is_empty()
    }

    fn write_parameter(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (at, value) in self.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            value.write_parameter(out);
        }
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use crate::{CreateKeyInput, DecryptInput, EncryptInput, Input, SignInput, VerifyInput};

    fn logged<I: Input>(body: &str) -> String {
        let mut out = Vec::new();
        I::decode(body.as_bytes()).ok().unwrap().write_parameters(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_secret_is_logged() {
        let body = r#"{"KeyId":"alias/a","Plaintext":"c2VjcmV0","GrantTokens":["token"],"EncryptionContext":{"Key":"v"}}"#;
        assert_eq!(
            logged::<EncryptInput>(body),
            r#"{"keyId":"alias/a","encryptionContext":{"Key":"v"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#
        );
    }

    #[test]
    fn a_date_is_a_text() {
        let body =
            r#"{"KeyId":"k","ImportToken":"AAAA","EncryptedKeyMaterial":"AAAA","ValidTo":1609531200.5}"#;
        let expected = r#"{"keyId":"k","validTo":"Jan 1, 2021, 8:00:00 PM"}"#;
        assert_eq!(logged::<crate::ImportKeyMaterialInput>(body), expected);
    }

    #[test]
    fn a_recipient_is_not_logged() {
        let body = r#"{"CiphertextBlob":"AAAA","KeyId":"k","Recipient":{"KeyEncryptionAlgorithm":"RSAES_OAEP_SHA_256","AttestationDocument":"AAAA"}}"#;
        let logged = logged::<DecryptInput>(body);
        assert_eq!(logged, r#"{"keyId":"k","encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#);
    }

    #[test]
    fn a_message_is_raw_where_its_type_is_not_given() {
        for (given, expected) in [("", "RAW"), (r#","MessageType":"DIGEST""#, "DIGEST")] {
            let rest = format!(r#""KeyId":"k","Message":"AAAA","SigningAlgorithm":"ECDSA_SHA_256"{given}"#);
            let type_of = |parameters: String| {
                let parameters: serde_json::Value = serde_json::from_str(&parameters).unwrap();
                parameters.get("messageType").and_then(|kind| kind.as_str()).map(str::to_owned)
            };
            let signed = logged::<SignInput>(&format!("{{{rest}}}"));
            assert_eq!(type_of(signed).as_deref(), Some(expected));
            let verified = logged::<VerifyInput>(&format!(r#"{{"Signature":"AAAA",{rest}}}"#));
            assert_eq!(type_of(verified).as_deref(), Some(expected));
        }
    }

    #[test]
    fn names_start_with_a_lower_case_letter_at_every_depth() {
        let body =
            r#"{"KeySpec":"SYMMETRIC_DEFAULT","Tags":[{"TagKey":"a","TagValue":"b"}],"MultiRegion":false}"#;
        let expected = r#"{"keySpec":"SYMMETRIC_DEFAULT","tags":[{"tagKey":"a","tagValue":"b"}]}"#;
        assert_eq!(logged::<CreateKeyInput>(body), expected);
    }

    #[test]
    fn a_request_without_members_is_an_empty_object() {
        assert_eq!(logged::<crate::ListKeysInput>("{}"), "{}");
    }
}
