//! One fault at a time: at every call of every request, everything that can go wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use simulator::{Entry, Service, Settings};
use tests::cases::{self, Case};
use tests::organization::{Latency, Organization};

use crate::extent::{asked, few};
use crate::pool::attempt;
use crate::trouble::{Trouble, survived, troubles};

/// A request, and what comes of it when nothing goes wrong.
struct Undisturbed {
    case: Case,
    calls: Vec<Entry>,
    end: String,
    /// The desired state for `reattach`.
    wanted: String,
}

/// Something that goes wrong with one call of a request.
struct Injection<'a> {
    of: &'a Undisturbed,
    nth: u64,
    trouble: Trouble,
}

impl Injection<'_> {
    fn call(&self) -> &Entry {
        &self.of.calls[usize::try_from(self.nth).unwrap() - 1]
    }

    /// What goes wrong, whichever call of the operation it is, and whichever request of the function.
    fn kind(&self) -> String {
        format!("{}, {:?} of {}", self.of.case.function, self.trouble, self.call().operation)
    }
}

impl fmt::Display for Injection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.call();
        write!(
            f,
            "{}, {:?} at call {} ({})",
            self.of.case.name, self.trouble, self.nth, call.operation
        )
    }
}

async fn organization(case: &Case) -> Organization {
    case.organization(Settings::default()).await.in_process(Latency::None)
}

fn undisturbed(case: Case) -> Result<Undisturbed, String> {
    let name = case.name;
    let run = attempt(1, async {
        let organization = organization(&case).await;
        let mut stack = case.resource(&organization).await;
        let _ = case.change(&mut stack).await.ok();
        (organization.journal(), organization.state(), case.wanted(&organization))
    });
    let (calls, end, wanted) = run.map_err(|why| format!("{name}: {why}"))?;
    Ok(Undisturbed { case, calls, end, wanted })
}

/// Lets it go wrong, lets CloudFormation do what it does then, and looks at what came of it.
async fn survive(injection: &Injection<'_>) {
    let Injection { of: Undisturbed { case, end, wanted, .. }, nth, trouble } = injection;
    let organization = organization(case).await;
    let mut stack = case.resource(&organization).await.redelivered();
    let before = organization.state();
    trouble.inject(*nth, &organization, stack.wire());
    if let Trouble::Late = trouble {
        stack = stack.within(Duration::from_secs(15));
    }
    let answer = case.change(&mut stack).await;
    assert!(!stack.wire().spare(), "the call never came");
    if !answer.success && !case.is_delete() {
        let rollback = stack.rollback.take().unwrap();
        assert!(rollback.success, "after {answer} the rollback fails: {rollback}");
        if case.can_go_back(&organization) {
            assert_eq!(organization.state(), before, "after the rollback from {answer}");
        }
    }
    if !answer.success {
        let _ = case.change(&mut stack).await.ok();
    }
    assert_eq!(organization.state(), *end, "in the end, after {answer}");
    assert_eq!(case.wanted(&organization), *wanted, "in the end, after {answer}");
    let kept = case.kept(&organization);
    for (account, policy) in organization.journal().into_iter().flat_map(|it| it.lost) {
        let name = organization.named(&policy);
        let loses = kept.contains(&account) || name == "theirs";
        assert!(!loses, "{} loses {name}", organization.named(&account));
    }
    organization.clear_journal();
    let _ = stack.redeliver().await.ok();
    assert_eq!(organization.take_writes(), "", "the second time");
}

#[test]
fn whatever_goes_wrong_with_any_call_the_end_is_the_same() {
    let mut all = cases::all();
    all.extend(cases::more());
    let all: Vec<_> = all.into_iter().map(|it| undisturbed(it).unwrap()).collect();
    let mut injections = Vec::new();
    let mut totals = BTreeMap::<_, usize>::new();
    let thorough = asked("SOAK_MINUTES").is_some();
    for of in &all {
        let mut seen = BTreeSet::new();
        for (nth, call) in (1..).zip(&of.calls) {
            // The second read of a kind breaks in the same ways as the first.
            let again = !seen.insert(&call.operation) && !call.write;
            // So do the calls that the same request makes without a state bucket.
            let same = of.case.keeps_state && call.service != Service::S3;
            let few = match (thorough, same, again) {
                (false, true, _) => 0,
                (false, false, true) => 2,
                _ => usize::MAX,
            };
            let troubles = troubles(call).into_iter().take(few);
            injections.extend(troubles.map(|trouble| Injection { of, nth, trouble }));
            *totals.entry(of.case.function).or_default() += 1;
        }
    }
    let injections = few(injections, Injection::kind);
    println!("{} faults at the calls {totals:?}", injections.len());
    survived(&injections, survive);
}
