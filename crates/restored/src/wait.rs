//! Waiting for what was restored to settle, as the SDK of each service does.

use std::time::Duration;

use aws_sdk_dynamodb::client::Waiters as _;
use aws_sdk_ec2::client::Waiters as _;
use aws_sdk_rds::client::Waiters as _;
use aws_smithy_runtime_api::client::waiters::error::WaiterError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use plan::restore_validation::Resource;
use tokio::time::{Instant, interval_at, timeout_at};

use crate::Services;
use crate::error::{Error, Kind};

/// How often a file system is looked at, for which there is no waiter.
const PACE: Duration = Duration::from_secs(15);

impl Services {
    /// Waits for `resource` to be what it is good for, until `until`. Returns whether waiting on may
    /// help; where it does not, a last look says how things are.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at.
    pub async fn wait(&self, resource: &Resource, until: Instant) -> Result<bool, Error> {
        let waited = timeout_at(until, self.settle(resource, until)).await;
        waited.unwrap_or(Ok(false))
    }

    async fn settle(&self, resource: &Resource, until: Instant) -> Result<bool, Error> {
        let left = || until.saturating_duration_since(Instant::now());
        match resource {
            Resource::Instance(id) => {
                let client = aws_sdk_ec2::Client::new(&self.config);
                let running = client.wait_until_instance_running().instance_ids(id).wait(left());
                let needed = "ec2:DescribeInstances";
                let is_running = settled(resource, needed, running.await)?;
                let needed = "ec2:DescribeInstanceStatus";
                let checked = client.wait_until_instance_status_ok().instance_ids(id);
                let is_checked =
                    is_running && settled(resource, needed, checked.wait(left()).await)?;
                let checked = client.wait_until_system_status_ok().instance_ids(id);
                Ok(is_checked && settled(resource, needed, checked.wait(left()).await)?)
            }
            Resource::Volume { id, .. } => {
                let client = aws_sdk_ec2::Client::new(&self.config);
                let available = client.wait_until_volume_available().volume_ids(id).wait(left());
                settled(resource, "ec2:DescribeVolumes", available.await)
            }
            Resource::Database(id) => {
                let client = aws_sdk_rds::Client::new(&self.config);
                let available = client.wait_until_db_instance_available();
                let available = available.db_instance_identifier(id).wait(left()).await;
                settled(resource, "rds:DescribeDBInstances", available)
            }
            Resource::Cluster(id) => {
                let client = aws_sdk_rds::Client::new(&self.config);
                let available = client.wait_until_db_cluster_available();
                let available = available.db_cluster_identifier(id).wait(left()).await;
                settled(resource, "rds:DescribeDBClusters", available)
            }
            Resource::Table(name) => {
                let client = aws_sdk_dynamodb::Client::new(&self.config);
                let active = client.wait_until_table_exists().table_name(name).wait(left());
                settled(resource, "dynamodb:DescribeTable", active.await)
            }
            // Their SDKs have no waiters, and what is waited for is seen at the next look.
            Resource::Bucket(_) | Resource::FileSystem(_) | Resource::FsxFileSystem(_) => {
                interval_at(Instant::now() + PACE, PACE).tick().await;
                Ok(true)
            }
        }
    }
}

/// Whether what was waited for came about.
fn settled<T, O, E>(
    resource: &Resource,
    permission: &'static str,
    waited: Result<T, WaiterError<O, E>>,
) -> Result<bool, Error>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match waited {
        Ok(_) => Ok(true),
        Err(WaiterError::OperationFailed(failed)) => {
            let action = format!("wait for the {resource}");
            let error = Error::of_call(action, permission, failed.into_error());
            if error.kind() == Kind::Missing { Ok(false) } else { Err(error) }
        }
        // Out of time, or in a state that cannot become another.
        Err(_) => Ok(false),
    }
}
