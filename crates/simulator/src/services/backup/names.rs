//! What AWS Backup calls jobs, plans and recovery points.

use serde_json::{Value, json};

use crate::backup_engine::{EnginePoint, PointForm, whereabouts};
use crate::ids::{hex_of, uuid_of};
use crate::world::World;

/// The ID of a backup job.
pub(super) fn backup_job(number: usize) -> String {
    uuid_of(&format!("backup job {number}")).to_ascii_uppercase()
}

/// The ID of a copy job.
pub(super) fn copy_job(number: usize) -> String {
    uuid_of(&format!("copy job {number}")).to_ascii_uppercase()
}

/// The ID of the backup plan that AWS Backup makes of a plan of an account's backup policies.
pub(super) fn plan_of_policies(account: &str, name: &str) -> String {
    format!("orgs/{}", uuid_of(&format!("{account} {name}")))
}

/// The ID of something in a plan.
pub(super) fn part_of_plan(plan: &str, kind: &str, name: &str) -> String {
    uuid_of(&format!("{plan} {kind} {name}"))
}

/// The ARN of a backup plan.
pub(super) fn plan_arn(world: &World, account: &str, region: &str, id: &str) -> String {
    format!("arn:{}:backup:{region}:{account}:backup-plan:{id}", world.organization.partition())
}

/// What made a job or a recovery point: the plan, and the rule in it, of the policies of an account.
pub(super) fn creator(
    world: &World,
    (account, region): (&str, &str),
    (plan, rule): &(String, String),
) -> Value {
    let id = plan_of_policies(account, plan);
    json!({
        "BackupPlanId": id,
        "BackupPlanArn": plan_arn(world, account, region, &id),
        "BackupPlanName": plan,
        "BackupPlanVersion": part_of_plan(&id, "version", ""),
        "BackupRuleId": part_of_plan(&id, "rule", rule),
        "BackupRuleName": rule,
    })
}

/// The ARN of a recovery point, which other services give to the backups that are theirs.
pub(super) fn recovery_point(world: &World, point: &EnginePoint) -> String {
    let partition = world.organization.partition();
    let (account, region) = whereabouts(&point.vault).unwrap_or_default();
    let name = format!("recovery point {}", point.id);
    let hex = hex_of(&name);
    let uuid = uuid_of(&name);
    let of = |service: &str, account: &str, resource: &str| {
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    };
    let is_continuous = matches!(point.form, PointForm::Continuous | PointForm::Stopped);
    match point.kind.as_str() {
        "RDS" | "Aurora" if is_continuous => {
            of("backup", account, &format!("recovery-point:continuous:{uuid}"))
        }
        "EBS" | "Storage Gateway" => of("ec2", "", &format!("snapshot/snap-{hex}")),
        "EC2" => of("ec2", "", &format!("image/ami-{hex}")),
        "RDS" => of("rds", account, &format!("snapshot:awsbackup:job-{uuid}")),
        "Aurora" | "DocumentDB" | "Neptune" => {
            of("rds", account, &format!("cluster-snapshot:awsbackup:job-{uuid}"))
        }
        "FSx" => of("fsx", account, &format!("backup/backup-{hex}")),
        "Redshift" => of("redshift", account, &format!("snapshot:cluster/awsbackup:job-{uuid}")),
        _ => of("backup", account, &format!("recovery-point:{uuid}")),
    }
}

/// The name of the vault with this ARN.
pub(super) fn vault(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}
