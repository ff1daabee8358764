//! The archives as they are released.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The output of `make package`, unpacked.
#[derive(Debug)]
pub struct Package {
    archives: PathBuf,
    unpacked: TempDir,
}

impl Package {
    /// Finds the archives below `folder`.
    pub fn open(folder: &Path) -> Self {
        let releases = fs::read_dir(folder.join("org-backup"));
        let releases = releases.expect("`make package` has been run");
        let mut releases: Vec<_> = releases.map(|it| it.unwrap().path()).collect();
        let archives = releases.pop().expect("`make package` makes a folder");
        assert!(releases.is_empty(), "`make package` leaves one folder");
        Self { archives, unpacked: tempfile::tempdir().unwrap() }
    }

    /// Returns the size of a function's archive in bytes.
    pub fn size(&self, function: &str) -> u64 {
        fs::metadata(self.archive(function)).expect("the function is in the package").len()
    }

    /// Returns the program of a function, as Lambda unpacks it.
    pub fn binary(&self, function: &str) -> PathBuf {
        let folder = self.unpacked.path().join(function);
        let program = folder.join("bootstrap");
        if !program.is_file() {
            let mut unpack = Command::new("python3");
            unpack.args(["-m", "zipfile", "--extract"]).arg(self.archive(function)).arg(&folder);
            assert!(unpack.status().unwrap().success(), "{function} cannot be unpacked");
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        program
    }

    fn archive(&self, function: &str) -> PathBuf {
        self.archives.join(function).with_extension("zip")
    }
}
