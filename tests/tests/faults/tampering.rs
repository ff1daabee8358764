//! Somebody else in the random schedules, who changes policies and has not heard of us.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use simulator::BACKUP_POLICY;
use tests::organization::{Organization, document};

use crate::resources::{RESOURCES, pass, with_policy};
use crate::schedule::{milliseconds, pick};

/// What somebody else does to the policy of a resource.
#[derive(Clone)]
pub(crate) struct Tampering {
    pub(crate) resource: usize,
    after: Duration,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Detach,
    AttachElsewhere,
    Rename,
    Rewrite,
    Delete,
    Untag,
    SwitchTheTypeOffAndOn,
}

impl Tampering {
    /// Draws what somebody else does in one round.
    pub(crate) fn some(rng: &mut Rng) -> Vec<Self> {
        (0..rng.usize(1..=2)).map(|_| Self::new(rng)).collect()
    }

    fn new(rng: &mut Rng) -> Self {
        let hows = [
            How::Detach,
            How::AttachElsewhere,
            How::Rename,
            How::Rewrite,
            How::Delete,
            How::Untag,
            How::SwitchTheTypeOffAndOn,
        ];
        Self {
            resource: pick(rng, &with_policy()),
            after: milliseconds(rng, 1_500),
            how: pick(rng, &hows),
        }
    }

    /// Does it to the policy with this ID, and what belongs to it later.
    pub(crate) async fn happen(&self, organization: &Organization, policy: String) {
        pass(self.after).await;
        let theirs = self.tamper(organization, &policy);
        if !theirs.is_empty() {
            // As soon as the type is back.
            pass(Duration::from_secs(5)).await;
        }
        organization.organization(|it| {
            for (policy, target) in &theirs {
                let _again = it.attach_policy(policy, target);
            }
        });
    }

    /// Does it, and returns what they attach again later: theirs and not ours.
    fn tamper(&self, organization: &Organization, policy: &str) -> Vec<(String, String)> {
        let sandbox = organization.id("sandbox-009");
        let mut attach_again = Vec::new();
        organization.organization(|it| {
            let root = it.root.clone();
            let targets: Vec<_> =
                it.targets_of(policy).into_iter().map(ToOwned::to_owned).collect();
            // What is not possible any more does not happen.
            let _done = match self.how {
                How::Detach => targets.first().map(|target| it.detach_policy(policy, target)),
                How::AttachElsewhere => Some(it.attach_policy(policy, &sandbox)),
                How::Rename => Some(it.update_policy(policy, Some("by-hand"), None, None)),
                How::Rewrite => {
                    let content = document(23).to_string();
                    Some(it.update_policy(policy, None, Some("By hand"), Some(&content)))
                }
                How::Untag => Some(it.untag(policy, &["tier".to_owned()])),
                How::Delete => {
                    for target in &targets {
                        let _detached = it.detach_policy(policy, target);
                    }
                    Some(it.delete_policy(policy))
                }
                How::SwitchTheTypeOffAndOn => {
                    let policies = it.policies(BACKUP_POLICY);
                    let theirs = policies.filter(|it| ["theirs", "inherited"].contains(&&*it.name));
                    let attached = theirs.flat_map(|policy| {
                        let targets = it.targets_of(&policy.id).into_iter();
                        targets.map(|target| (policy.id.clone(), target.to_owned()))
                    });
                    attach_again = attached.collect();
                    let _off = it.disable_policy_type(&root, BACKUP_POLICY);
                    let _on = it.enable_policy_type(&root, BACKUP_POLICY);
                    None
                }
            };
        });
        attach_again
    }
}

impl fmt::Display for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, after, how } = self;
        let name = RESOURCES[*resource].name;
        write!(f, "somebody does this to the policy of {name} after {after:?}: {how:?}")
    }
}
