//! Advice about what AWS says.

use plan::id::AccountId;
use plan::member_accounts::{CopySource, admits_copies};

use super::command::{JobCommand, RestoringCommand};

/// A trouble of a job, by what its message is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JobTrouble {
    /// Somebody else restores the same with other settings.
    Rival,
    /// A job is in a state that this program does not know.
    Unclear,
    /// An earlier run restored it, and what that made is gone.
    Gone,
    /// Another backup of the resource is made at the moment.
    Busy,
    /// A role may not be passed.
    PassRole,
    /// There is something of the name.
    NameTaken,
    /// A quota is used up: this one, if its code is known.
    Quota(Option<&'static str>),
    /// As many jobs or requests are at work as there may be.
    TooMany,
    /// AWS has no room for it.
    Capacity,
    /// A key cannot be used.
    Key,
    /// A part of a network is not there.
    Network,
    /// The access policy of a vault does not admit somebody.
    VaultPolicy,
    /// Something else is denied.
    Denied,
    /// The recovery point cannot be used.
    Point,
    /// Nothing here knows the message.
    Other,
}

/// The quotas of services, by the codes of their errors. A code comes before one that is part of it.
const QUOTAS: [(&str, &str); 11] = [
    ("vcpulimitexceeded", "vCPUs of instances in EC2"),
    ("instancelimitexceeded", "instances in EC2"),
    ("volumelimitexceeded", "storage of volumes in EBS"),
    ("maxiopslimitexceeded", "IOPS of volumes in EBS"),
    ("storagequotaexceeded", "storage of DB instances in RDS"),
    ("instancequotaexceeded", "DB instances in RDS"),
    ("dbclusterquotaexceeded", "DB clusters in RDS"),
    ("clusterquotaexceeded", "clusters in Redshift"),
    ("numberofnodesquotaexceeded", "nodes in Redshift"),
    ("toomanybuckets", "buckets in S3"),
    ("filesystemlimitexceeded", "file systems in EFS"),
];

/// The words of the messages of each trouble, in the order in which they are looked for.
const WORDS: [(&[&str], JobTrouble); 10] = [
    (&["passrole", "instance profile"], JobTrouble::PassRole),
    (&["already exist", "is in use", "already owned"], JobTrouble::NameTaken),
    (
        &[
            "insufficient capacity",
            "insufficientinstancecapacity",
            "insufficientvolumecapacity",
            "insufficientdbinstancecapacity",
            "insufficientdbclustercapacity",
            "insufficientstorageclustercapacity",
        ],
        JobTrouble::Capacity,
    ),
    (&["limitexceededexception"], JobTrouble::TooMany),
    (&["quota", "limit", "exceed"], JobTrouble::Quota(None)),
    (&["kms", "encryption key", "key policy"], JobTrouble::Key),
    (&["subnet", "vpc", "security group", "availability zone"], JobTrouble::Network),
    (
        &["access policy", "copyintobackupvault", "copyfrombackupvault", "organization"],
        JobTrouble::VaultPolicy,
    ),
    (&["not authorized", "access denied", "accessdenied", "permission"], JobTrouble::Denied),
    (&["recovery point"], JobTrouble::Point),
];

impl JobTrouble {
    /// Every trouble.
    pub const ALL: [Self; 16] = [
        Self::Rival,
        Self::Unclear,
        Self::Gone,
        Self::Busy,
        Self::PassRole,
        Self::NameTaken,
        Self::Quota(None),
        Self::Quota(Some("buckets in S3")),
        Self::TooMany,
        Self::Capacity,
        Self::Key,
        Self::Network,
        Self::VaultPolicy,
        Self::Denied,
        Self::Point,
        Self::Other,
    ];

    /// The trouble of a job that failed with this message of AWS.
    pub fn of(message: &str) -> Self {
        let message = message.to_ascii_lowercase();
        if let Some(quota) = QUOTAS.iter().find(|it| message.contains(it.0)) {
            return Self::Quota(Some(quota.1));
        }
        let fits = |words: &[&str]| words.iter().any(|it| message.contains(it));
        WORDS.iter().find(|it| fits(it.0)).map_or(Self::Other, |it| it.1)
    }

    /// Returns what to do about it, in the options of a command.
    pub fn hint(self, by: JobCommand<'_>) -> String {
        // A backup is another one at another moment, and needs no word that tells it apart.
        let (again, restoring) = match by {
            JobCommand::Backup => ("run again", None),
            JobCommand::Restoring(by) => ("run again with --again 2", Some(by)),
        };
        let correct = || match by {
            JobCommand::Backup => "correct what AWS says, then run again".to_owned(),
            JobCommand::Restoring(_) => {
                format!("correct what AWS says, then {again}: the job is not repeated")
            }
        };
        match (self, restoring) {
            (Self::Rival, _) => format!(
                "talk to those who began it and wait for it, or {again} to restore it once more"
            ),
            (Self::Unclear, _) => {
                format!("look at the job in AWS Backup, or {again} to begin another")
            }
            (Self::Gone, Some(_)) => format!("{again} to restore it once more"),
            (Self::Busy, _) => "wait until it ends, then run again".to_owned(),
            (Self::PassRole, None) => {
                "let your role pass the one that backs up, or name another with --role".to_owned()
            }
            (Self::PassRole, Some(_)) => "name the role in RestoreInstanceRoleNames of \
                                          member-account.yaml, or restore without it"
                .to_owned(),
            (Self::NameTaken, Some(by)) => by.own("name another with --name", "--name …"),
            (Self::Quota(Some(quota)), _) => {
                format!("raise the quota of {quota}, or free what uses it up, then {again}")
            }
            (Self::Quota(None), _) => {
                format!("raise the quota or free what uses it up, then {again}")
            }
            (Self::TooMany, Some(RestoringCommand::Recover { .. })) => format!(
                "wait until other jobs there end, or name a lower --concurrency, then {again}"
            ),
            (Self::TooMany, _) => {
                format!("wait until other jobs there end, or raise their quota, then {again}")
            }
            (Self::Capacity, None) => format!("wait until AWS has room for it, then {again}"),
            (Self::Capacity, Some(_)) => format!(
                "wait until AWS has room for it, or name another Availability Zone or size with --set, \
                 then {again}"
            ),
            (Self::Key, _) => "let the key policy allow the account and AWSServiceRoleForBackup \
                               there, and see whether the key is enabled"
                .to_owned(),
            (Self::Network, Some(by)) => format!(
                "name a network that is there with --set, as in {}",
                by.set("EC2", "SubnetId")
            ),
            (Self::VaultPolicy, _) => "let the access policy of the vault admit the account, and \
                                       keep both in one organization"
                .to_owned(),
            (Self::Denied, _) => {
                "let the role do it, and see whether a service control policy denies it".to_owned()
            }
            (Self::Point, Some(_)) => {
                "take another recovery point that `org-backup points` shows".to_owned()
            }
            (Self::Gone | Self::NameTaken | Self::Network | Self::Point, None)
            | (Self::Other, _) => correct(),
        }
    }
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
    use crate::Destination;

    #[test]
    fn a_failure_is_answered_by_what_it_is_about() {
        let advice = |message| {
            JobTrouble::of(message).hint(JobCommand::Restoring(RestoringCommand::Restore))
        };
        let pass = "User is not authorized to perform: iam:PassRole on resource web";
        assert!(advice(pass).contains("RestoreInstanceRoleNames"));
        assert!(advice("DB Instance already exists").contains("--name"));
        assert!(advice("You have exceeded your quota of instances").contains("quota"));
        assert!(advice("The KMS key is disabled").contains("key policy"));
        assert!(advice("The subnet ID does not exist").contains("--set SubnetId=…"));
        assert!(advice("Access Denied trying to call AWS Backup service").contains("the role"));
        assert!(advice("Recovery point arn:… does not exist.").contains("org-backup points"));
        let restore = JobCommand::Restoring(RestoringCommand::Restore);
        assert!(JobTrouble::Rival.hint(restore).contains("--again 2"));
        let unclear = "look at the job in AWS Backup, or run again with --again 2 to begin another";
        assert_eq!(JobTrouble::Unclear.hint(restore), unclear);
        assert!(advice("Tea is cold").contains("--again"));
    }

    #[test]
    fn a_quota_that_is_used_up_is_named() {
        let restore = JobCommand::Restoring(RestoringCommand::Restore);
        for (message, quota) in [
            ("Launching it failed (Error Code: VcpuLimitExceeded)", "vCPUs of instances in EC2"),
            ("VolumeLimitExceeded: no room", "storage of volumes in EBS"),
            ("You exceed it (Error Code: StorageQuotaExceeded)", "storage of DB instances in RDS"),
            ("InstanceQuotaExceeded", "DB instances in RDS"),
            ("DBClusterQuotaExceededFault", "DB clusters in RDS"),
            ("ClusterQuotaExceeded", "clusters in Redshift"),
            ("TooManyBuckets: as many as there may be", "buckets in S3"),
            ("FileSystemLimitExceeded", "file systems in EFS"),
        ] {
            let told = JobTrouble::of(message).hint(restore);
            let meant = format!("raise the quota of {quota}, or free what uses it up, then run");
            assert!(told.starts_with(&meant), "{message}: {told}");
        }
        let many = JobTrouble::of("LimitExceededException: there are as many jobs as can be");
        assert!(many.hint(restore).starts_with("wait until other jobs there end"));
        let room = JobTrouble::of("InsufficientInstanceCapacity: none in this zone");
        assert!(room.hint(restore).contains("another Availability Zone"));
        assert!(!room.hint(JobCommand::Backup).contains("--set"));
    }

    #[test]
    fn a_failure_is_answered_with_the_options_of_the_command() {
        let goal = Destination {
            account: "444455556666".parse().unwrap(),
            region: "eu-west-1".parse().unwrap(),
            name: "org-backup".parse().unwrap(),
        };
        let point = "arn:aws:backup:eu-west-1:777788889999:recovery-point:1";
        let recover = JobCommand::Restoring(RestoringCommand::Recover { point, goal: &goal });
        let advice = |message, by| JobTrouble::of(message).hint(by);
        assert_eq!(
            advice("Table already exists: carts", recover),
            format!(
                "restore it alone: `org-backup restore {point} --account 444455556666 --region \
                 eu-west-1 --name …`"
            )
        );
        let network = advice("The subnet ID does not exist", recover);
        assert!(network.contains("--set EC2.SubnetId=…"), "{network}");
        for it in JobTrouble::ALL {
            let told = it.hint(JobCommand::Backup);
            assert!(it == JobTrouble::Rival || !told.contains("restore"), "{told}");
        }
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
