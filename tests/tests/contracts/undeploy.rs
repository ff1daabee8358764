//! What `make undeploy` takes for missing, for its own and for left.

#![expect(clippy::indexing_slicing, reason = "a test that cannot set up has failed")]

use std::collections::BTreeSet;

use expect_test::expect;
use plan::owner::Owner;
use serde_json::json;
use tests::deploy::Release;
use tests::fake_aws::Stack;
use tests::parallel::each_at_once;
use tests::template::Template;

use crate::rollout::{
    ADMINISTRATORS, NO_CENTRAL, Rollout, UNDEPLOY, WORKLOAD, file, left, to_be_taken_back,
};

/// A unit of one account.
const UNIT: &str = "ou-ab12-sandbox2";

/// A stack of this name in the Region of the stacks of `file`.
fn arn(stack: &str) -> String {
    let id = "51af3dc0-da77-11e4-872e-1234567db123";
    format!("arn:aws:cloudformation:eu-central-1:111122223333:stack/{stack}/{id}")
}

/// Adds a backup policy that a resource of a stack made.
fn add_policy(release: &Release, id: &str, stack: &str, resource: &str) {
    let owner = Owner::new(&arn(stack), resource).to_string();
    let policy = (format!("{id} of {stack}"), owner, [UNIT.to_owned()].into());
    release.aws(|it| it.policies.insert(id.to_owned(), policy));
}

#[test]
fn a_vault_that_may_not_be_looked_at_is_not_taken_for_missing() {
    let rollout = to_be_taken_back(ADMINISTRATORS);
    rollout.0.aws(|it| it.denied.insert("describe-backup-vault".to_owned()));
    drop(rollout.0.take_calls());
    for arguments in [&UNDEPLOY[..], &[&UNDEPLOY[..4], &["--dry-run"]].concat()] {
        let done = rollout.0.run(arguments);
        assert_eq!(done.status.code(), Some(2));
        expect![[r"
            The vault `org-backup` in 111122223333, eu-central-1 cannot be looked at, so its backups are not known:
              An error occurred (AccessDeniedException) when calling the DescribeBackupVault operation: User: arn:aws:sts::111122223333:assumed-role/NoSuchEntity-StackSetNotFoundException-NotFoundException/a is not authorized to perform: backup:DescribeBackupVault because no identity-based policy allows the action
            Allow backup:DescribeBackupVault to the identity that is used in 111122223333, also in service control policies, or name another role with --role. Then run the same again.
            Nothing was changed.
        "]]
        .assert_eq(&String::from_utf8(done.stderr).unwrap());
        assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
    }
}

#[test]
fn no_denial_is_taken_for_something_that_does_not_exist() {
    let looks = [
        ("deploy", "describe-stack-set"),
        ("deploy", "describe-stacks"),
        ("deploy", "get-role"),
        ("deploy", "head-object"),
        ("deploy", "list-stack-instances"),
        ("undeploy", "describe-backup-vault"),
        ("undeploy", "describe-key"),
        ("undeploy", "head-bucket"),
        ("undeploy", "list-attached-role-policies"),
        ("undeploy", "list-role-policies"),
    ];
    each_at_once(looks, |(action, operation)| {
        let file = file(&[UNIT], NO_CENTRAL, "");
        let deployed = action == "undeploy" || operation != "get-role";
        let rollout = if deployed { Rollout::of(&file) } else { Rollout(Release::new()) };
        rollout.0.write("org.toml", &file);
        rollout.0.aws(|it| it.denied.insert(operation.to_owned()));
        let arguments = if action == "deploy" { &["deploy", "org.toml"][..] } else { &UNDEPLOY };
        let done = rollout.0.run(arguments);
        assert_eq!(done.status.code(), Some(2), "{action} with {operation} denied");
    });
}

/// A file with everything that a stack can leave behind when the file no longer asks for it, and the
/// same deployment as the operator has it now.
fn widest_and_last() -> [String; 2] {
    let profiles = "[Profiles]\n444455556666 = \"other\"\n";
    let widest = file(&[UNIT, WORKLOAD], NO_CENTRAL, "")
        + profiles
        + "[coverage]\n[guardrails]\nTargetIds = [\"r-ab12\"]\n[audit]\nAccountId = \"444455556666\"\n\
           [audit.Buckets]\neu-central-1 = \"artifacts-of-ours\"\n[monitoring]\n\
           [[policies]]\nPolicyName = \"Nightly\"\nDocument = \"nightly.json\"\n";
    let last = file(&[UNIT], NO_CENTRAL, "").replace("OtherRegions = [\"eu-west-1\"]\n", "");
    [widest, last + profiles]
}

/// A deployment whose file was once wider, and stacks of another deployment that are called alike.
fn narrowed() -> Rollout {
    let [widest, last] = widest_and_last();
    let release = Release::new();
    release.write("nightly.json", r#"{ "plans": {} }"#);
    let rollout = Rollout(release);
    rollout.deploy(&widest);
    rollout.0.aws(|it| it.stack_sets.back_up());
    rollout.deploy(&last);
    add_policy(&rollout.0, "p-nightly", "org-backup-policy-nightly", "Policy");
    add_policy(&rollout.0, "p-daily", "org-backup-policies", "Daily");
    add_policy(&rollout.0, "p-theirs", "org-backup-policy-x-policy-daily", "Policy");
    rollout.0.aws(|it| {
        let at = "111122223333 eu-central-1 org-backup-policy";
        let mut theirs: Stack = it.stacks[&format!("{at}-nightly")].clone();
        let name = "org-backup-policy-x".to_owned();
        theirs.parameters.insert("BootstrapStackName".to_owned(), name);
        it.stacks.insert(format!("{at}-x-policy-daily"), theirs);
    });
    drop(rollout.0.take_calls());
    rollout
}

#[test]
fn what_an_earlier_file_asked_for_is_listed_and_deleted() {
    let rollout = narrowed();
    // Somebody deleted a stack by hand, which left its bucket and its key.
    rollout.0.aws(|it| {
        let audit = "444455556666 eu-central-1 org-backup-audit".to_owned();
        let stack = it.stacks.remove(&audit).unwrap();
        it.gone.push((audit, stack));
    });
    let done = rollout.0.run(&UNDEPLOY[..4]);
    let said = String::from_utf8(done.stdout).unwrap();
    let listed: String = said.split_inclusive('\n').filter(|it| it.starts_with("- ")).collect();
    expect![[r"
        - the stack org-backup-monitoring-member in eu-central-1, which the file does not ask for any more
        - the stack org-backup-monitoring-member in eu-west-1, which the file does not ask for any more
        - the stack org-backup-monitoring-rollout in eu-central-1, which the file does not ask for any more
        - the stack org-backup-monitoring in eu-central-1, which the file does not ask for any more
        - the stack org-backup-guardrails in eu-central-1, which the file does not ask for any more
        - the stack org-backup-coverage in eu-central-1, which the file does not ask for any more
        - the stack org-backup-event-forwarder in us-east-1
        - the stack org-backup-reattach in eu-central-1
        - the stack org-backup-policy-nightly in eu-central-1, which the file does not ask for any more
        - the stack org-backup-policies in eu-central-1
        - the stack org-backup-members in eu-central-1
        - the stack org-backup in eu-central-1
        - the stack org-backup-member in eu-west-1, which the file does not ask for any more
        - the stack org-backup-rollout in eu-central-1
        - what the deleted stack org-backup-audit in eu-central-1 left, which an earlier file asked for
        - the backup policy `p-daily of org-backup-policies` (p-daily)
        - the backup policy `p-nightly of org-backup-policy-nightly` (p-nightly)
        - the vault `org-backup` in 111122223333, eu-central-1, with 2 backups
        - the vault `org-backup` in 111122223333, eu-west-1, with 2 backups
        - the vault `org-backup` in 200000000003, eu-central-1, with 2 backups
        - the vault `org-backup` in 200000000003, eu-west-1, with 2 backups
        - the vault `org-backup` in 300000000001, eu-central-1, with 2 backups
        - the vault `org-backup` in 300000000001, eu-west-1, with 2 backups
        - the vault `org-backup` in 300000000002, eu-central-1, with 2 backups
        - the vault `org-backup` in 300000000002, eu-west-1, with 2 backups
        - the roles and keys of those accounts, and the state of org-backup
    "]].assert_eq(&listed);
    assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());

    let said = rollout.0.succeed(&UNDEPLOY);
    assert!(
        said.contains(
            "\nNothing is left that costs anything in eu-central-1, eu-west-1, us-east-1, the Regions of the \
             file and of member stacks.\n"
        ),
        "{said}"
    );
    let all = left(&rollout);
    let theirs = ["111122223333 eu-central-1 org-backup-policy-x-policy-daily"];
    assert_eq!(all["stacks"], json!(theirs));
    assert_eq!(all["there"], json!([]));
    assert_eq!(all["policies"], json!(["p-theirs"]));
    rollout.0.aws(|it| {
        for left in ["bucket ReportBucket of org-backup-audit", "key ReportKey of org-backup-audit"]
        {
            assert!(it.deleted.contains(left), "{left}");
        }
    });
}

#[test]
fn deleting_what_an_earlier_file_asked_for_goes_on_wherever_it_was_interrupted() {
    let whole = narrowed();
    let before = whole.0.world();
    whole.0.succeed(&UNDEPLOY);
    let calls = whole.0.take_calls();
    let whole = left(&whole);
    let last = |operation: &str, word: &str| {
        let is_it = |it: &Vec<String>| it[1] == operation && it.iter().any(|it| it.contains(word));
        calls.iter().rposition(is_it).unwrap()
    };
    let steps = [
        // The vault and the stack in a Region that only the roll-out still knows.
        last("delete-backup-vault", "eu-west-1"),
        last("delete-stack", "org-backup-member"),
        // A stack that leaves a bucket, and the stacks of a StackSet.
        last("delete-stack", "org-backup-coverage"),
        last("delete-stack-instances", "org-backup-monitoring-rollout"),
        last("delete-stack-instances", "org-backup-rollout-members"),
    ];
    each_at_once(steps, |number| {
        let release = Release::new().with("FAKE_AWS_KILLS", number + 1);
        release.write("org.toml", &widest_and_last()[1]);
        release.write("world.json", &before.to_string());
        let mut rollout = Rollout(release);
        assert!(!rollout.0.run(&UNDEPLOY).status.success());
        rollout.0.without("FAKE_AWS_KILLS");
        drop(rollout.0.take_calls());
        rollout.0.succeed(&UNDEPLOY);
        assert_eq!(left(&rollout), whole, "killed after {:?}", calls[number]);
    });
}

/// A file that asks for no roll-out.
fn without_rollout() -> String {
    let [_, last] = widest_and_last();
    let units = format!("OrganizationalUnitIds = {:?}\n", [UNIT]);
    last.replace(&units, "").replace("[rollout]\nFailureTolerancePercentage = 0\n", "")
}

#[test]
fn vaults_that_the_file_does_not_name_end_undeploying_before_anything_is_changed() {
    let rollout = narrowed();
    rollout.0.write("org.toml", &without_rollout());
    let said = rollout.0.fail(&UNDEPLOY);
    expect![[r"
        An earlier file asked for these, and this one does not name the vaults and the state that belong to them:
        - org-backup-rollout in eu-central-1
        Put back into the file what asked for them, such as Region, OrganizationalUnitIds, AccountIds or CentralAccountId, and run the same again. Or delete them by hand, with their vaults.
        Nothing was changed.
    "]].assert_eq(&said);
    assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
}

#[test]
fn a_policy_whose_stack_nobody_knows_any_more_ends_undeploying_before_anything_is_changed() {
    let rollout = narrowed();
    add_policy(&rollout.0, "p-old", "org-backup-policy-weekly", "Policy");
    let said = rollout.0.fail(&UNDEPLOY);
    expect![[r"
        The backup policy `p-old of org-backup-policy-weekly` (p-old) belongs to the stack org-backup-policy-weekly, which is not in the file and which CloudFormation does not know any more.
        Delete the policy in the console of AWS Organizations, or put it back into the file under [[policies]], and run the same again.
        Nothing was changed.
    "]].assert_eq(&said);
    assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());
}

#[test]
fn undeploying_names_the_stacks_that_an_earlier_file_asked_for() {
    let rollout = narrowed();
    // The stack of the state is not deleted while others import its exports.
    let said = rollout.0.fail(&["undeploy", "org.toml", "--yes"]);
    expect![[r"
        The file does not ask for these any more, and CloudFormation keeps the stacks that they import from:
        - org-backup-coverage in eu-central-1
        - org-backup-policy-nightly in eu-central-1
        Delete these by hand, or put them back into the file, and run the same again.
        Nothing was changed.
    "]].assert_eq(&said);
    assert_eq!(rollout.0.take_writes(), Vec::<Vec<String>>::new());

    rollout.0.aws(|it| {
        it.stacks.retain(|id, _| !["-coverage", "-nightly"].iter().any(|end| id.ends_with(end)));
    });
    let foretold = rollout.0.succeed(&["undeploy", "org.toml", "--dry-run"]);
    let said = rollout.0.succeed(&["undeploy", "org.toml", "--yes"]);
    let effects = said.split_once("effects:\n").unwrap().1;
    assert_eq!(foretold.split_once("would be:\n").unwrap().1, effects);
    expect![[r"
        - org-backup-event-forwarder in us-east-1: After it is deleted, drift is noticed on the schedule only.
        - org-backup-reattach in eu-central-1: Deleting it changes nothing in the organization; later changes are not put back.
        - org-backup-policies in eu-central-1: Deleting it leaves the policies in place and attached.
        - org-backup-members in eu-central-1: Deleting it leaves the settings of the accounts as they are.
        - org-backup in eu-central-1: Deleting it leaves every switch on unless a parameter says otherwise, and leaves the bucket of state and its key.
        - org-backup-rollout in eu-central-1 stays, with vaults, keys and roles.
        - org-backup-member in eu-west-1 stays, with vaults, keys and roles.
        - org-backup-guardrails in eu-central-1 stays, and is not in the file any more; delete it by hand.
        - org-backup-monitoring in eu-central-1 stays, and is not in the file any more; delete it by hand.
        - org-backup-monitoring-member in eu-central-1 stays, and is not in the file any more; delete it by hand.
        - org-backup-monitoring-rollout in eu-central-1 stays, and is not in the file any more; delete it by hand.
        - org-backup-monitoring-member in eu-west-1 stays, and is not in the file any more; delete it by hand.
        - org-backup-audit in eu-central-1 stays, and is not in the file any more; delete it by hand.
        Backups continue as before, unless an OnDelete in the file said otherwise.
        The archives stay in their buckets.
    "]].assert_eq(effects);
}

#[test]
fn a_policy_is_found_by_its_tag_however_long_the_name_of_its_stack_is() {
    // The longest name that a stack may have.
    let name = "n".repeat(128 - "org-backup-policy-".len());
    let stack = format!("org-backup-policy-{name}");
    let policies = format!("[[policies]]\nPolicyName = \"{name}\"\nDocument = \"nightly.json\"\n");
    let release = Release::new();
    release.write("nightly.json", r#"{ "plans": {} }"#);
    release.write("org.toml", &(file(&[UNIT], NO_CENTRAL, "") + &policies));
    release.succeed(&["deploy", "org.toml"]);
    let templates = Template::all();
    let made = templates.iter().flat_map(|it| it.resources("Custom::BackupPolicy"));
    let made: BTreeSet<_> = made.map(|(resource, _)| resource.to_owned()).collect();
    assert!(made.len() > 2, "{made:?}");
    for resource in &made {
        // A longer owner would be a hash, in which nobody finds the stack.
        let owner = Owner::new(&arn(&stack), resource).to_string();
        assert!(owner.starts_with(&format!("{stack}/")), "{owner}");
        add_policy(&release, &format!("p-{resource}"), &stack, resource);
    }
    let said = release.succeed(&UNDEPLOY);
    for resource in &made {
        assert!(said.contains(&format!("(p-{resource})\n")), "{said}");
    }
    assert_eq!(release.aws(|it| it.policies.len()), 0);
}
