use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use expect_test::expect;
use serde_json::{Value, json};

use super::*;
use crate::desired_state::{Delivery, Entry};
use crate::reattach::health::HealthChange;
use crate::resource::ResourceKind;

const STACK: &str = "arn:aws:cloudformation:eu-north-1:111122223333:stack/backups/4b1d";
const OWN_ROLE: &str = "arn:aws:iam::111122223333:role/org-backup-reattach";

/// A record of CloudTrail as EventBridge delivers it.
fn record(name: &str, parameters: Value) -> Value {
    json!({ "source": "aws.organizations", "detail": {
        "eventName": name,
        "eventTime": "2031-05-07T02:00:10Z",
        "readOnly": false,
        "sourceIPAddress": "203.0.113.9",
        "requestParameters": parameters,
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/Support/mallory",
            "sessionContext": {
                "sessionIssuer": { "arn": "arn:aws:iam::111122223333:role/Support" },
            },
        },
    } })
}

fn notice_of(name: &str, details: Value) -> Value {
    json!({ "detail": {
        "eventName": name,
        "eventTime": "2031-05-07T02:00:10Z",
        "readOnly": name == "EffectivePolicyValidation",
        "requestParameters": null,
        "userIdentity": { "accountId": "111122223333", "invokedBy": "AWS Internal" },
        "serviceEventDetails": details,
    } })
}

fn reading(event: &Value) -> Reading {
    read(event, &[OWN_ROLE.to_owned()].into())
}

fn event(it: &Value) -> Event {
    let Reading::Event(event) = reading(it) else { panic!("{it} is no event") };
    event
}

/// What `name` with `parameters` says, or why it says nothing.
fn said(name: &str, parameters: Value) -> String {
    match reading(&record(name, parameters)) {
        Reading::Event(event) => format!("{:?}", event.happening),
        Reading::Nothing(why) => why.to_owned(),
        Reading::Unknown(name) => format!("unknown: {name}"),
    }
}

fn by(request: &str) -> Delivery {
    Delivery { request: request.to_owned(), now: SystemTime::UNIX_EPOCH }
}

fn entry(kind: ResourceKind, name: &str, id: &str, properties: Value) -> Entry {
    Entry::new(kind, STACK, name).settled(&by("create"), id, id, properties)
}

fn entries() -> Vec<Entry> {
    let access = json!({
        "ServicePrincipals": ["backup.amazonaws.com"],
        "DelegatedAdministrators": [
            { "AccountId": "222233334444", "ServicePrincipal": "reports.backup.amazonaws.com" },
        ],
    });
    let policy = |name| json!({ "Name": name, "Content": { "plans": {} }, "TargetIds": ["root"] });
    vec![
        entry(ResourceKind::BackupPolicy, "Daily", "p-daily000", policy("daily")),
        entry(ResourceKind::BackupPolicy, "Weekly", "p-weekly00", policy("weekly")),
        entry(
            ResourceKind::PolicyTypes,
            "Types",
            "r-ab12/policy-types",
            json!({ "PolicyTypes": ["BACKUP_POLICY"] }),
        ),
        entry(ResourceKind::ServiceAccess, "Access", "1/service-access", access),
        entry(ResourceKind::GlobalSettings, "Settings", "backup-global-settings", json!({})),
    ]
}

/// The names of the resources that an event concerns.
fn concerned(event: &Event) -> Vec<String> {
    let entries = entries();
    let work = work(event, &entries, |_| None);
    let named = entries.iter().filter(|it| work.entries.contains(&it.key()));
    named.map(|it| it.logical_id.clone()).collect()
}

#[test]
fn an_event_says_what_may_have_changed() {
    let policy = json!({ "policyId": "p-daily000", "targetId": "r-ab12" });
    for name in ["AttachPolicy", "DetachPolicy", "UpdatePolicy", "DeletePolicy"] {
        assert_eq!(said(name, policy.clone()), r#"Policy(PolicyId("p-daily000"))"#, "{name}");
    }
    expect![[r#"Policy(PolicyId("p-daily000"))"#]]
        .assert_eq(&said("UntagResource", json!({ "resourceId": "p-daily000" })));
    expect![[r#"PolicyType(PolicyType("BACKUP_POLICY"))"#]]
        .assert_eq(&said("DisablePolicyType", json!({ "policyType": "BACKUP_POLICY" })));
    expect![[r#"Service(ServicePrincipal("backup.amazonaws.com"))"#]].assert_eq(&said(
        "DeregisterDelegatedAdministrator",
        json!({ "servicePrincipal": "backup.amazonaws.com", "accountId": "222233334444" }),
    ));
    expect![[r#"Joined(Some(AccountId("222233334444")))"#]]
        .assert_eq(&said("MoveAccount", json!({ "accountId": "222233334444" })));
    expect![[r#"Left(AccountId("222233334444"))"#]]
        .assert_eq(&said("RemoveAccountFromOrganization", json!({ "accountId": "222233334444" })));
}

#[test]
fn an_account_that_leaves_or_is_closed_is_named_in_another_place() {
    let mut left = record("LeaveOrganization", json!({}));
    left["detail"]["userIdentity"]["accountId"] = json!("222233334444");
    let gone = Happening::Left("222233334444".parse().unwrap());
    assert_eq!(event(&left).happening, gone);
    let closed =
        |state| json!({ "closeAccountStatus": { "state": state, "accountId": "222233334444" } });
    assert_eq!(event(&notice_of("CloseAccountResult", closed("SUCCEEDED"))).happening, gone);
    let failed = reading(&notice_of("CloseAccountResult", closed("FAILED")));
    assert_eq!(failed, Reading::Nothing("the operation that it reports failed"));
}

#[test]
fn the_settings_of_a_region_are_those_of_the_account_that_the_event_is_for() {
    let mut changed = record("UpdateRegionSettings", json!({}));
    changed["detail"]["recipientAccountId"] = json!("222233334444");
    assert_eq!(event(&changed).happening, Happening::Joined("222233334444".parse().ok()));
}

#[test]
fn only_the_first_event_of_aws_itself_is_told_by_aws() {
    let teller = |source: &str, changes: Value| {
        let mut told = record("DetachPolicy", json!({ "policyId": "p-daily000" }));
        told["source"] = json!(source);
        told.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        event(&told).teller
    };
    assert_eq!(teller("aws.organizations", json!({})), Teller::Aws);
    assert_eq!(teller("com.example", json!({})), Teller::Somebody);
    assert_eq!(teller("aws.organizations", json!({ "replay-name": "x" })), Teller::Somebody);
}

#[test]
fn an_event_happened_when_it_says() {
    let mut told = record("DetachPolicy", json!({ "policyId": "p-daily000" }));
    let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!(event(&told).time, at(1_935_885_610));
    told["detail"]["eventTime"] = json!("yesterday");
    assert_eq!((event(&told).time, &event(&told).who.time[..]), (None, "unknown"));
}

#[test]
fn who_did_it_is_only_a_name_that_aws_could_have_written() {
    let principal = |it: &str| {
        let mut told = record("DetachPolicy", json!({ "policyId": "p-daily000" }));
        told["detail"]["userIdentity"] = json!({ "arn": it });
        event(&told).who.principal
    };
    let longest = "x".repeat(400);
    for known in ["arn:aws:iam::111122223333:root", "AWS Internal", &longest] {
        assert_eq!(principal(known), known);
    }
    for strange in ["", "me\nand others", "no name", "größer", &"x".repeat(401)] {
        assert_eq!(principal(strange), "unknown", "{strange}");
    }
}

#[test]
fn the_sessions_of_a_role_are_one_actor() {
    let actor = |principal: &str| {
        Who { principal: principal.to_owned(), ..Who::default() }.actor().to_owned()
    };
    let role = "arn:aws:sts::111122223333:assumed-role/Support";
    assert_eq!(actor(&format!("{role}/mallory")), role);
    for single in [role, "arn:aws:iam::111122223333:user/path/mallory", "backup.amazonaws.com"] {
        assert_eq!(actor(single), single);
    }
}

#[test]
fn an_account_that_was_not_made_has_not_joined() {
    let status =
        |state| json!({ "createAccountStatus": { "state": state, "accountId": "222233334444" } });
    let made = event(&notice_of("CreateAccountResult", status("SUCCEEDED")));
    assert_eq!(made.happening, Happening::Joined("222233334444".parse().ok()));
    let failed = reading(&notice_of("CreateAccountResult", status("FAILED")));
    assert_eq!(failed, Reading::Nothing("the operation that it reports failed"));
}

#[test]
fn control_tower_tells_of_an_account_under_two_names() {
    for (name, member) in [
        ("CreateManagedAccount", "createManagedAccountStatus"),
        ("UpdateManagedAccount", "updateManagedAccountStatus"),
    ] {
        let status = json!({ "state": "SUCCEEDED", "account": { "accountId": "222233334444" } });
        let event = event(&notice_of(name, json!({ member: status })));
        assert_eq!(event.happening, Happening::Joined("222233334444".parse().ok()), "{name}");
    }
}

#[test]
fn an_invitation_may_or_may_not_say_who_accepted_it() {
    let mut accepted = record("AcceptHandshake", json!({ "handshakeId": "h-1" }));
    assert_eq!(event(&accepted).happening, Happening::Joined(None));
    accepted["detail"]["responseElements"] = json!({ "handshake": { "parties": [
        { "type": "ORGANIZATION", "id": "o-a1b2c3d4e5" }, { "type": "ACCOUNT", "id": "222233334444" },
    ] } });
    assert_eq!(event(&accepted).happening, Happening::Joined("222233334444".parse().ok()));
}

#[test]
fn a_verdict_on_an_effective_policy_counts_although_it_is_marked_as_reading() {
    let details = json!({ "policyType": "BACKUP_POLICY", "accountId": "222233334444" });
    let event = event(&notice_of("EffectivePolicyValidation", details));
    assert!(work(&event, &entries(), |_| None).health);
    let details = json!({ "policyType": "TAG_POLICY", "accountId": "222233334444" });
    let other = reading(&notice_of("EffectivePolicyValidation", details));
    assert_eq!(other, Reading::Nothing("it is about policies of another type"));
}

#[test]
fn what_changed_nothing_asks_for_nothing() {
    let mut failed = record("DetachPolicy", json!({ "policyId": "p-daily000" }));
    failed["detail"]["errorCode"] = json!("AccessDenied");
    assert_eq!(reading(&failed), Reading::Nothing("the call failed"));
    let mut read = record("DescribePolicy", json!({ "policyId": "p-daily000" }));
    read["detail"]["readOnly"] = json!(true);
    assert_eq!(reading(&read), Reading::Nothing("the call only reads"));
    let mut ours = record("DetachPolicy", json!({ "policyId": "p-daily000" }));
    ours["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = json!(OWN_ROLE);
    assert_eq!(reading(&ours), Reading::Nothing("the call is our own"));
    for name in ["CreatePolicy", "CreateAccount"] {
        assert_eq!(said(name, json!({})), "it does not remove anything", "{name}");
    }
}

#[test]
fn an_unknown_or_broken_event_is_told_apart_and_never_a_panic() {
    assert_eq!(said("PutTeapot", json!({})), "unknown: PutTeapot");
    for broken in [json!(null), json!({}), json!({ "detail": 5 }), json!({ "detail": {} })] {
        assert_eq!(
            reading(&broken),
            Reading::Nothing("it is not a record of CloudTrail"),
            "{broken}"
        );
    }
    for parameters in [json!(null), json!({ "policyId": 5 }), json!({ "policyId": "p-" })] {
        assert_eq!(said("DetachPolicy", parameters), "it does not name its subject");
    }
}

#[test]
fn an_event_concerns_what_it_may_have_undone() {
    let one = |name, parameters| concerned(&event(&record(name, parameters)));
    assert_eq!(one("DetachPolicy", json!({ "policyId": "p-weekly00" })), ["Weekly"]);
    assert_eq!(
        one("DisablePolicyType", json!({ "policyType": "BACKUP_POLICY" })),
        ["Daily", "Weekly", "Types"]
    );
    for service in ["backup.amazonaws.com", "reports.backup.amazonaws.com"] {
        let parameters = json!({ "servicePrincipal": service });
        assert_eq!(one("DisableAWSServiceAccess", parameters), ["Access"], "{service}");
    }
    assert_eq!(one("UpdateGlobalSettings", json!({})), ["Settings"]);
}

#[test]
fn what_belongs_to_others_concerns_nobody() {
    for (name, parameters) in [
        ("DetachPolicy", json!({ "policyId": "p-theirs00" })),
        ("DisablePolicyType", json!({ "policyType": "TAG_POLICY" })),
        ("DisableAWSServiceAccess", json!({ "servicePrincipal": "ram.amazonaws.com" })),
    ] {
        let event = event(&record(name, parameters));
        assert!(work(&event, &entries(), |_| None).is_nothing(), "{name}");
    }
}

#[test]
fn what_another_version_wrote_is_looked_after_so_that_it_is_told() {
    let newer = json!({ "PolicyTypes": ["BACKUP_POLICY"], "Tea": "green" });
    let entry = entry(ResourceKind::PolicyTypes, "Types", "r-ab12/policy-types", newer);
    let concerned = |name, parameters| {
        !work(&event(&record(name, parameters)), [&entry], |_| None).is_nothing()
    };
    assert!(concerned("DisablePolicyType", json!({ "policyType": "BACKUP_POLICY" })));
    assert!(!concerned("DetachPolicy", json!({ "policyId": "p-daily000" })));
}

#[test]
fn a_policy_that_was_made_again_is_concerned_by_its_new_id() {
    let entry = entries().remove(0).remade("p-again000");
    let by = |id| {
        let event = event(&record("DetachPolicy", json!({ "policyId": id })));
        !work(&event, [&entry], |_| None).is_nothing()
    };
    assert!(by("p-again000"));
    assert!(!by("p-daily000"));
}

#[test]
fn an_event_from_before_the_last_look_asks_for_nothing_more() {
    let event = event(&record("DetachPolicy", json!({ "policyId": "p-daily000" })));
    let happened = event.time.unwrap();
    let asks = |looked: Option<SystemTime>| !work(&event, &entries(), |_| looked).is_nothing();
    assert!(asks(None));
    assert!(asks(Some(happened + Duration::from_secs(9))), "clocks may differ");
    assert!(!asks(Some(happened + Duration::from_secs(10))));
    let undated = Event { time: None, ..event.clone() };
    assert!(!work(&undated, &entries(), |_| Some(happened + Duration::from_hours(1))).is_nothing());
}

#[test]
fn an_account_that_joined_is_looked_after_alone() {
    let event = |name, parameters| event(&record(name, parameters));
    let one = work(&event("MoveAccount", json!({ "accountId": "222233334444" })), &[], |_| None);
    let other = work(&event("MoveAccount", json!({ "accountId": "333344445555" })), &[], |_| None);
    let both = ["222233334444", "333344445555"].map(|it| it.parse().unwrap());
    assert_eq!(one.clone().and(other).accounts, Accounts::These(both.into()));
    let unnamed = work(&event("AcceptHandshake", json!({})), &[], |_| None);
    let mut all = one.and(unnamed);
    assert_eq!(all.accounts, Accounts::New(["222233334444".parse().unwrap()].into()));
    all = all.and(Work::everything(&entries()));
    assert_eq!(all.accounts, Accounts::All);
}

#[test]
fn the_same_work_twice_is_asked_for_once() {
    let named: BTreeSet<_> = ["222233334444".parse().unwrap()].into();
    for accounts in [Accounts::These(named.clone()), Accounts::New(named)] {
        for health in [false, true] {
            let work = Work { accounts: accounts.clone(), health, ..Work::default() };
            assert_eq!(work.clone().and(work.clone()), work);
            assert_eq!(Work::default().and(work.clone()), work);
            assert_eq!(work.clone().and(Work::default()), work);
        }
    }
}

#[test]
fn the_schedule_looks_after_everything() {
    let work = Work::everything(&entries());
    assert_eq!(work.entries.len(), 5);
    assert!(work.health);
    assert_eq!(work.accounts, Accounts::All);
}

fn finding(outcome: RepairOutcome) -> Finding {
    Finding {
        name: "backup policy `daily`".to_owned(),
        owner: "backups/4b1d/Daily".to_owned(),
        steps: vec!["attach to r-ab12".to_owned()],
        is_new: false,
        outcome,
    }
}

fn told(findings: &[Finding], health: Option<&HealthChange>) -> String {
    let happened = json!({ "policyId": "p-daily000", "targetId": "r-ab12" });
    let event = event(&record("DetachPolicy", happened));
    let details = ["222233334444: plans/daily: 'selections' is missing".to_owned()];
    let details = if health.is_some() { details.as_slice() } else { &[] };
    match notice(findings, &[&event], health, details) {
        Some(mail) => format!("{}\n---\n{}", mail.subject(), mail.text()),
        None => "nothing".to_owned(),
    }
}

#[test]
fn a_repair_is_told_with_who_undid_it_when_and_from_where() {
    expect![[r"
        org-backup: 1 put back
        ---
        Put back: backup policy `daily` (backups/4b1d/Daily)
          - attach to r-ab12

        Events before this:
          DetachPolicy p-daily000 r-ab12 by arn:aws:sts::111122223333:assumed-role/Support/mallory at 2031-05-07T02:00:10Z from 203.0.113.9
    "]]
    .assert_eq(&told(&[finding(RepairOutcome::Done)], None));
}

#[test]
fn what_could_not_be_put_back_comes_first_and_says_why() {
    let why = "cannot attach to r-ab12: AccessDeniedException".to_owned();
    expect![[r"
        org-backup: 1 could not be put back, 1 not as deployed
        ---
        COULD NOT BE PUT BACK: backup policy `daily` (backups/4b1d/Daily)
          - attach to r-ab12
          Why: cannot attach to r-ab12: AccessDeniedException

        Not as deployed, and left so (Mode is Report): backup policy `daily` (backups/4b1d/Daily)
          - attach to r-ab12

        Events before this:
          DetachPolicy p-daily000 r-ab12 by arn:aws:sts::111122223333:assumed-role/Support/mallory at 2031-05-07T02:00:10Z from 203.0.113.9
    "]]
    .assert_eq(&told(&[finding(RepairOutcome::Reported), finding(RepairOutcome::Failed(why))], None));
}

#[test]
fn what_cloudformation_does_not_have_is_told_and_is_no_failure() {
    let why = "its stack no longer has the resource `Daily`".to_owned();
    expect![[r"
        org-backup: 1 left alone
        ---
        Left alone: backup policy `daily` (backups/4b1d/Daily)
          - attach to r-ab12
          Why: its stack no longer has the resource `Daily`

        Events before this:
          DetachPolicy p-daily000 r-ab12 by arn:aws:sts::111122223333:assumed-role/Support/mallory at 2031-05-07T02:00:10Z from 203.0.113.9
    "]]
    .assert_eq(&told(&[finding(RepairOutcome::Left(why))], None));
}

#[test]
fn no_event_concerns_what_was_deleted() {
    let happened = event(&record("DetachPolicy", json!({ "policyId": "p-daily000" })));
    let daily =
        entry(ResourceKind::BackupPolicy, "Daily", "p-daily000", json!({ "Name": "daily" }));
    let gone = daily.deleted(&by("delete"), None, None);
    assert!(!work(&happened, [&daily], |_| None).is_nothing());
    assert!(work(&happened, [&gone], |_| None).is_nothing());
}

#[test]
fn nothing_is_told_of_what_was_as_it_should_be() {
    let fine = Finding { steps: vec![], ..finding(RepairOutcome::Done) };
    assert_eq!(told(&[fine], None), "nothing");
    assert_eq!(told(&[finding(RepairOutcome::Changing)], None), "nothing");
}

#[test]
fn what_nobody_looked_after_before_is_told_as_new_and_not_as_put_back() {
    let begun = Finding { is_new: true, ..finding(RepairOutcome::Done) };
    expect![[r"
        org-backup: 1 new and set up, 1 put back
        ---
        New since the last sweep, and set up: backup policy `daily` (backups/4b1d/Daily)
          - attach to r-ab12

        Put back: backup policy `daily` (backups/4b1d/Daily)
          - attach to r-ab12

        Events before this:
          DetachPolicy p-daily000 r-ab12 by arn:aws:sts::111122223333:assumed-role/Support/mallory at 2031-05-07T02:00:10Z from 203.0.113.9
    "]]
    .assert_eq(&told(&[begun, finding(RepairOutcome::Done)], None));
}

#[test]
fn invalid_accounts_are_told_when_they_change_and_not_again() {
    let of = |accounts: &[&str]| Health {
        invalid_accounts: accounts.iter().map(|it| (*it).to_owned()).collect(),
    };
    let (before, now) = (of(&["1", "2"]), of(&["2", "3"]));
    assert_eq!(now.change(&now), None);
    let change = before.change(&now).unwrap();
    expect![[r"
        org-backup: 1 newly invalid in effect, 1 valid again
        ---
        Events before this:
          DetachPolicy p-daily000 r-ab12 by arn:aws:sts::111122223333:assumed-role/Support/mallory at 2031-05-07T02:00:10Z from 203.0.113.9

        AWS withholds new backup policies from these accounts, because the merged policy is invalid:
          3

        The effective policy of these accounts is valid again, or they are gone:
          1

          222233334444: plans/daily: 'selections' is missing
    "]]
    .assert_eq(&told(&[], Some(&change)));
    assert_eq!(Health::read(&now.text()), now);
    assert_eq!(Health::read("not what it was"), Health::default());
}

/// The lines of a notification that begin with `begin`.
fn lines(mail: &media::Mail, begin: &str) -> Vec<String> {
    let text = mail.text();
    text.lines().filter(|it| it.starts_with(begin)).map(ToOwned::to_owned).collect()
}

#[test]
fn ten_of_a_kind_are_named_and_the_others_counted() {
    for (count, steps, resources) in [
        (10, &[][..], &[][..]),
        (11, &["  and 1 more"; 10][..], &["Put back: 1 more resources"][..]),
    ] {
        let steps_of_one = (0..count).map(|it| format!("attach to ou-ab12-{it:08}")).collect();
        let one = Finding { steps: steps_of_one, ..finding(RepairOutcome::Done) };
        let mail = notice(&vec![one; count], &[], None, &[]).unwrap();
        assert_eq!(lines(&mail, "  - ").len(), 100);
        assert_eq!(lines(&mail, "  and "), steps);
        assert_eq!(lines(&mail, "Put back: ")[10..], *resources);
    }
}

#[test]
fn many_events_are_counted_by_actor_and_the_rarest_come_first() {
    let by = |name: &str| {
        let mut told = record("DetachPolicy", json!({ "policyId": "p-daily000" }));
        let arn = format!("arn:aws:sts::111122223333:assumed-role/{name}/session");
        told["detail"]["userIdentity"]["arn"] = json!(arn);
        event(&told)
    };
    let lines_of = |events: &[Event]| {
        let causes: Vec<_> = events.iter().collect();
        lines(&notice(&[finding(RepairOutcome::Done)], &causes, None, &[]).unwrap(), "  ")[1..]
            .to_vec()
    };
    let ten: Vec<_> = (0..10).map(|it| by(&format!("role-{it}"))).collect();
    assert_eq!(lines_of(&ten).len(), 10);
    assert!(lines_of(&ten).iter().all(|it| it.starts_with("  DetachPolicy")));
    let mut many = vec![by("loud"); 20];
    many.extend(ten.iter().take(9).cloned());
    let told = lines_of(&many);
    assert_eq!(told.len(), 10, "{told:?}");
    let role = "arn:aws:sts::111122223333:assumed-role";
    assert!(told[0].starts_with(&format!("  1 by {role}/role-0, first DetachPolicy")), "{told:?}");
    assert!(told[9].starts_with(&format!("  20 by {role}/loud, first DetachPolicy")), "{told:?}");
    many.extend(ten.iter().skip(9).cloned());
    many.extend(vec![by("louder"); 30]);
    let told = lines_of(&many);
    assert_eq!(told[10..], ["  and 50 by 2 others"]);
}

#[test]
fn what_somebody_says_is_told_apart_from_what_aws_says() {
    let mut said = event(&record("DetachPolicy", json!({ "policyId": "p-daily000" })));
    said.teller = Teller::Somebody;
    let mail = notice(&[finding(RepairOutcome::Done)], &[&said], None, &[]).unwrap();
    assert_eq!(lines(&mail, "Events before this"), [""; 0]);
    assert_eq!(lines(&mail, "Claims in events").len(), 1);
}

#[test]
fn a_subject_is_what_sns_takes_however_much_there_is_to_tell() {
    let finding = finding(RepairOutcome::Failed("größer".to_owned()));
    let all: Vec<_> = std::iter::repeat_n(finding, 1_000).collect();
    let change = HealthChange {
        broken: (0..5_000).map(|it| it.to_string()).collect(),
        mended: (5_000..9_000).map(|it| it.to_string()).collect(),
    };
    let notice = notice(&all, &[], Some(&change), &[]).unwrap();
    let subject = notice.subject();
    assert!(subject.is_ascii() && subject.len() < 100 && !subject.contains('\n'), "{subject}");
}
