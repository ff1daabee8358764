//! The states of the services, as their documentation lists them, and the outlook of each.

use self::Outlook::{Lasting, Passing, Usable};

/// Something whose service reports its state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stateful {
    /// An EC2 instance.
    Instance,
    /// A status check of an EC2 instance.
    Check,
    /// An EBS volume.
    Volume,
    /// A database instance of RDS, Aurora, DocumentDB or Neptune.
    Database,
    /// A cluster of RDS, Aurora, DocumentDB or Neptune.
    Cluster,
    /// A DynamoDB table.
    Table,
    /// A global index of a DynamoDB table.
    Index,
    /// An EFS file system.
    FileSystem,
    /// An FSx file system.
    FsxFileSystem,
    /// A volume of an FSx file system.
    FsxVolume,
}

/// The outlook of something in a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outlook {
    /// It can be used.
    Usable,
    /// It changes to another state by itself.
    Passing,
    /// It cannot be used, and does not change by itself.
    Lasting,
}

impl Stateful {
    /// Returns every state that the documentation of its service lists, in the spelling of the
    /// service.
    pub fn states(self) -> &'static [(&'static str, Outlook)] {
        match self {
            Self::Instance => &INSTANCE,
            Self::Check => &CHECK,
            Self::Volume => &VOLUME,
            Self::Database => &DATABASE,
            Self::Cluster => &CLUSTER,
            Self::Table => &TABLE,
            Self::Index => &INDEX,
            Self::FileSystem => &FILE_SYSTEM,
            Self::FsxFileSystem => &FSX_FILE_SYSTEM,
            Self::FsxVolume => &FSX_VOLUME,
        }
    }

    /// Returns the outlook of something in `state`. A state that is not documented is taken to
    /// pass.
    pub fn outlook(self, state: &str) -> Outlook {
        let known = self.states().iter().find(|it| it.0.eq_ignore_ascii_case(state));
        known.map_or(Passing, |it| it.1)
    }
}

const INSTANCE: [(&str, Outlook); 6] = [
    ("pending", Passing),
    ("running", Usable),
    ("shutting-down", Lasting),
    ("stopped", Lasting),
    ("stopping", Lasting),
    ("terminated", Lasting),
];

const CHECK: [(&str, Outlook); 5] = [
    ("impaired", Lasting),
    ("initializing", Passing),
    ("insufficient-data", Passing),
    ("not-applicable", Passing),
    ("ok", Usable),
];

const VOLUME: [(&str, Outlook); 6] = [
    ("available", Usable),
    ("creating", Passing),
    ("deleted", Lasting),
    ("deleting", Lasting),
    ("error", Lasting),
    ("in-use", Usable),
];

/// The states of database instances of RDS, Aurora, DocumentDB and Neptune, in one list.
const DATABASE: [(&str, Outlook); 38] = [
    ("available", Usable),
    ("backing-up", Passing),
    ("backtracking", Passing),
    ("configuring-activity-stream", Passing),
    ("configuring-enhanced-monitoring", Passing),
    ("configuring-iam-database-auth", Passing),
    ("configuring-log-exports", Passing),
    ("converting-to-vpc", Passing),
    ("creating", Passing),
    ("delete-precheck", Lasting),
    ("deleted", Lasting),
    ("deleting", Lasting),
    ("failed", Lasting),
    ("inaccessible-encryption-credentials", Lasting),
    ("inaccessible-encryption-credentials-recoverable", Lasting),
    ("incompatible-create", Lasting),
    ("incompatible-credentials", Lasting),
    ("incompatible-network", Lasting),
    ("incompatible-option-group", Lasting),
    ("incompatible-parameters", Lasting),
    ("incompatible-restore", Lasting),
    ("insufficient-capacity", Lasting),
    ("maintenance", Passing),
    ("modifying", Passing),
    ("moving-to-vpc", Passing),
    ("rebooting", Passing),
    ("renaming", Passing),
    ("resetting-master-credentials", Passing),
    ("restore-error", Lasting),
    ("starting", Passing),
    ("stopped", Lasting),
    ("stopping", Lasting),
    ("storage-config-upgrade", Passing),
    ("storage-full", Lasting),
    // A restored database can be used while it is in one of these two states, which may take hours.
    ("storage-initialization", Usable),
    ("storage-optimization", Usable),
    ("upgrade_failed", Lasting),
    ("upgrading", Passing),
];

/// The states of clusters of RDS, Aurora, DocumentDB and Neptune, in one list.
const CLUSTER: [(&str, Outlook); 28] = [
    ("available", Usable),
    ("backing-up", Passing),
    ("backtracking", Passing),
    ("cloning-failed", Lasting),
    ("configuring-iam-database-auth", Passing),
    ("creating", Passing),
    ("deleted", Lasting),
    ("deleting", Lasting),
    ("failed", Lasting),
    ("failing-over", Passing),
    ("inaccessible-encryption-credentials", Lasting),
    ("inaccessible-encryption-credentials-recoverable", Lasting),
    ("maintenance", Passing),
    ("migrating", Passing),
    ("migration-failed", Lasting),
    ("modifying", Passing),
    ("preparing-data-migration", Passing),
    ("promoting", Passing),
    ("renaming", Passing),
    ("resetting-master-credentials", Passing),
    ("starting", Passing),
    ("stopped", Lasting),
    ("stopping", Lasting),
    ("storage-initialization", Usable),
    ("storage-optimization", Usable),
    ("update-iam-db-auth", Passing),
    ("upgrade_failed", Lasting),
    ("upgrading", Passing),
];

const TABLE: [(&str, Outlook); 8] = [
    ("ACTIVE", Usable),
    ("ARCHIVED", Lasting),
    ("ARCHIVING", Lasting),
    ("CREATING", Passing),
    ("DELETING", Lasting),
    ("INACCESSIBLE_ENCRYPTION_CREDENTIALS", Lasting),
    ("REPLICATION_NOT_AUTHORIZED", Lasting),
    ("UPDATING", Passing),
];

const INDEX: [(&str, Outlook); 4] =
    [("ACTIVE", Usable), ("CREATING", Passing), ("DELETING", Lasting), ("UPDATING", Passing)];

const FILE_SYSTEM: [(&str, Outlook); 6] = [
    ("available", Usable),
    ("creating", Passing),
    ("deleted", Lasting),
    ("deleting", Lasting),
    ("error", Lasting),
    ("updating", Passing),
];

const FSX_FILE_SYSTEM: [(&str, Outlook); 7] = [
    ("AVAILABLE", Usable),
    ("CREATING", Passing),
    ("DELETING", Lasting),
    ("FAILED", Lasting),
    // Both say that a part has a fault that somebody has to repair.
    ("MISCONFIGURED", Lasting),
    ("MISCONFIGURED_UNAVAILABLE", Lasting),
    ("UPDATING", Passing),
];

const FSX_VOLUME: [(&str, Outlook); 7] = [
    ("AVAILABLE", Usable),
    ("CREATED", Usable),
    ("CREATING", Passing),
    ("DELETING", Lasting),
    ("FAILED", Lasting),
    ("MISCONFIGURED", Lasting),
    ("PENDING", Passing),
];
