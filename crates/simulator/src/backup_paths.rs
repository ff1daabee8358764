//! The paths of AWS Backup that contain lists and jobs.

use hyper::Method;
use percent_encoding::percent_decode_str;

/// Returns the operation of a path that contains lists, or that starts a job.
pub(crate) fn operation(method: &Method, path: &str) -> Option<&'static str> {
    let parts = segments(path);
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    Some(match (method.as_str(), parts.as_slice()) {
        ("GET", ["backup-jobs"]) => "ListBackupJobs",
        ("PUT", ["backup-jobs"]) => "StartBackupJob",
        ("PUT", ["copy-jobs"]) => "StartCopyJob",
        ("PUT", ["restore-jobs"]) => "StartRestoreJob",
        ("GET", ["backup-jobs", _]) => "DescribeBackupJob",
        ("GET", ["copy-jobs", _]) => "DescribeCopyJob",
        ("GET", ["copy-jobs"]) => "ListCopyJobs",
        ("GET", ["restore-jobs"]) => "ListRestoreJobs",
        ("GET", ["backup-vaults"]) => "ListBackupVaults",
        ("GET", ["backup-vaults", _, "recovery-points"]) => "ListRecoveryPointsByBackupVault",
        ("GET", ["backup-vaults", _, "recovery-points", _]) => "DescribeRecoveryPoint",
        ("GET", ["backup-vaults", _, "recovery-points", _, "restore-metadata"]) => {
            "GetRecoveryPointRestoreMetadata"
        }
        ("GET", ["resources"]) => "ListProtectedResources",
        ("GET", ["resources", _, "recovery-points"]) => "ListRecoveryPointsByResource",
        ("GET", ["backup", "plans"]) => "ListBackupPlans",
        ("GET", ["backup", "plans", _]) => "GetBackupPlan",
        ("GET", ["backup", "plans", _, "selections"]) => "ListBackupSelections",
        ("GET", ["backup", "plans", _, "selections", _]) => "GetBackupSelection",
        _ => return None,
    })
}

/// Returns the parts of a path, which may end with a slash.
pub(crate) fn segments(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(|it| percent_decode_str(it).decode_utf8_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_one_operation_with_or_without_a_slash_at_its_end() {
        let arn = "arn%3Aaws%3Aec2%3Aeu-west-1%3A1%3Avolume%2Fvol-1";
        for (path, name) in [
            ("/backup-jobs".to_owned(), Some("ListBackupJobs")),
            ("/backup-jobs/".to_owned(), Some("ListBackupJobs")),
            ("/backup/plans/".to_owned(), Some("ListBackupPlans")),
            ("/backup/plans/orgs%2Fp1/selections".to_owned(), Some("ListBackupSelections")),
            (format!("/resources/{arn}/recovery-points/"), Some("ListRecoveryPointsByResource")),
            ("/backup-jobs/1".to_owned(), Some("DescribeBackupJob")),
            (format!("/backup-vaults/x/recovery-points/{arn}"), Some("DescribeRecoveryPoint")),
            ("/backup-jobs/1/2".to_owned(), None),
        ] {
            assert_eq!(operation(&Method::GET, &path), name, "{path}");
            assert_eq!(operation(&Method::POST, &path), None, "{path}");
        }
        assert_eq!(operation(&Method::PUT, "/restore-jobs"), Some("StartRestoreJob"));
        assert_eq!(
            segments(&format!("/resources/{arn}/x"))[1],
            "arn:aws:ec2:eu-west-1:1:volume/vol-1"
        );
    }
}
