//! Checks that AWS Backup can assume a role, and that the role has the required permissions.

use std::collections::BTreeMap;

use policy::arn::Arn;
use serde_json::Value;

use super::statement::{Holds, Statement, statements};
use super::{BACKUP, Problem};
use crate::id::{RoleName, name_in};
use crate::serialized;

/// The AWS managed policies of which one is enough to back something up.
const ENOUGH: [&str; 3] =
    ["AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForS3Backup", ADMINISTRATOR];

/// The AWS managed policies of which one is enough to index a backup.
const ENOUGH_TO_INDEX: [&str; 2] = ["AWSBackupServiceRolePolicyForIndexing", ADMINISTRATOR];

const ADMINISTRATOR: &str = "AdministratorAccess";

/// The AWS managed policies that deny nothing.
const KNOWN: [&str; 9] = [
    "AWSBackupGuardDutyRolePolicyForScans",
    "AWSBackupServiceRolePolicyForBackup",
    "AWSBackupServiceRolePolicyForIndexing",
    "AWSBackupServiceRolePolicyForItemRestores",
    "AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
    "AWSBackupServiceRolePolicyForScans",
    ADMINISTRATOR,
];

/// The action that may be denied to a role without affecting backups.
const NOT_FOR_BACKUPS: &str = "iam:passrole";

/// A role that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// Its trust policy.
    pub trust: String,
    /// True if a permissions boundary limits its permissions.
    pub is_bounded: bool,
    /// The permissions policies, or the reason why they were not read.
    pub policies: Result<RolePolicies, String>,
}

/// The policies of a role.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RolePolicies {
    /// The ARNs of the attached policies.
    pub attached: Vec<String>,
    /// The inline policies, by name.
    pub own: BTreeMap<String, String>,
}

/// The decision of a trust policy about AWS Backup.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Trust {
    Given,
    Refused,
    /// Trust would be given under this condition, which is never met.
    Never(String),
    /// Trust may be given, depending on this condition.
    Unjudged(String),
}

/// Checks the role that AWS Backup uses. `role` is `None` if it was not found.
pub fn check_role(name: &RoleName, role: Option<&Role>) -> Vec<Problem> {
    let Some(role) = role else { return vec![Problem::NoRole(name.clone())] };
    check_trust(name, role).into_iter().chain(check_permissions(name, role)).collect()
}

/// Returns the problem with the trust policy of a role, if there is one.
pub fn check_trust(name: &RoleName, role: &Role) -> Option<Problem> {
    match trust(&role.trust, account(&role.arn)) {
        Trust::Given => None,
        Trust::Refused => Some(Problem::Untrusting(name.clone())),
        Trust::Never(condition) => Some(Problem::NeverTrusting(name.clone(), condition)),
        Trust::Unjudged(condition) => Some(Problem::Unjudged(format!(
            "whether the role `{name}` trusts AWS Backup, which depends on {condition}"
        ))),
    }
}

/// Returns the problem with the permissions of a role, if there is one.
pub fn check_permissions(name: &RoleName, role: &Role) -> Option<Problem> {
    match &role.policies {
        Err(why) => Some(Problem::Unread(format!("what the role `{name}` may do: {why}"))),
        Ok(policies) => permissions(name, policies, role.is_bounded, Use::Backups),
    }
}

/// Returns the problem that prevents a role from indexing backups, if there is one. Unreadable
/// policies are already reported by the check for backups.
pub fn check_indexing(name: &RoleName, role: &Role) -> Option<Problem> {
    let policies = role.policies.as_ref().ok()?;
    permissions(name, policies, role.is_bounded, Use::Index)
}

/// The use of a role by AWS Backup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Use {
    Backups,
    Index,
}

impl Use {
    fn enough(self) -> &'static [&'static str] {
        match self {
            Self::Backups => &ENOUGH,
            Self::Index => &ENOUGH_TO_INDEX,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Backups => "make backups",
            Self::Index => "index backups",
        }
    }
}

/// Returns the account in the ARN of a role.
fn account(arn: &str) -> &str {
    Arn::parse(arn).map(|it| it.account).unwrap_or_default()
}

/// Judges whether the trust policy of a role in `account` lets AWS Backup assume it.
fn trust(policy: &str, account: &str) -> Trust {
    let policy = serde_json::from_str::<Value>(policy).unwrap_or_default();
    let known = [("aws:sourceaccount", account)];
    let about = |it: &Statement<'_>| it.names_service(BACKUP).and(it.covers("sts:AssumeRole"));
    let words = |it: &Statement<'_>| match it.condition() {
        Some(condition) => format!("the condition {}", serialized::text(condition)),
        None => "the exclusions of a statement".to_owned(),
    };
    let (denials, grants): (Vec<_>, Vec<_>) =
        statements(&policy).filter(|it| about(it) != Holds::No).partition(Statement::denies);
    let mut denied = None;
    for it in &denials {
        match about(it).and(it.is_met(&known)) {
            Holds::Yes => return Trust::Refused,
            Holds::Unknown => denied = Some(words(it)),
            Holds::No => {}
        }
    }
    let (mut unjudged, mut never) = (None, None);
    for it in &grants {
        match (about(it), it.is_met(&known)) {
            (Holds::Yes, Holds::Yes) => return denied.map_or(Trust::Given, Trust::Unjudged),
            (_, Holds::No) => never = Some(words(it)),
            _ => unjudged = Some(words(it)),
        }
    }
    let never = never.map_or(Trust::Refused, Trust::Never);
    unjudged.map_or(never, Trust::Unjudged)
}

/// Judges whether these policies allow the use, as far as they are known by name.
fn permissions(
    name: &RoleName,
    policies: &RolePolicies,
    is_bounded: bool,
    to: Use,
) -> Option<Problem> {
    let depends = |on: &str| {
        let what = format!("whether the role `{name}` may {}, which depends on {on}", to.words());
        Some(Problem::Unjudged(what))
    };
    let is_enough =
        policies.attached.iter().filter_map(|it| managed(it)).any(|it| to.enough().contains(&it));
    let is_known = |arn: &&String| managed(arn).is_some_and(|it| KNOWN.contains(&it));
    let strange = policies.attached.iter().find(|it| !is_known(it));
    let strange = strange.map(|it| name_in(it));
    let own = policies.own.iter().find(|(_, it)| !denies_passing_only(it));
    let own = own.map(|(name, _)| name.as_str());
    match strange.or(own) {
        _ if is_bounded => depends("its permissions boundary"),
        Some(policy) => depends(&format!("its policy `{policy}`")),
        None if is_enough => None,
        None => Some(match to {
            Use::Backups => Problem::Powerless(name.clone()),
            Use::Index => Problem::NotIndexing(name.clone()),
        }),
    }
}

/// Returns the name of a policy, if it is an AWS managed policy.
fn managed(arn: &str) -> Option<&str> {
    Arn::parse(arn).ok().filter(|it| it.account == "aws").map(|it| it.name())
}

/// Returns `true` if a policy only denies passing roles, as the policies of the templates do.
fn denies_passing_only(policy: &str) -> bool {
    let policy = serde_json::from_str::<Value>(policy).unwrap_or_default();
    let mut statements = statements(&policy);
    statements.all(|it| {
        it.denies() && it.actions().is_some_and(|it| it.iter().all(|it| it == NOT_FOR_BACKUPS))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ACCOUNT: &str = "111122223333";

    fn said(trust: &Value, policies: RolePolicies, is_bounded: bool) -> Vec<String> {
        let role = Role {
            arn: format!("arn:aws:iam::{ACCOUNT}:role/path/maker"),
            trust: trust.to_string(),
            is_bounded,
            policies: Ok(policies),
        };
        let problems = check_role(&"maker".parse().unwrap(), Some(&role));
        let sign = |it: &Problem| if it.is_certain() { "!" } else { "?" };
        problems.iter().map(|it| format!("{} {it}", sign(it))).collect()
    }

    /// Returns the lines about a role with this trust policy that may do everything.
    fn trusting(statements: &Value) -> Vec<String> {
        let attached = vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()];
        let policies = RolePolicies { attached, ..RolePolicies::default() };
        said(&json!({ "Version": "2012-10-17", "Statement": statements }), policies, false)
    }

    /// Returns the lines about a role that trusts AWS Backup and has these policies.
    fn having(attached: &[&str], own: &[(&str, Value)]) -> Vec<String> {
        let trust = json!({ "Statement": grant(&json!(null)) });
        let own = own.iter().map(|(name, it)| ((*name).to_owned(), it.to_string()));
        let attached = attached.iter().map(|it| (*it).to_owned()).collect();
        said(&trust, RolePolicies { attached, own: own.collect() }, false)
    }

    fn statement(effect: &str, principal: &Value, action: &Value) -> Value {
        json!({ "Effect": effect, "Principal": principal, "Action": action })
    }

    /// A statement that lets AWS Backup in under this condition.
    fn grant(condition: &Value) -> Value {
        let principal = json!({ "Service": "backup.amazonaws.com" });
        let mut grant = statement("Allow", &principal, &json!("sts:AssumeRole"));
        if !condition.is_null() {
            grant["Condition"] = condition.clone();
        }
        grant
    }

    const REFUSED: &str = "! the role `maker` does not trust AWS Backup";

    #[test]
    fn a_role_is_trusted_by_whoever_names_the_service_and_the_action() {
        let backup = json!({ "Service": "backup.amazonaws.com" });
        let several = json!({ "Service": ["ec2.amazonaws.com", "backup.amazonaws.com"] });
        for (principal, action) in [
            (&backup, json!("sts:AssumeRole")),
            (&several, json!(["sts:TagSession", "sts:AssumeRole"])),
            (&backup, json!("sts:*")),
            (&json!("*"), json!("STS:AssumeRole")),
        ] {
            let one = statement("Allow", principal, &action);
            assert_eq!(trusting(&one), [""; 0], "{one}");
            let other = statement("Allow", &json!("*"), &json!("sts:TagSession"));
            assert_eq!(trusting(&json!([other, one])), [""; 0]);
        }
    }

    #[test]
    fn a_role_is_not_trusted_by_others_or_for_something_else_or_against_a_denial() {
        let backup = json!({ "Service": "backup.amazonaws.com" });
        let assume = json!("sts:AssumeRole");
        for refusing in [
            json!([]),
            statement("Allow", &json!({ "Service": "ec2.amazonaws.com" }), &assume),
            statement("Allow", &json!({ "AWS": ACCOUNT }), &assume),
            statement("Allow", &backup, &json!("sts:TagSession")),
            statement("Deny", &backup, &assume),
            json!([grant(&json!(null)), statement("Deny", &json!("*"), &json!("sts:*"))]),
        ] {
            assert_eq!(trusting(&refusing), [REFUSED], "{refusing}");
        }
    }

    #[test]
    fn a_condition_is_met_never_met_or_not_judged() {
        let own = json!({ "StringEquals": { "aws:SourceAccount": ACCOUNT } });
        let other = json!({ "StringEquals": { "AWS:SourceAccount": ["444455556666"] } });
        let strange = json!({ "DateLessThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" } });
        assert_eq!(trusting(&grant(&own)), [""; 0]);
        let never = r#"! the role `maker` does not trust AWS Backup, since nothing meets the condition {"StringEquals":{"AWS:SourceAccount":["444455556666"]}}"#;
        assert_eq!(trusting(&grant(&other)), [never]);
        let unjudged = r#"? not looked at: whether the role `maker` trusts AWS Backup, which depends on the condition {"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#;
        assert_eq!(trusting(&grant(&strange)), [unjudged]);
        // One way in is enough.
        assert_eq!(trusting(&json!([grant(&other), grant(&strange), grant(&own)])), [""; 0]);
        // Other conditions may or may not be met; one that is not met does not make up for others.
        let both = json!({ "StringEquals": { "aws:SourceAccount": "1" }, "Bool": { "x": "true" } });
        assert!(
            trusting(&grant(&both))[0]
                .starts_with("! the role `maker` does not trust AWS Backup, since")
        );
    }

    #[test]
    fn a_denial_counts_unless_its_condition_is_not_met() {
        let deny = |condition: Value| {
            let mut deny = grant(&condition);
            deny["Effect"] = json!("Deny");
            json!([grant(&json!(null)), deny])
        };
        let account = |it: &str| json!({ "StringNotEquals": { "aws:SourceAccount": it } });
        assert_eq!(trusting(&deny(account(ACCOUNT))), [""; 0]);
        assert_eq!(trusting(&deny(account("444455556666"))), [REFUSED]);
        let unknown = json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-1" } });
        assert!(trusting(&deny(unknown))[0].starts_with("? not looked at: whether the role"));
        let others = json!({ "Effect": "Deny", "NotPrincipal": {}, "Action": "sts:AssumeRole" });
        let said = trusting(&json!([grant(&json!(null)), others]));
        assert!(said[0].ends_with("depends on the exclusions of a statement"), "{said:?}");
    }

    #[test]
    fn the_policies_that_aws_manages_are_known_by_their_names() {
        let service = "arn:aws-cn:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor";
        let (backup, restores) =
            (&format!("{service}Backup")[..], &format!("{service}Restores")[..]);
        let s3 = "arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Backup";
        assert_eq!(having(&[backup, restores], &[]), [""; 0]);
        assert_eq!(having(&[s3], &[]), [""; 0]);
        let powerless = "! the role `maker` has no permission to make backups";
        assert_eq!(having(&[], &[]), [powerless]);
        assert_eq!(having(&[restores], &[]), [powerless]);
        // One of that name that somebody else made may say anything.
        let forged = "arn:aws:iam::111122223333:policy/AWSBackupServiceRolePolicyForBackup";
        let unjudged = |policy: &str| {
            format!(
                "? not looked at: whether the role `maker` may make backups, which depends on its \
                 policy `{policy}`"
            )
        };
        let name = "AWSBackupServiceRolePolicyForBackup";
        assert_eq!(having(&[forged], &[]), [unjudged(name)]);
        // It may take away what the other one gives.
        assert_eq!(having(&[backup, forged], &[]), [unjudged(name)]);
        let deny_all = "arn:aws:iam::aws:policy/AWSDenyAll";
        assert_eq!(having(&[backup, deny_all], &[]), [unjudged("AWSDenyAll")]);
    }

    #[test]
    fn what_is_denied_to_a_role_may_keep_it_from_making_backups() {
        let backup = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup";
        let policy = |effect: &str, action: &str| json!({ "Statement": [{ "Effect": effect, "Action": action, "Resource": "*" }] });
        assert_eq!(having(&[backup], &[("scans", policy("Deny", "iam:PassRole"))]), [""; 0]);
        for own in [policy("Deny", "*"), policy("Deny", "ec2:CreateSnapshot"), policy("Allow", "x")]
        {
            let said = having(&[backup], &[("mine", own)]);
            assert!(said[0].ends_with("depends on its policy `mine`"), "{said:?}");
        }
        let except = json!({ "Statement": { "Effect": "Deny", "NotAction": "iam:PassRole" } });
        assert!(having(&[backup], &[("mine", except)])[0].starts_with("? not looked at"));
    }

    #[test]
    fn a_role_indexes_backups_only_with_the_policy_for_it() {
        let indexing = |attached: &[&str], policies: Option<&str>| {
            let attached = attached.iter().map(|it| (*it).to_owned()).collect();
            let policies = policies.map_or_else(
                || Ok(RolePolicies { attached, ..RolePolicies::default() }),
                |why| Err(why.to_owned()),
            );
            let arn = format!("arn:aws:iam::{ACCOUNT}:role/maker");
            let role = Role { arn, trust: String::new(), is_bounded: false, policies };
            check_indexing(&"maker".parse().unwrap(), &role).map(|it| it.to_string())
        };
        let aws = "arn:aws:iam::aws:policy";
        let service = format!("{aws}/service-role/AWSBackupServiceRolePolicyFor");
        let (backup, index) = (&format!("{service}Backup")[..], &format!("{service}Indexing")[..]);
        assert_eq!(indexing(&[backup, index], None), None);
        assert_eq!(indexing(&[&format!("{aws}/AdministratorAccess")], None), None);
        let lacks = "the role `maker` has no permission to index backups";
        assert_eq!(indexing(&[backup], None).as_deref(), Some(lacks));
        let strange = "not looked at: whether the role `maker` may index backups, which depends on \
                       its policy `mine`";
        let mine = format!("arn:aws:iam::{ACCOUNT}:policy/mine");
        assert_eq!(indexing(&[index, &mine], None).as_deref(), Some(strange));
        assert_eq!(indexing(&[], Some("AccessDenied")), None, "it is told of backups");
    }

    #[test]
    fn a_boundary_and_what_was_not_read_are_told() {
        let trust = json!({ "Statement": grant(&json!(null)) });
        let attached = vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()];
        let said = said(&trust, RolePolicies { attached, ..RolePolicies::default() }, true);
        assert!(said[0].ends_with("depends on its permissions boundary"), "{said:?}");
        let unread = Role {
            arn: "arn:aws:iam::111122223333:role/maker".to_owned(),
            trust: trust.to_string(),
            is_bounded: false,
            policies: Err("AccessDenied".to_owned()),
        };
        let problems = check_role(&"maker".parse().unwrap(), Some(&unread));
        let words: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["not looked at: what the role `maker` may do: AccessDenied"]);
        let missing = check_role(&"maker".parse().unwrap(), None);
        assert_eq!(missing, [Problem::NoRole("maker".parse().unwrap())]);
    }
}
