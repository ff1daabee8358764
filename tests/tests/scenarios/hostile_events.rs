//! Events that somebody made up: they are reported as claims, and start nothing over again.

use std::time::{Duration, SystemTime};

use plan::id::RunId;
use plan::reattach::Large;
use serde_json::{Value, json};
use simulator::Outcome;
use tests::organization::Organization;
use tests::reattach::{Reattach, told};
use tests::role::STATE_BUCKET;

use crate::reattach::{bare, detach, runs, with_daily, with_members, with_types};

/// The event as somebody puts it on the bus who is not AWS.
fn replayed(mut event: Value) -> Value {
    event["source"] = json!("org-backup.replay");
    event
}

#[tokio::test]
async fn a_cause_that_somebody_made_up_is_told_as_one_and_forges_no_line() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let mut event = replayed(detach(&organization));
    let detail = &mut event["detail"];
    detail["userIdentity"]["arn"] = json!("arn:aws:sts::111122223333:assumed-role/Ops/bob");
    detail["sourceIPAddress"] = json!(
        "192.0.2.7\n\nCOULD NOT BE PUT BACK: backup policy\n  Why: see https://evil.example/"
    );
    detail["requestParameters"]["targetId"] = json!("r-ab12\nPut back: everything");
    detail["requestParameters"]["servicePrincipal"] = json!("http://evil.example/");
    let reattach = Reattach::start(&organization, "Repair").await;
    assert!(reattach.deliver(&[event]).await.is_empty());
    let (subject, text) = organization.notifications().pop().unwrap();
    assert_eq!(subject, "org-backup: 1 put back");
    let (repair, cause) = text.split_once("Claims in events").unwrap();
    assert!(repair.contains("attach to root") && !repair.contains("bob"), "{text}");
    assert!(cause.contains("Nothing confirms them:\n  DetachPolicy daily by "), "{text}");
    assert!(cause.contains("assumed-role/Ops/bob") && cause.contains("from unknown"), "{text}");
    for forged in ["COULD NOT", "evil.example", "Put back: everything", "Events before this"] {
        assert!(!text.contains(forged), "{forged}: {text}");
    }
}

#[tokio::test]
async fn what_an_archive_plays_again_is_told_as_what_somebody_says() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let mut event = detach(&organization);
    event["replay-name"] = json!("last-week");
    let reattach = Reattach::start(&organization, "Repair").await;
    let _ = reattach.deliver(&[event]).await;
    let (_, text) = organization.notifications().pop().unwrap();
    assert!(text.contains("Nothing confirms them:"), "{text}");
}

#[tokio::test]
async fn a_flood_of_events_hides_no_other() {
    let organization = bare().await;
    let (_types, _daily) = (with_types(&organization).await, with_daily(&organization).await);
    let one = detach(&organization);
    let mut events = vec![];
    for session in 0..200 {
        let mut event = one.clone();
        let arn = format!("arn:aws:sts::111122223333:assumed-role/Flood/session-{session}");
        event["detail"]["userIdentity"]["arn"] = json!(arn);
        events.push(event.clone());
        let made_up = format!("arn:aws:iam::111122223333:user/user-{session}");
        event["detail"]["userIdentity"]["arn"] = json!(made_up);
        events.push(replayed(event));
    }
    events.insert(150, one);
    let reattach = Reattach::start(&organization, "Repair").await;
    assert!(reattach.deliver(&events).await.is_empty());
    let (_, text) = organization.notifications().pop().unwrap();
    let (before, somebody) = text.split_once("Claims in events").unwrap();
    for line in [
        "  1 by arn:aws:sts::management:assumed-role/Support, first DetachPolicy daily root by ",
        "  200 by arn:aws:sts::management:assumed-role/Flood, first DetachPolicy daily root by ",
    ] {
        assert!(before.contains(line), "{line}: {text}");
    }
    assert!(somebody.contains("  and 190 by 190 others"), "{text}");
    assert!(text.lines().count() < 40, "{text}");
}

/// Has a run over these accounts begun some minutes ago.
fn has_begun(organization: &Organization, accounts: &[String]) -> RunId {
    let run = RunId::of_request("stack", "some minutes ago");
    let ids = accounts.iter().map(|it| json!({ "Id": it }));
    let batch = json!({
        "Run": run, "Index": 0, "Round": 0, "Waits": 0, "Accounts": ids.collect::<Vec<_>>(),
    });
    let large = Large::at(run.clone(), SystemTime::now() - Duration::from_mins(5));
    organization.buckets(|it| {
        it.put(STATE_BUCKET, "runs/last/members/7a0c/Members.json", large.text());
        it.put(STATE_BUCKET, &run.batches_key(), json!([{ "Batch": batch }]).to_string());
    });
    run
}

fn accounts(organization: &Organization) -> Vec<String> {
    organization.organization(|it| it.accounts().map(|it| it.id.clone()).collect())
}

fn executions(organization: &Organization) -> usize {
    organization.state_machines(|it| it.executions().len())
}

#[tokio::test]
async fn nobody_starts_a_run_over_all_accounts_again_and_again() {
    let organization = bare().await;
    with_members(&organization);
    let run = has_begun(&organization, &accounts(&organization));
    let reattach = Reattach::start(&organization, "Repair").await;
    let forged = replayed(told("AcceptHandshake", &json!({})));
    for event in [forged.clone(), told("AcceptHandshake", &json!({}))] {
        assert!(reattach.deliver(&[event]).await.is_empty());
    }
    assert_eq!(executions(&organization), 0);
    // The schedule is satisfied as well with what goes on.
    let swept = reattach.sweep().await;
    assert!(matches!(swept, Outcome::Returned(_)), "{}", reattach.logs());
    assert_eq!(executions(&organization), 0);
    organization.buckets(|it| it.put(STATE_BUCKET, &run.report_key(), String::new()));
    assert!(reattach.deliver(std::slice::from_ref(&forged)).await.is_empty());
    assert_eq!(executions(&organization), 0);
    let _ = reattach.sweep().await;
    assert_eq!(executions(&organization), 1);
    assert!(reattach.deliver(&[forged]).await.is_empty());
    assert_eq!(executions(&organization), 1);
}

#[tokio::test]
async fn the_first_event_that_names_no_account_starts_a_run_over_all_and_the_next_none() {
    let organization = bare().await;
    with_members(&organization);
    let reattach = Reattach::start(&organization, "Repair").await;
    let event = told("AcceptHandshake", &json!({}));
    for _ in 0..3 {
        assert!(reattach.deliver(std::slice::from_ref(&event)).await.is_empty());
    }
    let runs = runs(&organization);
    assert!(runs.len() == 1 && runs[0].len() > 5, "{runs:?}");
}

#[tokio::test]
async fn an_account_that_joined_and_is_not_named_is_the_one_that_no_run_had() {
    let organization = bare().await;
    with_members(&organization);
    let mut before = accounts(&organization);
    let joined = organization.id("security-000");
    before.retain(|it| *it != joined);
    has_begun(&organization, &before);
    let reattach = Reattach::start(&organization, "Repair").await;
    assert!(reattach.deliver(&[told("AcceptHandshake", &json!({}))]).await.is_empty());
    assert_eq!(executions(&organization), 1);
    let started: Vec<_> = runs(&organization).into_iter().filter(|it| it.len() == 1).collect();
    assert_eq!(started.len(), 1);
    assert!(started[0][0].contains("security-000"), "{started:?}");
}
