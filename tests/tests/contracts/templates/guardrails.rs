//! What the guard rails let whom do: each policy is judged by the simulator, as AWS would judge it.

use simulator::{Asked, Verdict};
use tests::template::{EVERYTHING, REQUIRED, Template};

const ADMINISTRATOR: &str = "arn:aws-cn:iam::111122223333:role/Administrator";
const ORG_BACKUP: &str = "arn:aws-cn:iam::111122223333:role/org-backup-member";
const ROOT_USER: &str = "arn:aws-cn:iam::111122223333:root";
const STACK_SETS: &str = "arn:aws-cn:iam::111122223333:role/stacksets-exec-0f1e2d";

const VAULT: &str = "arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:org-backup";
const RECOVERY_POINT: &str = "arn:aws-cn:backup:cn-north-1:111122223333:recovery-point:5b1e";

/// Whether neither policy denies a request in an account of the organization, whose own roles allow
/// everything.
fn may_with(parameters: &[(&'static str, &'static str)], asked: &Asked) -> bool {
    let guardrails = Template::named("guardrails.yaml");
    let stack = guardrails.with(parameters);
    ["CopiesPolicy", "ProtectionPolicy", "MakersPolicy"].into_iter().all(|name| {
        let content = &guardrails.body["Resources"][name]["Properties"]["Content"];
        asked.judged_by(&stack.resolve(content).unwrap()) != Verdict::Denied
    })
}

/// The same with everything that the template can do.
fn may(caller: &str, action: &str, resource: &str) -> bool {
    may_with(&[REQUIRED, EVERYTHING].concat(), &Asked::new(caller, action, resource))
}

/// A copy to a vault of `account`, which is at `path`.
fn copy(caller: &str, account: &str, path: &str) -> Asked {
    let target = format!("arn:aws-cn:backup:cn-northwest-1:{account}:backup-vault:central");
    Asked::new(caller, "backup:CopyFromBackupVault", RECOVERY_POINT)
        .with("backup:CopyTargets", &target)
        .with("backup:CopyTargetOrgPaths", path)
}

const OURS: &str = "o-a1b2c3d4e5/r-ab12/ou-ab12-c3d4e5f6/";
const THEIRS: &str = "o-z9y8x7w6v5/r-zy98/";

#[test]
fn backups_are_copied_to_the_central_account_and_nowhere_else() {
    let may = |copy| may_with(&[REQUIRED, EVERYTHING].concat(), &copy);
    for caller in [ADMINISTRATOR, STACK_SETS, ROOT_USER] {
        assert!(may(copy(caller, "666677778888", OURS)), "{caller} copies to the central account");
        assert!(!may(copy(caller, "777788889999", OURS)), "{caller} copies to another account");
        assert!(!may(copy(caller, "999900001111", THEIRS)), "{caller} copies out");
        // An account of that number that is of another organization by now.
        assert!(!may(copy(caller, "666677778888", THEIRS)), "{caller} copies out");
    }
}

#[test]
fn the_central_account_copies_back_within_the_organization() {
    let may = |copy| may_with(&[REQUIRED, EVERYTHING].concat(), &copy);
    let central = "arn:aws-cn:iam::666677778888:role/Administrator";
    assert!(may(copy(central, "111122223333", OURS)));
    assert!(!may(copy(central, "999900001111", THEIRS)));
}

#[test]
fn without_a_central_account_backups_are_copied_to_any_account_of_the_organization() {
    let may = |copy| may_with(REQUIRED, &copy);
    assert!(may(copy(ADMINISTRATOR, "777788889999", OURS)));
    assert!(!may(copy(ADMINISTRATOR, "999900001111", THEIRS)));
}

#[test]
fn only_the_named_roles_delete_backups_and_unlock_vaults() {
    let denied = [
        ("backup:DeleteBackupVault", VAULT),
        ("backup:DeleteBackupVaultAccessPolicy", VAULT),
        ("backup:DeleteBackupVaultLockConfiguration", VAULT),
        ("backup:DeleteBackupVaultNotifications", VAULT),
        ("backup:DeleteRecoveryPoint", RECOVERY_POINT),
        ("backup:DisassociateRecoveryPoint", RECOVERY_POINT),
        ("backup:PutBackupVaultAccessPolicy", VAULT),
        ("backup:PutBackupVaultLockConfiguration", VAULT),
        ("backup:UpdateRecoveryPointLifecycle", RECOVERY_POINT),
    ];
    for (action, resource) in denied {
        for caller in [ADMINISTRATOR, ORG_BACKUP, ROOT_USER] {
            assert!(!may(caller, action, resource), "{caller} does {action}");
        }
        assert!(may(STACK_SETS, action, resource), "{action}");
    }
}

#[test]
fn what_has_expired_is_deleted_with_the_role_that_made_it() {
    // AWS Backup ends backups of EC2 so. Nobody else is that role, and nobody makes himself one.
    let role = "arn:aws-cn:iam::111122223333:role/org-backup";
    assert!(may(role, "backup:DeleteRecoveryPoint", RECOVERY_POINT));
    assert!(!may(role, "backup:UpdateRecoveryPointLifecycle", RECOVERY_POINT));
    for action in ["iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy"] {
        assert!(!may(ADMINISTRATOR, action, role) && may(STACK_SETS, action, role), "{action}");
    }
}

#[test]
fn the_central_vault_lets_aws_backup_delete_what_has_expired_and_nobody_else() {
    let template = Template::named("central-backup-account.yaml");
    let policy = &template.body["Resources"]["Vault"]["Properties"]["AccessPolicy"];
    let policy = template.with(REQUIRED).resolve(policy).unwrap();
    let denies = |caller: &str, action: &str| {
        Asked::new(caller, action, RECOVERY_POINT).judged_by(&policy) == Verdict::Denied
    };
    let its_own = "arn:aws-cn:iam::333344445555:role/aws-service-role/backup.amazonaws.com/x";
    let of_backups = "arn:aws-cn:iam::333344445555:role/org-backup";
    let of_stack_sets = "arn:aws-cn:iam::333344445555:role/stacksets-exec-0f1e2d";
    for caller in [its_own, of_backups, of_stack_sets] {
        assert!(!denies(caller, "backup:DeleteRecoveryPoint"), "{caller}");
    }
    // Nor does a role of StackSets in another account.
    for caller in [ADMINISTRATOR, ROOT_USER, ORG_BACKUP, STACK_SETS] {
        assert!(denies(caller, "backup:DeleteRecoveryPoint"), "{caller}");
    }
    assert!(denies(of_backups, "backup:UpdateRecoveryPointLifecycle"));
    assert!(denies(of_backups, "backup:PutBackupVaultAccessPolicy"));
}

#[test]
fn backups_are_made_seen_and_restored_by_everybody_as_before() {
    let allowed = [
        ("backup:DescribeBackupVault", VAULT),
        ("backup:ListRecoveryPointsByBackupVault", VAULT),
        ("backup:StartBackupJob", VAULT),
        ("backup:StartRestoreJob", RECOVERY_POINT),
        ("iam:PassRole", "arn:aws-cn:iam::111122223333:role/org-backup"),
        ("kms:Decrypt", "arn:aws-cn:kms:cn-north-1:111122223333:key/1f2e"),
    ];
    for (action, resource) in allowed {
        for caller in [ADMINISTRATOR, ORG_BACKUP, STACK_SETS] {
            assert!(may(caller, action, resource), "{caller} does {action}");
        }
    }
}

#[test]
fn only_org_backup_changes_opt_ins() {
    let may = |caller| may(caller, "backup:UpdateRegionSettings", "*");
    assert!(may(ORG_BACKUP) && may(STACK_SETS));
    assert!(!may(ADMINISTRATOR) && !may(ROOT_USER));
}

#[test]
fn what_manages_accounts_is_bound_as_everybody_is_unless_its_own_parameter_frees_it() {
    let role = |name: &str| format!("arn:aws-cn:iam::111122223333:role/{name}");
    let theirs = "arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:orders";
    let managers = [
        ("ControlTower", "AWSControlTowerExecution"),
        ("LandingZoneAccelerator", "AWSAccelerator-DeployRole"),
    ];
    for (parameter, name) in managers {
        let manager = role(name);
        let free = [REQUIRED, &[(parameter, "Free")]].concat();
        let may = |parameters, caller: &str, action, resource: &str| {
            may_with(parameters, &Asked::new(caller, action, resource))
        };
        for (action, resource) in [
            ("backup:DeleteBackupVault", theirs),
            ("backup:PutBackupVaultAccessPolicy", theirs),
            ("backup:UpdateRegionSettings", "*"),
        ] {
            assert!(!may(REQUIRED, &manager, action, resource), "{name} does {action}");
            assert!(may(&free, &manager, action, resource), "{name} does {action}");
            // The other is not freed by it, nor is anybody else.
            for (_, other) in managers.iter().filter(|it| it.0 != parameter) {
                assert!(!may(&free, &role(other), action, resource), "{other} does {action}");
            }
            assert!(!may(&free, ADMINISTRATOR, action, resource), "{action}");
        }
        // What is ours stays as it is.
        for (action, resource) in [
            ("backup:DeleteBackupVault", VAULT),
            ("backup:DeleteRecoveryPoint", RECOVERY_POINT),
            ("backup:PutRestoreValidationResult", "*"),
            ("iam:PutRolePolicy", ORG_BACKUP),
        ] {
            assert!(!may(&free, &manager, action, resource), "{name} does {action}");
        }
        // Nobody else becomes what is free, and where it is bound, its name means nothing.
        assert!(may(REQUIRED, ADMINISTRATOR, "iam:CreateRole", &manager), "{name}");
        assert!(!may(&free, ADMINISTRATOR, "iam:CreateRole", &manager), "{name}");
        assert!(may(&free, STACK_SETS, "iam:CreateRole", &manager), "{name}");
    }
}

#[test]
fn the_vaults_of_other_teams_are_guarded_unless_a_parameter_frees_them() {
    let theirs = "arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:orders";
    let free = [REQUIRED, &[("OtherVaults", "Free")]].concat();
    for action in [
        "backup:AssociateBackupVaultMpaApprovalTeam",
        "backup:DeleteBackupVault",
        "backup:DeleteBackupVaultAccessPolicy",
        "backup:DeleteBackupVaultLockConfiguration",
        "backup:DeleteBackupVaultNotifications",
        "backup:DisassociateBackupVaultMpaApprovalTeam",
        "backup:PutBackupVaultAccessPolicy",
        "backup:PutBackupVaultLockConfiguration",
        "backup:PutBackupVaultNotifications",
    ] {
        let asked = |vault| Asked::new(ADMINISTRATOR, action, vault);
        assert!(!may_with(REQUIRED, &asked(theirs)), "{action}");
        assert!(may_with(&free, &asked(theirs)), "{action}");
        assert!(!may_with(&free, &asked(VAULT)), "{action}");
    }
}

#[test]
fn the_keys_of_the_vaults_are_not_disabled_and_others_are() {
    let all = [REQUIRED, EVERYTHING].concat();
    let key = "arn:aws-cn:kms:cn-north-1:111122223333:key/1f2e";
    let asked =
        |caller, action, alias| Asked::new(caller, action, key).with("kms:ResourceAliases", alias);
    let actions =
        ["kms:DisableKey", "kms:DisableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"];
    for action in actions {
        for alias in ["alias/org-backup", "alias/central"] {
            assert!(!may_with(&all, &asked(ADMINISTRATOR, action, alias)), "{action} {alias}");
            assert!(may_with(&all, &asked(STACK_SETS, action, alias)), "{action} {alias}");
        }
        assert!(may_with(&all, &asked(ADMINISTRATOR, action, "alias/orders")), "{action}");
        assert!(may(ADMINISTRATOR, action, key), "{action} of a key without an alias");
    }
    // By its alias the key is known, so that stays where it is.
    for action in ["kms:DeleteAlias", "kms:UpdateAlias"] {
        let alias = |name: &str| format!("arn:aws-cn:kms:cn-north-1:111122223333:alias/{name}");
        assert!(!may(ADMINISTRATOR, action, &alias("org-backup")), "{action}");
        assert!(may(ADMINISTRATOR, action, &alias("orders")), "{action}");
    }
}

#[test]
fn the_roles_for_backups_are_changed_by_the_named_roles_only() {
    let role = |name: &str| format!("arn:aws-cn:iam::111122223333:role/{name}");
    let actions = [
        "iam:AttachRolePolicy",
        "iam:DeleteRole",
        "iam:DeleteRolePermissionsBoundary",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
    ];
    for action in actions {
        for name in ["org-backup", "org-backup-member", "org-backup-restore"] {
            assert!(!may(ADMINISTRATOR, action, &role(name)), "{action} {name}");
            assert!(may(STACK_SETS, action, &role(name)), "{action} {name}");
        }
        assert!(may(ADMINISTRATOR, action, &role("web")), "{action}");
    }
    // Nor does anybody become one of the named roles.
    for action in ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"] {
        assert!(!may(ADMINISTRATOR, action, &role("stacksets-exec-mine")), "{action}");
        assert!(may(STACK_SETS, action, &role("stacksets-exec-0f1e2d")), "{action}");
    }
    assert!(may(ADMINISTRATOR, "iam:CreateRole", &role("web")));
}

#[test]
fn results_of_restore_tests_are_told_by_our_function_and_nobody_else() {
    let ours = "arn:aws-cn:iam::111122223333:role/org-backup-restores-RestoreValidationRole-1a2b";
    let may = |caller| may(caller, "backup:PutRestoreValidationResult", "*");
    assert!(may(ours));
    assert!(!may(ADMINISTRATOR) && !may(ROOT_USER));
}

#[test]
fn the_functions_of_org_backup_are_not_changed_and_others_are() {
    let function =
        |name: &str| format!("arn:aws-cn:lambda:cn-north-1:111122223333:function:{name}");
    for action in ["lambda:DeleteFunction", "lambda:UpdateFunctionCode"] {
        let ours = function("org-backup-restores-RestoreValidation");
        assert!(!may(ADMINISTRATOR, action, &ours), "{action}");
        assert!(may(STACK_SETS, action, &ours), "{action}");
        assert!(may(ADMINISTRATOR, action, &function("orders")), "{action}");
    }
}
