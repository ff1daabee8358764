//! However policies are merged, the same comes out, and everything in it has an origin.

#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use policy::{Effective, Inherited, Policy, contested, parse, published};

fuzz_target!(|text: &str| {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let levels: Vec<Vec<Policy>> = text
        .split("\n-\n")
        .map(|level| level.lines().filter_map(|it| parse(it).ok()).collect())
        .collect();
    let merge = |times: usize| {
        levels.iter().fold(Inherited::root(), |inherited, policies| {
            let attached = policies.iter().flat_map(|it| std::iter::repeat_n(("p", it), times));
            inherited.descend("level", &attached.collect::<Vec<_>>())
        })
    };
    let (once, twice) = (merge(1).effective(), merge(2).effective());
    assert_eq!(once.to_json(), twice.to_json());
    assert!(once == twice);
    let errors = once.validate(now);
    assert_eq!(errors, once.validate(now));
    assert_eq!(errors.is_empty(), once.is_valid(now));
    assert!(errors.iter().all(|it| !it.contributors.is_empty()));
    assert!(once.leaves().iter().all(|it| !it.origins.is_empty()));
    let nothing = Effective::default();
    let got = published(&nothing, &once, now);
    assert!(got == if errors.is_empty() { &once } else { &nothing });
    for policies in &levels {
        let _ = contested(&policies.iter().map(|it| ("p", it)).collect::<Vec<_>>());
    }
});
