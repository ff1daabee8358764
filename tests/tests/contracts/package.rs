//! What `make package` makes of binaries.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tests::deploy::repository;

/// Packs `content` as the binary of `policy-types`, into `folder`.
fn pack(folder: &Path, content: &[u8]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::write(folder.join("policy-types"), content).unwrap();
    let mut pack = Command::new("python3");
    pack.current_dir(root).arg("scripts/package.py").arg(folder).arg(folder.join("package"));
    pack.arg("policy-types").output().unwrap()
}

/// Every file of a package by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let releases = fs::read_dir(folder.join("package/org-backup")).unwrap();
    let release = releases.map(|it| it.unwrap().path()).next().unwrap();
    let files = fs::read_dir(release).unwrap().map(|it| it.unwrap());
    let read =
        |it: fs::DirEntry| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap());
    files.map(read).collect()
}

#[test]
fn the_same_binary_makes_the_same_package() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&first, &second] {
        let packed = pack(folder.path(), b"\x7fELF \0GLIBC_2.34\0");
        assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    }
    let made = files(first.path());
    assert_eq!(made, files(second.path()));

    let sums = String::from_utf8(made["SHA256SUMS"].clone()).unwrap();
    let named: Vec<_> = sums.lines().map(|it| it.split("  ").nth(1).unwrap()).collect();
    let others: Vec<_> = made.keys().filter(|it| *it != "SHA256SUMS").collect();
    assert_eq!(named, others);

    let bom: Value = serde_json::from_slice(&made["policy-types.cdx.json"]).unwrap();
    let linked: Vec<_> =
        bom["components"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    assert!(linked.contains(&"aws-sdk-organizations") && linked.contains(&"ring"), "{linked:?}");
    assert!(!linked.contains(&"syn") && !linked.contains(&"simulator"), "{linked:?}");
}

#[test]
fn a_binary_that_amazon_linux_2023_could_not_start_is_not_packed() {
    let folder = tempfile::tempdir().unwrap();
    let packed = pack(folder.path(), b"\x7fELF \0GLIBC_2.4\0GLIBC_2.36\0");
    assert!(!packed.status.success());
    let said = String::from_utf8(packed.stderr).unwrap();
    assert!(said.starts_with("policy-types needs glibc 2.36"), "{said}");
    assert!(!folder.path().join("package").exists());
}

/// `make demo` builds programs, and `make test` builds tests as well. A crate that has more features
/// for tests would be compiled again with everything that needs it, AWS's runtime included.
#[test]
fn the_demo_and_the_tests_need_the_same_features_of_every_crate() {
    let tree = |edges: &str| -> BTreeSet<String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(repository(".")).args(["tree", "--locked", "--offline", "--workspace"]);
        cargo.args(["--exclude", "page", "--prefix", "none", "--format", "{p} [{f}]"]);
        let ran = cargo.args(["--edges", edges]).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let text = String::from_utf8(ran.stdout).unwrap();
        text.lines().map(|it| it.trim_end_matches(" (*)").to_owned()).collect()
    };
    let programs = tree("normal,build,no-proc-macro");
    let tests = tree("normal,build,dev,no-proc-macro");
    assert!(programs.iter().any(|it| it.starts_with("tokio v")), "{programs:?}");
    assert_eq!(programs.difference(&tests).collect::<Vec<_>>(), Vec::<&String>::new());
}
