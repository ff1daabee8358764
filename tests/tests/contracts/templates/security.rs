//! Who may do what, and what is encrypted and kept.

use std::collections::BTreeSet;

use serde_json::json;
use simulator::{Asked, Verdict};
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
fn buckets_queues_and_topics_are_reached_by_tls_only() {
    let kinds = [
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "s3:*", &["NAME.Arn", "NAME.Arn/*"][..]),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "sns:Publish", &["NAME"]),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "sqs:*", &["NAME.Arn"]),
    ];
    let mut count = 0;
    for template in Template::all() {
        let [_, everything] = stacks(&template);
        for (kind, policy, action, places) in kinds {
            let mut closed = BTreeSet::new();
            for (_, it) in template.resources(policy) {
                let document = everything.resolve(&it["Properties"]["PolicyDocument"]).unwrap();
                let denial = json!({
                    "Sid": "OnlyEncryptedConnections", "Effect": "Deny", "Action": action, "Principal": "*",
                    "Condition": { "Bool": { "aws:SecureTransport": "false" } },
                });
                for statement in each(&document["Statement"]) {
                    let mut bare = statement.clone();
                    let places = bare.as_object_mut().unwrap().remove("Resource").unwrap();
                    if bare == denial {
                        closed
                            .extend(each(&places).iter().map(|it| it.as_str().unwrap().to_owned()));
                    }
                }
            }
            for (name, it) in template.resources(kind) {
                if it["Type"] == kind {
                    let is_reached_so = |it: &&str| closed.contains(&it.replace("NAME", name));
                    assert!(
                        places.iter().all(is_reached_so),
                        "{}: {name}: {closed:?}",
                        template.name
                    );
                    count += 1;
                }
            }
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn no_role_tags_accounts_units_or_policies_of_other_types() {
    let arn = |what: &str| format!("arn:aws-cn:organizations::333344445555:{what}");
    let things = [
        (arn("account/o-a1b2c3d4e5/444455556666"), None),
        (arn("ou/o-a1b2c3d4e5/ou-ab12-c3d4e5f6"), None),
        (
            arn("policy/o-a1b2c3d4e5/service_control_policy/p-1a2b3c4d"),
            Some("SERVICE_CONTROL_POLICY"),
        ),
        (arn("policy/o-a1b2c3d4e5/backup_policy/p-1a2b3c4d"), Some("BACKUP_POLICY")),
    ];
    let mut tagged = Vec::new();
    for template in Template::all() {
        for (name, role) in template.resources("AWS::IAM::Role") {
            let [_, everything] = stacks(&template);
            let properties = everything.resolve(&role["Properties"]).unwrap();
            for policy in each(&properties["Policies"]).iter().filter(|it| it.is_object()) {
                // What is about something else is not judged, and may need keys of its own.
                let mut statements = each(&policy["PolicyDocument"]["Statement"]).to_vec();
                statements.retain(|it| it["Action"].to_string().contains("agResource\""));
                let document = json!({ "Statement": statements });
                for (thing, kind) in &things {
                    for action in ["organizations:TagResource", "organizations:UntagResource"] {
                        let asked =
                            Asked::new("arn:aws-cn:iam::333344445555:role/x", action, thing)
                                .with("aws:TagKeys", "org-backup:owner");
                        let asked = match kind {
                            Some(kind) => asked.with("organizations:PolicyType", kind),
                            None => asked,
                        };
                        if asked.judged_by(&document) == Verdict::Allowed {
                            tagged.push((format!("{}: {name}", template.name), thing));
                        }
                    }
                }
            }
        }
    }
    assert!(tagged.iter().any(|it| it.0 == "bootstrap.yaml: BackupPolicyRole"), "{tagged:?}");
    assert!(tagged.iter().all(|it| it.1.contains("/backup_policy/")), "{tagged:?}");
}

#[test]
fn no_policy_is_longer_than_aws_takes() {
    // The documents of policies that stand by themselves, with the characters that each may have.
    let limits = [
        ("AWS::Events::EventBusPolicy", "Statement", 10_240),
        ("AWS::IAM::Role", "AssumeRolePolicyDocument", 2_048),
        ("AWS::KMS::Key", "KeyPolicy", 32_768),
        ("AWS::Logs::ResourcePolicy", "PolicyDocument", 5_120),
        ("AWS::Organizations::Policy", "Content", 5_120),
        ("AWS::Organizations::ResourcePolicy", "Content", 40_000),
        ("AWS::S3::BucketPolicy", "PolicyDocument", 20_480),
        ("AWS::SNS::TopicPolicy", "PolicyDocument", 30_720),
    ];
    let mut kinds = BTreeSet::new();
    for template in Template::all() {
        for stack in stacks(&template) {
            for (name, resource) in template.resources("AWS::") {
                let kind = resource["Type"].as_str().unwrap();
                for (of, property, most) in limits.iter().filter(|it| it.0 == kind) {
                    let Some(document) = resource["Properties"].get(property) else { continue };
                    let document = stack.resolve(document).unwrap_or_default();
                    let length = document.to_string().len();
                    assert!(length <= *most, "{}: {name}: {length}", template.name);
                    kinds.insert(*of);
                }
            }
        }
    }
    assert_eq!(kinds.len(), limits.len(), "{kinds:?}");
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
