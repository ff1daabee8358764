//! What is deployed is what was built, whatever somebody put into the buckets before.

use std::collections::BTreeMap;

use tests::deploy::Release;

use crate::deploy::LEAST;

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
    assert!(why.contains("AccessDenied"), "{why}");
    assert!(release.aws(|it| it.stacks.is_empty() && it.objects.is_empty()));
    for call in release.take_calls().iter().filter(|it| it[0] == "s3api") {
        assert!(call.contains(&"--expected-bucket-owner".to_owned()), "{call:?}");
    }
}

#[test]
fn a_file_that_is_not_what_the_release_says_is_not_deployed() {
    let release = release();
    let said = release.succeed(&["deploy", "org.toml", "--dry-run"]);
    assert!(said.contains("SHA256SUMS: there is none"), "{said}");
    let _looks = release.take_calls();
    // As `sha256sum` writes it for the file that a release has.
    let sums = "0000000000000000000000000000000000000000000000000000000000000000  ./reattach.zip\n";
    release.write("SHA256SUMS", sums);
    let why = release.fail(&["deploy", "org.toml"]);
    assert!(why.contains("reattach.zip: is not what SHA256SUMS says"), "{why}");
    assert!(why.contains("bootstrap.yaml: is not what SHA256SUMS says"), "{why}");
    assert_eq!(release.take_calls(), Vec::<Vec<String>>::new());
}

#[test]
fn keys_have_whole_hashes() {
    for key in keys() {
        let hash = key.split('/').nth(2).unwrap();
        assert_eq!(hash.trim_end_matches(".json").len(), 64, "{key}");
    }
}
