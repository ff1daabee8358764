//! What a change would do to the effective policies of the accounts.
//!
//! AWS merges every backup policy from the root down to an account, and withholds the *whole*
//! merged document from the account when one plan in it is invalid: the account silently keeps what
//! it had. So a policy that is fine by itself, and is accepted, can freeze the backup plans of
//! other teams. Here the merge is done before the change, once per place where something is
//! attached, however many accounts there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

use policy::document::Document;
use policy::{EffectiveError, Finding, Inherited, Policy, Severity};
use thiserror::Error;

use crate::id::{AccountId, PolicyId, PolicyName, TargetId};

/// The backup policies of an organization and where they are attached.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// The parent of every target that matters, and of its parents; the root has none.
    pub parents: BTreeMap<TargetId, TargetId>,
    /// The policies at each target, in the order in which they were attached.
    pub attached: BTreeMap<TargetId, Vec<PolicyId>>,
    /// The text of each policy.
    pub documents: BTreeMap<PolicyId, String>,
}

impl Organization {
    /// Whether one of the two is an ancestor of the other, or they are the same.
    pub fn related(&self, one: &TargetId, other: &TargetId) -> bool {
        self.path(one).any(|it| it == other) || self.path(other).any(|it| it == one)
    }

    /// How many levels the target is below the root, as far as its parents are known.
    pub fn depth(&self, target: &TargetId) -> usize {
        self.path(target).count() - 1
    }

    /// The target, its parent, and so on up to the root.
    fn path<'a>(&'a self, target: &'a TargetId) -> impl Iterator<Item = &'a TargetId> {
        // The limit ends a walk through parents that AWS could not have, such as a circle.
        std::iter::successors(Some(target), |it| self.parents.get(it)).take(16)
    }
}

/// What is to become of one policy.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// The policy, where it exists.
    pub id: Option<&'a PolicyId>,
    /// Its name.
    pub name: &'a PolicyName,
    /// What it is to say.
    pub document: &'a Document,
    /// Where it is to be attached, and nowhere else.
    pub targets: &'a BTreeSet<TargetId>,
}

/// A target at which the merged document would be invalid, in a way in which it is not now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suspect {
    /// The root, OU or account.
    pub target: TargetId,
    /// What would be wrong.
    pub errors: Vec<EffectiveError>,
}

/// Why the policy itself would not be taken.
#[derive(Clone, Debug, Error)]
#[error("the policy has {}: {}", count(.0.len(), "mistake"), first(.0))]
pub struct Invalid(Vec<Finding>);

impl Invalid {
    /// What helps to correct it.
    pub const HINT: &'static str = "`org-backup check` shows every place";
}

/// Why the change would take backups away.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Withheld {
    /// An account that would be frozen.
    pub account: AccountId,
    /// The nearest target with something attached, and what would be wrong there.
    pub suspect: Suspect,
}

impl Withheld {
    /// What to do about it.
    pub const HINT: &'static str = "complete that plan, or rename yours, or set `Preflight: Warn`";
}

impl std::error::Error for Withheld {}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, suspect: Suspect { target, errors } } = self;
        write!(f, "AWS would withhold the whole merged policy from account {account}")?;
        if target.as_str() != account.as_str() {
            write!(f, " (which gets what is attached to {target})")?;
        }
        for (index, it) in errors.iter().take(3).enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(f, "{separator}{}: {} ({}", it.path, it.message, it.code)?;
            for source in &it.contributors {
                write!(f, ", from {} on {}", source.policy, source.target)?;
            }
            f.write_str(")")?;
        }
        if errors.len() > 3 {
            write!(f, "; and {}", count(errors.len() - 3, "more error"))?;
        }
        Ok(())
    }
}

/// Checks the document by itself, as AWS does when it is created or updated.
///
/// # Errors
///
/// When AWS Organizations would refuse it, or AWS Backup could not make a plan of it.
pub fn check(document: &Document, now: SystemTime) -> Result<(), Invalid> {
    let mut findings = policy::check(&document.minified(), now);
    findings.retain(|it| it.severity == Severity::Error);
    if findings.is_empty() { Ok(()) } else { Err(Invalid(findings)) }
}

/// Returns the targets at which the merged document would be invalid after `change`, in a way in
/// which it is not now, from the root down.
///
/// What was wrong before stays somebody else's mistake. A target without an account that gets just
/// what is attached there is a suspect all the same; whether there is one is for the caller to ask.
pub fn suspects(organization: &Organization, change: &Change<'_>, now: SystemTime) -> Vec<Suspect> {
    let before = Situation::of(organization);
    suspects_between(organization, &before, &before.after(change), now)
}

/// The same for any two situations.
pub(crate) fn suspects_between(
    organization: &Organization,
    before: &Situation<'_>,
    after: &Situation<'_>,
    now: SystemTime,
) -> Vec<Suspect> {
    let targets: BTreeSet<_> = before.targets().chain(after.targets()).collect();
    let (mut now_there, mut then_there) =
        (Merge::new(organization, before), Merge::new(organization, after));
    let mut suspects = Vec::new();
    for target in targets {
        let known = now_there.at(target).effective().validate(now);
        let mut errors = then_there.at(target).effective().validate(now);
        errors.retain(|it| !known.iter().any(|old| old.code == it.code && old.path == it.path));
        if !errors.is_empty() {
            suspects.push(Suspect { target: target.clone(), errors });
        }
    }
    suspects.sort_by_key(|it| organization.depth(&it.target));
    suspects
}

/// The policies and where they are attached: as they are, or as they would be.
#[derive(Clone, Debug)]
pub(crate) struct Situation<'a> {
    /// Each policy, by its ID, or by its name where it is not made yet.
    policies: BTreeMap<&'a str, Policy>,
    attached: BTreeMap<&'a TargetId, Vec<&'a str>>,
}

impl<'a> Situation<'a> {
    /// What there is now.
    pub(crate) fn of(organization: &'a Organization) -> Self {
        let documents = organization.documents.iter();
        let policies = documents.filter_map(|(id, it)| Some((id.as_str(), readable(it)?)));
        let attached = organization.attached.iter();
        let attached = attached.map(|(at, it)| (at, it.iter().map(PolicyId::as_str).collect()));
        Self { policies: policies.collect(), attached: attached.collect() }
    }

    /// What there is after `change`.
    #[must_use]
    pub(crate) fn after(&self, change: &Change<'a>) -> Self {
        let mut after = self.clone();
        let key = change.id.map_or(change.name.as_str(), PolicyId::as_str);
        after.policies.extend(readable(&change.document.minified()).map(|it| (key, it)));
        for (target, there) in &mut after.attached {
            if !change.targets.contains(target) {
                there.retain(|it| *it != key);
            }
        }
        for target in change.targets {
            let there = after.attached.entry(target).or_default();
            if !there.contains(&key) {
                there.push(key);
            }
        }
        after
    }

    /// What there is once the policy `id` is deleted.
    #[must_use]
    pub(crate) fn without(&self, id: &PolicyId) -> Self {
        let mut after = self.clone();
        for there in after.attached.values_mut() {
            there.retain(|it| *it != id.as_str());
        }
        after
    }

    /// Where something is attached, or was.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &'a TargetId> {
        self.attached.keys().copied()
    }
}

/// A text that cannot be read, which AWS took when it was newer than this program, says nothing.
fn readable(text: &str) -> Option<Policy> {
    policy::parse(text).ok()
}

/// The merged state at each target, made when it is first asked for.
pub(crate) struct Merge<'a, 'b> {
    organization: &'a Organization,
    situation: &'b Situation<'a>,
    merged: BTreeMap<&'b TargetId, Inherited>,
}

impl<'a: 'b, 'b> Merge<'a, 'b> {
    pub(crate) fn new(organization: &'a Organization, situation: &'b Situation<'a>) -> Self {
        Self { organization, situation, merged: BTreeMap::new() }
    }

    /// What everything at and below `target` inherits.
    pub(crate) fn at(&mut self, target: &'b TargetId) -> &Inherited {
        let mut path: Vec<_> = self.organization.path(target).collect();
        path.reverse();
        let mut inherited = Inherited::root();
        for it in path {
            inherited = if let Some(merged) = self.merged.get(it) {
                merged.clone()
            } else {
                let there = self.situation.attached.get(it).into_iter().flatten();
                let policies: Vec<_> = there
                    .filter_map(|key| Some((*key, self.situation.policies.get(key)?)))
                    .collect();
                inherited.descend(it.as_str(), &policies)
            };
            self.merged.insert(it, inherited.clone());
        }
        self.merged.entry(target).or_insert(inherited)
    }
}

fn first(findings: &[Finding]) -> String {
    let shown = findings.iter().take(5).map(ToString::to_string).collect::<Vec<_>>();
    shown.join("; ")
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("one {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests;
