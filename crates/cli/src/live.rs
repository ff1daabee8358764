//! The way to AWS for the commands that look at what is there.

use std::time::Duration;

use aws::{Clock, Session};
use aws_config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::http_client_fn;
use clap::Args;
use tokio::runtime::Builder;

use crate::{CommandError, Exit};

/// By when everything has been read: far longer than it takes, so that nothing hangs for ever.
pub(crate) const PATIENCE: Duration = Duration::from_hours(12);

/// Whose organization is looked at
///
/// Credentials are found as the AWS CLI finds them: in the environment, in the profile, by IAM
/// Identity Center, by a process. Nothing is ever written.
#[derive(Clone, Debug, Args)]
pub(crate) struct Live {
    /// The profile of the AWS CLI whose credentials and Region are used
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The Region of the stacks
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The bucket that the bootstrap stack made for what the functions remember
    #[arg(long, value_name = "NAME", env = "STATE_BUCKET")]
    state_bucket: Option<String>,
}

impl Live {
    /// Finds credentials, the Region and endpoints; nothing is called yet, unless a profile says
    /// that credentials are to be fetched.
    pub(crate) async fn session(&self) -> Session {
        self.session_by(&Clock::default()).await
    }

    /// The same, whose answers set a clock.
    pub(crate) async fn session_by(&self, clock: &Clock) -> Session {
        let connector = clock.watch(aws::connector());
        let shared = connector.clone();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client_fn(move |_, _| shared.clone()));
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let session = Session::of_config(connector, &loader.load().await);
        match self.state_bucket.as_deref() {
            // A variable that is empty names no bucket.
            None | Some("") => session,
            Some(bucket) => session.with_state(bucket),
        }
    }
}

/// Runs a command that looks at what is there.
pub(crate) fn wait(
    command: impl Future<Output = Result<Exit, CommandError>>,
) -> Result<Exit, CommandError> {
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(CommandError::Begin)?;
    runtime.block_on(command)
}
