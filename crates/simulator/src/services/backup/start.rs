//! Requests for backups, copies and restores.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{names, points};
use crate::backup_engine::{
    Asker, BackupOrder, CopyOrder, EngineRestoreJob, PointLifecycle, RestoreOrder,
};
use crate::refusal::{Answer, Code, Refusal};
use crate::reply::moment;
use crate::request::Call;
use crate::world::World;

/// The least and the most minutes of a window.
const WINDOW: std::ops::RangeInclusive<i64> = 60..=52_560_000;

pub(super) fn backup(world: &mut World, call: &Call) -> Answer<Value> {
    let body = Body::of(call)?;
    let order = BackupOrder {
        asker: body.asker()?,
        resource: body.required("ResourceArn")?,
        vault: body.required("BackupVaultName")?,
        air_gapped: body.text("LogicallyAirGappedBackupVaultArn"),
        start_window: body.window("StartWindowMinutes")?,
        completion_window: body.window("CompleteWindowMinutes")?,
        lifecycle: body.lifecycle()?,
        tags: body.texts("RecoveryPointTags")?,
    };
    let options = body.texts("BackupOptions")?;
    let is_option = |(key, value): (&String, &String)| {
        key == "WindowsVSS" && ["enabled", "disabled"].contains(&value.as_str())
    };
    let is_instance = order.resource.contains(":instance/");
    if !options.iter().all(is_option) || !(options.is_empty() || is_instance) {
        return Err(invalid("A backup option is not supported for this resource."));
    }
    let id = world.ask(|works, around| works.back_up(&order, around))?;
    let created = world.works.jobs().get(id).map(|it| moment(it.created));
    let id = names::backup_job(id);
    Ok(json!({ "BackupJobId": id, "CreationDate": created, "IsParent": false }))
}

pub(super) fn copy(world: &mut World, call: &Call) -> Answer<Value> {
    let body = Body::of(call)?;
    let vault = body.required("SourceBackupVaultName")?;
    let point = body.required("RecoveryPointArn")?;
    let destination = body.required("DestinationBackupVaultArn")?;
    let (asker, lifecycle) = (body.asker()?, body.lifecycle()?);
    let point = points::find(world, call, Some(&vault), &point)?.id;
    let order = CopyOrder { asker, point, destination, lifecycle };
    let id = world.ask(|works, around| works.copy(&order, around))?;
    let created = world.works.copy_jobs().get(id).map(|it| moment(it.created));
    let id = names::copy_job(id);
    Ok(json!({ "CopyJobId": id, "CreationDate": created, "IsParent": false }))
}

pub(super) fn restore(world: &mut World, call: &Call) -> Answer<Value> {
    let body = Body::of(call)?;
    let point = body.required("RecoveryPointArn")?;
    if body.get("Metadata").is_none() {
        return Err(super::missing());
    }
    let (metadata, asker) = (body.texts("Metadata")?, body.asker()?);
    let kind = body.text("ResourceType");
    let copies_tags = body.get("CopySourceTagsToRestoredResource") == Some(&json!(true));
    let point = points::find(world, call, None, &point)?.id;
    let order = RestoreOrder { asker, point, metadata, kind, copies_tags };
    let id = world.ask(|works, around| works.restore(&order, around))?;
    let job = world.works.restore_jobs().get(id);
    Ok(json!({ "RestoreJobId": job.map(EngineRestoreJob::name) }))
}

/// The body of a request, and who sent it.
struct Body<'a> {
    call: &'a Call,
    members: Map<String, Value>,
}

impl<'a> Body<'a> {
    fn of(call: &'a Call) -> Answer<Self> {
        Ok(Self { call, members: super::input(call)? })
    }

    fn get(&self, name: &'static str) -> Option<&Value> {
        super::get(&self.members, self.call, name)
    }

    fn text(&self, name: &'static str) -> Option<String> {
        self.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    fn required(&self, name: &'static str) -> Answer<String> {
        self.text(name).filter(|it| !it.is_empty()).ok_or_else(super::missing)
    }

    fn texts(&self, name: &'static str) -> Answer<BTreeMap<String, String>> {
        let value = self.get(name);
        value.map_or(Ok(BTreeMap::new()), |it| super::map(it, Value::as_str, str::to_owned))
    }

    fn window(&self, name: &'static str) -> Answer<Option<Duration>> {
        let Some(minutes) = self.get(name).and_then(Value::as_i64) else { return Ok(None) };
        let minutes = u64::try_from(minutes).ok().filter(|_| WINDOW.contains(&minutes));
        let minutes = minutes.ok_or_else(|| invalid("A window has 60 to 52560000 minutes."))?;
        Ok(Some(Duration::from_mins(minutes)))
    }

    /// Returns the lifecycle of the request. In it, -1 means never.
    fn lifecycle(&self) -> Answer<PointLifecycle> {
        let Some(lifecycle) = self.get("Lifecycle") else { return Ok(PointLifecycle::default()) };
        let days = |name: &str| {
            let days = lifecycle.get(name).and_then(Value::as_i64).filter(|it| *it != -1);
            let checked = days.map(|it| u32::try_from(it).ok().filter(|it| *it > 0));
            let message = format!("{name} has to be one at least.");
            checked.map(|it| it.ok_or_else(|| invalid(&message))).transpose()
        };
        let asked = PointLifecycle {
            delete_after_days: days("DeleteAfterDays")?,
            cold_after_days: days("MoveToColdStorageAfterDays")?,
            archives: lifecycle.get("OptInToArchiveForSupportedResources") == Some(&json!(true)),
        };
        if !asked.is_accepted() {
            let message = "DeleteAfterDays has to be 90 days after MoveToColdStorageAfterDays.";
            return Err(invalid(message));
        }
        Ok(asked)
    }

    fn asker(&self) -> Answer<Asker> {
        Ok(Asker {
            account: self.call.caller.account.clone(),
            region: self.call.caller.region.clone(),
            role: self.required("IamRoleArn")?,
            token: self.text("IdempotencyToken"),
        })
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(Code::InvalidParameterValue, message)
}
