//! How many random schedules are run: a number of them always, and as long as one likes on demand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::extent::{asked, at_length};
use crate::pool::for_each;
use crate::random::check;
use crate::schedule::Schedule;

/// How many schedules are enough for a look, and how many run at length.
const ALWAYS: [u64; 2] = [60, 250];

/// How many schedules run between two lines of progress.
const BATCH: u64 = 100;

/// How many things went wrong, by what they are.
type Troubles = BTreeMap<&'static str, usize>;

fn run(seeds: impl Iterator<Item = u64>) -> (Troubles, Vec<String>) {
    let schedules: Vec<_> = seeds.map(Schedule::new).collect();
    let broken = for_each(&schedules, check);
    let mut troubles = Troubles::new();
    for (name, count) in schedules.iter().flat_map(Schedule::troubles) {
        *troubles.entry(name).or_default() += count;
    }
    (troubles, broken)
}

fn expect_all(troubles: &Troubles) {
    assert!(troubles.values().all(|it| *it > 0), "something never went wrong: {troubles:?}");
}

#[test]
fn whatever_goes_wrong_at_random_the_end_is_the_same() {
    if let Some(seed) = asked("SOAK_SEED") {
        println!("{}", Schedule::new(seed));
        let broken = run([seed].into_iter()).1;
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        return;
    }
    let Some(minutes) = asked("SOAK_MINUTES") else {
        let [few, all] = ALWAYS;
        let (troubles, broken) = run(1..=if at_length() { all } else { few });
        expect_all(&troubles);
        assert!(broken.is_empty(), "{} are broken:\n{}", broken.len(), broken.join("\n\n"));
        return;
    };
    let (started, time) = (Instant::now(), Duration::from_mins(minutes));
    // Every soak looks where no other has.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut next = asked("SOAK_FROM").unwrap_or(now * 1_000);
    let (mut schedules, mut troubles, mut broken) = (0, Troubles::new(), Vec::new());
    while started.elapsed() < time {
        let (more, failed) = run(next..next + BATCH);
        next += BATCH;
        schedules += BATCH;
        for (name, count) in more {
            *troubles.entry(name).or_default() += count;
        }
        for it in &failed {
            println!("\n{it}\n");
        }
        broken.extend(failed);
        let seconds = started.elapsed().as_secs();
        println!(
            "{schedules} schedules, {} broken, {seconds} s; what went wrong: {troubles:?}",
            broken.len()
        );
    }
    expect_all(&troubles);
    assert!(broken.is_empty(), "{} of {schedules} schedules are broken", broken.len());
}
