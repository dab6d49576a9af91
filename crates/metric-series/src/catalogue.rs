//! The series that have points of the last fifteen days, each with a number.
//!
//! Bounded: of series of keys there are at most so many as the operator allows; then there is none for another key until others have
//! been silent for fifteen days. Series of accounts have room of their own, so that an account is always counted.

use std::collections::HashMap;

use crate::identity::Identity;

/// Series without a key that there is always room for.
const OF_ACCOUNTS: usize = 16_384;

/// The series, by number.
pub(crate) struct Catalogue {
    most: usize,
    numbers: HashMap<Identity, u32>,
    held: Vec<Option<Held>>,
    free: Vec<u32>,
    of_keys: usize,
}

#[derive(Clone, Copy)]
pub(crate) struct Held {
    pub(crate) identity: Identity,
    /// Minutes since 1970.
    pub(crate) newest: i64,
}

impl Catalogue {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, numbers: HashMap::new(), held: Vec::new(), free: Vec::new(), of_keys: 0 }
    }

    /// The number of a series that has a point in `minute`; none where there are too many.
    pub(crate) fn number(&mut self, identity: Identity, minute: i64) -> Option<u32> {
        if let Some(number) = self.numbers.get(&identity) {
            if let Some(Some(held)) = self.held.get_mut(index(*number)) {
                held.newest = held.newest.max(minute);
            }
            return Some(*number);
        }
        let of_accounts = self.numbers.len().saturating_sub(self.of_keys);
        let has_room =
            if identity.key.is_some() { self.of_keys < self.most } else { of_accounts < OF_ACCOUNTS };
        if !has_room {
            return None;
        }
        let held = Some(Held { identity, newest: minute });
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(slot) = self.held.get_mut(index(number)) {
                    *slot = held;
                }
                number
            }
            None => {
                let number = u32::try_from(self.held.len()).ok()?;
                self.held.push(held);
                number
            }
        };
        self.of_keys = self.of_keys.saturating_add(usize::from(identity.key.is_some()));
        self.numbers.insert(identity, number);
        Some(number)
    }

    /// The number of a series that is known.
    pub(crate) fn known(&self, identity: &Identity) -> Option<u32> {
        self.numbers.get(identity).copied()
    }

    pub(crate) fn held(&self, number: u32) -> Option<&Held> {
        self.held.get(index(number))?.as_ref()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Held> {
        self.held.iter().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Forgets the series whose newest point is before `minute`, unless `is_used`.
    pub(crate) fn forget(&mut self, minute: i64, is_used: impl Fn(u32) -> bool) {
        for (at, slot) in self.held.iter_mut().enumerate() {
            let Ok(number) = u32::try_from(at) else { continue };
            let Some(held) = slot.filter(|held| held.newest < minute && !is_used(number)) else { continue };
            self.numbers.remove(&held.identity);
            self.of_keys = self.of_keys.saturating_sub(usize::from(held.identity.key.is_some()));
            self.free.push(number);
            *slot = None;
        }
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use keyreeve_core::tally::Place;
    use keyreeve_domain::KeyId;

    use super::*;
    use crate::identity::Measure;

    fn of(key: Option<u8>) -> Identity {
        let place = Place { account: "111122223333".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let key = key.map(|number| KeyId::from_bits(false, [number; 16]));
        Identity { measure: Measure::Succeeded, place, key, operation: None }
    }

    #[test]
    fn there_are_no_more_series_of_keys_than_allowed_until_one_is_forgotten() {
        let mut catalogue = Catalogue::new(2);
        assert_eq!(catalogue.number(of(Some(1)), 10), Some(0));
        assert_eq!(catalogue.number(of(Some(2)), 11), Some(1));
        assert_eq!(catalogue.number(of(Some(3)), 11), None);
        assert_eq!(catalogue.number(of(None), 11), Some(2), "an account has room");
        assert_eq!(catalogue.number(of(Some(1)), 12), Some(0));
        catalogue.forget(12, |number| number == 2);
        assert_eq!(catalogue.number(of(Some(3)), 13), Some(1), "its number is free");
        assert_eq!(catalogue.number(of(Some(2)), 13), None);
        assert_eq!((catalogue.len(), catalogue.all().count()), (3, 3));
    }
}
