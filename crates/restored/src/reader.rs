//! The instance through which a restored cluster can be used while it is looked at.

use plan::restore_validation::Reader;

use crate::Services;
use crate::error::Error;
use crate::operations;

/// What RDS says of a name that is taken, which may be by the same instance of an earlier look.
const TAKEN: [&str; 2] = ["DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault"];

/// What RDS says of an instance that is being deleted already, or cannot be yet.
const STATE: [&str; 2] = ["InvalidDBInstanceState", "InvalidDBInstanceStateFault"];

impl Services {
    /// Gives a cluster an instance. Returns whether it was made: one of its name may be there.
    ///
    /// # Errors
    ///
    /// When RDS does not make it. Nothing is left then.
    pub async fn make_reader(&self, reader: &Reader) -> Result<bool, Error> {
        let Reader { name, cluster, .. } = reader;
        let action = format!("make the instance {name} of the cluster {cluster}");
        match self.ask(operations::make_instance(reader), action).await {
            Ok(()) => Ok(true),
            Err(error) if error.code().is_some_and(|it| TAKEN.contains(&it)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes the instance of this name, if there is one. It is gone from its cluster minutes later.
    /// Returns whether there was one.
    ///
    /// # Errors
    ///
    /// When RDS does not delete it. It stays then, and AWS Backup cannot delete its cluster.
    pub async fn delete_reader(&self, name: &str) -> Result<bool, Error> {
        // Without one there are no tags either, and what has none may not be deleted.
        let look = format!("look for the instance {name}");
        let instance = self.ask_for(operations::database(name), look).await?;
        if instance.is_none_or(|it| it.status == "deleting") {
            return Ok(false);
        }
        let action = format!("delete the instance {name}, which was made for the test");
        match self.ask_for(operations::delete_instance(name), action).await {
            Ok(deleted) => Ok(deleted.is_some()),
            Err(error) if error.code().is_some_and(|it| STATE.contains(&it)) => {
                // A request that was answered by nobody may have been heard.
                let look = format!("look for the instance {name}");
                let instance = self.ask_for(operations::database(name), look).await?;
                let is_going = instance.is_none_or(|it| it.status == "deleting");
                if is_going { Ok(true) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }
}
