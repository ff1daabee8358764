//! The roles of every account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy::partition::Partition;
use serde_json::Value;

use super::account::in_account;
use super::policy::{Need, Policy, Verdict, together};
use super::{Unreadable, expect_readable};

/// A role of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    name: String,
    path: String,
    trust: Arc<Policy>,
    trust_text: String,
    /// Its permission policies. Without any, it may do everything.
    permissions: Vec<Arc<Policy>>,
    /// The same policies, as they were given.
    permission_texts: Vec<String>,
    /// The ARNs of AWS managed policies, if any were given.
    managed: Option<Vec<String>>,
    boundary: Option<String>,
    max_session: u32,
}

impl Role {
    /// Creates a role that may do everything, and that the principals in the policy `trust` may
    /// assume. In its policies, `$account` stands for the account of the role.
    ///
    /// # Panics
    ///
    /// Panics if this is not a policy, or if it has an element that the simulator does not know.
    #[must_use]
    pub fn new(name: &str, trust: &Value) -> Self {
        Self {
            name: name.to_owned(),
            path: "/".to_owned(),
            trust: Arc::new(expect_readable(Policy::parse(&trust.to_string()))),
            trust_text: trust.to_string(),
            permissions: Vec::new(),
            permission_texts: Vec::new(),
            managed: None,
            boundary: None,
            max_session: 3_600,
        }
    }

    /// Creates a role that every principal of `account` with the permission may assume.
    #[must_use]
    pub fn trusting_account(name: &str, account: &str) -> Self {
        let statement = serde_json::json!({
            "Effect": "Allow", "Principal": { "AWS": account }, "Action": "sts:AssumeRole",
        });
        let trust = serde_json::json!({ "Version": "2012-10-17", "Statement": [statement] });
        Self::new(name, &trust)
    }

    /// Returns this role with a path, which begins and ends with a slash.
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// Returns this role limited to the permissions of its policies.
    ///
    /// # Panics
    ///
    /// Panics if this is not a policy, or if it has an element that the simulator does not know.
    #[must_use]
    pub fn allowing(mut self, policy: &Value) -> Self {
        self.permissions.push(Arc::new(expect_readable(Policy::parse(&policy.to_string()))));
        self.permission_texts.push(policy.to_string());
        self
    }

    /// Returns this role with exactly these attached policies, by their ARNs. They exist to be
    /// read. The permissions of the role come from [`Self::allowing`].
    #[must_use]
    pub fn attached(self, arns: &[&str]) -> Self {
        Self { managed: Some(arns.iter().map(|it| (*it).to_owned()).collect()), ..self }
    }

    /// Returns this role with a permissions boundary, which exists to be read.
    #[must_use]
    pub fn boundary(self, arn: &str) -> Self {
        Self { boundary: Some(arn.to_owned()), ..self }
    }

    /// Returns this role with this maximum session duration.
    #[must_use]
    pub fn max_session(self, seconds: u32) -> Self {
        Self { max_session: seconds, ..self }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn arn(&self, partition: Partition, account: &str) -> String {
        format!("arn:{partition}:iam::{account}:role{}{}", self.path, self.name)
    }

    /// Returns its path, or `/` if it has none.
    pub(crate) fn path_of(&self) -> &str {
        &self.path
    }

    pub(crate) fn trust(&self) -> &Policy {
        &self.trust
    }

    pub(crate) fn trust_text(&self, account: &str) -> String {
        in_account(&self.trust_text, account).into_owned()
    }

    /// Returns the ARNs of the attached policies. A role that may do everything has the policy
    /// `AdministratorAccess`, unless others were given.
    pub(crate) fn attached_policies(&self, partition: Partition) -> Vec<String> {
        let everything = || format!("arn:{partition}:iam::aws:policy/AdministratorAccess");
        let usual = || self.is_unlimited().then(everything).into_iter().collect();
        self.managed.clone().unwrap_or_else(usual)
    }

    /// Returns its inline policies by their names.
    pub(crate) fn own_policies(&self, account: &str) -> BTreeMap<String, String> {
        let named = self.permission_texts.iter().enumerate();
        named
            .map(|(index, it)| (format!("own-{index}"), in_account(it, account).into_owned()))
            .collect()
    }

    pub(crate) fn boundary_arn(&self) -> Option<&str> {
        self.boundary.as_deref()
    }

    pub(crate) fn longest_session(&self) -> u32 {
        self.max_session
    }

    /// Returns `true` if it may do everything, because it has no permission policy.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.permissions.is_empty()
    }

    /// Returns the verdict of its policies.
    pub(crate) fn judge(&self, need: &Need, account: &str) -> Verdict {
        if self.permissions.is_empty() {
            return Verdict::Allowed;
        }
        together(self.permissions.iter().map(|it| it.judge(need, account)))
    }
}

/// The roles of every account.
#[derive(Clone, Debug, Default)]
pub struct Iam {
    /// By account and name.
    roles: BTreeMap<String, BTreeMap<String, Role>>,
    everywhere: BTreeMap<String, Role>,
    /// Roles that exist everywhere except here.
    deleted: BTreeSet<(String, String)>,
    /// Session policies that were parsed, by their text.
    read: BTreeMap<String, Arc<Policy>>,
}

impl Iam {
    /// Creates a role in `account`, or replaces the one with the same name.
    pub fn create_role(&mut self, account: &str, role: Role) {
        self.deleted.remove(&(account.to_owned(), role.name.clone()));
        self.roles.entry(account.to_owned()).or_default().insert(role.name.clone(), role);
    }

    /// Creates a role in every account, now and in future, for any number of them.
    pub fn create_role_everywhere(&mut self, role: Role) {
        self.everywhere.insert(role.name.clone(), role);
    }

    /// Deletes a role in `account`, if it exists.
    pub fn delete_role(&mut self, account: &str, name: &str) {
        if let Some(roles) = self.roles.get_mut(account) {
            roles.remove(name);
        }
        self.deleted.insert((account.to_owned(), name.to_owned()));
    }

    /// Returns the role with this name in `account`.
    #[must_use]
    pub fn role(&self, account: &str, name: &str) -> Option<&Role> {
        let own = self.roles.get(account).and_then(|it| it.get(name));
        let deleted = || self.deleted.contains(&(account.to_owned(), name.to_owned()));
        own.or_else(|| self.everywhere.get(name).filter(|_| !deleted()))
    }

    /// Parses a session policy and keeps the result, because there are few different ones.
    pub(crate) fn session_policy(&mut self, text: &str) -> Result<Arc<Policy>, Unreadable> {
        if let Some(policy) = self.read.get(text) {
            return Ok(Arc::clone(policy));
        }
        let policy = Arc::new(Policy::parse(text)?);
        self.read.insert(text.to_owned(), Arc::clone(&policy));
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_is_everywhere_can_be_missing_somewhere() {
        let mut iam = Iam::default();
        iam.create_role_everywhere(Role::trusting_account("member", "111122223333"));
        assert!(iam.role("444455556666", "member").is_some());
        iam.delete_role("444455556666", "member");
        assert!(iam.role("444455556666", "member").is_none());
        assert!(iam.role("555566667777", "member").is_some());
        iam.create_role("444455556666", Role::trusting_account("member", "111122223333"));
        assert!(iam.role("444455556666", "member").is_some());
    }

    #[test]
    fn a_role_without_permissions_may_do_everything_and_one_with_some_only_those() {
        let role = Role::trusting_account("member", "111122223333");
        let need = Need {
            action: "backup:DescribeRegionSettings".to_owned(),
            resource: "*".to_owned(),
            keys: [].into(),
        };
        assert_eq!(role.judge(&need, "444455556666"), Verdict::Allowed);
        let other = serde_json::json!({ "Statement": {
            "Effect": "Allow", "Action": "backup:GetSupportedResourceTypes", "Resource": "*",
        } });
        assert_eq!(role.allowing(&other).judge(&need, "444455556666"), Verdict::Silent);
    }

    #[test]
    #[should_panic(expected = "the simulator does not know the condition operator `DateLessThan`")]
    fn a_policy_that_is_not_understood_fails_the_test() {
        let policy = serde_json::json!({ "Statement": {
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": { "DateLessThan": { "aws:CurrentTime": "2026-01-01" } },
        } });
        let _ = Role::trusting_account("member", "111122223333").allowing(&policy);
    }
}
