//! Clients of AWS, built once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_types::SdkConfig;
use aws_types::sdk_config::Builder;
use errors::Reader;
use media::Mail;
use plan::id::RoleArn;
use policy::arn::Arn;
use serde_json::Value;
use tokio::time::Instant;

use crate::advice::Advice;
use crate::api::{Question, Request, Service, ask};
use crate::calls::{Calls, Pace};
use crate::clock::Clock;
use crate::environment;
use crate::error::Error;
use crate::http::{self, Whole};
use crate::identity::Caller;
use crate::machine::Machine;
use crate::memo::Memo;
use crate::operation::{ASSUME_ROLE, GET_CALLER, Need, PUBLISH};
use crate::retries::patience;
use crate::tally::Tally;

/// The time between the end of the last call and the end of the invocation, in which a failure of
/// that call is reported.
const MARGIN: Duration = Duration::from_millis(500);

/// The parts that are built once for all requests: one connector with one pool and one TLS
/// configuration for every client and for the answers to CloudFormation, and the clients of the
/// function itself.
#[derive(Clone, Debug)]
pub struct Session {
    connector: SharedHttpConnector,
    clients: Arc<Clients>,
    pace: Pace,
    tally: Tally,
    /// The reader of the errors.
    reader: Reader,
    /// The name of the state bucket, if there is one.
    state_bucket: Option<String>,
    /// The ARN of the key that encrypts all objects in the state bucket, if it is known.
    state_key: Option<String>,
    /// The ARN of the state machine, if there is one, and the number of accounts times Regions
    /// above which a run needs it.
    machine: Option<(String, usize)>,
    /// The answers that do not change while a person waits for them.
    answers: Option<Arc<Memo>>,
}

impl Session {
    /// Reads the environment variables that Lambda and the template of the function set. `reader`
    /// reads the errors of the function.
    pub fn from_environment(reader: Reader) -> Self {
        Self::from_environment_by(&Clock::default(), reader)
    }

    /// Does the same, and sets a clock by AWS's answers.
    pub fn from_environment_by(clock: &Clock, reader: Reader) -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::from_variables(clock.watch(http::connector()), reader, variables)
    }

    /// Creates a session whose requests go through `connector` and whose errors are for `reader`,
    /// with the credentials, the Region, the endpoints, the state bucket and the state machine that
    /// these variables name.
    ///
    /// The variables are the only source of credentials: Lambda has no profile and no metadata
    /// service.
    pub fn from_variables<T: Into<String>>(
        connector: SharedHttpConnector,
        reader: Reader,
        variables: impl IntoIterator<Item = (T, T)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        let variables: BTreeMap<String, String> = variables.collect();
        let get = |name| variables.get(name).filter(|it| !it.is_empty());
        let above = get("BATCHES_ABOVE").and_then(|it| it.parse().ok()).unwrap_or(BATCHES_ABOVE);
        let machine = get("STATE_MACHINE_ARN").map(|it| (it.clone(), above));
        let state_bucket = get("STATE_BUCKET").cloned();
        let state_key = get("STATE_KEY_ARN").cloned();
        let session = Self::new(connector, environment::settings(variables), reader);
        Self { state_bucket, state_key, machine, ..session }
    }

    /// Creates a session with the credentials, the Region and the endpoints of `config`, for the
    /// operator's command. The command finds them in more places than a function does, and asks once
    /// who is calling and which organization that is.
    pub fn of_config(connector: SharedHttpConnector, config: &SdkConfig) -> Self {
        let session = Self::new(connector, config.to_builder(), Reader::Operator);
        Self { answers: Some(Arc::default()), ..session }
    }

    fn new(connector: SharedHttpConnector, settings: Builder, reader: Reader) -> Self {
        let shared = SharedHttpConnector::new(Whole(connector.clone()));
        let config = settings
            .http_client(http_client_fn(move |_, _| shared.clone()))
            .retry_config(patience())
            .sleep_impl(TokioSleep::new())
            .build();
        let tally = Tally::default();
        Self {
            connector,
            clients: Arc::new(Clients::new(config)),
            pace: Pace::default(),
            tally,
            reader,
            state_bucket: None,
            state_key: None,
            machine: None,
            answers: None,
        }
    }

    /// Returns calls that end a moment before `deadline`.
    pub fn calls(&self, deadline: Instant) -> Calls {
        Calls::new(self.pace.clone(), self.tally.clone(), deadline - MARGIN, self.reader)
    }

    /// Returns this session with a state bucket.
    #[must_use]
    pub fn with_state(self, bucket: &str) -> Self {
        Self { state_bucket: Some(bucket.to_owned()), ..self }
    }

    /// Returns the configuration of the function itself, for clients of further services.
    pub fn config(&self) -> &SdkConfig {
        &self.clients.config
    }

    /// Returns the connector that sends requests, for requests other than calls to AWS.
    pub fn http(&self) -> SharedHttpConnector {
        self.connector.clone()
    }

    /// Returns the Region in which calls are made; an empty text if no Region is set.
    pub fn region(&self) -> String {
        let region = self.clients.config.region();
        region.map(ToString::to_string).unwrap_or_default()
    }

    /// Returns the counter of the calls so far.
    pub fn tally(&self) -> Tally {
        self.tally.clone()
    }

    /// Publishes a message to the topic with this ARN.
    ///
    /// # Errors
    ///
    /// Returns an error if the topic does not accept the message before `deadline`.
    pub async fn publish(&self, topic: &str, mail: &Mail, deadline: Instant) -> Result<(), Error> {
        self.send(topic, &[("Subject", mail.subject()), ("Message", mail.text())], deadline).await
    }

    /// Publishes a message that programs read to the topic with this ARN.
    ///
    /// # Errors
    ///
    /// Returns an error if the topic does not accept the message before `deadline`.
    pub async fn publish_json(
        &self,
        topic: &str,
        message: &Value,
        deadline: Instant,
    ) -> Result<(), Error> {
        self.send(topic, &[("Message", &media::json::compact(message))], deadline).await
    }

    async fn send(
        &self,
        topic: &str,
        fields: &[(&'static str, &str)],
        deadline: Instant,
    ) -> Result<(), Error> {
        let calls = self.calls(deadline);
        let to = [("TopicArn", topic)];
        let fields = to.iter().chain(fields);
        let fields = fields.map(|(name, value)| (*name, (*value).to_owned())).collect();
        let question = Question::Form { version: "2010-03-31", fields };
        let publish =
            Request { service: Service::SNS, operation: PUBLISH.name, question, read: |_| Ok(()) };
        let publish = ask(&self.clients.config, publish);
        let published = calls.call(PUBLISH, format!("publish to {topic}"), publish).await;
        let hint = "let the function's role publish to the topic and use the key that encrypts it";
        published.map_err(|it| it.advised(Advice::Same(hint)))
    }

    /// Returns the name of the state bucket, and the ARN of its key if that is known; `None` if there
    /// is no state bucket.
    pub fn state_bucket(&self) -> Option<(&str, Option<&str>)> {
        Some((self.state_bucket.as_deref()?, self.state_key.as_deref()))
    }

    /// Returns the client of this type that acts as the function itself. `build` makes it once.
    pub fn client<C: Clone + Send + Sync + 'static>(
        &self,
        build: impl FnOnce(&SdkConfig) -> C,
    ) -> C {
        self.clients.client(build)
    }

    /// Returns the state machine, with calls that end by `deadline` and act as the function itself;
    /// `None` if there is no state machine.
    pub fn machine(&self, deadline: Instant) -> Option<Machine> {
        let calls = self.calls(deadline);
        let (arn, above) = self.machine.clone()?;
        Some(Machine::new(self.clients.config.clone(), arn, above, calls))
    }

    /// Returns clients that act in the management account until `deadline`: as the function itself,
    /// or as `role` if the function runs in another account.
    ///
    /// # Errors
    ///
    /// Returns an error if the role cannot be assumed.
    pub async fn management(
        &self,
        role: Option<&RoleArn>,
        deadline: Instant,
    ) -> Result<Management, Error> {
        let calls = self.calls(deadline);
        let own = Arc::clone(&self.clients);
        let Some(role) = role else {
            let answers = self.answers.clone();
            return Ok(Management { clients: Arc::clone(&own), own, calls, answers });
        };
        let client = crate::client!(aws_sdk_sts, &own.config);
        let assume = client.assume_role().role_arn(role.as_str()).role_session_name("org-backup");
        let action = format!("assume the role {role}");
        let assumed = calls.call(ASSUME_ROLE, &action, assume.send()).await;
        let hint = "correct `ManagementRoleArn`, let the role trust the function's own role, and \
                    let that assume it";
        let assumed = assumed.map_err(|it| it.advised(Advice::Same(hint)))?;
        let it = assumed.credentials.ok_or_else(|| Error::incomplete(&action, "credentials"))?;
        let expiry = it.expiration.try_into().ok();
        let credentials = Credentials::new(
            it.access_key_id,
            it.secret_access_key,
            Some(it.session_token),
            expiry,
            "AssumeRole",
        );
        let credentials = SharedCredentialsProvider::new(credentials);
        let config = own.config.to_builder().credentials_provider(credentials).build();
        let clients = Arc::new(Clients::new(config));
        Ok(Management { clients, own, calls, answers: None })
    }
}

/// The clients that act as one caller. Each is built once, when it is first needed, by the crate
/// that calls its service: nothing else links the SDK.
#[derive(Debug)]
struct Clients {
    config: SdkConfig,
    built: Memo,
}

impl Clients {
    fn new(config: SdkConfig) -> Self {
        Self { config, built: Memo::default() }
    }

    fn client<C: Clone + Send + Sync + 'static>(&self, build: impl FnOnce(&SdkConfig) -> C) -> C {
        self.built.get().unwrap_or_else(|| self.built.keep(build(&self.config)))
    }
}

/// The clients of one request, which act in the management account.
#[derive(Debug)]
pub struct Management {
    clients: Arc<Clients>,
    own: Arc<Clients>,
    /// The calls of the request.
    pub calls: Calls,
    answers: Option<Arc<Memo>>,
}

impl Management {
    /// Returns the same clients, for one purpose that is as necessary as `need` says.
    #[must_use]
    pub fn for_what_is(&self, need: Need) -> Self {
        let (clients, own) = (Arc::clone(&self.clients), Arc::clone(&self.own));
        Self { clients, own, calls: self.calls.for_what_is(need), answers: self.answers.clone() }
    }

    /// Reads the identity that makes the calls, which needs no permission.
    ///
    /// # Errors
    ///
    /// Returns an error if there are no credentials, if they are not valid, or if they are of a
    /// partition that this release does not know.
    pub async fn caller(&self) -> Result<Caller, Error> {
        const ACTION: &str = "ask who is calling";
        if let Some(caller) = self.answers().and_then(Memo::get) {
            return Ok(caller);
        }
        let ask = crate::client!(aws_sdk_sts, self.config()).get_caller_identity().send();
        let it = self.calls.call(GET_CALLER, ACTION, ask).await?;
        let text = it.arn.unwrap_or_default();
        let arn = Arn::parse(&text).map_err(|_| Error::incomplete(ACTION, "an ARN"))?;
        let account = it.account.ok_or_else(|| Error::incomplete(ACTION, "the account"))?;
        let partition = arn.known_partition().map_err(|it| Error::elsewhere(ACTION, it))?;
        let caller = Caller { account, partition, arn: text };
        Ok(match self.answers() {
            Some(answers) => answers.keep(caller),
            None => caller,
        })
    }

    /// Returns the configuration that acts in the management account.
    pub fn config(&self) -> &SdkConfig {
        &self.clients.config
    }

    /// Returns the configuration that acts as the function itself.
    pub fn own(&self) -> &SdkConfig {
        &self.own.config
    }

    /// Returns the client of this type that acts in the management account. `build` makes it once.
    pub fn client<C: Clone + Send + Sync + 'static>(
        &self,
        build: impl FnOnce(&SdkConfig) -> C,
    ) -> C {
        self.clients.client(build)
    }

    /// Returns the client of this type that acts as the function itself. `build` makes it once.
    pub fn own_client<C: Clone + Send + Sync + 'static>(
        &self,
        build: impl FnOnce(&SdkConfig) -> C,
    ) -> C {
        self.own.client(build)
    }

    /// Returns the answers that are kept, if this acts as the session itself.
    pub fn answers(&self) -> Option<&Memo> {
        self.answers.as_deref()
    }
}

/// The number of accounts times Regions above which one invocation is not enough, if
/// `BATCHES_ABOVE` is not set.
///
/// It is 2,000 accounts with 17 Regions. At 32 calls at a time of 0.2 seconds each, they take about
/// four of the fifteen minutes of an invocation, and twice as long if every Region has to be
/// written.
const BATCHES_ABOVE: usize = 34_000;
