//! `org-backup report` with what sweeps found: the backups of resources, and what changed since.

use serde_json::{Value, json};
use simulator::Hub;
use tests::command::{Run, org_backup};
use tests::organization::Organization;
use tests::reattach::TOPIC;
use tests::role::STATE_BUCKET;
use tests::schema::hold;
use tests::sweeps::{CHAT_TOPIC, Sweeps};

use crate::coverage::{NIGHT, nightly, volume};
use crate::member_accounts::ROLE;

/// Runs the command with the state bucket and these arguments.
async fn report(organization: &Organization, more: &[&str]) -> Run {
    org_backup(organization, &[&["report", "--state-bucket", STATE_BUCKET], more].concat()).await
}

/// The number of accounts that were entered since the journal was cleared.
fn entered(organization: &Organization) -> usize {
    organization.journal().iter().filter(|it| it.operation == "AssumeRole").count()
}

/// An organization after two sweeps: between them, a resource became late and another one fresh.
async fn swept() -> (Organization, [String; 3]) {
    let organization = nightly().await;
    organization.topics(|it| {
        it.create(TOPIC);
        it.create(CHAT_TOPIC);
    });
    organization.hub(Hub::enable);
    let (late, _) = volume(&organization, "production-001", "late", "daily");
    let (mended, _) = volume(&organization, "production-001", "mended", "Daily");
    let (kept, _) = volume(&organization, "development-005", "kept", "weekly");
    organization.let_go_by(2 * NIGHT);
    let sweeps = Sweeps::start(&organization).await;
    sweeps.sweep().await;
    organization.fail_backups(&late, NIGHT);
    volume(&organization, "production-001", "mended", "daily");
    organization.let_go_by(NIGHT);
    sweeps.sweep().await;
    (organization, [late, mended, kept])
}

#[tokio::test]
async fn backups_are_shown_as_the_last_sweep_found_them_and_no_account_is_entered() {
    let (organization, [late, ..]) = swept().await;
    organization.clear_journal();
    let run = report(&organization, &["--json"]).await;
    assert_eq!(entered(&organization), 0, "the sweep looked already");
    assert_eq!(organization.lines(|it| it.write), "");
    let printed: Value = serde_json::from_str(&run.printed[0]).unwrap();
    hold("report", &printed);
    let account = organization.id("production-001");
    let accounts = printed["accounts"].as_array().unwrap();
    let row = accounts.iter().find(|it| it["account"] == account).unwrap();
    let region = row["regions"].as_array().unwrap().iter().find(|it| it["region"] == "eu-west-1");
    let backups = &region.unwrap()["backups"];
    assert_eq!((&backups["resources"], &backups["states"]["late"]), (&json!(2), &json!(1)));
    let none = row["regions"].as_array().unwrap().iter().find(|it| it["region"] == "eu-west-3");
    assert_eq!(none.unwrap()["backups"], json!(null));

    let table = report(&organization, &[]).await;
    assert!(table.text.contains("backups, looked at "), "{}", table.text);
    assert!(table.text.contains("of 2 fresh, 1 late"), "{}", table.text);
    let csv = report(&organization, &["--csv"]).await;
    assert!(csv.text.lines().next().unwrap().contains("\"resources\",\"fresh\",\"late\""));
    let page = report(&organization, &["--html", "-"]).await;
    assert!(page.printed[0].contains(&late), "the page names what is late");

    // The two others look into every account.
    for arguments in [&["--live", "--member-role", ROLE] as &[&str], &["--member-role", ROLE]] {
        organization.clear_journal();
        report(&organization, arguments).await;
        assert!(entered(&organization) > 5, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_live_report_has_the_backups_of_now_and_says_before_what_that_takes() {
    let (organization, [late, ..]) = swept().await;
    let never = volume(&organization, "production-001", "never", "Daily").0;
    organization.let_go_by(NIGHT);
    let of_sweep = report(&organization, &["--member-role", ROLE]).await;
    assert!(of_sweep.text.contains("of 2 fresh, 1 late"), "{}", of_sweep.text);
    let live = report(&organization, &["--live", "--member-role", ROLE]).await;
    assert!(live.text.contains("2 of 4 fresh") && !live.text.contains("late"), "{}", live.text);
    let looked =
        |it: &Run| it.text.lines().find(|it| it.starts_with("backups, ")).map(str::to_owned);
    assert_ne!(looked(&of_sweep), looked(&live), "each has its own time");
    let [first, ..] = &live.notes.lines().collect::<Vec<_>>()[..] else { panic!("a note") };
    assert!(first.starts_with("note: looking into "), "{}", live.notes);
    assert!(first.contains(" calls in each, ") && first.contains(" and about "), "{first}");
    let page = report(&organization, &["--live", "--member-role", ROLE, "--html", "-"]).await;
    assert!(page.printed[0].contains(&never) && !page.printed[0].contains(&late));
}

#[tokio::test]
async fn what_got_better_and_worse_since_a_day_is_told_by_cause() {
    let (organization, [late, mended, kept]) = swept().await;
    let days = organization.buckets(|it| {
        let keys = it.keys(STATE_BUCKET).into_iter().map(ToOwned::to_owned);
        keys.filter_map(|it| it.strip_prefix("coverage/history/").map(str::to_owned))
            .collect::<Vec<_>>()
    });
    let [first, last] = &days[..] else { panic!("{days:?}") };
    let name = |it: &str| it.trim_end_matches(".json").to_owned();
    let day = format!("{}-{}-{}", &first[..4], &first[4..6], &first[6..8]);
    organization.clear_journal();
    for arguments in [["--since", &day], ["--compare", &name(first)]] {
        let run = report(&organization, &arguments).await;
        assert_eq!(run.code, 1, "something got worse: {}", run.notes);
        let [worse, better] =
            ["\nWorse\n", "\nBetter\n"].map(|it| run.printed[0].find(it).unwrap());
        let place = |arn: &str| run.printed[0].find(arn);
        assert!(worse < place(&late).unwrap() && place(&late).unwrap() < better, "{}", run.text);
        assert_eq!((place(&mended), place(&kept)), (None, None), "{}", run.text);
        assert!(run.text.contains("  0 → 1: late: the last job failed"), "{}", run.text);
        assert!(run.text.contains("  1 → 0: not backed up"), "{}", run.text);
    }
    assert_eq!(entered(&organization), 0);
    let run = report(&organization, &["--since", &day, "--json"]).await;
    let printed = run.held("report-since");
    assert_eq!(printed["causes"].as_array().unwrap().len(), 2, "{printed:#}");
    let same = report(&organization, &["--compare", &name(last)]).await;
    assert_eq!((same.code, same.text.contains("Nothing changed.")), (0, true), "{}", same.text);

    let early = report(&organization, &["--since", "2001-01-01"]).await;
    assert_eq!(early.code, 2);
    assert!(
        early.notes.contains("there is no summary of a sweep by 2001-01-01"),
        "{}",
        early.notes
    );
    let odd = report(&organization, &["--since", "yesterday"]).await;
    assert!(odd.notes.contains("it is not a date such as 2026-11-21"), "{}", odd.notes);
}

#[tokio::test]
async fn a_summary_that_cannot_be_understood_is_told_and_the_report_goes_on() {
    let (organization, _) = swept().await;
    let text = organization.object(STATE_BUCKET, "coverage/last.json").unwrap();
    let newer = text.replacen("\"format\":1", "\"format\":9", 1);
    assert_ne!(newer, text);
    for (text, why) in [
        (newer.as_str(), "written by a newer program"),
        (&text[..text.len() / 2], "it is not a complete document of a sweep"),
    ] {
        organization.buckets(|it| it.put(STATE_BUCKET, "coverage/last.json", text.to_owned()));
        let run = report(&organization, &["--member-role", ROLE]).await;
        assert_eq!(run.code, 2, "{}", run.notes);
        assert!(run.notes.contains("the findings of the last sweep are unknown"), "{}", run.notes);
        assert!(run.notes.contains(why), "{}", run.notes);
        assert!(run.text.contains("accounts are protected"), "{}", run.text);
        assert!(!run.text.contains("backups, looked at"), "{}", run.text);
    }
}
