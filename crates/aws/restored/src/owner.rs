//! Asks the owner's own function about a restored resource.

use plan::restore_validation::{Job, Opinion, opinion, question};

use crate::Services;
use crate::error::Error;
use crate::operations;

impl Services {
    /// Asks the function with this ARN about what `job` restored.
    ///
    /// # Errors
    ///
    /// Returns an error if the function cannot be asked. It may be asked more than once.
    pub async fn ask_owner(&self, function: &str, job: &Job) -> Result<Opinion, Error> {
        let action = format!("ask the function {function} for its check");
        let answer = self.ask(operations::invoke(function, question(job)), action).await?;
        Ok(opinion(&answer))
    }
}
