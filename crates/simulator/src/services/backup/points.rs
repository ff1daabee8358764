//! The recovery points of AWS Backup, by vault and by resource.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::names;
use super::query::{Between, is_asked, page, present};
use crate::backup_engine::{EnginePoint, PointLifecycle, whereabouts};
use crate::backup_paths::segments;
use crate::refusal::{Answer, Code, Refusal};
use crate::reply::moment;
use crate::request::Call;
use crate::world::World;

pub(super) fn by_vault(world: &World, call: &Call) -> Answer<Value> {
    let (account, region) = (&call.caller.account, &call.caller.region);
    let name = super::vault_name(call);
    if call.parameter("backupVaultAccountId").is_some_and(|it| it != account) {
        let message = "Insufficient privileges to perform this action.";
        return Err(Refusal::new(Code::AccessDenied, message));
    }
    world.backup.vaults().get(account, region, name)?;
    let created = Between::asked(call, "createdAfter", "createdBefore")?;
    let vault = super::vault_arn(world, call, name);
    let (plan, parent) = (call.parameter("backupPlanId"), call.parameter("parentRecoveryPointArn"));
    let wanted = |it: &&EnginePoint| {
        it.vault == vault
            && created.has(Some(it.created))
            && is_asked(call, "resourceArn", &it.resource)
            && is_asked(call, "resourceType", &it.kind)
            && plan.is_none_or(|plan| plan == names::plan_of_policies(owner(it), &it.rule.0))
            && parent.is_none()
    };
    let points = world.works.points().filter(wanted);
    page(world, call, "RecoveryPoints", points.map(|it| in_vault(world, it)))
}

fn in_vault(world: &World, point: &EnginePoint) -> Value {
    let vault = names::vault(&point.vault);
    let origin = point.source_vault.as_deref().unwrap_or(&point.vault);
    let origin = whereabouts(origin).unwrap_or_default();
    let moments = [("DeleteAt", point.delete_at), ("MoveToColdStorageAt", point.cold_at)];
    let moments: BTreeMap<_, _> =
        moments.into_iter().filter_map(|(name, at)| Some((name, moment(at?)))).collect();
    present([
        ("RecoveryPointArn", Some(json!(names::recovery_point(world, point)))),
        ("BackupVaultName", Some(json!(vault))),
        ("BackupVaultArn", Some(json!(point.vault))),
        ("SourceBackupVaultArn", point.source_vault.clone().map(Value::from)),
        ("ResourceArn", Some(json!(point.resource))),
        ("ResourceType", Some(json!(point.kind))),
        ("CreatedBy", names::creator(world, origin, &point.rule)),
        ("IamRoleArn", Some(json!(point.role))),
        ("Status", Some(json!(point.status()))),
        ("CreationDate", Some(json!(moment(point.created)))),
        ("InitiationDate", Some(json!(moment(point.created)))),
        ("CompletionDate", Some(json!(moment(point.completed)))),
        ("BackupSizeInBytes", Some(json!(point.bytes))),
        ("Lifecycle", lifecycle(point.lifecycle)),
        ("EncryptionKeyArn", point.key.clone().map(Value::from)),
        ("IsEncrypted", Some(json!(point.is_encrypted()))),
        ("CalculatedLifecycle", (!moments.is_empty()).then(|| json!(moments))),
        ("IsParent", Some(json!(false))),
        ("VaultType", Some(json!(vault_type(world, &point.vault)))),
    ])
}

/// Returns a lifecycle as AWS Backup tells it, if it says something.
pub(super) fn lifecycle(it: PointLifecycle) -> Option<Value> {
    (it != PointLifecycle::default()).then(|| {
        present([
            ("DeleteAfterDays", it.delete_after_days.map(Value::from)),
            ("MoveToColdStorageAfterDays", it.cold_after_days.map(Value::from)),
            ("OptInToArchiveForSupportedResources", it.archives.then_some(json!(true))),
        ])
    })
}

/// Returns the recovery point with this ARN in the account and the Region of a call, in one vault or any.
pub(super) fn find<'a>(
    world: &'a World,
    call: &Call,
    vault: Option<&str>,
    arn: &str,
) -> Answer<&'a EnginePoint> {
    let (account, region) = (&call.caller.account, &call.caller.region);
    let vault = match vault {
        Some(name) => {
            world.backup.vaults().get(account, region, name)?;
            Some(super::vault_arn(world, call, name))
        }
        None => None,
    };
    let found = world.works.point_of(arn).filter(|it| is_here(call, it));
    let found = found.filter(|it| vault.as_ref().is_none_or(|at| *at == it.vault));
    found.ok_or_else(|| {
        Refusal::new(Code::ResourceNotFound, format!("Recovery point {arn} does not exist."))
    })
}

/// Returns the recovery point in the path of a call.
fn in_path<'a>(world: &'a World, call: &Call) -> Answer<&'a EnginePoint> {
    let account = &call.caller.account;
    if call.parameter("backupVaultAccountId").is_some_and(|it| it != account) {
        let message = "Insufficient privileges to perform this action.";
        return Err(Refusal::new(Code::AccessDenied, message));
    }
    find(world, call, Some(super::vault_name(call)), &arn_in_path(call))
}

/// Returns the ARN of a recovery point in the path of a call.
pub(crate) fn arn_in_path(call: &Call) -> String {
    call.looked_at("RecoveryPointArn");
    segments(&call.path).into_iter().nth(3).unwrap_or_default()
}

pub(super) fn describe(world: &World, call: &Call) -> Answer<Value> {
    let point = in_path(world, call)?;
    let mut view = in_vault(world, point);
    if let Some(members) = view.as_object_mut() {
        let class = if point.is_cold(world.works.now()) { "COLD" } else { "WARM" };
        members.insert("StorageClass".to_owned(), json!(class));
    }
    Ok(view)
}

pub(super) fn restore_metadata(world: &World, call: &Call) -> Answer<Value> {
    let point = in_path(world, call)?;
    Ok(json!({
        "BackupVaultArn": point.vault,
        "RecoveryPointArn": names::recovery_point(world, point),
        "RestoreMetadata": point.metadata,
        "ResourceType": point.kind,
    }))
}

pub(super) fn by_resource(world: &World, call: &Call) -> Answer<Value> {
    call.looked_at("ResourceArn");
    let arn = segments(&call.path).into_iter().nth(1).unwrap_or_default();
    let points = here(world, call).filter(|it| it.resource == arn);
    let view = |it: &EnginePoint| {
        present([
            ("RecoveryPointArn", Some(json!(names::recovery_point(world, it)))),
            ("CreationDate", Some(json!(moment(it.created)))),
            ("Status", Some(json!(it.status()))),
            ("EncryptionKeyArn", it.key.clone().map(Value::from)),
            ("BackupSizeBytes", Some(json!(it.bytes))),
            ("BackupVaultName", Some(json!(names::vault(&it.vault)))),
            ("IsParent", Some(json!(false))),
            ("VaultType", Some(json!(vault_type(world, &it.vault)))),
        ])
    };
    page(world, call, "RecoveryPoints", points.map(view))
}

pub(super) fn protected(world: &World, call: &Call) -> Answer<Value> {
    let mut newest = BTreeMap::<&str, &EnginePoint>::new();
    for it in here(world, call) {
        let known = newest.entry(&it.resource).or_insert(it);
        if it.created > known.created {
            *known = it;
        }
    }
    let view = |it: &EnginePoint| {
        json!({
            "ResourceArn": it.resource,
            "ResourceType": it.kind,
            "LastBackupTime": moment(it.created),
            "LastBackupVaultArn": it.vault,
            "LastRecoveryPointArn": names::recovery_point(world, it),
        })
    };
    page(world, call, "Results", newest.into_values().map(view))
}

/// Returns the number of recovery points in the vault with this ARN.
pub(super) fn count(world: &World, vault: &str) -> usize {
    world.works.points().filter(|it| it.vault == vault).count()
}

/// Returns the recovery points in the account and the Region of a call.
fn here<'a>(world: &'a World, call: &'a Call) -> impl Iterator<Item = &'a EnginePoint> {
    world.works.points().filter(|it| is_here(call, it))
}

/// Returns `true` if a recovery point is in the account and the Region of a call.
fn is_here(call: &Call, point: &EnginePoint) -> bool {
    let (account, region) = (call.caller.account.as_str(), call.caller.region.as_str());
    whereabouts(&point.vault) == Some((account, region))
}

/// Returns the account whose policies created a recovery point.
fn owner(point: &EnginePoint) -> &str {
    let vault = point.source_vault.as_deref().unwrap_or(&point.vault);
    whereabouts(vault).unwrap_or_default().0
}

fn vault_type(world: &World, arn: &str) -> &'static str {
    use crate::backup_engine::Surroundings as _;

    super::vault_type(world.vault(arn).is_some_and(|it| it.air_gapped))
}
