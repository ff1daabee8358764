//! Who can write what the functions believe: the policies of the state bucket and of its key, held
//! against attacks.

use serde_json::Value;
use simulator::{Asked, Verdict};
use tests::template::Template;

const ACCOUNT: &str = "111122223333";
const BUCKET: &str = "arn:aws:s3:::state-of-ours";

/// The roles of functions, as CloudFormation names them, and the one that has a name.
const FUNCTIONS: [&str; 7] = [
    "org-backup-BackupPolicyRole-1A2B3C",
    "org-backup-GlobalSettingsRole-1A2B3C",
    "org-backup-PolicyTypesRole-1A2B3C",
    "org-backup-ServiceAccessRole-1A2B3C",
    "org-backup-reattach-ReattachRole-1A2B3C",
    "org-backup-member-accounts",
    "org-backup-coverage",
];

/// Others, who may do everything as far as their own policies say.
const OTHERS: [&str; 5] = [
    "Storage",
    "org-backup-restore",
    "org-backup-rollout-JoinersRole-1A2B3C",
    "not-org-backup-PolicyTypesRole-1A2B3C",
    "path/org-backup-member-accounts",
];

/// What has this name in the account, and what it may do by hand.
const ADMINISTRATOR: &str = "breaks-glass";

fn resolved(resource: &str, property: &str) -> Value {
    let template = Template::named("bootstrap.yaml");
    let here = [
        ("AWS::AccountId", ACCOUNT),
        ("AWS::Partition", "aws"),
        ("AWS::StackName", "org-backup"),
        ("ArtifactBucket", "artifacts-of-ours"),
        ("ArtifactPrefix", "org-backup/0123/"),
        ("StateAdministratorRoleArns", "arn:aws:iam::111122223333:role/breaks-glass"),
    ];
    let stack = template.with(&here);
    let found = &template.body["Resources"][resource]["Properties"][property];
    let text = stack.resolve(found).unwrap().to_string();
    serde_json::from_str(&text.replace("StateBucket.Arn", BUCKET)).unwrap()
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// What the policy of the bucket says, which denies or leaves it to IAM.
fn of_bucket(name: &str, action: &str, key: &str) -> Verdict {
    let asked = Asked::new(&role(name), action, &format!("{BUCKET}/{key}"));
    asked
        .with("aws:SecureTransport", "true")
        .judged_by(&resolved("StateBucketPolicy", "PolicyDocument"))
}

fn of_key(name: &str, action: &str) -> Verdict {
    Asked::new(&role(name), action, "*").judged_by(&resolved("StateKey", "KeyPolicy"))
}

#[test]
fn functions_alone_write_state_and_encrypt_it() {
    for name in FUNCTIONS {
        assert_eq!(of_bucket(name, "s3:PutObject", "desired/a"), Verdict::Silent, "{name}");
        assert_ne!(of_key(name, "kms:GenerateDataKey"), Verdict::Denied, "{name}");
    }
    for name in OTHERS {
        for key in
            ["desired/a", "answers/a", "coverage/a", "runs/a", "health/a", "what-comes-next/a"]
        {
            for action in
                ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ReplicateObject"]
            {
                assert_eq!(of_bucket(name, action, key), Verdict::Denied, "{name} {action} {key}");
            }
            assert_eq!(of_bucket(name, "s3:GetObject", key), Verdict::Silent, "{name} {key}");
        }
        for action in ["kms:GenerateDataKey", "kms:Encrypt", "kms:ReEncryptTo", "kms:CreateGrant"] {
            assert_eq!(of_key(name, action), Verdict::Denied, "{name} {action}");
        }
        assert_ne!(of_key(name, "kms:Decrypt"), Verdict::Denied, "{name}");
    }
}

#[test]
fn versions_are_deleted_by_named_administrators_only_and_tickets_by_their_function() {
    let delete = |name: &str, key: &str| of_bucket(name, "s3:DeleteObjectVersion", key);
    for name in FUNCTIONS {
        for key in ["coverage/a", "desired/a", "health/a", "reports/a", "runs/a"] {
            assert_eq!(delete(name, key), Verdict::Denied, "{name} {key}");
        }
        assert_eq!(delete(name, "answers/a"), Verdict::Silent, "{name}");
    }
    assert_eq!(delete(ADMINISTRATOR, "desired/a"), Verdict::Silent);
    // What they write is not believed all the same.
    assert_eq!(of_key(ADMINISTRATOR, "kms:GenerateDataKey"), Verdict::Denied);
}

#[test]
fn changes_of_who_may_write_state_are_told() {
    let template = Template::named("reattach.yaml");
    let names = |rule: &str| -> Vec<String> {
        let pattern = &template.body["Resources"][rule]["Properties"]["EventPattern"]["detail"];
        serde_json::from_value(pattern["eventName"].clone()).unwrap()
    };
    let has = |rule: &str, name: &str| names(rule).contains(&name.to_owned());
    for name in
        ["DeleteBucketPolicy", "PutBucketEncryption", "PutBucketPolicy", "PutBucketVersioning"]
    {
        assert!(has("StateBucketRule", name), "{name}");
    }
    for name in ["DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion"] {
        assert!(has("StateKeyRule", name), "{name}");
    }
}

#[test]
fn no_template_lets_answers_go_to_loopback() {
    for template in Template::all() {
        assert!(!template.body.to_string().contains("ORG_BACKUP_LOOPBACK"), "{}", template.name);
    }
}
