//! A request that says it is signed, on its way to one that is.

use std::borrow::Cow;

use keyreeve_crypto::digest::{LowerHex, SHA256_LEN, parse_lower_hex};
use keyreeve_domain::Region;
use keyreeve_domain::time::Timestamp;

use crate::canonical::{self, canonical_request, string_to_sign};
use crate::error::ScopeFaults;
use crate::scope::Credential;
use crate::{
    AmzDate, Headers, MAX_SIGNED_HEADERS, MAX_SKEW, RequestHead, SigV4Error, SigningKey, TERMINATOR,
    authorization, presigned,
};

/// What a request says about its signature. Nothing of it is proven.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    credential: Credential<'a>,
    date: AmzDate,
    form: Form,
    /// As sent: names with semicolons between them.
    signed_headers: Cow<'a, str>,
    /// `None` where the text is not a signature at all: such a request can be refused only after the look-up, as AWS does.
    signature: Option<[u8; SHA256_LEN]>,
    token: Option<Cow<'a, str>>,
    content_sha256: Option<&'a [u8]>,
}

/// Where the signature stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Header,
    Query { expires: Option<u32> },
}

/// The Regions a scope may name.
#[derive(Clone, Copy, Debug)]
pub enum Regions<'a> {
    /// Every well-formed name.
    Any,
    /// These names.
    OneOf(&'a [&'a str]),
}

/// The scopes that are acceptable.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The name that signatures use for this service, as `kms`.
    pub service: &'a str,
    /// The Regions it answers for.
    pub regions: Regions<'a>,
}

/// A claim whose scope and time are acceptable. The signature is not yet checked.
#[derive(Clone, Debug)]
pub struct CheckedClaim<'a>(Claim<'a>);

/// A claim whose signature is right: whoever sent the request holds the secret of its access key.
#[derive(Clone, Debug)]
pub struct Verified<'a>(Claim<'a>);

/// The headers that parsing looks at, each at most once.
#[derive(Default)]
struct Found<'a> {
    authorization: Option<&'a [u8]>,
    amz_date: Option<&'a [u8]>,
    content_sha256: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
    token: Option<&'a [u8]>,
}

impl<'a> Claim<'a> {
    /// Reads the `Authorization` header of `head`, or the presigned query where there is no such header.
    ///
    /// A claim names `host` and every `x-amz-` header of the request as signed, and no header twice.
    pub fn parse<H: Headers<'a>>(head: &RequestHead<'a, H>) -> Result<Self, SigV4Error> {
        let found = Found::in_headers(head)?;
        let claim = match found.authorization {
            Some(header) => Self::from_header(header, &found)?,
            None => Self::from_query(head.query, &found)?,
        };
        claim.signs_what_it_must(head)?;
        Ok(claim)
    }

    fn from_header(header: &'a [u8], found: &Found<'a>) -> Result<Self, SigV4Error> {
        let dated = found.amz_date.or(found.date);
        let parameters = authorization::parse(header, dated.is_some())?;
        let credential = Credential::parse(Cow::Borrowed(parameters.credential))?;
        let date = match found.amz_date {
            Some(text) => AmzDate::parse(text),
            None => found.date.and_then(AmzDate::parse_date_header),
        };
        let date = date.ok_or_else(|| SigV4Error::MalformedDate {
            date: String::from_utf8_lossy(dated.unwrap_or_default()).into_owned(),
        })?;
        // A token that is not text is nobody's token.
        let token = found
            .token
            .map(core::str::from_utf8)
            .transpose()
            .map_err(|_utf8| SigV4Error::UnrecognizedClient)?;
        Ok(Self {
            credential,
            date,
            form: Form::Header,
            signed_headers: Cow::Borrowed(parameters.signed_headers),
            signature: parse_lower_hex(parameters.signature.as_bytes()),
            token: token.map(Cow::Borrowed),
            content_sha256: found.content_sha256,
        })
    }

    fn from_query(query: &'a str, found: &Found<'a>) -> Result<Self, SigV4Error> {
        let parameters = presigned::parse(query)?.ok_or(SigV4Error::MissingAuthenticationToken)?;
        let credential = Credential::parse(parameters.credential)?;
        let Some(date) = AmzDate::parse(parameters.date.as_bytes()) else {
            return Err(SigV4Error::MalformedDate { date: parameters.date.into_owned() });
        };
        Ok(Self {
            credential,
            date,
            form: Form::Query { expires: parameters.expires },
            signed_headers: parameters.signed_headers,
            signature: parse_lower_hex(parameters.signature.as_bytes()),
            token: parameters.token,
            content_sha256: found.content_sha256,
        })
    }

    fn signs_what_it_must<H: Headers<'a>>(&self, head: &RequestHead<'a, H>) -> Result<(), SigV4Error> {
        let listed = self.distinct_names(head.headers.clone().count())?;
        let signed = |name: &[u8]| listed.iter().any(|listed| listed.eq_ignore_ascii_case(name));
        if !signed(b"host") {
            return Err(SigV4Error::HostNotSigned);
        }
        for (name, _) in head.headers.clone() {
            let prefix = name.as_bytes().get(..6);
            if prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"x-amz-")) && !signed(name.as_bytes())
            {
                return Err(SigV4Error::HeaderNotSigned { name: name.to_ascii_lowercase() });
            }
        }
        Ok(())
    }

    /// The names of the signed headers, in whatever case: each once, and no more than there are headers.
    ///
    /// INVARIANT: a value of the request goes into the canonical request at most once, so that its length is linear in that
    /// of the head.
    fn distinct_names(&self, headers: usize) -> Result<Vec<&[u8]>, SigV4Error> {
        let most = headers.min(MAX_SIGNED_HEADERS);
        let mut names: Vec<&[u8]> = Vec::with_capacity(most + 1);
        names.extend(self.signed_headers.as_bytes().split(|byte| *byte == b';').take(most + 1));
        // Each with each: there are few, and most pairs differ in length.
        let is_twice = |(at, name): (usize, &&[u8])| {
            names.iter().skip(at + 1).any(|other| other.eq_ignore_ascii_case(name))
        };
        if names.len() > most || names.iter().enumerate().any(is_twice) {
            return Err(SigV4Error::MalformedSignedHeaders);
        }
        Ok(names)
    }

    /// The access key id that the signature is said to be of.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credential.access_key_id()
    }

    /// The date of the scope, `YYYYMMDD` once checked.
    #[must_use]
    pub fn scope_date(&self) -> &str {
        self.credential.date()
    }

    /// The Region of the scope.
    #[must_use]
    pub fn region(&self) -> &str {
        self.credential.region()
    }

    /// The service of the scope.
    #[must_use]
    pub fn service(&self) -> &str {
        self.credential.service()
    }

    /// The names of the signed headers, as sent.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        // By bytes: a semicolon is no part of a longer character, so every piece is text.
        self.signed_headers.as_bytes().split(|byte| *byte == b';').map(text)
    }

    /// The session token. Whether the access key needs one, has this one, or must have none is the caller's to decide.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether the signature stands in the query.
    #[must_use]
    pub fn is_presigned(&self) -> bool {
        self.form != Form::Header
    }

    /// The time the request says it was signed.
    #[must_use]
    pub fn date(&self) -> &AmzDate {
        &self.date
    }

    /// The credential as sent. Unique for (access key id, date, region, service) once the scope is checked.
    pub(crate) fn credential_text(&self) -> &str {
        self.credential.as_str()
    }

    /// Checks the scope, then the time: at most [`MAX_SKEW`] from `now`, or within the life of a presigned request.
    pub fn check(self, now: Timestamp, expected: &Expected<'_>) -> Result<CheckedClaim<'a>, SigV4Error> {
        self.check_scope(expected)?;
        self.check_time(now)?;
        Ok(CheckedClaim(self))
    }

    fn check_scope(&self, expected: &Expected<'_>) -> Result<(), SigV4Error> {
        let (region, service) = (self.region(), self.service());
        let region_accepted = match expected.regions {
            Regions::Any => region.parse::<Region>().is_ok(),
            Regions::OneOf(regions) => regions.contains(&region),
        };
        let terminator = self.credential.terminator();
        let faults = ScopeFaults {
            region: !region_accepted,
            service: (service != expected.service).then(|| expected.service.to_owned()),
            terminator: (terminator != TERMINATOR).then(|| terminator.to_owned()),
            date: (self.scope_date() != self.date.day()).then(|| (self.scope_date().to_owned(), self.date)),
        };
        if faults.any() { Err(SigV4Error::Scope(Box::new(faults))) } else { Ok(()) }
    }

    fn check_time(&self, now: Timestamp) -> Result<(), SigV4Error> {
        let age = now.millis().div_euclid(1000).saturating_sub(self.date.seconds());
        let life = match self.form {
            Form::Query { expires: Some(expires) } => i64::from(expires),
            Form::Header | Form::Query { expires: None } => MAX_SKEW,
        };
        if (-MAX_SKEW..=life).contains(&age) { Ok(()) } else { Err(self.not_now(age, now)) }
    }

    fn not_now(&self, age: i64, now: Timestamp) -> SigV4Error {
        let (signed, now) = (self.date, AmzDate::from_timestamp(now));
        match self.form {
            Form::Header | Form::Query { .. } if age < 0 => {
                SigV4Error::NotYetCurrent { signed, latest: now.plus_seconds(MAX_SKEW), now }
            }
            Form::Query { expires: Some(expires) } => {
                let earliest = now.plus_seconds(-i64::from(expires));
                SigV4Error::PresignedExpired { signed, earliest, now, expires }
            }
            Form::Header | Form::Query { expires: None } => {
                SigV4Error::Expired { signed, earliest: now.plus_seconds(-MAX_SKEW), now }
            }
        }
    }
}

impl<'a> CheckedClaim<'a> {
    /// The claim.
    #[must_use]
    pub fn claim(&self) -> &Claim<'a> {
        &self.0
    }

    /// Checks the signature. `head` is the head the claim was parsed from, `payload_hash` the SHA-256 of the body, `key` the
    /// signing key of the access key for the scope of the claim.
    ///
    /// `x-amz-content-sha256` must be `payload_hash`; `UNSIGNED-PAYLOAD` is refused (AWS: unverified), but for S3: there the
    /// body is then covered by nothing, and it is the caller's not to read it.
    pub fn verify<H: Headers<'a>>(
        self,
        head: &RequestHead<'a, H>,
        payload_hash: &[u8; SHA256_LEN],
        key: &SigningKey,
    ) -> Result<Verified<'a>, SigV4Error> {
        self.matches(head, payload_hash, key)?;
        Ok(Verified(self.0))
    }

    fn matches<H: Headers<'a>>(
        &self,
        head: &RequestHead<'a, H>,
        payload_hash: &[u8; SHA256_LEN],
        key: &SigningKey,
    ) -> Result<(), SigV4Error> {
        let claim = &self.0;
        let form = canonical::Form::of(claim.service());
        let unsigned = form == canonical::Form::S3
            && claim.content_sha256.map_or(claim.is_presigned(), |text| text == UNSIGNED_PAYLOAD);
        let declared = unsigned
            || claim.content_sha256.is_none_or(|text| parse_lower_hex(text).as_ref() == Some(payload_hash));
        let Some(signature) = claim.signature.filter(|_| declared) else { return Err(SigV4Error::Mismatch) };
        let hash = LowerHex::new(payload_hash);
        let payload = if unsigned { UNSIGNED_PAYLOAD } else { hash.as_bytes() };
        let request =
            canonical_request(head, head.query, &claim.signed_headers, payload, form, claim.is_presigned());
        let Ok(request) = request else { return Err(SigV4Error::Mismatch) };
        string_to_sign(&request, &claim.date, claim.credential.scope(), |parts| {
            key.verify(parts, &signature).map_err(|_mismatch| SigV4Error::Mismatch)
        })
    }
}

impl<'a> Verified<'a> {
    /// The claim, now proven.
    #[must_use]
    pub fn claim(&self) -> &Claim<'a> {
        &self.0
    }
}

impl<'a> Found<'a> {
    fn in_headers<H: Headers<'a>>(head: &RequestHead<'a, H>) -> Result<Self, SigV4Error> {
        let mut found = Self::default();
        for (name, value) in head.headers.clone() {
            let (place, known) = match name.len() {
                4 => (&mut found.date, "date"),
                10 => (&mut found.amz_date, "x-amz-date"),
                13 => (&mut found.authorization, "authorization"),
                20 if name.as_bytes().get(6) == Some(&b'c') || name.as_bytes().get(6) == Some(&b'C') => {
                    (&mut found.content_sha256, "x-amz-content-sha256")
                }
                20 => (&mut found.token, "x-amz-security-token"),
                _ => continue,
            };
            if name.eq_ignore_ascii_case(known) && place.replace(value).is_some() {
                return Err(SigV4Error::Duplicate);
            }
        }
        Ok(found)
    }
}

/// What stands for a body that is not signed.
const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}
