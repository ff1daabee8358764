//! Every notice, as somebody reads it.

use expect_test::expect_file;

use super::tests::{coverage, failing, found, fresh, late, merged, noon, summary, unselected};
use super::*;
use crate::coverage::State;

const BUCKET: &str = "org-backup-state";

const HUB: HubPlace<'_> =
    HubPlace { partition: "aws", region: "eu-central-1", account: "111122223333" };

fn before() -> Summary {
    summary(&found(1, "orders", 19, &[("a", unselected()), ("b", late()), ("c", late())]), 19)
}

/// Some got worse, some got better, one account was not looked into, and names are hostile.
fn after() -> Summary {
    let names: Vec<_> = (0..12).map(|it| format!("{it:02}")).collect();
    let mut all: Vec<_> = names.iter().map(|it| (it.as_str(), late())).collect();
    let why = "<!channel> @here [x](https://evil.example)\n\u{202e}::error::";
    all.push(("strange", coverage(State::NotKnown(why.to_owned()))));
    all.push(("a", fresh()));
    all.push(("f", failing("Access denied to the key of the vault.")));
    let mut sum = merged([found(1, "orders", 20, &all), found(2, "web", 20, &[("x", late())])]);
    sum.unread("the account 000000000003 shop: the role org-backup-member denies".to_owned());
    sum.bar(&"000000000003".parse().unwrap());
    summary(&sum, 20)
}

fn json(value: &serde_json::Value) -> String {
    media::json::pretty(value) + "\n"
}

fn text(notice: &Notice<'_>) -> String {
    let mail = notice.mail();
    format!("{}\n\n{}", mail.subject(), mail.text())
}

#[test]
fn the_first_notice_says_what_needs_action() {
    let summary = before();
    let notice = Notice { summary: &summary, change: None, bucket: BUCKET };
    expect_file!["golden/first.txt"].assert_eq(&text(&notice));
    expect_file!["golden/first-chat.json"].assert_eq(&json(&notice.chat()));
    expect_file!["golden/first-event.json"].assert_eq(&json(&notice.event()));
    expect_file!["golden/first-findings.json"].assert_eq(&json(&notice.findings(HUB).into()));
}

#[test]
fn a_change_is_told_by_cause_to_each_in_its_own_form() {
    let summary = after();
    let change = Change::between(&before(), &summary);
    let notice = Notice { summary: &summary, change: Some(&change), bucket: BUCKET };
    expect_file!["golden/change.txt"].assert_eq(&text(&notice));
    expect_file!["golden/change-chat.json"].assert_eq(&json(&notice.chat()));
    expect_file!["golden/change-event.json"].assert_eq(&json(&notice.event()));
    expect_file!["golden/change-findings.json"].assert_eq(&json(&notice.findings(HUB).into()));
}

#[test]
fn that_all_is_well_again_is_told_as_well() {
    let summary = summary(&found(1, "orders", 21, &[("a", fresh())]), 21);
    let change = Change::between(&before(), &summary);
    let notice = Notice { summary: &summary, change: Some(&change), bucket: BUCKET };
    expect_file!["golden/well.txt"].assert_eq(&text(&notice));
    expect_file!["golden/well-chat.json"].assert_eq(&json(&notice.chat()));
    expect_file!["golden/well-event.json"].assert_eq(&json(&notice.event()));
    expect_file!["golden/well-findings.json"].assert_eq(&json(&notice.findings(HUB).into()));
    assert_eq!(change.since, noon(19));
}

/// Returns the lines of the mail and of the message in chat that count what they do not list.
fn counts(before: &Summary, after: &Summary) -> [Vec<String>; 2] {
    let change = Change::between(before, after);
    let notice = Notice { summary: after, change: Some(&change), bucket: BUCKET };
    let chat = notice.chat();
    let chat = chat["content"]["description"].as_str().unwrap();
    let mail = notice.mail();
    [mail.text(), chat].map(|it| {
        let lines =
            it.lines().map(str::trim).filter(|it| it.contains(" more") || it.contains("least"));
        lines.map(str::to_owned).collect()
    })
}

#[test]
fn new_resources_that_are_not_listed_are_counted() {
    let names: Vec<_> = (0..LINES + 700).map(|it| format!("{it:05}")).collect();
    let of = |from: usize, to: usize, day| {
        let all: Vec<_> = names[from..to].iter().map(|it| (it.as_str(), late())).collect();
        summary(&found(1, "orders", day, &all), day)
    };
    let counts = |before: (usize, usize), after: (usize, usize)| {
        counts(&of(before.0, before.1, 19), &of(after.0, after.1, 20))
    };
    assert_eq!(counts((0, 2), (0, 13)), [["and 1 more new one"], ["and 8 more new ones"]]);
    assert_eq!(counts((0, 100), (50, 150)), [["and 40 more new ones"], ["and 47 more new ones"]]);
    assert_eq!(counts((0, 2), (0, 5)), [[""; 0]; 2]);
    assert_eq!(counts((0, 2_500), (0, 2_700)), [["at least 200 new ones"]; 2]);
    let some = ["and at least 2390 more new ones", "and at least 2397 more new ones"];
    assert_eq!(counts((0, 100), (0, 2_500)), some.map(|it| [it]));
}

#[test]
fn a_notice_tells_the_number_of_all_resources_that_need_action() {
    let names: Vec<_> = (0..LINES + 700).map(|it| format!("{it:05}")).collect();
    let all: Vec<_> = names.iter().map(|it| (it.as_str(), late())).collect();
    let mut summary = summary(&found(1, "orders", 20, &all), 20);
    let told = |summary: &Summary| {
        let notice = Notice { summary, change: None, bucket: BUCKET };
        let (mail, chat, event) = (notice.mail(), notice.chat(), notice.event());
        let title = chat["content"]["title"].as_str().unwrap().to_owned();
        assert_eq!(mail.subject(), title);
        (title, event["needAction"].clone(), event["needActionIsLeast"].clone())
    };
    let exactly = "org-backup: 2700 resources need action".to_owned();
    assert_eq!(told(&summary), (exactly, 2_700.into(), false.into()));
    // An earlier release did not store the number, and may have counted copies in addition.
    summary.need_action = None;
    let least = "org-backup: at least 2700 resources need action".to_owned();
    assert_eq!(told(&summary), (least, 2_700.into(), true.into()));
}

#[test]
fn causes_that_are_not_listed_are_counted() {
    let whys: Vec<_> = (10..21).map(|it| format!("reason {it}")).collect();
    let all: Vec<_> = whys.iter().map(|it| (it.as_str(), failing(it))).collect();
    let after = summary(&found(1, "orders", 20, &all), 20);
    assert_eq!(counts(&summary(&Sum::default(), 19), &after), [["and 1 more cause"]; 2]);
}
