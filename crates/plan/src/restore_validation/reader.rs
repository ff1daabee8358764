//! The instance that a restored cluster gets for the time of its test.

/// The tag of everything that a restore test creates. Only resources with this tag may be deleted.
pub const READER_TAG: (&str, &str) = ("org-backup:made-by", "restore-validation");

/// The greatest number of characters in the name of an instance.
const LONGEST: usize = 63;

/// The beginning of the name of every such instance.
const PREFIX: &str = "org-backup-restore-test-";

/// An instance through which a cluster can be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reader {
    /// Its name.
    pub name: String,
    /// The cluster that it belongs to.
    pub cluster: String,
    /// The name of its engine, which is that of the cluster.
    pub engine: String,
    /// Its class, such as `db.t4g.medium`.
    pub class: String,
}

/// Returns the name of the instance that the test of the restore job `job` creates. The name is the
/// same each time that the test is repeated. Returns `None` if the job's ID does not make a valid
/// name.
pub fn reader_name(job: &str) -> Option<String> {
    let name = format!("{PREFIX}{}", job.to_ascii_lowercase());
    let fits = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    let is_name = name.len() <= LONGEST && name.chars().all(fits);
    (is_name && !name.contains("--") && !name.ends_with('-')).then_some(name)
}
