//! Ctrl-C in the middle of a deployment leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const FUNCTIONS: [&str; 4] = ["backup-policy", "global-settings", "policy-types", FIRST];

/// The function behind the first custom resource of the first template.
const FIRST: &str = "service-access";

/// The processes whose temporary files are in `folder`.
fn processes(folder: &Path) -> Vec<String> {
    let variable = format!("TMPDIR={}", folder.display());
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let ours = entries.filter(|it| {
        // Processes of others cannot be read, and some end while we look.
        let environment = fs::read(it.join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&variable)
    });
    ours.map(|it| fs::read_to_string(it.join("cmdline")).unwrap_or_default()).collect()
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".venv/bin/python");
    assert!(python.is_file(), "ministack is not installed; hint: make venv");
    let demo = Path::new(env!("CARGO_BIN_EXE_demo"));
    let [binaries, package, temporary] = [(); 3].map(|()| TempDir::new().unwrap());
    // The demo does not get to the others.
    for function in FUNCTIONS {
        fs::write(binaries.path().join(function), "").unwrap();
    }
    fs::copy(demo.with_file_name(FIRST), binaries.path().join(FIRST))
        .unwrap_or_else(|it| panic!("{it}; hint: cargo build --workspace --all-targets"));
    let packed = Command::new(&python)
        .arg(root.join("scripts/package.py"))
        .arg("--local")
        .args([binaries.path(), package.path()])
        .args(FUNCTIONS)
        .output()
        .unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));

    let mut demo = Command::new(demo)
        .arg("--package")
        .arg(package.path())
        .current_dir(&root)
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    let endpoints: Vec<_> = lines.by_ref().take(2).map(|it| address(&it)).collect();
    for endpoint in &endpoints {
        assert!(TcpStream::connect(endpoint).is_ok(), "{endpoint}");
    }
    // By then there are functions too.
    assert!(lines.any(|it| it.contains("ServiceAccess  ")), "the first resource is created");
    assert!(processes(temporary.path()).len() > 1);

    let pid = Pid::from_raw(i32::try_from(demo.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(demo.wait().unwrap().code(), Some(130));
    let left = processes(temporary.path());
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    for endpoint in endpoints {
        assert!(TcpStream::connect(&endpoint).is_err(), "{endpoint} is still in use");
    }
}

/// The address in a line like `…: ministack at http://127.0.0.1:4566`.
fn address(line: &str) -> String {
    line.rsplit_once("//").unwrap().1.to_owned()
}
