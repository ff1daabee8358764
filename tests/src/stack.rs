//! A stack with one custom resource, driven as CloudFormation drives it.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;
use plan::owner::stack_path;
use plan::resource::ResourceKind;
use serde_json::{Map, Value, json};
use simulator::{Function, Hold, Outcome, StackResource};
use tokio::time::Instant;

use crate::binaries::binary;
use crate::in_process::{self, Wire};
use crate::organization::{Organization, POLICY_TEXT};
use crate::role::{FunctionRole, STATE_BUCKET};
use crate::template::as_sent;

pub(crate) const SECRET: &str = "secret-key-of-the-function";
pub(crate) const TOKEN: &str = "session-token-of-the-function";
/// Where the functions log.
pub const LOG_STREAM: &str = "2031/05/07/[$LATEST]0f1e";

/// How long CloudFormation waits for an answer.
const SERVICE_TIMEOUT: Duration = Duration::from_mins(6);

/// What a function says in the end when its answer is refused.
const REFUSED: &str = "the answer was refused with HTTP status 403";

/// An ID that CloudFormation makes up for a resource whose creation was never answered.
pub const MADE_UP: &str = "backups-Resource-1A2B3C4D5E6F";

/// A custom resource and what CloudFormation knows of it.
///
/// Every request is served by a new process, as if Lambda had thrown away the one before. Whatever
/// is sent, the answer is held against the protocol: see [`Stack::send`].
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fate of a delivery")]
pub struct Stack<'a> {
    organization: &'a Organization,
    function: &'static str,
    /// What the function may do; everything without it.
    role: Option<FunctionRole>,
    environment: BTreeMap<&'static str, String>,
    arn: String,
    logical_id: String,
    /// How long the function has for a request.
    pub deadline: Duration,
    /// The ID of the resource, while it exists.
    pub physical_id: Option<String>,
    properties: Value,
    /// The ID of the request for whose answer CloudFormation waits.
    open: Option<String>,
    last: Option<Value>,
    /// What carries its calls, where the function runs in the process of the test.
    wire: Option<Wire>,
    /// The function that stays for the next request, where it runs in the process of the test.
    warm: Option<in_process::Function>,
    /// Whether a function that runs in the process of the test serves more than one request.
    pub stays_warm: bool,
    redelivers: bool,
    /// Whether the next request is delivered twice at once.
    pub twice: bool,
    /// The time after the next request at which it is delivered again, finished or not.
    pub again_after: Vec<Duration>,
    /// Whether every answer to the next request is refused.
    pub refused: bool,
    /// Every ResponseURL that refuses its answers.
    refusing: BTreeSet<String>,
    /// How long after the next Create is sent a sibling fails, so that CloudFormation deletes the
    /// resource while it is being created.
    pub cancelled_after: Option<Duration>,
    /// Every request that was sent, the newest last.
    history: Vec<Value>,
    /// What the request that CloudFormation sent by itself after the last one was answered.
    pub rollback: Option<Answer>,
    /// What the last process printed.
    pub logs: String,
}

/// What the function answered to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether the resource is as asked for.
    pub success: bool,
    /// Why not.
    pub reason: String,
    /// The ID of the resource.
    pub physical_id: String,
    /// What `Fn::GetAtt` returns.
    pub data: BTreeMap<String, String>,
    /// All of it.
    pub body: String,
}

impl Answer {
    /// This answer, which has to be a success.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[must_use]
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.success, "{}", self.reason);
        self
    }

    /// The reason of the failure that this answer has to be.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn reason(self) -> String {
        assert!(!self.success, "succeeded: {self}");
        self.reason
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.body)
    }
}

impl<'a> Stack<'a> {
    pub(crate) fn new(organization: &'a Organization, function: &'static str) -> Self {
        Self {
            organization,
            function,
            role: Some(FunctionRole::of(function)),
            environment: [].into(),
            arn: "arn:aws:cloudformation:us-east-1:111122223333:stack/backups/5d3c".to_owned(),
            logical_id: "Resource".to_owned(),
            deadline: Duration::from_mins(2),
            physical_id: None,
            properties: Value::Null,
            open: None,
            last: None,
            wire: organization.wire("Resource"),
            warm: None,
            stays_warm: false,
            redelivers: false,
            twice: false,
            again_after: Vec::new(),
            refused: false,
            refusing: BTreeSet::new(),
            cancelled_after: None,
            history: Vec::new(),
            rollback: None,
            logs: String::new(),
        }
    }

    /// Calls the resource `logical_id` in the template.
    #[must_use]
    pub fn named(self, logical_id: &str) -> Self {
        let wire = self.organization.wire(logical_id);
        Self { logical_id: logical_id.to_owned(), wire, ..self }
    }

    /// Delivers a request up to three times when the function does not come to its end, and lets
    /// CloudFormation give up after that, instead of holding that against the function.
    #[must_use]
    pub fn redelivered(self) -> Self {
        Self { redelivers: true, ..self }
    }

    /// What carries the calls of the function.
    ///
    /// # Panics
    ///
    /// When the function does not run in the process of the test.
    #[must_use]
    pub fn wire(&self) -> &Wire {
        self.wire.as_ref().unwrap()
    }

    /// Runs the function in this account, where nothing limits it.
    #[must_use]
    pub fn in_account(self, account: &str) -> Self {
        self.unlimited().with("AWS_ACCESS_KEY_ID", account)
    }

    /// Has the stack in this account, where CloudFormation tells of it to nobody else.
    #[must_use]
    pub fn deployed_in(self, account: &str) -> Self {
        let stack = stack_path(&self.arn);
        let arn = format!("arn:aws:cloudformation:us-east-1:{account}:stack/{stack}");
        Self { arn, ..self }
    }

    /// Runs the function with another role than that of its template.
    #[must_use]
    pub fn with_role(self, role: FunctionRole) -> Self {
        Self { role: Some(role), ..self }
    }

    /// Lets the function do what the role of its template does not allow, since it is asked for
    /// what no template asks for.
    #[must_use]
    pub fn unlimited(self) -> Self {
        Self { role: None, ..self }
    }

    /// Gives the function a variable of the environment.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.insert(name, value.to_owned());
        self
    }

    /// Has the function keep state.
    #[must_use]
    pub fn kept(self) -> Self {
        let key = self.organization.buckets(|it| it.key_of(STATE_BUCKET).map(str::to_owned));
        let it = self.with("STATE_BUCKET", STATE_BUCKET);
        match key {
            Some(key) => it.with("STATE_KEY_ARN", &key),
            None => it,
        }
    }

    /// Gives the function this much time for a request.
    #[must_use]
    pub fn within(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The organization that the resource is in.
    #[must_use]
    pub fn organization(&self) -> &'a Organization {
        self.organization
    }

    /// Creates the resource. If that fails, CloudFormation deletes what may be left of it.
    pub async fn create(&mut self, properties: Value) -> Answer {
        let event = self.event("Create", &properties);
        let cancelled = self.cancelled_after.take();
        if cancelled.is_some() {
            self.again_after.push(Duration::ZERO);
        }
        let again = self.again(&event);
        let created = async {
            let created = match cancelled {
                Some(after) => {
                    self.tell_beginning(&event);
                    self.history.push(event.clone());
                    pass(after).await;
                    given_up(&event)
                }
                None => self.request(&event).await,
            };
            self.physical_id = Some(created.physical_id.clone());
            self.properties = properties;
            self.rollback = None;
            if !created.success {
                self.rollback = Some(self.delete().await);
            }
            created
        };
        tokio::join!(created, again).0
    }

    /// Delivers a request again, to functions of their own, as often and as late as is asked for.
    fn again(&mut self, event: &Value) -> impl Future<Output = ()> + use<> {
        let delays = std::mem::take(&mut self.again_after);
        let deadline = self.deadline;
        let deliver = |after| {
            let function = self.function(&self.organization.wire("Again").unwrap());
            let event = event.clone();
            async move {
                pass(after).await;
                // Nobody looks at what comes of it.
                let _outcome = function.invoke(&event, deadline, LOG_STREAM).await;
            }
        };
        let deliveries: Vec<_> = delays.into_iter().map(deliver).collect();
        async { drop(join_all(deliveries).await) }
    }

    /// Delivers one of the requests that came before the last one, which `pick` chooses by its number,
    /// as Lambda may at any time. Returns whether there was one.
    ///
    /// # Panics
    ///
    /// When the function does not run in the process of the test.
    pub async fn deliver_late(&self, pick: usize, wanted: impl Fn(&Value) -> bool) -> bool {
        let before = self.history.split_last().map_or(&[][..], |(_, before)| before);
        let all: Vec<_> = before.iter().filter(|it| wanted(it)).collect();
        let Some(index) = pick.checked_rem(all.len()) else { return false };
        let function = self.function(&self.organization.wire("Late").unwrap());
        let outcome = function.invoke(all[index], self.deadline, LOG_STREAM).await;
        // Where CloudFormation refused the answer, it does so again.
        let url = all[index]["ResponseURL"].as_str().unwrap();
        let is_refused =
            matches!(&outcome, Outcome::Failed(Value::String(why)) if why.starts_with(REFUSED));
        let is_over =
            is_refused && self.refusing.contains(url) || outcome == Outcome::Returned(Value::Null);
        assert!(is_over, "{outcome:?}\n{}", in_process::take_logs());
        true
    }

    /// Takes the resource over as another stack like this one has left it.
    pub fn resume(&mut self, physical_id: Option<String>, properties: Value) {
        self.tell("CREATE_COMPLETE", physical_id.as_deref().unwrap_or_default());
        self.organization.skip_requests();
        self.physical_id = physical_id;
        self.properties = properties;
    }

    /// Has CloudFormation answer this about the resource.
    pub fn tell(&self, status: &str, physical_id: &str) {
        let resource = StackResource {
            kind: self.resource_type().to_owned(),
            physical_id: physical_id.to_owned(),
            status: status.to_owned(),
        };
        self.organization.stacks(|it| it.tell(&self.arn, &self.logical_id, resource));
    }

    /// Has CloudFormation give up waiting for an answer to a Create, and returns the Delete that it
    /// sends then, for an ID that it makes up.
    pub fn give_up(&mut self, properties: &Value) -> Value {
        self.tell("CREATE_FAILED", MADE_UP);
        self.physical_id = Some(MADE_UP.to_owned());
        self.event("Delete", properties)
    }

    /// The Delete by which CloudFormation cleans up what it calls `id`, while the resource lives on
    /// under another ID.
    pub fn clean_up(&mut self, id: &str, properties: &Value) -> Value {
        let mut event = self.event("Delete", properties);
        event["PhysicalResourceId"] = json!(id);
        self.open = None;
        event
    }

    /// Tells what a request is about to do to the resource, if CloudFormation waits for it.
    fn tell_beginning(&self, event: &Value) {
        if self.is_open(event) {
            let status = format!("{}_IN_PROGRESS", word(event));
            self.tell(&status, event["PhysicalResourceId"].as_str().unwrap_or_default());
        }
    }

    /// Tells what CloudFormation makes of the answer to a request, if it waits for that.
    fn tell_end(&mut self, event: &Value, answer: &Answer) {
        if self.is_open(event) {
            self.open = None;
            let end = if answer.success { "COMPLETE" } else { "FAILED" };
            self.tell(&format!("{}_{end}", word(event)), &answer.physical_id);
        }
    }

    fn is_open(&self, event: &Value) -> bool {
        self.open.is_some() && self.open.as_deref() == event["RequestId"].as_str()
    }

    /// Updates the resource. If that fails, CloudFormation updates it back; if it answers with a
    /// new ID, CloudFormation deletes the old one.
    ///
    /// # Panics
    ///
    /// When a failure changes the ID.
    pub async fn update(&mut self, properties: Value) -> Answer {
        let before = std::mem::replace(&mut self.properties, properties.clone());
        let known = self.physical_id.clone().unwrap();
        let mut event = self.event("Update", &properties);
        event["OldResourceProperties"] = self.sent(&before);
        let again = self.again(&event);
        let updated = async { self.updated(&event, known, before, &properties).await };
        tokio::join!(updated, again).0
    }

    /// Sends an Update, and what follows from its answer.
    async fn updated(
        &mut self,
        event: &Value,
        known: String,
        before: Value,
        properties: &Value,
    ) -> Answer {
        let updated = self.request(event).await;
        self.rollback = None;
        if updated.success {
            self.physical_id = Some(updated.physical_id.clone());
            if updated.physical_id != known {
                let event = self.clean_up(&known, &before);
                self.rollback = Some(self.request(&event).await);
            }
        } else {
            assert_eq!(updated.physical_id, known, "a failed update keeps the ID");
            let mut event = self.event("Update", &before);
            event["OldResourceProperties"] = self.sent(properties);
            self.rollback = Some(self.request(&event).await);
            self.properties = before;
        }
        updated
    }

    /// Deletes the resource.
    pub async fn delete(&mut self) -> Answer {
        let event = self.event("Delete", &self.properties.clone());
        let again = self.again(&event);
        let deleted = tokio::join!(self.request(&event), again).0;
        if deleted.success {
            self.physical_id = None;
        }
        deleted
    }

    /// Sends the last request again, as Lambda does with a request that it thinks has failed.
    ///
    /// # Panics
    ///
    /// When there was none.
    pub async fn redeliver(&mut self) -> Answer {
        let event = self.last.clone().unwrap();
        self.send(&event).await
    }

    /// What is kept of the resource in the state bucket.
    pub fn kept_state(&self) -> Option<Value> {
        let (_, stack) = self.arn.split_once(":stack/")?;
        let key = format!("desired/{}/{stack}/{}.json", self.function, self.logical_id);
        serde_json::from_str(&self.organization.object(STATE_BUCKET, &key)?).ok()
    }

    /// Whether the last thing that happened to the resource is that it could not be created.
    pub fn failed_to_create(&self) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|it| it["RequestType"] == "Delete")
    }

    /// The type of the resource.
    fn resource_type(&self) -> &'static str {
        self.function.parse::<ResourceKind>().unwrap().resource_type()
    }

    /// A request for this resource with a `RequestId` and a `ResponseURL` of its own.
    ///
    /// # Panics
    ///
    /// When the function serves no custom resource.
    pub fn event(&mut self, request: &str, properties: &Value) -> Value {
        let number = self.organization.next_request();
        let mut event = json!({
            "RequestType": request,
            "RequestId": format!("7c1e0d52-0000-4000-8000-{number:012}"),
            "ResponseURL": self.organization.response_url(),
            "ResourceType": self.resource_type(),
            "LogicalResourceId": self.logical_id,
            "StackId": self.arn,
            "ResourceProperties": self.sent(properties),
        });
        if let Some(id) = self.physical_id.clone().filter(|_| request != "Create") {
            event["PhysicalResourceId"] = json!(id);
        }
        self.open = event["RequestId"].as_str().map(ToOwned::to_owned);
        event
    }

    /// Sends a request and holds what comes of it against the protocol: the function is done, one
    /// more answer is at the `ResponseURL`, and neither answer nor log holds what it must not.
    ///
    /// # Panics
    ///
    /// When the protocol is broken.
    pub async fn send(&mut self, event: &Value) -> Answer {
        let url = event["ResponseURL"].as_str().unwrap();
        let answered = self.organization.responses(url).len();
        let outcome = self.invoke(event).await;
        assert_eq!(outcome, Outcome::Returned(Value::Null), "{}", self.logs);
        let answers = self.organization.responses(url);
        assert_eq!(answers.len(), answered + 1, "one answer to one request");
        let answer = check(event, answers.last().unwrap());
        self.tell_end(event, &answer);
        answer
    }

    /// Sends a request and returns the answer that CloudFormation goes by: the first one, or its
    /// own when none of the deliveries was answered.
    async fn request(&mut self, event: &Value) -> Answer {
        self.history.push(event.clone());
        let started = Instant::now();
        if std::mem::take(&mut self.refused) {
            let url = event["ResponseURL"].as_str().unwrap();
            self.organization.refuse_responses(url);
            self.refusing.insert(url.to_owned());
        }
        if !self.redelivers {
            return self.send(event).await;
        }
        let is_done = |it: &Outcome| matches!(it, Outcome::Returned(_));
        let mut done = false;
        if std::mem::take(&mut self.twice) {
            let wire = self.organization.wire("Twice").unwrap();
            let other = self.function(&wire);
            let deadline = self.deadline;
            let (one, other) =
                tokio::join!(self.invoke(event), other.invoke(event, deadline, LOG_STREAM));
            done = is_done(&one) || is_done(&other);
        }
        for _ in 0..3 {
            if !done {
                done = is_done(&self.invoke(event).await);
            }
        }
        let mut answers = self.answers(event).into_iter();
        let first = answers.next();
        if first.is_none() && self.wire.is_some() {
            pass(SERVICE_TIMEOUT.saturating_sub(started.elapsed())).await;
        }
        self.tell_end(event, &first.clone().unwrap_or_else(|| given_up(event)));
        let Some(first) = first else { return given_up(event) };
        // Nobody reads what comes after a failure, nor a failure that comes after a success.
        if first.success {
            // A report on accounts says what it found, which may be more the second time.
            let same = |it: &Answer| match self.function {
                "member-accounts" => it.physical_id == first.physical_id,
                _ => *it == first,
            };
            for it in answers.filter(|it| it.success) {
                assert!(same(&it), "{it} after {first}");
            }
        }
        first
    }

    /// Sends a request and tells what came of it.
    ///
    /// # Panics
    ///
    /// When a log shows what it must not.
    pub async fn invoke(&mut self, event: &Value) -> Outcome {
        self.tell_beginning(event);
        if let Some(wire) = self.wire.clone() {
            return self.invoke_here(event, &wire).await;
        }
        let function = self.start().await;
        // So that a short deadline is all for the request, as in Lambda, where starting the process
        // comes before: an event that is nobody's, which fails at once.
        function.invoke(&Value::Null, Duration::from_mins(1)).await;
        let outcome = function.invoke(event, self.deadline).await;
        self.finish(&function, event).await;
        outcome
    }

    /// Sends a request and kills the function at the call that `hold` waits for. Returns `false`
    /// when that call never came, so that the request was served to its end.
    pub async fn kill(&mut self, event: &Value, hold: Hold) -> bool {
        self.tell_beginning(event);
        let function = self.start().await;
        let outcome = function.invoke_until(event, self.deadline, hold).await;
        self.finish(&function, event).await;
        matches!(outcome, Outcome::Exited(_))
    }

    /// The answers to a request so far, each held against the protocol.
    ///
    /// # Panics
    ///
    /// When the protocol is broken.
    #[must_use]
    pub fn answers(&self, event: &Value) -> Vec<Answer> {
        let answers = self.organization.responses(event["ResponseURL"].as_str().unwrap());
        answers.iter().map(|it| check(event, it)).collect()
    }

    async fn start(&self) -> Function {
        let mut function = Function::of(&binary(self.function), self.organization)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_SESSION_TOKEN", TOKEN)
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/function")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", LOG_STREAM)
            .env("AWS_LAMBDA_LOG_LEVEL", "TRACE");
        if let Some(role) = &self.role {
            function = function.env("AWS_ACCESS_KEY_ID", role.session(self.organization));
        }
        for (name, value) in &self.environment {
            function = function.env(name, value);
        }
        function.start().await.unwrap()
    }

    /// Sends a request to the function in the process of the test.
    async fn invoke_here(&mut self, event: &Value, wire: &Wire) -> Outcome {
        let function = self.warm.take().unwrap_or_else(|| self.function(wire));
        let outcome = function.invoke(event, self.deadline, LOG_STREAM).await;
        // Lambda ends what did not come to its end.
        let lives = matches!(outcome, Outcome::Returned(_) | Outcome::Failed(_));
        self.warm = Some(function).filter(|_| lives && self.stays_warm);
        self.logs = in_process::take_logs();
        self.look(event);
        outcome
    }

    /// The function in the process of the test, as if it had just been started.
    fn function(&self, wire: &Wire) -> in_process::Function {
        let own = || self.organization.organization(|it| it.management_account.clone());
        let account = self.environment.get("AWS_ACCESS_KEY_ID").cloned().unwrap_or_else(own);
        let bucket = self.environment.get("STATE_BUCKET").map(String::as_str);
        in_process::Function::start(self.function, wire, &account, bucket, None)
    }

    /// Ends the process and looks at what it printed.
    async fn finish(&mut self, function: &Function, event: &Value) {
        function.kill().await;
        self.logs = function.logs();
        self.look(event);
    }

    /// Looks at what was printed and at what became of the policies.
    fn look(&mut self, event: &Value) {
        self.organization.learn_policies();
        self.last = Some(event.clone());
        // The token of an assumed role begins with `session-ASIA`.
        let mut secrets = vec![SECRET, TOKEN, "session-ASIA", "ASIA", POLICY_TEXT];
        // What is no request has nowhere to be answered.
        if let Some(url) = event["ResponseURL"].as_str() {
            secrets.extend([url, url.rsplit('/').next().unwrap()]);
        }
        for secret in secrets {
            assert!(!self.logs.contains(secret), "{secret} is in the log:\n{}", self.logs);
        }
    }

    /// The properties as CloudFormation sends them: with its own among them, and scalars as text.
    fn sent(&self, properties: &Value) -> Value {
        let mut all = Map::new();
        let token = format!("arn:aws:lambda:us-east-1:111122223333:function:{}", self.function);
        all.insert("ServiceToken".to_owned(), json!(token));
        all.insert("ServiceTimeout".to_owned(), json!(360));
        all.insert("StateFormat".to_owned(), json!(2));
        all.extend(properties.as_object().cloned().unwrap_or_default());
        as_sent(&Value::Object(all))
    }
}

#[expect(clippy::disallowed_methods, reason = "the order of events is tried out here")]
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// What CloudFormation calls what a request does.
fn word(event: &Value) -> String {
    event["RequestType"].as_str().unwrap().to_uppercase()
}

/// What CloudFormation says itself of a request that nobody answered.
fn given_up(event: &Value) -> Answer {
    let known = event["PhysicalResourceId"].as_str();
    Answer {
        success: false,
        reason: "CloudFormation did not receive a response from your Custom Resource.".to_owned(),
        // It makes an ID up for what has none.
        physical_id: known.unwrap_or(MADE_UP).to_owned(),
        data: BTreeMap::new(),
        body: String::new(),
    }
}

/// Reads an answer and holds it against the protocol.
fn check(event: &Value, response: &simulator::Response) -> Answer {
    let body = response.body.clone();
    assert_eq!(response.content_type.as_deref().unwrap_or_default(), "", "the address is signed");
    assert!(body.len() <= 4096, "{} bytes", body.len());
    let answer = response.json();
    for id in ["StackId", "RequestId", "LogicalResourceId"] {
        assert_eq!(answer[id], event[id], "{id}");
    }
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let physical_id = text("PhysicalResourceId");
    assert!((1..=1024).contains(&physical_id.len()), "{physical_id}");
    if event["RequestType"] == "Delete" {
        assert_eq!(answer["PhysicalResourceId"], event["PhysicalResourceId"]);
    }
    let success = match answer["Status"].as_str() {
        Some("SUCCESS") => true,
        Some("FAILED") => false,
        other => panic!("{other:?}"),
    };
    let ending = format!(" (log stream {LOG_STREAM})");
    let reason = text("Reason");
    let reason = reason.strip_suffix(&ending).unwrap_or(&reason).to_owned();
    assert_eq!(success, reason.is_empty(), "{body}");
    assert!(success || body.contains(LOG_STREAM), "{body}");
    let data = answer["Data"].as_object().cloned().unwrap_or_default().into_iter();
    let data = data.map(|(name, it)| (name, it.as_str().unwrap().to_owned())).collect();
    Answer { success, reason, physical_id, data, body }
}
