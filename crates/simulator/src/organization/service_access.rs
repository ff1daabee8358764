//! Trusted access of AWS services.

use std::time::Duration;

use super::policy_types::NEEDS_SERVICE;
use super::{Answer, Organization, STACK_SETS};
use crate::refusal::{Constraint, Invalid, Refusal};

/// The services that work with Organizations.
const SERVICES: [&str; 52] = [
    "access-analyzer.amazonaws.com",
    "account.amazonaws.com",
    "aiops.amazonaws.com",
    "appstream.amazonaws.com",
    "auditmanager.amazonaws.com",
    "backup.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "compute-optimizer.amazonaws.com",
    "config.amazonaws.com",
    "config-multiaccountsetup.amazonaws.com",
    "controltower.amazonaws.com",
    "cost-optimization-hub.bcm.amazonaws.com",
    "detective.amazonaws.com",
    "devops-guru.amazonaws.com",
    "ds.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs.amazonaws.com",
    "eks.amazonaws.com",
    "fms.amazonaws.com",
    "guardduty.amazonaws.com",
    "health.amazonaws.com",
    "iam.amazonaws.com",
    "inspector2.amazonaws.com",
    "ipam.amazonaws.com",
    "license-manager.amazonaws.com",
    "license-manager.member-account.amazonaws.com",
    "license-manager-linux-subscriptions.amazonaws.com",
    "license-management.marketplace.amazonaws.com",
    "macie.amazonaws.com",
    "malware-protection.guardduty.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
    "mpa.amazonaws.com",
    "networkmanager.amazonaws.com",
    "notifications.amazon.com",
    "observabilityadmin.amazonaws.com",
    "ram.amazonaws.com",
    "reachabilityanalyzer.networkinsights.amazonaws.com",
    "reporting.trustedadvisor.amazonaws.com",
    "reports.backup.amazonaws.com",
    "resource-explorer-2.amazonaws.com",
    "securityhub.amazonaws.com",
    "securitylake.amazonaws.com",
    "servicecatalog.amazonaws.com",
    "servicequotas.amazonaws.com",
    "ssm.amazonaws.com",
    "ssm-quicksetup.amazonaws.com",
    "sso.amazonaws.com",
    "stacksets.cloudformation.amazonaws.com",
    "storage-lens.s3.amazonaws.com",
    "tagpolicies.tag.amazonaws.com",
    "wellarchitected.amazonaws.com",
    "vpcreachabilityanalyzer.amazonaws.com",
];

impl Organization {
    /// Returns the services with trusted access, with the time since which they have it.
    pub(crate) fn service_access(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.services.iter().map(|(principal, at)| (principal.as_str(), *at))
    }

    /// Enables trusted access for a service, if it is not enabled.
    ///
    /// # Errors
    ///
    /// Returns the errors of `EnableAWSServiceAccess`.
    pub fn enable_service_access(&mut self, principal: &str) -> Answer<()> {
        check(principal)?;
        if !self.services.contains_key(principal) {
            self.services.insert(principal.to_owned(), self.now);
            self.changed();
        }
        Ok(())
    }

    /// Disables trusted access for a service, if it is enabled.
    ///
    /// # Errors
    ///
    /// Returns the errors of `DisableAWSServiceAccess`.
    pub fn disable_service_access(&mut self, principal: &str) -> Answer<()> {
        check(principal)?;
        let needed = NEEDS_SERVICE.iter().find(|it| it.1 == principal);
        if needed.is_some_and(|it| self.policy_types.contains_key(it.0)) {
            let message = "You must disable the policy type before you disable service access.";
            return Err(Refusal::constraint(Constraint::PolicyTypeEnabled, message));
        }
        if self.services.remove(principal).is_some() {
            self.changed();
        }
        Ok(())
    }

    /// Turns trusted access of StackSets on or off, as CloudFormation's
    /// `ActivateOrganizationsAccess` and `DeactivateOrganizationsAccess` do.
    pub(crate) fn set_stack_sets(&mut self, on: bool) {
        for principal in STACK_SETS {
            let had = self.services.contains_key(principal);
            if on && !had {
                self.services.insert(principal.to_owned(), self.now);
                self.changed();
            } else if !on && had {
                self.services.remove(principal);
                self.changed();
            }
        }
    }
}

/// Returns an error if `principal` does not belong to a service.
pub(super) fn check(principal: &str) -> Answer<()> {
    if SERVICES.contains(&principal) {
        return Ok(());
    }
    Err(Refusal::invalid(Invalid::UnrecognizedPrincipal, None))
}
