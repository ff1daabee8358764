//! `org-backup plan --template` of every template that is shipped and of templates that others write:
//! each resource is planned, or named with why it is not.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Settings};
use tests::command::{Run, org_backup};
use tests::organization::{Organization, document};
use tests::role::STATE_BUCKET;
use tests::template::{REQUIRED, Template};

/// An organization in which policies can be made.
async fn enabled() -> Organization {
    let organization = Organization::bare(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    });
    organization
}

/// Plans the first deployment of a template.
async fn plan(organization: &Organization, template: &Value) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.json");
    fs::write(&path, template.to_string()).unwrap();
    org_backup(organization, &["plan", "--template", path.to_str().unwrap()]).await
}

/// The properties of a policy of this name.
fn policy(name: &Value) -> Value {
    json!({ "Name": name, "Content": document(5), "TargetIds": ["root"], "ServiceToken": "x" })
}

#[tokio::test]
async fn every_template_that_is_shipped_is_planned() {
    let organization = enabled().await;
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../templates");
    for Template { name, body } in Template::all() {
        let declared = |it: &&(&str, &str)| body["Parameters"].get(it.0).is_some();
        let values: Vec<_> =
            REQUIRED.iter().filter(declared).map(|it| format!("{}={}", it.0, it.1)).collect();
        let file = folder.join(&name).display().to_string();
        let mut arguments = vec!["plan", "--template", &file];
        if !values.is_empty() {
            arguments.push("--parameters");
            arguments.extend(values.iter().map(String::as_str));
        }
        let run = org_backup(&organization, &arguments).await;
        assert!(matches!(run.code, 1 | 2), "{name}: {} {}{}", run.code, run.text, run.notes);
        assert!(!run.text.lines().any(|it| it == "nothing to do"), "{name}: {}", run.text);
        assert!(!run.text.is_empty(), "{name}: {}", run.notes);
        // New resources are listed: by their names, or in the sum of the others.
        for (resource, it) in body["Resources"].as_object().unwrap() {
            let is_made = it.get("Condition").is_none();
            assert!(!is_made || run.text.contains(resource.as_str()), "{name}: {resource}");
        }
    }
}

#[tokio::test]
async fn what_cloudformation_makes_of_a_template_first_is_never_nothing_to_do() {
    let organization = enabled().await;
    let ours = json!({ "Type": "Custom::BackupPolicy", "Properties": policy(&json!("daily")) });
    let include = json!({ "Name": "AWS::Include", "Parameters": { "Location": "s3://b/x" } });
    for template in [
        json!({ "Resources": { "P": ours }, "Transform": "Company" }),
        json!({ "Resources": { "P": ours }, "Transform": ["AWS::Serverless-2016-10-31"] }),
        json!({ "Resources": { "P": ours, "Fn::Transform": include } }),
        json!({ "Resources": { "Fn::Transform": include } }),
        json!({ "Resources": { "Fn::ForEach::All": ["It", ["a"], { "P${It}": ours }] } }),
    ] {
        let run = plan(&organization, &template).await;
        assert_eq!(run.code, 2, "{template}: {}", run.text);
        assert!(!run.text.contains("nothing to do"), "{}", run.text);
        assert!(run.text.contains("CloudFormation carries out"), "{}", run.text);
    }
}

#[tokio::test]
async fn a_loop_is_planned_as_it_is_written_out() {
    let organization = enabled().await;
    let ours = json!({
        "Type": "AWS::CloudFormation::CustomResource",
        "Properties": policy(&json!({ "Fn::Sub": "daily-${It}" })),
    });
    let run = plan(
        &organization,
        &json!({
            "Transform": "AWS::LanguageExtensions",
            "Resources": { "Fn::ForEach::All": ["It", ["a", "b"], { "P${It}": ours }] },
        }),
    )
    .await;
    assert_eq!(run.code, 1, "{}", run.notes);
    for step in ["create policy `daily-a`", "create policy `daily-b`"] {
        assert!(run.text.contains(step), "{}", run.text);
    }
}

#[tokio::test]
async fn a_dynamic_reference_is_known_to_cloudformation_alone() {
    let organization = enabled().await;
    for (key, value) in
        [("Name", json!("{{resolve:ssm:/n}}")), ("TargetIds", json!(["{{resolve:ssm:/t}}"]))]
    {
        let mut properties = policy(&json!("daily"));
        properties[key] = value;
        let resource = json!({ "Type": "Custom::BackupPolicy", "Properties": properties });
        let run = plan(&organization, &json!({ "Resources": { "P": resource } })).await;
        assert_eq!(run.code, 2, "{}", run.text);
        assert!(run.text.contains("CloudFormation resolves the dynamic reference"), "{}", run.text);
    }
}

/// The templates that were deployed for real, where they are.
#[tokio::test]
async fn every_shared_case_is_planned_as_it_was_deployed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/plan");
    let Ok(entries) = fs::read_dir(&folder) else { return };
    let organization = enabled().await;
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let run = org_backup(&organization, &["plan", "--template", path.to_str().unwrap()]).await;
        let said = format!("{}: {}{}", path.display(), run.text, run.notes);
        let name = path.file_stem().unwrap().to_string_lossy();
        match &*name {
            "foreach" => {
                assert_eq!(run.code, 1, "{said}");
                for made in ["`tpol`", "`more-a`", "`more-b`"] {
                    assert!(run.text.contains(&format!("create policy {made}")), "{said}");
                }
            }
            "truth_cdk" => {
                assert_eq!(run.code, 1, "{said}");
                assert!(run.text.contains("create policy `cdkpol`"), "{said}");
            }
            _ => assert_eq!(run.code, 2, "{said}"),
        }
        assert!(!run.text.contains("nothing to do"), "{said}");
        count += 1;
    }
    assert!(count > 5, "the folder has {count} templates");
}
