//! The real binaries, never older than their sources.

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs};

/// Returns the binary of a function, which is no older than its sources.
///
/// # Panics
///
/// When it is not there or older. Cargo builds the programs of other packages for no test, and a test
/// that built them itself would do so at a time and with features that nobody chose.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let running = env::current_exe().expect("what runs is a file");
    let folder = running.parent().expect("a file is in a folder");
    // Tests are in a folder of their own below that of the programs.
    let folder = folder.parent().filter(|_| folder.ends_with("deps")).unwrap_or(folder);
    let binary = folder.join(name);
    assert!(
        is_fresh(&binary),
        "{} is missing or older than its sources; build it first: \
         cargo build --workspace --exclude page --all-targets",
        binary.display(),
    );
    binary
}

/// Whether nothing that cargo made the binary from has changed since.
fn is_fresh(binary: &Path) -> bool {
    let changed = |it: &Path| fs::metadata(it).and_then(|it| it.modified()).ok();
    let Some(built) = changed(binary) else { return false };
    // Cargo writes `binary: source source …` next to the binary, with `\ ` for a space in a name.
    let rule = fs::read_to_string(binary.with_extension("d")).unwrap_or_default();
    let Some((_, sources)) = rule.trim_end().split_once(": ") else { return false };
    let sources = sources.replace("\\ ", "\0");
    let older = |it: &Path| changed(it).is_some_and(|it: SystemTime| it <= built);
    sources.split(' ').all(|it| older(Path::new(&it.replace('\0', " "))))
}
