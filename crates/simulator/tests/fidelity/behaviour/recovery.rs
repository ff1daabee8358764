//! Backups, copies and restores that are asked for over HTTP, by whom may.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{AccountState, BackupQuotas, DataServices, Flaw, Role, Settings, Simulator, Vault};

use super::start;
use crate::support::nights::{self, KEY, ROLE, VAULT};
use crate::support::{Client, Reply};

const MANAGEMENT: &str = "111122223333";
const REGION: &str = "us-east-1";
/// The vault that what is fetched back goes to.
const FETCHED: &str = "fetched";

/// An organization in which a volume was backed up and copied.
struct World {
    simulator: Simulator,
    client: Client,
    /// The account that is lost, the one that has the copies, and the one that gets them.
    lost: String,
    central: String,
    new: String,
    volume: String,
}

impl World {
    async fn start() -> Self {
        let (simulator, client) = start(Settings::default()).await;
        let accounts: Vec<_> = simulator.organization(|it| {
            let active = it.accounts().filter(|it| it.state == AccountState::Active);
            active.filter(|it| it.id != MANAGEMENT).map(|it| it.id.clone()).collect()
        });
        let (lost, new) = (accounts[0].clone(), accounts[1].clone());
        let copies = nights::protect(&simulator, &[REGION]);
        let central = copies.split(':').nth(4).unwrap().to_owned();
        let volume = nights::volume(&lost, REGION);
        simulator.put_resource(nights::resource(&volume, &lost, REGION, "gold"));
        nights::pass(&simulator, 1);
        let admits = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{central}:root") },
            "Action": "backup:CopyIntoBackupVault", "Resource": "*",
        }] });
        let key = format!("arn:aws:kms:$region:$account:key/{KEY}");
        let vault = Vault::new(FETCHED).key(&key).access_policy(&admits);
        simulator.backup(|it| it.vaults_mut().create(&new, REGION, vault));
        Self { simulator, client, lost, central, new, volume }
    }

    /// Sends what asks for something.
    async fn ask(&self, account: &str, path: &str, body: &Value) -> Reply {
        self.client.key(account).rest("backup", "PUT", path, &body.to_string()).await
    }

    async fn get(&self, account: &str, path: &str) -> Value {
        let reply = self.client.key(account).rest("backup", "GET", path, "").await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.json()
    }

    /// Returns the ARN of the newest recovery point in a vault.
    async fn newest(&self, account: &str, vault: &str) -> String {
        let points = self.get(account, &format!("/backup-vaults/{vault}/recovery-points")).await;
        let points = points["RecoveryPoints"].as_array().unwrap();
        points.last().unwrap()["RecoveryPointArn"].as_str().unwrap().to_owned()
    }

    fn pass(&self) {
        self.simulator.let_go_by(Duration::from_mins(10));
    }

    fn role(account: &str) -> String {
        format!("arn:aws:iam::{account}:role/{ROLE}")
    }

    /// Returns the request that copies the newest copy back.
    async fn fetching(&self) -> Value {
        json!({
            "RecoveryPointArn": self.newest(&self.central, "copies").await,
            "SourceBackupVaultName": "copies",
            "DestinationBackupVaultArn":
                format!("arn:aws:backup:{REGION}:{}:backup-vault:{FETCHED}", self.new),
            "IamRoleArn": Self::role(&self.central),
        })
    }

    /// Fetches the newest copy back and returns what became of the job.
    async fn fetch(&self) -> Value {
        let started = self.ask(&self.central, "/copy-jobs", &self.fetching().await).await;
        assert_eq!(started.status, 200, "{}", started.body);
        self.pass();
        let id = started.json()["CopyJobId"].as_str().unwrap().to_owned();
        self.get(&self.central, &format!("/copy-jobs/{id}")).await["CopyJob"].clone()
    }

    fn restoring(&self, point: &str) -> Value {
        json!({
            "RecoveryPointArn": point,
            "IamRoleArn": Self::role(&self.new),
            "Metadata": { "availabilityZone": format!("{REGION}a"), "encrypted": "true" },
            "CopySourceTagsToRestoredResource": true,
        })
    }
}

#[tokio::test]
async fn an_account_is_lost_and_its_volume_comes_back_in_another() {
    let world = World::start().await;
    world.simulator.lose_account(&world.lost);
    assert_eq!(world.simulator.resources(), []);
    let copy = world.fetch().await;
    assert_eq!(copy["State"], "COMPLETED", "{copy}");
    let point = world.newest(&world.new, FETCHED).await;
    assert_eq!(copy["DestinationRecoveryPointArn"], json!(point));
    let started = world.ask(&world.new, "/restore-jobs", &world.restoring(&point)).await;
    let id = started.json()["RestoreJobId"].as_str().unwrap().to_owned();
    let path = format!("/restore-jobs/{id}");
    assert_eq!(world.get(&world.new, &path).await["Status"], "RUNNING");
    world.pass();
    let job = world.get(&world.new, &path).await;
    assert_eq!(
        (&job["Status"], &job["SourceResourceArn"]),
        (&json!("COMPLETED"), &json!(world.volume))
    );
    let made = job["CreatedResourceArn"].as_str().unwrap();
    let [found] = world.simulator.resources().try_into().unwrap();
    assert_eq!((found.arn.as_str(), &found.account), (made, &world.new));
    assert_eq!(found.tags["tier"], "gold");
    let listed = world.get(&world.new, "/restore-jobs").await;
    assert_eq!(listed["RestoreJobs"][0]["RestoreJobId"], json!(id));
    // The tag has the policy back it up again.
    nights::pass(&world.simulator, 1);
    let protected = world.get(&world.new, "/resources").await;
    let arns: Vec<_> = protected["Results"].as_array().unwrap().iter().collect();
    assert!(arns.iter().any(|it| it["ResourceArn"] == made), "{protected}");
}

#[tokio::test]
async fn the_services_that_hold_data_tell_of_what_was_restored() {
    let world = World::start().await;
    world.fetch().await;
    let services = DataServices::start(&world.simulator).await.unwrap();
    let point = world.newest(&world.new, FETCHED).await;
    let asked = world.ask(&world.new, "/restore-jobs", &world.restoring(&point)).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    world.pass();
    let job = world.simulator.restore_jobs().pop().unwrap();
    let made = job.made.unwrap();
    let role = Role::trusting_account("looker", MANAGEMENT);
    world.simulator.iam(|it| it.create_role(&world.new, role));
    let key = world.simulator.session(&format!("arn:aws:iam::{}:role/looker", world.new), "look");
    let client = Client { url: services.url().to_owned(), ..world.client.key(&key) };
    let volume = made.rsplit('/').next().unwrap();
    let form = format!("Action=DescribeVolumes&Version=2016-11-15&VolumeId.1={volume}");
    let told = client.form("ec2", &form).await;
    assert!(told.body.contains("<size>1</size>"), "{}", told.body);
    let snapshot = point.rsplit('/').next().unwrap();
    let form = format!("Action=DescribeSnapshots&Version=2016-11-15&SnapshotId.1={snapshot}");
    let told = client.form("ec2", &form).await;
    assert!(told.body.contains("<volumeSize>1</volumeSize>"), "{}", told.body);
    let form = "Action=DescribeVolumes&Version=2016-11-15&VolumeId.1=vol-none";
    assert_eq!(client.form("ec2", form).await.status, 400);
}

#[tokio::test]
async fn what_is_asked_for_needs_the_action_and_a_role_that_may_be_passed() {
    let world = World::start().await;
    let own = world.newest(&world.lost, VAULT).await;
    let vault = format!("arn:aws:backup:{REGION}:{}:backup-vault:{VAULT}", world.lost);
    let role = World::role(&world.lost);
    let backup = json!({
        "BackupVaultName": VAULT, "ResourceArn": world.volume, "IamRoleArn": role,
    });
    let copy = json!({
        "RecoveryPointArn": own, "SourceBackupVaultName": VAULT, "IamRoleArn": role,
        "DestinationBackupVaultArn": vault.replace(VAULT, "other"),
    });
    let restore = json!({
        "RecoveryPointArn": own, "IamRoleArn": role,
        "Metadata": { "availabilityZone": format!("{REGION}a") },
    });
    for (path, action, resource, body) in [
        ("/backup-jobs", "backup:StartBackupJob", &vault, &backup),
        ("/copy-jobs", "backup:StartCopyJob", &own, &copy),
        ("/restore-jobs", "backup:StartRestoreJob", &own, &restore),
    ] {
        let ask = async |statements: Value| {
            let policy = json!({ "Version": "2012-10-17", "Statement": statements });
            let role = Role::trusting_account("asker", MANAGEMENT).allowing(&policy);
            world.simulator.iam(|it| it.create_role(&world.lost, role));
            let arn = format!("arn:aws:iam::{}:role/asker", world.lost);
            world.ask(&world.simulator.session(&arn, "ask"), path, body).await
        };
        let start = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
        let pass = |to: &str| {
            json!({ "Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": {
                "StringEquals": { "iam:PassedToService": to },
            } })
        };
        let allowed = ask(json!([start, pass("backup.amazonaws.com")])).await;
        assert_eq!(allowed.status, 200, "{path}: {}", allowed.body);
        for (statements, missing) in [
            (json!([start]), "iam:PassRole"),
            (json!([start, pass("ec2.amazonaws.com")]), "iam:PassRole"),
            (json!([pass("backup.amazonaws.com")]), action),
        ] {
            let refused = ask(statements).await;
            assert_eq!(refused.code(), "AccessDeniedException", "{path}");
            assert!(refused.body.contains(missing), "{path}: {}", refused.body);
        }
    }
}

#[tokio::test]
async fn the_role_that_copies_back_and_the_vault_that_it_copies_from_have_a_say() {
    let world = World::start().await;
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "backup.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }] });
    let allow = |statements: Value| {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        let role = Role::new(ROLE, &trust).allowing(&policy);
        world.simulator.iam(|it| it.create_role(&world.central, role));
    };
    let allowing = |statement: Value| allow(json!([statement]));
    allowing(json!({ "Effect": "Allow", "Action": "backup:CopyIntoBackupVault", "Resource": "*" }));
    let denied = world.fetch().await;
    assert_eq!(denied["State"], "FAILED", "{denied}");
    assert_eq!(denied["StatusMessage"], "Access denied trying to call AWS Backup service.");
    let to = format!("arn:aws:backup:{REGION}:{}:backup-vault:*", world.new);
    let from = json!({ "Effect": "Allow", "Action": "backup:CopyFromBackupVault", "Resource": "*",
        "Condition": { "ForAllValues:ArnLike": { "backup:CopyTargets": to } } });
    allowing(from.clone());
    let lacking = world.fetch().await;
    assert_eq!(lacking["StatusMessage"], "The role does not have permission to make the copy.");
    let snapshot = format!("arn:aws:ec2:{REGION}::snapshot/*");
    let key = format!("arn:aws:kms:{REGION}:*:key/{KEY}");
    let needs = [
        json!({ "Effect": "Allow", "Resource": to,
            "Action": ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"] }),
        json!({ "Effect": "Allow", "Resource": snapshot, "Action": [
            "ec2:CopySnapshot", "ec2:CreateTags", "ec2:DescribeSnapshots", "ec2:DescribeTags",
        ] }),
        json!({ "Effect": "Allow", "Resource": "*", "Action": "ec2:ModifySnapshotAttribute",
            "Condition": { "Null": { "aws:ResourceTag/aws:backup:source-resource": "false" } } }),
        json!({ "Effect": "Allow", "Resource": key, "Action": [
            "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ] }),
        json!({ "Effect": "Allow", "Resource": key, "Action": "kms:CreateGrant",
            "Condition": { "Bool": { "kms:GrantIsForAWSResource": "true" } } }),
    ];
    let all: Vec<_> = needs.into_iter().chain([from]).collect();
    allow(json!(all));
    assert_eq!(world.fetch().await["State"], "COMPLETED");
    let closed = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "backup:CopyFromBackupVault", "Resource": "*",
    }] });
    let key = format!("arn:aws:kms:$region:$account:key/{KEY}");
    let vault = Vault::new("copies").key(&key).access_policy(&closed);
    world.simulator.backup(|it| it.vaults_mut().create(&world.central, REGION, vault));
    assert_eq!(world.fetch().await["State"], "FAILED");
}

#[tokio::test]
async fn keys_regions_and_quotas_say_no() {
    let world = World::start().await;
    let of_central = format!("arn:aws:kms:{REGION}:{}:key/{KEY}", world.central);
    world.simulator.kms(|it| it.keep_from(&of_central, &world.new));
    let failed = world.fetch().await;
    assert_eq!(
        failed["StatusMessage"],
        "The key of the recovery point is not shared with the account."
    );
    world.simulator.regions(|it| it.disable(&world.new, REGION));
    let failed = world.fetch().await;
    assert_eq!(failed["StatusMessage"], "The destination Region is not enabled.");
    world.simulator.limit_backups(BackupQuotas { copies: 0, ..BackupQuotas::default() });
    let refused = world.ask(&world.central, "/copy-jobs", &world.fetching().await).await;
    assert_eq!(refused.code(), "LimitExceededException");
}

#[tokio::test]
async fn a_token_gets_the_same_job_and_a_flaw_or_a_wrong_name_none() {
    let world = World::start().await;
    let mut asked = world.fetching().await;
    asked["IdempotencyToken"] = json!("plan-1");
    let first = world.ask(&world.central, "/copy-jobs", &asked).await.json();
    assert_eq!(world.ask(&world.central, "/copy-jobs", &asked).await.json(), first);
    asked["Lifecycle"] = json!({ "DeleteAfterDays": 90 });
    let other = world.ask(&world.central, "/copy-jobs", &asked).await;
    assert_eq!(other.code(), "InvalidParameterValueException");
    for (member, value, code) in [
        ("Lifecycle", json!({ "DeleteAfterDays": 0 }), "InvalidParameterValueException"),
        (
            "Lifecycle",
            json!({ "DeleteAfterDays": 30, "MoveToColdStorageAfterDays": 7 }),
            "InvalidParameterValueException",
        ),
        ("IamRoleArn", json!(World::role("999999999999")), "InvalidParameterValueException"),
        (
            "RecoveryPointArn",
            json!("arn:aws:ec2:us-east-1::snapshot/snap-1"),
            "ResourceNotFoundException",
        ),
        ("SourceBackupVaultName", json!("nowhere"), "AccessDeniedException"),
    ] {
        let mut asked = world.fetching().await;
        asked[member] = value;
        let refused = world.ask(&world.central, "/copy-jobs", &asked).await;
        assert_eq!(refused.code(), code, "{member}");
    }
    let copy = world.simulator.recovery_points().pop().unwrap();
    world.simulator.flaw(copy.id, Some(Flaw::Partial));
    let refused = world.ask(&world.central, "/copy-jobs", &world.fetching().await).await;
    assert_eq!(refused.code(), "InvalidRequestException");
}

#[tokio::test]
async fn what_is_in_cold_storage_is_told_as_such_and_not_copied() {
    let world = World::start().await;
    let asked = json!({
        "BackupVaultName": VAULT, "ResourceArn": world.volume, "IamRoleArn": World::role(&world.lost),
        "Lifecycle": { "MoveToColdStorageAfterDays": 1, "DeleteAfterDays": 91,
            "OptInToArchiveForSupportedResources": true },
    });
    assert_eq!(world.ask(&world.lost, "/backup-jobs", &asked).await.status, 200);
    world.pass();
    let point = world.newest(&world.lost, VAULT).await;
    let path = format!("/backup-vaults/{VAULT}/recovery-points/{}", point.replace('/', "%2F"));
    let warm = world.get(&world.lost, &path).await;
    assert_eq!((&warm["StorageClass"], &warm["Lifecycle"]), (&json!("WARM"), &asked["Lifecycle"]));
    nights::pass(&world.simulator, 1);
    let cold = world.get(&world.lost, &path).await;
    assert_eq!(cold["StorageClass"], "COLD", "{cold}");
    assert_eq!(cold["CalculatedLifecycle"], warm["CalculatedLifecycle"]);
    assert!(cold["CalculatedLifecycle"]["MoveToColdStorageAt"].is_number(), "{cold}");
    let copy = json!({
        "RecoveryPointArn": point, "SourceBackupVaultName": VAULT,
        "DestinationBackupVaultArn": world.fetching().await["DestinationBackupVaultArn"],
        "IamRoleArn": World::role(&world.lost),
    });
    let refused = world.ask(&world.lost, "/copy-jobs", &copy).await;
    assert_eq!(refused.code(), "InvalidRequestException", "{}", refused.body);
    world.simulator.pace_cold_restores(Duration::from_hours(5));
    let restore = json!({
        "RecoveryPointArn": point, "IamRoleArn": World::role(&world.lost),
        "Metadata": { "availabilityZone": format!("{REGION}a") },
    });
    let started = world.ask(&world.lost, "/restore-jobs", &restore).await.json();
    let path = format!("/restore-jobs/{}", started["RestoreJobId"].as_str().unwrap());
    for (hours, status) in [(4, "RUNNING"), (2, "COMPLETED")] {
        world.simulator.let_go_by(Duration::from_hours(hours));
        assert_eq!(world.get(&world.lost, &path).await["Status"], status);
    }
}

#[tokio::test]
async fn jobs_are_as_long_as_a_test_says_and_tell_how_far_they_are() {
    let world = World::start().await;
    world.simulator.pace_jobs(Duration::from_hours(1), Duration::ZERO);
    let started = world.ask(&world.central, "/copy-jobs", &world.fetching().await).await.json();
    let path = format!("/copy-jobs/{}", started["CopyJobId"].as_str().unwrap());
    world.pass();
    assert_eq!(world.get(&world.central, &path).await["CopyJob"]["State"], "RUNNING");
    let own = world.newest(&world.lost, VAULT).await;
    let mut restore = world.restoring(&own);
    restore["IamRoleArn"] = json!(World::role(&world.lost));
    let started = world.ask(&world.lost, "/restore-jobs", &restore).await.json();
    let path = format!("/restore-jobs/{}", started["RestoreJobId"].as_str().unwrap());
    world.simulator.let_go_by(Duration::from_mins(30));
    let percent = world.get(&world.lost, &path).await["PercentDone"].clone();
    assert!(percent.as_str().unwrap().starts_with("50."), "{percent}");
}
