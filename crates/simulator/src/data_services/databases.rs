//! Databases and database clusters, whose instances are created and deleted.

use std::collections::BTreeMap;

/// The number of times that a new instance is described as being created before it is available.
const MADE: u8 = 0;

/// The number of times that a deleted instance is described as being deleted before it is gone.
const DELETED: u8 = 1;

/// The version of every engine.
const VERSION: &str = "16.4";

/// The engine of every cluster.
const ENGINE: &str = "aurora-postgresql";

/// Every database, cluster and snapshot, by name.
#[derive(Debug, Default)]
pub(super) struct Databases {
    instances: BTreeMap<String, Launched>,
    clusters: BTreeMap<String, String>,
    snapshots: BTreeMap<String, (String, u32)>,
}

/// An instance.
#[derive(Debug)]
struct Launched {
    status: String,
    engine: String,
    storage: u32,
    cluster: Option<String>,
    tags: BTreeMap<String, String>,
    /// The number of times that it is still described in its present status, while it is being
    /// created or deleted.
    looks: Option<u8>,
}

/// An answer.
pub(super) enum Answered {
    Said(String),
    Refused(&'static str),
}

/// Returns the tags in the fields of a form.
pub(super) fn tags(fields: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let pair = |(name, key): (&String, &String)| {
        let place = name.strip_prefix("Tags.Tag.")?.strip_suffix(".Key")?;
        Some((key.clone(), fields.get(&format!("Tags.Tag.{place}.Value"))?.clone()))
    };
    fields.iter().filter_map(pair).collect()
}

/// Returns the description of an available database.
pub(super) fn available(id: &str) -> String {
    result("DescribeDBInstances", &instances(id, "available", "postgres", 20))
}

/// Returns the description of an available cluster, with an instance that has its name.
pub(super) fn available_cluster(id: &str) -> String {
    result("DescribeDBClusters", &clusters(id, "available", &member(id)))
}

fn instances(id: &str, status: &str, engine: &str, storage: u32) -> String {
    format!(
        "<DBInstances><DBInstance><DBInstanceIdentifier>{id}</DBInstanceIdentifier>\
         <DBInstanceStatus>{status}</DBInstanceStatus>\
         <Endpoint><Address>{id}.database</Address></Endpoint>{}</DBInstance></DBInstances>",
        runs(engine, storage)
    )
}

fn clusters(id: &str, status: &str, members: &str) -> String {
    format!(
        "<DBClusters><DBCluster><DBClusterIdentifier>{id}</DBClusterIdentifier>\
         <Status>{status}</Status><Endpoint>{id}.cluster</Endpoint>{}\
         <EngineMode>provisioned</EngineMode><DBClusterMembers>{members}</DBClusterMembers>\
         </DBCluster></DBClusters>",
        runs(ENGINE, 1)
    )
}

fn member(name: &str) -> String {
    let id = format!("<DBInstanceIdentifier>{name}</DBInstanceIdentifier>");
    format!("<DBClusterMember>{id}</DBClusterMember>")
}

impl Databases {
    pub(super) fn put(&mut self, id: &str, status: &str, engine: &str, storage: u32) {
        let made = Launched {
            status: status.to_owned(),
            engine: engine.to_owned(),
            storage,
            cluster: None,
            tags: BTreeMap::new(),
            looks: None,
        };
        self.instances.insert(id.to_owned(), made);
    }

    pub(super) fn put_cluster(&mut self, id: &str, status: &str, members: &[(&str, &str)]) {
        self.clusters.insert(id.to_owned(), status.to_owned());
        self.instances.retain(|_, it| it.cluster.as_deref() != Some(id));
        for (name, status) in members {
            self.put(name, status, ENGINE, 1);
            if let Some(made) = self.instances.get_mut(*name) {
                made.cluster = Some(id.to_owned());
            }
        }
    }

    pub(super) fn put_snapshot(&mut self, id: &str, engine: &str, storage: u32) {
        self.snapshots.insert(id.to_owned(), (engine.to_owned(), storage));
    }

    pub(super) fn members(&self, cluster: &str) -> Vec<String> {
        let of = self.instances.iter().filter(|it| it.1.cluster.as_deref() == Some(cluster));
        let there = of.filter(|it| it.1.status != "deleting");
        there.map(|it| it.0.clone()).collect()
    }

    /// Returns the key that encrypts a cluster.
    pub(super) fn key_of(&self, cluster: &str) -> Option<String> {
        let key = "arn:aws:kms:us-east-1:111122223333:key/5c1f4a80-databases";
        self.clusters.contains_key(cluster).then(|| key.to_owned())
    }

    pub(super) fn tags_of(&self, instance: &str) -> BTreeMap<String, String> {
        self.instances.get(instance).map(|it| it.tags.clone()).unwrap_or_default()
    }

    /// Answers `action` about `subject`.
    pub(super) fn answer(
        &mut self,
        action: &str,
        subject: &str,
        fields: &BTreeMap<String, String>,
    ) -> Answered {
        let said = match action {
            "rds:DescribeDBInstances" => return self.describe(subject),
            "rds:DescribeDBClusters" => {
                let Some(status) = self.clusters.get(subject) else {
                    return Answered::Refused("DBClusterNotFoundFault");
                };
                let of = self.instances.iter();
                let of = of.filter(|it| it.1.cluster.as_deref() == Some(subject));
                let members: String = of.map(|it| member(it.0)).collect();
                result("DescribeDBClusters", &clusters(subject, status, &members))
            }
            "rds:DescribeDBSnapshots" | "rds:DescribeDBClusterSnapshots" => {
                let of_cluster = action.ends_with("DBClusterSnapshots");
                let Some((engine, storage)) = self.snapshots.get(subject) else {
                    let code = if of_cluster {
                        "DBClusterSnapshotNotFoundFault"
                    } else {
                        "DBSnapshotNotFound"
                    };
                    return Answered::Refused(code);
                };
                let kind = if of_cluster { "DBClusterSnapshot" } else { "DBSnapshot" };
                let snapshot = format!("<{kind}>{}</{kind}>", runs(engine, *storage));
                let operation = format!("Describe{kind}s");
                result(&operation, &format!("<{kind}s>{snapshot}</{kind}s>"))
            }
            "rds:CreateDBInstance" => return self.create(subject, fields),
            _ => return self.delete(subject),
        };
        Answered::Said(said)
    }

    fn describe(&mut self, id: &str) -> Answered {
        let is_over = |it: &Launched| it.status == "deleting" && it.looks == Some(0);
        self.instances.retain(|name, it| name != id || !is_over(it));
        let Some(made) = self.instances.get_mut(id) else {
            return Answered::Refused("DBInstanceNotFound");
        };
        let Launched { status, engine, storage, looks, .. } = made;
        match looks {
            Some(0) => {
                "available".clone_into(status);
                *looks = None;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let instances = instances(id, status, engine, *storage);
        Answered::Said(result("DescribeDBInstances", &instances))
    }

    fn create(&mut self, id: &str, fields: &BTreeMap<String, String>) -> Answered {
        if self.instances.contains_key(id) {
            return Answered::Refused("DBInstanceAlreadyExists");
        }
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let cluster = field("DBClusterIdentifier");
        if !self.clusters.contains_key(&cluster) {
            return Answered::Refused("DBClusterNotFoundFault");
        }
        let made = Launched {
            status: "creating".to_owned(),
            engine: field("Engine"),
            storage: 1,
            cluster: Some(cluster),
            tags: tags(fields),
            looks: Some(MADE),
        };
        self.instances.insert(id.to_owned(), made);
        Answered::Said(result("CreateDBInstance", ""))
    }

    fn delete(&mut self, id: &str) -> Answered {
        let Some(made) = self.instances.get_mut(id) else {
            return Answered::Refused("DBInstanceNotFound");
        };
        if made.status == "deleting" {
            return Answered::Refused("InvalidDBInstanceState");
        }
        "deleting".clone_into(&mut made.status);
        made.looks = Some(DELETED);
        Answered::Said(result("DeleteDBInstance", ""))
    }
}

fn runs(engine: &str, storage: u32) -> String {
    format!(
        "<Engine>{engine}</Engine><EngineVersion>{VERSION}</EngineVersion>\
         <AllocatedStorage>{storage}</AllocatedStorage>"
    )
}

fn result(operation: &str, content: &str) -> String {
    format!(
        "<{operation}Response><{operation}Result>{content}</{operation}Result>\
         </{operation}Response>"
    )
}
