//! What is seen of what was restored, and what that means.

use crate::restore_validation::Resource;

/// What one look at a resource saw.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Facts {
    /// There is no such resource.
    Missing,
    /// An instance, and its two status checks.
    Instance {
        /// Like `running`.
        state: String,
        /// The check of what it runs on, like `ok`.
        system: String,
        /// The check of the instance itself, like `ok`.
        instance: String,
    },
    /// A volume.
    Volume {
        /// Like `available`.
        state: String,
        /// Its size in GiB.
        size: Option<i32>,
        /// The size in GiB of the volume that was backed up, where its snapshot tells.
        source: Option<i32>,
    },
    /// A database, a cluster or a file system, whose status is all that is looked at.
    Status(String),
    /// A table.
    Table {
        /// Like `ACTIVE`.
        status: String,
        /// Whether an item was seen in it, where it is active.
        has_items: bool,
    },
    /// The objects that were restored into a bucket, or a sample of them.
    Objects {
        /// How many were seen.
        listed: usize,
        /// How many of these were read.
        read: usize,
        /// The first that could not be read, and why.
        unreadable: Option<(String, String)>,
    },
}

/// What facts mean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judgment {
    /// The restore is as it should be, in these words.
    Sound(String),
    /// It is not, in these words.
    Broken(String),
    /// It may still become so.
    Unsettled {
        /// What it is like now.
        now: String,
        /// What it is waited for to be.
        awaited: &'static str,
    },
    /// Nothing tells whether it is, and waiting would not help.
    Unknown(String),
}

/// States out of which nothing comes by itself, of instances, volumes, databases and file systems.
/// One that is missing here is waited for in vain.
const FINAL: [&str; 13] = [
    "deleted",
    "deleting",
    "error",
    "failed",
    "inaccessible-encryption-credentials",
    "inaccessible-encryption-credentials-recoverable",
    "insufficient-capacity",
    "restore-error",
    "shutting-down",
    "stopped",
    "stopping",
    "storage-full",
    "terminated",
];

/// What a database may still do for hours after it was restored, while it is available.
const MEANWHILE: [&str; 2] = ["storage-initialization", "storage-optimization"];

/// What the status of every database begins with that cannot be used as it was restored.
const INCOMPATIBLE: &str = "incompatible-";

/// Says whether `resource`, of which `facts` were seen, is what a restore of `bytes` should be.
pub fn judge(resource: &Resource, facts: &Facts, bytes: Option<u64>) -> Judgment {
    let unsettled = |now: String, awaited| Judgment::Unsettled { now, awaited };
    match facts {
        Facts::Missing => {
            Judgment::Broken(format!("{resource} does not exist, though it was restored"))
        }
        Facts::Instance { state, system, instance } => match state.as_str() {
            "running" => checks(resource, system, instance),
            it if is_final(it) => Judgment::Broken(format!("{resource} is {it}, not running")),
            it => unsettled(it.to_owned(), "running"),
        },
        Facts::Volume { state, size, source } => match state.as_str() {
            "available" | "in-use" => volume(resource, state, *size, source.or(whole(bytes))),
            it if is_final(it) => Judgment::Broken(format!("{resource} is {it}, not available")),
            it => unsettled(it.to_owned(), "available"),
        },
        Facts::Status(status) => match status.to_ascii_lowercase().as_str() {
            "available" => Judgment::Sound(format!("{resource} is available")),
            it if MEANWHILE.contains(&it) => {
                Judgment::Sound(format!("{resource} is available, with the status {it}"))
            }
            // FSx says so of a file system that can be used, and of which a part is at fault.
            "misconfigured" => Judgment::Broken(format!("{resource} is {status}, not available")),
            it if is_final(it) || it.starts_with(INCOMPATIBLE) => {
                Judgment::Broken(format!("{resource} is {status}, not available"))
            }
            _ => unsettled(status.clone(), "available"),
        },
        Facts::Table { status, has_items } => match status.as_str() {
            "ACTIVE" if *has_items => {
                Judgment::Sound(format!("{resource} is active and has items"))
            }
            "ACTIVE" => empty(resource, "items", bytes),
            "CREATING" | "UPDATING" => unsettled(status.clone(), "ACTIVE"),
            it => Judgment::Broken(format!("{resource} is {it}, not ACTIVE")),
        },
        Facts::Objects { listed: 0, .. } => empty(resource, "objects", bytes),
        Facts::Objects { unreadable: Some((key, why)), .. } => {
            Judgment::Broken(format!("the object {key} of {resource} cannot be read: {why}"))
        }
        Facts::Objects { listed, read, unreadable: None } => Judgment::Sound(format!(
            "{resource} has objects: {listed} were listed, and of these {read} were read"
        )),
    }
}

/// Whether an error code of S3 says that an object cannot be had by anybody, now or later, as opposed
/// to one that speaks of the request.
pub fn is_lost(code: &str) -> bool {
    const KEY: [&str; 4] = [
        "KMS.DisabledException",
        "KMS.InvalidKeyUsageException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
    ];
    ["InvalidObjectState", "NoSuchKey"].contains(&code) || KEY.contains(&code)
}

fn is_final(state: &str) -> bool {
    FINAL.contains(&state)
}

/// What the two status checks of a running instance mean.
fn checks(resource: &Resource, system: &str, instance: &str) -> Judgment {
    match (system, instance) {
        ("ok", "ok") => {
            Judgment::Sound(format!("{resource} is running and passed both status checks"))
        }
        ("impaired", _) => {
            Judgment::Broken(format!("{resource} is running, but its system status is impaired"))
        }
        (_, "impaired") => {
            Judgment::Broken(format!("{resource} is running, but its instance status is impaired"))
        }
        _ => Judgment::Unsettled {
            now: format!("running with system status {system} and instance status {instance}"),
            awaited: "through both status checks",
        },
    }
}

/// What the size of a volume means.
fn volume(resource: &Resource, state: &str, size: Option<i32>, source: Option<i32>) -> Judgment {
    match (size, source) {
        (Some(size), Some(source)) if size != source => Judgment::Broken(format!(
            "{resource} has {size} GiB, but the volume that was backed up has {source} GiB"
        )),
        (Some(size), Some(_)) => {
            Judgment::Sound(format!("{resource} is {state} and has {size} GiB, as its source"))
        }
        _ => Judgment::Sound(format!(
            "{resource} is {state}; its size was not compared, as nothing tells that of its source"
        )),
    }
}

/// The GiB that `bytes` are, if they are the size of a volume and not that of what is in it.
fn whole(bytes: Option<u64>) -> Option<i32> {
    const GIB: u64 = 1 << 30;
    let bytes = bytes.filter(|it| *it > 0 && it.is_multiple_of(GIB))?;
    i32::try_from(bytes / GIB).ok()
}

/// What it means that nothing is in a resource: all is well if nothing was backed up.
fn empty(resource: &Resource, what: &str, bytes: Option<u64>) -> Judgment {
    match bytes {
        Some(0) => Judgment::Sound(format!("{resource} has no {what}, as its backup")),
        Some(bytes) => {
            Judgment::Broken(format!("{resource} has no {what}, but its backup has {bytes} bytes"))
        }
        None => Judgment::Unknown(format!(
            "{resource} has no {what}, and nothing tells whether its backup has any"
        )),
    }
}
