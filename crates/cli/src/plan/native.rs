//! The resources that CloudFormation makes itself, and the effect of a deployment on each.
//!
//! CloudFormation compares templates and not the resources. The result is therefore exact only if
//! no resource was changed outside CloudFormation.

use plan::deployment::{Disposal, disposal};
use policy::{Member, Node, Value};
use serde_json::json;
use template::{Evaluator, Given, is_function, section};

use super::resources::Surroundings;

/// The prefixes of the resource types that backups depend on. Each such resource has a line of its
/// own.
const TOLD: [&str; 3] = ["AWS::Organizations::", "AWS::CloudFormation::StackSet", "AWS::Backup::"];

/// A resource that a deployment changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Native {
    /// Its name in the template.
    pub(super) logical_id: String,
    /// Its type.
    pub(super) kind: String,
    /// The change of the resource.
    pub(super) change: NativeChange,
}

/// The change of a resource by a deployment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum NativeChange {
    Create,
    Update,
    Delete,
    /// The resource leaves the stack and is retained, by this `DeletionPolicy`.
    Retain(String),
    /// The change is not known, for this reason.
    Unknown(String),
}

/// A template and the values of its parameters.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) template: &'a Node,
    pub(super) given: &'a Given,
}

/// Returns the changes of a deployment of `new` over `old`, if there is an old template, to the
/// resources that CloudFormation makes itself. `is_native` returns `true` for these.
pub(super) fn natives(
    new: Side<'_>,
    old: Option<Side<'_>>,
    surroundings: &Surroundings,
    is_native: &dyn Fn(&Node) -> bool,
) -> Vec<Native> {
    let mut natives = Vec::new();
    let resource = |side: Side<'_>, id: &str| {
        let found = side.template.member("Resources").and_then(|it| it.member(id)).cloned();
        found.filter(|it| is_native(it))
    };
    for Member { key, value, .. } in section(new.template, "Resources") {
        if is_function(key) || !is_native(value) {
            continue;
        }
        let old = old.and_then(|side| Some((side, resource(side, key)?)));
        let now = state(new, key, value, surroundings);
        let before = old.as_ref().map(|(side, it)| state(*side, key, it, surroundings));
        let change = match (before, now) {
            (_, NativeState::Unknown(why)) | (Some(NativeState::Unknown(why)), _) => {
                NativeChange::Unknown(why)
            }
            (None | Some(NativeState::Absent), NativeState::Absent) => continue,
            (None | Some(NativeState::Absent), NativeState::Present(_)) => NativeChange::Create,
            (Some(NativeState::Present(_)), NativeState::Absent) => match old {
                Some((side, _)) => match deleted(side.template, key) {
                    Some(it) => it,
                    None => continue,
                },
                None => continue,
            },
            (Some(NativeState::Present(before)), NativeState::Present(now)) => {
                let is_same = before.to_json() == now.to_json();
                let is_written_alike = old.is_some_and(|(_, it)| it.to_json() == value.to_json());
                if is_same && (is_written_alike || is_known(&now)) {
                    continue;
                }
                if is_same {
                    let why = "its differences in the template are known only after deployment";
                    NativeChange::Unknown(why.to_owned())
                } else {
                    NativeChange::Update
                }
            }
        };
        natives.push(Native { logical_id: key.clone(), kind: kind(value).to_owned(), change });
    }
    for Member { key, value, .. } in old.map_or(&[][..], |it| section(it.template, "Resources")) {
        let is_gone = new.template.member("Resources").is_none_or(|it| it.member(key).is_none());
        if !is_gone || is_function(key) || !is_native(value) {
            continue;
        }
        let change = old.and_then(|it| deleted(it.template, key));
        let kind = kind(value).to_owned();
        natives.extend(change.map(|change| Native { logical_id: key.clone(), kind, change }));
    }
    natives
}

/// Returns the change of a resource that leaves the stack.
fn deleted(template: &Node, logical_id: &str) -> Option<NativeChange> {
    match disposal(template, logical_id) {
        Disposal::Deleted => Some(NativeChange::Delete),
        Disposal::Retained(policy) => Some(NativeChange::Retain(policy)),
        Disposal::Unknown(why) => Some(NativeChange::Unknown(why)),
        Disposal::Gone => None,
    }
}

/// A resource in one of the templates.
enum NativeState {
    /// The condition of the resource does not hold.
    Absent,
    /// The resource has this type and these properties.
    Present(Box<Node>),
    Unknown(String),
}

fn state(side: Side<'_>, id: &str, resource: &Node, surroundings: &Surroundings) -> NativeState {
    let evaluator = Evaluator::new(side.template, side.given, surroundings);
    let path = format!("Resources/{id}");
    let condition = resource.member("Condition").and_then(Node::scalar);
    match condition.map_or(Some(true), |it| evaluator.condition(it, &path)) {
        Some(false) => NativeState::Absent,
        None => NativeState::Unknown("its condition is known only after deployment".to_owned()),
        Some(true) => {
            let Value::Object(members) = &resource.value else { return NativeState::Absent };
            let of_interest = ["Type", "Properties"];
            let members = members.iter().filter(|it| of_interest.contains(&it.key.as_str()));
            let value = Value::Object(members.cloned().collect());
            let resource = Node { span: resource.span, value };
            let evaluated = evaluator.evaluate(&resource, &path);
            NativeState::Present(Box::new(evaluated.unwrap_or(resource)))
        }
    }
}

/// Returns `true` if every part of a value is known.
fn is_known(node: &Node) -> bool {
    match &node.value {
        Value::Unknown => false,
        Value::Array(items) => items.iter().all(is_known),
        Value::Object(members) => members.iter().all(|it| is_known(&it.value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => true,
    }
}

fn kind(resource: &Node) -> &str {
    resource.member("Type").and_then(Node::scalar).unwrap_or("an unknown type")
}

/// Returns the changes of natives as lines. Resources that backups depend on have one line each,
/// and the others are counted.
pub(super) fn lines(natives: &[Native]) -> Vec<String> {
    let is_told = |it: &&Native| {
        matches!(it.change, NativeChange::Unknown(_))
            || TOLD.iter().any(|prefix| it.kind.starts_with(prefix))
    };
    let told = natives.iter().filter(is_told);
    let mut lines: Vec<_> = told
        .map(|Native { logical_id, kind, change }| {
            format!("{logical_id} ({kind}): {}", change.sentence())
        })
        .collect();
    for (verb, change) in [
        ("creates", NativeChange::Create),
        ("changes", NativeChange::Update),
        ("deletes", NativeChange::Delete),
    ] {
        let others = natives.iter().filter(|it| !is_told(it) && it.change == change);
        let others: Vec<_> = others.map(|it| it.logical_id.as_str()).collect();
        if !others.is_empty() {
            let noun = if others.len() == 1 { "resource" } else { "resources" };
            let (count, names) = (others.len(), others.join(", "));
            lines.push(format!("CloudFormation {verb} {count} other {noun}: {names}"));
        }
    }
    lines
}

impl NativeChange {
    fn sentence(&self) -> String {
        match self {
            Self::Create => "CloudFormation creates it".to_owned(),
            Self::Update => "CloudFormation changes it".to_owned(),
            Self::Delete => "no longer in the template: CloudFormation deletes it".to_owned(),
            Self::Retain(policy) => {
                format!("no longer in the template: it stays, by `DeletionPolicy: {policy}`")
            }
            Self::Unknown(why) => format!("not planned: {why}"),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Retain(_) => "retain",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl Native {
    pub(super) fn json(&self) -> serde_json::Value {
        let reason = match &self.change {
            NativeChange::Unknown(why) => Some(why),
            NativeChange::Create
            | NativeChange::Update
            | NativeChange::Delete
            | NativeChange::Retain(_) => None,
        };
        json!({
            "resource": self.logical_id, "type": self.kind, "change": self.change.word(),
            "reason": reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use policy::json;

    use super::*;

    /// Returns the changes of deploying the new template over the old one, in lines.
    fn between(old: Option<&str>, new: &str, given: &[(&str, &str)]) -> Vec<String> {
        let read = |it: &str| json::read(&format!("{{{it}}}")).0.unwrap();
        let (new, old) = (read(new), old.map(read));
        let given: BTreeMap<_, _> =
            given.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect();
        let (given, before) = (Given::from(given), Given::default());
        let new = Side { template: &new, given: &given };
        let old = old.as_ref().map(|template| Side { template, given: &before });
        let is_native = |it: &Node| !kind(it).starts_with("Custom::");
        lines(&natives(new, old, &Surroundings::default(), &is_native))
    }

    const POLICY: &str = r#""Resources": {
        "Tier": {"Type": "AWS::Organizations::Policy", "Properties": {"Name": "tier"}},
        "Topic": {"Type": "AWS::SNS::Topic"}, "Log": {"Type": "AWS::Logs::LogGroup"},
        "Ours": {"Type": "Custom::BackupPolicy"}}"#;

    #[test]
    fn a_first_deployment_creates_everything() {
        assert_eq!(
            between(None, POLICY, &[]),
            [
                "Tier (AWS::Organizations::Policy): CloudFormation creates it",
                "CloudFormation creates 2 other resources: Topic, Log"
            ]
        );
    }

    #[test]
    fn what_is_the_same_is_not_told() {
        assert_eq!(between(Some(POLICY), POLICY, &[]), [""; 0]);
        // A value that is unknown in both templates is the same in both.
        let open = POLICY.replace(r#""tier""#, r#"{"Fn::GetAtt": ["Topic", "TopicName"]}"#);
        assert_eq!(between(Some(&open), &open, &[]), [""; 0]);
    }

    #[test]
    fn what_differs_is_changed_and_what_is_gone_is_deleted_or_stays() {
        let changed = POLICY.replace(r#""tier""#, r#""tier-2""#);
        let line = |it: &str| format!("Tier (AWS::Organizations::Policy): {it}");
        assert_eq!(between(Some(POLICY), &changed, &[]), [line("CloudFormation changes it")]);
        let gone = r#""Resources": {}"#;
        let deleted = between(Some(POLICY), gone, &[]);
        assert_eq!(deleted[0], line("no longer in the template: CloudFormation deletes it"));
        assert_eq!(deleted[1], "CloudFormation deletes 2 other resources: Topic, Log");
        let kept = POLICY.replace(
            r#""AWS::Organizations::Policy","#,
            r#""AWS::Organizations::Policy", "DeletionPolicy": "Retain","#,
        );
        let stays = line("no longer in the template: it stays, by `DeletionPolicy: Retain`");
        assert_eq!(between(Some(&kept), gone, &[])[0], stays);
    }

    #[test]
    fn parameters_and_conditions_change_resources_too() {
        let template = r#""Parameters": {"Name": {"Type": "String", "Default": "tier"}},
            "Conditions": {"IsTier": {"Fn::Equals": [{"Ref": "Name"}, "tier"]},
                "Later": {"Fn::Equals": [{"Ref": "AWS::StackId"}, "x"]}},
            "Resources": {
                "Named": {"Type": "AWS::Backup::BackupVault", "Properties": {"Name": {"Ref": "Name"}}},
                "Chosen": {"Type": "AWS::Backup::BackupVault", "Condition": "IsTier"},
                "Open": {"Type": "AWS::SNS::Topic", "Condition": "Later"}}"#;
        assert_eq!(
            between(Some(template), template, &[("Name", "other")]),
            [
                "Named (AWS::Backup::BackupVault): CloudFormation changes it",
                "Chosen (AWS::Backup::BackupVault): no longer in the template: CloudFormation deletes it",
                "Open (AWS::SNS::Topic): not planned: its condition is known only after deployment",
            ]
        );
    }

    #[test]
    fn what_may_differ_is_not_taken_for_the_same() {
        let of = |attribute: &str| {
            POLICY.replace(r#""tier""#, &format!(r#"{{"Fn::GetAtt": ["Topic", "{attribute}"]}}"#))
        };
        let lines = between(Some(&of("TopicName")), &of("TopicArn"), &[]);
        assert!(
            lines[0].contains("not planned: its differences in the template are known only"),
            "{lines:?}"
        );
    }
}
