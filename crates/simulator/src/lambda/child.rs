//! The process of a function and its output.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// A running process. Dropping this kills it.
pub(super) struct Child {
    pid: Option<Pid>,
    logs: Arc<Mutex<String>>,
    exited: watch::Receiver<Option<ExitStatus>>,
    _waiter: JoinHandle<()>,
}

impl Child {
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let logs = Arc::new(Mutex::new(String::new()));
        let mut readers = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            readers.spawn(collect(stdout, Arc::clone(&logs)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.spawn(collect(stderr, Arc::clone(&logs)));
        }
        let pid = child.id().and_then(|it| Pid::from_raw(it.cast_signed()));
        let (tell, exited) = watch::channel(None);
        let waiter = tokio::spawn(async move {
            let status = child.wait().await;
            // All output is in the logs before the end is reported.
            while readers.join_next().await.is_some() {}
            tell.send_replace(status.ok());
        });
        Ok(Self { pid, logs, exited, _waiter: waiter })
    }

    pub(super) fn process(&self) -> Option<i32> {
        self.pid.map(Pid::as_raw_pid)
    }

    pub(super) fn logs(&self) -> String {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the process ends or can no longer be observed.
    pub(super) async fn exited(&self) -> Option<ExitStatus> {
        let mut exited = self.exited.clone();
        exited.wait_for(Option::is_some).await.ok().and_then(|it| *it)
    }

    pub(super) fn signal(&self, signal: Signal) {
        // After the process has ended, another process may have its ID.
        let running = self.exited.borrow().is_none() && self.exited.has_changed().is_ok();
        if let Some(pid) = self.pid.filter(|_| running) {
            let _gone_already = kill_process(pid, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

async fn collect(output: impl AsyncRead + Unpin, logs: Arc<Mutex<String>>) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await.is_ok_and(|it| it > 0) {
        let mut logs = logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
}
