//! Judges a restored resource by its facts.

use crate::restore_validation::facts::{Checks, Contents, Database, Disk, Engine, Facts, Listed};
use crate::restore_validation::states::{Outlook, Stateful};
use crate::restore_validation::{Opinion, Resource, Window};

/// The judgment of a restored resource. Each variant has the words for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judgment {
    /// The restore is as it should be.
    Sound(String),
    /// The restore is not as it should be, and no later look can find it otherwise.
    Broken(String),
    /// The restore is not as it should be. A later look may find that it is, because AWS describes
    /// it late or repeats its own checks.
    Failing(String),
    /// AWS denies or refuses the look, for this reason. A permission may be about to take effect.
    Unseen(String),
    /// The restore may still become as it should be.
    Unsettled {
        /// Its present state.
        now: String,
        /// The state for which to wait.
        awaited: String,
    },
    /// The restore looks right, but that is not proven yet. A later look may prove it.
    Doubtful(String),
    /// Nothing can connect to the restored cluster, because it has no instance.
    Unreachable(String),
    /// The result cannot be known, and waiting would not help.
    Unknown(String),
}

impl Judgment {
    /// Returns `true` if a later look may lead to another judgment. `has_reader` is true if clusters
    /// without an instance get one for their test.
    pub fn may_change(&self, window: Window, has_reader: bool) -> bool {
        match self {
            Self::Sound(_) | Self::Broken(_) | Self::Unknown(_) => false,
            Self::Failing(_) | Self::Unseen(_) => !window.is_settled(),
            Self::Unsettled { .. } | Self::Doubtful(_) => true,
            // The instance of an earlier run may still be in deletion.
            Self::Unreachable(_) => has_reader,
        }
    }
}

/// Judges if `resource`, with these `facts`, is as a restore of `bytes` should be.
pub fn judge(resource: &Resource, facts: &Facts, bytes: Option<u64>) -> Judgment {
    match facts {
        Facts::Missing => {
            Judgment::Failing(format!("{resource} does not exist, though it was restored"))
        }
        Facts::Instance { state, checks, disks, source } => {
            ready(resource, Stateful::Instance, state, "running")
                .unwrap_or_else(|| instance(resource, checks, disks, source.as_deref()))
        }
        Facts::Volume { state, size, source, asked } => {
            let source = source.or_else(|| whole(bytes));
            ready(resource, Stateful::Volume, state, "available")
                .unwrap_or_else(|| volume(resource, state, *size, source, *asked))
        }
        Facts::Database { database, source } => {
            ready(resource, Stateful::Database, &database.status, "available")
                .unwrap_or_else(|| self::database(resource, database, source.as_ref()))
        }
        Facts::Cluster { database, is_serverless, members, source } => {
            ready(resource, Stateful::Cluster, &database.status, "available").unwrap_or_else(|| {
                cluster(resource, database, *is_serverless, members, source.as_ref())
            })
        }
        Facts::Table { status, indexes, counted, has_items, source } => {
            ready(resource, Stateful::Table, status, "ACTIVE").unwrap_or_else(|| {
                let items = Items { counted: *counted, has_items: *has_items };
                table(resource, indexes, items, source.as_ref(), bytes)
            })
        }
        Facts::Objects { listed, read, unreadable } => {
            objects(resource, listed, *read, unreadable.as_ref(), bytes)
        }
        Facts::FileSystem { state, bytes: held } => {
            ready(resource, Stateful::FileSystem, state, "available")
                .unwrap_or_else(|| file_system(resource, *held, bytes))
        }
        Facts::Fsx { state, size, source } => {
            let is_volume = matches!(resource, Resource::FsxVolume(_));
            let (stateful, unit) = if is_volume {
                (Stateful::FsxVolume, "MiB")
            } else {
                (Stateful::FsxFileSystem, "GiB")
            };
            ready(resource, stateful, state, "available")
                .unwrap_or_else(|| fsx(resource, *size, *source, unit))
        }
    }
}

/// Combines `judgment` with the opinion `own` of the owner's function. An opinion counts only if
/// the judgment is sound, so it never turns a bad judgment into a good one.
pub fn with_own(resource: &Resource, judgment: Judgment, own: Opinion) -> Judgment {
    let Judgment::Sound(why) = judgment else { return judgment };
    match own {
        Opinion::Good(own) => Judgment::Sound(format!("{why}; its own check: {own}")),
        Opinion::Bad(own) => {
            Judgment::Broken(format!("your check function reports for {resource}: {own}"))
        }
        Opinion::Later(own) => Judgment::Unsettled {
            now: format!("not good for its own check: {own}"),
            awaited: "good for it".to_owned(),
        },
        Opinion::Unclear => Judgment::Doubtful(format!(
            "your check function reports neither SUCCESSFUL, FAILED nor WAIT for {resource}; {why}"
        )),
    }
}

/// Returns a judgment if something cannot be used in its state, and `None` if it can be used.
fn ready(resource: &Resource, of: Stateful, state: &str, wanted: &str) -> Option<Judgment> {
    match of.outlook(state) {
        Outlook::Usable => None,
        Outlook::Passing => {
            Some(Judgment::Unsettled { now: state.to_owned(), awaited: wanted.to_owned() })
        }
        Outlook::Lasting => Some(Judgment::Broken(format!("{resource} is {state}, not {wanted}"))),
    }
}

/// Judges a running instance by its status checks and its volumes.
fn instance(
    resource: &Resource,
    Checks { system, instance, volumes }: &Checks,
    disks: &[Disk],
    source: Option<&[Disk]>,
) -> Judgment {
    let none = volumes == "not-applicable";
    let checks = [("system", system), ("instance", instance), ("attached EBS", volumes)];
    let mut checks = checks.into_iter().filter(|it| !(it.0 == "attached EBS" && none));
    let bad = checks.clone().find(|it| Stateful::Check.outlook(it.1) == Outlook::Lasting);
    if let Some((name, state)) = bad {
        // EC2 repeats its status checks every minute.
        let why = format!("{resource} is running, but its {name} status is {state}");
        return Judgment::Failing(why);
    }
    if checks.any(|it| Stateful::Check.outlook(it.1) == Outlook::Passing) {
        let attached =
            if none { String::new() } else { format!(" and attached EBS status {volumes}") };
        let now =
            format!("running with system status {system} and instance status {instance}{attached}");
        return Judgment::Unsettled { now, awaited: "through its status checks".to_owned() };
    }
    for Disk { device, size } in source.unwrap_or_default() {
        let Some(disk) = disks.iter().find(|it| it.device == *device) else {
            let why = format!("{resource} has no volume at {device}, which its image has");
            return Judgment::Failing(why);
        };
        if let (Some(has), Some(had)) = (disk.size, *size)
            && has < had
        {
            return Judgment::Broken(format!(
                "the volume of {resource} at {device} has {has} GiB, that of its image {had} GiB"
            ));
        }
    }
    let count = if none { "both" } else { "all three" };
    let of = |name: &str| disks.iter().find(|it| it.device == name).and_then(|it| it.size);
    let is_sized = |it: &Disk| it.size.is_some() && of(&it.device).is_some();
    let compared = match source {
        None => "not compared with its image",
        Some(source) if source.iter().all(is_sized) => "as its image has",
        Some(_) => "at the devices of its image, of unknown sizes",
    };
    let disks = counted(disks.len(), "volume");
    Judgment::Sound(format!(
        "{resource} is running and passed {count} status checks, with {disks}, {compared}; no \
         connection was made"
    ))
}

/// Judges a volume by its size. A volume that is larger than its source is as good.
fn volume(
    resource: &Resource,
    state: &str,
    size: Option<i32>,
    source: Option<i32>,
    asked: Option<i32>,
) -> Judgment {
    const UNREAD: &str = "its data was not read";
    match (size, asked, source) {
        (Some(size), Some(asked), _) if size < asked => Judgment::Broken(format!(
            "{resource} has {size} GiB, but was to be restored with {asked} GiB"
        )),
        (Some(size), _, Some(source)) if size < source => Judgment::Broken(format!(
            "{resource} has {size} GiB, but the volume that was backed up has {source} GiB"
        )),
        (Some(size), _, Some(source)) if size == source => Judgment::Sound(format!(
            "{resource} is {state} and has {size} GiB, as its source; {UNREAD}"
        )),
        (Some(size), Some(_), _) => Judgment::Sound(format!(
            "{resource} is {state} and has {size} GiB, as it was to be restored with; {UNREAD}"
        )),
        (Some(size), None, Some(source)) => Judgment::Sound(format!(
            "{resource} is {state} and has {size} GiB, more than the {source} GiB of its source; \
             {UNREAD}"
        )),
        _ => Judgment::Sound(format!(
            "{resource} is {state}; its size was not compared, since it or that of its source is \
             unknown, and {UNREAD}"
        )),
    }
}

/// Returns the number of GiB in `bytes`. Returns `None` if they are not a whole number of GiB,
/// since they are then the size of the data and not that of the volume.
fn whole(bytes: Option<u64>) -> Option<i32> {
    const GIB: u64 = 1 << 30;
    let bytes = bytes.filter(|it| *it > 0 && it.is_multiple_of(GIB))?;
    i32::try_from(bytes / GIB).ok()
}

/// Judges a usable database by its engine and its storage.
fn database(resource: &Resource, database: &Database, source: Option<&Engine>) -> Judgment {
    if let Some(unlike) = unlike(resource, database, source) {
        return unlike;
    }
    let (Database { engine, .. }, state) = (database, with_status(database));
    let storage = engine.storage.map(|it| format!(" and {it} GiB")).unwrap_or_default();
    let (runs, compared) = (runs(engine), compared(engine, source));
    Judgment::Sound(format!(
        "{resource} is available{state} with an endpoint, {runs}{storage}, {compared}; no \
         connection was made"
    ))
}

/// Judges an available cluster by its instances.
fn cluster(
    resource: &Resource,
    database: &Database,
    is_serverless: bool,
    members: &[(String, Database)],
    source: Option<&Engine>,
) -> Judgment {
    if let Some(unlike) = unlike(resource, database, source) {
        return unlike;
    }
    // An instance that is being deleted was made for an earlier check.
    let members = || members.iter().filter(|it| it.1.status != "deleting");
    if members().next().is_none() && !is_serverless {
        return Judgment::Unreachable(format!(
            "{resource} is available, but has no instance, and nothing can connect to it without one"
        ));
    }
    for (name, Database { status, .. }) in members() {
        match Stateful::Database.outlook(status) {
            Outlook::Usable => {}
            Outlook::Passing => {
                return Judgment::Unsettled {
                    now: format!("available with the instance {name}, which is {status}"),
                    awaited: "available with all of its instances".to_owned(),
                };
            }
            Outlook::Lasting => {
                let why = format!("{resource} has the instance {name}, which is {status}");
                return Judgment::Broken(why);
            }
        }
    }
    let with = match members().count() {
        0 => "no need for instances".to_owned(),
        count => counted(count, "available instance"),
    };
    let (state, runs) = (with_status(database), runs(&database.engine));
    let compared = compared(&database.engine, source);
    Judgment::Sound(format!(
        "{resource} is available{state} with an endpoint and {with}, {runs}, {compared}; no \
         connection was made"
    ))
}

/// Returns the judgment that ends the comparison of a database early: it does not run the engine
/// that was backed up, has less storage, or has no address yet.
fn unlike(resource: &Resource, database: &Database, source: Option<&Engine>) -> Option<Judgment> {
    let Database { status, has_endpoint, engine } = database;
    let had = source.filter(|it| !it.name.is_empty() && !engine.name.is_empty());
    if let Some(had) = had.filter(|it| it.name != engine.name) {
        let (has, had) = (&engine.name, &had.name);
        let why = format!("{resource} runs {has}, but its snapshot is one of {had}");
        return Some(Judgment::Broken(why));
    }
    if let Some((has, had)) = storages(engine, source).filter(|it| it.0 < it.1) {
        let why = format!("{resource} has {has} GiB of storage, but its snapshot was of {had} GiB");
        return Some(Judgment::Broken(why));
    }
    (!has_endpoint).then(|| Judgment::Unsettled {
        now: format!("{status} without an endpoint"),
        awaited: "available with one".to_owned(),
    })
}

fn with_status(Database { status, .. }: &Database) -> String {
    let is_plain = status.eq_ignore_ascii_case("available");
    if is_plain { String::new() } else { format!(", with the status {status},") }
}

fn runs(Engine { name, version, .. }: &Engine) -> String {
    let name = if name.is_empty() { "an engine without a name" } else { name };
    if version.is_empty() { name.to_owned() } else { format!("{name} {version}") }
}

/// Returns the storage of a database and of its snapshot in GiB, if both are known. The storage of the
/// engines whose names are not listed here grows with the data.
fn storages(engine: &Engine, source: Option<&Engine>) -> Option<(i32, i32)> {
    const GROWING: [&str; 3] = ["aurora", "docdb", "neptune"];
    if GROWING.iter().any(|it| engine.name.starts_with(it)) {
        return None;
    }
    engine.storage.zip(source?.storage)
}

/// Returns what was compared of a database and its snapshot.
fn compared(engine: &Engine, source: Option<&Engine>) -> &'static str {
    let Some(had) = source else { return "not compared, since its snapshot is unknown" };
    let is_engine = !engine.name.is_empty() && !had.name.is_empty();
    match (is_engine, storages(engine, source).is_some()) {
        (true, true) => "the engine and at least the storage of its snapshot",
        (true, false) => "the engine of its snapshot",
        (false, true) => "at least the storage of its snapshot",
        (false, false) => "not compared, since its snapshot tells too little",
    }
}

/// The known facts about the items of a table.
#[derive(Clone, Copy)]
struct Items {
    counted: u64,
    has_items: bool,
}

/// Judges an active table by its indexes and its items.
fn table(
    resource: &Resource,
    indexes: &[(String, String)],
    Items { counted: count, has_items }: Items,
    source: Option<&Contents>,
    bytes: Option<u64>,
) -> Judgment {
    for (name, status) in indexes {
        match Stateful::Index.outlook(status) {
            Outlook::Usable => {}
            Outlook::Passing => {
                return Judgment::Unsettled {
                    now: format!("ACTIVE with the index {name}, which is {status}"),
                    awaited: "ACTIVE with all of its indexes".to_owned(),
                };
            }
            Outlook::Lasting => {
                return Judgment::Broken(format!("the index {name} of {resource} is {status}"));
            }
        }
    }
    let lost = |it: &&String| !indexes.iter().any(|(name, _)| name == *it);
    if let Some(name) = source.and_then(|it| it.indexes.iter().find(lost)) {
        let why = format!("{resource} has no index {name}, but its backup has");
        return Judgment::Broken(why);
    }
    if !has_items {
        return match source.and_then(|it| it.counted) {
            Some(had @ 1..) if bytes != Some(0) => Judgment::Broken(format!(
                "{resource} has no items, but its backup has {had} by its last count"
            )),
            _ => empty(resource, "items", bytes),
        };
    }
    let indexes = counted(indexes.len(), "global index");
    let had = source.and_then(|it| it.counted);
    let had = had.map(|it| format!(", its backup {it}, not compared")).unwrap_or_default();
    let compared = if source.is_some() { ", as its backup" } else { "" };
    let count =
        if count > 0 { format!("{count} by its last count") } else { "not counted yet".to_owned() };
    Judgment::Sound(format!(
        "{resource} is active with {indexes}{compared}, and has items ({count}{had}); one page at the \
         most was looked at"
    ))
}

/// Judges a bucket by the objects that were found in it.
fn objects(
    resource: &Resource,
    listed: &[Listed],
    read: usize,
    unreadable: Option<&(String, String)>,
    bytes: Option<u64>,
) -> Judgment {
    if let Some((key, why)) = unreadable {
        let why = format!("the object {key} of {resource} cannot be read: {why}");
        return Judgment::Broken(why);
    }
    if let Some(endless) = listed.iter().find(|it| it.objects == 0 && !it.is_whole) {
        return Judgment::Unsettled {
            now: format!("without an end to what is listed under `{}`", endless.prefix),
            awaited: "listed with an object or an end".to_owned(),
        };
    }
    let (count, size) =
        listed.iter().fold((0, 0), |sum, it| (sum.0 + it.objects, sum.1 + it.bytes));
    if count == 0 {
        return empty(resource, "objects", bytes);
    }
    if let Some(lost) = listed.iter().find(|it| it.objects == 0) {
        let why = format!("{resource} has no objects under `{}`, which was restored", lost.prefix);
        return Judgment::Broken(why);
    }
    let least = if listed.iter().all(|it| it.is_whole) { "" } else { "at least " };
    // The bytes of a backup are also those of older versions.
    let of = bytes.map(|it| format!(", not compared with the {it} of its backup"));
    let of = of.unwrap_or_default();
    let objects = counted(count, "object");
    let read = if read == 0 {
        "none of them was read".to_owned()
    } else {
        format!("the first KiB of {read} taken at random was read, and no more")
    };
    Judgment::Sound(format!("{resource} has {least}{objects} of {size} bytes{of}; {read}"))
}

/// Judges a file system by its size. EFS meters the size up to hours later, so a size that is too
/// small proves nothing.
fn file_system(resource: &Resource, held: Option<u64>, bytes: Option<u64>) -> Judgment {
    const UNMOUNTED: &str = "it was not mounted";
    match (held, bytes.filter(|it| *it > 0)) {
        (Some(held), Some(bytes)) if held < bytes / 2 => Judgment::Doubtful(format!(
            "{resource} is available, but EFS says that it holds {held} of the {bytes} bytes of its \
             backup; it meters them within hours"
        )),
        (Some(held), Some(bytes)) => Judgment::Sound(format!(
            "{resource} is available and holds {held} bytes, its backup {bytes}; {UNMOUNTED}"
        )),
        (Some(held), None) => Judgment::Sound(format!(
            "{resource} is available and holds {held} bytes, not compared, as its backup has no size; \
             {UNMOUNTED}"
        )),
        (None, _) => Judgment::Doubtful(format!(
            "{resource} is available, but EFS does not say yet how many bytes it holds"
        )),
    }
}

/// Judges a file system or a volume of FSx by its size.
fn fsx(resource: &Resource, size: Option<u64>, source: Option<u64>, unit: &str) -> Judgment {
    const UNMOUNTED: &str = "it was not mounted";
    match (size, source) {
        (Some(size), Some(source)) if size < source => Judgment::Broken(format!(
            "{resource} has {size} {unit}, but the one that was backed up has {source} {unit}"
        )),
        (Some(size), Some(source)) => {
            let than =
                if size == source { "as".to_owned() } else { format!("more than {source} of") };
            Judgment::Sound(format!(
                "{resource} is available and has {size} {unit}, {than} its source; {UNMOUNTED}"
            ))
        }
        _ => Judgment::Sound(format!(
            "{resource} is available; its size was not compared, since it or that of its backup is \
             unknown, and {UNMOUNTED}"
        )),
    }
}

/// Judges an empty resource. It is sound if nothing was backed up.
fn empty(resource: &Resource, what: &str, bytes: Option<u64>) -> Judgment {
    match bytes {
        Some(0) => Judgment::Sound(format!("{resource} has no {what}, as its backup")),
        Some(bytes) => {
            Judgment::Broken(format!("{resource} has no {what}, but its backup has {bytes} bytes"))
        }
        None => Judgment::Unknown(format!(
            "{resource} has no {what}, and it is unknown if its backup has any"
        )),
    }
}

/// Returns a number of things in words.
fn counted(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    match (count, what) {
        (1, _) => format!("1 {what}"),
        (_, "global index") => format!("{count} global indexes"),
        _ => format!("{count} {what}s"),
    }
}
