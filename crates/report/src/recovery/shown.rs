//! Recovery points, as they are listed.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::point::KeptPoint;
use super::proof::Proofs;
use crate::Lock;
use crate::coverage::PointStatus;
use crate::words::utc;

/// The columns of [`fields`].
pub const COLUMNS: [&str; 15] = [
    "resource",
    "type",
    "owner",
    "recovery_point",
    "created",
    "status",
    "account",
    "region",
    "vault",
    "kept_until",
    "locked_until",
    "key",
    "restorable",
    "proved",
    "type_proved",
];

/// Until when a recovery point is kept, and until when nobody can delete it in a vault with this lock.
fn until(point: &KeptPoint, lock: Option<&Lock>) -> (String, Option<String>) {
    let kept = point.delete_at.map_or_else(|| "ever".to_owned(), utc);
    let locked = lock.map(|_| kept.clone());
    (kept, locked)
}

fn status(point: &KeptPoint, now: SystemTime) -> &'static str {
    match point.status {
        PointStatus::Usable if point.is_cold(now) => "cold",
        PointStatus::Usable if point.is_continuous => "continuous",
        PointStatus::Usable => "usable",
        PointStatus::Changing => "changing",
        PointStatus::Partial => "partial",
        PointStatus::Stopped => "stopped",
        PointStatus::Expired => "expired",
        PointStatus::Unknown => "unknown",
    }
}

/// A recovery point in a vault with this lock, as a row, and what restore tests proved.
pub fn fields(
    point: &KeptPoint,
    lock: Option<&Lock>,
    proofs: &Proofs,
    now: SystemTime,
) -> [String; 15] {
    let (kept, locked) = until(point, lock);
    [
        point.resource.clone(),
        point.resource_type.clone().unwrap_or_default(),
        point.owner().map(|it| it.to_string()).unwrap_or_default(),
        point.arn.clone(),
        utc(point.created),
        status(point, now).to_owned(),
        point.vault.account.to_string(),
        point.vault.region.to_string(),
        point.vault.name.to_string(),
        kept,
        locked.unwrap_or_default(),
        point.key.clone().unwrap_or_default(),
        point.restorable(now),
        proofs.of(point).map(utc).unwrap_or_default(),
        proofs.of_kind(point).map(utc).unwrap_or_default(),
    ]
}

/// The same for programs.
pub fn json(point: &KeptPoint, lock: Option<&Lock>, proofs: &Proofs, now: SystemTime) -> Value {
    let (kept, locked) = until(point, lock);
    let age = now.duration_since(point.created).unwrap_or_default().as_secs() / 3600;
    json!({
        "resource": point.resource,
        "type": point.resource_type,
        "owner": point.owner(),
        "recoveryPoint": point.arn,
        "created": utc(point.created),
        "ageHours": age,
        "status": status(point, now),
        "message": point.told,
        "account": point.vault.account,
        "region": point.vault.region,
        "vault": point.vault.name,
        "copiedFrom": point.copied_from,
        "keptUntil": kept,
        "lockedUntil": locked,
        "key": point.key,
        "bytes": point.bytes,
        "restorable": point.restorable(now),
        "proved": proofs.of(point).map(utc),
        "typeProved": proofs.of_kind(point).map(utc),
    })
}

/// The same in a line.
pub fn shown(point: &KeptPoint, lock: Option<&Lock>, now: SystemTime) -> String {
    let (kept, locked) = until(point, lock);
    let hours = now.duration_since(point.created).unwrap_or_default().as_secs() / 3600;
    let age = if hours < 48 { format!("{hours} h") } else { format!("{} days", hours / 24) };
    let locked = if locked.is_some() { ", and locked" } else { "" };
    let key = point.key.as_deref().unwrap_or("a key that AWS does not name");
    format!(
        "{} {} ({age} old, {}) in `{}` of {}, kept until {kept}{locked}, with {key}; restorable {}",
        utc(point.created),
        point.arn,
        status(point, now),
        point.vault.name,
        point.vault,
        point.restorable(now),
    )
}
