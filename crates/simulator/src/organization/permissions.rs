//! The permissions of the management account, of delegated administrators, and of the principals in
//! the organization's resource policy.

use policy::arn::Arn;
use serde_json::Value;

use super::{Answer, Organization};
use crate::refusal::{Code, Invalid, Refusal};

/// The callers that may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Every account of the organization.
    Any,
    /// The management account, delegated administrators, and the accounts that the resource policy
    /// allows.
    Read,
    /// The management account and the accounts that the resource policy allows.
    Write,
    /// The management account.
    Management,
}

impl Organization {
    /// Returns an error unless `account` may call `operation`.
    pub(crate) fn authorize(&self, account: &str, operation: &str, access: Access) -> Answer<()> {
        if !self.accounts.contains_key(account) {
            let message = "Your account is not a member of an organization.";
            return Err(Refusal::new(Code::NotInUse, message));
        }
        let management = account == self.management_account;
        let delegated = || self.delegated.keys().any(|it| it.0 == account);
        let allowed = match access {
            Access::Any => true,
            Access::Read => management || delegated() || self.delegates(account, operation),
            Access::Write => management || self.delegates(account, operation),
            Access::Management => management,
        };
        if allowed {
            return Ok(());
        }
        let message = "You don't have permissions to access this resource.";
        Err(Refusal::new(Code::AccessDenied, message))
    }

    /// Returns `true` if `account` may read other accounts with `operation`.
    pub(crate) fn may_look(&self, account: &str, operation: &str) -> bool {
        self.authorize(account, operation, Access::Read).is_ok()
    }

    /// Returns the organization's resource policy: its ID and text.
    ///
    /// # Errors
    ///
    /// Returns `ResourcePolicyNotFoundException` if there is none.
    pub fn resource_policy(&self) -> Answer<(&str, &str)> {
        let message = "We can't find a resource policy request with the parameter that you \
                       specified.";
        let missing = || Refusal::new(Code::ResourcePolicyNotFound, message);
        self.resource_policy.as_ref().map(|it| (it.0.as_str(), it.1.as_str())).ok_or_else(missing)
    }

    /// Replaces the organization's resource policy and returns its ID.
    ///
    /// # Errors
    ///
    /// Returns the errors of `PutResourcePolicy`.
    pub fn put_resource_policy(
        &mut self,
        content: &str,
        tags: &[(String, String)],
    ) -> Answer<String> {
        if content.chars().count() > 40_000 {
            return Err(Refusal::invalid(Invalid::MaxLength, Some("Content")));
        }
        let document: Option<Value> = serde_json::from_str(content).ok();
        if document.as_ref().and_then(|it| it.get("Statement")).is_none() {
            return Err(Refusal::invalid(Invalid::ResourcePolicy, None));
        }
        let old = self.resource_policy.take();
        let old_id = old.as_ref().map(|it| it.0.clone());
        let tags = match self.merged_tags(old_id.as_deref(), tags) {
            Ok(tags) => tags,
            Err(refusal) => {
                self.resource_policy = old;
                return Err(refusal);
            }
        };
        let id = old_id.unwrap_or_else(|| self.ids.lower("rp-", 10));
        let new = Some((id.clone(), content.to_owned()));
        if new != old {
            self.changed();
        }
        self.resource_policy = new;
        self.tags.insert(id.clone(), tags);
        Ok(id)
    }

    /// Returns `true` if the resource policy allows `account` to call `operation`. Conditions are
    /// ignored.
    fn delegates(&self, account: &str, operation: &str) -> bool {
        let Some((_, content)) = &self.resource_policy else { return false };
        let Ok(document) = serde_json::from_str::<Value>(content) else { return false };
        let names = |statement: &Value, effect: &str| {
            statement.get("Effect").and_then(Value::as_str) == Some(effect)
                && texts(statement.pointer("/Principal/AWS")).any(|it| is_account(it, account))
                && texts(statement.get("Action")).any(|it| matches_action(it, operation))
        };
        let statements: Vec<&Value> = match document.get("Statement") {
            Some(Value::Array(list)) => list.iter().collect(),
            other => other.into_iter().collect(),
        };
        let any = |effect| statements.iter().any(|it| names(it, effect));
        any("Allow") && !any("Deny")
    }
}

/// Returns a string, or the strings of a list.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = match value {
        Some(Value::Array(list)) => list.as_slice(),
        Some(other) => std::slice::from_ref(other),
        None => &[],
    };
    list.iter().filter_map(Value::as_str)
}

fn is_account(principal: &str, account: &str) -> bool {
    let of_account = |it: &str| Arn::parse(it).is_ok_and(|it| it.account == account);
    principal == "*" || principal == account || of_account(principal)
}

fn matches_action(pattern: &str, operation: &str) -> bool {
    let Some((service, name)) = pattern.split_once(':') else { return pattern == "*" };
    let name_matches = match name.strip_suffix('*') {
        Some(start) => operation.starts_with(start),
        None => operation == name,
    };
    service == "organizations" && name_matches
}
