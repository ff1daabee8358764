//! The daily look into every account, whose state machine is played here step by step.

use regex::Regex;
use report::history::{Day, DayState, Past, Summary, TIMELINE};
use serde_json::{Value, json};
use simulator::{Account, AccountState, Fault, Hub, Moment, Outcome};
use tests::command::org_backup;
use tests::organization::Organization;
use tests::reattach::TOPIC;
use tests::role::STATE_BUCKET;
use tests::sweeps::{CHAT_TOPIC, Sweeps};

use crate::cases::for_each;
use crate::coverage::{NIGHT, nightly, volume};
use crate::member_accounts::ROLE;

/// An organization that is backed up every night, with topics for notices.
async fn told() -> Organization {
    let organization = nightly().await;
    organization.topics(|it| {
        it.create(TOPIC);
        it.create(CHAT_TOPIC);
    });
    organization.hub(Hub::enable);
    organization
}

/// The keys of what sweeps wrote, without the times in them. What an interrupted try left of the copies
/// is under keys of its own.
fn keys(organization: &Organization) -> Vec<String> {
    let keys = organization
        .buckets(|it| it.keys(STATE_BUCKET).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>());
    let attempt = Regex::new("/copies/[0-9]+/").unwrap();
    let is_time = |it: &str| it.len() == 16 && it.starts_with("20") && it.ends_with('Z');
    let timeless = |key: &str| {
        let parts = key.split_inclusive(['/', '-', '.']).map(|it| {
            let name = it.trim_end_matches(['/', '-', '.']);
            if is_time(name) { it.replace(name, "TIME") } else { it.to_owned() }
        });
        let named = organization.named(&parts.collect::<String>());
        attempt.replace(&named, "/copies/TRY/").into_owned()
    };
    let mut keys: Vec<_> = keys.iter().map(|it| timeless(it)).collect();
    keys.retain(|it| it.starts_with("coverage/") || it.starts_with("runs/coverage-"));
    keys.sort();
    keys.dedup();
    keys
}

/// The notifications, as subjects and texts.
fn mails(organization: &Organization) -> Vec<(String, String)> {
    let all = organization.topics(|it| it.messages().to_vec());
    let mails = all.into_iter().filter(|it| it.topic == TOPIC);
    mails.map(|it| (it.subject.unwrap_or_default(), it.text)).collect()
}

/// The notices for chat rooms.
fn chats(organization: &Organization) -> Vec<Value> {
    let all = organization.topics(|it| it.messages().to_vec());
    let chats = all.into_iter().filter(|it| it.topic == CHAT_TOPIC);
    chats.map(|it| serde_json::from_str(&it.text).unwrap()).collect()
}

/// The number of accounts that are looked into.
fn active(organization: &Organization) -> usize {
    let is_active = |it: &&Account| it.state == AccountState::Active;
    organization.organization(|it| it.accounts().filter(is_active).count())
}

fn past(organization: &Organization) -> Past {
    Past::read(&organization.object(STATE_BUCKET, TIMELINE).unwrap()).unwrap()
}

/// A summary without what is another every time.
fn timeless(summary: &Summary) -> Summary {
    let mut summary = summary.clone();
    summary.taken = Day::of(summary.taken).start();
    for account in summary.accounts.values_mut() {
        account.taken = summary.taken;
    }
    summary
}

/// The notifications, without the times of day.
fn timeless_mails(organization: &Organization) -> Vec<String> {
    let time = Regex::new(r"\d\d:\d\d UTC").unwrap();
    let mails = mails(organization).into_iter();
    mails.map(|(subject, text)| time.replace_all(&(subject + &text), "TIME").into_owned()).collect()
}

#[tokio::test]
async fn a_sweep_writes_what_the_command_finds_and_tells_of_what_needs_action() {
    let organization = told().await;
    let (fresh, _) = volume(&organization, "production-001", "fresh", "daily");
    let (other, _) = volume(&organization, "production-001", "other", "Daily");
    organization.let_go_by(2 * NIGHT);
    let sweeps = Sweeps::start(&organization).await;
    let summary = sweeps.sweep().await;
    assert_eq!(summary.states(), [("fresh".to_owned(), 1), ("not-selected".to_owned(), 1)].into());
    assert_eq!(summary.unread, Vec::<String>::new(), "{}", sweeps.logs());
    assert_eq!(summary.accounts.len(), active(&organization), "also those without resources");

    let account = organization.id("production-001");
    let [run] = &keys(&organization)
        .into_iter()
        .filter(|it| it.starts_with("coverage/coverage-TIME/") && it.contains("production-001"))
        .collect::<Vec<_>>()[..]
    else {
        panic!("{:?}", keys(&organization))
    };
    assert_eq!(run, "coverage/coverage-TIME/production-001.jsonl");
    let key = organization.buckets(|it| {
        let mut keys = it.keys(STATE_BUCKET).into_iter();
        keys.find(|it| it.ends_with(&format!("{account}.jsonl"))).unwrap().to_owned()
    });
    let details = organization.object(STATE_BUCKET, &key).unwrap();
    let mut lines = details.lines().map(|it| serde_json::from_str::<Value>(it).unwrap());
    let look = lines.next().unwrap();
    assert_eq!((&look["account"], &look["format"]), (&json!(account), &json!(1)));
    let mut found: Vec<_> = lines.collect();
    for line in &mut found {
        assert!(line["firstSeen"].is_string(), "{line}");
        line.as_object_mut().unwrap().remove("firstSeen");
    }
    let arguments = ["coverage", "--json", "--member-role", ROLE, "--account", &account];
    let command = org_backup(&organization, &arguments).await;
    let printed: Value = serde_json::from_str(&command.printed[0]).unwrap();
    assert_eq!(json!(found), printed, "the command finds the same");

    let days = past(&organization).timeline.days;
    let state = |name: &str| days[&organization.id(name).parse().unwrap()][0].1;
    assert_eq!(state("production-001"), DayState::Fresh);
    assert_eq!(state("development-005"), DayState::Nothing);

    let [(subject, text)] = &mails(&organization)[..] else { panic!("one mail") };
    assert_eq!(subject, "org-backup: 1 resource needs action");
    let cause = "1 resource not backed up: the nearest selection is `tagged`";
    assert!(text.contains(cause) && text.contains(&other) && !text.contains(&fresh), "{text}");
    assert!(text.contains("org-backup coverage --state-bucket state --format csv"), "{text}");
    let [chat] = &chats(&organization)[..] else { panic!("one message") };
    assert_eq!((&chat["version"], &chat["source"]), (&json!("1.0"), &json!("custom")));
    assert!(chat["content"]["description"].as_str().unwrap().contains(cause), "{chat}");

    let events = organization.event_bus(|it| it.events().to_vec());
    let [event] = &events[..] else { panic!("{events:?}") };
    let about = [&event.bus, &event.source, &event.kind];
    assert_eq!(about, ["default", "org-backup", "Backup Coverage Changed"]);
    assert_eq!(event.detail["causes"][0]["after"], 1);
    let findings = organization.hub(|it| it.findings().clone());
    let [finding] = &findings.values().collect::<Vec<_>>()[..] else { panic!("{findings:?}") };
    assert_eq!(
        (&finding["RecordState"], &finding["Resources"][0]["Id"]),
        (&json!("ACTIVE"), &json!(other))
    );

    let metrics = sweeps.metrics();
    for (name, count) in
        [("Covered", 1), ("Fresh", 1), ("NotCovered", 1), ("Late", 0), ("Sweeps", 1)]
    {
        assert_eq!(metrics[name], count, "{name}");
    }
}

#[tokio::test]
async fn the_vaults_that_receive_copies_are_read_once_when_a_sweep_begins() {
    let organization = told().await;
    let _one = volume(&organization, "production-001", "one", "daily");
    organization.let_go_by(2 * NIGHT);
    let sweeps = Sweeps::start(&organization).await;
    let central = organization.id("security-000");
    let reads = || {
        let reads = organization.journal().into_iter().filter(|it| {
            it.operation == "ListRecoveryPointsByBackupVault" && it.account == central
        });
        let count = reads.count();
        organization.clear_journal();
        count
    };
    organization.clear_journal();
    assert_eq!(sweeps.begin().await, Outcome::Returned(Value::Null));
    assert_eq!(reads(), 1);
    let input = sweeps.input().unwrap();
    for event in sweeps.batches(&input) {
        sweeps.batch(&event).await;
    }
    assert_eq!(reads(), 0, "no batch reads the copies, not even that of their account");
    let own = organization.buckets(|it| {
        let keys = it.keys(STATE_BUCKET).into_iter().map(ToOwned::to_owned);
        keys.filter(|it| it.contains("/copies/")).collect::<Vec<_>>()
    });
    assert_eq!(own.len(), 1, "{own:?}");
    sweeps.finish(&input).await;
    let copies: Vec<_> =
        sweeps.summary().counts().map(|it| it.copies_late + it.copies_unknown).collect();
    assert_eq!(copies.iter().sum::<usize>(), 0);
}

#[tokio::test]
async fn a_vault_that_receives_copies_and_cannot_be_read_is_not_known_and_the_sweep_goes_on() {
    let organization = told().await;
    let _one = volume(&organization, "production-001", "one", "daily");
    organization.let_go_by(2 * NIGHT);
    organization.fail(Fault::error("GetBackupVaultAccessPolicy", "AccessDeniedException").times(9));
    let summary = Sweeps::start(&organization).await.sweep().await;
    assert_eq!(summary.states(), [("fresh".to_owned(), 1)].into());
    let [unread] = &summary.unread[..] else { panic!("{:?}", summary.unread) };
    assert!(unread.starts_with("the vault arn:aws:backup:"), "{unread}");
}

#[tokio::test]
async fn a_sweep_that_finds_the_same_tells_nobody_and_one_that_is_under_way_is_not_started_twice() {
    let organization = told().await;
    let _other = volume(&organization, "production-001", "other", "Daily");
    organization.let_go_by(2 * NIGHT);
    let sweeps = Sweeps::start(&organization).await;
    let one = sweeps.sweep().await;
    // The last step again finds that all is done.
    let input = sweeps.input().unwrap();
    organization.clear_journal();
    sweeps.finish(&input).await;
    assert_eq!(organization.lines(|it| it.write), "");
    organization.let_go_by(NIGHT);
    let two = sweeps.sweep().await;
    assert!(two.taken > one.taken);
    assert_eq!((two.resources.len(), mails(&organization).len()), (1, 1));
    assert_eq!(past(&organization).trend.len(), 2);

    organization.let_go_by(NIGHT);
    for _ in 0..2 {
        assert_eq!(sweeps.begin().await, Outcome::Returned(Value::Null));
    }
    assert_eq!(organization.state_machines(|it| it.executions().len()), 3);
    let log = sweeps.logs();
    assert!(log.contains("no sweep is started, since one is under way"), "{log}");
    // It never ends, and the next day has its own.
    organization.let_go_by(NIGHT);
    assert_eq!(sweeps.begin().await, Outcome::Returned(Value::Null));
    assert_eq!(organization.state_machines(|it| it.executions().len()), 4);
}

#[tokio::test]
async fn what_becomes_late_is_told_once_by_its_cause_and_so_is_that_it_is_mended() {
    let organization = told().await;
    let (one, _) = volume(&organization, "production-001", "one", "daily");
    let (two, _) = volume(&organization, "production-001", "two", "daily");
    organization.let_go_by(2 * NIGHT);
    let sweeps = Sweeps::start(&organization).await;
    sweeps.sweep().await;
    assert_eq!(mails(&organization), [], "all is well");
    for arn in [&one, &two] {
        organization.fail_backups(arn, NIGHT);
    }
    organization.let_go_by(NIGHT);
    let summary = sweeps.sweep().await;
    assert_eq!(summary.states(), [("late".to_owned(), 2)].into());
    let [(subject, text)] = &mails(&organization)[..] else { panic!("one mail") };
    assert_eq!(subject, "org-backup: 2 resources need action, 1 cause worse");
    assert!(text.contains("WORSE\n2 resources (before: 0) late: the last job failed"), "{text}");
    assert!(text.contains(&one) && text.contains(&two), "{text}");
    let metrics = sweeps.metrics();
    assert_eq!((&metrics["Late"], &metrics["Covered"]), (&json!(2), &json!(2)));
    let account = organization.id("production-001").parse().unwrap();
    let states: Vec<_> =
        past(&organization).timeline.days[&account].iter().map(|it| it.1).collect();
    assert_eq!(states, [DayState::Fresh, DayState::Late]);

    organization.let_go_by(NIGHT);
    let summary = sweeps.sweep().await;
    assert_eq!(summary.resources, []);
    let [_, (subject, text)] = &mails(&organization)[..] else { panic!("two mails") };
    assert_eq!(subject, "org-backup: no resource needs action, 1 cause better");
    assert!(text.contains("BETTER\ngone (before: 2 resources): late"), "{text}");
    assert_eq!(organization.event_bus(|it| it.events().len()), 2);
    let findings = organization.hub(|it| it.findings().clone());
    let states: Vec<_> = findings.values().map(|it| it["RecordState"].clone()).collect();
    assert_eq!(states, ["ARCHIVED"]);
}

#[tokio::test]
async fn what_never_had_a_backup_becomes_late() {
    let organization = told().await;
    let (never, _) = volume(&organization, "production-001", "never", "daily");
    organization.fail_backups(&never, 5 * NIGHT);
    let sweeps = Sweeps::start(&organization).await;
    let summary = sweeps.sweep().await;
    assert_eq!(summary.states(), [("first-due".to_owned(), 1)].into());
    organization.let_go_by(2 * NIGHT);
    let summary = sweeps.sweep().await;
    assert_eq!(summary.states(), [("late".to_owned(), 1)].into());
    assert_eq!(mails(&organization).len(), 1);
}

#[tokio::test]
async fn an_account_that_lets_nobody_in_is_not_looked_at_and_never_well() {
    let organization = told().await;
    let _seen = volume(&organization, "production-001", "seen", "daily");
    organization.let_go_by(2 * NIGHT);
    let sweeps = Sweeps::start(&organization).await;
    sweeps.sweep().await;
    assert_eq!(mails(&organization), []);
    let (barred, empty) = (organization.id("production-001"), organization.id("development-005"));
    for account in [&barred, &empty] {
        organization.iam(|it| it.delete_role(account, ROLE));
    }
    organization.let_go_by(NIGHT);
    let summary = sweeps.sweep().await;
    assert_eq!(summary.states(), [("not-known".to_owned(), 1)].into());
    assert!(!summary.accounts.contains_key(&empty.parse().unwrap()), "nobody looked into it");
    for account in [&barred, &empty] {
        let told = summary.unread.iter().any(|it| it.contains(account.as_str()));
        assert!(told, "{:?}", summary.unread);
        let days = &past(&organization).timeline.days[&account.parse().unwrap()];
        assert_eq!(days.last().unwrap().1, DayState::NotKnown);
    }
    let [(_, text)] = &mails(&organization)[..] else { panic!("one mail") };
    assert!(text.contains("NOT LOOKED AT") && text.contains(&empty), "{text}");
    assert!(text.contains("see that its role trusts the function"), "{text}");
}

#[tokio::test]
async fn the_accounts_of_a_batch_that_failed_are_not_looked_at() {
    let organization = told().await;
    let _one = volume(&organization, "production-001", "one", "daily");
    organization.let_go_by(2 * NIGHT);
    let sweeps = Sweeps::start(&organization).await;
    sweeps.sweep().await;
    organization.let_go_by(NIGHT);
    assert_eq!(sweeps.begin().await, Outcome::Returned(Value::Null));
    let mut input = sweeps.input().unwrap();
    input["MapFailed"] = json!({ "Error": "States.Timeout", "Cause": "" });
    sweeps.finish(&input).await;
    let summary = sweeps.summary();
    assert!(summary.accounts.is_empty() && summary.resources.is_empty());
    assert_eq!(summary.unread.len(), active(&organization));
    let [(_, text)] = &mails(&organization)[..] else { panic!("one mail") };
    assert!(text.contains("its batch failed"), "{text}");
    // The next one tells that all is well again.
    organization.let_go_by(NIGHT);
    sweeps.sweep().await;
    assert_eq!(mails(&organization).len(), 2);
}

#[tokio::test]
async fn a_notice_that_could_not_be_sent_is_sent_by_the_next_try_or_by_the_next_sweep() {
    let organization = told().await;
    let _other = volume(&organization, "production-001", "other", "Daily");
    organization.let_go_by(2 * NIGHT);
    let sweeps = Sweeps::start(&organization).await;
    assert_eq!(sweeps.begin().await, Outcome::Returned(Value::Null));
    let input = sweeps.input().unwrap();
    for event in sweeps.batches(&input) {
        sweeps.batch(&event).await;
    }
    organization.fail(Fault::error("Publish", "AuthorizationError").times(1));
    let outcome = sweeps.invoke(&json!({ "Finish": input })).await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert_eq!((mails(&organization).len(), chats(&organization).len()), (0, 1));
    assert_eq!(sweeps.metrics().get("Sweeps"), None);
    sweeps.finish(&input).await;
    assert_eq!((mails(&organization).len(), chats(&organization).len()), (1, 1));
    assert_eq!(sweeps.metrics()["Sweeps"], 1);
    let [(subject, _)] = &mails(&organization)[..] else { panic!("one mail") };
    assert_eq!(subject, "org-backup: 1 resource needs action");
}

#[tokio::test]
async fn what_a_newer_program_or_half_of_one_left_is_no_reason_to_stop() {
    for left in ["{\"format\":1,\"taken\"", r#"{"format":9,"program":"org-backup 9"}"#] {
        let organization = told().await;
        let _other = volume(&organization, "production-001", "other", "Daily");
        let seen = format!("coverage/seen/{}.json", organization.id("production-001"));
        organization.buckets(|it| {
            let keys = ["last", "timeline", "told", "run"];
            for key in keys.map(|it| format!("coverage/{it}.json")).iter().chain([&seen]) {
                it.put(STATE_BUCKET, key, left.to_owned());
            }
        });
        organization.let_go_by(2 * NIGHT);
        let sweeps = Sweeps::start(&organization).await;
        let summary = sweeps.sweep().await;
        assert_eq!(summary.resources.len(), 1);
        assert_eq!(mails(&organization).len(), 1);
        assert_eq!(past(&organization).trend.len(), 1);
    }
}

/// The event of each step of a sweep that is about to begin, each with the calls that it makes.
async fn steps(organization: &Organization) -> Vec<(usize, u64, Moment)> {
    let sweeps = Sweeps::start(organization).await;
    let mut places = Vec::new();
    let mut step = 0;
    let mut note = |organization: &Organization| {
        for (nth, call) in (1..).zip(organization.journal()) {
            if call.write {
                places.extend([(step, nth, Moment::Before), (step, nth, Moment::After)]);
            }
        }
        organization.clear_journal();
        step += 1;
    };
    organization.clear_journal();
    let _ = sweeps.begin().await;
    note(organization);
    let input = sweeps.input().unwrap();
    for event in sweeps.batches(&input) {
        sweeps.batch(&event).await;
        note(organization);
    }
    sweeps.finish(&input).await;
    note(organization);
    places
}

/// A small organization in which something becomes late.
async fn becoming_late() -> Organization {
    let organization = told().await;
    let (one, _) = volume(&organization, "production-001", "one", "daily");
    organization.let_go_by(2 * NIGHT);
    Sweeps::start(&organization).await.sweep().await;
    organization.fail_backups(&one, NIGHT);
    organization.let_go_by(NIGHT);
    organization
}

#[tokio::test]
async fn killed_at_any_write_and_delivered_again_it_ends_the_same() {
    let undisturbed = becoming_late().await;
    let places = steps(&undisturbed).await;
    assert!(places.len() > 40, "{places:?}");
    let last = Sweeps::start(&undisturbed).await.summary();
    let end = (keys(&undisturbed), timeless(&last), timeless_mails(&undisturbed));
    assert_eq!(end.2.len(), 1);
    for_each(places, |(wanted, nth, moment)| {
        let end = end.clone();
        async move {
            let place = format!("killed {moment:?} call {nth} of step {wanted}");
            let organization = becoming_late().await;
            let mut sweeps = Sweeps::start(&organization).await;
            let mut events = vec![json!({ "source": "org-backup.schedule" })];
            let mut step = 0;
            while let Some(event) = events.get(step).cloned() {
                if step == wanted {
                    let hold = organization.hold(nth, moment);
                    assert!(sweeps.kill(&event, hold).await, "{place}");
                }
                let outcome = sweeps.invoke(&event).await;
                assert!(matches!(outcome, Outcome::Returned(_)), "{place}: {outcome:?}");
                if step == 0 {
                    let input = sweeps.input().unwrap();
                    events.extend(sweeps.batches(&input));
                    events.push(json!({ "Finish": input }));
                }
                step += 1;
            }
            assert_eq!(keys(&organization), end.0, "{place}");
            assert_eq!(timeless(&sweeps.summary()), end.1, "{place}");
            let mut mails = timeless_mails(&organization);
            // Between a message and its record there is a moment after which the same comes again.
            mails.dedup();
            assert_eq!(mails, end.2, "{place}");
        }
    })
    .await;
}
