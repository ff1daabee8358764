//! The notifications.

use std::collections::BTreeMap;

use media::{Mail, field};

use crate::reattach::event::{Event, Teller, Who};
use crate::reattach::health::HealthChange;

/// The most items of a kind that are named. The others are counted.
const SHOWN: usize = 10;

/// The most characters of a name. AWS allows more for some names, but nobody reads them.
const NAME: usize = 256;

/// The finding about one resource.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The name of the resource for people: its kind and its own name.
    pub name: String,
    /// The stack, and the name of the resource in its template.
    pub owner: String,
    /// The steps, in words.
    pub steps: Vec<String>,
    /// True if the last complete sweep found no entry for it.
    pub is_new: bool,
    /// The outcome.
    pub outcome: RepairOutcome,
}

impl Finding {
    /// Returns `true` if the resource had drifted and was restored.
    fn is_repaired(&self) -> bool {
        self.outcome == RepairOutcome::Done && !self.steps.is_empty()
    }
}

/// The outcome for one resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RepairOutcome {
    /// The resource was in its desired state, or is again.
    Done,
    /// The resource has drifted, and was left alone because of the mode.
    Reported,
    /// The resource could not be restored, for this reason.
    Failed(String),
    /// The resource has drifted, and was left alone because CloudFormation does not confirm that it
    /// exists.
    Left(String),
    /// The function of the resource is changing it. The resource is checked again later.
    Changing,
}

/// Returns the notification about `findings` and about accounts with an invalid effective policy.
/// Returns `None` if there is nothing new. `causes` are the events that led to the findings.
pub fn notice(
    findings: &[Finding],
    causes: &[&Event],
    health: Option<&HealthChange>,
    details: &[String],
) -> Option<Mail> {
    let of = |wanted: fn(&Finding) -> bool| -> Vec<&Finding> {
        findings.iter().filter(|it| wanted(it)).collect()
    };
    let restored = of(|it| it.is_repaired() && !it.is_new);
    let begun = of(|it| it.is_repaired() && it.is_new);
    let reported = of(|it| it.outcome == RepairOutcome::Reported && !it.steps.is_empty());
    let failed = of(|it| matches!(it.outcome, RepairOutcome::Failed(_)));
    let left = of(|it| matches!(it.outcome, RepairOutcome::Left(_)));
    let all = [&restored, &begun, &reported, &failed, &left];
    let is_nothing = all.into_iter().all(Vec::is_empty);
    if is_nothing && health.is_none() {
        return None;
    }
    let mut subject = Vec::new();
    let mut mail = Mail::default();
    let count = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    subject.extend(count(failed.len(), "could not be put back"));
    subject.extend(count(begun.len(), "new and set up"));
    subject.extend(count(restored.len(), "put back"));
    subject.extend(count(left.len(), "left alone"));
    subject.extend(count(reported.len(), "not as deployed"));
    sections(&mut mail, "COULD NOT BE PUT BACK", &failed);
    sections(&mut mail, "New since the last sweep, and set up", &begun);
    sections(&mut mail, "Put back", &restored);
    sections(&mut mail, "Left alone", &left);
    sections(&mut mail, "Not as deployed, and left so (Mode is Report)", &reported);
    for (teller, what) in [
        (Teller::Aws, "Events before this:"),
        (
            Teller::Somebody,
            "Claims in events that are not from AWS, or were sent again. Nothing confirms them:",
        ),
    ] {
        let told: Vec<_> = causes.iter().filter(|it| it.teller == teller).copied().collect();
        if !told.is_empty() {
            mail.line(what);
            happened(&mut mail, &told);
            mail.line("");
        }
    }
    if let Some(HealthChange { broken, mended }) = health {
        subject.extend(count(broken.len(), "newly invalid in effect"));
        subject.extend(count(mended.len(), "valid again"));
        for (accounts, what) in [
            (
                broken,
                "AWS withholds new backup policies from these accounts, because the merged policy \
                 is invalid:",
            ),
            (mended, "The effective policy of these accounts is valid again, or they are gone:"),
        ] {
            if !accounts.is_empty() {
                mail.line(what);
                for account in accounts.iter().take(SHOWN) {
                    mail.line(&format!("  {account}"));
                }
                more(&mut mail, accounts.len());
                mail.line("");
            }
        }
        for detail in details.iter().take(SHOWN) {
            mail.line(&format!("  {detail}"));
        }
    }
    Some(mail.about(&format!("org-backup: {}", subject.join(", "))))
}

fn sections(mail: &mut Mail, what: &str, findings: &[&Finding]) {
    for Finding { name, owner, steps, outcome, .. } in findings.iter().take(SHOWN) {
        mail.line(&format!("{what}: {} ({})", field(name, NAME), field(owner, NAME)));
        for step in steps.iter().take(SHOWN) {
            mail.line(&format!("  - {step}"));
        }
        more(mail, steps.len());
        if let RepairOutcome::Failed(why) | RepairOutcome::Left(why) = outcome {
            mail.line(&format!("  Why: {why}"));
        }
        mail.line("");
    }
    if findings.len() > SHOWN {
        mail.line(&format!("{what}: {} more resources", findings.len() - SHOWN));
        mail.line("");
    }
}

/// Lists the events one by one. If there are too many to read, counts them for each actor. Actors
/// with the fewest events come first, so that nobody can hide another actor behind many events.
fn happened(mail: &mut Mail, events: &[&Event]) {
    if events.len() <= SHOWN {
        for event in events {
            mail.line(&format!("  {}", told(event)));
        }
        return;
    }
    let mut actors = BTreeMap::<&str, Vec<&Event>>::new();
    for event in events {
        actors.entry(event.who.actor()).or_default().push(event);
    }
    let mut actors: Vec<_> = actors.into_iter().collect();
    actors.sort_by_key(|(_, events)| events.len());
    for (actor, events) in actors.iter().take(SHOWN) {
        let Some(first) = events.first() else { continue };
        let (count, actor) = (events.len(), field(actor, NAME));
        mail.line(&format!("  {count} by {actor}, first {}", told(first)));
    }
    if actors.len() > SHOWN {
        let others = actors.iter().skip(SHOWN);
        let (count, all) = (actors.len() - SHOWN, others.map(|it| it.1.len()).sum::<usize>());
        mail.line(&format!("  and {all} by {count} others"));
    }
}

fn told(event: &Event) -> String {
    let Who { principal, address, time, subject } = &event.who;
    let (name, principal) = (field(&event.name, NAME), field(principal, NAME));
    format!("{name} {subject} by {principal} at {time} from {address}")
}

fn more(mail: &mut Mail, all: usize) {
    if all > SHOWN {
        mail.line(&format!("  and {} more", all - SHOWN));
    }
}
