//! The policy types of the root.

use std::time::Duration;

use super::{Answer, BACKUP_POLICY, Organization};
use crate::refusal::{Code, Constraint, Invalid, Refusal};
use crate::settings::Pending;

/// The policies that AWS attaches to every node when their type is enabled.
pub(super) const FULL_ACCESS: [(&str, &str, &str); 2] = [
    ("SERVICE_CONTROL_POLICY", "p-FullAWSAccess", "FullAWSAccess"),
    ("RESOURCE_CONTROL_POLICY", "p-RCPFullAWSAccess", "RCPFullAWSAccess"),
];

/// All policy types.
pub const POLICY_TYPES: [&str; 14] = [
    "SERVICE_CONTROL_POLICY",
    "RESOURCE_CONTROL_POLICY",
    "TAG_POLICY",
    "BACKUP_POLICY",
    "AISERVICES_OPT_OUT_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "SECURITYHUB_POLICY",
    "INSPECTOR_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
    "BEDROCK_POLICY",
    "S3_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    "GUARDDUTY_POLICY",
];

/// The policy types that exist only while their service has trusted access.
pub(super) const NEEDS_SERVICE: [(&str, &str); 2] = [
    ("SECURITYHUB_POLICY", "securityhub.amazonaws.com"),
    ("INSPECTOR_POLICY", "inspector2.amazonaws.com"),
];

/// The status of a policy type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeStatus {
    /// Policies can be attached.
    Enabled,
    /// It will be enabled soon.
    PendingEnable,
}

impl TypeStatus {
    /// Returns the status as AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::PendingEnable => "PENDING_ENABLE",
        }
    }
}

/// The progress of enabling a policy type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Switch {
    On,
    AfterReads(u32),
    At(Duration),
}

impl Organization {
    /// Returns the policy types that are not disabled.
    #[must_use]
    pub fn policy_types(&self) -> Vec<(&str, TypeStatus)> {
        self.policy_types.iter().map(|(kind, it)| (kind.as_str(), self.status(*it))).collect()
    }

    /// Returns `true` if policies of this type can be attached.
    #[must_use]
    pub fn is_enabled(&self, kind: &str) -> bool {
        self.policy_types.get(kind).map(|it| self.status(*it)) == Some(TypeStatus::Enabled)
    }

    /// Counts a read for the policy types that wait for reads.
    pub(crate) fn roots_were_read(&mut self) {
        for switch in self.policy_types.values_mut() {
            if let Switch::AfterReads(left) = switch {
                *left = left.saturating_sub(1);
            }
        }
    }

    /// Enables a policy type, at once or after a while.
    ///
    /// # Errors
    ///
    /// Returns the errors of `EnablePolicyType`.
    pub fn enable_policy_type(&mut self, root: &str, kind: &str) -> Answer<()> {
        self.expect_root(root)?;
        check(kind)?;
        if let Some(switch) = self.policy_types.get(kind) {
            let (code, message) = match self.status(*switch) {
                TypeStatus::Enabled => (
                    Code::PolicyTypeAlreadyEnabled,
                    "The specified policy type is already enabled.",
                ),
                TypeStatus::PendingEnable => (Code::PolicyChangesInProgress, IN_PROGRESS),
            };
            return Err(Refusal::new(code, message));
        }
        let service = NEEDS_SERVICE.iter().find(|it| it.0 == kind);
        if service.is_some_and(|it| !self.services.contains_key(it.1)) {
            let message = "You must enable service access before you enable the policy type.";
            return Err(Refusal::constraint(Constraint::ServiceAccessNotEnabled, message));
        }
        let switch = match self.pending {
            Pending::Reads(0) => Switch::On,
            Pending::Reads(reads) => Switch::AfterReads(reads),
            Pending::For(time) => Switch::At(self.now + time),
        };
        self.policy_types.insert(kind.to_owned(), switch);
        self.attach_full_access(kind);
        self.touch_all(kind);
        self.changed();
        Ok(())
    }

    /// Disables a policy type, which detaches every policy of that type from all targets.
    ///
    /// # Errors
    ///
    /// Returns the errors of `DisablePolicyType`.
    pub fn disable_policy_type(&mut self, root: &str, kind: &str) -> Answer<()> {
        self.expect_root(root)?;
        check(kind)?;
        let Some(switch) = self.policy_types.get(kind) else { return Err(not_enabled()) };
        if self.status(*switch) == TypeStatus::PendingEnable {
            return Err(Refusal::new(Code::PolicyChangesInProgress, IN_PROGRESS));
        }
        self.policy_types.remove(kind);
        let policies = &self.policies;
        for attached in self.attachments.values_mut() {
            attached.retain(|it| policies.get(it).is_some_and(|it| it.kind != kind));
        }
        self.touch_all(kind);
        self.changed();
        Ok(())
    }

    fn touch_all(&mut self, kind: &str) {
        if kind == BACKUP_POLICY {
            let root = self.root.clone();
            self.touch(&root);
        }
    }

    fn attach_full_access(&mut self, kind: &str) {
        let Some((_, policy, _)) = FULL_ACCESS.iter().find(|it| it.0 == kind) else { return };
        let nodes = self.units.keys().chain(self.accounts.keys()).chain([&self.root]);
        for node in nodes {
            self.attachments.entry(node.clone()).or_default().push((*policy).to_owned());
        }
    }

    fn status(&self, switch: Switch) -> TypeStatus {
        match switch {
            Switch::AfterReads(left) if left > 0 => TypeStatus::PendingEnable,
            Switch::At(time) if self.now < time => TypeStatus::PendingEnable,
            Switch::On | Switch::AfterReads(_) | Switch::At(_) => TypeStatus::Enabled,
        }
    }

    fn expect_root(&self, root: &str) -> Answer<()> {
        if root == self.root {
            return Ok(());
        }
        let message = "We can't find a root with the RootId that you specified.";
        Err(Refusal::new(Code::RootNotFound, message))
    }
}

const IN_PROGRESS: &str = "Changes to the effective policy are in progress, and its contents can't \
                           be returned. Try the operation again later.";

/// Returns an error if `kind` is not a policy type.
pub(crate) fn check(kind: &str) -> Answer<()> {
    if POLICY_TYPES.contains(&kind) {
        return Ok(());
    }
    Err(Refusal::invalid(Invalid::Enum, Some("PolicyType")))
}

pub(super) fn not_enabled_effective() -> Refusal {
    let message = "We can't find an effective policy for the account with the policy type that you \
                   specified.";
    Refusal::new(Code::EffectivePolicyNotFound, message)
}

pub(super) fn not_enabled() -> Refusal {
    let message = "The specified policy type isn't currently enabled in this root.";
    Refusal::new(Code::PolicyTypeNotEnabled, message)
}
