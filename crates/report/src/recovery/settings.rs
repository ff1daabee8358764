//! The settings of a restore: what AWS Backup remembers of a resource, less what is not there, with
//! what somebody says otherwise.

use std::collections::BTreeMap;

use policy::arn::Arn;
use serde_json::{Map, Value};

use super::bound::{Bound, BoundSetting, SettingNeed, SettingSubject};
use super::hindrance::Hindrance;
use super::kind::{Naming, RestoredKind};
use super::point::KeptPoint;

/// The distance between a resource and its restore.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Move {
    /// It is restored in another account.
    pub(super) is_other_account: bool,
    /// It is restored in another Region.
    pub(super) is_other_region: bool,
}

impl Move {
    /// Returns `true` if what such a setting names is not there.
    fn breaks(self, bound: Bound) -> bool {
        match bound {
            Bound::Nothing => false,
            Bound::Region => self.is_other_region,
            Bound::Account => self.is_other_account || self.is_other_region,
        }
    }

    /// Returns `true` if it is restored where it was.
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// The settings that somebody names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) set: &'a BTreeMap<String, String>,
    pub(super) overwrite: Option<&'a str>,
}

/// The settings of a restore.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ChosenSettings {
    pub(super) all: BTreeMap<String, String>,
    /// The name of what is restored, if it has one.
    pub(super) name: Option<String>,
    /// The name of something that exists and is written into.
    pub(super) overwrites: Option<String>,
    pub(super) remarks: Vec<String>,
    pub(super) hindrances: Vec<Hindrance>,
}

/// The settings of a restore of `point`: what was `remembered` of the resource, as far as it is there
/// after such a `moved`, and what was `said`.
pub(super) fn settings(
    kind: RestoredKind,
    point: &KeptPoint,
    remembered: &BTreeMap<String, String>,
    moved: Move,
    said: Said<'_>,
) -> ChosenSettings {
    let mut it = ChosenSettings { all: remembered.clone(), ..ChosenSettings::default() };
    for key in kind.refused() {
        take(&mut it.all, key);
    }
    it.all.retain(|key, _| !key.starts_with(INFORMATION));
    if let Some(taken) = kind.taken() {
        it.all.retain(|key, _| taken.iter().any(|it| it.eq_ignore_ascii_case(key)));
    }
    if moved.is_none()
        && let Some((key, value)) = kind.in_arn(&point.resource)
        && get(&it.all, key).is_none()
    {
        put(&mut it.all, key, value);
    }
    if let Some((key, value)) = kind.given() {
        put(&mut it.all, key, value);
    }
    let is_into_existing = said.overwrite.is_some();
    for setting in kind.settings() {
        let value = |key: &str| set(said, key).or_else(|| get(&it.all, key));
        if kind.asks_for(setting.key, is_into_existing, value) {
            leave_out(&mut it, kind, *setting, moved, said.set);
        } else {
            take(&mut it.all, setting.key);
        }
    }
    name(&mut it, kind, point, moved, said);
    newness(&mut it, kind, point, moved, said);
    if point.is_continuous {
        moment(&mut it, kind, said);
    }
    for (key, value) in said.set {
        put(&mut it.all, key, value);
    }
    it.hindrances.extend(twice(said.set));
    if let Some(parts) = get(&it.all, PARTS) {
        it.hindrances.extend(parts_written_into(parts));
    }
    it
}

/// The settings that are named twice. AWS does not care for the case of their keys, so either of the two
/// may be the one that counts, and what was judged by the other one says nothing.
fn twice(set: &BTreeMap<String, String>) -> Vec<Hindrance> {
    let mut found = Vec::new();
    for (index, second) in set.keys().enumerate() {
        if let Some(first) = set.keys().take(index).find(|it| it.eq_ignore_ascii_case(second)) {
            found.push(Hindrance::NamedTwice { first: first.clone(), second: second.clone() });
        }
    }
    found
}

/// The setting that has the settings of the parts of a backup, which are volumes, file systems and buckets:
/// a map in JSON, from the ARN of each.
const PARTS: &str = "nestedRestoreJobs";

/// The parts that such settings would have written into something that exists. Nobody types the name of
/// that: `--overwrite` has the one of the whole.
fn parts_written_into(settings: &str) -> Vec<Hindrance> {
    let mut found = Vec::new();
    let settings = Value::String(settings.to_owned());
    within(&settings, PARTS, &mut found);
    found
}

/// Looks for such settings in a value of `part`, at any depth: the settings of a part may be a map or the
/// text of one.
fn within(value: &Value, part: &str, found: &mut Vec<Hindrance>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => {
            if let Ok(inner) = serde_json::from_str::<Value>(text) {
                within(&inner, part, found);
            }
        }
        Value::Array(all) => all.iter().for_each(|it| within(it, part, found)),
        Value::Object(all) => {
            for (key, inner) in all {
                within(inner, if Arn::parse(key).is_ok() { key.as_str() } else { part }, found);
            }
            let filled = RestoredKind::ALL.into_iter().filter(|it| !is_new(all, *it));
            for key in filled.filter_map(RestoredKind::newness) {
                found.push(Hindrance::PartNotNew { part: part.to_owned(), key });
            }
        }
    }
}

/// Returns `true` if these settings write into nothing of this type. AWS takes what is named, and not said to
/// be new, for something that exists.
fn is_new(settings: &Map<String, Value>, kind: RestoredKind) -> bool {
    let Some(newness) = kind.newness() else { return true };
    let named = |key: &str| {
        let key = key.to_owned();
        settings.iter().filter(move |it| it.0.eq_ignore_ascii_case(&key)).map(|it| it.1)
    };
    let is_true = |it: &Value| {
        it.as_bool() == Some(true) || it.as_str().is_some_and(|it| it.eq_ignore_ascii_case("true"))
    };
    if named(newness).next().is_some() {
        return named(newness).all(is_true);
    }
    match kind.naming() {
        Naming::ById => true,
        Naming::Name { key, .. } => named(key).next().is_none(),
    }
}

/// The beginning of the keys that AWS Backup tells for people only, and does not take.
const INFORMATION: &str = "InformationalOnly:";

/// The settings of an instance that are inside of its network interfaces, if these are named.
const INSIDE_INTERFACES: [&str; 2] = ["SubnetId", "SecurityGroupIds"];

/// The beginnings of the names of the groups of parameters and options that every account has.
const DEFAULTS: [&str; 2] = ["default.", "default:"];

/// Takes out a setting that names what is not there, and says what comes of that.
fn leave_out(
    it: &mut ChosenSettings,
    kind: RestoredKind,
    setting: BoundSetting,
    moved: Move,
    set: &BTreeMap<String, String>,
) {
    let BoundSetting { key, subject, bound, need } = setting;
    let is_named = |key: &str| set.keys().any(|it| it.eq_ignore_ascii_case(key));
    let is_said = is_named(key);
    // A network interface has its subnet and its groups, and AWS refuses both.
    if !is_said && INSIDE_INTERFACES.contains(&key) && is_named("NetworkInterfaces") {
        take(&mut it.all, key);
        return;
    }
    // Every account has these.
    let is_default =
        get(&it.all, key).is_some_and(|it| DEFAULTS.iter().any(|to| it.starts_with(to)));
    if subject == SettingSubject::Parameters && is_default {
        return;
    }
    if !moved.breaks(bound) {
        // Of what else is not there, AWS chooses, as it did for the source.
        if need == SettingNeed::Always && !is_said && get(&it.all, key).is_none() {
            it.hindrances.push(Hindrance::SettingMissing { kind, key, had: None });
            return;
        }
        if subject == SettingSubject::Role
            && let Some(role) = get(&it.all, key).filter(|_| !is_said)
        {
            it.remarks.push(format!(
                "{key} is {role}: the role for restores has to be allowed to pass its role \
                 (RestoreInstanceRoleNames)"
            ));
        }
        return;
    }
    let had = take(&mut it.all, key);
    if is_said {
        return;
    }
    let is_needed = match need {
        SettingNeed::Never => false,
        SettingNeed::Replaced => had.is_some(),
        SettingNeed::Moved | SettingNeed::Always => true,
    };
    if is_needed {
        it.hindrances.push(Hindrance::SettingMissing { kind, key, had });
        return;
    }
    let Some(had) = had else { return };
    it.remarks.push(format!(
        "{key} was {had}, which is not there: it is left out, and {}",
        subject.otherwise()
    ));
    if subject == SettingSubject::Encryption
        && let Some((key, value)) = kind.without_key()
    {
        put(&mut it.all, key, value);
    }
}

/// Gives it a name: the one that is said, the one that is typed to be written into, the one that it had
/// where that is free, or one made of it and of the moment of the backup.
fn name(
    it: &mut ChosenSettings,
    kind: RestoredKind,
    point: &KeptPoint,
    moved: Move,
    said: Said<'_>,
) {
    let Naming::Name { key, longest, is_global } = kind.naming() else {
        if let Some(name) = said.name {
            it.hindrances.push(Hindrance::Nameless { kind, name: name.to_owned() });
        }
        return;
    };
    let source = point.name();
    let is_free = !is_global && !moved.is_none();
    // A setting that is named is what AWS gets.
    let typed = said.overwrite.filter(|_| kind.newness().is_some());
    let name = match set(said, key).or(said.name).or(typed) {
        Some(name) => name.to_owned(),
        None if is_free => source.to_owned(),
        None => point.restored_name(longest),
    };
    let is_taken = name.eq_ignore_ascii_case(source) && !is_free;
    if is_taken && said.overwrite != Some(name.as_str()) {
        it.hindrances.push(Hindrance::NameTaken { kind, name: name.clone() });
    }
    if name.is_empty() || name.len() > longest {
        it.hindrances.push(Hindrance::NameUnfit { kind, name: name.clone(), longest });
    }
    put(&mut it.all, key, &name);
    it.name = Some(name);
}

fn set<'a>(said: Said<'a>, key: &str) -> Option<&'a str> {
    said.set.iter().find(|it| it.0.eq_ignore_ascii_case(key)).map(|it| it.1.as_str())
}

/// Says whether something new is made. Writing into what is there takes its name.
fn newness(
    it: &mut ChosenSettings,
    kind: RestoredKind,
    point: &KeptPoint,
    moved: Move,
    said: Said<'_>,
) {
    if let Some(target) = kind.replaces() {
        return replacement(it, kind, target, said);
    }
    let Some(key) = kind.newness() else {
        if let Some(name) = said.overwrite {
            it.hindrances.push(Hindrance::NothingToOverwrite { kind, name: name.to_owned() });
        }
        return;
    };
    let is_new = set(said, key).map(|it| it.eq_ignore_ascii_case("true"));
    let target = it.name.clone().unwrap_or_else(|| point.name().to_owned());
    match said.overwrite {
        None if is_new == Some(false) => {
            it.hindrances.push(Hindrance::NotTyped { kind, name: target });
        }
        None => put(&mut it.all, key, "true"),
        // It is written into what has the name, and into nothing that was not typed. Only the file system
        // that was backed up can be restored into.
        Some(typed) if typed != target || kind == RestoredKind::Efs && !moved.is_none() => {
            it.hindrances.push(Hindrance::NotTyped { kind, name: target });
        }
        Some(typed) => {
            put(&mut it.all, key, "false");
            it.overwrites = Some(typed.to_owned());
        }
    }
}

/// Says what is replaced by something of a type that is not restored into anything new.
fn replacement(it: &mut ChosenSettings, kind: RestoredKind, key: &'static str, said: Said<'_>) {
    let named = set(said, key);
    let Some(typed) = said.overwrite else {
        let name = named.map(ToOwned::to_owned);
        it.hindrances.push(Hindrance::NothingTyped { kind, name });
        return;
    };
    // It replaces what has the name, and nothing that was not typed.
    if let Some(name) = named.filter(|it| *it != typed) {
        it.hindrances.push(Hindrance::NotTyped { kind, name: name.to_owned() });
        return;
    }
    put(&mut it.all, key, typed);
    it.overwrites = Some(typed.to_owned());
}

/// Says to which moment a continuous backup is restored, unless somebody does.
fn moment(it: &mut ChosenSettings, kind: RestoredKind, said: Said<'_>) {
    let Some(moment) = kind.moment() else { return };
    if set(said, moment.key).is_some() {
        return;
    }
    if moment.is_required {
        it.hindrances.push(Hindrance::SettingMissing { kind, key: moment.key, had: None });
        return;
    }
    put(&mut it.all, "UseLatestRestorableTime", "true");
    it.remarks.push(format!(
        "it is a continuous backup, and is restored to the last moment that it has; name another \
         one with --set {}=2026-11-21T04:00:00Z",
        moment.key
    ));
}

/// The value of a setting, with its key in any case.
pub(super) fn get<'a>(all: &'a BTreeMap<String, String>, key: &str) -> Option<&'a str> {
    all.iter().find(|it| it.0.eq_ignore_ascii_case(key)).map(|it| it.1.as_str())
}

fn take(all: &mut BTreeMap<String, String>, key: &str) -> Option<String> {
    let own = all.keys().find(|it| it.eq_ignore_ascii_case(key)).cloned()?;
    all.remove(&own)
}

/// Sets it under the key that it has already, or else under this one.
pub(super) fn put(all: &mut BTreeMap<String, String>, key: &str, value: &str) {
    let own = all.keys().find(|it| it.eq_ignore_ascii_case(key)).cloned();
    all.insert(own.unwrap_or_else(|| key.to_owned()), value.to_owned());
}
