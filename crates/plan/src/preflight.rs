//! The effect of a change on the effective policies of the accounts.
//!
//! AWS merges every backup policy from the root down to an account. If one plan in the merged
//! document is invalid, AWS withholds the *whole* document from the account, which silently keeps
//! the previous one. A policy that is valid by itself, and is accepted, can therefore freeze the
//! backup plans of other teams. This module merges the policies before the change, once for each
//! place with attached policies, regardless of the number of accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

use policy::document::Document;
use policy::{EffectiveError, Finding, Inherited, Policy, Severity};
use thiserror::Error;

use crate::id::{AccountId, PolicyId, PolicyName, TargetId};

/// The backup policies of an organization and their targets.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// The parents of all relevant targets, and of those parents. The root has none.
    pub parents: BTreeMap<TargetId, TargetId>,
    /// The policies at each target, in the order in which they were attached.
    pub attached: BTreeMap<TargetId, Vec<PolicyId>>,
    /// The text of each policy.
    pub documents: BTreeMap<PolicyId, String>,
}

impl Organization {
    /// Returns `true` if one target is an ancestor of the other, or if they are the same.
    pub fn related(&self, one: &TargetId, other: &TargetId) -> bool {
        self.path(one).any(|it| it == other) || self.path(other).any(|it| it == one)
    }

    /// Returns the number of levels from the root to the target, as far as its parents are known.
    pub fn depth(&self, target: &TargetId) -> usize {
        self.path(target).count() - 1
    }

    /// Returns the target, its parent, and so on up to the root.
    fn path<'a>(&'a self, target: &'a TargetId) -> impl Iterator<Item = &'a TargetId> {
        // The limit ends a walk through parents that AWS cannot have, such as a circle.
        std::iter::successors(Some(target), |it| self.parents.get(it)).take(16)
    }
}

/// The desired state of one policy.
#[derive(Clone, Debug)]
pub struct Edit<'a> {
    /// The ID of the policy, if it exists.
    pub id: Option<&'a PolicyId>,
    /// Its name.
    pub name: &'a PolicyName,
    /// The desired document.
    pub document: &'a Document,
    /// All desired targets.
    pub targets: &'a BTreeSet<TargetId>,
}

/// A target at which the merged document would become invalid in a way in which it is not invalid
/// now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suspect {
    /// The root, OU or account.
    pub target: TargetId,
    /// The new errors.
    pub errors: Vec<EffectiveError>,
}

/// The reason why AWS would not accept the policy itself.
#[derive(Clone, Debug, Error)]
#[error("the policy has {}: {}", count(.0.len(), "mistake"), first(.0))]
pub struct Invalid(Vec<Finding>);

impl Invalid {
    /// The hint for correcting it.
    pub const HINT: &'static str = "`org-backup check` shows every place";
}

/// The reason why the change would take backups away.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Withheld {
    /// An account that would be frozen.
    pub account: AccountId,
    /// The nearest target with policies attached, and the errors there.
    pub suspect: Suspect,
}

impl Withheld {
    /// The hint on what to do next.
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

/// Checks a single document, as AWS does when the policy is created or updated.
///
/// # Errors
///
/// Returns an error if AWS Organizations would refuse it, or if AWS Backup could not create a plan
/// from it.
pub fn check(document: &Document, now: SystemTime) -> Result<(), Invalid> {
    let mut findings = policy::check(&document.minified(), now);
    findings.retain(|it| it.severity == Severity::Error);
    if findings.is_empty() { Ok(()) } else { Err(Invalid(findings)) }
}

/// Returns the targets at which the merged document would become invalid after `change`, in a way
/// in which it is not invalid now, from the root down.
///
/// Errors that existed before are not caused by the change and are left out. A target counts as a
/// suspect even if no account gets exactly the policies that are attached there. The caller has to
/// check for such an account.
pub fn suspects(organization: &Organization, change: &Edit<'_>, now: SystemTime) -> Vec<Suspect> {
    let before = Situation::of(organization);
    suspects_between(organization, &before, &before.after(change), now)
}

/// Returns the same for any two situations.
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

/// The policies and their targets: the current ones, or those after a change.
#[derive(Clone, Debug)]
pub(crate) struct Situation<'a> {
    /// The policies, by ID, or by name if the policy does not exist yet.
    policies: BTreeMap<&'a str, Policy>,
    attached: BTreeMap<&'a TargetId, Vec<&'a str>>,
}

impl<'a> Situation<'a> {
    /// Returns the current situation.
    pub(crate) fn of(organization: &'a Organization) -> Self {
        let documents = organization.documents.iter();
        let policies = documents.filter_map(|(id, it)| Some((id.as_str(), readable(it)?)));
        let attached = organization.attached.iter();
        let attached = attached.map(|(at, it)| (at, it.iter().map(PolicyId::as_str).collect()));
        Self { policies: policies.collect(), attached: attached.collect() }
    }

    /// Returns the situation after `change`.
    #[must_use]
    pub(crate) fn after(&self, change: &Edit<'a>) -> Self {
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

    /// Returns the situation after the policy `id` is deleted.
    #[must_use]
    pub(crate) fn without(&self, id: &PolicyId) -> Self {
        let mut after = self.clone();
        for there in after.attached.values_mut() {
            there.retain(|it| *it != id.as_str());
        }
        after
    }

    /// Returns the targets that have or had policies attached.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &'a TargetId> {
        self.attached.keys().copied()
    }
}

/// Reads a policy. A text that cannot be read counts as empty: AWS accepted it, so it may be newer
/// than this program.
fn readable(text: &str) -> Option<Policy> {
    policy::parse(text).ok()
}

/// The merged state at each target, computed on first use.
pub(crate) struct Merge<'a, 'b> {
    organization: &'a Organization,
    situation: &'b Situation<'a>,
    merged: BTreeMap<&'b TargetId, Inherited>,
}

impl<'a: 'b, 'b> Merge<'a, 'b> {
    pub(crate) fn new(organization: &'a Organization, situation: &'b Situation<'a>) -> Self {
        Self { organization, situation, merged: BTreeMap::new() }
    }

    /// Returns the state that `target` and everything below it inherit.
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
