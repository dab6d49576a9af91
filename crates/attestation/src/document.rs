//! The parts of a document: what is signed, and what the signed payload says.

use keyreeve_crypto::p384;
use keyreeve_domain::Timestamp;

use crate::cbor::Reader;
use crate::error::{AttestationError, Field, FieldError};
use crate::measurements::{Measurements, Platform};

/// A COSE_Sign1 structure ([RFC 9052 section 4.2](https://www.rfc-editor.org/rfc/rfc9052#section-4.2)), tagged or not.
pub(crate) struct Signed<'d> {
    pub(crate) payload: &'d [u8],
    pub(crate) signature: &'d [u8],
}

impl<'d> Signed<'d> {
    pub(crate) fn parse(document: &'d [u8]) -> Result<Self, AttestationError> {
        let mut reader = Reader::new(document);
        reader.skip_tag(COSE_SIGN1)?;
        reader.array_of(4)?;
        let (protected, unprotected_is_empty) = (reader.bytes()?, reader.empty_map()?);
        if protected != ES384_HEADER || !unprotected_is_empty {
            return Err(AttestationError::Algorithm);
        }
        let payload = reader.bytes()?;
        let signature = reader.bytes()?;
        let fits = !payload.is_empty()
            && payload.len() <= MAX_PAYLOAD_LEN
            && signature.len() == p384::FIXED_SIGNATURE_LEN
            && reader.is_at_end();
        if fits { Ok(Self { payload, signature }) } else { Err(AttestationError::Malformed) }
    }

    /// The bytes under the signature: `["Signature1", header, external data, payload]`
    /// ([RFC 9052 section 4.4](https://www.rfc-editor.org/rfc/rfc9052#section-4.4)).
    pub(crate) fn signed_bytes(&self) -> Vec<u8> {
        // INVARIANT: a payload has at most `MAX_PAYLOAD_LEN` bytes.
        let len = u16::try_from(self.payload.len()).unwrap_or(u16::MAX);
        let head: &[u8] = &match (len, len.to_be_bytes()) {
            (0..=23, [_, low]) => vec![BYTES | low],
            (24..=0xff, [_, low]) => vec![BYTES_1, low],
            (0x100.., [high, low]) => vec![BYTES_2, high, low],
        };
        [SIGNATURE1_PREFIX.as_slice(), head, self.payload].concat()
    }
}

/// What a document says, every field within its limits.
pub(crate) struct Payload<'d> {
    pub(crate) module_id: &'d str,
    pub(crate) timestamp: Timestamp,
    pub(crate) measurements: Measurements,
    pub(crate) certificate: &'d [u8],
    pub(crate) cabundle: Vec<&'d [u8]>,
    pub(crate) public_key: Option<&'d [u8]>,
}

impl<'d> Payload<'d> {
    pub(crate) fn parse(payload: &'d [u8]) -> Result<Self, AttestationError> {
        let mut fields = Fields::default();
        let mut reader = Reader::new(payload);
        let mut entries = reader.map()?;
        while reader.has_next(&mut entries)? {
            let field = Field::named(reader.text()?).ok_or(AttestationError::UnknownField)?;
            fields.read(field, &mut reader)?;
        }
        if reader.is_at_end() { fields.complete() } else { Err(AttestationError::Malformed) }
    }
}

/// The fields read so far. What is outer stands there; what is inner is absent or null.
#[derive(Default)]
struct Fields<'d> {
    module_id: Option<&'d str>,
    digest: Option<()>,
    timestamp: Option<Timestamp>,
    measurements: Option<Measurements>,
    certificate: Option<&'d [u8]>,
    cabundle: Option<Vec<&'d [u8]>>,
    public_key: Option<Option<&'d [u8]>>,
    user_data: Option<Option<&'d [u8]>>,
    nonce: Option<Option<&'d [u8]>>,
}

impl<'d> Fields<'d> {
    fn read(&mut self, field: Field, reader: &mut Reader<'d>) -> Result<(), AttestationError> {
        match field {
            Field::CaBundle => set(field, &mut self.cabundle, cabundle(reader)?),
            Field::Certificate => {
                let certificate = bytes(field, reader, 1, MAX_CERTIFICATE_LEN)?;
                set(field, &mut self.certificate, certificate)
            }
            Field::Digest => {
                let digest =
                    if reader.text()? == DIGEST { Ok(()) } else { Err(field.wrong(FieldError::Invalid)) };
                set(field, &mut self.digest, digest?)
            }
            Field::ModuleId => {
                let id = reader.text()?;
                let fits = !id.is_empty() && id.len() <= MAX_MODULE_ID_LEN;
                set(
                    field,
                    &mut self.module_id,
                    if fits { id } else { return Err(field.wrong(FieldError::Invalid)) },
                )
            }
            Field::NitroTpmPcrs => {
                set(field, &mut self.measurements, measurements(field, Platform::NitroTpm, reader)?)
            }
            Field::Nonce => set(field, &mut self.nonce, optional(field, reader, 0, MAX_USER_DATA_LEN)?),
            Field::Pcrs => {
                set(field, &mut self.measurements, measurements(field, Platform::Enclave, reader)?)
            }
            Field::PublicKey => {
                set(field, &mut self.public_key, optional(field, reader, 1, MAX_PUBLIC_KEY_LEN)?)
            }
            Field::Timestamp => {
                let millis = i64::try_from(reader.unsigned()?).ok().filter(|millis| *millis > 0);
                let millis = millis.ok_or(field.wrong(FieldError::Invalid))?;
                set(field, &mut self.timestamp, Timestamp::from_millis(millis))
            }
            Field::UserData => {
                set(field, &mut self.user_data, optional(field, reader, 0, MAX_USER_DATA_LEN)?)
            }
        }
    }

    fn complete(self) -> Result<Payload<'d>, AttestationError> {
        let missing = |field: Field| field.wrong(FieldError::Missing);
        self.digest.ok_or(missing(Field::Digest))?;
        Ok(Payload {
            module_id: self.module_id.ok_or(missing(Field::ModuleId))?,
            timestamp: self.timestamp.ok_or(missing(Field::Timestamp))?,
            measurements: self.measurements.ok_or(missing(Field::Pcrs))?,
            certificate: self.certificate.ok_or(missing(Field::Certificate))?,
            cabundle: self.cabundle.ok_or(missing(Field::CaBundle))?,
            public_key: self.public_key.flatten(),
        })
    }
}

fn set<T>(field: Field, slot: &mut Option<T>, value: T) -> Result<(), AttestationError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(field.wrong(FieldError::Duplicate)),
    }
}

fn bytes<'d>(
    field: Field,
    reader: &mut Reader<'d>,
    min: usize,
    max: usize,
) -> Result<&'d [u8], AttestationError> {
    let bytes = reader.bytes()?;
    if (min..=max).contains(&bytes.len()) { Ok(bytes) } else { Err(field.wrong(FieldError::Invalid)) }
}

/// Null stands for a field that is not there: so the hypervisor writes it, whatever the specification says.
fn optional<'d>(
    field: Field,
    reader: &mut Reader<'d>,
    min: usize,
    max: usize,
) -> Result<Option<&'d [u8]>, AttestationError> {
    if reader.skip_null()? { Ok(None) } else { bytes(field, reader, min, max).map(Some) }
}

fn cabundle<'d>(reader: &mut Reader<'d>) -> Result<Vec<&'d [u8]>, AttestationError> {
    let mut certificates = vec![];
    let mut items = reader.array()?;
    let invalid = Field::CaBundle.wrong(FieldError::Invalid);
    while reader.has_next(&mut items)? {
        let certificate = bytes(Field::CaBundle, reader, 1, MAX_CERTIFICATE_LEN)?;
        if certificates.len() == MAX_AUTHORITIES || certificates.contains(&certificate) {
            return Err(invalid);
        }
        certificates.push(certificate);
    }
    if certificates.is_empty() { Err(invalid) } else { Ok(certificates) }
}

fn measurements(
    field: Field,
    platform: Platform,
    reader: &mut Reader<'_>,
) -> Result<Measurements, AttestationError> {
    let invalid = field.wrong(FieldError::Invalid);
    let mut measurements = Measurements::none(platform);
    let mut entries = reader.map()?;
    while reader.has_next(&mut entries)? {
        let index = u8::try_from(reader.unsigned()?).or(Err(invalid))?;
        if !measurements.insert(index, reader.bytes()?) {
            return Err(invalid);
        }
    }
    if measurements.is_empty() { Err(invalid) } else { Ok(measurements) }
}

const COSE_SIGN1: u64 = 18;
/// `{1: -35}` in its one encoding.
const ES384_HEADER: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];
/// An array of 4 that starts with "Signature1", the header and no external data.
const SIGNATURE1_PREFIX: [u8; 18] = *b"\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40";
const BYTES: u8 = 0x40;
const BYTES_1: u8 = 0x58;
const BYTES_2: u8 = 0x59;

const DIGEST: &str = "SHA384";
const MAX_PAYLOAD_LEN: usize = 16384;
// AWS: unverified. The specification wants one that is not empty; real ones have about 40 bytes.
const MAX_MODULE_ID_LEN: usize = 256;
const MAX_CERTIFICATE_LEN: usize = 1024;
/// The most certificates of a `cabundle`. The specification has no limit; real documents have four.
// AWS: unverified.
const MAX_AUTHORITIES: usize = 8;
const MAX_PUBLIC_KEY_LEN: usize = 1024;
const MAX_USER_DATA_LEN: usize = 512;
