//! What `make package` makes of binaries.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

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
