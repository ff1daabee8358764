//! Token buckets with the published rates.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::operation::Operation;
use crate::settings::Rates;

/// The level of every bucket, and the time at which it had it.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    /// By operation and account. No account means the whole organization.
    buckets: BTreeMap<(&'static str, Option<String>), (f64, Duration)>,
}

impl Throttle {
    /// Takes a token for this call from every bucket that it needs, if all of them have one.
    pub(crate) fn admit(
        &mut self,
        rates: Rates,
        operation: &Operation,
        account: &str,
        now: Duration,
    ) -> bool {
        let scale = match rates {
            Rates::Off => return true,
            Rates::Published => 1.0,
            Rates::Scaled(scale) => scale,
        };
        let Some(rate) = operation.rate else { return true };
        let own = Some((Some(account.to_owned()), rate.account));
        let shared = rate.organization.map(|it| (None, it));
        let needed: Vec<_> = own.into_iter().chain(shared).collect();
        let mut levels = Vec::new();
        for (account, (per_second, burst)) in needed {
            let key = (operation.name, account);
            let (level, since) = self.buckets.get(&key).copied().unwrap_or((burst, now));
            let level = now
                .saturating_sub(since)
                .as_secs_f64()
                .mul_add(per_second * scale, level)
                .min(burst);
            levels.push((key, level));
        }
        let admitted = levels.iter().all(|it| it.1 >= 1.0);
        for (key, level) in levels {
            self.buckets.insert(key, (if admitted { level - 1.0 } else { level }, now));
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Service;

    fn admitted(rates: Rates, operation: &str, calls: &[(&str, u64)]) -> Vec<bool> {
        let operation = Operation::find(Service::Organizations, operation).unwrap();
        let mut throttle = Throttle::default();
        let admit = |(account, at): &(&str, u64)| {
            throttle.admit(rates, operation, account, Duration::from_millis(*at))
        };
        calls.iter().map(admit).collect()
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_rate_holds() {
        let calls = [("1", 0), ("1", 0), ("1", 0), ("1", 0), ("1", 500), ("1", 500)];
        let expected = [true, true, true, false, true, false];
        assert_eq!(admitted(Rates::Published, "AttachPolicy", &calls), expected);
    }

    #[test]
    fn accounts_share_the_bucket_of_the_organization() {
        let calls = [("1", 0), ("1", 0), ("2", 0), ("2", 0)];
        let expected = [true, true, true, false];
        assert_eq!(admitted(Rates::Published, "ListRoots", &calls), expected);
    }

    #[test]
    fn rates_can_be_scaled_and_switched_off() {
        let calls = [("1", 0), ("1", 100), ("1", 100)];
        assert_eq!(admitted(Rates::Scaled(10.0), "EnablePolicyType", &calls), [true, true, false]);
        assert_eq!(admitted(Rates::Published, "EnablePolicyType", &calls), [true, false, false]);
        assert_eq!(admitted(Rates::Off, "EnablePolicyType", &calls), [true, true, true]);
    }
}
