//! Effective backup policies: the merged policies that an account gets, and the time at which it
//! gets them.
//!
//! The merge is that of `policy`, so that there is only one. This module does what AWS does with
//! the result. AWS takes a while to publish it, and withholds it as long as it is invalid, so that
//! the account keeps the last valid one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use policy::{Effective, EffectiveError, Inherited};

use super::policy_types::{Switch, check, not_enabled_effective};
use super::{Answer, BACKUP_POLICY, Organization};
use crate::refusal::{Code, Invalid, Refusal};
use crate::settings::Pending;

/// The time at which a simulator starts, counted from the epoch: 1 January 2026.
pub(crate) const EPOCH: Duration = Duration::from_hours(490_896);

/// Returns the time on AWS's clock at this duration after the simulator's start.
pub(crate) fn clock(since: Duration) -> SystemTime {
    UNIX_EPOCH + EPOCH + since
}

/// The effective backup policy of an account.
#[derive(Clone, Debug)]
pub struct EffectivePolicy {
    /// The document in force: the last valid one, or `{}` if there was none.
    pub content: String,
    /// The time of the last publication, counted from the organization's start.
    pub updated: Duration,
    /// The errors of the newest published document. A document with errors is withheld.
    pub errors: Vec<EffectiveError>,
    /// The time of the merge.
    pub evaluated: Duration,
}

/// The published documents and those that are not yet published.
#[derive(Clone, Debug, Default)]
pub(super) struct Publications {
    /// The parsed backup policies.
    policies: BTreeMap<String, policy::Policy>,
    records: BTreeMap<String, Record>,
    /// The accounts whose newest document is invalid.
    withheld: BTreeSet<String>,
    /// The accounts with an unpublished document.
    due: BTreeSet<String>,
    /// The time of the next publication.
    when: Option<Switch>,
}

/// The documents of one account.
#[derive(Clone, Debug, Default)]
struct Record {
    newest: Arc<Merged>,
    published: Arc<Merged>,
    /// The newest published document that was valid.
    valid: Arc<Merged>,
    updated: Duration,
}

/// The merged policies of an account. Accounts share them.
#[derive(Debug, Default)]
struct Merged {
    effective: Effective,
    errors: Vec<EffectiveError>,
    evaluated: Duration,
}

impl Organization {
    /// Returns the effective backup policy of `account`, as far as it is published.
    ///
    /// # Errors
    ///
    /// Returns `AccountNotFoundException`, and `EffectivePolicyNotFoundException` while the policy
    /// type is not enabled.
    pub fn effective_policy(&self, account: &str) -> Answer<EffectivePolicy> {
        self.account(account)?;
        self.expect_effective(BACKUP_POLICY)?;
        let record = self.publications.records.get(account).cloned().unwrap_or_default();
        Ok(EffectivePolicy {
            content: record.valid.effective.to_json().to_string(),
            updated: record.updated,
            errors: record.published.errors.clone(),
            evaluated: record.published.evaluated,
        })
    }

    /// Returns the accounts whose newest published document is invalid, so that they keep an older
    /// one.
    ///
    /// # Errors
    ///
    /// Returns `EffectivePolicyNotFoundException` while the policy type is not enabled.
    pub fn accounts_with_invalid_effective_policy(&self) -> Answer<Vec<&str>> {
        self.expect_effective(BACKUP_POLICY)?;
        let records = self.publications.records.iter();
        let invalid = records.filter(|it| !it.1.published.errors.is_empty());
        Ok(invalid.map(|it| it.0.as_str()).collect())
    }

    /// Publishes every change at once, however long AWS would take.
    pub fn publish(&mut self) {
        let Publications { records, due, when, .. } = &mut self.publications;
        *when = None;
        for account in std::mem::take(due) {
            let record = records.entry(account).or_default();
            record.published = Arc::clone(&record.newest);
            if record.published.errors.is_empty() {
                record.valid = Arc::clone(&record.published);
            }
            // Every publication has a time of its own, in the milliseconds of AWS.
            record.updated = self.now.max(record.updated + Duration::from_millis(1));
        }
    }

    /// Publishes the documents that are due by now.
    pub(crate) fn publish_due(&mut self) {
        let later = match self.publications.when {
            None | Some(Switch::AfterReads(1..)) => true,
            Some(Switch::At(time)) => self.now < time,
            Some(Switch::On | Switch::AfterReads(0)) => false,
        };
        if !later {
            self.publish();
        }
    }

    /// Counts a read for a publication that waits for reads.
    pub(crate) fn effective_policies_were_read(&mut self) {
        if let Some(Switch::AfterReads(left)) = &mut self.publications.when {
            *left = left.saturating_sub(1);
        }
    }

    /// Returns the accounts whose newest document is invalid, published or not.
    pub(crate) fn withheld(&self) -> &BTreeSet<String> {
        &self.publications.withheld
    }

    /// Returns an error for a type that is not enabled, because it has no effective policies.
    pub(crate) fn expect_effective(&self, kind: &str) -> Answer<()> {
        check(kind)?;
        if kind.ends_with("_CONTROL_POLICY") {
            return Err(Refusal::invalid(Invalid::Enum, Some("PolicyType")));
        }
        if !self.is_enabled(kind) {
            return Err(not_enabled_effective());
        }
        if kind != BACKUP_POLICY {
            let message = "the simulator merges backup policies and no others";
            return Err(Refusal::new(Code::UnknownOperation, message));
        }
        Ok(())
    }

    /// Parses the document of the policy with this ID and merges it again for all its targets.
    pub(super) fn reword(&mut self, id: &str) {
        let Some(policy) = self.policies.get(id).filter(|it| it.kind == BACKUP_POLICY) else {
            self.publications.policies.remove(id);
            return;
        };
        // Admission rejects every document that cannot be parsed.
        let parsed = policy::parse(&policy.content).unwrap_or_default();
        self.publications.policies.insert(id.to_owned(), parsed);
        let targets: Vec<_> = self.targets_of(id).into_iter().map(str::to_owned).collect();
        for target in targets {
            self.touch(&target);
        }
    }

    /// Drops the documents of an account that left.
    pub(super) fn forget(&mut self, account: &str) {
        self.publications.records.remove(account);
        self.publications.withheld.remove(account);
        self.publications.due.remove(account);
    }

    /// Merges the policies of the accounts at or below `node` again, for a later publication.
    pub(super) fn touch(&mut self, node: &str) {
        if matches!(self.publications.when, Some(Switch::AfterReads(_))) {
            // The last change has not been read yet, and is still published before this one.
            self.publish();
        }
        self.publish_due();
        for (account, newest) in self.merge(node) {
            let Publications { records, withheld, due, .. } = &mut self.publications;
            if newest.errors.is_empty() {
                withheld.remove(&account);
            } else {
                withheld.insert(account.clone());
            }
            records.entry(account.clone()).or_default().newest = newest;
            due.insert(account);
        }
        self.publications.when = Some(match self.publication {
            Pending::Reads(reads) => Switch::AfterReads(reads),
            Pending::For(time) => Switch::At(self.now + time),
        });
    }

    fn merge(&self, node: &str) -> Vec<(String, Arc<Merged>)> {
        let mut merge =
            Merge { organization: self, inherited: BTreeMap::new(), merged: BTreeMap::new() };
        if self.accounts.contains_key(node) {
            return vec![(node.to_owned(), merge.account(node))];
        }
        let below = self.accounts.keys().filter(|it| self.path(it).contains(&node));
        below.map(|it| (it.clone(), merge.account(it))).collect()
    }
}

/// One merge for each node that has attached policies, however many accounts share it.
struct Merge<'a> {
    organization: &'a Organization,
    inherited: BTreeMap<&'a str, Inherited>,
    /// The results, by the lowest node on an account's path that has attached policies.
    merged: BTreeMap<Option<&'a str>, Arc<Merged>>,
}

impl<'a> Merge<'a> {
    fn account(&mut self, account: &'a str) -> Arc<Merged> {
        let Organization { now, .. } = *self.organization;
        let policies = |it: &&str| !self.policies(it).is_empty();
        let lowest = self.organization.path(account).into_iter().find(policies);
        if let Some(merged) = self.merged.get(&lowest) {
            return Arc::clone(merged);
        }
        let effective = lowest.map(|it| self.inherited(it).effective()).unwrap_or_default();
        let errors = effective.validate(clock(now));
        let merged = Arc::new(Merged { effective, errors, evaluated: now });
        self.merged.insert(lowest, Arc::clone(&merged));
        merged
    }

    fn inherited(&mut self, node: &'a str) -> Inherited {
        if let Some(inherited) = self.inherited.get(node) {
            return inherited.clone();
        }
        let above = self.organization.parent(node).map(|it| self.inherited(it));
        let inherited = above.unwrap_or_default().descend(node, &self.policies(node));
        self.inherited.insert(node, inherited.clone());
        inherited
    }

    /// Returns the backup policies at `node`, in the order of attachment.
    fn policies(&self, node: &str) -> Vec<(&'a str, &'a policy::Policy)> {
        let policies = &self.organization.publications.policies;
        let attached = self.organization.attached(node).iter();
        attached.filter_map(|it| Some((it.as_str(), policies.get(it)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::settings::Settings;

    /// The parts of a plan that this policy has: rules, regions, selections.
    fn document(plan: &str, parts: &[&str]) -> String {
        let all = json!({
            "rules": { "nightly": { "target_backup_vault_name": { "@@assign": "vault" } } },
            "regions": { "@@assign": ["eu-central-1"] },
            "selections": { "tags": { "tagged": {
                "iam_role_arn": { "@@assign": "arn:aws:iam::$account:role/backup" },
                "tag_key": { "@@assign": "backup" },
                "tag_value": { "@@assign": ["daily"] },
            } } },
        });
        let parts: Value = parts.iter().map(|it| ((*it).to_owned(), all[*it].clone())).collect();
        json!({ "plans": { plan: parts } }).to_string()
    }

    const WHOLE: [&str; 3] = ["rules", "regions", "selections"];

    /// An organization that takes backup policies and publishes them at once.
    fn organization() -> Organization {
        let mut organization = Organization::sample(&Settings::default());
        organization.publication = Pending::Reads(0);
        let root = organization.root.clone();
        organization.enable_policy_type(&root, BACKUP_POLICY).unwrap();
        organization
    }

    fn attach(organization: &mut Organization, name: &str, content: &str, target: &str) -> String {
        let id = organization.create_policy(BACKUP_POLICY, name, "", content, &[]).unwrap();
        organization.attach_policy(&id, target).unwrap();
        id
    }

    fn account(organization: &Organization, name: &str) -> String {
        organization.accounts().find(|it| it.name == name).unwrap().id.clone()
    }

    /// The plans that are in force in an account, and what is wrong.
    fn plans(organization: &mut Organization, account: &str) -> String {
        organization.publish_due();
        let policy = organization.effective_policy(account).unwrap();
        let content: Value = serde_json::from_str(&policy.content).unwrap();
        let plans = content["plans"].as_object().cloned().unwrap_or_default();
        let plans = plans.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
        let errors = policy.errors.iter().map(|it| format!(" !{} {}", it.path, it.code));
        plans + &errors.collect::<String>()
    }

    #[test]
    fn an_account_gets_what_is_attached_above_it_and_to_it() {
        let mut organization = organization();
        let (root, security) = (organization.root.clone(), account(&organization, "security-000"));
        assert_eq!(plans(&mut organization, &security), "");
        attach(&mut organization, "half", &document("daily", &["rules", "regions"]), &root);
        attach(&mut organization, "rest", &document("daily", &["selections"]), &security);
        attach(&mut organization, "more", &document("weekly", &WHOLE), &security);
        assert_eq!(plans(&mut organization, &security), "daily weekly");
        let management = organization.management_account.clone();
        assert_eq!(plans(&mut organization, &management), " !plans/daily KEY_REQUIRED");
    }

    #[test]
    fn an_invalid_document_is_withheld_and_the_last_valid_one_stays() {
        let mut organization = organization();
        let sandbox = organization.unit_named("Sandbox").unwrap().id.clone();
        let root = organization.root.clone();
        attach(&mut organization, "theirs", &document("theirs", &WHOLE), &root);
        let ours = attach(&mut organization, "ours", &document("ours", &["regions"]), &sandbox);
        let account = organization.accounts_in(&sandbox).next().unwrap().id.clone();
        let frozen = plans(&mut organization, &account);
        assert_eq!(frozen, "theirs !plans/ours KEY_REQUIRED !plans/ours KEY_REQUIRED");
        let errors = organization.effective_policy(&account).unwrap().errors;
        assert_eq!(errors[0].contributors[0].policy, ours);
        assert!(organization.withheld().contains(&account));
        let whole = document("ours", &WHOLE);
        organization.update_policy(&ours, None, None, Some(&whole)).unwrap();
        assert_eq!(plans(&mut organization, &account), "ours theirs");
        assert_eq!(organization.withheld().len(), 0);
    }

    #[test]
    fn every_change_moves_the_time_and_only_where_it_matters() {
        let mut organization = organization();
        let sandbox = organization.unit_named("Sandbox").unwrap().id.clone();
        let inside = organization.accounts_in(&sandbox).next().unwrap().id.clone();
        let outside = organization.management_account.clone();
        let id = attach(&mut organization, "ours", &document("ours", &WHOLE), &sandbox);
        let updated = |organization: &mut Organization, account: &str| {
            organization.publish_due();
            organization.effective_policy(account).unwrap().updated
        };
        let before = (updated(&mut organization, &inside), updated(&mut organization, &outside));
        organization.update_policy(&id, Some("renamed"), None, None).unwrap();
        let renamed = updated(&mut organization, &inside);
        assert!(renamed > before.0);
        organization.detach_policy(&id, &sandbox).unwrap();
        assert!(updated(&mut organization, &inside) > renamed);
        assert_eq!(updated(&mut organization, &outside), before.1);
    }

    #[test]
    fn a_change_is_published_after_so_many_reads_or_so_much_time() {
        let mut organization = organization();
        let (root, account) = (organization.root.clone(), organization.management_account.clone());
        organization.publish();
        organization.publication = Pending::Reads(2);
        attach(&mut organization, "one", &document("one", &WHOLE), &root);
        for _ in 0..2 {
            assert_eq!(plans(&mut organization, &account), "");
            organization.effective_policies_were_read();
        }
        assert_eq!(plans(&mut organization, &account), "one");
        organization.publication = Pending::For(Duration::from_secs(3));
        attach(&mut organization, "two", &document("two", &WHOLE), &root);
        organization.set_time(Duration::from_millis(2_999));
        assert_eq!(plans(&mut organization, &account), "one");
        organization.set_time(Duration::from_secs(3));
        assert_eq!(plans(&mut organization, &account), "one two");
    }

    #[test]
    fn an_account_that_moves_takes_along_what_it_had_while_the_new_is_invalid() {
        let mut organization = organization();
        let root = organization.root.clone();
        let unit = |it: &Organization, name: &str| it.unit_named(name).unwrap().id.clone();
        let (sandbox, security) = (unit(&organization, "Sandbox"), unit(&organization, "Security"));
        let account = account(&organization, "security-000");
        attach(&mut organization, "good", &document("good", &WHOLE), &security);
        attach(&mut organization, "bad", &document("bad", &["rules"]), &sandbox);
        organization.move_account(&account, &security, &root).unwrap();
        assert_eq!(plans(&mut organization, &account), "");
        organization.move_account(&account, &root, &security).unwrap();
        organization.move_account(&account, &security, &sandbox).unwrap();
        let frozen = plans(&mut organization, &account);
        assert_eq!(frozen, "good !plans/bad KEY_REQUIRED !plans/bad KEY_REQUIRED");
    }

    #[test]
    fn there_is_nothing_to_tell_while_the_type_is_disabled() {
        let mut organization = organization();
        let (root, account) = (organization.root.clone(), organization.management_account.clone());
        attach(&mut organization, "one", &document("one", &WHOLE), &root);
        organization.disable_policy_type(&root, BACKUP_POLICY).unwrap();
        let refusal = organization.effective_policy(&account).unwrap_err();
        assert_eq!(refusal.code, Code::EffectivePolicyNotFound);
        organization.enable_policy_type(&root, BACKUP_POLICY).unwrap();
        assert_eq!(plans(&mut organization, &account), "");
    }
}
