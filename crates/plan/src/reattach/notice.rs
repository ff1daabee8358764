//! What people are told.

use std::fmt::Write as _;

use crate::reattach::event::Event;
use crate::reattach::health::Change;

/// The most characters of a subject that SNS takes.
const SUBJECT: usize = 99;

/// How many of a kind are named; the others are counted.
const SHOWN: usize = 10;

/// What was found about one resource.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What the resource is called, for a person: its kind and its own name.
    pub name: String,
    /// The stack and the name in its template.
    pub owner: String,
    /// What there was to do, in words.
    pub steps: Vec<String>,
    /// Whether nothing was kept of it when everything was last looked after.
    pub is_new: bool,
    /// What became of it.
    pub outcome: Outcome,
}

impl Finding {
    /// Whether it was not as it should be, and is now.
    fn is_repaired(&self) -> bool {
        self.outcome == Outcome::Done && !self.steps.is_empty()
    }
}

/// What became of one resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was as it should be, or is again.
    Done,
    /// It is not as it should be, and was left so as the mode says.
    Reported,
    /// It could not be put back, and why.
    Failed(String),
    /// It is not as it should be, and was left so, since CloudFormation does not say that it exists.
    Left(String),
    /// It is being changed by its own function, and is looked at again later.
    Changing,
}

/// A message to people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// At most 99 ASCII characters on one line, as SNS takes.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// What is to be told of `findings` and of the accounts with an invalid effective policy; `None`
/// when there is nothing new. `causes` are the events that led there.
pub fn notice(
    findings: &[Finding],
    causes: &[&Event],
    health: Option<&Change>,
    details: &[String],
) -> Option<Notice> {
    let of = |wanted: fn(&Finding) -> bool| -> Vec<&Finding> {
        findings.iter().filter(|it| wanted(it)).collect()
    };
    let restored = of(|it| it.is_repaired() && !it.is_new);
    let begun = of(|it| it.is_repaired() && it.is_new);
    let reported = of(|it| it.outcome == Outcome::Reported && !it.steps.is_empty());
    let failed = of(|it| matches!(it.outcome, Outcome::Failed(_)));
    let left = of(|it| matches!(it.outcome, Outcome::Left(_)));
    let all = [&restored, &begun, &reported, &failed, &left];
    let is_nothing = all.into_iter().all(Vec::is_empty);
    if is_nothing && health.is_none() {
        return None;
    }
    let mut subject = Vec::new();
    let mut text = String::new();
    let count = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    subject.extend(count(failed.len(), "could not be put back"));
    subject.extend(count(begun.len(), "new and brought about"));
    subject.extend(count(restored.len(), "put back"));
    subject.extend(count(left.len(), "left alone"));
    subject.extend(count(reported.len(), "not as deployed"));
    sections(&mut text, "COULD NOT BE PUT BACK", &failed);
    sections(&mut text, "New since everything was last looked after, and brought about", &begun);
    sections(&mut text, "Put back", &restored);
    sections(&mut text, "Left alone", &left);
    sections(&mut text, "Not as deployed, and left so (Mode is Report)", &reported);
    if !causes.is_empty() {
        line(&mut text, "What happened before:");
        for event in causes.iter().take(SHOWN) {
            line(&mut text, &format!("  {} {} {}", event.name, event.who.subject, event.who));
        }
        more(&mut text, causes.len());
        line(&mut text, "");
    }
    if let Some(Change { broken, mended }) = health {
        subject.extend(count(broken.len(), "newly invalid in effect"));
        subject.extend(count(mended.len(), "valid again"));
        for (accounts, what) in [
            (
                broken,
                "AWS withholds new backup policies from these accounts, because what they \
                      merge to is invalid:",
            ),
            (mended, "The effective policy of these accounts is valid again, or they are gone:"),
        ] {
            if !accounts.is_empty() {
                line(&mut text, what);
                for account in accounts.iter().take(SHOWN) {
                    line(&mut text, &format!("  {account}"));
                }
                more(&mut text, accounts.len());
                line(&mut text, "");
            }
        }
        for detail in details.iter().take(SHOWN) {
            line(&mut text, &format!("  {detail}"));
        }
    }
    let subject = format!("org-backup: {}", subject.join(", "));
    let subject = subject.chars().filter(char::is_ascii).take(SUBJECT).collect();
    Some(Notice { subject, text: text.trim_end().to_owned() + "\n" })
}

fn sections(text: &mut String, what: &str, findings: &[&Finding]) {
    for finding in findings.iter().take(SHOWN) {
        line(text, &format!("{what}: {} ({})", finding.name, finding.owner));
        for step in finding.steps.iter().take(SHOWN) {
            line(text, &format!("  - {step}"));
        }
        more(text, finding.steps.len());
        if let Outcome::Failed(why) | Outcome::Left(why) = &finding.outcome {
            line(text, &format!("  Why: {why}"));
        }
        line(text, "");
    }
    if findings.len() > SHOWN {
        line(text, &format!("{what}: {} more resources", findings.len() - SHOWN));
        line(text, "");
    }
}

fn more(text: &mut String, all: usize) {
    if all > SHOWN {
        line(text, &format!("  and {} more", all - SHOWN));
    }
}

fn line(text: &mut String, it: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}", it.trim_end());
}
