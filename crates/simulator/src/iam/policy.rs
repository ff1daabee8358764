//! Policy documents: who may perform which action on which resource.

use policy::arn::Arn;
use policy::pattern::{is_arn_like, is_like};
use serde_json::Value;

use super::Unreadable;
use super::account::in_account;
use super::condition::{Condition, Keys, texts};

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy(Vec<Statement>);

/// The verdict of policies on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A policy allows it and none denies it.
    Allowed,
    /// A policy denies it.
    Denied,
    /// No policy applies.
    Silent,
}

/// One permission that a call needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// The action, for example `organizations:AttachPolicy`.
    pub(crate) action: String,
    /// The ARN of the resource, or `*` for actions without a resource.
    pub(crate) resource: String,
    /// The condition keys of the request.
    pub(crate) keys: Keys,
}

/// The caller, for trust policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) account: String,
    /// Every ARN by which a policy may name the caller.
    pub(crate) arns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    allows: bool,
    principals: Option<Principals>,
    actions: Patterns,
    resources: Option<Patterns>,
    conditions: Vec<Condition>,
}

/// Patterns. One of them has to match or, if inverted, none may match.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Patterns {
    patterns: Vec<String>,
    inverted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Principals {
    Everybody,
    /// Accounts, ARNs of accounts, roles and users, and services. Other principals never call the
    /// simulator.
    Named {
        aws: Vec<String>,
        services: Vec<String>,
    },
}

impl Policy {
    pub(crate) fn parse(text: &str) -> Result<Self, Unreadable> {
        let malformed = |what: &str| Unreadable::Malformed(what.to_owned());
        let document: Value =
            serde_json::from_str(text).map_err(|_| malformed("this is no JSON"))?;
        let statements = match document.get("Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err(malformed("there is no statement")),
        };
        statements.iter().map(Statement::read).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the verdict of the policy on `need`. In the policy, `$account` stands for `account`.
    pub(crate) fn judge(&self, need: &Need, account: &str) -> Verdict {
        self.decide(|it| it.covers(need, account))
    }

    /// Returns the verdict of a trust policy on `principal`, which wants to assume its role.
    pub(crate) fn trusts(&self, principal: &Principal, need: &Need, account: &str) -> Verdict {
        self.decide(|it| it.names(principal, account) && it.covers(need, account))
    }

    /// Returns the verdict of a trust policy on an AWS service that wants to assume its role.
    pub(crate) fn trusts_service(&self, service: &str, need: &Need, account: &str) -> Verdict {
        self.decide(|it| it.names_service(service) && it.covers(need, account))
    }

    /// Returns the verdict on `principal` of a policy that does not belong to a role. A statement
    /// without a principal applies to everyone.
    pub(crate) fn answers(&self, principal: &Principal, need: &Need) -> Verdict {
        let account = &principal.account;
        let is_about = |it: &Statement| it.principals.is_none() || it.names(principal, account);
        self.decide(|it| is_about(it) && it.covers(need, account))
    }

    fn decide(&self, applies: impl Fn(&Statement) -> bool) -> Verdict {
        let applying = || self.0.iter().filter(|it| applies(it));
        if applying().any(|it| !it.allows) {
            Verdict::Denied
        } else if applying().next().is_some() {
            Verdict::Allowed
        } else {
            Verdict::Silent
        }
    }
}

/// Combines the verdicts of several policies.
pub(crate) fn together(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    verdicts.into_iter().fold(Verdict::Silent, |all, it| match (all, it) {
        (Verdict::Denied, _) | (_, Verdict::Denied) => Verdict::Denied,
        (Verdict::Allowed, _) | (_, Verdict::Allowed) => Verdict::Allowed,
        _ => Verdict::Silent,
    })
}

impl Principal {
    /// Returns `true` if `name` names the caller.
    fn is(&self, name: &str) -> bool {
        let of_account = |arn: &str| {
            Arn::parse(arn).is_ok_and(|it| it.account == self.account && it.resource == "root")
        };
        name == "*"
            || name == self.account
            || of_account(name)
            || self.arns.iter().any(|it| it == name)
    }
}

impl Statement {
    fn read(statement: &Value) -> Result<Self, Unreadable> {
        const ELEMENTS: [&str; 8] = [
            "Sid",
            "Effect",
            "Principal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        let malformed = |what: &str| Unreadable::Malformed(what.to_owned());
        let members = statement.as_object().ok_or_else(|| malformed("a statement is no object"))?;
        if let Some(name) = members.keys().find(|it| !ELEMENTS.contains(&it.as_str())) {
            return Err(Unreadable::Unknown(format!("the element `{name}`")));
        }
        let allows = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(malformed("a statement has no effect")),
        };
        let patterns = |name: &str, inverse: &str| {
            let (value, inverted) = match (members.get(name), members.get(inverse)) {
                (Some(value), None) => (value, false),
                (None, Some(value)) => (value, true),
                (None, None) => return Ok(None),
                (Some(_), Some(_)) => return Err(malformed("a statement says one thing twice")),
            };
            Ok(Some(Patterns { patterns: texts(value)?, inverted }))
        };
        let conditions = members.get("Condition").map(Condition::read).transpose()?;
        Ok(Self {
            allows,
            principals: members.get("Principal").map(principals).transpose()?,
            actions: patterns("Action", "NotAction")?
                .ok_or_else(|| malformed("a statement has no action"))?,
            resources: patterns("Resource", "NotResource")?,
            conditions: conditions.unwrap_or_default(),
        })
    }

    fn names(&self, principal: &Principal, account: &str) -> bool {
        match &self.principals {
            Some(Principals::Everybody) => true,
            Some(Principals::Named { aws, .. }) => {
                aws.iter().any(|it| principal.is(&in_account(it, account)))
            }
            None => false,
        }
    }

    fn names_service(&self, service: &str) -> bool {
        match &self.principals {
            Some(Principals::Everybody) => true,
            Some(Principals::Named { services, .. }) => services.iter().any(|it| it == service),
            None => false,
        }
    }

    fn covers(&self, need: &Need, account: &str) -> bool {
        let action = need.action.to_ascii_lowercase();
        let is_action = |it: &str| is_like(&it.to_ascii_lowercase(), &action);
        let is_resource = |it: &str| is_arn_like(&in_account(it, account), &need.resource);
        // Trust policies do not name a resource, because they apply to their own role.
        self.actions.fit(is_action)
            && self.resources.as_ref().is_none_or(|it| it.fit(is_resource))
            && self.conditions.iter().all(|it| it.is_met(&need.keys, account))
    }
}

impl Patterns {
    fn fit(&self, fits: impl Fn(&str) -> bool) -> bool {
        self.patterns.iter().any(|it| fits(it)) != self.inverted
    }
}

fn principals(value: &Value) -> Result<Principals, Unreadable> {
    match value {
        Value::String(text) if text == "*" => Ok(Principals::Everybody),
        Value::Object(kinds) => {
            let named = |kind: &str| kinds.get(kind).map(texts).transpose();
            let (aws, services) = (named("AWS")?, named("Service")?);
            let (aws, services) = (aws.unwrap_or_default(), services.unwrap_or_default());
            Ok(Principals::Named { aws, services })
        }
        _ => Err(Unreadable::Malformed("a principal is neither `*` nor an object".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(statements: Value) -> Policy {
        Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
            .unwrap()
    }

    fn need(action: &str, resource: &str) -> Need {
        Need { action: action.to_owned(), resource: resource.to_owned(), keys: Keys::new() }
    }

    fn judge(policy: &Policy, action: &str, resource: &str) -> Verdict {
        policy.judge(&need(action, resource), "444455556666")
    }

    #[test]
    fn what_is_not_allowed_is_not_said() {
        let policy = policy(json!({
            "Effect": "Allow", "Action": "backup:Describe*",
            "Resource": "arn:aws:backup:*:$account:backup-vault:*",
        }));
        let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:daily";
        assert_eq!(judge(&policy, "backup:DescribeBackupVault", vault), Verdict::Allowed);
        assert_eq!(judge(&policy, "BACKUP:describebackupvault", vault), Verdict::Allowed);
        assert_eq!(judge(&policy, "backup:DeleteBackupVault", vault), Verdict::Silent);
        let other = "arn:aws:backup:eu-west-1:555566667777:backup-vault:daily";
        assert_eq!(judge(&policy, "backup:DescribeBackupVault", other), Verdict::Silent);
    }

    #[test]
    fn a_denial_wins() {
        let policy = policy(json!([
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "NotAction": "s3:*", "Resource": "*" },
        ]));
        assert_eq!(judge(&policy, "s3:GetObject", "arn:aws:s3:::a/b"), Verdict::Allowed);
        assert_eq!(judge(&policy, "sns:Publish", "arn:aws:sns:us-east-1:1:a"), Verdict::Denied);
    }

    #[test]
    fn a_trust_policy_names_accounts_roles_or_everybody() {
        let caller = Principal {
            account: "111122223333".to_owned(),
            arns: vec!["arn:aws:iam::111122223333:role/members".to_owned()],
        };
        let trusts = |principal: Value| {
            let statement =
                json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
            policy(statement).trusts(&caller, &need("sts:AssumeRole", "*"), "444455556666")
        };
        for name in ["111122223333", "arn:aws:iam::111122223333:root", "*"] {
            assert_eq!(trusts(json!({ "AWS": name })), Verdict::Allowed, "{name}");
        }
        assert_eq!(trusts(json!("*")), Verdict::Allowed);
        let role = "arn:aws:iam::111122223333:role/members";
        assert_eq!(trusts(json!({ "AWS": ["444455556666", role] })), Verdict::Allowed);
        for name in ["arn:aws:iam::444455556666:root", "arn:aws:iam::111122223333:role/other"] {
            assert_eq!(trusts(json!({ "AWS": name })), Verdict::Silent, "{name}");
        }
        assert_eq!(trusts(json!({ "Service": "backup.amazonaws.com" })), Verdict::Silent);
    }

    #[test]
    fn a_trust_policy_names_services() {
        let trusts = |principal: Value| {
            let condition = json!({ "StringEquals": { "aws:SourceAccount": "$account" } });
            let statement = json!({ "Effect": "Allow", "Principal": principal,
                "Action": "sts:AssumeRole", "Condition": condition });
            let mut need = need("sts:AssumeRole", "*");
            need.keys.insert("aws:sourceaccount".to_owned(), vec!["444455556666".to_owned()]);
            policy(statement).trusts_service("backup.amazonaws.com", &need, "444455556666")
        };
        for principal in [
            json!({ "Service": "backup.amazonaws.com" }),
            json!({ "AWS": "*", "Service": ["ec2.amazonaws.com", "backup.amazonaws.com"] }),
            json!("*"),
        ] {
            assert_eq!(trusts(principal.clone()), Verdict::Allowed, "{principal}");
        }
        for principal in [json!({ "Service": "ec2.amazonaws.com" }), json!({ "AWS": "*" })] {
            assert_eq!(trusts(principal.clone()), Verdict::Silent, "{principal}");
        }
    }

    #[test]
    fn what_is_no_policy_or_not_known_is_not_read() {
        let read = |text: &str| Policy::parse(text).unwrap_err();
        assert!(matches!(read("{"), Unreadable::Malformed(_)));
        assert!(matches!(read(r#"{"Statement":[{"Effect":"Allow"}]}"#), Unreadable::Malformed(_)));
        let variable = json!({ "Statement": { "Effect": "Allow", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::${aws:PrincipalAccount}/*" } });
        assert!(matches!(read(&variable.to_string()), Unreadable::Unknown(_)));
        let element = json!({ "Statement": { "Effect": "Allow", "NotPrincipal": "*",
            "Action": "s3:GetObject" } });
        assert!(matches!(read(&element.to_string()), Unreadable::Unknown(_)));
    }
}
