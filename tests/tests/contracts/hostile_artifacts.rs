//! The deployed artifacts are the built ones, even if somebody put others into the buckets before.

use std::collections::BTreeMap;
use std::fs;

use tests::deploy::{Release, repository};

use crate::deploy::{LEAST, everything};

fn release() -> Release {
    let release = Release::new();
    release.write("org.toml", LEAST);
    release
}

/// The keys that a deployment of this release makes.
fn keys() -> Vec<String> {
    let release = release();
    release.succeed(&["deploy", "org.toml"]);
    release.aws(|it| it.objects.keys().cloned().collect())
}

#[test]
fn an_object_that_somebody_put_there_before_is_not_deployed() {
    for key in keys() {
        let release = release();
        release.aws(|it| it.objects.insert(key.clone(), "evil".to_owned()));
        let why = release.fail(&["deploy", "org.toml"]);
        assert!(why.contains(&format!("s3://{key} is not")), "{why}");
        assert!(why.contains("its SHA-256 differs"), "{why}");
        assert!(release.aws(|it| it.stacks.is_empty()), "{key}");
    }
}

#[test]
fn an_object_of_which_s3_has_no_checksum_is_not_deployed() {
    let release = release();
    release.succeed(&["deploy", "org.toml"]);
    release.aws(|it| {
        it.stacks.clear();
        it.unchecked = true;
    });
    let why = release.fail(&["deploy", "org.toml"]);
    assert!(why.contains("S3 has no SHA-256 of it"), "{why}");
    assert!(release.aws(|it| it.stacks.is_empty()));
}

#[test]
fn a_bucket_of_somebody_else_gets_nothing_and_gives_nothing() {
    let release = release();
    let theirs = ("artifacts-of-ours".to_owned(), "999988887777".to_owned());
    release.aws(|it| it.owners = BTreeMap::from([theirs]));
    let why = release.fail(&["deploy", "org.toml"]);
    for told in ["(403)", "another account", "s3:ListBucket"] {
        assert!(why.contains(told), "{why}");
    }
    assert!(release.aws(|it| it.stacks.is_empty() && it.objects.is_empty()));
    for call in release.take_calls().iter().filter(|it| it[0] == "s3api") {
        assert!(call.contains(&"--expected-bucket-owner".to_owned()), "{call:?}");
    }
}

#[test]
fn what_is_written_over_an_artifact_after_the_look_at_it_is_not_deployed() {
    let release = crate::deploy::release(&everything());
    release.aws(|it| {
        it.versions = Some(BTreeMap::new());
        it.overwritten_with = Some("evil".to_owned());
    });
    // Templates of StackSets and of nested stacks are read as well, and this is none.
    let said = release.succeed(&["deploy", "org.toml"]);
    assert!(!said.contains("keeps no versions"), "{said}");
    release.aws(|it| {
        assert!(it.objects.values().all(|it| it == "evil"));
        let code = it.code();
        assert_eq!(code.len(), 10, "{:?}", code.keys());
        for (place, content) in code {
            let name = place.rsplit('/').next().unwrap();
            let built = name.strip_suffix(".zip").map(str::to_owned);
            let built = built.unwrap_or_else(|| {
                fs::read_to_string(repository(&format!("templates/{name}"))).unwrap()
            });
            assert_eq!(content, built, "{place}");
        }
        let mut stacks = it.stacks.values();
        let document = stacks.find_map(|it| it.parameters.get("ContentUrl")).unwrap();
        assert!(it.versions.as_ref().unwrap().contains_key(&document["s3://".len()..]));
    });
}

#[test]
fn a_bucket_that_keeps_no_versions_is_named_and_deployed_from() {
    let release = release();
    let said = release.succeed(&["deploy", "org.toml"]);
    let line = "s3://artifacts-of-ours keeps no versions, so CloudFormation deploys an artifact \
                that somebody overwrites before it is read. Turn its versioning on.";
    assert_eq!(said.lines().filter(|it| *it == line).count(), 1, "{said}");
    // Where it keeps them, the same release is the same versions, and nothing is deployed again.
    release.aws(|it| it.versions = Some(BTreeMap::new()));
    release.succeed(&["deploy", "org.toml"]);
    assert!(!release.take_writes().is_empty());
    release.succeed(&["deploy", "org.toml"]);
    assert_eq!(release.take_writes(), Vec::<Vec<String>>::new());
}

#[test]
fn a_file_that_is_not_what_the_release_says_is_not_deployed() {
    let release = release();
    let said = release.succeed(&["deploy", "org.toml", "--dry-run"]);
    assert!(said.contains("SHA256SUMS: is missing"), "{said}");
    let _looks = release.take_calls();
    // As `sha256sum` writes it for the file that a release has.
    let sums = "0000000000000000000000000000000000000000000000000000000000000000  ./reattach.zip\n";
    release.write("SHA256SUMS", sums);
    let why = release.fail(&["deploy", "org.toml"]);
    assert!(why.contains("reattach.zip: does not match SHA256SUMS"), "{why}");
    assert!(why.contains("bootstrap.yaml: does not match SHA256SUMS"), "{why}");
    assert_eq!(release.take_calls(), Vec::<Vec<String>>::new());
}

#[test]
fn no_template_of_a_stack_is_read_from_a_bucket() {
    let release = crate::deploy::release(&everything());
    release.succeed(&["deploy", "org.toml"]);
    for call in release.take_calls().iter().filter(|it| it[1] == "deploy") {
        assert!(!call.contains(&"--s3-bucket".to_owned()), "{call:?}");
    }
}

#[test]
fn keys_have_whole_hashes() {
    for key in keys() {
        let hash = key.split('/').nth(2).unwrap();
        assert_eq!(hash.trim_end_matches(".json").len(), 64, "{key}");
    }
}
