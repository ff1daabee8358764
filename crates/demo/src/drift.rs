//! The chapter about drift: manual changes that are repaired.

use std::time::Duration;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Organization};
use tokio::time::interval;

use crate::demo::Demo;
use crate::failure::{DemoError, ensure};
use crate::ledger::written;
use crate::organization::now;

const DAILY: &str = "org-backup-daily";
const MONTHLY: &str = "org-backup-monthly";

/// The maximum wait for a repair, in ticks of 20 milliseconds.
const TICKS: usize = 3_000;

impl Demo<'_> {
    pub(crate) async fn drift(&mut self) -> Result<(), DemoError> {
        self.screen.chapter(8, "Deploy templates/reattach.yaml, and change things by hand");
        let told = self.deploy(&self.reattach).await?;
        let deployment = told.deployment.expect("CREATE_COMPLETE")?;
        let topic = deployment.outputs.get("TopicArn").cloned().unwrap_or_default();
        self.simulated.add_topic(&topic);

        let organization = self.simulated.organization();
        let root = organization.root.clone();
        let id = |name: &str| organization.policy_named(name).map(|it| it.id.clone());
        let (daily, monthly) = (id(DAILY).unwrap_or_default(), id(MONTHLY).unwrap_or_default());
        let at_root = |id: &str| json!({ "PolicyId": id, "TargetId": root });
        self.undo("detaches the daily policy", &[("DetachPolicy", at_root(&daily))], |it| {
            is_attached(it, DAILY) && it.policy_named(DAILY).is_some_and(|it| it.id == daily)
        })
        .await?;
        self.undo(
            "deletes the monthly policy",
            &[
                ("DetachPolicy", at_root(&monthly)),
                ("DeletePolicy", json!({ "PolicyId": monthly })),
            ],
            |it| is_attached(it, MONTHLY),
        )
        .await?;
        self.undo(
            "disables the policy type, which detaches both",
            &[("DisablePolicyType", json!({ "RootId": root, "PolicyType": BACKUP_POLICY }))],
            |it| is_attached(it, DAILY) && is_attached(it, MONTHLY),
        )
        .await?;
        self.all_are_reached()
    }

    /// Undoes something as a user, sends the events of the change, and waits until `is_whole` holds
    /// again.
    async fn undo(
        &self,
        what: &str,
        calls: &[(&str, Value)],
        is_whole: impl Fn(&Organization) -> bool,
    ) -> Result<(), DemoError> {
        let told = self.simulated.notifications().len();
        // Only the events of these calls go to the function.
        drop(self.simulated.take_events());
        for (operation, request) in calls {
            self.simulated.tamper("mallory", operation, request)?;
        }
        ensure(!is_whole(&self.simulated.organization()), || format!("mallory {what}"))?;
        let undone = now();
        let events = self.simulated.take_events().into_iter().map(|it| happened(it, undone));
        self.deployer.put_events(events.collect()).await?;
        self.screen.wait_for(&format!("mallory {what}"));
        let mut tick = interval(Duration::from_millis(20));
        let mut ticks = 0..TICKS;
        while !is_whole(&self.simulated.organization())
            || self.simulated.notifications().len() == told
        {
            ensure(ticks.next().is_some(), || {
                format!("what mallory did is put back\n{}", self.ministack.last_words())
            })?;
            tick.tick().await;
        }
        self.screen.rest();
        let made = self.simulated.calls_between(undone, i64::MAX);
        let writes: Vec<_> = made.iter().filter(|it| it.is_successful_write()).collect();
        let repairs = writes.iter().filter(|it| it.operation != "Publish");
        let last = repairs.clone().map(|it| self.simulated.time_of(it)).max().unwrap_or(undone);
        let operations: Vec<_> = calls.iter().map(|it| it.0).collect();
        self.screen.line(&format!("   mallory {what}: {}", operations.join(", ")));
        for it in repairs {
            self.screen.line(&self.screen.dim(&written(it)));
        }
        let notifications = self.simulated.notifications().split_off(told);
        let (subject, text) = notifications.into_iter().next().unwrap_or_default();
        let is_of_mallory = |it: &&str| {
            it.contains("mallory") && operations.iter().any(|operation| it.contains(operation))
        };
        let who: Vec<_> = text.lines().map(str::trim).filter(is_of_mallory).collect();
        ensure(!who.is_empty(), || format!("the notification names who did it: {text}"))?;
        self.screen.line(&self.screen.dim(&format!("   {subject}: {}", who.join("; "))));
        self.screen.so(&format!("put back {} ms after it was undone", last - undone));
        Ok(())
    }
}

/// Returns the event with this time, in milliseconds of the Unix epoch. The simulator has a clock
/// of its own, and events of the past would count as already repaired.
fn happened(mut event: Value, at: i64) -> Value {
    let time = DateTime::from_millis(at).fmt(Format::DateTime).unwrap_or_default();
    if let Some(detail) = event.get_mut("detail").and_then(Value::as_object_mut) {
        detail.insert("eventTime".to_owned(), json!(time));
    }
    event
}

/// Returns `true` if backup policies are enabled and the policy with this name is attached to the
/// root.
fn is_attached(organization: &Organization, name: &str) -> bool {
    let policy = organization.policy_named(name).map(|it| it.id.clone());
    let attached = organization.attached(&organization.root);
    organization.is_enabled(BACKUP_POLICY) && policy.is_some_and(|it| attached.contains(&it))
}
