//! Advice about what AWS says.

use plan::id::AccountId;
use plan::member_accounts::{CopySource, admits_copies};

/// Advice, by words that the messages of failed jobs have.
const ADVICE: [(&[&str], &str); 9] = [
    (
        &["with other settings"],
        "talk to those who began it and wait for it, or run again with --again 2 to restore it once more",
    ),
    (
        &["passrole", "instance profile"],
        "name the role in RestoreInstanceRoleNames of member-account.yaml, or restore without it",
    ),
    (&["already exist", "is in use", "already owned"], "name another with --name"),
    (
        &["quota", "limit", "exceed", "insufficient capacity", "insufficientinstancecapacity"],
        "raise the quota or free what uses it up, then run again with --again 2",
    ),
    (
        &["kms", "encryption key", "key policy"],
        "let the key policy allow the account and AWSServiceRoleForBackup there, and see whether the \
         key is enabled",
    ),
    (
        &["subnet", "vpc", "security group", "availability zone"],
        "name a network that is there with --set, as in --set SubnetId=…",
    ),
    (
        &["access policy", "copyintobackupvault", "copyfrombackupvault", "organization"],
        "let the access policy of the vault admit the account, and keep both in one organization",
    ),
    (
        &["not authorized", "access denied", "accessdenied", "permission"],
        "let the role do it, and see whether a service control policy denies it",
    ),
    (&["recovery point"], "take another recovery point that `org-backup points` shows"),
];

/// Returns what to do about a job that failed with this message.
pub fn advice(message: &str) -> &'static str {
    let message = message.to_ascii_lowercase();
    let fits = |words: &[&str]| words.iter().any(|it| message.contains(it));
    let known = ADVICE.iter().find(|it| fits(it.0)).map(|it| it.1);
    known.unwrap_or("correct what AWS says, then run again with --again 2: the job is not repeated")
}

/// Returns whether the access policy of a vault lets `account` copy into it; `None` where that depends
/// on its place in the organization.
pub fn admits(policy: Option<&str>, partition: &str, account: &AccountId) -> Option<bool> {
    let source = CopySource { organization: "", path: "", partition, account };
    match admits_copies(policy, source) {
        Some(false) if policy.is_some_and(|it| it.contains("PrincipalOrg")) => None,
        judged => judged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_answered_by_what_it_is_about() {
        let pass = "User is not authorized to perform: iam:PassRole on resource web";
        assert!(advice(pass).contains("RestoreInstanceRoleNames"));
        assert!(advice("DB Instance already exists").contains("--name"));
        assert!(advice("You have exceeded your quota of instances").contains("quota"));
        assert!(advice("The KMS key is disabled").contains("key policy"));
        assert!(advice("The subnet ID does not exist").contains("--set"));
        assert!(advice("Access Denied trying to call AWS Backup service").contains("the role"));
        assert!(advice("Recovery point arn:… does not exist.").contains("org-backup points"));
        let other = "the restore job 1 of the same recovery point is running, with other settings";
        assert!(advice(other).contains("--again 2"));
        assert!(advice("Tea is cold").contains("--again"));
    }

    #[test]
    fn an_access_policy_that_asks_for_the_organization_is_not_judged() {
        let account: AccountId = "444455556666".parse().unwrap();
        let policy = |principal: &str, condition: &str| {
            format!(
                r#"{{"Statement": [{{"Effect": "Allow", "Action": "backup:CopyIntoBackupVault",
                "Resource": "*", "Principal": {principal}, "Condition": {condition}}}]}}"#
            )
        };
        let judged = |policy: &str| admits(Some(policy), "aws", &account);
        let root = r#"{"AWS": "arn:aws:iam::444455556666:root"}"#;
        assert_eq!(judged(&policy(root, "{}")), Some(true));
        let other = r#"{"AWS": "arn:aws:iam::111122223333:root"}"#;
        assert_eq!(judged(&policy(other, "{}")), Some(false));
        let ours = r#"{"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}"#;
        assert_eq!(judged(&policy("\"*\"", ours)), None);
        assert_eq!(admits(None, "aws", &account), Some(false), "AWS refuses without a policy");
    }
}
