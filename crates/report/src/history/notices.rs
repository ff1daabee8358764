//! Every notice, as somebody reads it.

use expect_test::expect_file;

use super::tests::{coverage, failing, found, fresh, late, merged, noon, summary, unselected};
use super::*;
use crate::coverage::State;

const BUCKET: &str = "org-backup-state";

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
    expect_file!["golden/first-event.json"].assert_eq(&json(&notice.event()));
}

#[test]
fn a_change_is_told_by_cause_to_each_in_its_own_form() {
    let summary = after();
    let change = Change::between(&before(), &summary);
    let notice = Notice { summary: &summary, change: Some(&change), bucket: BUCKET };
    expect_file!["golden/change.txt"].assert_eq(&text(&notice));
    expect_file!["golden/change-chat.json"].assert_eq(&json(&notice.chat()));
    expect_file!["golden/change-event.json"].assert_eq(&json(&notice.event()));
    let place = HubPlace { partition: "aws", region: "eu-central-1", account: "111122223333" };
    let findings = notice.findings(place);
    expect_file!["golden/change-findings.json"].assert_eq(&json(&findings.into()));
}

#[test]
fn that_all_is_well_again_is_told_as_well() {
    let summary = summary(&found(1, "orders", 21, &[("a", fresh())]), 21);
    let change = Change::between(&before(), &summary);
    let notice = Notice { summary: &summary, change: Some(&change), bucket: BUCKET };
    expect_file!["golden/well.txt"].assert_eq(&text(&notice));
    assert_eq!(change.since, noon(19));
}
