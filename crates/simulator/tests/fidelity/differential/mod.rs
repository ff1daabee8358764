//! The same calls to the simulator and to ministack, another stand-in for AWS that somebody else
//! wrote. Where the two answer differently, `allowed.txt` says who is right, and why.

mod ministack;
mod script;
mod shape;

use std::collections::BTreeSet;

use simulator::{Settings, Simulator};

use self::ministack::Ministack;
use crate::support::Client;

const ACCOUNT: &str = "111122223333";

/// Every accepted difference: a line `step | difference | reason`.
const ALLOWED: &str = include_str!("allowed.txt");

#[tokio::test]
async fn ministack_answers_alike_but_for_the_differences_with_a_reason() {
    let simulator = Simulator::start(Settings::default().accounts(1)).await.unwrap();
    let ministack = Ministack::start();
    let ours = script::run(&Client::new(&simulator.url()).key(ACCOUNT)).await;
    let theirs = script::run(&Client::new(&ministack.url()).key(ACCOUNT)).await;
    assert_eq!(ours.len(), theirs.len());
    let mut found = BTreeSet::new();
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.step, theirs.step);
        if let Some(difference) = shape::difference(&ours.outcome, &theirs.outcome) {
            found.insert(format!("{} | {difference}", ours.step));
        }
    }
    let mut allowed = BTreeSet::new();
    for line in ALLOWED.lines().filter(|it| !it.is_empty() && !it.starts_with('#')) {
        let (difference, reason) = line.rsplit_once(" | ").expect("a line of three parts");
        assert!(difference.contains(" | ") && !reason.is_empty(), "{line}");
        allowed.insert(difference.to_owned());
    }
    let unexplained: Vec<_> = found.difference(&allowed).collect();
    let vanished: Vec<_> = allowed.difference(&found).collect();
    assert!(unexplained.is_empty(), "differences without a reason: {unexplained:#?}");
    assert!(vanished.is_empty(), "reasons without a difference: {vanished:#?}");
}
