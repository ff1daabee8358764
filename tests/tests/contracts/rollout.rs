//! The member stacks after each order of deployments: none is deleted that is wanted before
//! and after, and none meets the names of another.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tests::deploy::Release;
use tests::fake_aws::ROOT;
use tests::parallel::each_at_once;
use tests::template::Template;

const SANDBOX: &str = "ou-ab12-sandbox1";
pub(crate) const WORKLOAD: &str = "ou-ab12-workload";
const SET: &str = "org-backup-rollout-members";

/// A parameter file for these units, with these lines at its top and these of the roll-out.
pub(crate) fn file(units: &[&str], top: &str, rollout: &str) -> String {
    format!(
        "{top}\nOrganizationalUnitIds = {units:?}\n\
         ManagementAccountId = \"111122223333\"\nOrganizationId = \"o-a1b2c3d4e5\"\n\
         Region = \"eu-central-1\"\nOtherRegions = [\"eu-west-1\"]\n\
         [Buckets]\neu-central-1 = \"artifacts-of-ours\"\n\
         [bootstrap]\n[rollout]\nFailureTolerancePercentage = 0\n{rollout}\n\
         [backup-policies]\n"
    )
}

const CENTRAL: &str = "CentralAccountId = \"444455556666\"";
pub(crate) const NO_CENTRAL: &str =
    "CentralVaultArn = \"arn:aws:backup:eu-west-1:444455556666:backup-vault:central\"";

fn plain(units: &[&str]) -> String {
    file(units, NO_CENTRAL, "")
}

pub(crate) struct Rollout(pub(crate) Release);

impl Rollout {
    /// Deploys a file to an organization with nothing in it, and has every vault filled.
    pub(crate) fn of(file: &str) -> Self {
        let rollout = Self(Release::new());
        rollout.deploy(file);
        rollout.0.aws(|it| it.stack_sets.back_up());
        rollout
    }

    #[track_caller]
    pub(crate) fn deploy(&self, file: &str) -> String {
        self.0.write("org.toml", file);
        let said = self.0.succeed(&["deploy", "org.toml"]);
        self.check();
        said
    }

    #[track_caller]
    fn fail(&self, file: &str) -> String {
        self.0.write("org.toml", file);
        let said = self.0.fail(&["deploy", "org.toml"]);
        self.check();
        said
    }

    /// What always holds: no stack was deleted, none met a name that exists, and what is in accounts
    /// stays.
    #[track_caller]
    fn check(&self) {
        self.0.aws(|it| {
            assert_eq!(it.stack_sets.collisions(), [""; 0]);
            assert_eq!(it.stack_sets.deleted(), []);
        });
    }

    /// Everything that there is in accounts.
    fn resources(&self) -> BTreeSet<String> {
        self.0.aws(|it| it.stack_sets.resources().clone())
    }

    /// The accounts and Regions with stacks that are as they should be.
    fn members(&self, set: &str) -> String {
        let mut text = String::new();
        self.0.aws(|it| {
            for (account, region, instance) in it.stack_sets.instances(set).unwrap() {
                writeln!(text, "{region} {account} {:?}", instance.status).unwrap();
            }
        });
        text
    }

    #[track_caller]
    fn check_members(&self, expect: Expect) {
        expect.assert_eq(&self.members(SET));
    }
}

#[test]
fn from_one_unit_to_the_whole_organization_no_stack_is_deleted() {
    let rollout = Rollout::of(&plain(&[SANDBOX]));
    let before = rollout.resources();
    let said = rollout.deploy(&plain(&[ROOT]));
    assert!(said.contains(
        "org-backup-rollout-members: 8 have none and get a stack: accounts 300000000001, \
         300000000002, 444455556666, 900000000001 in eu-central-1, eu-west-1\n\
         org-backup-rollout-members: 6 stay: accounts 200000000001, 200000000002, 200000000003 in \
         eu-central-1, eu-west-1\n\
         org-backup-rollout-members: no stack is deleted\n"
    ));
    assert!(rollout.resources().is_superset(&before));
    rollout.check_members(expect![[r"
        eu-central-1 200000000001 Current
        eu-central-1 200000000002 Current
        eu-central-1 200000000003 Current
        eu-central-1 300000000001 Current
        eu-central-1 300000000002 Current
        eu-central-1 444455556666 Current
        eu-central-1 900000000001 Current
        eu-west-1 200000000001 Current
        eu-west-1 200000000002 Current
        eu-west-1 200000000003 Current
        eu-west-1 300000000001 Current
        eu-west-1 300000000002 Current
        eu-west-1 444455556666 Current
        eu-west-1 900000000001 Current
    "]]);
    // And back, and on to another unit, and both: an account that has a stack keeps it.
    let whole = rollout.members(SET);
    for units in [&[SANDBOX][..], &[WORKLOAD], &[SANDBOX, WORKLOAD], &[ROOT, SANDBOX], &[ROOT]] {
        rollout.deploy(&plain(units));
        assert_eq!(rollout.members(SET), whole, "{units:?}");
    }
}

#[test]
fn a_roll_out_that_fails_halfway_is_repeated() {
    let rollout = Rollout(Release::new());
    rollout.0.aws(|it| it.stack_sets.refuse_in(&["200000000002"]));
    let said = rollout.fail(&plain(&[ROOT]));
    assert!(
        said.contains("create-stack-instances of org-backup-rollout-members is FAILED"),
        "{said}"
    );
    // The account before it has its stacks, and those after it were not begun.
    let half = rollout.members(SET);
    assert!(half.contains("eu-central-1 200000000001 Current\n"), "{half}");
    assert!(half.contains("eu-central-1 900000000001 Outdated\n"), "{half}");
    rollout.0.aws(|it| it.stack_sets.back_up());
    let before = rollout.resources();
    // As often as it takes.
    let said = rollout.fail(&plain(&[ROOT]));
    assert!(
        said.contains("update-stack-instances of org-backup-rollout-members is FAILED"),
        "{said}"
    );
    rollout.0.aws(|it| it.stack_sets.refuse_in(&[]));
    rollout.deploy(&plain(&[ROOT]));
    assert!(rollout.resources().is_superset(&before));
    assert!(!rollout.members(SET).contains("Outdated"), "{}", rollout.members(SET));
    // Widening fails and is repeated in the same way.
    let rollout = Rollout::of(&plain(&[SANDBOX]));
    let before = rollout.resources();
    rollout.0.aws(|it| it.stack_sets.refuse_in(&["900000000001"]));
    rollout.fail(&plain(&[ROOT]));
    rollout.0.aws(|it| it.stack_sets.refuse_in(&[]));
    rollout.deploy(&plain(&[ROOT]));
    assert!(rollout.resources().is_superset(&before));
    assert!(!rollout.members(SET).contains("Outdated"), "{}", rollout.members(SET));
}

#[test]
fn a_roll_out_that_is_repeated_changes_nothing() {
    let file = file(&[ROOT], CENTRAL, "");
    let rollout = Rollout::of(&file);
    drop(rollout.0.take_calls());
    let said = rollout.deploy(&file);
    assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
    assert!(said.contains("org-backup-rollout-members: 14 stay: "), "{said}");
    assert!(!said.contains("get a stack"), "{said}");
}

#[test]
fn a_roll_out_whose_stack_cannot_be_created_is_created_anew() {
    let mut rollout = Rollout(Release::new().with("FAKE_AWS_FAILS", "org-backup-rollout"));
    rollout.fail(&plain(&[ROOT]));
    rollout.0.without("FAKE_AWS_FAILS");
    // What fails in the management account comes last, and is not rolled back by anything else.
    rollout.0.aws(|it| it.stack_sets.refuse_in(&["111122223333"]));
    rollout.fail(&plain(&[ROOT]));
    rollout.0.aws(|it| it.stack_sets.refuse_in(&[]));
    rollout.deploy(&plain(&[ROOT]));
    assert!(!rollout.members(SET).contains("Outdated"), "{}", rollout.members(SET));
}

#[test]
fn a_change_of_the_vaults_reaches_every_stack_and_fails_without_losing_one() {
    let rollout = Rollout::of(&plain(&[SANDBOX]));
    let before = rollout.resources();
    let locked =
        file(&[SANDBOX], NO_CENTRAL, "LockMode = \"Governance\"\nAirGappedVaultName = \"safe\"");
    rollout.0.aws(|it| it.stack_sets.refuse_in(&["200000000002"]));
    rollout.fail(&locked);
    assert!(rollout.resources().is_superset(&before));
    rollout.0.aws(|it| it.stack_sets.refuse_in(&[]));
    rollout.deploy(&locked);
    assert!(!rollout.members(SET).contains("Outdated"), "{}", rollout.members(SET));
    assert!(rollout.resources().is_superset(&before));
}

#[test]
fn undeploying_and_deploying_again_finds_every_stack() {
    let file = file(&[ROOT], CENTRAL, "CentralRegions = [\"eu-west-1\"]");
    let rollout = Rollout::of(&file);
    let (before, members) = (rollout.resources(), rollout.members(SET));
    let said = rollout.0.succeed(&["undeploy", "org.toml", "--yes"]);
    rollout.check();
    assert!(said.contains("org-backup-rollout in eu-central-1 stays"), "{said}");
    assert_eq!(rollout.resources(), before);
    // An account that joins meanwhile is protected like the others.
    rollout.0.aws(|it| {
        it.move_account("900000000002", Some(ROOT));
        it.tick();
    });
    rollout.deploy(&file);
    assert!(rollout.resources().is_superset(&before));
    assert_ne!(rollout.members(SET), members);
    rollout.deploy(&file);
}

#[test]
fn an_account_that_is_excluded_and_readmitted_keeps_its_stack() {
    let without = |accounts: &str| file(&[ROOT], &format!("{NO_CENTRAL}\n{accounts}"), "");
    let rollout = Rollout::of(&without("ExcludeAccounts = [\"300000000001\"]"));
    assert!(!rollout.members(SET).contains("300000000001"));
    // It stays left out where others join.
    rollout.0.aws(|it| {
        it.move_account("300000000001", Some(SANDBOX));
        it.tick();
    });
    assert!(!rollout.members(SET).contains("300000000001"));
    rollout.deploy(&without(""));
    let (before, members) = (rollout.resources(), rollout.members(SET));
    rollout.0.aws(|it| it.stack_sets.back_up());
    let said = rollout.deploy(&without("ExcludeAccounts = [\"300000000001\", \"300000000002\"]"));
    assert!(said.contains("are not asked for any more and stay: accounts 300000000001"), "{said}");
    rollout.deploy(&without(""));
    assert_eq!((rollout.resources(), rollout.members(SET)), (before, members));
}

#[test]
fn single_accounts_get_stacks_beside_units_and_without_any() {
    let with = |units: &[&str], accounts: &str| {
        file(units, &format!("{NO_CENTRAL}\nAccountIds = [{accounts}]"), "")
    };
    let without_units =
        |accounts: &str| with(&[], accounts).replace("OrganizationalUnitIds = []\n", "");
    let rollout = Rollout(Release::new());
    let said = rollout.deploy(&without_units("\"900000000001\", \"999999999999\""));
    assert!(
        said.contains("999999999999 is not an active member of the organization and gets no stack"),
        "{said}"
    );
    rollout.check_members(expect![[r"
        eu-central-1 900000000001 Current
        eu-west-1 900000000001 Current
    "]]);
    // Nobody else gets one by joining.
    rollout.0.aws(|it| {
        it.move_account("900000000002", Some(ROOT));
        it.tick();
    });
    assert_eq!(rollout.members(SET).lines().count(), 2);
    // Units come, and the account is in one of them or in none.
    rollout.0.aws(|it| it.stack_sets.back_up());
    let before = rollout.resources();
    rollout.deploy(&with(&[SANDBOX], "\"900000000001\", \"200000000001\", \"300000000001\""));
    rollout.check_members(expect![[r"
        eu-central-1 200000000001 Current
        eu-central-1 200000000002 Current
        eu-central-1 200000000003 Current
        eu-central-1 300000000001 Current
        eu-central-1 900000000001 Current
        eu-west-1 200000000001 Current
        eu-west-1 200000000002 Current
        eu-west-1 200000000003 Current
        eu-west-1 300000000001 Current
        eu-west-1 900000000001 Current
    "]]);
    assert!(rollout.resources().is_superset(&before));
    // Policies and opt-ins go there as well.
    rollout.0.aws(|it| {
        for stack in ["org-backup-members", "org-backup-policies"] {
            let stack = &it.stacks[&format!("111122223333 eu-central-1 {stack}")];
            let targets = "ou-ab12-sandbox1,900000000001,200000000001,300000000001";
            assert_eq!(stack.parameters["TargetIds"], targets);
        }
    });
    drop(rollout.0.take_calls());
    rollout.deploy(&with(&[SANDBOX], "\"900000000001\", \"200000000001\", \"300000000001\""));
    assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
    let whole = rollout.members(SET);
    rollout.deploy(&plain(&[SANDBOX]));
    assert_eq!(rollout.members(SET), whole);
}

#[test]
fn a_vault_keeps_the_key_that_it_was_made_with() {
    let key = "VaultKeyArn = \"arn:aws:kms:eu-central-1:900000000001:key/mrk-1a2b\"";
    let with = file(&[SANDBOX], NO_CENTRAL, key);
    let rollout = Rollout::of(&with);
    // No key is made, and the vault is.
    let resources = rollout.resources();
    assert!(resources.iter().any(|it| it.contains("AWS::Backup::BackupVault")));
    assert!(!resources.iter().any(|it| it.contains("AWS::KMS::Key")), "{resources:?}");
    for file in [plain(&[SANDBOX]), with.replace("mrk-1a2b", "mrk-3c4d")] {
        let said = rollout.fail(&file);
        assert!(said.contains("Leave [rollout] VaultKeyArn as it was"), "{said}");
    }
    let rollout = Rollout::of(&plain(&[SANDBOX]));
    let said = rollout.fail(&with);
    assert!(said.contains("Leave [rollout] VaultKeyArn as it was"), "{said}");
}

#[test]
fn regions_and_the_central_account_are_taken_out_and_put_back() {
    let whole = file(&[ROOT], CENTRAL, "CentralRegions = [\"eu-west-1\", \"eu-central-1\"]");
    let rollout = Rollout::of(&whole);
    let before = rollout.resources();
    let central = rollout.members("org-backup-rollout-central");
    expect![[r"
        eu-central-1 444455556666 Current
        eu-west-1 444455556666 Current
    "]]
    .assert_eq(&central);
    rollout.deploy(&whole.replace("OtherRegions = [\"eu-west-1\"]", ""));
    rollout.deploy(&whole);
    rollout.deploy(&whole.replace("[\"eu-west-1\", \"eu-central-1\"]", "[\"eu-west-1\"]"));
    rollout.deploy(&whole);
    rollout.deploy(&whole.replace(CENTRAL, NO_CENTRAL));
    rollout.deploy(&whole);
    // To another account and back.
    rollout.deploy(&whole.replace(CENTRAL, "CentralAccountId = \"900000000001\""));
    rollout.deploy(&whole);
    assert!(rollout.resources().is_superset(&before));
    assert!(rollout.members("org-backup-rollout-central").contains(&central[..30]));
}

#[test]
fn accounts_that_leave_and_return_or_move_between_units_keep_their_stacks() {
    let rollout = Rollout::of(&plain(&[SANDBOX, WORKLOAD]));
    let (before, members) = (rollout.resources(), rollout.members(SET));
    // Out of its unit, between two of them, and out of the organization; each time with what looks
    // after accounts that join, and with a deployment.
    for unit in [Some(ROOT), Some(SANDBOX), Some(WORKLOAD), None, Some(SANDBOX)] {
        rollout.0.aws(|it| {
            it.move_account("200000000001", unit);
            it.tick();
        });
        rollout.check();
        rollout.deploy(&plain(&[SANDBOX, WORKLOAD]));
        assert_eq!((rollout.resources(), rollout.members(SET)), (before.clone(), members.clone()));
    }
}

#[test]
fn an_account_that_joins_a_unit_gets_its_stack_without_a_deployment() {
    let rollout = Rollout::of(&plain(&[SANDBOX]));
    let joins = |account: &str, unit: &str| {
        rollout.0.aws(|it| {
            it.move_account(account, Some(unit));
            it.tick();
        });
        rollout.check();
        rollout.members(SET).contains(&format!("eu-west-1 {account} Current"))
    };
    assert!(joins("200000000004", SANDBOX), "a new one");
    assert!(!joins("300000000003", WORKLOAD), "not where nobody asked for it");
    assert!(joins("300000000001", "ou-ab12-sandbox2"), "one that moves there");
    rollout.deploy(&plain(&[SANDBOX, WORKLOAD]));
    assert!(joins("300000000004", WORKLOAD));
    assert!(!joins("900000000002", ROOT));
    rollout.deploy(&plain(&[ROOT]));
    assert!(joins("900000000003", ROOT));
    assert!(joins("200000000005", SANDBOX));
    // After a failure too, though a deployment has to try again what failed.
    rollout.0.aws(|it| it.stack_sets.refuse_in(&["900000000004"]));
    rollout.0.aws(|it| it.move_account("900000000004", Some(ROOT)));
    rollout.fail(&plain(&[ROOT]));
    assert!(joins("900000000005", ROOT));
}

#[test]
fn the_schedule_makes_what_the_program_makes() {
    let file = file(
        &[SANDBOX, WORKLOAD],
        "ExcludeAccounts = [\"300000000001\", \"300000000002\"]\n\
         CentralAccountId = \"444455556666\"",
        "MaxConcurrentPercentage = 20",
    ) + "[monitoring]\n";
    let rollout = Rollout(Release::new());
    rollout.deploy(&file);
    let mut asked: Vec<Value> = Vec::new();
    for call in rollout.0.take_calls() {
        if let Some(place) = call.iter().position(|it| it == "--cli-input-json") {
            asked.push(serde_json::from_str(&call[place + 1]).unwrap());
        }
    }
    let named = |name: &str| asked.iter().find(|it| it["StackSetName"] == name).unwrap();
    for (name, stack) in [
        (SET, "org-backup-rollout"),
        ("org-backup-monitoring-rollout", "org-backup-monitoring-rollout"),
    ] {
        let stack =
            rollout.0.aws(|it| it.stacks[&format!("111122223333 eu-central-1 {stack}")].clone());
        let template = Template::of_text(name, &stack.template);
        let own = [
            ("AWS::StackName", name.trim_end_matches("-members")),
            ("AWS::Region", "eu-central-1"),
        ];
        let given = stack.parameters.iter().map(|(key, it)| (key.as_str(), it.as_str()));
        let resolved = template.with(&given.chain(own).collect::<Vec<_>>());
        let schedule =
            &template.body["Resources"]["JoinersSchedule"]["Properties"]["Target"]["Input"];
        let input = resolved.resolve(schedule).unwrap();
        let input: Value = serde_json::from_str(input.as_str().unwrap()).unwrap();
        assert_eq!(input, *named(name), "{name}");
        // And what the role allows is that StackSet.
        let role = &template.body["Resources"]["JoinersRole"]["Properties"]["Policies"];
        let allowed = resolved.resolve(role).unwrap().to_string();
        assert!(allowed.contains(&format!(":stackset/{name}:*")), "{allowed}");
    }
    assert_eq!(
        named("org-backup-rollout-central")["DeploymentTargets"],
        json!({
            "OrganizationalUnitIds": [ROOT],
            "AccountFilterType": "INTERSECTION",
            "Accounts": ["444455556666"],
        })
    );
}

#[test]
fn units_of_two_thousand_accounts_are_rolled_out_to_and_widened() {
    let release = Release::new();
    release.aws(|it| {
        for number in 0..2_000 {
            let unit = if number % 2 == 0 { SANDBOX } else { WORKLOAD };
            it.organization
                .accounts
                .insert(format!("{:012}", 700_000_000_000_u64 + number), unit.to_owned());
        }
    });
    let rollout = Rollout(release);
    rollout.deploy(&plain(&[SANDBOX]));
    rollout.0.aws(|it| it.stack_sets.back_up());
    let before = rollout.resources();
    let said = rollout.deploy(&plain(&[ROOT]));
    assert!(said.contains("2008 have none and get a stack: accounts 300000000001, "), "{said}");
    assert!(rollout.resources().is_superset(&before));
    assert_eq!(rollout.members(SET).lines().count(), 2 * 2_007);
    // Nothing that is passed grows with the accounts.
    let longest = rollout.0.take_calls().into_iter().flatten().map(|it| it.len()).max();
    assert!(longest < Some(4_096), "{longest:?}");
}

/// The pattern of the role that deletes in accounts, beside those of StackSets.
pub(crate) const ADMINISTRATORS: &str = "AdministratorRoleArns = [\"arn:*:iam::*:role/stacksets-exec-*\", \
                              \"arn:*:iam::*:role/OrganizationAccountAccessRole\"]";

pub(crate) const UNDEPLOY: [&str; 5] =
    ["undeploy", "org.toml", "--members", "--everything", "--yes"];

/// An organization with backups, a policy of ours and one of others, and three locks.
pub(crate) fn to_be_taken_back(top: &str) -> Rollout {
    let file = file(&[SANDBOX], &format!("{CENTRAL}\n{top}"), "CentralRegions = [\"eu-west-1\"]");
    let rollout = Rollout::of(&file);
    rollout.0.aws(|it| {
        let attached = [SANDBOX.to_owned()];
        let policy = |name: &str, owner: &str| {
            (name.to_owned(), format!("{owner}/7a0c/Daily"), attached.clone().into())
        };
        it.policies.insert("p-ours".to_owned(), policy("org-backup-daily", "org-backup-policies"));
        it.policies.insert("p-theirs".to_owned(), policy("daily", "org-backup-of-theirs"));
    });
    rollout
}

#[test]
fn everything_is_taken_back_after_it_was_told_what_is_lost() {
    let rollout = to_be_taken_back(ADMINISTRATORS);
    let vault = |place: &str| format!("{place} AWS::Backup::BackupVault");
    rollout.0.aws(|it| {
        it.locks.insert(vault("444455556666 eu-west-1") + " central", true);
        it.locks.insert(vault("200000000001 eu-west-1") + " org-backup", false);
    });
    drop(rollout.0.take_calls());
    // Both have to be said, and then it only says.
    let said = rollout.0.fail(&["undeploy", "org.toml", "--members", "--yes"]);
    assert!(said.contains("--members and --everything go together"), "{said}");
    let done = rollout.0.run(&UNDEPLOY[..4]);
    assert!(!done.status.success());
    assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
    let said = String::from_utf8(done.stdout).unwrap();
    expect![[r"
        The credentials have to be those of 111122223333.
        They have to manage the organization o-a1b2c3d4e5.
        This deletes every stack and everything that stacks leave:
        - the stack org-backup-event-forwarder in us-east-1
        - the stack org-backup-reattach in eu-central-1
        - the stack org-backup-policies in eu-central-1
        - the stack org-backup-members in eu-central-1
        - the stack org-backup in eu-central-1
        - the stack org-backup-member in eu-west-1
        - the stack org-backup-rollout in eu-central-1
        - the backup policy `org-backup-daily` (p-ours)
        - the vault `org-backup` in 111122223333, eu-central-1, with 2 backups
        - the vault `org-backup` in 111122223333, eu-west-1, with 2 backups
        - the vault `org-backup` in 200000000001, eu-central-1, with 2 backups
        - the vault `org-backup` in 200000000001, eu-west-1, with 2 backups
        - the vault `org-backup` in 200000000002, eu-central-1, with 2 backups
        - the vault `org-backup` in 200000000002, eu-west-1, with 2 backups
        - the vault `org-backup` in 200000000003, eu-central-1, with 2 backups
        - the vault `org-backup` in 200000000003, eu-west-1, with 2 backups
        - the roles and keys of those accounts, and the state of org-backup
        AWS refuses to delete these until their backups expire. You pay for them until then:
        - the vault `central` in 444455556666, eu-west-1, with 2 backups: its compliance lock is final since 2026-01-01, and each backup stays until it expires
        Resources that were backed up stay. Deleted resources cannot be restored.
    "]]
    .assert_eq(&said);

    let said = rollout.0.succeed(&UNDEPLOY);
    assert!(said.ends_with(
        "These resources remain and are still charged:\n\
         - 2 backups in the vault `central` in 444455556666, eu-west-1: its compliance lock is final since 2026-01-01, and each backup stays until it expires\n\
         Policy types, trusted access and settings stay on, and cost nothing.\n\
         The archives stay in their buckets.\n"
    ), "{said}");
    let all = left(&rollout);
    assert_eq!(all["stacks"], json!([]));
    assert_eq!(all["there"], json!([vault("444455556666 eu-west-1") + " central"]));
    assert_eq!(all["policies"], json!(["p-theirs"]));
    rollout.0.aws(|it| {
        // The key of what is locked stays, and the others go.
        assert!(!it.deleted.contains("arn:aws:kms:eu-west-1:444455556666:key/of-central"));
        for key in ["eu-west-1:200000000001", "eu-central-1:111122223333"] {
            assert!(it.deleted.contains(&format!("arn:aws:kms:{key}:key/of-org-backup")), "{key}");
        }
        assert!(it.deleted.contains("bucket StateBucket of org-backup"));
        assert!(it.deleted.contains("key StateKey of org-backup"));
    });
    // Once more is no error.
    rollout.0.succeed(&UNDEPLOY);
    assert_eq!(left(&rollout), all);
}

#[test]
fn a_backup_under_a_legal_hold_is_told_before_and_stays_with_what_it_needs() {
    let rollout = to_be_taken_back(ADMINISTRATORS);
    let held = "200000000001 eu-west-1 AWS::Backup::BackupVault org-backup";
    rollout.0.aws(|it| it.held.insert(held.to_owned()));
    let said = String::from_utf8(rollout.0.run(&UNDEPLOY[..4]).stdout).unwrap();
    let line = "- the vault `org-backup` in 200000000001, eu-west-1, with 1 of its 2 backups: `audit` (hold-1)\n";
    assert!(
        said.contains(&format!(
            "Legal holds keep these, and you pay for them until you cancel the holds and run this again:\n{line}"
        )),
        "{said}"
    );
    let said = rollout.0.succeed(&UNDEPLOY);
    assert!(said.contains(
        "These resources remain and are still charged:\n\
         - 1 backup in the vault `org-backup` in 200000000001, eu-west-1, until you cancel legal holds and run this \
         again: `audit` (hold-1)\n"
    ), "{said}");
    let all = left(&rollout);
    let there = all["there"].as_array().unwrap();
    assert!(there.contains(&json!(held)), "{all}");
    let roles =
        there.iter().filter(|it| it.as_str().unwrap().starts_with("200000000001 - AWS::IAM::Role"));
    assert!(roles.count() > 0, "{all}");
    rollout.0.aws(|it| {
        assert!(!it.deleted.contains("arn:aws:kms:eu-west-1:200000000001:key/of-org-backup"));
        assert!(it.deleted.contains("arn:aws:backup:eu-west-1:200000000001:1"));
        // The hold is canceled.
        it.held.clear();
        it.stack_sets.empty(held);
    });
    rollout.0.succeed(&UNDEPLOY);
    assert_eq!(left(&rollout)["there"], json!([]));
}

/// What is left after everything was taken back: stacks, vaults, roles and policies, and what was deleted.
pub(crate) fn left(rollout: &Rollout) -> Value {
    rollout.0.aws(|it| {
        let kinds = ["AWS::Backup::BackupVault", "AWS::IAM::Role"];
        let all = it.stack_sets.resources().iter();
        let all: Vec<_> = all.filter(|it| kinds.iter().any(|kind| it.contains(kind))).collect();
        let (stacks, policies): (Vec<_>, Vec<_>) =
            (it.stacks.keys().collect(), it.policies.keys().collect());
        json!({ "stacks": stacks, "there": all, "policies": policies, "deleted": it.deleted })
    })
}

#[test]
fn taking_everything_back_goes_on_wherever_it_was_interrupted() {
    let file = file(&["ou-ab12-sandbox2"], NO_CENTRAL, "");
    let whole = Rollout::of(&file);
    drop(whole.0.take_calls());
    whole.0.succeed(&UNDEPLOY);
    let calls = whole.0.take_calls();
    let whole = left(&whole);
    assert_eq!([&whole["stacks"], &whole["there"]], [&json!([]), &json!([])], "{whole}");
    // The last of each that deletes something.
    let deletes = [
        "delete-backup-vault",
        "delete-bucket",
        "delete-recovery-point",
        "delete-role",
        "delete-stack",
        "delete-stack-instances",
        "schedule-key-deletion",
        "wait",
    ];
    each_at_once(deletes, |operation| {
        let number = calls.iter().rposition(|it| it[1] == operation).unwrap();
        let mut rollout = Rollout::of(&file);
        drop(rollout.0.take_calls());
        rollout.0 = rollout.0.with("FAKE_AWS_KILLS", number + 1);
        assert!(!rollout.0.run(&UNDEPLOY).status.success());
        rollout.0.without("FAKE_AWS_KILLS");
        drop(rollout.0.take_calls());
        rollout.0.succeed(&UNDEPLOY);
        assert_eq!(left(&rollout), whole, "killed after {:?}", calls[number]);
    });
}

#[test]
fn taking_everything_back_needs_a_role_that_still_can() {
    for (top, arguments) in
        [("", &UNDEPLOY[..]), (ADMINISTRATORS, &[&UNDEPLOY[..], &["--role", "Ours"]].concat())]
    {
        let rollout = to_be_taken_back(top);
        drop(rollout.0.take_calls());
        let said = rollout.0.fail(arguments);
        assert!(
            said.contains("AdministratorRoleArns, and arn:aws:iam::444455556666:role/"),
            "{said}"
        );
        assert!(said.ends_with("Nothing was changed.\n"), "{said}");
        assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
    }
}

#[test]
fn monitoring_is_widened_as_well_and_taken_back_whole() {
    let with = |units: &[&str]| plain(units) + "[monitoring]\n";
    let rollout = Rollout::of(&with(&[SANDBOX]));
    rollout.deploy(&with(&[ROOT]));
    let set = "org-backup-monitoring-rollout";
    assert_eq!(rollout.members(set), rollout.members(SET));
    rollout.0.succeed(&["undeploy", "org.toml", "--yes"]);
    rollout.0.aws(|it| {
        assert!(it.stack_sets.instances(set).is_none());
        assert!(it.stack_sets.instances(SET).is_some_and(|it| it.len() == 14));
    });
    rollout.0.write("org.toml", &with(&[ROOT]));
    rollout.0.succeed(&["deploy", "org.toml"]);
}

#[test]
fn a_dry_run_says_what_becomes_of_member_stacks() {
    let said = |rollout: &Rollout, file: &str| {
        rollout.0.write("org.toml", file);
        drop(rollout.0.take_calls());
        let said = rollout.0.succeed(&["deploy", "org.toml", "--dry-run"]);
        assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
        let begins = ["org-backup-rollout-members:", "  in each stack", "Plan:"];
        let about = said.lines().filter(|it| begins.iter().any(|begin| it.starts_with(begin)));
        about.fold(String::new(), |text, it| text + it + "\n")
    };
    let rollout = Rollout::of(&plain(&[SANDBOX]));
    // Widening.
    expect![[r"
        org-backup-rollout-members: 8 have none and get a stack: accounts 300000000001, 300000000002, 444455556666, 900000000001 in eu-central-1, eu-west-1
        org-backup-rollout-members: 6 stay: accounts 200000000001, 200000000002, 200000000003 in eu-central-1, eu-west-1
        org-backup-rollout-members: no stack is deleted
        Plan: 3 stacks changed, 4 stacks unchanged, 8 member stacks made.
    "]].assert_eq(&said(&rollout, &plain(&[ROOT])));
    // Narrowing.
    expect![[r"
        org-backup-rollout-members: 2 stay: account 200000000003 in eu-central-1, eu-west-1
        org-backup-rollout-members: 4 are not asked for any more and stay: accounts 200000000001, 200000000002 in eu-central-1, eu-west-1
        org-backup-rollout-members: no stack is deleted
        Plan: 3 stacks changed, 4 stacks unchanged.
    "]].assert_eq(&said(&rollout, &plain(&["ou-ab12-sandbox2"])));
    // Changing the vaults.
    expect![[r"
        org-backup-rollout-members: 6 stay and are updated: accounts 200000000001, 200000000002, 200000000003 in eu-central-1, eu-west-1
          in each stack that is there: changed: Vault (AWS::Backup::BackupVault): LockConfiguration
        org-backup-rollout-members: no stack is deleted
        Plan: 2 stacks changed, 5 stacks unchanged, 6 member stacks updated.
    "]].assert_eq(&said(&rollout, &file(&[SANDBOX], NO_CENTRAL, "LockMode = \"Governance\"")));
    // Repeating, after a failure.
    rollout.0.aws(|it| {
        it.stack_sets.refuse_in(&["200000000004"]);
        it.move_account("200000000004", Some(SANDBOX));
        it.tick();
    });
    expect![[r"
        org-backup-rollout-members: 2 could not be made last time and are tried again: account 200000000004 in eu-central-1, eu-west-1
        org-backup-rollout-members: 6 stay: accounts 200000000001, 200000000002, 200000000003 in eu-central-1, eu-west-1
        org-backup-rollout-members: no stack is deleted
        Plan: 7 stacks unchanged, 2 member stacks tried again.
    "]].assert_eq(&said(&rollout, &plain(&[SANDBOX])));
    // Without credentials it says that it cannot know.
    rollout.0.write("org.toml", &plain(&[ROOT]).replace("111122223333", "999988887777"));
    let said = rollout.0.end_with(2, &["deploy", "org.toml", "--dry-run"]);
    assert!(
        said.contains(
            "\nAWS was not read: these are credentials of 111122223333, not of 999988887777\n"
        ),
        "{said}"
    );
    assert!(
        said.contains("\norg-backup-rollout-members: the accounts with a stack are unknown\n"),
        "{said}"
    );
}

#[test]
fn the_retention_of_an_air_gapped_vault_is_never_changed() {
    let with = |days: u32| {
        let vault = format!("AirGappedVaultName = \"safe\"\nAirGappedMinRetentionDays = {days}");
        file(&[SANDBOX], NO_CENTRAL, &vault)
    };
    let rollout = Rollout::of(&with(7));
    drop(rollout.0.take_calls());
    let said = rollout.fail(&with(9));
    assert!(said.contains("Leave [rollout] AirGappedMinRetentionDays as it was"), "{said}");
    assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
}

#[test]
fn what_would_lose_a_stack_is_refused_before_the_first_call() {
    let check = |rollout: &Rollout, file: &str, expect: Expect| {
        drop(rollout.0.take_calls());
        for action in [&["deploy", "org.toml"][..], &["deploy", "org.toml", "--dry-run"]] {
            rollout.0.write("org.toml", file);
            expect.assert_eq(&rollout.0.fail(action));
        }
        assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
    };
    let whole = file(&[SANDBOX], CENTRAL, "CentralRegions = [\"eu-west-1\"]");
    let whole = whole.replace("[rollout]", "[rollout]\nAirGappedVaultName = \"safe\"");
    let rollout = Rollout::of(&whole);
    let told = whole.replace("AirGappedVaultName = \"safe\"", "ManagementAccount = false").replace(
        "CentralRegions = [\"eu-west-1\"]",
        "CentralRegions = [\"eu-central-1\", \"eu-west-1\"]",
    );
    check(
        &rollout,
        &told,
        expect![[r"
        org-backup-rollout in eu-central-1 cannot be changed without losing something:
        - the management account would lose its stack, and could not get it again. Leave [rollout] ManagementAccount as it was.
        - `safe` would leave the stacks and stay in the accounts, where no stack could have it again. Leave AirGappedVaultName as it was.
        - the role for restore tests in the central account belongs to its stack in eu-west-1, and the one in eu-central-1 would conflict with its name. Leave eu-west-1 the first of [rollout] CentralRegions.
        It has
        - org-backup-rollout-members: stacks in eu-central-1, eu-west-1 of the accounts 200000000001, 200000000002, 200000000003
        - org-backup-rollout-central: stacks in eu-west-1 of the accounts 444455556666
        Nothing was changed.
    "]],
    );
    let moved = whole.replace("\"eu-central-1\"\nOther", "\"eu-west-1\"\nOther");
    let moved =
        moved.replace("OtherRegions = [\"eu-west-1\"]", "OtherRegions = [\"eu-central-1\"]");
    let moved = moved.replace("[Buckets]", "[Buckets]\neu-west-1 = \"artifacts-of-others\"");
    check(
        &rollout,
        &moved,
        expect![[r"
        org-backup-rollout is deployed in eu-central-1, and member stacks belong to it. Leave Region as it was.
        Nothing was changed.
    "]],
    );
    // Of another name, and in a Region that had nothing, and both also after the roll-out was ended.
    let renamed = format!("StackName = \"another\"\n{whole}");
    let elsewhere = whole.replace("Region = \"eu-central-1\"", "Region = \"us-east-1\"");
    let elsewhere =
        elsewhere.replace("[Buckets]", "[Buckets]\nus-east-1 = \"artifacts-of-others\"");
    for (file, name, region) in
        [(&renamed, "another", "eu-central-1"), (&elsewhere, "org-backup", "us-east-1")]
    {
        let said = format!(
            "{name}-rollout is not deployed in {region}, and the management account already has \
             the role `org-backup`. If another roll-out made it, a stack of this one would conflict \
             with its names in every account: leave StackName and Region as they were, or give \
             vaults and roles other names.\nNothing was changed.\n"
        );
        drop(rollout.0.take_calls());
        rollout.0.write("org.toml", file);
        assert_eq!(rollout.0.fail(&["deploy", "org.toml"]), said);
        assert_eq!(rollout.0.fail(&["deploy", "org.toml", "--dry-run"]), said);
        assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
    }
    // As the releases before this one did it.
    rollout.0.aws(|it| {
        let stack = it.stacks.get_mut("111122223333 eu-central-1 org-backup-rollout").unwrap();
        let properties = "      StackInstancesGroup: []\n      StackSetName:";
        stack.template = stack.template.replacen("      StackSetName:", properties, 1);
    });
    check(
        &rollout,
        &whole,
        expect![[r"
        org-backup-rollout in eu-central-1 cannot be changed without losing something:
        - it was deployed by a release that had CloudFormation make the member stacks, and CloudFormation would delete all of them in the units ou-ab12-sandbox1. docs/deploy.md says under `Upgrade` how to hand them over first.
        It has
        - org-backup-rollout-members: stacks in eu-central-1, eu-west-1 of the accounts 200000000001, 200000000002, 200000000003
        - org-backup-rollout-central: stacks in eu-west-1 of the accounts 444455556666
        Nothing was changed.
    "]],
    );
}
