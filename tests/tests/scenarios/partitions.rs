//! Partitions other than the commercial one: the command, the simulator and the program that deploys
//! agree on where things are and what they are called.

use std::collections::BTreeSet;

use policy::partition::Partition;
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Settings};
use tests::command::org_backup;
use tests::deploy::Release;
use tests::organization::Organization;
use tests::role::{STATE_BUCKET, STATE_KEY};

use crate::plan::template;

/// A Region, and what AWS has there.
struct Place {
    region: &'static str,
    partition: &'static str,
    /// Where the events of AWS Organizations are.
    events: &'static str,
    suffix: &'static str,
}

const PLACES: [Place; 7] = [
    Place {
        region: "eusc-de-east-1",
        partition: "aws-eusc",
        events: "eusc-de-east-1",
        suffix: "amazonaws.eu",
    },
    Place {
        region: "cn-north-1",
        partition: "aws-cn",
        events: "cn-northwest-1",
        suffix: "amazonaws.com.cn",
    },
    Place {
        region: "us-gov-east-1",
        partition: "aws-us-gov",
        events: "us-gov-west-1",
        suffix: "amazonaws.com",
    },
    Place {
        region: "us-iso-west-1",
        partition: "aws-iso",
        events: "us-iso-east-1",
        suffix: "c2s.ic.gov",
    },
    Place {
        region: "us-isob-west-1",
        partition: "aws-iso-b",
        events: "us-isob-east-1",
        suffix: "sc2s.sgov.gov",
    },
    Place {
        region: "eu-isoe-west-1",
        partition: "aws-iso-e",
        events: "eu-isoe-west-1",
        suffix: "cloud.adc-e.uk",
    },
    Place {
        region: "us-isof-east-1",
        partition: "aws-iso-f",
        events: "us-isof-south-1",
        suffix: "csp.hci.ic.gov",
    },
];

#[test]
fn every_partition_but_the_commercial_one_has_a_place() {
    let places: BTreeSet<_> = PLACES.iter().map(|it| it.partition).collect();
    let others = Partition::ALL.into_iter().filter(|it| *it != Partition::Commercial);
    assert_eq!(places, others.map(Partition::name).collect());
}

impl Place {
    /// An organization that begins here with nothing enabled.
    async fn organization(&self) -> Organization {
        let region = self.region.to_owned();
        Organization::bare(Settings { region, ..Settings::default() }).await
    }
}

#[tokio::test]
async fn doctor_names_the_region_of_the_events_in_every_partition() {
    for place in PLACES {
        let Place { region, events, .. } = place;
        let run = org_backup(&place.organization().await, &["doctor", "--json"]).await;
        let checks = run.json();
        let of_events = |it: &&Value| it["check"] == "Region of events";
        let check = checks.as_array().unwrap().iter().find(of_events).unwrap();
        if region == events {
            let said = format!("the events of AWS Organizations are in {region}, and so are you");
            assert_eq!(check["message"], said);
            continue;
        }
        let said =
            format!("the events of AWS Organizations are in {events} and do not reach {region}");
        assert_eq!(check["message"], said);
        let fix =
            format!("deploy templates/event-forwarder.yaml in {events} with HomeRegion={region}");
        assert_eq!(check["fix"], fix);
    }
}

#[tokio::test]
async fn a_plan_has_the_partition_and_the_suffix_of_where_it_is_deployed() {
    for place in PLACES {
        let organization = place.organization().await;
        organization.buckets(|it| it.create_encrypted(STATE_BUCKET, STATE_KEY));
        let name = "backup.${AWS::Partition}.${AWS::URLSuffix}";
        let (_folder, path) = template(&json!({ "Access": {
            "Type": "Custom::ServiceAccess",
            "Properties": { "ServicePrincipals": [{ "Fn::Sub": name }] },
        } }));
        let run = org_backup(&organization, &["plan", "--template", &path]).await;
        let Place { partition, suffix, .. } = place;
        let step = format!("enable trusted access for backup.{partition}.{suffix}\n");
        assert!(run.text.contains(&step), "{}{}", run.text, run.notes);
    }
}

#[tokio::test]
async fn a_policy_may_name_the_regions_and_the_arns_of_every_partition() {
    for place in PLACES {
        let Place { region, partition, events, .. } = place;
        let vault = format!("arn:{partition}:backup:{events}:444455556666:backup-vault:far");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.json");
        let policy = json!({ "plans": { "daily": {
            "regions": { "@@assign": [region, events] },
            "rules": { "nightly": {
                "schedule_expression": { "@@assign": "cron(0 5 ? * * *)" },
                "target_backup_vault_name": { "@@assign": "near" },
                "lifecycle": { "delete_after_days": { "@@assign": "35" } },
                "copy_actions": { vault.as_str(): {
                    "target_backup_vault_arn": { "@@assign": vault },
                    "lifecycle": { "delete_after_days": { "@@assign": "35" } },
                } },
            } },
            "selections": { "tags": { "tagged": {
                "iam_role_arn": { "@@assign": format!("arn:{partition}:iam::$account:role/backup") },
                "tag_key": { "@@assign": "backup" },
                "tag_value": { "@@assign": ["daily"] },
            } } },
        } } });
        std::fs::write(&file, policy.to_string()).unwrap();
        let organization = place.organization().await;
        let run = org_backup(&organization, &["check", "--strict", file.to_str().unwrap()]).await;
        assert_eq!(run.code, 0, "{region}: {}{}", run.text, run.notes);
        organization.organization(|it| {
            let root = it.root.clone();
            it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
        });
        let content = json!({ "Name": "daily", "Content": policy, "TargetIds": "root" });
        let _ = organization.stack("backup-policy").unlimited().create(content).await.ok();
    }
}

#[tokio::test]
async fn the_events_and_arns_of_the_simulator_are_those_of_its_partition() {
    for place in PLACES {
        let organization = place.organization().await;
        let types = json!({ "PolicyTypes": [BACKUP_POLICY] });
        let _ = organization.stack("policy-types").unlimited().create(types).await.ok();
        let events = organization.take_events();
        let event = events.first().unwrap();
        assert_eq!(event["region"], place.events);
        assert_eq!(event["detail"]["awsRegion"], place.events);
        let arn = event["detail"]["userIdentity"]["arn"].as_str().unwrap();
        assert_eq!(arn.split(':').nth(1), Some(place.partition));
    }
}

#[test]
fn the_program_that_deploys_forwards_events_from_where_they_are() {
    for Place { region, partition, events, .. } in PLACES {
        let release = Release::new();
        let bucket = |it: &str| format!("{it} = \"artifacts-of-{it}\"\n");
        let buckets =
            if region == events { bucket(region) } else { bucket(region) + &bucket(events) };
        release.write(
            "org.toml",
            &format!(
                "ManagementAccountId = \"111122223333\"\nOrganizationId = \"o-a1b2c3d4e5\"\n\
                 Region = \"{region}\"\nOrganizationalUnitIds = [\"ou-ab12-sandbox1\"]\n\
                 CentralAccountId = \"444455556666\"\n\
                 [Buckets]\n{buckets}[backup-policies]\n"
            ),
        );
        let stacks = release.stacks("org.toml");
        let forwarder = stacks.iter().find(|it| it.template == "event-forwarder.yaml");
        let expected = (region != events).then_some(events);
        assert_eq!(forwarder.map(|it| it.region.as_str()), expected);
        let policies = stacks.iter().find(|it| it.template == "backup-policies.yaml").unwrap();
        let vault = format!("arn:{partition}:backup:{region}:444455556666:backup-vault:");
        let given = &policies.parameters["CentralVaultArn"];
        assert!(given.starts_with(&vault), "{given}");
    }
}
