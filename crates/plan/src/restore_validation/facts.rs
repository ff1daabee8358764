//! The facts about a restored resource.

/// The facts that one look at a resource found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Facts {
    /// The resource does not exist.
    Missing,
    /// An instance.
    Instance {
        /// Its state, such as `running`.
        state: String,
        /// Its status checks.
        checks: Checks,
        /// The volumes that are attached to it if it is running.
        disks: Vec<Disk>,
        /// The volumes of the machine that was backed up, if its image lists them.
        source: Option<Vec<Disk>>,
    },
    /// A volume.
    Volume {
        /// Its state, such as `available`.
        state: String,
        /// Its size in GiB.
        size: Option<i32>,
        /// The size in GiB of the volume that was backed up, if its snapshot gives the size.
        source: Option<i32>,
        /// The size in GiB that the restore asked for, if it asked for one.
        asked: Option<i32>,
    },
    /// A database.
    Database {
        /// The database.
        database: Database,
        /// The engine of the database that was backed up, if its snapshot names it.
        source: Option<Engine>,
    },
    /// A cluster of databases.
    Cluster {
        /// The facts about the cluster itself.
        database: Database,
        /// True if it needs no instances.
        is_serverless: bool,
        /// Its instances, by name.
        members: Vec<(String, Database)>,
        /// The engine of the cluster that was backed up, if its snapshot names it.
        source: Option<Engine>,
    },
    /// A table.
    Table {
        /// Its status, such as `ACTIVE`.
        status: String,
        /// Its global indexes, by name, with their status.
        indexes: Vec<(String, String)>,
        /// The number of items in it when they were last counted.
        counted: u64,
        /// True if the table is active and an item was seen in it.
        has_items: bool,
        /// The contents of the table that was backed up, if its backup gives them.
        source: Option<Contents>,
    },
    /// The objects that were restored into a bucket.
    Objects {
        /// The listing of each path that was restored.
        listed: Vec<Listed>,
        /// The number of objects among these that were read, chosen at random.
        read: usize,
        /// The first object that could not be read, and the reason.
        unreadable: Option<(String, String)>,
    },
    /// An EFS file system.
    FileSystem {
        /// Its state, such as `available`.
        state: String,
        /// The number of bytes that it held when they were last metered.
        bytes: Option<u64>,
    },
    /// A file system or a volume of FSx.
    Fsx {
        /// Its state, such as `AVAILABLE`.
        state: String,
        /// Its size, in GiB for a file system and in MiB for a volume.
        size: Option<u64>,
        /// The size of the one that was backed up, if its backup gives the size.
        source: Option<u64>,
    },
}

/// The status checks of an instance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checks {
    /// The status of the system that it runs on, such as `ok`.
    pub system: String,
    /// The status of the instance itself, such as `ok`.
    pub instance: String,
    /// The status of its volumes, such as `ok`, or `not-applicable` for instances that have no such
    /// check.
    pub volumes: String,
}

/// A volume of an instance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Disk {
    /// The device name by which the instance knows it, such as `/dev/xvda`.
    pub device: String,
    /// Its size in GiB, if known.
    pub size: Option<i32>,
}

/// A database, or the facts about a cluster that are not about its instances.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Database {
    /// Its status, such as `available`.
    pub status: String,
    /// True if it has an address to connect to.
    pub has_endpoint: bool,
    /// Its engine.
    pub engine: Engine,
}

/// The engine of a database, now or when the database was backed up.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Engine {
    /// Its name, such as `postgres`.
    pub name: String,
    /// Its version, such as `16.4`.
    pub version: String,
    /// The storage that is allocated for its data, in GiB, if known.
    pub storage: Option<i32>,
}

/// The contents of a table that was backed up.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Contents {
    /// The number of items in it when they were last counted.
    pub counted: Option<u64>,
    /// The names of its global indexes.
    pub indexes: Vec<String>,
}

/// The listing of a path of a bucket.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listed {
    /// The path.
    pub prefix: String,
    /// The number of objects.
    pub objects: u64,
    /// The number of bytes in these objects.
    pub bytes: u64,
    /// True if the listing has all objects of the path.
    pub is_whole: bool,
}

/// Returns `true` if an error code of S3 says that nobody can read the object, now or later. Other
/// codes are about the request.
pub fn is_lost(code: &str) -> bool {
    const KEY: [&str; 4] = [
        "KMS.DisabledException",
        "KMS.InvalidKeyUsageException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
    ];
    ["InvalidObjectState", "NoSuchKey"].contains(&code) || KEY.contains(&code)
}
