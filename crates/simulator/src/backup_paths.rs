//! The paths of AWS Backup that contain lists.

use hyper::Method;
use percent_encoding::percent_decode_str;

/// Returns the operation of a path that contains lists.
pub(crate) fn listing(method: &Method, path: &str) -> Option<&'static str> {
    let parts = segments(path);
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    Some(match (method.as_str(), parts.as_slice()) {
        ("GET", ["backup-jobs"]) => "ListBackupJobs",
        ("GET", ["copy-jobs"]) => "ListCopyJobs",
        ("GET", ["restore-jobs"]) => "ListRestoreJobs",
        ("GET", ["backup-vaults"]) => "ListBackupVaults",
        ("GET", ["backup-vaults", _, "recovery-points"]) => "ListRecoveryPointsByBackupVault",
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
            ("/backup-jobs/1".to_owned(), None),
        ] {
            assert_eq!(listing(&Method::GET, &path), name, "{path}");
            assert_eq!(listing(&Method::PUT, &path), None, "{path}");
        }
        assert_eq!(
            segments(&format!("/resources/{arn}/x"))[1],
            "arn:aws:ec2:eu-west-1:1:volume/vol-1"
        );
    }
}
