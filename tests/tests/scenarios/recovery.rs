//! `org-backup points`, `backup`, `restore` and `recover`: what is lost comes back.

use std::fs;
use std::process::Command;
use std::time::Duration;

use page::plan;
use serde_json::{Value, json};
use simulator::{CallOutcome, DataServices, Fault, KeyType, RestoreJob, Role, Vault};
use tests::command::{Run, command_beside, ran};
use tests::deploy::repository;
use tests::organization::{Organization, backed_up};
use tests::role::STATE_BUCKET;
use tests::template::Template;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::interval;

use crate::coverage::copy_nightly;
use crate::member_accounts::{MANAGEMENT, role_everywhere};
use crate::report::{admission, attach, protected};

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const NIGHT: Duration = Duration::from_hours(24);

/// An organization in which an account is backed up every night and copied to another one.
pub(crate) struct World {
    pub(crate) organization: Organization,
    /// The services that what was restored is in.
    pub(crate) services: DataServices,
    /// The account that has resources, the one that has the copies, and the one that they come back in.
    pub(crate) lost: String,
    pub(crate) central: String,
    pub(crate) new: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        let organization = protected().await;
        let [lost, central, new] =
            ["production-001", "security-000", "development-005"].map(|it| organization.id(it));
        let copies = format!("arn:aws:backup:{REGION}:{central}:backup-vault:central");
        copy_nightly(&organization, &copies);
        let id = organization.organization(|it| it.id.clone());
        organization.iam(|it| {
            for name in ["org-backup-restore", "org-backup-copy"] {
                it.create_role_everywhere(Role::new(name, &trust("backup.amazonaws.com")));
            }
            for name in ["org-backup-recovery", "org-backup-central-recovery"] {
                it.create_role_everywhere(role_everywhere(name));
            }
        });
        let key = "arn:aws:kms:$region:$account:key/mine";
        let vault = |name| Vault::new(name).key(key).key_type(KeyType::CustomerManaged);
        let back = json!({ "Statement": [{
            "Effect": "Allow", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
            "Principal": { "AWS": format!("arn:aws:iam::{central}:root") },
        }] });
        organization.backup(|it| {
            let vaults = it.vaults_mut();
            vaults.create(&central, REGION, vault("central").access_policy(&admission(&id)));
            vaults.create(&new, REGION, vault("org-backup").access_policy(&back));
        });
        // Jobs take no time here: what the command waits for is there at its first look.
        organization.pace_jobs(Duration::ZERO, Duration::ZERO);
        let services = DataServices::start(&organization).await.unwrap();
        Self { organization, services, lost, central, new }
    }

    /// Puts resources into the account, each with its type, and lets a night pass.
    pub(crate) fn night(&self, resources: &[(&str, &str)]) -> Vec<String> {
        let arns = resources.iter().map(|(kind, resource)| {
            let arn = self.arn(resource);
            let tag = Some(("backup", "daily"));
            self.organization.put_resource(backed_up(&arn, kind, &self.lost, REGION, tag));
            arn
        });
        let arns = arns.collect();
        self.organization.let_go_by(NIGHT);
        arns
    }

    /// The ARN of a resource of the account, by its service and its name, as in `ec2@volume/vol-1`.
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:{}", resource.replace('@', &format!(":{REGION}:{}:", self.lost)))
    }

    /// Has a restore test of the copy of a resource end with this result.
    pub(crate) fn tested(&self, id: &str, kind: &str, resource: &str, result: &str) {
        let made = format!("{resource}-of-test");
        let (source, result) =
            (Some(resource.to_owned()), Some((result.to_owned(), String::new())));
        let job = RestoreJob { source, result, ..RestoreJob::test(kind, &made) };
        let jobs = (self.central.as_str(), REGION);
        self.organization.backup(|it| it.restore_jobs_mut().create(jobs.0, jobs.1, id, job));
    }

    /// The moment, as `--at` takes it.
    pub(crate) fn now(&self) -> String {
        let now = OffsetDateTime::from(self.organization.clock());
        now.replace_nanosecond(0).unwrap().format(&Rfc3339).unwrap()
    }

    /// The ARN of the vault that has the copies.
    pub(crate) fn copies(&self) -> String {
        format!("arn:aws:backup:{REGION}:{}:backup-vault:central", self.central)
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        ran(&self.organization, self.command(arguments)).await
    }

    /// The command with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command_beside(&self.organization, &self.services, MANAGEMENT);
        command.args(arguments).env("STATE_BUCKET", STATE_BUCKET);
        command
    }

    /// Waits until an operation was called with success so often.
    pub(crate) async fn reached(&self, operation: &str, count: usize) {
        let mut looks = interval(Duration::from_millis(20));
        while self.count(operation) < count {
            looks.tick().await;
        }
    }

    pub(crate) async fn recover(&self, more: &[&str]) -> Run {
        let arguments = ["recover", "--account", &self.lost, "--into", &self.new];
        self.run(&[&arguments, more].concat()).await
    }

    /// The recovery points of a resource, the newest first.
    pub(crate) async fn points(&self, resource: &str) -> Vec<Value> {
        // The ARN of a bucket names no account.
        let run = self.run(&["points", resource, "--account", &self.lost, "--json"]).await;
        assert_eq!(run.code, 0, "{}", run.notes);
        let printed: Value = serde_json::from_str(&run.printed[0]).unwrap();
        printed.as_array().unwrap().clone()
    }

    /// The ARN of the newest recovery point of a resource that an account holds.
    pub(crate) async fn held(&self, resource: &str, account: &str) -> String {
        let points = self.points(resource).await;
        let point = points.into_iter().find(|it| it["account"] == account).unwrap();
        point["recoveryPoint"].as_str().unwrap().to_owned()
    }

    /// How often an operation was called with success.
    pub(crate) fn count(&self, operation: &str) -> usize {
        let journal = self.organization.journal().into_iter();
        journal.filter(|it| it.operation == operation && it.outcome == CallOutcome::Success).count()
    }

    /// The resources in the account that things come back in, by their types.
    pub(crate) fn came_back(&self) -> Vec<String> {
        let all = self.organization.resources().into_iter();
        let mut kinds: Vec<_> = all.filter(|it| it.account == self.new).map(|it| it.kind).collect();
        kinds.sort();
        kinds
    }
}

/// The trust policy of a role for a service.
fn trust(service: &str) -> Value {
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// What became of each resource, by its ARN.
pub(crate) fn endings(run: &Run) -> Vec<(String, Value)> {
    let printed: Value = serde_json::from_str(&run.printed[0])
        .unwrap_or_else(|it| panic!("{it}: {}\n{}", run.text, run.notes));
    let all = printed.as_array().unwrap().iter();
    all.map(|it| (it["resource"].as_str().unwrap().to_owned(), it["ending"].clone())).collect()
}

#[tokio::test]
async fn a_lost_account_comes_back_in_another_from_the_central_copies() {
    let world = World::start().await;
    let resources = [
        ("EBS", "ec2@volume/vol-1"),
        ("DynamoDB", "dynamodb@table/carts"),
        ("EFS", "elasticfilesystem@file-system/fs-1"),
        ("RDS", "rds@db:ledger"),
    ];
    world.night(&resources);
    world.organization.lose_account(&world.lost);

    // What is not confirmed is only shown.
    let shown = world.recover(&["--set", "RDS.DBSubnetGroupName=default"]).await;
    assert_eq!(shown.code, 0, "{}\n{}", shown.text, shown.notes);
    assert!(
        shown.text.contains("had 4 resources with copies; 4 can be restored"),
        "{}",
        shown.text
    );
    assert!(shown.notes.contains("nothing was done"), "{}", shown.notes);
    assert_eq!(world.count("StartCopyJob") + world.count("StartRestoreJob"), 0);

    let more = ["--set", "RDS.DBSubnetGroupName=default", "--yes", "--json"];
    let run = world.recover(&more).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    for (resource, ending) in endings(&run) {
        assert_eq!(ending["state"], "restored", "{resource}: {ending}");
    }
    assert_eq!(world.came_back(), ["DynamoDB", "EBS", "EFS", "RDS"]);

    // Run again, it joins what it did.
    let (copies, restores) = (world.count("StartCopyJob"), world.count("StartRestoreJob"));
    let again = world.recover(&more).await;
    assert_eq!(again.code, 0, "{}", again.notes);
    assert_eq!((world.count("StartCopyJob"), world.count("StartRestoreJob")), (copies, restores));
    assert_eq!(world.came_back().len(), 4);
}

#[tokio::test]
async fn what_was_restored_is_looked_at_and_told_of() {
    let world = World::start().await;
    let volume = &world.night(&[("EBS", "ec2@volume/vol-1")])[0];
    let point = world.held(volume, &world.lost).await;
    let restoring = ["restore", &point, "--account", &world.lost, "--yes"];
    let good = world.run(&restoring).await;
    assert_eq!(good.code, 0, "{}\n{}", good.text, good.notes);
    assert!(good.text.contains("looked at: volume vol-"), "{}", good.text);
    assert!(good.text.contains("as its source; its data was not read"), "{}", good.text);
    // What cannot be looked at is told, and looked at by the same command.
    world.organization.iam(|it| {
        let backup = json!({ "Effect": "Allow", "Action": ["backup:*", "iam:*"], "Resource": "*" });
        let policy = json!({ "Version": "2012-10-17", "Statement": [backup] });
        let role = Role::trusting_account("org-backup-recovery", MANAGEMENT);
        it.create_role_everywhere(role.allowing(&policy));
    });
    let unseen = world.run(&restoring).await;
    assert_eq!(unseen.code, 2, "{}\n{}", unseen.text, unseen.notes);
    let why = "not looked at: the role lacks ec2:DescribeVolumes: ";
    assert!(unseen.text.contains(why), "{}", unseen.text);
    assert!(unseen.text.contains("hint: run the same command again"), "{}", unseen.text);
    assert_eq!(world.count("StartRestoreJob"), 1);
    let json = world.run(&[&restoring[..], &["--json"]].concat()).await;
    let ending = serde_json::Deserializer::from_str(&json.printed[0]).into_iter::<Value>().last();
    assert_eq!(ending.unwrap().unwrap()["look"]["state"], "unknown", "{}", json.text);
}

#[tokio::test]
async fn what_was_restored_and_deleted_again_is_not_told_to_be_there() {
    let world = World::start().await;
    let volume = &world.night(&[("EBS", "ec2@volume/vol-1")])[0];
    let point = world.held(volume, &world.lost).await;
    let restoring = ["restore", &point, "--account", &world.lost, "--yes"];
    let first = world.run(&restoring).await;
    assert_eq!(first.code, 0, "{}\n{}", first.text, first.notes);
    let all = world.organization.resources().into_iter().map(|it| it.arn);
    let made = all.into_iter().find(|it| it != volume && it.contains(":volume/")).unwrap();
    assert!(world.organization.delete_resource(&made));
    let gone = world.run(&restoring).await;
    assert_eq!(gone.code, 1, "{}\n{}", gone.text, gone.notes);
    for told in ["an earlier run restored it", "made is gone", "run again with --again 2"] {
        assert!(gone.text.contains(told), "{}", gone.text);
    }
    assert_eq!(world.count("StartRestoreJob"), 1);
    let again = world.run(&[&restoring[..], &["--again", "2"]].concat()).await;
    assert_eq!(again.code, 0, "{}\n{}", again.text, again.notes);
    // What is there is joined again.
    let joined = world.run(&restoring).await;
    assert_eq!(joined.code, 0, "{}\n{}", joined.text, joined.notes);
    assert_eq!(world.count("StartRestoreJob"), 2);
}

#[tokio::test]
async fn what_was_restored_and_cannot_be_used_is_told() {
    let world = World::start().await;
    let things = [
        ("Aurora", "rds@cluster:shop"),
        ("EFS", "elasticfilesystem@file-system/fs-1"),
        ("S3", "s3:::reports"),
    ];
    world.night(&things);
    world.services.cluster("shop", "available");
    let set = ["--set", "Aurora.DBSubnetGroupName=default"];
    let set = [&set[..], &["--set", "S3.DestinationBucketName=elsewhere"]].concat();
    let more = [&set[..], &["--yes"]].concat();
    let first = world.recover(&more).await;
    assert_eq!(first.code, 1, "{}\n{}", first.text, first.notes);
    assert!(first.text.contains("restored: 3 of 3"), "{}", first.text);
    let why = "looked at, and not usable: cluster shop is available, but has no instance";
    assert!(first.text.contains(why), "{}", first.text);
    assert!(first.text.contains("make its instances"), "{}", first.text);
    let bucket = "looked at: bucket elsewhere has 1 object of";
    assert!(first.text.contains(bucket), "{}", first.text);
    assert!(first.text.contains("none of them was read"), "{}", first.text);
    // The same command looks again.
    world.services.cluster_with("shop", "available", &[("shop-1", "available")]);
    world.organization.buckets(|it| it.empty("elsewhere"));
    let again = world.recover(&more).await;
    assert_eq!(again.code, 1, "{}\n{}", again.text, again.notes);
    assert!(again.text.contains("looked at: cluster shop is available with"), "{}", again.text);
    let why = "looked at, and not usable: bucket elsewhere has no objects, but its backup has";
    assert!(again.text.contains(why), "{}", again.text);
    assert_eq!(world.count("StartRestoreJob"), 3);
}

#[tokio::test]
async fn what_cannot_be_restored_is_named_with_what_to_do_and_the_rest_comes_back() {
    let world = World::start().await;
    world.night(&[("EC2", "ec2@instance/i-1"), ("EBS", "ec2@volume/vol-1")]);
    let run = world.recover(&["--yes"]).await;
    assert_eq!(run.code, 1, "{}\n{}", run.text, run.notes);
    assert!(run.text.contains("hint: name one with --set EC2.SubnetId=…"), "{}", run.text);
    assert!(run.text.contains("restored: 1 of 2"), "{}", run.text);
    assert_eq!(world.came_back(), ["EBS"]);
}

#[tokio::test]
async fn a_run_that_was_interrupted_goes_on_with_the_jobs_that_it_began() {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    let copy = world.held(&volume, &world.central).await;
    let vault = world.copies();
    let arguments =
        ["restore", &copy, "--from", &vault, "--account", &world.new, "--yes", "--json"];
    world.organization.fail(Fault::error("DescribeCopyJob", "InvalidRequestException"));
    let cut = world.run(&arguments).await;
    assert_eq!(cut.code, 2, "{}\n{}", cut.text, cut.notes);
    assert_eq!((world.count("StartCopyJob"), world.count("StartRestoreJob")), (1, 0));
    let whole = world.run(&arguments).await;
    assert_eq!(whole.code, 0, "{}\n{}", whole.text, whole.notes);
    assert!(whole.notes.contains("joins the copy job"), "{}", whole.notes);
    assert_eq!((world.count("StartCopyJob"), world.count("StartRestoreJob")), (1, 1));
    // Somebody else who does the same joins as well.
    let other = world.run(&arguments).await;
    assert!(other.notes.contains("joins the restore job"), "{}", other.notes);
    assert_eq!(world.came_back(), ["EBS"]);
}

#[tokio::test]
async fn a_table_is_restored_beside_itself_with_a_name_of_its_own() {
    let world = World::start().await;
    let [table] = world.night(&[("DynamoDB", "dynamodb@table/carts")]).try_into().unwrap();
    let own = world.held(&table, &world.lost).await;
    let run = world.run(&["restore", &own, "--yes"]).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    assert!(run.text.contains("makes the DynamoDB table `carts-restored-"), "{}", run.text);
    assert!(run.text.contains("the table is ACTIVE and has items"), "{}", run.text);
    assert_eq!(world.count("StartCopyJob"), 0);
    let taken = world.run(&["restore", &own, "--name", "carts", "--yes"]).await;
    assert_eq!(taken.code, 1, "{}", taken.text);
    assert!(taken.text.contains("hint: name another with --name"), "{}", taken.text);
    let none = world.run(&["restore", &own.replace("recovery-point:", "recovery-point:0")]).await;
    assert_eq!(none.code, 2, "{}", none.text);
}

#[tokio::test]
async fn points_and_copies_are_shown_with_where_they_can_be_restored() {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    let points = world.points(&volume).await;
    let held: Vec<_> =
        points.iter().map(|it| (&it["account"], &it["vault"], &it["status"])).collect();
    assert_eq!(held.len(), 3, "two plans back it up, and one of them copies: {held:?}");
    for it in &points {
        assert_eq!(it["owner"], world.lost);
        assert!(it["restorable"].as_str().unwrap().contains("after a copy"), "{it}");
    }
    let own = points.iter().find(|it| it["account"] == world.lost).unwrap();
    assert_eq!(own["lockedUntil"], own["keptUntil"], "the vault is locked");
    let table = world.run(&["points", "--account", &world.lost, "--format", "csv"]).await;
    assert_eq!(table.text.lines().count(), 4, "{}", table.text);
    let nothing = world.run(&["points", &volume.replace("vol-1", "vol-9")]).await;
    assert_eq!(nothing.code, 1, "{}", nothing.text);
}

#[tokio::test]
async fn vaults_that_nobody_may_read_are_not_told_as_empty() {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    let denied = Fault::error("ListRecoveryPointsByBackupVault", "AccessDeniedException");
    world.organization.fail(denied.forever());
    let listed = world.run(&["points", &volume]).await;
    assert_eq!(listed.code, 2, "{}\n{}", listed.text, listed.notes);
    let unread = listed.notes.lines().filter(|it| it.starts_with("not looked at: ")).count();
    let told = format!(
        "no recovery point was found\naccounts and vaults that could not be looked at: {unread}\n"
    );
    assert!(unread > 0 && listed.text == told, "{unread}: {}\n{}", listed.text, listed.notes);
    let run = world.recover(&["--from", &world.copies()]).await;
    assert_eq!(run.code, 2, "{}\n{}", run.text, run.notes);
    let told = "0 resources with copies were found; 0 can be restored in";
    assert!(run.text.contains(told), "{}", run.text);
    assert!(run.text.ends_with("; vaults that could not be looked at: 1\n"), "{}", run.text);
}

#[tokio::test]
async fn a_copy_is_restored_in_the_account_that_holds_it_with_roles_of_that() {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    world.organization.iam(|it| {
        let restoring = "org-backup-restore-testing";
        it.create_role_everywhere(Role::new(restoring, &trust("backup.amazonaws.com")));
        it.create_role_everywhere(role_everywhere("administrator"));
    });
    let copy = world.held(&volume, &world.central).await;
    let there = ["restore", &copy, "--account", &world.central];
    let roles = ["--role", "org-backup-restore-testing", "--central-role", "administrator"];
    let run = world.run(&[&there[..], &roles, &["--yes"]].concat()).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    assert_eq!(world.count("StartCopyJob"), 0);
    let made = world.organization.resources();
    assert!(made.iter().any(|it| it.account == world.central && it.kind == "EBS"));
}

/// Creates a role of the template for the central account there, if it makes one with these parameters.
fn put_central_role(world: &World, resource: &str, more: &[(&str, &str)]) {
    let template = Template::named("central-backup-account.yaml");
    let organization = world.organization.organization(|it| it.id.clone());
    let given = [
        ("AWS::AccountId", world.central.as_str()),
        ("AWS::Partition", "aws"),
        ("OrganizationId", &organization),
        ("RecoveryPrincipalArn", "arn:aws:iam::111122223333:role/operators"),
    ];
    let stack = template.with(&[&given[..], more].concat());
    let found = &template.body["Resources"][resource];
    if !stack.makes(found) {
        return;
    }
    let property = |name: &str| stack.resolve(&found["Properties"][name]);
    let name = property("RoleName").unwrap();
    let name = name.as_str().unwrap();
    let managed = found["Properties"].get("ManagedPolicyArns").map(|_| {
        // What AWS manages allows what a restore needs.
        let anything = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
        json!({ "Version": "2012-10-17", "Statement": [anything] })
    });
    let role = match managed {
        Some(_) => Role::new(name, &property("AssumeRolePolicyDocument").unwrap()),
        None => Role::trusting_account(name, MANAGEMENT),
    };
    let own = property("Policies").unwrap();
    let own = own.as_array().unwrap().iter().map(|it| it["PolicyDocument"].clone());
    let role = own.chain(managed).fold(role, |role, policy| role.allowing(&policy));
    world.organization.iam(|it| it.create_role(&world.central, role));
}

/// Has every copy that is made from now on move to cold storage after a day, beside those that do not. The
/// roles of the central account are those of its template with these parameters.
pub(crate) fn archive(world: &World, more: &[(&str, &str)]) {
    for resource in ["RestoreRole", "RecoveryRole"] {
        put_central_role(world, resource, more);
    }
    world.organization.kms(|it| it.alias("mine", "alias/central"));
    let mut archiving = plan("archive", &[REGION], 35);
    for rule in archiving["plans"]["archive"]["rules"].as_object_mut().unwrap().values_mut() {
        rule["copy_actions"] = json!({ world.copies(): {
            "target_backup_vault_arn": { "@@assign": world.copies() },
            "lifecycle": {
                "move_to_cold_storage_after_days": { "@@assign": "1" },
                "delete_after_days": { "@@assign": "91" },
            },
        } });
    }
    attach(&world.organization, "archive", &archiving, "production-001");
    // Nobody waits here for the hours that it takes.
    world.organization.pace_cold_restores(Duration::ZERO);
}

/// A table, and a copy of it that is in cold storage. The roles of the central account are those of its
/// template with these parameters.
async fn with_a_cold_copy(more: &[(&str, &str)]) -> (World, String, String) {
    let world = World::start().await;
    archive(&world, more);
    let [table] = world.night(&[("DynamoDB", "dynamodb@table/carts")]).try_into().unwrap();
    world.organization.let_go_by(NIGHT);
    let points = world.points(&table).await;
    let cold = points.iter().find(|it| it["status"] == "cold").unwrap();
    assert_eq!(cold["account"], world.central);
    let copy = cold["recoveryPoint"].as_str().unwrap().to_owned();
    (world, table, copy)
}

#[tokio::test]
async fn a_cold_copy_is_restored_in_the_central_account_with_the_roles_of_its_template() {
    let (world, table, copy) = with_a_cold_copy(&[]).await;
    let refused = world.run(&["restore", &copy, "--account", &world.new, "--yes"]).await;
    assert_eq!(refused.code, 1, "{}\n{}", refused.text, refused.notes);
    let hint = format!("`org-backup restore {copy} --account {} --region {REGION}`", world.central);
    assert!(refused.printed[0].contains(&hint), "{}", refused.text);
    let there = ["restore", &copy, "--account", &world.central, "--region", REGION];
    let shown = world.run(&there).await;
    let role = format!("with arn:aws:iam::{}:role/org-backup-central-restore", world.central);
    assert!(shown.printed[0].contains(&role), "{}\n{}", shown.text, shown.notes);
    assert!(
        shown.text.contains("it is in cold storage, from which a restore takes about 4 hours more")
    );
    assert!(!shown.notes.contains("not looked at"), "{}", shown.notes);
    let run = world.run(&[&there[..], &["--yes"]].concat()).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    assert!(run.printed[0].contains(&format!("{table}: restored as ")), "{}", run.text);
    assert!(run.text.contains("looked at: "), "{}", run.text);
    assert_eq!(world.count("StartCopyJob"), 0);
    let made = world.organization.resources();
    assert!(made.iter().any(|it| it.account == world.central && it.kind == "DynamoDB"));
}

#[tokio::test]
async fn the_role_that_lets_the_command_into_the_vault_that_it_was_named_tells_the_one_for_restores()
 {
    let (world, _, copy) = with_a_cold_copy(&[]).await;
    world.organization.iam(|it| it.delete_role(&world.central, "org-backup-recovery"));
    let vault = world.copies();
    let there = ["restore", &copy, "--from", &vault, "--account", &world.central, "--yes"];
    let run = world.run(&there).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    assert!(run.text.contains("role/org-backup-central-restore"), "{}", run.text);
}

#[tokio::test]
async fn where_the_central_account_restores_nothing_a_cold_copy_is_refused_before_anything_begins()
{
    let (world, _, copy) = with_a_cold_copy(&[("CentralRestores", "false")]).await;
    let there = ["restore", &copy, "--account", &world.central, "--yes"];
    let run = world.run(&there).await;
    assert_eq!(run.code, 1, "{}\n{}", run.text, run.notes);
    let why = format!(
        "there is no role `arn:aws:iam::{}:role/org-backup-central-restore`; hint: ",
        world.central
    );
    assert!(run.printed[0].contains(&why), "{}", run.text);
    assert!(run.text.contains("CentralRestores"), "{}", run.text);
    assert!(!run.notes.contains("not looked at"), "{}", run.notes);
    assert_eq!(world.count("StartRestoreJob"), 0);
    // And may not begin one with another role.
    let other = [&there[..], &["--role", "org-backup-restore"]].concat();
    let run = world.run(&other).await;
    assert_eq!((run.code, world.count("StartRestoreJob")), (1, 0), "{}\n{}", run.text, run.notes);
}

#[tokio::test]
async fn points_and_plans_say_when_a_restore_test_last_proved_a_backup() {
    let world = World::start().await;
    let things =
        [("EBS", "ec2@volume/vol-1"), ("EBS", "ec2@volume/vol-2"), ("RDS", "rds@db:ledger")];
    let [first, second, database] = world.night(&things).try_into().unwrap();
    // Tests of the copies, in the account that has them.
    world.tested("1", "EBS", &first, "SUCCESSFUL");
    world.tested("2", "RDS", &database, "FAILED");
    let proved = "a restore test last proved a backup of it at ";
    let unproved = "no restore test of the last 30 days is known to have proved a backup of it";
    let another = &format!("{unproved}; one of another EBS volume was proved at ");
    for (resource, told) in [(&first, proved), (&second, another), (&database, unproved)] {
        let listed = world.run(&["points", resource]).await;
        let line = listed.text.lines().nth(1).unwrap().trim();
        assert!(line.starts_with(told), "{told}: {}\n{}", listed.text, listed.notes);
        let own = world.held(resource, &world.lost).await;
        let plan = world.run(&["restore", &own, "--account", &world.lost]).await;
        assert!(plan.text.contains(&format!("note: {told}")), "{told}: {}", plan.text);
        assert_eq!(plan.code, 0, "{}", plan.notes);
    }
    // Unread parts are reported, and are no reason not to restore.
    world.organization.fail(Fault::error("ListRestoreJobs", "AccessDeniedException").forever());
    let listed = world.run(&["points", &first]).await;
    assert_eq!(listed.code, 0, "{}", listed.notes);
    assert!(listed.text.contains(unproved), "{}", listed.text);
    assert!(listed.notes.contains("restore tests were not looked at"), "{}", listed.notes);
}

#[tokio::test]
async fn a_backup_on_demand_goes_where_the_policy_says() {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    let before = world.points(&volume).await.len();
    let shown = world.run(&["backup", &volume]).await;
    assert_eq!(shown.code, 0, "{}\n{}", shown.text, shown.notes);
    assert!(shown.text.contains("into the vault `org-backup`"), "{}", shown.text);
    assert!(shown.text.contains("kept for 35 days, by the rule"), "{}", shown.text);
    assert_eq!(world.count("StartBackupJob"), 0);
    let made = world.run(&["backup", &volume, "--yes"]).await;
    assert_eq!(made.code, 0, "{}\n{}", made.text, made.notes);
    assert!(made.text.contains("backed up as arn:"), "{}", made.text);
    assert_eq!(world.points(&volume).await.len(), before + 1);
    let said = ["backup", &volume, "--vault", "org-backup", "--keep-days", "9"];
    let said = world.run(&said).await;
    assert!(said.text.contains("kept for 9 days, by what was named"), "{}", said.text);
}

#[tokio::test]
async fn a_backup_on_demand_joins_the_same_backup_and_no_other() {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    world.organization.pace_jobs(Duration::from_hours(1), Duration::from_hours(1));
    let own = ["backup", &volume, "--yes"];
    let before = world.count("ListBackupJobs");
    let meanwhile = async {
        world.reached("DescribeBackupJob", 1).await;
        // The plan reads the jobs of each vault, and the last list is the one of jobs at work.
        let lists = world.count("ListBackupJobs") - before;
        let other = ["backup", &volume, "--vault", "archive", "--keep-days", "400", "--yes"];
        let other = world.run(&other).await;
        let listed = world.count("ListBackupJobs");
        let end = async {
            world.reached("ListBackupJobs", listed + lists).await;
            world.organization.let_go_by(Duration::from_hours(2));
        };
        (other, tokio::join!(world.run(&own), end).0)
    };
    let (first, (other, same)) = tokio::join!(world.run(&own), meanwhile);
    assert_eq!(first.code, 0, "{}\n{}", first.text, first.notes);
    assert_eq!(other.code, 1, "{}\n{}", other.text, other.notes);
    let told = "not backed up: another backup of it is under way: the backup job ";
    assert!(other.text.contains(told), "{}", other.text);
    assert!(other.text.contains("into the vault `org-backup`"), "{}", other.text);
    assert!(other.text.contains("hint: wait until it ends, then run again"), "{}", other.text);
    assert_eq!(same.code, 0, "{}\n{}", same.text, same.notes);
    assert!(same.notes.contains("joins the backup job"), "{}", same.notes);
    assert_eq!(world.count("StartBackupJob"), 1);
}

#[tokio::test]
async fn an_instance_gets_a_role_with_a_path_if_the_recipe_names_it_and_no_other() {
    let recipe = fs::read_to_string(repository("docs/recipes/ec2-every-night/org.toml")).unwrap();
    let recipe: toml::Table = recipe.parse().unwrap();
    let named = recipe["rollout"]["RestoreInstanceRoleNames"].as_array().unwrap().iter();
    let named: Vec<_> = named.map(|it| it.as_str().unwrap()).collect();
    assert!(named.contains(&"batch/worker"), "{named:?}");
    let named = named.join(",");
    let member = Template::named("member-account.yaml");
    let stack = member.with(&[
        ("MemberAccountsRoleArn", "arn:aws:iam::111122223333:role/org-backup-member-accounts"),
        ("OrganizationId", "o-a1b2c3d4e5"),
        ("RestoreInstanceRoleNames", &named),
    ]);
    let own = &member.body["Resources"]["RestoreRole"]["Properties"]["Policies"][0];
    let own = stack.resolve(&own["PolicyDocument"]).unwrap();
    // The policy that AWS manages allows every role.
    let managed = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let managed = json!({ "Version": "2012-10-17", "Statement": [managed] });
    let world = World::start().await;
    world.organization.iam(|it| {
        let role = Role::new("org-backup-restore", &trust("backup.amazonaws.com"));
        it.create_role_everywhere(role.allowing(&managed).allowing(&own));
        for name in ["worker", "administrator"] {
            let role = Role::new(name, &trust("ec2.amazonaws.com"));
            it.create_role_everywhere(role.path("/batch/"));
        }
    });
    let profiles = [("ec2@instance/i-1", "worker"), ("ec2@instance/i-2", "administrator")];
    for (instance, profile) in profiles {
        let profile = [("IamInstanceProfileName", profile)];
        world.organization.configure_resource(&world.arn(instance), &profile);
    }
    let instances = world.night(&profiles.map(|it| ("EC2", it.0)));
    for ((_, profile), (instance, code)) in profiles.iter().zip(instances.iter().zip([0, 1])) {
        let own = world.held(instance, &world.lost).await;
        let run = world.run(&["restore", &own, "--account", &world.lost, "--yes"]).await;
        assert_eq!(run.code, code, "{profile}: {}\n{}", run.text, run.notes);
        let asked = format!("IamInstanceProfileName is {profile}: the role for restores");
        assert!(run.text.contains(&asked), "{}", run.text);
        let hint = "hint: name the role in RestoreInstanceRoleNames of member-account.yaml";
        assert_eq!(run.text.contains(hint), code == 1, "{}", run.text);
    }
}
