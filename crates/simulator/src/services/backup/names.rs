//! The IDs and ARNs that AWS Backup gives to jobs, plans and recovery points.

use serde_json::{Value, json};

use crate::backup_engine::EnginePoint;
use crate::ids::uuid_of;
use crate::world::World;

/// Returns the ID of a backup job.
pub(super) fn backup_job(number: usize) -> String {
    uuid_of(&format!("backup job {number}")).to_ascii_uppercase()
}

/// Returns the ID of a copy job.
pub(super) fn copy_job(number: usize) -> String {
    uuid_of(&format!("copy job {number}")).to_ascii_uppercase()
}

/// Returns the ID of the backup plan that AWS Backup makes from a plan of an account's backup
/// policies.
pub(super) fn plan_of_policies(account: &str, name: &str) -> String {
    format!("orgs/{}", uuid_of(&format!("{account} {name}")))
}

/// Returns the ID of a part of a plan.
pub(super) fn part_of_plan(plan: &str, kind: &str, name: &str) -> String {
    uuid_of(&format!("{plan} {kind} {name}"))
}

/// Returns the ARN of a backup plan.
pub(super) fn plan_arn(world: &World, account: &str, region: &str, id: &str) -> String {
    format!("arn:{}:backup:{region}:{account}:backup-plan:{id}", world.organization.partition())
}

/// Returns the creator of a job or a recovery point: the plan of the account's policies, and the
/// rule in it. Returns `None` if it was created on demand.
pub(super) fn creator(
    world: &World,
    (account, region): (&str, &str),
    (plan, rule): &(String, String),
) -> Option<Value> {
    if plan.is_empty() {
        return None;
    }
    let id = plan_of_policies(account, plan);
    Some(json!({
        "BackupPlanId": id,
        "BackupPlanArn": plan_arn(world, account, region, &id),
        "BackupPlanName": plan,
        "BackupPlanVersion": part_of_plan(&id, "version", ""),
        "BackupRuleId": part_of_plan(&id, "rule", rule),
        "BackupRuleName": rule,
    }))
}

/// Returns the ARN of a recovery point.
pub(super) fn recovery_point(world: &World, point: &EnginePoint) -> String {
    point.arn(&world.organization.partition().to_string())
}

/// Returns the name of the vault with this ARN.
pub(super) fn vault(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}
