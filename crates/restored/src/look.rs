//! One look at what was restored.

use aws_sdk_dynamodb::types::{Select, TableStatus};
use aws_sdk_s3::types::Object;
use plan::restore_validation::{Facts, Resource, Sample, is_lost, sample};
use tokio::time::timeout_at;

use crate::Services;
use crate::error::{Error, Kind};

/// How many objects of a bucket are listed, under each path that was restored, and read.
const OBJECTS: i32 = 10;

/// How much of an object is read: enough to have it found, decrypted and sent.
const BYTES: &str = "bytes=0-1023";

/// How many items of a table are looked for. One would do, but a page of none can have a next one.
const ITEMS: i32 = 100;

impl Services {
    /// Looks at `resource`, which the restore job `job` made.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at. That there is none is no error.
    pub async fn look(&self, job: &str, resource: &Resource) -> Result<Facts, Error> {
        let seen = match resource {
            Resource::Instance(id) => self.instance(id).await,
            Resource::Volume { id, snapshot } => self.volume(id, snapshot.as_deref()).await,
            Resource::Database(id) => self.database(id).await,
            Resource::Cluster(id) => self.cluster(id).await,
            Resource::Table(name) => self.table(name).await,
            Resource::Bucket(name) => {
                let metadata = self.metadata(job).await?;
                self.objects(&sample(name, &metadata)).await
            }
            Resource::FileSystem(id) => self.file_system(id).await,
            Resource::FsxFileSystem(id) => self.fsx_file_system(id).await,
        };
        match seen {
            Ok(facts) => Ok(facts.unwrap_or(Facts::Missing)),
            Err(error) if error.kind() == Kind::Missing => Ok(Facts::Missing),
            Err(error) => Err(error),
        }
    }

    async fn instance(&self, id: &str) -> Result<Option<Facts>, Error> {
        let client = aws_sdk_ec2::Client::new(&self.config);
        // Of an instance that does not run, AWS tells only when asked for all.
        let describe = client.describe_instance_status().instance_ids(id);
        let describe = describe.include_all_instances(true).send();
        let action = format!("look at the instance {id}");
        let found = self.call("ec2:DescribeInstanceStatus", action, describe).await?;
        let found = found.instance_statuses.unwrap_or_default().into_iter().next();
        Ok(found.map(|it| {
            let state = it.instance_state.and_then(|it| it.name);
            let status = |it: Option<aws_sdk_ec2::types::InstanceStatusSummary>| {
                let status = it.and_then(|it| it.status);
                status.map_or_else(|| "unknown".to_owned(), |it| it.as_str().to_owned())
            };
            Facts::Instance {
                state: state.map(|it| it.as_str().to_owned()).unwrap_or_default(),
                system: status(it.system_status),
                instance: status(it.instance_status),
            }
        }))
    }

    async fn volume(&self, id: &str, snapshot: Option<&str>) -> Result<Option<Facts>, Error> {
        let client = aws_sdk_ec2::Client::new(&self.config);
        let describe = client.describe_volumes().volume_ids(id).send();
        let action = format!("look at the volume {id}");
        let found = self.call("ec2:DescribeVolumes", action, describe).await?;
        let Some(volume) = found.volumes.unwrap_or_default().into_iter().next() else {
            return Ok(None);
        };
        let own = volume.snapshot_id.as_deref().filter(|it| !it.is_empty());
        let source = match snapshot.or(own) {
            Some(snapshot) => self.snapshot(&client, snapshot).await?,
            None => None,
        };
        let state = volume.state.map(|it| it.as_str().to_owned()).unwrap_or_default();
        Ok(Some(Facts::Volume { state, size: volume.size, source }))
    }

    /// The size of the volume that a snapshot was made of, if there is such a snapshot here.
    async fn snapshot(&self, client: &aws_sdk_ec2::Client, id: &str) -> Result<Option<i32>, Error> {
        let describe = client.describe_snapshots().snapshot_ids(id).send();
        let action = format!("look at the snapshot {id}");
        match self.call("ec2:DescribeSnapshots", action, describe).await {
            Ok(found) => {
                Ok(found.snapshots.unwrap_or_default().first().and_then(|it| it.volume_size))
            }
            Err(error) if error.kind() == Kind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn database(&self, id: &str) -> Result<Option<Facts>, Error> {
        let client = aws_sdk_rds::Client::new(&self.config);
        let describe = client.describe_db_instances().db_instance_identifier(id).send();
        let action = format!("look at the database {id}");
        let found = self.call("rds:DescribeDBInstances", action, describe).await?;
        let found = found.db_instances.unwrap_or_default().into_iter().next();
        Ok(found.map(|it| Facts::Status(it.db_instance_status.unwrap_or_default())))
    }

    async fn cluster(&self, id: &str) -> Result<Option<Facts>, Error> {
        let client = aws_sdk_rds::Client::new(&self.config);
        let describe = client.describe_db_clusters().db_cluster_identifier(id).send();
        let action = format!("look at the cluster {id}");
        let found = self.call("rds:DescribeDBClusters", action, describe).await?;
        let found = found.db_clusters.unwrap_or_default().into_iter().next();
        Ok(found.map(|it| Facts::Status(it.status.unwrap_or_default())))
    }

    async fn table(&self, name: &str) -> Result<Option<Facts>, Error> {
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        let describe = client.describe_table().table_name(name).send();
        let action = format!("look at the table {name}");
        let found = self.call("dynamodb:DescribeTable", action, describe).await?;
        let Some(table) = found.table else { return Ok(None) };
        let is_active = table.table_status == Some(TableStatus::Active);
        let counted = table.item_count.unwrap_or_default() > 0;
        // The count is up to six hours old, which is older than the table.
        let has_items = counted || (is_active && self.has_items(&client, name).await?);
        let status = table.table_status.map(|it| it.as_str().to_owned()).unwrap_or_default();
        Ok(Some(Facts::Table { status, has_items }))
    }

    /// Whether the first page of a table has an item.
    async fn has_items(
        &self,
        client: &aws_sdk_dynamodb::Client,
        name: &str,
    ) -> Result<bool, Error> {
        let scan = client.scan().table_name(name).select(Select::Count).limit(ITEMS).send();
        let page = self.call("dynamodb:Scan", format!("count items of the table {name}"), scan);
        let page = page.await?;
        // Where the page ends is an item as well.
        Ok(page.count > 0 || page.last_evaluated_key.is_some_and(|it| !it.is_empty()))
    }

    async fn objects(&self, sample: &Sample) -> Result<Option<Facts>, Error> {
        let client = aws_sdk_s3::Client::new(&self.config);
        let bucket = &sample.bucket;
        let mut objects = Vec::new();
        for prefix in &sample.prefixes {
            let list = client.list_objects_v2().bucket(bucket).prefix(prefix).max_keys(OBJECTS);
            let action = format!("list the objects of the bucket {bucket}");
            let page = self.call("s3:ListBucket", action, list.send()).await?;
            objects.extend(page.contents.unwrap_or_default());
        }
        let mut read = 0;
        for object in &objects {
            let key = object.key.as_deref().unwrap_or_default();
            match self.object(&client, bucket, key, object).await {
                Ok(()) => read += 1,
                Err(error) if error.code().is_some_and(is_lost) => {
                    let why = error.code().unwrap_or_default().to_owned();
                    let unreadable = Some((key.to_owned(), why));
                    return Ok(Some(Facts::Objects { listed: objects.len(), read, unreadable }));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(Facts::Objects { listed: objects.len(), read, unreadable: None }))
    }

    /// Reads the beginning of an object.
    async fn object(
        &self,
        client: &aws_sdk_s3::Client,
        bucket: &str,
        key: &str,
        object: &Object,
    ) -> Result<(), Error> {
        // Nothing is no range.
        let range = object.size.is_some_and(|it| it > 0).then(|| BYTES.to_owned());
        let get = client.get_object().bucket(bucket).key(key).set_range(range).send();
        let action = || format!("read the object {key} of the bucket {bucket}");
        let body = self.call("s3:GetObject", action(), get).await?.body;
        match timeout_at(self.until, body.collect()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Error::broken(action(), error)),
            Err(_) => Err(Error::out_of_time(action())),
        }
    }

    async fn file_system(&self, id: &str) -> Result<Option<Facts>, Error> {
        let client = aws_sdk_efs::Client::new(&self.config);
        let describe = client.describe_file_systems().file_system_id(id).send();
        let action = format!("look at the file system {id}");
        let found = self.call("elasticfilesystem:DescribeFileSystems", action, describe).await?;
        let found = found.file_systems.unwrap_or_default().into_iter().next();
        Ok(found.map(|it| Facts::Status(it.life_cycle_state.as_str().to_owned())))
    }

    async fn fsx_file_system(&self, id: &str) -> Result<Option<Facts>, Error> {
        let client = aws_sdk_fsx::Client::new(&self.config);
        let describe = client.describe_file_systems().file_system_ids(id).send();
        let action = format!("look at the file system {id}");
        let found = self.call("fsx:DescribeFileSystems", action, describe).await?;
        let found = found.file_systems.unwrap_or_default().into_iter().next();
        let status = |it: aws_sdk_fsx::types::FileSystem| it.lifecycle;
        Ok(found.map(|it| {
            Facts::Status(status(it).map(|it| it.as_str().to_owned()).unwrap_or_default())
        }))
    }
}
