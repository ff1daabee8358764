//! AWS Backup, whose protocol is REST with JSON.

mod jobs;
mod names;
mod plans;
mod points;
mod query;
mod restores;
mod start;

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use self::query::{is_asked, page, present};
use crate::fault::Failure;
use crate::refusal::{Answer, Code, Refusal};
use crate::reply::{Reply, timestamp};
use crate::request::{Call, RESTORE_JOBS, VAULTS};
use crate::vaults::Vault;
use crate::world::World;

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Answer<Reply> {
    world.settle();
    let (account, region) = (&call.caller.account, &call.caller.region);
    let body = match operation {
        "DescribeGlobalSettings" => json!({
            "GlobalSettings": world.backup.global_settings(),
            "LastUpdateTime": timestamp(world.backup.global_updated()),
        }),
        "UpdateGlobalSettings" => {
            let input = input(call)?;
            let settings = get(&input, call, "GlobalSettings").ok_or_else(missing)?;
            world.backup.update_global_settings(&map(settings, Value::as_str, str::to_owned)?)?;
            return Ok(Reply::empty());
        }
        "DescribeRegionSettings" => {
            let settings = world.backup.region_settings(account, region);
            json!({
                "ResourceTypeOptInPreference": settings.opt_in,
                "ResourceTypeManagementPreference": settings.management,
            })
        }
        "UpdateRegionSettings" => {
            let input = input(call)?;
            let preference = |name| match get(&input, call, name) {
                Some(value) => map(value, Value::as_bool, |it| it),
                None => Ok(BTreeMap::new()),
            };
            let opt_in = preference("ResourceTypeOptInPreference")?;
            let management = preference("ResourceTypeManagementPreference")?;
            if opt_in.is_empty() && management.is_empty() {
                return Err(missing());
            }
            world.backup.update_region_settings(account, region, &opt_in, &management)?;
            return Ok(Reply::empty());
        }
        "DescribeBackupVault" => {
            let name = vault_name(call);
            let vault = world.backup.vaults().get(account, region, name)?;
            vault_view(world, call, name, vault)
        }
        "ListBackupVaults" => vaults(world, call)?,
        "ListBackupJobs" => jobs::backup_jobs(world, call)?,
        "ListCopyJobs" => jobs::copy_jobs(world, call)?,
        "DescribeBackupJob" => jobs::describe_backup(world, call)?,
        "DescribeCopyJob" => jobs::describe_copy(world, call)?,
        "StartBackupJob" => start::backup(world, call)?,
        "StartCopyJob" => start::copy(world, call)?,
        "StartRestoreJob" => start::restore(world, call)?,
        "DescribeRecoveryPoint" => points::describe(world, call)?,
        "GetRecoveryPointRestoreMetadata" => points::restore_metadata(world, call)?,
        "ListRestoreJobs" => restores::list(world, call)?,
        "ListProtectedResources" => points::protected(world, call)?,
        "ListRecoveryPointsByBackupVault" => points::by_vault(world, call)?,
        "ListRecoveryPointsByResource" => points::by_resource(world, call)?,
        "ListBackupPlans" => plans::list(world, call)?,
        "GetBackupPlan" => plans::get(world, call)?,
        "ListBackupSelections" => plans::selections(world, call)?,
        "GetBackupSelection" => plans::selection(world, call)?,
        "GetBackupVaultAccessPolicy" => access_policy(world, call)?,
        "DescribeRestoreJob" => restores::describe(world, call)?,
        "GetRestoreJobMetadata" => restores::metadata(world, call)?,
        "PutRestoreValidationResult" => {
            validate(world, call)?;
            return Ok(Reply::empty().status(StatusCode::NO_CONTENT));
        }
        _ => json!({ "ResourceTypes": world.backup.supported_resource_types(region) }),
    };
    Ok(Reply::new("application/json", body.to_string()))
}

fn vaults(world: &World, call: &Call) -> Answer<Value> {
    let (account, region) = (&call.caller.account, &call.caller.region);
    // No vault is shared with other accounts here.
    let is_own = call.parameter("shared") != Some("true");
    let is_wanted = |it: &Vault| is_own && is_asked(call, "vaultType", vault_type(it.air_gapped));
    let vaults = world.backup.vaults().of(account, region);
    let vaults = vaults.into_iter().filter(|it| is_wanted(it.1));
    let views = vaults.map(|(name, it)| vault_view(world, call, name, it));
    page(world, call, "BackupVaultList", views)
}

/// Returns the type of a vault.
fn vault_type(air_gapped: bool) -> &'static str {
    if air_gapped { "LOGICALLY_AIR_GAPPED_BACKUP_VAULT" } else { "BACKUP_VAULT" }
}

fn vault_view(world: &World, call: &Call, name: &str, vault: &Vault) -> Value {
    let (account, region) = (&call.caller.account, &call.caller.region);
    let arn = vault_arn(world, call, name);
    let key = vault.key_arn_in(account, region);
    present([
        ("BackupVaultName", Some(json!(name))),
        ("VaultType", Some(json!(vault_type(vault.air_gapped)))),
        ("VaultState", Some(json!("AVAILABLE"))),
        ("CreationDate", Some(json!(timestamp(std::time::Duration::ZERO)))),
        ("NumberOfRecoveryPoints", Some(json!(points::count(world, &arn)))),
        ("BackupVaultArn", Some(json!(arn))),
        ("Locked", Some(json!(vault.locked))),
        ("EncryptionKeyArn", key.map(Value::from)),
        ("EncryptionKeyType", vault.key_type.map(|it| it.as_str().into())),
        ("MinRetentionDays", vault.min_retention_days.map(Value::from)),
        ("MaxRetentionDays", vault.max_retention_days.map(Value::from)),
    ])
}

fn access_policy(world: &World, call: &Call) -> Answer<Value> {
    let (account, region, name) = (&call.caller.account, &call.caller.region, vault_name(call));
    let policy = world.backup.vaults().get(account, region, name)?.access_policy.as_ref();
    let arn = vault_arn(world, call, name);
    let policy = policy.map(|it| it.replace("$account", account)).ok_or_else(|| {
        // The message was recorded: see docs/verified.md.
        let message = format!("Backup Vault {arn} has no associated POLICY");
        Refusal::new(Code::ResourceNotFound, message)
    })?;
    Ok(json!({ "BackupVaultName": name, "BackupVaultArn": arn, "Policy": policy }))
}

/// Returns the name of the vault in the path of a call.
pub(super) fn vault_name(call: &Call) -> &str {
    call.looked_at("BackupVaultName");
    let rest = call.path.strip_prefix(VAULTS).unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}

/// Returns the ARN of the vault with this name in the account and the Region of a call.
fn vault_arn(world: &World, call: &Call, name: &str) -> String {
    let (partition, caller) = (world.organization.partition(), &call.caller);
    format!("arn:{partition}:backup:{}:{}:backup-vault:{name}", caller.region, caller.account)
}

/// Returns the ARN of the backup plan in the path of a call.
pub(super) fn plan_arn(world: &World, call: &Call) -> String {
    let (account, region) = (&call.caller.account, &call.caller.region);
    names::plan_arn(world, account, region, &plans::plan_id(call))
}

/// Returns the ARN of the recovery point that a call names in its path or its body.
pub(super) fn point_arn(call: &Call) -> String {
    let asked = input(call).ok();
    let asked = asked.as_ref().and_then(|it| it.get("RecoveryPointArn")).and_then(Value::as_str);
    asked.map_or_else(|| points::arn_in_path(call), str::to_owned)
}

/// Returns the ID of the restore job in the path of a call.
fn job_id(call: &Call) -> &str {
    call.looked_at("RestoreJobId");
    let rest = call.path.strip_prefix(RESTORE_JOBS).unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}

fn validate(world: &mut World, call: &Call) -> Answer<()> {
    if restores::is_asked_for(world, call) {
        let message = "The restore job is not a restore test that has completed.";
        return Err(Refusal::new(Code::InvalidRequest, message));
    }
    let (account, region) = (&call.caller.account, &call.caller.region);
    let input = input(call)?;
    let text = |name| get(&input, call, name).and_then(Value::as_str);
    let status = text("ValidationStatus").ok_or_else(missing)?;
    let message = text("ValidationStatusMessage").unwrap_or_default();
    world.backup.restore_jobs_mut().validate(account, region, job_id(call), status, message)
}

/// Returns the answer of AWS Backup to a caller that the organization does not allow.
pub(super) fn refuse(operation: &str, refusal: Refusal) -> Answer<()> {
    match operation {
        "UpdateGlobalSettings" => {
            let message = "Global settings can be updated by the management account only.";
            Err(Refusal::new(Code::InvalidRequest, message))
        }
        "DescribeGlobalSettings" => Err(Refusal::new(Code::InvalidRequest, refusal.message)),
        _ => Ok(()),
    }
}

pub(super) fn error(failure: &Failure, message: &str) -> Reply {
    let body = json!({ "Code": failure.code, "Message": message });
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    Reply::new("application/json", body.to_string())
        .status(status)
        .header("x-amzn-errortype", failure.code.clone())
}

fn get<'a>(input: &'a Map<String, Value>, call: &Call, name: &'static str) -> Option<&'a Value> {
    call.looked_at(name);
    input.get(name)
}

fn input(call: &Call) -> Answer<Map<String, Value>> {
    serde_json::from_slice(&call.body).map_err(|_| serialization())
}

/// Reads a map whose values all have the same type.
fn map<'a, T, U>(
    value: &'a Value,
    read: impl Fn(&'a Value) -> Option<T>,
    own: impl Fn(T) -> U,
) -> Answer<BTreeMap<String, U>> {
    let entries = value.as_object().ok_or_else(serialization)?.iter();
    let entry = |(key, value)| Some((String::clone(key), own(read(value)?)));
    entries.map(|it| entry(it).ok_or_else(serialization)).collect()
}

fn serialization() -> Refusal {
    Refusal::new(Code::Serialization, "The request body does not have the right shape.")
}

fn missing() -> Refusal {
    Refusal::new(Code::MissingParameterValue, "A required parameter is missing.")
}
