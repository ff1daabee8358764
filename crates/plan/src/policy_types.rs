//! The policy types that are enabled on the organization's root.

mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use policy::BACKUP_POLICY;
use thiserror::Error;

use crate::id::{PolicyId, PolicyType};

pub use properties::{OnDelete, Properties};

/// The types that AWS has at the time of writing (`PolicyType` of its service model).
const KNOWN: [&str; 15] = [
    "AISERVICES_OPT_OUT_POLICY",
    BACKUP_POLICY,
    "BEDROCK_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "GUARDDUTY_POLICY",
    "INSPECTOR_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    "RESOURCE_CONTROL_POLICY",
    "S3_POLICY",
    "SECURITYHUB_CSPM_POLICY",
    "SECURITYHUB_POLICY",
    "SERVICE_CONTROL_POLICY",
    "TAG_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
];

/// The state that a template asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Desired {
    /// These types are enabled. Other types are left alone.
    Enabled(BTreeSet<PolicyType>),
    /// These types are not enabled. Other types are left alone.
    Disabled(BTreeSet<PolicyType>),
}

/// The state of a policy type on the root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// Policies of the type take effect.
    Enabled,
    /// The type is being enabled, and its policies cannot be attached yet.
    PendingEnable,
    /// The type is being disabled.
    PendingDisable,
    /// The root does not list the type.
    Disabled,
    /// The root lists the type with a status that this program does not know, or with none.
    Unknown,
}

/// The state of the organization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observed {
    /// True if the organization has all features, which policies require.
    pub all_features: bool,
    /// The types that the root lists. All others are disabled.
    pub types: BTreeMap<PolicyType, Status>,
    /// The policies in use, by type, for the types that have to be disabled.
    pub attached: BTreeMap<PolicyType, BTreeSet<PolicyId>>,
}

impl Observed {
    fn status(&self, policy_type: &PolicyType) -> Status {
        self.types.get(policy_type).copied().unwrap_or(Status::Disabled)
    }
}

/// One change to make.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Enable the type.
    Enable(PolicyType),
    /// Wait until the root lists the type as enabled, which AWS does with a delay.
    AwaitEnabled(PolicyType),
    /// Disable the type, which permanently detaches every policy of that type.
    Disable(PolicyType),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enable(it) => write!(f, "enable policy type {it}"),
            Self::AwaitEnabled(it) => write!(f, "wait until policy type {it} is enabled"),
            Self::Disable(it) => write!(f, "disable policy type {it}"),
        }
    }
}

/// The reason why nothing is done.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// The organization has consolidated billing only.
    #[error("the organization has consolidated billing only, and policies need all features")]
    BillingOnly,
    /// Disabling the type would permanently detach policies from every account.
    #[error(
        "policy type {policy_type} is in use by {}, which disabling would detach for good",
        list(.policies)
    )]
    InUse {
        /// The type to disable.
        policy_type: PolicyType,
        /// The attached policies of that type.
        policies: BTreeSet<PolicyId>,
    },
}

impl Refusal {
    /// Returns the hint on what to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BillingOnly => "enable all features in the AWS Organizations console first",
            Self::InUse { .. } => "delete those policies first, or set `OnDelete: Retain`",
        }
    }
}

fn list(policies: &BTreeSet<PolicyId>) -> String {
    let shown = policies.iter().take(5).map(PolicyId::as_str).collect::<Vec<_>>().join(", ");
    match policies.len().saturating_sub(5) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns the steps from `observed` to `desired`.
///
/// A type that this program does not know comes first, so that nothing has changed if AWS refuses
/// it.
///
/// # Errors
///
/// Returns an error if the organization cannot have policies, or if a type to disable is in use.
pub fn plan(desired: &Desired, observed: &Observed) -> Result<Vec<Step>, Refusal> {
    match desired {
        Desired::Enabled(types) => {
            if !observed.all_features {
                return Err(Refusal::BillingOnly);
            }
            let (known, unknown): (Vec<_>, Vec<_>) =
                types.iter().partition(|it| KNOWN.contains(&it.as_str()));
            let ordered = unknown.into_iter().chain(known);
            Ok(ordered.flat_map(|it| enable(it, observed.status(it))).collect())
        }
        Desired::Disabled(types) => {
            let enabled = |it: &&PolicyType| observed.status(it) != Status::Disabled;
            for policy_type in types.iter().filter(enabled) {
                if let Some(policies) =
                    observed.attached.get(policy_type).filter(|it| !it.is_empty())
                {
                    let policy_type = policy_type.clone();
                    return Err(Refusal::InUse { policy_type, policies: policies.clone() });
                }
            }
            let settled = |it: &&PolicyType| observed.status(it) != Status::PendingDisable;
            Ok(types.iter().filter(enabled).filter(settled).cloned().map(Step::Disable).collect())
        }
    }
}

fn enable(policy_type: &PolicyType, status: Status) -> Vec<Step> {
    let [enable, wait] = [Step::Enable, Step::AwaitEnabled].map(|it| it(policy_type.clone()));
    match status {
        Status::Enabled => vec![],
        // The wait ends with an error if the status is still not known.
        Status::PendingEnable | Status::Unknown => vec![wait],
        Status::PendingDisable | Status::Disabled => vec![enable, wait],
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn types(names: &str) -> BTreeSet<PolicyType> {
        names.split_whitespace().map(|it| it.parse().unwrap()).collect()
    }

    /// Reads `BACKUP_POLICY=enabled(p-…) …`.
    fn observed(text: &str) -> Observed {
        let mut observed =
            Observed { all_features: true, types: BTreeMap::new(), attached: BTreeMap::new() };
        for it in text.split_whitespace() {
            let (name, state) = it.split_once('=').unwrap();
            let (state, policy) =
                state.split_once('/').map_or((state, None), |(s, p)| (s, Some(p)));
            let status = match state {
                "enabled" => Status::Enabled,
                "enabling" => Status::PendingEnable,
                "disabling" => Status::PendingDisable,
                "unknown" => Status::Unknown,
                _ => panic!("{state}"),
            };
            let name: PolicyType = name.parse().unwrap();
            observed.types.insert(name.clone(), status);
            observed
                .attached
                .insert(name, policy.map(|it| it.parse().unwrap()).into_iter().collect());
        }
        observed
    }

    fn check(desired: &Desired, observed: &Observed, expect: Expect) {
        expect.assert_eq(&match plan(desired, observed) {
            Ok(steps) => steps.iter().map(|it| format!("{it}\n")).collect(),
            Err(refusal) => format!("refused: {refusal}; hint: {}\n", refusal.hint()),
        });
    }

    fn enabled(names: &str) -> Desired {
        Desired::Enabled(types(names))
    }

    fn disabled(names: &str) -> Desired {
        Desired::Disabled(types(names))
    }

    #[test]
    fn properties_say_what_is_enabled_and_whether_it_is_disabled_again() {
        let read = |on_delete: &str| {
            let types = serde_json::json!("BACKUP_POLICY, TAG_POLICY");
            let it = serde_json::json!({ "PolicyTypes": types, "OnDelete": on_delete });
            serde_json::from_value::<Properties>(it).unwrap()
        };
        let both = "BACKUP_POLICY TAG_POLICY";
        assert_eq!(read("Retain").enabled(), enabled(both));
        assert_eq!(read("Retain").disabled(), None);
        assert_eq!(read("Disable").disabled(), Some(disabled(both)));
    }

    #[test]
    fn a_type_that_is_off_is_enabled_and_waited_for() {
        check(
            &enabled("BACKUP_POLICY"),
            &observed("TAG_POLICY=enabled"),
            expect![[r"
            enable policy type BACKUP_POLICY
            wait until policy type BACKUP_POLICY is enabled
        "]],
        );
    }

    #[test]
    fn a_type_that_is_being_enabled_is_only_waited_for() {
        check(
            &enabled("BACKUP_POLICY"),
            &observed("BACKUP_POLICY=enabling"),
            expect![[r"
            wait until policy type BACKUP_POLICY is enabled
        "]],
        );
    }

    #[test]
    fn a_type_with_a_status_that_is_new_is_waited_for_and_can_be_disabled() {
        let strange = observed("BACKUP_POLICY=unknown");
        check(
            &enabled("BACKUP_POLICY"),
            &strange,
            expect![[r"
            wait until policy type BACKUP_POLICY is enabled
        "]],
        );
        check(
            &disabled("BACKUP_POLICY"),
            &strange,
            expect![[r"
            disable policy type BACKUP_POLICY
        "]],
        );
    }

    #[test]
    fn a_type_that_is_on_needs_nothing() {
        check(&enabled("BACKUP_POLICY"), &observed("BACKUP_POLICY=enabled"), expect![""]);
    }

    #[test]
    fn a_type_this_program_does_not_know_comes_first() {
        check(
            &enabled("BACKUP_POLICY ZEBRA_POLICY"),
            &observed(""),
            expect![[r"
            enable policy type ZEBRA_POLICY
            wait until policy type ZEBRA_POLICY is enabled
            enable policy type BACKUP_POLICY
            wait until policy type BACKUP_POLICY is enabled
        "]],
        );
    }

    #[test]
    fn an_organization_with_consolidated_billing_only_is_refused() {
        let observed = Observed { all_features: false, ..observed("") };
        check(
            &enabled("BACKUP_POLICY"),
            &observed,
            expect![[r"
            refused: the organization has consolidated billing only, and policies need all features; hint: enable all features in the AWS Organizations console first
        "]],
        );
    }

    #[test]
    fn a_type_in_use_is_not_disabled() {
        check(
            &disabled("BACKUP_POLICY TAG_POLICY"),
            &observed("BACKUP_POLICY=enabled TAG_POLICY=enabled/p-teamtags1"),
            expect![[r"
            refused: policy type TAG_POLICY is in use by p-teamtags1, which disabling would detach for good; hint: delete those policies first, or set `OnDelete: Retain`
        "]],
        );
    }

    #[test]
    fn only_a_type_that_is_on_is_disabled() {
        check(
            &disabled("BACKUP_POLICY CHATBOT_POLICY TAG_POLICY"),
            &observed("BACKUP_POLICY=enabled TAG_POLICY=disabling"),
            expect![[r"
            disable policy type BACKUP_POLICY
        "]],
        );
    }
}
