//! Tells other programs: events on an event bus, and findings in AWS Security Hub.

use media::json::compact;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::error;

use crate::advice::Advice;
use crate::api::answers::refused;
use crate::api::{Question, Request, Service, ask, events};
use crate::error::{Error, Useless};
use crate::operation::{IMPORT_FINDINGS, PUT_EVENTS};
use crate::session::Session;

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
        let action = format!("put an event on the bus {bus}");
        let put = ask(self.config(), events::put(entry));
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
            let import = Request {
                service: Service::SECURITY_HUB,
                operation: IMPORT_FINDINGS.name,
                question,
                read: |it| refused(it, "FailedCount", "FailedFindings"),
            };
            let import = ask(self.config(), import);
            let imported = self.calls(deadline).call(IMPORT_FINDINGS, &action, import).await;
            let hint = "let the function's role import findings, and enable Security Hub in its \
                        account and Region";
            taken(action, imported.map_err(|it| it.advised(Advice::Same(hint)))?)?;
        }
        Ok(())
    }
}

/// Returns an error if something was not taken, and logs the reasons.
fn taken(action: String, reasons: Vec<String>) -> Result<(), Error> {
    let Some(first) = reasons.first() else { return Ok(()) };
    error!(action, count = reasons.len(), first, "AWS refused some entries");
    Err(Error::unusable(action, REFUSED))
}
