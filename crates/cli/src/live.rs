//! The connection to AWS for the commands that read from it.

use std::env::var;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws::reading::Reading;
use aws::{Clock, Management, Need, Session};
use aws_config::profile::{ProfileFileCredentialsProvider, load};
use aws_config::provider_config::ProviderConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_runtime_api::client::http::http_client_fn;
use aws_types::os_shim_internal::{Env, Fs};
use clap::Args;
use errors::advised;
use stacks::{exports, tagged_buckets};
use tokio::runtime::Builder;
use tokio::time::{Instant, timeout};

use crate::output::note;
use crate::{CommandError, Exit};

/// The longest time for all reads. It is far longer than they take, and ends a command that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_hours(12);

/// The credentials and the Region
#[derive(Clone, Debug, Args)]
pub(crate) struct Credentials {
    /// The profile of the AWS CLI for credentials and Region, which wins over the environment [default:
    /// the credentials of the environment, or else `AWS_PROFILE`]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The Region of the stacks [default: `AWS_REGION`, or else the Region of the profile]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// True if `--region` names the Region of the stacks. For some commands it has another meaning.
    #[arg(skip = true)]
    has_region: bool,
}

/// The organization that is read
///
/// Credentials come from the same places as for the AWS CLI: the environment, the profile, IAM
/// Identity Center, or a process. The command does not write anything.
#[derive(Clone, Debug, Args)]
pub(crate) struct Live {
    #[command(flatten)]
    credentials: Credentials,
    /// The state bucket, which the bootstrap stack created [default: the bucket that a stack in the
    /// Region exports, or else the one with the tag `org-backup:state`]
    #[arg(long, value_name = "NAME", env = "STATE_BUCKET")]
    state_bucket: Option<String>,
}

impl Live {
    /// Uses this profile and state bucket, and the Region of the profile or the environment.
    pub(crate) fn new(profile: Option<String>, state_bucket: Option<String>) -> Self {
        Self { credentials: Credentials { profile, region: None, has_region: false }, state_bucket }
    }

    /// Finds credentials, the Region and endpoints, and prints on standard error which organization the
    /// command reads, with which identity and from which Region.
    ///
    /// # Errors
    ///
    /// Returns an error if no Region is named, there are no credentials, or AWS cannot be reached.
    pub(crate) async fn session(&self) -> Result<Session, CommandError> {
        self.session_by(&Clock::default()).await
    }

    /// Does the same as [`session`](Self::session), and sets a clock by AWS's answers.
    pub(crate) async fn session_by(&self, clock: &Clock) -> Result<Session, CommandError> {
        let session = self.credentials.session_by(clock).await?;
        Ok(match self.state_bucket.as_deref() {
            // A variable that is empty names no bucket.
            Some("") => session,
            Some(bucket) => session.with_state(bucket),
            None => {
                let management = session.management(None, Instant::now() + PATIENCE).await?;
                match found(&management).await {
                    Some(bucket) => session.with_state(&bucket),
                    None => session,
                }
            }
        })
    }
}

impl Credentials {
    /// Finds credentials, the Region and endpoints for calls whose answers set a clock, and prints on
    /// standard error which organization the command reads, with which identity and from which Region.
    ///
    /// # Errors
    ///
    /// Returns an error if no Region is named, there are no credentials, or AWS cannot be reached.
    pub(crate) async fn session_by(&self, clock: &Clock) -> Result<Session, CommandError> {
        match (&self.profile, profile_of_environment()) {
            (Some(profile), _) => expect_profile(profile, "--profile").await?,
            (None, Some(profile)) => expect_profile(&profile, PROFILE).await?,
            (None, None) => {}
        }
        let connector = clock.watch(aws::connector());
        let shared = connector.clone();
        let client = http_client_fn(move |_, _| shared.clone());
        // The connector limits each part of a call, and says in plain words what took too long.
        let unwatched = StalledStreamProtectionConfig::disabled();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(client.clone())
            .stalled_stream_protection(unwatched);
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let mut config = loader.load().await;
        let region = config
            .region()
            .cloned()
            .ok_or(CommandError::NoRegion { has_option: self.has_region })?;
        if let Some(profile) = &self.profile {
            // The default chain takes credentials from the environment first, which may belong to
            // another organization.
            let provider = ProviderConfig::default().with_http_client(client);
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&provider.with_region(Some(region)))
                .profile_name(profile)
                .build();
            let provider = SharedCredentialsProvider::new(provider);
            config = config.into_builder().credentials_provider(provider).build();
        }
        let session = Session::of_config(connector, &config);
        let management = session.management(None, Instant::now() + PATIENCE).await?;
        self.announce(&session, &management).await?;
        Ok(session)
    }

    /// Prints the organization, the identity and the Region that the command reads with. The session
    /// keeps both answers for the work that follows.
    async fn announce(
        &self,
        session: &Session,
        management: &Management,
    ) -> Result<(), CommandError> {
        // The first call finds out that something other than AWS answers, or nothing.
        let first = management.for_what_is(Need::First);
        let mut who = pin!(first.caller());
        let caller = if let Ok(caller) = timeout(SILENCE, who.as_mut()).await {
            caller
        } else {
            note("note", &format!("connecting to AWS in {}", session.region()));
            who.await
        };
        let caller = caller.map_err(|source| match &self.profile {
            Some(profile) => {
                CommandError::Profile { profile: profile.clone(), source: Box::new(source) }
            }
            None => CommandError::Aws(source),
        })?;
        let organization = match organization::organizations::whose(management).await {
            Ok((id, management)) => format!("the organization {id} of the account {management}"),
            Err(error) if error.code() == Some("AWSOrganizationsNotInUseException") => {
                format!("no organization: the account {} is not in one", caller.account)
            }
            Err(error) => format!("an unknown organization: {}", error.problem()),
        };
        let region = session.region();
        note("reading", &format!("{organization}, as {}, from {region}", caller.arn));
        Ok(())
    }
}

/// The variable that names a profile.
const PROFILE: &str = "AWS_PROFILE";

/// Returns the profile that `AWS_PROFILE` names, except the default one, which may be missing.
///
/// Credentials in the environment win over those of the profile. The profile has to exist all the same,
/// as for the AWS CLI: its Region and its other settings count.
#[expect(clippy::disallowed_methods, reason = "called once, before the first call to AWS")]
fn profile_of_environment() -> Option<String> {
    var(PROFILE).ok().filter(|it| !["", "default"].contains(&it.as_str()))
}

/// Returns an error that names the profiles of the configuration if `name` is not among them. `by` is the
/// option or the variable that names it.
///
/// The SDK takes a profile that does not exist for one that has no credentials.
async fn expect_profile(name: &str, by: &'static str) -> Result<(), CommandError> {
    let files = EnvConfigFiles::default();
    let profiles = match load(&Fs::real(), &Env::real(), &files, None).await {
        Ok(profiles) => profiles,
        Err(source) => return Err(CommandError::Configuration(Box::new(source))),
    };
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let mut known: Vec<_> = profiles.profiles().map(ToOwned::to_owned).collect();
    known.sort();
    Err(CommandError::NoProfile { profile: name.to_owned(), by, known })
}

/// The end of the name under which `templates/bootstrap.yaml` exports its bucket.
const EXPORT: &str = "-StateBucketName";

/// The tag of the bucket in `templates/bootstrap.yaml`.
const TAG: &str = "org-backup:state";

/// Finds the state bucket among the exports of the Region's stacks, or else by its tag, and prints its
/// name. A bucket whose stack was deleted has only the tag.
///
/// Returns `None` if there is none. Prints a note if there are several, or if neither can be listed.
async fn found(management: &Management) -> Option<String> {
    let unread = match exports(management, EXPORT).await {
        Ok(exports) if exports.is_empty() => None,
        Ok(exports) => {
            let named = |(export, bucket)| (bucket, format!("the export `{export}`"));
            return only(exports.into_iter().map(named).collect());
        }
        Err(error) => Some(error),
    };
    let problem = match (tagged_buckets(management, TAG).await, unread) {
        (Ok(buckets), None) if buckets.is_empty() => return None,
        (Ok(buckets), Some(unread)) if buckets.is_empty() => unread.problem(),
        (Ok(buckets), _) => {
            let named = |bucket| (bucket, format!("which has the tag `{TAG}`"));
            return only(buckets.into_iter().map(named).collect());
        }
        (Err(error), None) => error.problem(),
        (Err(error), Some(unread)) => format!("{}; {}", unread.problem(), error.problem()),
    };
    let unknown = format_args!("cannot look for the state bucket: {problem}");
    note("note", &advised(unknown, Some(NAME_IT)));
    None
}

/// The step that replaces the search for the state bucket.
const NAME_IT: &str = "name the bucket of the bootstrap stack with `--state-bucket`";

/// Returns the bucket if there is only one, and prints its name and how it was found. Prints a note with
/// all names if there are several.
fn only(found: Vec<(String, String)>) -> Option<String> {
    if let [(bucket, how)] = found.as_slice() {
        note("reading", &format!("the state bucket `{bucket}`, {how}"));
        return Some(bucket.clone());
    }
    let names: Vec<_> = found.iter().map(|it| format!("`{}`", it.0)).collect();
    let several = format!("there are several state buckets: {}", names.join(", "));
    note("note", &advised(several, Some(NAME_IT)));
    None
}

/// The time after which the command prints that it is connecting.
const SILENCE: Duration = Duration::from_secs(2);

/// A reading that takes less time than this is not reported.
const SOON: Duration = Duration::from_secs(10);

/// Reports to people who wait how long a reading takes.
pub(crate) fn tell(reading: &Reading) {
    let Reading { what, done, all, left } = *reading;
    if left < SOON {
        return;
    }
    let left = match left.as_millis().div_ceil(1_000) {
        seconds @ 0..=90 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    };
    let message = if done == 0 {
        format!("to read {all} {what} takes up to {left} at the rates that AWS publishes")
    } else {
        format!("read {done} of {all} {what}, up to {left} to go")
    };
    note("note", &message);
}

/// Returns the same reporter, which prints what is already known before the first reading that takes
/// long.
pub(crate) fn tell_after(known: String) -> impl Fn(&Reading) + Sync {
    let is_told = AtomicBool::new(false);
    move |reading| {
        if reading.left >= SOON && !is_told.swap(true, Ordering::Relaxed) {
            note("note", &known);
        }
        tell(reading);
    }
}

/// Runs a command that looks at what is there.
pub(crate) fn wait(
    command: impl Future<Output = Result<Exit, CommandError>>,
) -> Result<Exit, CommandError> {
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(CommandError::Begin)?;
    runtime.block_on(command)
}
