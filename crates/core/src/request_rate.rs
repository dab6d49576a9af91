//! How fast an account calls, against its request quotas.
//!
//! The generic cell rate algorithm: of each quota the one thing that is kept is the time at which the requests so far would have
//! arrived, had they come evenly. A second's worth of them may come at once. Nothing waits and nothing is locked for
//! a request that has room; a quota that nobody has used for a second costs nothing.
//! Source: ITU-T I.371, annex A.

use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use keyreeve_domain::{AccountId, Region, Timestamp};
use quick_cache::sync::Cache;

use crate::request_quota::RequestQuota;

/// Nanoseconds; beyond what any rate needs.
const FOREVER: i64 = i64::MAX / 4;
/// What may come at once is what comes in this time.
const BURST: i64 = 1_000_000_000;
/// Pairs of an account and a Region whose meters are kept. One that goes has all its room again.
const METERED: usize = 16_384;

/// The rates that are allowed, in requests a second.
#[derive(Clone, Debug, Default)]
pub struct RequestRates {
    /// Whether what is not named here is as AWS starts with; else it is unlimited.
    pub aws_defaults: bool,
    /// Those of every account.
    pub of_all: HashMap<RequestQuota, f64>,
    /// Those of single accounts, which come first.
    pub of_account: HashMap<(AccountId, RequestQuota), f64>,
}

impl RequestRates {
    /// Whether nothing is limited.
    fn is_unlimited(&self) -> bool {
        !self.aws_defaults && self.of_all.is_empty() && self.of_account.is_empty()
    }

    /// Nanoseconds from one request to the next; 0 where there is no limit.
    fn interval(&self, quota: RequestQuota, account: AccountId, region: &Region) -> i64 {
        let named = self.of_account.get(&(account, quota)).or_else(|| self.of_all.get(&quota)).copied();
        let default = || self.aws_defaults.then(|| quota.aws_default(region));
        let Some(rate) = named.or_else(default) else { return 0 };
        let interval = Duration::try_from_secs_f64(rate.recip())
            .map_or(i128::MAX, |interval| i128::try_from(interval.as_nanos()).unwrap_or(i128::MAX));
        i64::try_from(interval).unwrap_or(FOREVER).min(FOREVER)
    }
}

/// The meters of all accounts.
pub struct RequestMeters {
    /// None where nothing is limited.
    limited: Option<Limited>,
}

struct Limited {
    rates: RequestRates,
    meters: Cache<(AccountId, Region), Arc<[Meter]>>,
}

/// One quota of one account in one Region.
struct Meter {
    interval: i64,
    /// Nanoseconds of the day of time 0.
    arrival: AtomicI64,
}

impl RequestMeters {
    /// Meters for `rates`.
    #[must_use]
    pub fn new(rates: RequestRates) -> Self {
        let limited = (!rates.is_unlimited()).then(|| Limited { rates, meters: Cache::new(METERED) });
        Self { limited }
    }

    /// Counts a request at `now`, unless it is one too many.
    #[must_use]
    pub fn take(&self, account: AccountId, region: Region, quota: RequestQuota, now: Timestamp) -> bool {
        let Some(limited) = &self.limited else { return true };
        let made = limited.meters.get_or_insert_with(&(account, region), || {
            let meter = |quota: &RequestQuota| Meter {
                interval: limited.rates.interval(*quota, account, &region),
                arrival: AtomicI64::new(i64::MIN),
            };
            Ok::<_, core::convert::Infallible>(RequestQuota::ALL.iter().map(meter).collect())
        });
        let Ok(meters) = made;
        meters.get(quota.number()).is_none_or(|meter| meter.take(now))
    }
}

impl Meter {
    fn take(&self, now: Timestamp) -> bool {
        if self.interval == 0 {
            return true;
        }
        let now = now.millis().saturating_mul(1_000_000);
        let room = BURST.saturating_sub(self.interval).max(0);
        // A time that lies further ahead than any request moves it was kept before the clock was set back.
        let most = now.saturating_add(room).saturating_add(self.interval);
        let taken = self.arrival.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |kept| {
            let arrival = if kept > most { now } else { kept.max(now) };
            (arrival.saturating_sub(now) <= room).then(|| arrival.saturating_add(self.interval))
        });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account(last: u8) -> AccountId {
        format!("11112222333{last}").parse().unwrap()
    }

    fn region() -> Region {
        "us-east-2".parse().unwrap()
    }

    fn meters(rate: f64) -> RequestMeters {
        let of_all = HashMap::from([(RequestQuota::CreateKey, rate)]);
        RequestMeters::new(RequestRates { of_all, ..RequestRates::default() })
    }

    fn taken(meters: &RequestMeters, times: impl IntoIterator<Item = i64>) -> Vec<bool> {
        let take =
            |at| meters.take(account(1), region(), RequestQuota::CreateKey, Timestamp::from_millis(at));
        times.into_iter().map(take).collect()
    }

    #[test]
    fn a_seconds_worth_comes_at_once_and_then_one_in_each_interval() {
        let meters = meters(5.0);
        assert_eq!(taken(&meters, [1000; 6]), [true, true, true, true, true, false]);
        assert_eq!(taken(&meters, [1199, 1200, 1200, 1400]), [false, true, false, true]);
        assert_eq!(taken(&meters, [9000; 6]), [true, true, true, true, true, false]);
    }

    #[test]
    fn less_than_one_in_a_second_is_one_in_its_interval() {
        assert_eq!(taken(&meters(0.25), [0, 0, 3999, 4000, 4001]), [true, false, false, true, false]);
    }

    #[test]
    fn accounts_regions_and_quotas_have_a_meter_each() {
        let rates = RequestRates { aws_defaults: true, ..RequestRates::default() };
        let meters = RequestMeters::new(rates);
        let take = |account, region: &str, quota| {
            let region = region.parse().unwrap();
            (0..7).filter(|_| meters.take(account, region, quota, Timestamp::from_millis(7))).count()
        };
        assert_eq!(take(account(1), "us-east-1", RequestQuota::CreateKey), 5);
        assert_eq!(take(account(1), "us-east-1", RequestQuota::CreateKey), 0);
        assert_eq!(take(account(2), "us-east-1", RequestQuota::CreateKey), 5);
        assert_eq!(take(account(1), "us-east-2", RequestQuota::CreateKey), 5);
        assert_eq!(take(account(1), "us-east-1", RequestQuota::CreateAlias), 5);
        assert_eq!(take(account(1), "us-east-1", RequestQuota::Symmetric), 7);
    }

    #[test]
    fn what_is_said_of_an_account_comes_before_what_is_said_of_all() {
        let key = RequestQuota::CreateKey;
        let of_all = HashMap::from([(key, 2.0)]);
        let of_account = HashMap::from([((account(1), key), 3.0), ((account(2), key), f64::INFINITY)]);
        let meters = RequestMeters::new(RequestRates { aws_defaults: true, of_all, of_account });
        let take = |account| {
            let now = Timestamp::from_millis(7);
            (0..100).filter(|_| meters.take(account, region(), RequestQuota::CreateKey, now)).count()
        };
        assert_eq!([take(account(1)), take(account(2)), take(account(3))], [3, 100, 2]);
    }

    #[test]
    fn nothing_is_limited_where_nothing_is_said() {
        let meters = RequestMeters::new(RequestRates::default());
        assert!(meters.limited.is_none());
        assert!((0..1000).all(|_| {
            meters.take(account(1), region(), RequestQuota::GetParametersForImport, Timestamp::from_millis(7))
        }));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let meters = meters(1.0);
        assert_eq!(taken(&meters, [900_000_000, 900_000_000, 5, 5, 1005]), [true, false, true, false, true]);
    }

    proptest! {
        #[test]
        fn no_second_has_more_than_twice_the_rate(
            rate in 1_u32..50, mut times in prop::collection::vec(0_i64..5000, 0..400)
        ) {
            times.sort_unstable();
            let taken = taken(&meters(f64::from(rate)), times.iter().copied());
            let allowed: Vec<_> = times.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(at, _)| *at).collect();
            for start in &allowed {
                let in_second = allowed.iter().filter(|at| (*start..*start + 1000).contains(*at)).count();
                prop_assert!(in_second <= usize::try_from(2 * rate).unwrap());
            }
        }
    }
}
