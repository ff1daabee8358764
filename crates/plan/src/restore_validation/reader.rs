//! The instance that a restored cluster is given for the time of its test.

/// The tag of what a restore test makes, and nothing else may be deleted without.
pub const READER_TAG: (&str, &str) = ("org-backup:made-by", "restore-validation");

/// The most characters of the name of an instance.
const LONGEST: usize = 63;

/// What the name of every such instance begins with.
const PREFIX: &str = "org-backup-restore-test-";

/// An instance through which a cluster can be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reader {
    /// Its name.
    pub name: String,
    /// The cluster that it belongs to.
    pub cluster: String,
    /// What it runs, as the cluster.
    pub engine: String,
    /// Like `db.t4g.medium`.
    pub class: String,
}

/// What the instance is called that the test of the restore job `job` makes. It is the same each time
/// that the test is repeated; `None` where the ID of the job makes no name.
pub fn reader_name(job: &str) -> Option<String> {
    let name = format!("{PREFIX}{}", job.to_ascii_lowercase());
    let fits = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    let is_name = name.len() <= LONGEST && name.chars().all(fits);
    (is_name && !name.contains("--") && !name.ends_with('-')).then_some(name)
}
