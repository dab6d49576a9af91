//! What a series is of: what was measured, where, of which key and operation.
//!
//! As bytes, which are the same for ever:
//!
//! ```text
//! 1   what is measured
//! 12  the account, in digits
//! 1   bytes of the Region, and these
//! 1   0: no key; 1: a key; 2: a multi-Region key; then 16 bytes of its id
//! 1   bytes of the operation's name, and these; 0: no operation
//! ```
//! Series are of one operation wherever there is one: what a key or an account has had altogether is added up when it is read.

use keyreeve_core::tally::Place;
use keyreeve_domain::spec::KeyLastUsageOperation;
use keyreeve_domain::{AccountId, KeyId, Region};
use keyreeve_observe::metric::Metric;
use keyreeve_wire::Operation;

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Measure {
    /// Seconds until imported material expires.
    Expiration,
    /// Requests that were refused, for another reason than a quota.
    Failed,
    /// Microseconds of a request.
    Latency,
    /// Requests that were answered.
    Succeeded,
    /// Requests that were one too many.
    Throttled,
    /// Uses of the keys of an account.
    Used,
}

impl Measure {
    const ALL: [Self; 6] =
        [Self::Expiration, Self::Failed, Self::Latency, Self::Succeeded, Self::Throttled, Self::Used];

    fn code(self) -> u8 {
        match self {
            Self::Succeeded => 1,
            Self::Failed => 2,
            Self::Throttled => 3,
            Self::Used => 4,
            Self::Latency => 5,
            Self::Expiration => 6,
        }
    }

    /// The name of the metric.
    fn name(self) -> &'static str {
        match self {
            Self::Expiration => "SecondsUntilKeyMaterialExpiration",
            Self::Failed => "NumberOfRequestsFailed",
            Self::Latency => "RequestLatency",
            Self::Succeeded => "NumberOfRequestsSucceeded",
            Self::Throttled => "NumberOfRequestsThrottled",
            Self::Used => "KeyUsage",
        }
    }

    /// Whether every value is 1.
    pub(crate) fn is_count(self) -> bool {
        match self {
            Self::Failed | Self::Succeeded | Self::Throttled | Self::Used => true,
            Self::Expiration | Self::Latency => false,
        }
    }

    /// What a stored value is multiplied with: latency is told in milliseconds.
    pub(crate) fn scale(self) -> f64 {
        match self {
            Self::Latency => 0.001,
            Self::Expiration | Self::Failed | Self::Succeeded | Self::Throttled | Self::Used => 1.0,
        }
    }
}

/// What a series is of.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Identity {
    pub(crate) measure: Measure,
    pub(crate) place: Place,
    pub(crate) key: Option<KeyId>,
    pub(crate) operation: Option<Operation>,
}

impl Identity {
    /// The bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        out.push(self.measure.code());
        out.extend_from_slice(&self.place.account.digits());
        append(&mut out, self.place.region.as_str().as_bytes());
        match &self.key {
            None => out.push(0),
            Some(key) => {
                out.push(1 + u8::from(key.is_multi_region()));
                out.extend_from_slice(key.bits());
            }
        }
        append(&mut out, self.operation.map_or("", Operation::name).as_bytes());
        out
    }

    /// What these bytes are of; nothing where that is not known.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (code, rest) = bytes.split_first()?;
        let measure = Measure::ALL.into_iter().find(|measure| measure.code() == *code)?;
        let (account, rest) = rest.split_at_checked(12)?;
        let account: AccountId = core::str::from_utf8(account).ok()?.parse().ok()?;
        let (region, rest) = text(rest)?;
        let region: Region = region.parse().ok()?;
        let (kind, rest) = rest.split_first()?;
        let (key, rest) = match kind {
            0 => (None, rest),
            1 | 2 => {
                let (bits, rest) = rest.split_first_chunk::<16>()?;
                (Some(KeyId::from_bits(*kind == 2, *bits)), rest)
            }
            _ => return None,
        };
        let (operation, rest) = text(rest)?;
        let operation = match operation {
            "" => None,
            name => Some(Operation::ALL.iter().copied().find(|known| known.name() == name)?),
        };
        rest.is_empty().then_some(Self { measure, place: Place { account, region }, key, operation })
    }

    /// The metrics that a value of this series is one of.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut all = Vec::new();
        let key = self.key.map(|key| ("KeyId".to_owned(), key.to_string()));
        let operation = self.operation.map(|operation| ("Operation".to_owned(), operation.name().to_owned()));
        let is_use = self.measure == Measure::Succeeded
            && self.key.is_some()
            && self.operation.is_some_and(uses_a_key);
        let names = [Some(self.measure.name()), is_use.then_some(Measure::Used.name())];
        for name in names.into_iter().flatten() {
            let mut metric = |dimensions: &[&Option<(String, String)>]| {
                let dimensions = dimensions.iter().copied().flatten().cloned().collect();
                all.push(Metric { name: name.to_owned(), dimensions });
            };
            metric(&[&key]);
            if operation.is_some() {
                metric(&[&key, &operation]);
            }
        }
        all
    }
}

/// The series whose values are those of `metric`; none where there is no such metric.
pub(crate) fn behind(place: Place, metric: &Metric) -> Vec<Identity> {
    let (mut key, mut operation) = (None, None);
    for (name, value) in &metric.dimensions {
        match name.as_str() {
            "KeyId" if key.is_none() => match value.parse::<KeyId>() {
                Ok(parsed) => key = Some(parsed),
                Err(_) => return Vec::new(),
            },
            "Operation" if operation.is_none() => {
                match Operation::ALL.iter().find(|known| known.name() == value) {
                    Some(known) => operation = Some(*known),
                    None => return Vec::new(),
                }
            }
            _ => return Vec::new(),
        }
    }
    let Some(named) = Measure::ALL.into_iter().find(|measure| measure.name() == metric.name) else {
        return Vec::new();
    };
    let each = |measure: Measure, is_one: fn(Operation) -> bool| {
        let operations =
            Operation::ALL.iter().copied().filter(|known| operation.is_none_or(|one| one == *known));
        let of = |operation| Identity { measure, place, key, operation: Some(operation) };
        operations.filter(|known| is_one(*known)).map(of).collect()
    };
    match (named, key) {
        (Measure::Expiration, Some(_)) if operation.is_none() => {
            vec![Identity { measure: named, place, key, operation: None }]
        }
        // Nobody waits for a key but for an operation.
        (Measure::Expiration, _) | (Measure::Latency, Some(_)) => Vec::new(),
        (Measure::Used, Some(_)) => each(Measure::Succeeded, uses_a_key),
        (Measure::Used, None) => each(Measure::Used, uses_a_key),
        (Measure::Failed | Measure::Latency | Measure::Succeeded | Measure::Throttled, _) => {
            each(named, |_| true)
        }
    }
}

/// Whether a success of the operation is a use of its keys: those that GetKeyLastUsage tells of.
pub(crate) fn uses_a_key(operation: Operation) -> bool {
    KeyLastUsageOperation::ALL.iter().any(|used| used.as_str() == operation.name())
}

fn append(out: &mut Vec<u8>, text: &[u8]) {
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text);
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*len))?;
    Some((core::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "us-east-1".parse().unwrap() }
    }

    fn every() -> Vec<Identity> {
        let keys = [None, Some(KeyId::from_bits(false, [1; 16])), Some(KeyId::from_bits(true, [1; 16]))];
        let operations = [None, Some(Operation::Encrypt), Some(Operation::ListKeys)];
        let of = |measure| {
            keys.into_iter().flat_map(move |key| {
                operations.map(|operation| Identity { measure, place: place(), key, operation })
            })
        };
        Measure::ALL.into_iter().flat_map(of).collect()
    }

    #[test]
    fn bytes_and_series_are_the_same() {
        for identity in every() {
            let bytes = identity.bytes();
            assert_eq!(Identity::parse(&bytes), Some(identity));
            for len in 0..bytes.len() {
                assert_eq!(Identity::parse(&bytes[..len]), None, "{identity:?} {len}");
            }
            assert_eq!(Identity::parse(&[bytes, vec![0]].concat()), None);
        }
    }

    #[test]
    fn a_series_stands_behind_each_of_its_metrics() {
        for identity in every() {
            let exists = match identity.measure {
                Measure::Expiration => identity.key.is_some() && identity.operation.is_none(),
                Measure::Latency => identity.key.is_none() && identity.operation.is_some(),
                Measure::Used => identity.key.is_none() && identity.operation == Some(Operation::Encrypt),
                Measure::Failed | Measure::Succeeded | Measure::Throttled => identity.operation.is_some(),
            };
            for metric in identity.metrics().into_iter().filter(|_| exists) {
                assert!(behind(place(), &metric).contains(&identity), "{identity:?} {metric:?}");
            }
        }
    }

    #[test]
    fn a_metric_that_does_not_exist_has_no_series() {
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        for (name, dimensions, count) in [
            ("NumberOfRequestsSucceeded", vec![], 56),
            ("NumberOfRequestsSucceeded", vec![("Operation", "Encrypt")], 1),
            ("NumberOfRequestsSucceeded", vec![("KeyId", id), ("Operation", "Encrypt")], 1),
            ("NumberOfRequestsSucceeded", vec![("KeyId", id)], 56),
            ("NumberOfRequestsSucceeded", vec![("KeyId", "alias/a")], 0),
            ("NumberOfRequestsSucceeded", vec![("Operation", "Encript")], 0),
            ("NumberOfRequestsSucceeded", vec![("Color", "red")], 0),
            ("KeyUsage", vec![("Operation", "ListKeys")], 0),
            ("KeyUsage", vec![("KeyId", id)], 14),
            ("RequestLatency", vec![("KeyId", id)], 0),
            ("SecondsUntilKeyMaterialExpiration", vec![("KeyId", id)], 1),
            ("SecondsUntilKeyMaterialExpiration", vec![], 0),
            ("NumberOfRequests", vec![], 0),
        ] {
            let owned = dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let metric = Metric { name: name.to_owned(), dimensions: owned.collect() };
            assert_eq!(behind(place(), &metric).len(), count, "{name} {dimensions:?}");
        }
    }
}
