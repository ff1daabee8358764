//! Two invocations of `reattach` at once, of which one is at work.

use std::time::{Duration, SystemTime};

use plan::desired_state::{self, PREFIX};
use plan::reattach::{Lease, Sweep};
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Entry, Fault, Moment, Outcome, Settings};
use tests::organization::{Organization, document};
use tests::reattach::{Reattach, TOPIC, batch, told};
use tests::role::STATE_BUCKET;

/// Enough for a few looks more at a lease that is held, also on a machine that is busy.
const BRIEFLY: Duration = Duration::from_secs(8);

/// An organization with a policy at its root.
async fn deployed() -> Organization {
    let organization = Organization::bare(Settings::default()).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.topics(|it| it.create(TOPIC));
    for (function, name, properties) in [
        ("policy-types", "Types", json!({ "PolicyTypes": [BACKUP_POLICY] })),
        (
            "backup-policy",
            "Daily",
            json!({ "Name": "daily", "Content": document(5), "TargetIds": ["root"] }),
        ),
    ] {
        let mut stack = organization.stack(function).named(name).kept();
        let _ = stack.create(properties).await.ok();
    }
    organization.clear_journal();
    organization
}

/// Somebody deletes the policy; this is what CloudTrail tells.
fn delete(organization: &Organization) -> [Value; 2] {
    let (policy, root) = (organization.policy_id("daily"), organization.id("root"));
    organization.organization(|it| {
        it.detach_policy(&policy, &root).unwrap();
        it.delete_policy(&policy).unwrap();
    });
    [
        told("DetachPolicy", &json!({ "policyId": policy, "targetId": root })),
        told("DeletePolicy", &json!({ "policyId": policy })),
    ]
}

fn is_lease(entry: &Entry) -> bool {
    entry.summary.contains(Lease::KEY)
}

fn count(organization: &Organization, wanted: impl Fn(&Entry) -> bool) -> usize {
    organization.journal().iter().filter(|it| it.is_successful_write() && wanted(it)).count()
}

/// What is kept of the lease.
fn kept(organization: &Organization) -> Value {
    serde_json::from_str(&organization.object(STATE_BUCKET, Lease::KEY).unwrap()).unwrap()
}

/// Keeps this in place of the lease.
fn keep(organization: &Organization, lease: impl Into<Vec<u8>>) {
    organization.buckets(|it| it.put(STATE_BUCKET, Lease::KEY, lease));
}

/// The number of the first call that is `wanted` when nothing disturbs a sweep, or the delivery of what
/// tells that the policy was deleted.
async fn number(is_sweep: bool, wanted: impl Fn(&Entry) -> bool) -> u64 {
    let organization = deployed().await;
    let events = delete(&organization);
    organization.clear_journal();
    let reattach = Reattach::start(&organization, "Repair").await;
    if is_sweep {
        let _ = reattach.sweep().await;
    } else {
        assert!(reattach.deliver(&events).await.is_empty());
    }
    let calls = organization.journal();
    u64::try_from(calls.iter().position(wanted).unwrap()).unwrap() + 1
}

/// The number of the call with which the lease is taken.
async fn taken(is_sweep: bool) -> u64 {
    number(is_sweep, |it| it.write && is_lease(it)).await
}

/// Stops `first` at its `nth` call, whose work is done and whose answer it does not get, while
/// `meanwhile` happens. Returns what came of it.
async fn stopped<T>(
    organization: &Organization,
    nth: u64,
    first: impl Future<Output = T>,
    meanwhile: impl AsyncFnOnce(),
) -> T {
    let mut hold = organization.hold(nth, Moment::After);
    let meanwhile = async {
        assert!(hold.reached().await, "the call never came");
        meanwhile().await;
        drop(hold);
    };
    tokio::join!(first, meanwhile).0
}

#[tokio::test]
async fn while_one_is_at_work_another_changes_nothing_and_its_messages_come_again() {
    let writes: [fn(&Entry) -> bool; 3] = [
        |it| it.write && is_lease(it),
        |it| it.operation == "CreatePolicy",
        |it| it.operation == "AttachPolicy",
    ];
    for wanted in writes {
        let nth = number(false, wanted).await;
        let organization = deployed().await;
        let before = organization.state();
        let events = delete(&organization);
        let one = Reattach::start(&organization, "Repair").await;
        let other = Reattach::start(&organization, "Repair").await.within(BRIEFLY);
        let again = stopped(&organization, nth, one.deliver(&events), async || {
            let before = count(&organization, |_| true);
            assert_eq!(other.deliver(&events).await, [0, 1], "{nth}: {}", other.logs());
            assert_eq!(count(&organization, |_| true), before, "{nth}: it wrote something");
            assert!(other.logs().contains("the messages are delivered again"), "{}", other.logs());
        });
        assert!(again.await.is_empty(), "{nth}: {}", one.logs());
        assert_eq!(organization.state(), before, "{nth}");
        assert_eq!(count(&organization, |it| it.operation == "CreatePolicy"), 1, "{nth}");
        let told = organization.notifications().len();
        // They come again, and there is nothing left to do.
        assert!(other.within(Duration::from_secs(30)).deliver(&events).await.is_empty());
        assert_eq!(count(&organization, |it| it.operation == "CreatePolicy"), 1, "{nth}");
        assert_eq!(organization.notifications().len(), told, "{nth}");
    }
}

#[tokio::test]
async fn who_waits_goes_on_when_the_other_is_done() {
    let organization = deployed().await;
    let before = organization.state();
    let events = delete(&organization);
    let one = Reattach::start(&organization, "Repair").await;
    let other = Reattach::start(&organization, "Repair").await.within(Duration::from_mins(1));
    let (first, second) = tokio::join!(one.deliver(&events), other.deliver(&events));
    assert_eq!((first.len(), second.len()), (0, 0), "{}\n{}", one.logs(), other.logs());
    assert_eq!(organization.state(), before);
    assert_eq!(count(&organization, |it| it.operation == "CreatePolicy"), 1);
    assert_eq!(kept(&organization)["Ended"], true);
}

#[tokio::test]
async fn who_waits_reads_again_what_the_other_has_left() {
    // The second look at the lease, since the first is to find it held.
    let nth = number(true, |it| it.operation == "GetObject" && is_lease(it)).await + 1;
    let organization = deployed().await;
    // The entries at the last sweep of these kinds.
    let swept = |kinds: &[&str]| {
        let keys = organization.buckets(|it| {
            let keys = it.keys(STATE_BUCKET).into_iter().filter(|it| it.starts_with(PREFIX));
            keys.map(str::to_owned).collect::<Vec<_>>()
        });
        let keys = keys.iter().filter(|key| kinds.iter().any(|it| key.contains(it)));
        let texts = keys.map(|it| organization.object(STATE_BUCKET, it).unwrap());
        let entries: Vec<_> = texts.map(|it| desired_state::Entry::read(&it).unwrap()).collect();
        assert_eq!(entries.len(), kinds.len());
        let sweep = Sweep::of(SystemTime::now(), &entries);
        organization.buckets(|it| it.put(STATE_BUCKET, Sweep::KEY, sweep.text()));
    };
    let lease = |ended: bool| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let until = now.as_secs() + 60;
        json!({ "Holder": "a", "LogStream": "b", "Task": "Events", "Until": until, "Ended": ended })
    };
    swept(&["policy-types"]);
    keep(&organization, lease(false).to_string());
    let reattach = Reattach::start(&organization, "Repair").await.within(Duration::from_mins(1));
    let done = stopped(&organization, nth, reattach.sweep(), async || {
        // The other sees the policy for the first time, and somebody undoes something after that.
        swept(&["policy-types", "backup-policy"]);
        let (policy, root) = (organization.policy_id("daily"), organization.id("root"));
        organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
        keep(&organization, lease(true).to_string());
    });
    let done = done.await;
    assert!(matches!(done, Outcome::Returned(_)), "{}", reattach.logs());
    let (subject, text) = organization.notifications().pop().unwrap();
    assert_eq!(subject, "org-backup: 1 put back", "{text}");
}

#[tokio::test]
async fn one_that_is_killed_keeps_others_away_until_its_lease_is_over() {
    let nth = number(true, |it| it.operation == "CreatePolicy").await;
    let organization = deployed().await;
    let before = organization.state();
    let events = delete(&organization);
    let one = Reattach::start(&organization, "Repair").await;
    let other = Reattach::start(&organization, "Repair").await.within(BRIEFLY);
    let outcome = stopped(&organization, nth, one.sweep(), async || one.kill().await);
    assert!(matches!(outcome.await, Outcome::Exited(_)));
    assert_eq!(other.deliver(&events).await, [0, 1]);
    let lease = kept(&organization);
    // It had two minutes, and its lease a minute more.
    organization.pass(Duration::from_secs(3 * 60 + 1));
    assert!(other.within(Duration::from_secs(30)).deliver(&events).await.is_empty());
    assert_eq!(organization.state(), before);
    assert_ne!(kept(&organization)["Holder"], lease["Holder"]);
    assert_eq!(kept(&organization)["Ended"], true);
}

#[tokio::test]
async fn what_is_no_lease_keeps_nobody_away() {
    let endless = json!({
        "Holder": "a", "LogStream": "b", "Task": "Events", "Until": 9_000_000_000_u64,
    });
    let expired = json!({ "Holder": "a", "LogStream": "b", "Task": "Sweep", "Until": 1 });
    let cut_off = "takes the lease of one that was cut off";
    let no_lease = "replaces an object that is not a lease";
    for (lease, says) in [
        (expired.to_string().into_bytes(), cut_off),
        (endless.to_string().into_bytes(), no_lease),
        (b"{".to_vec(), no_lease),
        (vec![], no_lease),
        (vec![0xFF], no_lease),
    ] {
        let organization = deployed().await;
        let before = organization.state();
        let events = delete(&organization);
        keep(&organization, lease.clone());
        let reattach = Reattach::start(&organization, "Repair").await;
        assert!(reattach.deliver(&events).await.is_empty(), "{lease:?}");
        assert_eq!(organization.state(), before, "{lease:?}");
        assert!(reattach.logs().contains(says), "{lease:?}: {}", reattach.logs());
        assert_eq!(kept(&organization)["Ended"], true, "{lease:?}");
    }
}

#[tokio::test]
async fn a_sweep_beside_another_is_done_with_and_one_beside_events_is_left_out() {
    let [of_sweep, of_events] = [taken(true).await, taken(false).await];
    let organization = deployed().await;
    let one = Reattach::start(&organization, "Repair").await;
    let other = Reattach::start(&organization, "Repair").await.within(BRIEFLY);
    let swept = stopped(&organization, of_sweep, one.sweep(), async || {
        let nothing = json!({ "batchItemFailures": [] });
        assert_eq!(other.sweep().await, Outcome::Returned(nothing));
        assert!(other.logs().contains("another sweep is running"), "{}", other.logs());
    });
    assert!(matches!(swept.await, Outcome::Returned(_)), "{}", one.logs());
    assert_eq!(one.metrics()["Sweeps"], 1);
    let events = delete(&organization);
    let delivered = stopped(&organization, of_events, one.deliver(&events), async || {
        let Outcome::Failed(why) = other.sweep().await else { panic!("{}", other.logs()) };
        let why = why["errorMessage"].as_str().unwrap();
        assert!(why.starts_with("this sweep is left out, since request "), "{why}");
        assert!(why.ends_with("and the schedule starts the next one"), "{why}");
    });
    assert!(delivered.await.is_empty());
}

#[tokio::test]
async fn where_the_lease_cannot_be_taken_nothing_is_changed_and_all_comes_again() {
    let organization = deployed().await;
    let before = organization.state();
    let events = delete(&organization);
    let damaged = organization.state();
    let one = Reattach::start(&organization, "Repair").await;
    for fault in [
        Fault::error("PutObject", "AccessDenied").status(403),
        Fault::error("PutObject", "PreconditionFailed").status(412).forever(),
    ] {
        organization.fail(fault);
        let reattach = Reattach::start(&organization, "Repair").await.within(BRIEFLY);
        let outcome = reattach.invoke(&batch(1, &events)).await;
        let Outcome::Failed(why) = outcome else { panic!("{outcome:?}: {}", reattach.logs()) };
        assert!(
            why.to_string().contains(
                "cannot take the lease, so another invocation may be \
                                          running"
            ),
            "{why}"
        );
        organization.clear_faults();
        assert_eq!(organization.state(), damaged);
    }
    // The reply to the write is lost, and the lease is taken all the same.
    organization.fail(Fault::new("PutObject", simulator::Kind::DropAfter));
    assert!(one.deliver(&events).await.is_empty(), "{}", one.logs());
    assert_eq!(organization.state(), before);
}
