//! A credential: an access key id and a scope, `keyid/date/region/service/term`.

use std::borrow::Cow;

use crate::SigV4Error;

/// Five elements that a slash parts. None but the scope check has looked at what they say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Credential<'a> {
    text: Cow<'a, str>,
    /// The places of the four slashes.
    slashes: [usize; 4],
}

impl<'a> Credential<'a> {
    pub(crate) fn parse(text: Cow<'a, str>) -> Result<Self, SigV4Error> {
        let mut slashes = [0; 4];
        // A slash is no part of a longer character.
        let mut found = memchr::memchr_iter(b'/', text.as_bytes());
        let complete = slashes.iter_mut().all(|slash| found.next().map(|at| *slash = at).is_some());
        if !complete || found.next().is_some() || slashes[0] == 0 {
            return Err(SigV4Error::MalformedCredential { credential: text.into_owned() });
        }
        Ok(Self { text, slashes })
    }

    /// The whole text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn access_key_id(&self) -> &str {
        self.text.get(..self.slashes[0]).unwrap_or_default()
    }

    pub(crate) fn date(&self) -> &str {
        self.between(0, 1)
    }

    pub(crate) fn region(&self) -> &str {
        self.between(1, 2)
    }

    pub(crate) fn service(&self) -> &str {
        self.between(2, 3)
    }

    pub(crate) fn terminator(&self) -> &str {
        self.text.get(self.slashes[3] + 1..).unwrap_or_default()
    }

    /// Everything after the access key id: `date/region/service/term`.
    pub(crate) fn scope(&self) -> &str {
        self.text.get(self.slashes[0] + 1..).unwrap_or_default()
    }

    fn between(&self, left: usize, right: usize) -> &str {
        match (self.slashes.get(left), self.slashes.get(right)) {
            (Some(left), Some(right)) => self.text.get(left + 1..*right).unwrap_or_default(),
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_exactly_five_elements_and_an_access_key_id() {
        for (text, parts) in [
            (
                "AK/20150830/us-east-1/kms/aws4_request",
                Some(["AK", "20150830", "us-east-1", "kms", "aws4_request"]),
            ),
            ("AK////", Some(["AK", "", "", "", ""])),
            ("/20150830/us-east-1/kms/aws4_request", None),
            ("AK/20150830/us-east-1/kms", None),
            ("AK/20150830/us-east-1/kms/aws4_request/x", None),
            ("", None),
        ] {
            let read = Credential::parse(Cow::Borrowed(text));
            let read = read
                .as_ref()
                .ok()
                .map(|c| [c.access_key_id(), c.date(), c.region(), c.service(), c.terminator()]);
            assert_eq!(read, parts, "{text:?}");
        }
    }
}
