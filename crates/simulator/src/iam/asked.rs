//! Requests that are judged by policies other than those of roles.

use policy::arn::Arn;
use serde_json::Value;

use super::expect_readable;
use super::policy::{Need, Policy, Principal, Verdict};

/// A request to be judged by a policy that does not belong to a role: a service control policy or a
/// resource policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    principal: Principal,
    need: Need,
}

impl Asked {
    /// Creates a request of the caller with this ARN to perform `action` on `resource`.
    #[must_use]
    pub fn new(caller: &str, action: &str, resource: &str) -> Self {
        let account = Arn::parse(caller).map_or("", |it| it.account).to_owned();
        let keys = [
            ("aws:principalaccount".to_owned(), vec![account.clone()]),
            ("aws:principalarn".to_owned(), vec![caller.to_owned()]),
        ];
        let (action, resource) = (action.to_owned(), resource.to_owned());
        Self {
            principal: Principal { account, arns: vec![caller.to_owned()] },
            need: Need { action, resource, keys: keys.into() },
        }
    }

    /// Returns this request with one more condition key.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.need.keys.insert(key.to_ascii_lowercase(), vec![value.to_owned()]);
        self
    }

    /// Returns the verdict of `policy`. A statement without a principal applies to everyone.
    ///
    /// # Panics
    ///
    /// Panics if this is not a policy, or if it has an element that the simulator does not know.
    #[must_use]
    pub fn judged_by(&self, policy: &Value) -> Verdict {
        let policy = expect_readable(Policy::parse(&policy.to_string()));
        policy.answers(&self.principal, &self.need)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/builder";

    fn asked() -> Asked {
        Asked::new(ROLE, "backup:DeleteBackupVault", "*")
    }

    #[test]
    fn a_statement_is_about_whom_it_names_or_about_everybody() {
        let policy = |principal: Option<Value>| {
            let mut statement = json!({ "Effect": "Allow", "Action": "backup:*", "Resource": "*" });
            if let (Some(it), Some(members)) = (principal, statement.as_object_mut()) {
                members.insert("Principal".to_owned(), it);
            }
            json!({ "Statement": [statement] })
        };
        let account = |id: &str| policy(Some(json!({ "AWS": format!("arn:aws:iam::{id}:root") })));
        assert_eq!(asked().judged_by(&policy(None)), Verdict::Allowed);
        assert_eq!(asked().judged_by(&account("111122223333")), Verdict::Allowed);
        assert_eq!(asked().judged_by(&account("444455556666")), Verdict::Silent);
    }

    #[test]
    fn a_condition_may_be_about_the_caller_and_about_what_else_is_known() {
        let policy = json!({ "Statement": {
            "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
                "ArnNotLike": { "aws:PrincipalArn": "arn:*:iam::*:role/admin-*" },
                "StringEquals": { "aws:RequestedRegion": "eu-west-1" },
            },
        } });
        let there = |it: Asked| it.with("aws:RequestedRegion", "eu-west-1").judged_by(&policy);
        assert_eq!(asked().judged_by(&policy), Verdict::Silent);
        assert_eq!(there(asked()), Verdict::Denied);
        let admin = Asked::new("arn:aws:iam::111122223333:role/admin-1", "s3:PutObject", "*");
        assert_eq!(there(admin), Verdict::Silent);
    }
}
