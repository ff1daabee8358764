//! The policies.

use std::collections::BTreeMap;

use super::policy_types::{self, FULL_ACCESS};
use super::{Answer, Organization, admission, clock};
use crate::refusal::{Code, Constraint, Invalid, Refusal};

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its ID.
    pub id: String,
    /// Its name, which is unique in the organization.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its type, as AWS writes it.
    pub kind: String,
    /// Its text, byte for byte as it was given.
    pub content: String,
    /// True if AWS manages it.
    pub aws_managed: bool,
}

pub(super) fn managed() -> BTreeMap<String, Policy> {
    let policy = |(kind, id, name): (&str, &str, &str)| {
        Policy {
        id: id.to_owned(),
        name: name.to_owned(),
        description: "Allows access to every operation".to_owned(),
        kind: kind.to_owned(),
        content: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
            .to_owned(),
        aws_managed: true,
    }
    };
    FULL_ACCESS.into_iter().map(|it| (it.1.to_owned(), policy(it))).collect()
}

impl Organization {
    /// Returns the policies of a type, by ID.
    pub fn policies(&self, kind: &str) -> impl Iterator<Item = &Policy> {
        self.policies.values().filter(move |it| it.kind == kind)
    }

    /// Returns the policy with this name.
    #[must_use]
    pub fn policy_named(&self, name: &str) -> Option<&Policy> {
        self.policies.values().find(|it| it.name == name)
    }

    /// Returns the policy with this ID.
    ///
    /// # Errors
    ///
    /// Returns `PolicyNotFoundException`.
    pub fn policy(&self, id: &str) -> Answer<&Policy> {
        let message = "We can't find a policy with the PolicyId that you specified.";
        self.policies.get(id).ok_or_else(|| Refusal::new(Code::PolicyNotFound, message))
    }

    /// Returns the ARN of a policy.
    #[must_use]
    pub fn policy_arn(&self, policy: &Policy) -> String {
        let kind = policy.kind.to_ascii_lowercase();
        if policy.aws_managed {
            return format!(
                "arn:{}:organizations::aws:policy/{kind}/{}",
                self.partition, policy.id
            );
        }
        self.arn("policy", &format!("/{kind}/{}", policy.id))
    }

    /// Creates a policy with `tags` and returns its ID. Its type need not be enabled.
    ///
    /// # Errors
    ///
    /// Returns the errors of `CreatePolicy`.
    pub fn create_policy(
        &mut self,
        kind: &str,
        name: &str,
        description: &str,
        content: &str,
        tags: &[(String, String)],
    ) -> Answer<String> {
        policy_types::check(kind)?;
        self.expect_free_name(name, None)?;
        let tags = self.merged_tags(None, tags)?;
        admission::check(kind, content, clock(self.now))?;
        if self.policies(kind).count() >= self.quotas.policies_per_type {
            let message = "You have exceeded the number of policies of this type.";
            return Err(Refusal::constraint(Constraint::PolicyNumber, message));
        }
        let id = self.ids.lower("p-", 10);
        let policy = Policy {
            id: id.clone(),
            name: name.to_owned(),
            description: description.to_owned(),
            kind: kind.to_owned(),
            content: content.to_owned(),
            aws_managed: false,
        };
        self.policies.insert(id.clone(), policy);
        self.reword(&id);
        self.tags.insert(id.clone(), tags);
        self.changed();
        Ok(id)
    }

    /// Changes the given values and keeps the others.
    ///
    /// # Errors
    ///
    /// Returns the errors of `UpdatePolicy`.
    pub fn update_policy(
        &mut self,
        id: &str,
        name: Option<&str>,
        description: Option<&str>,
        content: Option<&str>,
    ) -> Answer<()> {
        let before = self.custom_policy(id)?.clone();
        if let Some(name) = name {
            self.expect_free_name(name, Some(id))?;
        }
        if let Some(content) = content {
            admission::check(&before.kind, content, clock(self.now))?;
        }
        let mut after = before.clone();
        after.name = name.map_or(after.name, str::to_owned);
        after.description = description.map_or(after.description, str::to_owned);
        after.content = content.map_or(after.content, str::to_owned);
        if after != before {
            self.policies.insert(id.to_owned(), after);
            self.reword(id);
            self.changed();
        }
        Ok(())
    }

    /// Deletes a policy that is not attached to any target.
    ///
    /// # Errors
    ///
    /// Returns the errors of `DeletePolicy`.
    pub fn delete_policy(&mut self, id: &str) -> Answer<()> {
        self.custom_policy(id)?;
        if !self.targets_of(id).is_empty() {
            let message = "The policy is attached to one or more entities. You must detach it from \
                           all roots, OUs, and accounts before performing this operation.";
            return Err(Refusal::new(Code::PolicyInUse, message));
        }
        self.policies.remove(id);
        self.reword(id);
        self.tags.remove(id);
        self.changed();
        Ok(())
    }

    fn custom_policy(&self, id: &str) -> Answer<&Policy> {
        let policy = self.policy(id)?;
        if policy.aws_managed {
            return Err(Refusal::invalid(Invalid::ImmutablePolicy, None));
        }
        Ok(policy)
    }

    fn expect_free_name(&self, name: &str, except: Option<&str>) -> Answer<()> {
        match self.policy_named(name) {
            Some(other) if Some(other.id.as_str()) != except => {
                let message = "A policy with the same name already exists.";
                Err(Refusal::new(Code::DuplicatePolicy, message))
            }
            _ => Ok(()),
        }
    }
}
