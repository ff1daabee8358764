//! The real binaries, as fresh as the sources.

#![expect(clippy::expect_used, reason = "a test that cannot build what it tests has failed")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The binary of a function, built if it is older than its sources.
///
/// # Panics
///
/// When the workspace does not build.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let test = env::current_exe().expect("the running test is a file");
        let folder = test.parent().and_then(Path::parent).expect("tests run in `deps`");
        build(folder);
        folder.to_owned()
    });
    folder.join(name)
}

/// Builds all targets at once, as `make test` does, so that nothing is compiled twice.
fn build(folder: &Path) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--workspace", "--all-targets"]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    // What cargo tells a test about its own package would make build scripts run again.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "LD_LIBRARY_"];
        if own.iter().any(|it| name.starts_with(it)) {
            cargo.env_remove(&*name);
        }
    }
    let built = cargo.output().expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}
