//! Tells other programs: events on an event bus, and findings in AWS Security Hub.

use media::json::compact;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::error;

use crate::advice::Advice;
use crate::api::{BoxError, Question, Service, ask};
use crate::error::{Error, Useless};
use crate::operation::{IMPORT_FINDINGS, PUT_EVENTS};
use crate::session::Session;

const EVENTS: Service = Service { id: "EventBridge", name: "events" };

const SECURITY_HUB: Service = Service { id: "SecurityHub", name: "securityhub" };

/// The most findings of a request.
const FINDINGS: usize = 100;

const REFUSED: Useless = Useless {
    why: "AWS accepted the request and refused its entries; the log has the reasons",
    advice: Advice::Same("update org-backup, or switch it off"),
};

impl Session {
    /// Puts an event on an event bus of the function's own account.
    ///
    /// # Errors
    ///
    /// Returns an error if the bus does not take the event before `deadline`.
    pub async fn put_event(
        &self,
        bus: &str,
        source: &str,
        kind: &str,
        detail: &Value,
        deadline: Instant,
    ) -> Result<(), Error> {
        let entry = json!({
            "EventBusName": bus,
            "Source": source,
            "DetailType": kind,
            "Detail": compact(detail),
        });
        let body = json!({ "Entries": [entry] });
        let question = Question::Json { protocol: "1.1", target: "AWSEvents", body };
        let action = format!("put an event on the bus {bus}");
        let put = ask(self.config(), EVENTS, PUT_EVENTS.name, question, |it| {
            failed(it, "FailedEntryCount", "Entries")
        });
        let put = self.calls(deadline).call(PUT_EVENTS, &action, put).await;
        let hint = "let the function's role put events on the bus";
        taken(action, put.map_err(|it| it.advised(Advice::Same(hint)))?)
    }

    /// Imports findings into AWS Security Hub. A finding that is there is replaced.
    ///
    /// # Errors
    ///
    /// Returns an error if Security Hub does not take all of them before `deadline`. Those of the
    /// requests so far are there.
    pub async fn import_findings(
        &self,
        findings: &[Value],
        deadline: Instant,
    ) -> Result<(), Error> {
        for some in findings.chunks(FINDINGS) {
            let body = json!({ "Findings": some });
            let question = Question::Post { path: "/findings/import".into(), body };
            let action = format!("import {} findings into Security Hub", some.len());
            let import = ask(self.config(), SECURITY_HUB, IMPORT_FINDINGS.name, question, |it| {
                failed(it, "FailedCount", "FailedFindings")
            });
            let imported = self.calls(deadline).call(IMPORT_FINDINGS, &action, import).await;
            let hint = "let the function's role import findings, and enable Security Hub in its \
                        account and Region";
            taken(action, imported.map_err(|it| it.advised(Advice::Same(hint)))?)?;
        }
        Ok(())
    }
}

/// Returns the reasons for what was not taken: the number of it is in the member `count`, and a list
/// of entries with reasons is in the member `list`.
fn failed(answer: &str, count: &str, list: &str) -> Result<Vec<String>, BoxError> {
    let answer: Value = serde_json::from_str(answer)?;
    if answer.get(count).and_then(Value::as_u64) == Some(0) {
        return Ok(vec![]);
    }
    let entries = answer.get(list).and_then(Value::as_array).into_iter().flatten();
    let reason = |it: &Value| {
        let text = |name| it.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        format!("{}: {}", text("ErrorCode"), text("ErrorMessage"))
    };
    let reasons: Vec<_> = entries.map(reason).collect();
    Ok(if reasons.is_empty() { vec!["no reason was given".to_owned()] } else { reasons })
}

/// Returns an error if something was not taken, and logs the reasons.
fn taken(action: String, reasons: Vec<String>) -> Result<(), Error> {
    let Some(first) = reasons.first() else { return Ok(()) };
    error!(action, count = reasons.len(), first, "AWS refused some entries");
    Err(Error::unusable(action, REFUSED))
}
