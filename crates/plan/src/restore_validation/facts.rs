//! What is seen of what was restored.

/// What one look at a resource saw.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Facts {
    /// There is no such resource.
    Missing,
    /// An instance.
    Instance {
        /// Like `running`.
        state: String,
        /// Its status checks.
        checks: Checks,
        /// The volumes that are attached to it, where it runs.
        disks: Vec<Disk>,
        /// Those of the machine that was backed up, where its image tells.
        source: Option<Vec<Disk>>,
    },
    /// A volume.
    Volume {
        /// Like `available`.
        state: String,
        /// Its size in GiB.
        size: Option<i32>,
        /// The size in GiB of the volume that was backed up, where its snapshot tells.
        source: Option<i32>,
        /// The size in GiB that it was to be restored with, where that was said.
        asked: Option<i32>,
    },
    /// A database.
    Database {
        /// The database.
        database: Database,
        /// The one that was backed up, where its snapshot tells.
        source: Option<Engine>,
    },
    /// A cluster of databases.
    Cluster {
        /// What is the cluster's own.
        database: Database,
        /// Whether it needs no instances.
        is_serverless: bool,
        /// Its instances, by name.
        members: Vec<(String, Database)>,
        /// The engine of the one that was backed up, where its snapshot tells.
        source: Option<Engine>,
    },
    /// A table.
    Table {
        /// Like `ACTIVE`.
        status: String,
        /// Its global indexes, by name, with their status.
        indexes: Vec<(String, String)>,
        /// How many items it had when they were last counted.
        counted: u64,
        /// Whether an item was seen in it, where it is active.
        has_items: bool,
        /// The table that was backed up, where its backup tells.
        source: Option<Contents>,
    },
    /// The objects that were restored into a bucket.
    Objects {
        /// What was listed under each path that was restored.
        listed: Vec<Listed>,
        /// How many of these were read, taken at random.
        read: usize,
        /// The first that could not be read, and why.
        unreadable: Option<(String, String)>,
    },
    /// An EFS file system.
    FileSystem {
        /// Like `available`.
        state: String,
        /// The bytes that it held when they were last metered.
        bytes: Option<u64>,
    },
    /// A file system or a volume of FSx.
    Fsx {
        /// Like `AVAILABLE`.
        state: String,
        /// Its size: in GiB that of a file system, in MiB that of a volume.
        size: Option<u64>,
        /// The size of the one that was backed up, where its backup tells.
        source: Option<u64>,
    },
}

/// The status checks of an instance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checks {
    /// That of what it runs on, like `ok`.
    pub system: String,
    /// That of the instance itself, like `ok`.
    pub instance: String,
    /// That of its volumes, like `ok`; `not-applicable` for instances that have none such.
    pub volumes: String,
}

/// A volume of an instance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Disk {
    /// What the instance knows it as, like `/dev/xvda`.
    pub device: String,
    /// Its size in GiB, where that is told.
    pub size: Option<i32>,
}

/// A database, or what a cluster of them has of its own.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Database {
    /// Like `available`.
    pub status: String,
    /// Whether there is an address to connect to.
    pub has_endpoint: bool,
    /// What it runs.
    pub engine: Engine,
}

/// What a database runs, or ran when it was backed up.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Engine {
    /// Like `postgres`.
    pub name: String,
    /// Like `16.4`.
    pub version: String,
    /// The GiB that are allocated for its data, where that is told.
    pub storage: Option<i32>,
}

/// What was in a table that was backed up.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Contents {
    /// How many items it had when they were last counted.
    pub counted: Option<u64>,
    /// The names of its global indexes.
    pub indexes: Vec<String>,
}

/// What was listed under a path of a bucket.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listed {
    /// The path.
    pub prefix: String,
    /// How many objects there are.
    pub objects: u64,
    /// How many bytes these have.
    pub bytes: u64,
    /// Whether that is all of them.
    pub is_whole: bool,
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
