//! Who may do what, and what is encrypted and kept.

use serde_json::json;
use tests::template::Template;

use super::{all, each, stacks};

#[test]
fn what_keeps_backups_and_state_outlives_its_stack() {
    let kept = [
        "AWS::Backup::BackupVault",
        "AWS::Backup::LogicallyAirGappedBackupVault",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
    ];
    for template in Template::all() {
        for kind in kept {
            let all = template.resources(kind).into_iter().filter(|it| it.1["Type"] == kind);
            // Nothing that is kept is encrypted with the key of a topic.
            for (name, it) in all.filter(|(name, _)| *name != "TopicKey") {
                // What could not be created the first time must not be in the way of the second.
                assert_eq!(it["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
                assert_eq!(it["UpdateReplacePolicy"], "Retain", "{name}");
            }
        }
    }
}

#[test]
fn every_key_rotates() {
    for template in Template::all() {
        for (name, key) in template.resources("AWS::KMS::Key") {
            assert_eq!(key["Properties"]["EnableKeyRotation"], true, "{}: {name}", template.name);
        }
    }
}

#[test]
fn nobody_is_let_in_without_a_condition_where_everybody_is_named() {
    for template in Template::all() {
        for stack in stacks(&template) {
            for (name, resource) in template.resources("AWS::") {
                let properties = stack.resolve(&resource["Properties"]).unwrap();
                for statement in all(&properties, "Statement").iter().flat_map(|it| each(it)) {
                    let everybody = [json!("*"), json!({ "AWS": "*" })];
                    if statement["Effect"] == "Allow" && everybody.contains(&statement["Principal"])
                    {
                        let narrowed = statement["Condition"].to_string();
                        let by = ["aws:PrincipalOrgID", "aws:SourceAccount", "aws:SourceArn"];
                        let narrowed = by.iter().any(|it| narrowed.contains(it));
                        assert!(narrowed, "{}: {name}: {statement}", template.name);
                    }
                }
            }
        }
    }
}

#[test]
fn every_queue_is_encrypted_and_every_topic() {
    for template in Template::all() {
        for (name, queue) in template.resources("AWS::SQS::Queue") {
            if queue["Type"] == "AWS::SQS::Queue" {
                assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{name}");
            }
        }
        for (name, topic) in template.resources("AWS::SNS::Topic") {
            if topic["Type"] == "AWS::SNS::Topic" {
                assert!(topic["Properties"]["KmsMasterKeyId"]["Ref"].is_string(), "{name}");
            }
        }
    }
}

#[test]
fn the_inline_policies_of_a_role_are_no_longer_than_iam_takes() {
    for template in Template::all() {
        for stack in stacks(&template) {
            for (name, role) in template.resources("AWS::IAM::Role") {
                let properties = stack.resolve(&role["Properties"]).unwrap();
                let policies = each(&properties["Policies"]).iter();
                let length: usize = policies.map(|it| it["PolicyDocument"].to_string().len()).sum();
                assert!(length < 10_240, "{}: {name}: {length}", template.name);
            }
        }
    }
}
