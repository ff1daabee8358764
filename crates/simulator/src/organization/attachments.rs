//! The attachments of policies to targets.

use super::policy_types::{self, FULL_ACCESS};
use super::{Answer, BACKUP_POLICY, Organization, Policy};
use crate::refusal::{Code, Constraint, Invalid, Refusal};

impl Organization {
    /// Returns the IDs of the policies attached directly to `target`, in the order of attachment.
    #[must_use]
    pub fn attached(&self, target: &str) -> &[String] {
        self.attachments.get(target).map_or(&[], Vec::as_slice)
    }

    /// Returns the policies of a type attached directly to `target`.
    pub(crate) fn policies_for_target(&self, target: &str, kind: &str) -> Answer<Vec<&Policy>> {
        self.expect_target(target)?;
        policy_types::check(kind)?;
        let attached = self.attached(target).iter().filter_map(|it| self.policies.get(it));
        Ok(attached.filter(|it| it.kind == kind).collect())
    }

    /// Returns the targets of the policy.
    #[must_use]
    pub fn targets_of(&self, policy: &str) -> Vec<&str> {
        let attached = self.attachments.iter().filter(|it| it.1.iter().any(|id| id == policy));
        attached.map(|it| it.0.as_str()).collect()
    }

    /// Attaches a policy, after those already attached.
    ///
    /// # Errors
    ///
    /// Returns the errors of `AttachPolicy`.
    pub fn attach_policy(&mut self, policy: &str, target: &str) -> Answer<()> {
        let kind = self.policy(policy)?.kind.clone();
        self.expect_target(target)?;
        if !self.is_enabled(&kind) {
            return Err(policy_types::not_enabled());
        }
        if self.attached(target).iter().any(|it| it == policy) {
            let message = "The selected policy is already attached to the specified target.";
            return Err(Refusal::new(Code::DuplicatePolicyAttachment, message));
        }
        let limit = match kind.as_str() {
            BACKUP_POLICY => self.quotas.attachments_per_target,
            "SERVICE_CONTROL_POLICY" | "RESOURCE_CONTROL_POLICY" => 5,
            _ => 10,
        };
        if self.policies_for_target(target, &kind)?.len() >= limit {
            let message = "You have attached the maximum number of policies of this type.";
            return Err(Refusal::constraint(Constraint::MaxAttachments, message));
        }
        self.attachments.entry(target.to_owned()).or_default().push(policy.to_owned());
        self.touch_if_backup(&kind, target);
        self.changed();
        Ok(())
    }

    /// Detaches a policy.
    ///
    /// # Errors
    ///
    /// Returns the errors of `DetachPolicy`.
    pub fn detach_policy(&mut self, policy: &str, target: &str) -> Answer<()> {
        let kind = self.policy(policy)?.kind.clone();
        self.expect_target(target)?;
        if !self.attached(target).iter().any(|it| it == policy) {
            let message =
                "The policy isn't attached to the specified target in the specified root.";
            return Err(Refusal::new(Code::PolicyNotAttached, message));
        }
        if policy == "p-RCPFullAWSAccess" {
            return Err(Refusal::invalid(Invalid::NonDetachable, None));
        }
        let last = self.policies_for_target(target, &kind)?.len() == 1;
        if last && kind == "SERVICE_CONTROL_POLICY" {
            let message = "You can't remove the last policy of this type from an entity.";
            return Err(Refusal::constraint(Constraint::MinAttachments, message));
        }
        if let Some(attached) = self.attachments.get_mut(target) {
            attached.retain(|it| it != policy);
        }
        self.touch_if_backup(&kind, target);
        self.changed();
        Ok(())
    }

    fn touch_if_backup(&mut self, kind: &str, target: &str) {
        if kind == BACKUP_POLICY {
            self.touch(target);
        }
    }

    /// Attaches to a new node the policies that AWS attaches to every node.
    pub(super) fn adopt(&mut self, node: &str) {
        for (kind, policy, _) in FULL_ACCESS {
            if self.policy_types.contains_key(kind) {
                self.attachments.entry(node.to_owned()).or_default().push(policy.to_owned());
            }
        }
    }

    pub(crate) fn expect_target(&self, target: &str) -> Answer<()> {
        if self.has_target(target) {
            return Ok(());
        }
        let message =
            "We can't find a root, OU, account, or policy with the TargetId that you specified.";
        Err(Refusal::new(Code::TargetNotFound, message))
    }
}
