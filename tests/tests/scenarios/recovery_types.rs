//! Every type that `org-backup restore` and `recover` know comes back: from its own vault, and from the
//! central copy.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use report::recovery::RestoredKind as It;
use serde_json::Value;
use tests::organization::backed_up;

use crate::recovery::{REGION, World, endings};

/// How many types are restored at once.
const AT_ONCE: usize = 4;

/// Settings, each with its key.
type Pairs = &'static [(&'static str, &'static str)];

/// A resource of a type, and the way in which it comes back.
struct Sample {
    /// Its service and its name, as in `ec2@volume/vol-1`.
    resource: &'static str,
    /// The settings that it needs wherever it is restored.
    set: Pairs,
    way: Way,
}

enum Way {
    /// It is copied, and restored in another account with these settings.
    Copied(Pairs),
    /// It is not copied, and replaces something that is there, with this ARN and name.
    Replacing(&'static str, &'static str),
    /// It is not copied, and restored where it was.
    InPlace,
    ByHand,
}

const fn copied(resource: &'static str, settings: Pairs) -> Sample {
    Sample { resource, set: &[], way: Way::Copied(settings) }
}

const fn with(set: Pairs, sample: Sample) -> Sample {
    Sample { set, ..sample }
}

const fn in_place(resource: &'static str) -> Sample {
    Sample { resource, set: &[], way: Way::InPlace }
}

/// The parts of the other account that samples are put into.
const PARTS: [&str; 3] = ["subnet-new", "sg-new", "archive"];

/// The sample of each type.
fn sample(kind: It) -> Sample {
    const GROUP: Pairs = &[("DBSubnetGroupName", "default")];
    match kind {
        It::Aurora => copied("rds@cluster:orders", GROUP),
        It::AuroraDsql => copied("dsql@cluster/abcdef", &[]),
        It::CloudFormation => {
            with(&[("ChangeSetName", "back")], copied("cloudformation@stack/web/7a0c", &[]))
        }
        It::DocumentDb => copied("rds@cluster:papers", GROUP),
        It::DynamoDb => copied("dynamodb@table/carts", &[]),
        It::Ebs => copied("ec2@volume/vol-1", &[]),
        It::Ec2 => copied(
            "ec2@instance/i-1",
            &[("SubnetId", "subnet-new"), ("SecurityGroupIds", "[\"sg-new\"]")],
        ),
        It::Efs => copied("elasticfilesystem@file-system/fs-1", &[]),
        It::Eks => copied(
            "eks@cluster/prod",
            &[
                (
                    "clusterVpcConfig",
                    "{\"subnetIds\":[\"subnet-new\"],\"securityGroupIds\":[\"sg-new\"]}",
                ),
                ("clusterRole", "arn:aws:iam::444455556666:role/eks"),
            ],
        ),
        It::FsxFileSystem => copied("fsx@file-system/fs-2", &[("SubnetIds", "[\"subnet-new\"]")]),
        It::FsxVolume => in_place("fsx@volume/fs-3/fsvol-1"),
        It::Neptune => copied("rds@cluster:graph", GROUP),
        It::Rds => copied("rds@db:ledger", GROUP),
        It::RdsCluster => with(
            &[("DBClusterInstanceClass", "db.m6gd.large"), ("StorageType", "gp3")],
            in_place("rds@cluster:spread"),
        ),
        It::Redshift => in_place("redshift@cluster:facts"),
        It::RedshiftServerless => Sample {
            resource: "redshift-serverless@namespace/5b1e",
            set: &[],
            way: Way::Replacing("redshift-serverless@namespace/facts", "facts"),
        },
        // The name of a bucket is one of all accounts.
        It::S3 => copied("s3:::reports", &[("DestinationBucketName", "reports-elsewhere")]),
        It::SapHana => Sample { resource: "ssm-sap@HANA/erp", set: &[], way: Way::ByHand },
        It::StorageGateway => with(
            &[("availabilityZone", "eu-west-1a")],
            copied("storagegateway@gateway/sgw-1/volume/vol-2", &[]),
        ),
        It::Timestream => with(
            &[
                ("MemoryStoreRetentionPeriodInHours", "24"),
                ("MagneticStoreRetentionPeriodInDays", "365"),
            ],
            copied("timestream@database/metrics/table/cpu", &[("DestinationDatabase", "archive")]),
        ),
        It::VirtualMachine => {
            with(&[("RestoreTo", "EC2Instance")], copied("backup-gateway@vm/vm-1", &[]))
        }
    }
}

/// The type of what is made of this one.
fn made_as(kind: It) -> &'static str {
    if kind == It::StorageGateway {
        It::Ebs.name()
    } else if kind == It::VirtualMachine {
        It::Ec2.name()
    } else {
        kind.name()
    }
}

/// Returns `true` if the command looks at what it restored of this type, and does not only say what to look at.
fn has_look(kind: It) -> bool {
    let without = [
        It::AuroraDsql,
        It::CloudFormation,
        It::Eks,
        It::Redshift,
        It::RedshiftServerless,
        It::Timestream,
    ];
    !without.contains(&kind)
}

/// An organization in which an account has one of every type, backed up and copied.
async fn one_of_each() -> World {
    let world = World::start().await;
    // Regions have most types, and here this one has all.
    let names: BTreeSet<_> = It::ALL.iter().map(|it| it.name()).collect();
    let on: BTreeMap<_, _> = names.iter().map(|it| ((*it).to_owned(), true)).collect();
    let management = world.organization.organization(|it| it.management_account.clone());
    world.organization.backup(|it| {
        it.set_supported_resource_types(REGION, &names.into_iter().collect::<Vec<_>>());
        for account in [&management, &world.lost, &world.central, &world.new] {
            it.update_region_settings(account, REGION, &on, &[].into()).unwrap();
        }
    });
    for part in PARTS {
        world.organization.put_part(&world.new, REGION, part);
    }
    world.organization.put_part(&world.lost, REGION, "metrics");
    world.night(&It::ALL.map(|it| (it.name(), sample(it).resource)));
    world
}

impl World {
    /// Restores a recovery point, and returns the ARN of what was made.
    async fn restored(&self, kind: It, point: &Value, more: &[&str]) -> Result<String, String> {
        let point = point["recoveryPoint"].as_str().unwrap();
        let run = self.run(&[&["restore", point, "--yes", "--json"], more].concat()).await;
        let said = format!("{kind:?}, {more:?}: {}\n{}", run.text, run.notes);
        let ending =
            serde_json::Deserializer::from_str(&run.printed[0]).into_iter::<Value>().last();
        let ending = ending.ok_or(&said)?.map_err(|it| format!("{it}: {said}"))?;
        let made = ending["ending"]["made"].as_str().ok_or(&said)?;
        let all = self.organization.resources();
        let is_there = all.iter().any(|it| it.arn == made && it.kind == made_as(kind));
        let is_said = run.printed[0].contains(&format!("there is no check for {}", kind.name()));
        if run.code == 0 && is_there && is_said != has_look(kind) {
            Ok(made.to_owned())
        } else {
            Err(said)
        }
    }

    /// Tries to restore a recovery point, which is refused for this reason.
    async fn refused(&self, kind: It, point: &Value, why: &str) -> Result<(), String> {
        let tried = self.restored(kind, point, &["--account", &self.lost]).await;
        let is_told = tried.as_ref().is_err_and(|it| it.contains(why));
        if is_told { Ok(()) } else { Err(format!("{tried:?}")) }
    }

    /// Restores what was backed up of a type, from its own vault and from the copy.
    async fn comes_back(&self, kind: It) -> Result<(), String> {
        let Sample { resource, set, way } = sample(kind);
        let arn = self.arn(resource);
        let points = self.points(&arn).await;
        let held = |account: &str| points.iter().find(|it| it["account"] == account);
        let own = held(&self.lost).ok_or_else(|| format!("{kind:?} is not backed up"))?;
        let copy = held(&self.central);
        // The ARN of a snapshot or of an image does not name the account that it was in.
        let here = ["--account", &self.lost];
        let (settings, overwrite) = match way {
            Way::InPlace | Way::Replacing(..) if copy.is_some() => {
                return Err(format!("{kind:?} is copied"));
            }
            Way::ByHand => {
                let why = kind.by_hand().ok_or_else(|| format!("{kind:?} is restored"))?;
                return self.refused(kind, own, why).await;
            }
            Way::InPlace => (None, vec![]),
            Way::Copied(settings) => (Some(settings), vec![]),
            Way::Replacing(target, name) => {
                self.refused(kind, own, "replaces all that is in it").await?;
                let arn = self.arn(target);
                let there = backed_up(&arn, kind.name(), &self.lost, REGION, None);
                self.organization.put_resource(there);
                (None, vec!["--overwrite", name])
            }
        };
        let text =
            |all: Pairs| -> Vec<_> { all.iter().map(|(key, it)| format!("{key}={it}")).collect() };
        let (set, own_set) = (text(set), text(settings.unwrap_or_default()));
        let always = set.iter().flat_map(|it| ["--set", it]).chain(overwrite.iter().copied());
        let always: Vec<_> = always.collect();
        let made = self.restored(kind, own, &[&here[..], &always].concat()).await?;
        if made == arn {
            return Err(format!("{kind:?} is restored over what is there"));
        }
        if settings.is_none() {
            return Ok(());
        }
        let copy = copy.ok_or_else(|| format!("{kind:?} is not copied"))?;
        let vault = self.copies();
        let there = ["--account", &self.new, "--from", &vault];
        let more = own_set.iter().flat_map(|it| ["--set", it]);
        let there: Vec<_> = there.into_iter().chain(always).chain(more).collect();
        self.restored(kind, copy, &there).await.map(drop)
    }
}

#[tokio::test]
async fn every_type_is_restored_from_its_own_vault_and_from_the_central_copy() {
    let world = &one_of_each().await;
    let all = It::ALL.into_iter().map(|kind| world.comes_back(kind));
    let all: Vec<_> = stream::iter(all).buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<_> = all.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn an_account_with_one_of_every_type_is_recovered_from_its_copies() {
    let world = one_of_each().await;
    world.organization.lose_account(&world.lost);
    let mut settings = Vec::new();
    for kind in It::ALL {
        let Sample { set, way, .. } = sample(kind);
        if let Way::Copied(own) = way {
            let all = set.iter().chain(own);
            settings.extend(all.map(|(key, it)| format!("{}.{key}={it}", kind.name())));
        }
    }
    let set = settings.iter().flat_map(|it| ["--set", it]);
    let more: Vec<_> = ["--yes", "--json"].into_iter().chain(set).collect();
    let run = world.recover(&more).await;
    assert_eq!(run.code, 1, "one is restored by hand: {}\n{}", run.text, run.notes);
    let endings = endings(&run);
    let mut restored = Vec::new();
    for kind in It::ALL {
        let Sample { resource, way, .. } = sample(kind);
        let arn = world.arn(resource);
        let ending = endings.iter().find(|it| it.0 == arn).map(|it| &it.1);
        match way {
            Way::Copied(_) => {
                assert_eq!(ending.unwrap()["state"], "restored", "{kind:?}: {ending:?}");
                restored.push(made_as(kind));
            }
            Way::ByHand => assert_eq!(ending, Some(&Value::Null), "{kind:?}"),
            Way::InPlace | Way::Replacing(..) => assert_eq!(ending, None, "{kind:?} has no copy"),
        }
    }
    restored.sort_unstable();
    assert_eq!(world.came_back(), restored);
}
