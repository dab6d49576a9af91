//! What is sent: operations with their bodies, in an order that repeats.

use std::path::Path;

use crate::error::LoadError;
use crate::options::LoadOptions;

/// One request, unsigned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) body: String,
}

/// The calls, and the order in which they are sent: places in `calls`.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) calls: Vec<Call>,
    pub(crate) order: Vec<usize>,
}

impl Workload {
    /// What the command line asks for.
    pub(crate) fn load(options: &LoadOptions) -> Result<Self, LoadError> {
        if let Some(path) = &options.mix {
            return Self::mixed(&read(path)?);
        }
        let operation = options.operation.clone().ok_or(LoadError::NoRequests)?;
        let bodies = match (&options.body, &options.body_file, &options.bodies_file) {
            (Some(body), _, _) => vec![body.clone()],
            (None, Some(path), _) => vec![read(path)?],
            (None, None, Some(path)) => read(path)?.lines().map(str::to_owned).collect(),
            (None, None, None) => vec!["{}".to_owned()],
        };
        let bodies = bodies.into_iter().map(|body| body.trim().to_owned()).filter(|body| !body.is_empty());
        let calls: Vec<_> = bodies.map(|body| Call { operation: operation.clone(), body }).collect();
        let order = (0..calls.len()).collect();
        if calls.is_empty() { Err(LoadError::NoRequests) } else { Ok(Self { calls, order }) }
    }

    /// Lines of weight, operation and body, spread evenly: each call stands in the order as often as its weight says.
    fn mixed(text: &str) -> Result<Self, LoadError> {
        let mut calls = Vec::new();
        let mut places = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = LoadError::Mix { line: index + 1 };
            let mut parts = line.trim().splitn(3, ' ');
            let (Some(weight), Some(operation), Some(body)) = (parts.next(), parts.next(), parts.next())
            else {
                return Err(wrong);
            };
            let Some(weight) = weight.parse::<u32>().ok().filter(|weight| (1..=10_000).contains(weight))
            else {
                return Err(wrong);
            };
            // The n-th of w stands at (n + 1/2) / w of the order.
            places.extend((0..weight).map(|n| ((f64::from(n) + 0.5) / f64::from(weight), calls.len())));
            calls.push(Call { operation: operation.to_owned(), body: body.trim().to_owned() });
        }
        places.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let order: Vec<_> = places.into_iter().map(|(_, call)| call).collect();
        if calls.is_empty() { Err(LoadError::NoRequests) } else { Ok(Self { calls, order }) }
    }
}

fn read(path: &Path) -> Result<String, LoadError> {
    std::fs::read_to_string(path).map_err(|error| LoadError::File { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_spread_by_weight() {
        let mix = Workload::mixed("3 Encrypt {\"KeyId\": \"a b\"}\n\n1 Decrypt {}\n").unwrap();
        assert_eq!(mix.calls.len(), 2);
        assert_eq!(mix.calls[0].body, "{\"KeyId\": \"a b\"}");
        assert_eq!(mix.order, [0, 0, 1, 0]);
        for wrong in ["Encrypt {}", "0 Encrypt {}", "1 Encrypt", "x Encrypt {}"] {
            assert!(matches!(Workload::mixed(wrong), Err(LoadError::Mix { line: 1 })), "{wrong:?}");
        }
        assert!(matches!(Workload::mixed(""), Err(LoadError::NoRequests)));
    }
}
