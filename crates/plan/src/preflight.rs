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

use thiserror::Error;

use crate::document::Document;
use crate::id::{AccountId, PolicyId, PolicyName, TargetId};
use crate::language::{self, EffectiveError, Finding, Inherited, Policy, Severity};

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
#[error(
    "the policy has {}: {}; hint: `org-backup check` shows every place",
    count(.0.len(), "mistake"), first(.0)
)]
pub struct Invalid(Vec<Finding>);

/// Why the change would take backups away.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Withheld {
    /// An account that would be frozen.
    pub account: AccountId,
    /// The nearest target with something attached, and what would be wrong there.
    pub suspect: Suspect,
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
        f.write_str("; hint: complete that plan, or rename yours, or set `Preflight: Warn`")
    }
}

/// Checks the document by itself, as AWS does when it is created or updated.
///
/// # Errors
///
/// When AWS Organizations would refuse it, or AWS Backup could not make a plan of it.
pub fn check(document: &Document, now: SystemTime) -> Result<(), Invalid> {
    let mut findings = language::check(&document.minified(), now);
    findings.retain(|it| it.severity == Severity::Error);
    if findings.is_empty() { Ok(()) } else { Err(Invalid(findings)) }
}

/// Returns the targets at which the merged document would be invalid after `change`, in a way in
/// which it is not now, from the root down.
///
/// What was wrong before stays somebody else's mistake. A target without an account that gets just
/// what is attached there is a suspect all the same; whether there is one is for the caller to ask.
pub fn suspects(organization: &Organization, change: &Change<'_>, now: SystemTime) -> Vec<Suspect> {
    // A text that cannot be read, which AWS took when it was newer than this program, says nothing.
    let parse = |text: &str| language::parse(text).ok();
    let parsed = organization.documents.iter();
    let parsed = parsed.filter_map(|(id, it)| Some((id.as_str(), parse(it)?)));
    let before: BTreeMap<&str, Policy> = parsed.collect();
    let key = change.id.map_or(change.name.as_str(), PolicyId::as_str);
    let mut after = before.clone();
    after.extend(parse(&change.document.minified()).map(|it| (key, it)));

    let targets: BTreeSet<_> = organization.attached.keys().chain(change.targets).collect();
    let mut now_there = Merge { organization, policies: &before, merged: BTreeMap::new() };
    let mut then_there = Merge { organization, policies: &after, merged: BTreeMap::new() };
    let as_is = |target: &TargetId| -> Vec<&str> {
        organization.attached.get(target).into_iter().flatten().map(PolicyId::as_str).collect()
    };
    let as_wanted = |target: &TargetId| -> Vec<&str> {
        let mut attached = as_is(target);
        match change.targets.contains(target) {
            true if !attached.contains(&key) => attached.push(key),
            true => {}
            false => attached.retain(|it| *it != key),
        }
        attached
    };
    let mut suspects = Vec::new();
    for target in targets {
        let known = now_there.at(target, &as_is).effective().validate(now);
        let mut errors = then_there.at(target, &as_wanted).effective().validate(now);
        errors.retain(|it| !known.iter().any(|old| old.code == it.code && old.path == it.path));
        if !errors.is_empty() {
            suspects.push(Suspect { target: target.clone(), errors });
        }
    }
    suspects.sort_by_key(|it| organization.path(&it.target).count());
    suspects
}

/// The merged state at each target, made when it is first asked for.
struct Merge<'a> {
    organization: &'a Organization,
    policies: &'a BTreeMap<&'a str, Policy>,
    merged: BTreeMap<&'a TargetId, Inherited>,
}

impl<'a> Merge<'a> {
    fn at(
        &mut self,
        target: &'a TargetId,
        attached: &impl Fn(&TargetId) -> Vec<&'a str>,
    ) -> &Inherited {
        let mut path: Vec<_> = self.organization.path(target).collect();
        path.reverse();
        let mut inherited = Inherited::root();
        for it in path {
            inherited = if let Some(merged) = self.merged.get(it) {
                merged.clone()
            } else {
                let there = attached(it).into_iter();
                let policies: Vec<_> =
                    there.filter_map(|key| Some((key, self.policies.get(key)?))).collect();
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
