//! The plan of a restore.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use plan::id::{ResourceType, RoleArn, RoleName};
use policy::document::sha256;
use serde_json::{Value, json};

use super::bound::SettingSubject;
use super::hindrance::Hindrance;
use super::kind::{REGIONS, RestoredKind};
use super::point::KeptPoint;
use super::proof::Proofs;
use super::settings::{Move, Said, get, put, settings};
use super::way::{Hop, way};
use crate::coverage::{Copied, Key, Obstacle, Vault};
use crate::words::utc;
use crate::{Destination, Found};

/// A request to restore something somewhere.
#[derive(Clone, Debug)]
pub struct RestoreRequest {
    /// The account and Region to restore in, and the vault there that copies arrive in.
    pub goal: Destination,
    /// The partition.
    pub partition: String,
    /// The role that AWS Backup restores with, in the account of the goal.
    pub role: RoleName,
    /// The role that AWS Backup copies with, in the account that holds the recovery point.
    pub copy_role: RoleName,
    /// After how many days copies on the way are deleted; `None` when the original decides.
    pub keep_days: Option<i64>,
    /// The name that it is to get.
    pub name: Option<String>,
    /// Settings that are to be otherwise.
    pub set: BTreeMap<String, String>,
    /// The name of something that exists and may be written into.
    pub overwrite: Option<String>,
    /// Text that tells this restore from another one that is the same.
    pub again: String,
}

/// The way of a recovery point, as far as it was seen.
#[derive(Clone, Debug, Default)]
pub struct WaySeen {
    /// The settings of the resource that AWS Backup remembers.
    pub metadata: BTreeMap<String, String>,
    /// Each vault on the way, the first included, by ARN.
    pub vaults: BTreeMap<String, Found<Vault>>,
    /// Each role, by ARN: true if it trusts AWS Backup.
    pub roles: BTreeMap<String, Found<bool>>,
    /// The opt-ins of the account and Region to restore in, where they are known.
    pub opt_ins: Option<BTreeMap<ResourceType, bool>>,
    /// The restore tests that proved backups.
    pub proofs: Proofs,
}

/// The copies and the restore of a recovery point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RestorePlan {
    /// The recovery point.
    pub point: KeptPoint,
    /// Its type.
    pub kind: RestoredKind,
    /// The copies on the way.
    pub hops: Vec<Hop>,
    /// After how many days these are deleted; `None` when the original decides.
    pub keep_days: Option<i64>,
    /// The place where it is restored.
    pub goal: Destination,
    /// The role that AWS Backup restores it with.
    pub role: RoleArn,
    /// The settings of what is made.
    pub settings: BTreeMap<String, String>,
    /// The name of what is restored, if it has one.
    pub name: Option<String>,
    /// The name of something that exists and is written into.
    pub overwrites: Option<String>,
    /// True if the tags of the source are asked for.
    pub copies_tags: bool,
    /// The facts to know before.
    pub remarks: Vec<String>,
    /// Text that tells this restore from another one that is the same.
    again: String,
}

/// The setting that has the token of a file system of EFS.
const CREATION_TOKEN: &str = "CreationToken";

/// The time before its end from which a recovery point is worth a remark: a copy may take that long.
const SOON: Duration = Duration::from_hours(48);

/// Plans how `point` is restored as wished, by what was seen of its way.
///
/// # Errors
///
/// Everything that keeps it from that, and not the first only.
pub fn plan(
    point: &KeptPoint,
    request: &RestoreRequest,
    seen: &WaySeen,
    now: SystemTime,
) -> Result<RestorePlan, Vec<Hindrance>> {
    let unknown = || point.resource_type.clone().unwrap_or_else(|| point.resource.clone());
    let Some(kind) = point.kind() else { return Err(vec![Hindrance::UnknownType(unknown())]) };
    if kind.by_hand().is_some() {
        return Err(vec![Hindrance::ByHand(kind)]);
    }
    if point.is_stack_whole() {
        return Err(vec![Hindrance::Whole]);
    }
    let mut hindrances: Vec<_> = point.unusable(now).into_iter().collect();
    let hops = way(point, &request.goal, &request.partition, &request.copy_role);
    on_the_way(point, request, &hops, seen, now, &mut hindrances);
    let role = RoleArn::of(&request.partition, &request.goal.account, &request.role);
    hindrances.extend(of_role(seen, &role).map(Hindrance::Role));
    let is_out = |all: &BTreeMap<ResourceType, bool>| {
        all.iter().any(|it| it.0.as_str() == kind.name() && !it.1)
    };
    if seen.opt_ins.as_ref().is_some_and(is_out) {
        hindrances.push(Hindrance::OptedOut(kind));
    }
    let home = point.owner().unwrap_or_else(|| point.vault.account.clone());
    let moved = Move {
        is_other_account: home != request.goal.account,
        is_other_region: point.region() != request.goal.region.as_str(),
    };
    let set = &request.set;
    let said = Said { name: request.name.as_deref(), set, overwrite: request.overwrite.as_deref() };
    let mut settings = settings(kind, point, &seen.metadata, moved, said);
    hindrances.append(&mut settings.hindrances);
    if !hindrances.is_empty() {
        return Err(hindrances);
    }
    let mut remarks = settings.remarks;
    remarks.extend(kind.remarks().iter().map(|it| (*it).to_owned()));
    if !kind.keeps_tags() {
        remarks.push(
            "its tags are not restored: give it those that a backup policy selects, or it is not \
             backed up"
                .to_owned(),
        );
    }
    if point.is_cold(now) {
        remarks.push("it is in cold storage, from which a restore takes about 4 hours more".into());
    }
    if let Some(end) = point.delete_at.filter(|it| *it <= now + SOON) {
        remarks.push(format!("the recovery point is deleted at {}: restore it before", utc(end)));
    }
    if let (Some(hop), None, None) = (hops.last(), request.keep_days, point.delete_at) {
        let vault = &hop.to.name;
        remarks.push(format!(
            "the copy in `{vault}` is kept for ever, like the original, unless --keep-days says otherwise"
        ));
    }
    remarks.push(seen.proofs.words(point));
    let mut plan = RestorePlan {
        point: point.clone(),
        kind,
        hops,
        keep_days: request.keep_days,
        goal: request.goal.clone(),
        role,
        settings: settings.all,
        name: settings.name,
        overwrites: settings.overwrites,
        copies_tags: kind.keeps_tags(),
        remarks,
        again: request.again.clone(),
    };
    if kind == RestoredKind::AuroraDsql && get(&plan.settings, REGIONS).is_none() {
        // AWS takes its defaults for everything but the Region (`restore-auroradsql.html`).
        let regions = json!([{ "region": plan.goal.region }]).to_string();
        put(&mut plan.settings, REGIONS, &regions);
    }
    if kind == RestoredKind::Efs && get(&plan.settings, "newFileSystem") == Some("true") {
        // By its own token, EFS makes one file system, even if another caller asks again.
        let token = plan.token("file system", &plan.point.arn);
        let token = token.get(..40).unwrap_or(&token).to_owned();
        put(&mut plan.settings, CREATION_TOKEN, &token);
    }
    Ok(plan)
}

/// Adds what is in the way of the copies.
fn on_the_way(
    point: &KeptPoint,
    request: &RestoreRequest,
    hops: &[Hop],
    seen: &WaySeen,
    now: SystemTime,
    hindrances: &mut Vec<Hindrance>,
) {
    let copy = |it: Obstacle| Hindrance::Copy(it);
    let own = point.vault.arn(&request.partition);
    // Its key is what AWS Backup reads it with, here or in the account that it is copied to.
    if let Some(Found::Here(vault)) = seen.vaults.get(&own) {
        hindrances.extend(of_key(&own, &vault.key).map(copy));
    }
    let Some(first) = hops.first() else { return };
    let facts = point.facts();
    if point.copied() == Copied::Never {
        hindrances.push(copy(Obstacle::NotCopied));
        return;
    }
    if point.is_cold(now) {
        hindrances.push(point.coldness());
    }
    if point.is_continuous {
        hindrances.push(Hindrance::Continuous);
    }
    hindrances.extend(of_role(seen, &first.role).map(copy));
    let is_managed = facts.is_some_and(|it| it.is_managed);
    for hop in hops {
        let arn = hop.to.arn(&request.partition);
        let vault = match seen.vaults.get(&arn) {
            Some(Found::Here(vault)) => vault,
            Some(Found::Absent) => {
                hindrances.push(copy(Obstacle::NoVault(arn)));
                continue;
            }
            Some(Found::Unknown) | None => {
                hindrances.push(copy(Obstacle::NotKnown(format!("the vault `{arn}`"))));
                continue;
            }
        };
        let is_across = hop.from.account != hop.to.account;
        if is_across && vault.key == Key::Aws && !is_managed && !vault.is_air_gapped {
            hindrances.push(copy(Obstacle::AwsKey(arn.clone())));
        }
        if is_across && vault.admits == Some(false) {
            hindrances.push(copy(Obstacle::NotAdmitted(arn.clone())));
        }
        hindrances.extend(of_key(&arn, &vault.key).map(copy));
        let keep = request.keep_days.or_else(|| kept_for(point));
        let why = vault.lock.as_ref().and_then(|it| it.refuses(keep));
        hindrances.extend(why.map(|why| copy(Obstacle::Lock { vault: arn, why })));
    }
}

/// For how many days the original is kept, which its copy is as well; `None` when for ever.
fn kept_for(point: &KeptPoint) -> Option<i64> {
    let kept = point.delete_at?.duration_since(point.created).unwrap_or_default();
    i64::try_from(kept.as_secs() / (24 * 3600)).ok()
}

/// Returns the problem of a key; one that nobody could judge may have none.
fn of_key(vault: &str, key: &Key) -> Option<Obstacle> {
    match key {
        Key::Unusable(state) => {
            Some(Obstacle::KeyUnusable { vault: vault.to_owned(), state: state.clone() })
        }
        Key::Aws | Key::Customer | Key::NotKnown => None,
    }
}

/// Returns the problem of a role; one that nobody could judge may have none.
fn of_role(seen: &WaySeen, role: &RoleArn) -> Option<Obstacle> {
    match seen.roles.get(role.as_str()) {
        Some(Found::Here(false)) => Some(Obstacle::Untrusting(role.to_string())),
        Some(Found::Absent) => Some(Obstacle::NoRole(role.to_string())),
        Some(Found::Here(true) | Found::Unknown) | None => None,
    }
}

impl RestorePlan {
    /// The token of the copy `hop`: the same for every caller and at every time.
    pub fn copy_token(&self, hop: &Hop) -> String {
        let Hop { from, to, role } = hop;
        let vaults = format!("{from} {} {to} {} {role}", from.name, to.name);
        sha256(format!("copy {} {vaults} {}", self.point.arn, self.again).as_bytes())
    }

    /// The token of the restore.
    pub fn restore_token(&self) -> String {
        let settings: Vec<_> = self.settings.iter().map(|(key, value)| [key, value]).collect();
        self.token("restore", &json!(settings).to_string())
    }

    fn token(&self, what: &str, more: &str) -> String {
        let Self { point, goal, role, again, .. } = self;
        sha256(format!("{what} {} {goal} {role} {again} {more}", point.arn).as_bytes())
    }

    /// Returns `true` if a restore with these settings is this one, or one that only `--again` tells apart.
    /// AWS may add settings of its own.
    pub fn is_restore(&self, settings: &BTreeMap<String, String>) -> bool {
        let own = self.settings.iter().filter(|it| !it.0.eq_ignore_ascii_case(CREATION_TOKEN));
        own.into_iter().all(|(key, value)| get(settings, key) == Some(value))
    }

    /// Returns `true` if it repeats an earlier one that ended.
    pub fn is_again(&self) -> bool {
        !self.again.is_empty()
    }

    /// The effect of the plan in a few words.
    pub fn makes(&self) -> String {
        let noun = self.kind.noun();
        match (&self.overwrites, &self.name) {
            (Some(name), _) if self.kind.replaces().is_some() => {
                format!("replaces all that is in the {noun} `{name}`, which exists")
            }
            (Some(name), _) => format!("writes into the {noun} `{name}`, which exists"),
            (None, Some(name)) => format!("makes the {noun} `{name}`"),
            (None, None) => format!("makes a new {noun}"),
        }
    }

    /// The plan, line by line.
    pub fn lines(&self) -> Vec<String> {
        let Self { point, goal, kind, .. } = self;
        let mut lines = vec![
            format!("{} of {}", kind.noun(), point.resource),
            format!("  from the recovery point {} of {}", point.arn, utc(point.created)),
        ];
        for hop in &self.hops {
            let Hop { from, to, role } = hop;
            let kept = self.keep_days.map_or_else(
                || "kept as long as the original".to_owned(),
                |it| format!("kept for {it} days since the backup"),
            );
            lines.push(format!(
                "  copies it from `{}` in {from} to `{}` in {to}, with {role}, {kept}",
                from.name, to.name
            ));
        }
        lines.push(format!("  {} in {goal}, with {}", self.makes(), self.role));
        let encrypted = kind.settings().iter().find_map(|it| {
            let named = get(&self.settings, it.key)?;
            (it.subject == SettingSubject::Encryption).then(|| named.to_owned())
        });
        let encrypted = encrypted.unwrap_or_else(|| kind.encryption().to_owned());
        lines.push(format!("  encrypted with {encrypted}"));
        lines.extend(self.settings.iter().map(|(key, value)| format!("  {key} = {value}")));
        lines.extend(self.remarks.iter().map(|it| format!("  note: {it}")));
        lines
    }

    /// The looks to take and the things to do when it was restored, line by line.
    pub fn afterwards(&self) -> Vec<String> {
        self.kind.afterwards().iter().map(|it| (*it).to_owned()).collect()
    }

    /// The plan for programs.
    pub fn json(&self) -> Value {
        let hops = self.hops.iter().map(|it| {
            json!({
                "account": it.from.account, "region": it.from.region, "from": it.from.name,
                "toAccount": it.to.account, "toRegion": it.to.region, "to": it.to.name,
                "role": it.role, "token": self.copy_token(it),
            })
        });
        json!({
            "resource": self.point.resource,
            "type": self.kind.name(),
            "recoveryPoint": self.point.arn,
            "created": utc(self.point.created),
            "copies": hops.collect::<Vec<_>>(),
            "account": self.goal.account,
            "region": self.goal.region,
            "role": self.role,
            "name": self.name,
            "overwrites": self.overwrites,
            "settings": self.settings,
            "token": self.restore_token(),
            "remarks": self.remarks,
            "afterwards": self.kind.afterwards(),
        })
    }
}
