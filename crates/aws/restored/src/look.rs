//! Reads the facts about a restored resource once.

use plan::restore_validation::{
    BackedUp, Engine, Facts, Outlook, Resource, Restored, Stateful, asked_size, sample,
};

use crate::Services;
use crate::error::{Error, ErrorKind};
use crate::operations::{self, Operation};

impl Services {
    /// Reads the facts about the resource that the restore job `job` restored.
    ///
    /// # Errors
    ///
    /// Returns an error if the facts cannot be read. A resource that does not exist is a fact and
    /// not an error.
    pub async fn look(&self, job: &str, restored: &Restored) -> Result<Facts, Error> {
        let from = restored.from.as_ref();
        let seen = match &restored.resource {
            Resource::Instance(id) => self.instance(id, from).await,
            Resource::Volume(id) => {
                let asked = asked_size(&self.metadata(job).await?);
                self.volume(id, from, asked).await
            }
            Resource::Database(id) => self.database(id, from).await,
            Resource::Cluster(id) => self.cluster(id, from).await,
            Resource::Table(name) => self.table(name, from).await,
            Resource::Bucket(name) => {
                let metadata = self.metadata(job).await?;
                self.objects(&sample(name, &metadata), &restored.owner).await
            }
            Resource::FileSystem(id) => {
                let action = format!("look at the file system {id}");
                self.ask(operations::file_system(id), action).await
            }
            Resource::FsxFileSystem(id) => {
                let action = format!("look at the file system {id}");
                self.fsx(operations::fsx_file_system(id), action, from).await
            }
            Resource::FsxVolume(id) => {
                let action = format!("look at the volume {id}");
                self.fsx(operations::fsx_volume(id), action, from).await
            }
        };
        match seen {
            Err(error) if error.kind() == ErrorKind::Missing => Ok(Facts::Missing),
            seen => seen,
        }
    }

    async fn instance(&self, id: &str, from: Option<&BackedUp>) -> Result<Facts, Error> {
        let action = format!("look at the instance {id}");
        let (state, checks) = self.ask(operations::instance_status(id), action).await?;
        if Stateful::Instance.outlook(&state) != Outlook::Usable {
            return Ok(Facts::Instance { state, checks, disks: Vec::new(), source: None });
        }
        let action = format!("look at the volumes of the instance {id}");
        let disks = self.ask(operations::attached(id), action).await?;
        let source = match from {
            Some(BackedUp::Image(image)) => {
                let action = format!("look at the image {image}");
                self.ask_for(operations::image(image), action).await?
            }
            _ => None,
        };
        Ok(Facts::Instance { state, checks, disks, source })
    }

    async fn volume(
        &self,
        id: &str,
        from: Option<&BackedUp>,
        asked: Option<i32>,
    ) -> Result<Facts, Error> {
        let action = format!("look at the volume {id}");
        let volume = self.ask(operations::volume(id), action).await?;
        let own = match from {
            Some(BackedUp::Snapshot(snapshot)) => Some(snapshot),
            _ => volume.snapshot.as_ref(),
        };
        let source = match own {
            Some(snapshot) => {
                let action = format!("look at the snapshot {snapshot}");
                self.ask_for(operations::snapshot_size(snapshot), action).await?
            }
            None => None,
        };
        Ok(Facts::Volume { state: volume.state, size: volume.size, source, asked })
    }

    async fn database(&self, id: &str, from: Option<&BackedUp>) -> Result<Facts, Error> {
        let action = format!("look at the database {id}");
        let database = self.ask(operations::database(id), action).await?;
        let is_usable = Stateful::Database.outlook(&database.status) == Outlook::Usable;
        let source = if is_usable { self.engine(from).await? } else { None };
        Ok(Facts::Database { database, source })
    }

    async fn cluster(&self, id: &str, from: Option<&BackedUp>) -> Result<Facts, Error> {
        let action = format!("look at the cluster {id}");
        let operations::Cluster { database, is_serverless, members: names } =
            self.ask(operations::cluster(id), action).await?;
        let mut members = Vec::new();
        if Stateful::Cluster.outlook(&database.status) != Outlook::Usable {
            return Ok(Facts::Cluster { database, is_serverless, members, source: None });
        }
        for name in names {
            let action = format!("look at the instance {name} of the cluster {id}");
            let member = self.ask_for(operations::database(&name), action).await?;
            members.extend(member.map(|it| (name, it)));
        }
        let source = self.engine(from).await?;
        Ok(Facts::Cluster { database, is_serverless, members, source })
    }

    /// Returns the engine of a database or a cluster when it was backed up, if its snapshot is
    /// here.
    async fn engine(&self, from: Option<&BackedUp>) -> Result<Option<Engine>, Error> {
        let (operation, id) = match from {
            Some(BackedUp::DatabaseSnapshot(id)) => (operations::database_snapshot(id), id),
            Some(BackedUp::ClusterSnapshot(id)) => (operations::cluster_snapshot(id), id),
            _ => return Ok(None),
        };
        self.ask_for(operation, format!("look at the snapshot {id}")).await
    }

    async fn table(&self, name: &str, from: Option<&BackedUp>) -> Result<Facts, Error> {
        let action = format!("look at the table {name}");
        let operations::Table { status, indexes, counted } =
            self.ask(operations::table(name), action).await?;
        if Stateful::Table.outlook(&status) != Outlook::Usable {
            return Ok(Facts::Table { status, indexes, counted, has_items: false, source: None });
        }
        // The count is up to six hours old, so a restored table may be younger than its count.
        let has_items = counted > 0 || self.has_items(name).await?;
        let source = match from {
            Some(BackedUp::TableBackup(arn)) => {
                let action = format!("look at the backup of the table {name}");
                self.ask_for(operations::table_backup(arn), action).await?
            }
            _ => None,
        };
        Ok(Facts::Table { status, indexes, counted, has_items, source })
    }

    /// Returns `true` if the first page of a table has an item.
    async fn has_items(&self, name: &str) -> Result<bool, Error> {
        self.ask(operations::has_items(name), format!("count items of the table {name}")).await
    }

    async fn fsx(
        &self,
        operation: Operation<operations::Capacity>,
        action: String,
        from: Option<&BackedUp>,
    ) -> Result<Facts, Error> {
        let operations::Capacity { state, size } = self.ask(operation, action).await?;
        let source = match from {
            Some(BackedUp::FsxBackup(id)) => {
                let action = format!("look at the backup {id}");
                self.ask_for(operations::fsx_backup_size(id), action).await?.flatten()
            }
            _ => None,
        };
        Ok(Facts::Fsx { state, size, source })
    }
}
