//! Which roles the roles for restores may pass, beside what the policy that AWS manages allows.

use serde_json::{Value, json};
use simulator::{Asked, Verdict};
use tests::template::{EVERYTHING, REQUIRED, Template};

use super::pages::{code, table};
use super::{all, each};

const MANAGED: &str = "AWSBackupServiceRolePolicyForRestores";

const ROLES: &str = "arn:aws-cn:iam::111122223333:role/";

/// To which services roles are passed.
const SERVICES: [&str; 4] =
    ["backup.amazonaws.com", "ec2.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com"];

/// What AWS's policy has said of roles since November 2025.
fn managed() -> Value {
    json!({
        "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws-cn:iam::*:role/*",
        "Condition": { "StringEquals": { "iam:PassedToService": SERVICES } },
    })
}

/// The names of the policies that AWS manages, of a role.
fn managed_policies(role: &Value) -> Vec<String> {
    let policies = each(&role["Properties"]["ManagedPolicyArns"]);
    let policies = policies.iter().flat_map(|it| all(it, "Fn::Sub"));
    let name = |it: &Value| it.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    policies.map(name).collect()
}

/// Whether a role of a template may pass the role `name`.
fn may_pass(
    template: &Template,
    role: &Value,
    parameters: &[(&'static str, &'static str)],
    name: &str,
    service: &str,
) -> bool {
    let inline = template.with(parameters).resolve(&role["Properties"]["Policies"]).unwrap();
    let mut statements = vec![managed()];
    statements.extend(all(&inline, "Statement").into_iter().flat_map(each).cloned());
    let asked = Asked::new(
        &format!("{ROLES}org-backup-restore"),
        "iam:PassRole",
        &format!("{ROLES}{name}"),
    );
    let asked = asked.with("iam:PassedToService", service);
    asked.judged_by(&json!({ "Statement": statements })) == Verdict::Allowed
}

#[test]
fn no_role_for_restores_passes_a_role_that_is_not_named() {
    let mut found = Vec::new();
    for template in Template::all() {
        for (name, role) in template.resources("AWS::IAM::Role") {
            if !managed_policies(role).iter().any(|it| it == MANAGED) {
                continue;
            }
            found.push(format!("{} {name}", template.name));
            let everything = [REQUIRED, EVERYTHING].concat();
            for parameters in [REQUIRED, &everything] {
                for service in SERVICES {
                    for passed in ["Administrator", "worker", "web2", "path/to/web"] {
                        let may = may_pass(&template, role, parameters, passed, service);
                        assert!(!may, "{}: {name} passes {passed} to {service}", template.name);
                    }
                }
            }
        }
    }
    assert_eq!(
        found,
        [
            "central-backup-account.yaml RestoreRole",
            "central-backup-account.yaml RestoreTestingRole",
            "member-account.yaml RestoreRole",
            "restore-testing.yaml RestoreTestingRole",
        ]
    );
}

#[test]
fn the_role_for_restores_passes_the_roles_that_are_named_and_its_own() {
    let template = Template::named("member-account.yaml");
    let role = &template.body["Resources"]["RestoreRole"];
    let everything = [REQUIRED, EVERYTHING].concat();
    for name in ["web", "path/to/worker"] {
        for service in ["ec2.amazonaws.com", "ec2.amazonaws.com.cn", "eks.amazonaws.com"] {
            assert!(may_pass(&template, role, &everything, name, service), "{name} to {service}");
        }
        assert!(!may_pass(&template, role, &everything, name, "lambda.amazonaws.com"), "{name}");
    }
    for parameters in [REQUIRED, &everything] {
        let own = "org-backup-restore";
        assert!(may_pass(&template, role, parameters, own, "backup.amazonaws.com"));
    }
}

#[test]
fn the_role_for_restores_restores_namespaces_of_its_account_and_of_no_other() {
    let template = Template::named("member-account.yaml");
    let role = &template.body["Resources"]["RestoreRole"]["Properties"];
    let inline = template.with(REQUIRED).resolve(&role["Policies"]).unwrap();
    let statements: Vec<_> = all(&inline, "Statement").into_iter().flat_map(each).collect();
    let policy = json!({ "Statement": statements });
    let may_on = |action: &str, account: &str, resource: &str| {
        let arn = format!("arn:aws-cn:redshift-serverless:cn-north-1:{account}:{resource}");
        let asked = Asked::new(&format!("{ROLES}org-backup-restore"), action, &arn);
        asked.judged_by(&policy) == Verdict::Allowed
    };
    let may = |action: &str, account: &str| may_on(action, account, "namespace/1");
    // AWS's policy for restores does not have it (`redshift-serverless-restore.html`).
    let restores = "redshift-serverless:RestoreFromSnapshot";
    assert!(may(restores, "333344445555") && !may(restores, "444455556666"));
    assert!(!may("redshift-serverless:DeleteNamespace", "333344445555"));
    let on = |resource: &str| may_on(restores, "333344445555", resource);
    assert!(on("snapshot/1") && on("workgroup/1"), "a restore is asked of these as well");
    assert!(!on("recoverypoint/1") && !on("managedworkgroup/1"));
}

#[test]
fn the_role_for_backups_passes_the_role_for_scans_and_no_other() {
    let template = Template::named("member-account.yaml");
    let role = &template.body["Resources"]["BackupRole"]["Properties"];
    let inline =
        template.with(&[REQUIRED, EVERYTHING].concat()).resolve(&role["Policies"]).unwrap();
    let guard_duty = "malware-protection.guardduty.amazonaws.com";
    // What AWS's policy for scans says of roles.
    let managed = json!({
        "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
        "Condition": { "StringEquals": { "iam:PassedToService": guard_duty } },
    });
    let mut statements = vec![managed];
    statements.extend(all(&inline, "Statement").into_iter().flat_map(each).cloned());
    let policy = json!({ "Statement": statements });
    let may = |name: &str| {
        let caller = format!("{ROLES}org-backup");
        let asked = Asked::new(&caller, "iam:PassRole", &format!("{ROLES}{name}"));
        asked.with("iam:PassedToService", guard_duty).judged_by(&policy) == Verdict::Allowed
    };
    assert!(may("org-backup-scanner") && !may("Administrator"));
}

#[test]
fn what_is_relied_on_of_each_policy_that_aws_manages_is_listed_with_its_day() {
    let rows = table("docs/managed-policies.md", "Policy");
    let mut listed = Vec::new();
    for row in rows.iter().skip(2) {
        let [name] = code(&row[0]).try_into().unwrap();
        assert!(row[1].split('-').map(str::len).eq([4, 2, 2]), "{name}: {}", row[1]);
        listed.push(name.to_owned());
    }
    let templates = Template::all();
    let roles = templates.iter().flat_map(|it| it.resources("AWS::IAM::Role"));
    let mut used: Vec<_> = roles.flat_map(|it| managed_policies(it.1)).collect();
    used.sort();
    used.dedup();
    listed.sort();
    assert_eq!(listed, used);
}
