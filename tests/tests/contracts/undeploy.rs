//! What `make undeploy` takes for missing.

use expect_test::expect;
use tests::deploy::Release;
use tests::parallel::each_at_once;

use crate::rollout::{ADMINISTRATORS, NO_CENTRAL, Rollout, UNDEPLOY, file, to_be_taken_back};

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
        let file = file(&["ou-ab12-sandbox2"], NO_CENTRAL, "");
        let deployed = action == "undeploy" || operation != "get-role";
        let rollout = if deployed { Rollout::of(&file) } else { Rollout(Release::new()) };
        rollout.0.write("org.toml", &file);
        rollout.0.aws(|it| it.denied.insert(operation.to_owned()));
        let arguments = if action == "deploy" { &["deploy", "org.toml"][..] } else { &UNDEPLOY };
        let done = rollout.0.run(arguments);
        assert_eq!(done.status.code(), Some(2), "{action} with {operation} denied");
    });
}
