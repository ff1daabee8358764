//! Dependencies point one way: functions to `cfn`, `aws` and `plan`, `aws` to `report`,
//! `plan` and `policy`, and no further.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a manifest that cannot be read breaks the rules"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The crates of this workspace, each with the dependencies it is built from.
fn manifests() -> BTreeMap<String, toml::Table> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["crates", "functions"]
        .into_iter()
        .flat_map(|it| fs::read_dir(root.join(it)).unwrap().map(|entry| entry.unwrap().path()));
    folders
        .map(|it| it.join("Cargo.toml"))
        .filter(|it| it.is_file())
        .map(|it| {
            let manifest: toml::Table = fs::read_to_string(it).unwrap().parse().unwrap();
            (manifest["package"]["name"].as_str().unwrap().to_owned(), manifest)
        })
        .collect()
}

fn dependencies(manifest: &toml::Table, kind: &str) -> BTreeSet<String> {
    let table = manifest.get(kind).and_then(toml::Value::as_table);
    table.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn is_function(name: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions").join(name).is_dir()
}

#[test]
fn dependencies_point_one_way() {
    let manifests = manifests();
    let ours: BTreeSet<_> = manifests.keys().cloned().collect();
    for (name, manifest) in &manifests {
        let allowed: &[&str] = match name.as_str() {
            "errors" | "policy" => &[],
            "cfn" => &["errors"],
            // The merge is one, for those who ask before a change and for what stands in for AWS.
            "plan" | "simulator" => &["policy"],
            "report" => &["errors", "plan", "policy"],
            "aws" => &["errors", "plan", "policy", "report"],
            "demo" => &["errors", "simulator"],
            "resources" => &["aws", "cfn", "plan", "policy"],
            "restored" => &["aws", "errors", "plan"],
            "restore-validation" => &["aws", "cfn", "errors", "plan", "restored"],
            // They say what the others would do, and do it again.
            "cli" | "reattach" => &[
                "aws",
                "backup-policy",
                "cfn",
                "errors",
                "global-settings",
                "member-accounts",
                "plan",
                "policy",
                "policy-types",
                "report",
                "resources",
                "service-access",
            ],
            function if is_function(function) => &["aws", "cfn", "plan", "policy", "resources"],
            other => panic!("{other} has no place in the architecture"),
        };
        let used = &dependencies(manifest, "dependencies") & &ours;
        let unwanted: Vec<_> = used.iter().filter(|it| !allowed.contains(&it.as_str())).collect();
        assert!(unwanted.is_empty(), "{name} depends on {unwanted:?}");
    }
}

#[test]
fn only_aws_talks_to_aws() {
    for (name, manifest) in manifests() {
        let sdk = |kind| {
            let mut all = dependencies(&manifest, kind);
            all.retain(|it| it.starts_with("aws-sdk-") || it == "aws-config");
            // A person's credentials are in more places than a function's.
            all.retain(|it| (name.as_str(), it.as_str()) != ("cli", "aws-config"));
            all
        };
        let allowed = matches!(name.as_str(), "aws" | "demo" | "restored");
        assert!(allowed || sdk("dependencies").is_empty(), "{name} imports an AWS SDK");
        let allowed = allowed || name == "simulator";
        assert!(allowed || sdk("dev-dependencies").is_empty(), "{name} is tested with an AWS SDK");
    }
}

#[test]
fn deciding_does_no_input_or_output() {
    let manifests = manifests();
    for name in ["plan", "policy", "report"] {
        let used = dependencies(&manifests[name], "dependencies");
        let unwanted = ["tokio", "tracing", "lambda_runtime", "futures-util", "hyper"];
        let found: Vec<_> = unwanted.iter().filter(|it| used.contains(**it)).collect();
        assert!(found.is_empty(), "{name} depends on {found:?}");
    }
}

#[test]
fn every_crate_shares_the_versions_and_lints_of_the_workspace() {
    for (name, manifest) in manifests() {
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{name}");
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let table = manifest.get(kind).and_then(toml::Value::as_table);
            for (dependency, it) in table.into_iter().flatten() {
                let shared = it.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(shared, Some(true), "{name}: {dependency} has a version of its own");
            }
        }
    }
}
