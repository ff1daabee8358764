//! The result of a plan, for people and for programs.

use std::collections::BTreeSet;

use plan::outlook::{Effect, sentence};
use plan::properties::Properties;
use plan::resource::ResourceKind;
use serde_json::{Map, Value, json};
use template::{Taken, Unknown};

use super::native::{self, Native, NativeChange};
use super::wanted::WantedResource;

/// The number of accounts that are named if several have the same change.
const NAMED: usize = 3;

/// The whole result.
#[derive(Debug, Default)]
pub(super) struct PlanReport {
    pub(super) resources: Vec<PlannedResource>,
    pub(super) effects: Vec<Effect>,
    pub(super) unknown: Vec<Unknown>,
    pub(super) taken: BTreeSet<Taken>,
    pub(super) notes: Vec<String>,
    /// The number of reads that failed, apart from those of the resources.
    pub(super) unread: usize,
    /// The changes of CloudFormation to the resources that it makes itself.
    pub(super) natives: Vec<Native>,
}

/// The plan of one resource.
#[derive(Debug)]
pub(super) struct PlannedResource {
    stack: String,
    logical_id: String,
    kind: ResourceKind,
    name: String,
    pub(super) steps: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) found: Found,
    /// The number of accounts that could not be read.
    pub(super) barred: usize,
    /// True if the template no longer has the resource.
    pub(super) is_dropped: bool,
}

/// The outcome of the plan of a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// The steps are known.
    Planned,
    /// The function of the resource would refuse the change, for this reason.
    Refused(String),
    /// The resource could not be read, for this reason.
    Failed(String),
    /// The resource was not planned, for this reason.
    LeftOut(String),
    /// The resource leaves its stack, or would leave it, and stays as it is, for this reason.
    Stays(String),
    /// The function of the resource is changing it now.
    Changing,
}

impl PlannedResource {
    pub(super) fn of(wanted: &WantedResource) -> Self {
        Self {
            stack: wanted.stack.clone(),
            logical_id: wanted.logical_id.clone(),
            kind: wanted.kind,
            name: Properties::title(wanted.kind, wanted.properties.as_ref()),
            steps: vec![],
            notes: vec![],
            found: Found::Planned,
            barred: 0,
            is_dropped: false,
        }
    }

    fn lines(&self) -> Vec<String> {
        let slash = if self.stack.is_empty() { "" } else { "/" };
        let dropped = if self.is_dropped { ", no longer in the template" } else { "" };
        let title = format!("{}{slash}{} ({}){dropped}", self.stack, self.logical_id, self.name);
        let mut lines = match &self.found {
            Found::Planned if self.steps.is_empty() && self.is_dropped => {
                vec![format!("{title}: deleted, which changes nothing outside the stack")]
            }
            Found::Planned if self.steps.is_empty() && self.barred > 0 => {
                vec![format!("{title}: {} could not be looked at", accounts_of(self.barred))]
            }
            Found::Planned if self.steps.is_empty() => vec![format!("{title}: nothing to do")],
            Found::Planned => vec![format!("{title}:")],
            Found::Refused(reason) => vec![format!("{title}: refused: {reason}")],
            Found::Failed(reason) => vec![format!("{title}: not looked at: {reason}")],
            Found::LeftOut(reason) => vec![format!("{title}: not planned: {reason}")],
            Found::Stays(reason) => vec![format!("{title}: stays as it is: {reason}")],
            Found::Changing => vec![format!("{title}: its function is changing it right now")],
        };
        lines.extend(self.steps.iter().map(|it| format!("  {it}")));
        lines.extend(self.notes.iter().map(|it| format!("  note: {it}")));
        lines
    }

    fn json(&self) -> Value {
        let (found, reason) = match &self.found {
            Found::Planned => ("planned", None),
            Found::Refused(reason) => ("refused", Some(reason)),
            Found::Failed(reason) => ("failed", Some(reason)),
            Found::LeftOut(reason) => ("left out", Some(reason)),
            Found::Stays(reason) => ("stays", Some(reason)),
            Found::Changing => ("changing", None),
        };
        json!({
            "stack": self.stack, "resource": self.logical_id, "function": self.kind,
            "name": self.name, "outcome": found, "reason": reason, "steps": self.steps,
            "notes": self.notes, "retired": self.is_dropped,
            "accountsNotLookedAt": self.barred,
        })
    }
}

impl PlanReport {
    /// Returns `true` if a deployment, or a restoration by `reattach`, would change nothing.
    pub(super) fn is_nothing(&self) -> bool {
        let idle = |it: &PlannedResource| {
            it.steps.is_empty() && matches!(it.found, Found::Planned | Found::Changing)
        };
        self.natives.is_empty() && self.resources.iter().all(|it| idle(it) && !it.is_dropped)
    }

    /// Marks the dropped resources as kept if a function refuses something, and returns `true`
    /// then. CloudFormation deletes at the end of an update, and such an update does not reach its
    /// end.
    pub(super) fn keep_dropped(&mut self) -> bool {
        let is_refused =
            |it: &PlannedResource| !it.is_dropped && matches!(it.found, Found::Refused(_));
        if !self.resources.iter().any(is_refused) {
            return false;
        }
        let dropped = self.resources.iter_mut().filter(|it| it.is_dropped);
        for it in dropped.filter(|it| it.found == Found::Planned) {
            let reason = "a refusal makes the deployment fail, and it deletes at its end";
            it.found = Found::Stays(reason.to_owned());
            it.steps.clear();
            it.notes.clear();
        }
        true
    }

    /// Returns the number of parts that could not be read or planned. There may be more to do in
    /// them.
    pub(super) fn unfinished(&self) -> usize {
        let missed = |it: &&PlannedResource| {
            matches!(it.found, Found::Failed(_) | Found::LeftOut(_)) || it.barred > 0
        };
        let unknown = |it: &&Native| matches!(it.change, NativeChange::Unknown(_));
        self.unread
            + self.resources.iter().filter(missed).count()
            + self.natives.iter().filter(unknown).count()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.resources.iter().flat_map(PlannedResource::lines).collect();
        lines.extend(native::lines(&self.natives));
        lines.extend(self.unknown.iter().map(|it| format!("{}: {}", it.path, it.why)));
        lines.extend(self.parameters());
        lines.extend(self.notes.iter().map(|it| format!("note: {it}")));
        let accounts = |effects: &[&Effect]| {
            effects.iter().flat_map(|it| &it.accounts).collect::<BTreeSet<_>>().len()
        };
        let (given, withheld): (Vec<_>, Vec<_>) =
            self.effects.iter().partition(|it| it.errors.is_empty());
        if !given.is_empty() {
            lines.push(format!("effective policies change in {}:", accounts_of(accounts(&given))));
            lines.extend(given.into_iter().map(told));
        }
        if !withheld.is_empty() {
            let accounts = accounts_of(accounts(&withheld));
            lines.push(format!("AWS would withhold the merged policy from {accounts}:"));
            for effect in withheld {
                lines.push(told(effect));
                let errors = effect.errors.iter();
                lines.extend(errors.map(|it| format!("    {}: {}", it.path, it.message)));
            }
        }
        if self.is_nothing() && self.unfinished() == 0 {
            lines.push("nothing to do".to_owned());
        }
        lines
    }

    /// Returns lines about the parameters that keep the values of the deployed stack.
    fn parameters(&self) -> Vec<String> {
        let (same, other): (Vec<_>, Vec<_>) = self.taken.iter().partition(|it| it.is_default());
        let mut lines = Vec::new();
        if !self.taken.is_empty() {
            lines.push("parameters as the deployed stack has them:".to_owned());
        }
        lines.extend(other.into_iter().map(|it| match &it.default {
            None => format!("  {}={}", it.name, it.value),
            Some(default) if default.is_empty() => {
                format!("  {}={} (the template's default is empty)", it.name, it.value)
            }
            Some(default) => {
                format!("  {}={} (the template's default is {default})", it.name, it.value)
            }
        }));
        if !same.is_empty() {
            lines.push(format!("  as the template's defaults: {}", names(&same)));
        }
        lines
    }

    pub(super) fn json(&self) -> Value {
        let effects = self.effects.iter().map(|it| {
            let errors = it.errors.iter().map(
                |it| json!({ "code": it.code.to_string(), "message": it.message, "path": it.path }),
            );
            json!({
                "accounts": it.accounts.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "differences": it.differences,
                "withheld": errors.collect::<Vec<_>>(),
            })
        });
        let unknown = self.unknown.iter().map(|it| json!({ "path": it.path, "why": it.why }));
        let taken = self.taken.iter().map(|it| (it.name.clone(), json!(it.value)));
        json!({
            "resources": self.resources.iter().map(PlannedResource::json).collect::<Vec<_>>(),
            "effectivePolicies": effects.collect::<Vec<_>>(),
            "natives": self.natives.iter().map(Native::json).collect::<Vec<_>>(),
            "deployedParameters": taken.collect::<Map<_, _>>(),
            "unknown": unknown.collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

fn names(taken: &[&Taken]) -> String {
    taken.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Returns a line about the effective policies of some accounts that change.
fn told(effect: &Effect) -> String {
    let ids = effect.accounts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let ids = if ids.len() > NAMED { String::new() } else { format!(" ({})", ids.join(", ")) };
    let accounts = accounts_of(effect.accounts.len());
    format!("  {accounts}{ids}: {}", sentence(&effect.differences))
}

pub(super) fn accounts_of(number: usize) -> String {
    format!("{number} {}", if number == 1 { "account" } else { "accounts" })
}
