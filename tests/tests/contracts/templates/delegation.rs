//! What the delegated account may do: the policy is judged by the simulator, as AWS would judge it.

use simulator::{Asked, Verdict};
use tests::template::{REQUIRED, Template};

const DELEGATED: &str = "arn:aws-cn:iam::444455556666:role/BackupTeam";
const POLICY: &str =
    "arn:aws-cn:organizations::333344445555:policy/o-a1b2c3d4e5/backup_policy/p-0f1e";
const TARGETS: [&str; 3] = [
    "arn:aws-cn:organizations::333344445555:root/o-a1b2c3d4e5/r-ab12",
    "arn:aws-cn:organizations::333344445555:ou/o-a1b2c3d4e5/ou-ab12-c3d4e5f6",
    "arn:aws-cn:organizations::333344445555:account/o-a1b2c3d4e5/111122223333",
];

/// What the organization's policy allows `asked`, with these roles of the delegated account.
fn may_with(roles: &'static str, asked: &Asked) -> bool {
    let delegation = Template::named("delegation.yaml");
    let parameters = [REQUIRED, &[("RoleArns", roles)]].concat();
    let content = &delegation.body["Resources"]["Delegation"]["Properties"]["Content"];
    let content = delegation.with(&parameters).resolve(content).unwrap();
    asked.judged_by(&content) == Verdict::Allowed
}

fn may(asked: &Asked) -> bool {
    may_with("*", asked)
}

/// A request about policies of a type.
fn of_type(kind: &str, operation: &str, resource: &str) -> Asked {
    let asked = Asked::new(DELEGATED, &format!("organizations:{operation}"), resource);
    asked.with("organizations:PolicyType", kind)
}

fn of_backups(operation: &str, resource: &str) -> Asked {
    of_type("BACKUP_POLICY", operation, resource)
}

#[test]
fn it_makes_changes_and_attaches_backup_policies() {
    for operation in ["CreatePolicy", "DeletePolicy", "DescribePolicy", "UpdatePolicy"] {
        assert!(may(&of_backups(operation, POLICY)), "{operation}");
    }
    for operation in ["AttachPolicy", "DetachPolicy"] {
        for resource in [POLICY].into_iter().chain(TARGETS) {
            assert!(may(&of_backups(operation, resource)), "{operation} {resource}");
        }
    }
    for operation in ["ListTagsForResource", "TagResource", "UntagResource"] {
        let asked = Asked::new(DELEGATED, &format!("organizations:{operation}"), POLICY);
        assert!(may(&asked), "{operation}");
    }
}

#[test]
fn it_sees_the_organization_and_what_accounts_get() {
    for operation in ["DescribeOrganization", "ListAccounts", "ListParents", "ListRoots"] {
        let asked = Asked::new(DELEGATED, &format!("organizations:{operation}"), "*");
        assert!(may(&asked), "{operation}");
    }
    assert!(may(&of_backups("ListPolicies", "*")));
    assert!(may(&of_backups("DescribeEffectivePolicy", TARGETS[2])));
}

#[test]
fn it_has_nothing_to_say_about_policies_of_other_types() {
    let kinds = ["AISERVICES_OPT_OUT_POLICY", "SERVICE_CONTROL_POLICY", "TAG_POLICY"];
    for kind in kinds {
        let policy = POLICY.replace("backup_policy", &kind.to_ascii_lowercase());
        for operation in ["CreatePolicy", "DeletePolicy", "DescribePolicy", "UpdatePolicy"] {
            assert!(!may(&of_type(kind, operation, &policy)), "{operation} of {kind}");
        }
        for resource in [policy.as_str()].into_iter().chain(TARGETS) {
            assert!(!may(&of_type(kind, "AttachPolicy", resource)), "{kind} at {resource}");
            assert!(!may(&of_type(kind, "DetachPolicy", resource)), "{kind} at {resource}");
        }
        assert!(!may(&Asked::new(DELEGATED, "organizations:TagResource", &policy)), "{kind}");
    }
}

#[test]
fn it_changes_neither_the_organization_nor_its_switches() {
    for operation in ["DisablePolicyType", "EnablePolicyType"] {
        assert!(!may(&of_backups(operation, TARGETS[0])), "{operation}");
    }
    let operations = [
        "CloseAccount",
        "DisableAWSServiceAccess",
        "EnableAWSServiceAccess",
        "MoveAccount",
        "PutResourcePolicy",
        "RegisterDelegatedAdministrator",
        "RemoveAccountFromOrganization",
        "TagResource",
    ];
    for operation in operations {
        for resource in ["*"].into_iter().chain(TARGETS) {
            let asked = Asked::new(DELEGATED, &format!("organizations:{operation}"), resource);
            assert!(!may(&asked), "{operation} {resource}");
        }
    }
}

#[test]
fn other_accounts_and_other_roles_may_nothing() {
    let own = "arn:aws-cn:iam::444455556666:role/BackupTeam";
    let update = |caller| {
        Asked::new(caller, "organizations:UpdatePolicy", POLICY)
            .with("organizations:PolicyType", "BACKUP_POLICY")
    };
    let list = |caller| Asked::new(caller, "organizations:ListAccounts", "*");
    for asked in [update, list] {
        assert!(may_with(own, &asked(own)));
        assert!(!may_with(own, &asked("arn:aws-cn:iam::444455556666:role/Developer")));
        assert!(!may_with("*", &asked("arn:aws-cn:iam::777788889999:role/BackupTeam")));
    }
}
