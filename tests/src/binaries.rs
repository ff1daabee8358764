//! The real binaries, never older than their sources.

#![expect(clippy::expect_used, reason = "a test that cannot build what it tests has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::SystemTime;
use std::{env, fs};

/// The binary of a function, built anew if it is older than its sources.
///
/// # Panics
///
/// When the workspace does not build.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    /// The binaries that are known to be fresh. Tests wait here for one of them to build.
    static FRESH: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    let running = env::current_exe().expect("what runs is a file");
    let folder = running.parent().expect("a file is in a folder");
    // Tests are in a folder of their own below that of the programs.
    let folder = folder.parent().filter(|_| folder.ends_with("deps")).unwrap_or(folder);
    let binary = folder.join(name);
    let mut fresh = FRESH.lock().expect("an earlier build has failed");
    if !fresh.contains(&binary) {
        if !is_fresh(&binary) {
            build(folder);
        }
        fresh.push(binary.clone());
    }
    binary
}

/// Whether nothing that cargo made the binary from has changed since.
fn is_fresh(binary: &Path) -> bool {
    let changed = |it: &Path| fs::metadata(it).and_then(|it| it.modified()).ok();
    let Some(built) = changed(binary) else { return false };
    // Cargo writes `binary: source source …` next to the binary.
    let sources = fs::read_to_string(binary.with_extension("d")).unwrap_or_default();
    let mut sources = sources.split_whitespace().skip(1).map(Path::new).peekable();
    let lock = workspace().join("Cargo.lock");
    let older = |it: &Path| changed(it).is_some_and(|it: SystemTime| it <= built);
    sources.peek().is_some() && older(&lock) && sources.all(older)
}

/// Builds all targets at once, as `make test` does, so that nothing is compiled twice.
fn build(folder: &Path) {
    // Not `CARGO`, which may be another than the one that the toolchain file asks for.
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace()).args(["build", "--workspace", "--all-targets"]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
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

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
