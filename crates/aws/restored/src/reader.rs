//! The instance through which a restored cluster can be used while it is checked.

use plan::restore_validation::Reader;

use crate::Services;
use crate::error::Error;
use crate::operations;

/// The error codes of RDS for a name that is in use. It may be in use by the same instance, from an
/// earlier check.
const TAKEN: [&str; 2] = ["DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault"];

/// The error codes of RDS for an instance that is already being deleted, or cannot be deleted yet.
const STATE: [&str; 2] = ["InvalidDBInstanceState", "InvalidDBInstanceStateFault"];

impl Services {
    /// Gives a cluster an instance. Returns `true` if the instance was created, and `false` if one
    /// with its name exists.
    ///
    /// # Errors
    ///
    /// Returns an error if RDS does not confirm the creation. If its answer was lost, the instance
    /// may exist. [`Services::delete_reader`] deletes it.
    pub async fn make_reader(&self, reader: &Reader) -> Result<bool, Error> {
        let Reader { name, cluster, .. } = reader;
        let action = format!("make the instance {name} of the cluster {cluster}");
        match self.ask(operations::make_instance(reader), action).await {
            Ok(()) => Ok(true),
            Err(error) if error.code().is_some_and(|it| TAKEN.contains(&it)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes the instance with this name, and returns `true` if there is one. The instance leaves
    /// its cluster minutes later. An instance that is already being deleted counts as none.
    ///
    /// # Errors
    ///
    /// Returns an error if RDS does not delete it. The instance stays, and AWS Backup cannot delete
    /// its cluster.
    pub async fn delete_reader(&self, name: &str) -> Result<bool, Error> {
        // The role may delete only instances with the tag of a test. An instance that does not
        // exist has no tags, so the deletion would be denied.
        let look = format!("look for the instance {name}");
        let instance = self.ask_for(operations::database(name), look).await?;
        if instance.is_none_or(|it| it.status == "deleting") {
            return Ok(false);
        }
        let action = format!("delete the instance {name}, which was made for the test");
        match self.ask_for(operations::delete_instance(name), action).await {
            Ok(deleted) => Ok(deleted.is_some()),
            Err(error) if error.code().is_some_and(|it| STATE.contains(&it)) => {
                // The first request may have been carried out, even if its answer was lost.
                let look = format!("look for the instance {name}");
                let instance = self.ask_for(operations::database(name), look).await?;
                let is_going = instance.is_none_or(|it| it.status == "deleting");
                if is_going { Ok(true) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }
}
