//! A function under test.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::child::Child;
use super::runtime::{Deadline, Runtime, Said, serve};
use crate::hold::Hold;
use crate::simulator::Simulator;

/// The outcome of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function answered this.
    Returned(Value),
    /// The function reported this error.
    Failed(Value),
    /// The process ended instead of answering.
    Exited(Option<ExitStatus>),
    /// The function did not answer in time, and was killed as Lambda does.
    TimedOut,
}

/// A function binary and its environment.
#[derive(Clone, Debug)]
pub struct FunctionBuilder {
    /// The command under which the binary runs: empty, or a tool that observes it.
    under: Vec<String>,
    binary: PathBuf,
    env: BTreeMap<String, String>,
}

impl FunctionBuilder {
    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// Runs the binary under `command`, for example a tool that counts its instructions.
    #[must_use]
    pub fn under(mut self, command: &[&str]) -> Self {
        self.under = command.iter().map(|&it| it.to_owned()).collect();
        self
    }

    /// Makes this account the caller.
    #[must_use]
    pub fn account(self, account: &str) -> Self {
        self.env("AWS_ACCESS_KEY_ID", account)
    }

    /// Starts the process.
    ///
    /// # Errors
    ///
    /// Returns an error if the binary cannot be run.
    pub async fn start(self) -> io::Result<Function> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let runtime = Arc::new(Runtime::default());
        let server = tokio::spawn(serve(listener, Arc::clone(&runtime)));
        let mut words = self.under.iter().map(OsStr::new).chain([self.binary.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .env_clear()
            .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("2031/05/07/[$LATEST]{}", address.port()))
            .envs(&self.env)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string());
        match Child::spawn(command) {
            Ok(child) => Ok(Function { runtime, child, server }),
            Err(error) => {
                server.abort();
                Err(error)
            }
        }
    }
}

/// A running function: a real binary under a Lambda Runtime API of its own. Dropping this kills it.
pub struct Function {
    runtime: Arc<Runtime>,
    child: Child,
    server: JoinHandle<()>,
}

impl Function {
    /// Prepares a function that uses `simulator` as AWS and calls it as the management account.
    #[must_use]
    pub fn of(binary: &Path, simulator: &Simulator) -> FunctionBuilder {
        let management = simulator.organization(|it| it.management_account.clone());
        let region = simulator.region();
        let name = binary.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        FunctionBuilder { under: Vec::new(), binary: binary.to_owned(), env: BTreeMap::new() }
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_REGION", region)
            .env("AWS_SECRET_ACCESS_KEY", "simulated")
            .env("AWS_SESSION_TOKEN", "simulated")
            .env("AWS_ENDPOINT_URL", simulator.url())
            // CloudFormation waits on this machine. Released functions only accept that with this
            // variable.
            .env("ORG_BACKUP_LOOPBACK", "true")
            .account(&management)
    }

    /// Sends `event`, which has to be answered within `deadline`.
    pub async fn invoke(&self, event: &Value, deadline: Duration) -> Outcome {
        self.invoke_text(&event.to_string(), deadline).await
    }

    /// Does the same for an event that a [`Value`] cannot represent.
    pub async fn invoke_text(&self, event: &str, deadline: Duration) -> Outcome {
        if self.runtime.init_error().is_some() {
            return Outcome::Exited(self.child.exited().await);
        }
        let answer = self.runtime.submit(event.to_owned(), Deadline::After(deadline));
        tokio::select! {
            biased;
            Ok(said) = answer => match said {
                Said::Response(value) => Outcome::Returned(value),
                Said::Error(value) => Outcome::Failed(value),
            },
            status = self.child.exited() => Outcome::Exited(status),
            () = expire(deadline) => {
                self.kill().await;
                Outcome::TimedOut
            }
        }
    }

    /// Sends `event` with `deadline`, which is not a valid time, and waits until the function asks
    /// for another event. Returns `true` if it does. You must [wait](Self::idle) for its earlier
    /// request first.
    pub async fn invoke_without_deadline(&self, event: &Value, deadline: &str) -> bool {
        let _nobody_answers =
            self.runtime.submit(event.to_string(), Deadline::Text(deadline.to_owned()));
        tokio::select! {
            () = self.runtime.asked() => true,
            _ = self.child.exited() => false,
        }
    }

    /// Sends `event`, and kills the function when the call of `hold` arrives. If that call never
    /// arrives, returns the same as [`Self::invoke`].
    pub async fn invoke_until(&self, event: &Value, deadline: Duration, mut hold: Hold) -> Outcome {
        tokio::select! {
            outcome = self.invoke(event, deadline) => outcome,
            true = hold.reached() => Outcome::Exited(self.kill().await),
        }
    }

    /// Waits until the function has asked for an event, or has ended, since the last wait.
    pub async fn idle(&self) {
        tokio::select! {
            () = self.runtime.asked() => {}
            _ = self.child.exited() => {}
        }
    }

    /// Returns the ID of the process, if it has one.
    #[must_use]
    pub fn process(&self) -> Option<i32> {
        self.child.process()
    }

    /// Returns the output so far.
    #[must_use]
    pub fn logs(&self) -> String {
        self.child.logs()
    }

    /// Returns the error that the function reported if it could not start.
    #[must_use]
    pub fn init_error(&self) -> Option<Value> {
        self.runtime.init_error()
    }

    /// Kills the process and waits for its end.
    pub async fn kill(&self) -> Option<ExitStatus> {
        self.child.signal(Signal::KILL);
        self.child.exited().await
    }

    /// Asks the process to end and waits for its end.
    pub async fn stop(&self) -> Option<ExitStatus> {
        self.child.signal(Signal::TERM);
        self.child.exited().await
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "Lambda ends an invocation that takes too long")]
async fn expire(deadline: Duration) {
    tokio::time::sleep(deadline).await;
}
