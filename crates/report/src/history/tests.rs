use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::time::{Duration, SystemTime};

use plan::id::{AccountId, Region};

use super::*;
use crate::coverage::{
    Asks, CopyOwed, CopyState, Coverage, Job, JobState, Judge, Kept, Kind, Owed, Place, Resource,
    RestoreTest, State, TestResult,
};

const PROGRAM: &str = "org-backup 1.2.3";
const HOUR: Duration = Duration::from_hours(1);

fn account(number: usize) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn region() -> Region {
    "eu-west-1".parse().unwrap()
}

fn volume(account: usize, name: &str) -> String {
    format!("arn:aws:ec2:eu-west-1:{account:012}:volume/vol-{name}")
}

/// Noon of a day of November 2026.
pub(super) fn noon(day: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + HOUR * u32::try_from((20_757 + day) * 24 + 12).unwrap()
}

fn place(of: usize) -> Place {
    Place {
        account: account(of),
        region: region(),
        partition: "aws".to_owned(),
        since: None,
        supported: None,
        opt_ins: Ok(BTreeMap::new()),
        vaults: BTreeMap::new(),
        roles: BTreeMap::new(),
        organization: None,
        is_cross_account: None,
        unread: BTreeMap::new(),
        jobs_unread: None,
        local: vec![],
    }
}

pub(super) fn coverage(state: State) -> Coverage {
    Coverage {
        state,
        kind: Kind::of(&volume(1, "a"), None),
        taken: vec![],
        owed: vec![],
        nearest: None,
        kept: Kept::default(),
        test: None,
        local: vec![],
    }
}

fn owed(next: SystemTime, copy: CopyState) -> Owed {
    let vault = "arn:aws:backup:eu-west-1:300000000001:backup-vault:copies".to_owned();
    let (newest, job, obstacles) = (None, None, vec![]);
    Owed {
        plan: 0,
        rule: 0,
        state: State::Fresh,
        due: None,
        next: Some(next),
        newest: Some(noon(19)),
        is_continuous: false,
        job: None,
        obstacles: vec![],
        copies: vec![CopyOwed { vault, state: copy, newest, job, obstacles }],
    }
}

/// What is found in an account on a day: each resource by its name, with its judgement.
pub(super) fn found(of: usize, name: &str, day: u64, all: &[(&str, Coverage)]) -> Sum {
    let (place, asks) = (place(of), Asks::default());
    let judge = Judge::new(&place, Ok(&[]), &asks, noon(day));
    let mut sum = Sum::default();
    sum.account(&place.account, name, noon(day));
    for (name, coverage) in all {
        let arn = volume(of, name);
        let resource = Resource { arn, kind: None, tags: None, created: None, first_seen: None };
        sum.resource(&judge, &resource, coverage);
    }
    sum
}

pub(super) fn merged(parts: impl IntoIterator<Item = Sum>) -> Sum {
    let mut all = Sum::default();
    parts.into_iter().for_each(|it| all.merge(it));
    all
}

pub(super) fn summary(sum: &Sum, day: u64) -> Summary {
    sum.summary(PROGRAM, "o-example", noon(day))
}

pub(super) fn late() -> Coverage {
    let owed = Owed { copies: vec![], ..owed(noon(21), CopyState::Fresh) };
    Coverage { owed: vec![owed], ..coverage(State::Late(noon(10))) }
}

/// What fails for this reason.
pub(super) fn failing(why: &str) -> Coverage {
    let job = Job {
        vault: "keep".into(),
        created: noon(19),
        ended: Some(noon(19)),
        state: JobState::Failed,
        message: why.into(),
        by: None,
    };
    let owed = Owed { job: Some(job), copies: vec![], ..owed(noon(21), CopyState::Fresh) };
    Coverage { owed: vec![owed], ..coverage(State::Failing) }
}

pub(super) fn fresh() -> Coverage {
    coverage(State::Fresh)
}

pub(super) fn unselected() -> Coverage {
    coverage(State::NotSelected)
}

#[test]
fn what_is_found_is_counted_by_account_and_region_and_by_cause() {
    let copied = |copy| Coverage { owed: vec![owed(noon(21), copy)], ..fresh() };
    let tested = |day, result| {
        let message = String::new();
        Coverage { test: Some(RestoreTest { at: noon(day), result, message }), ..fresh() }
    };
    let all = [
        ("a", copied(CopyState::Fresh)),
        ("b", copied(CopyState::Missing)),
        ("c", copied(CopyState::NotKnown("denied".to_owned()))),
        ("d", late()),
        ("e", tested(18, Some(TestResult::Failed))),
        ("f", tested(17, Some(TestResult::Successful))),
    ];
    let summary = summary(&found(1, "orders", 20, &all), 20);
    let counts = &summary.accounts[&account(1)].regions[&region()];
    let test = Some(TestSeen { at: noon(18), result: Some("failed".to_owned()) });
    let wanted = Counts {
        states: [("fresh".to_owned(), 5), ("late".to_owned(), 1)].into(),
        copies_fine: 1,
        copies_late: 1,
        copies_unknown: 1,
        last_test: test,
        next: Some(noon(21)),
    };
    assert_eq!(*counts, wanted);
    let lines: Vec<_> = summary.resources.iter().map(|it| it.arn.clone()).collect();
    assert_eq!(lines, ["d", "b", "c"].map(|it| volume(1, it)), "the most important first");
    let causes: Vec<_> = summary.causes.iter().map(|it| (it.count, it.words.as_str())).collect();
    assert_eq!(causes.len(), 3, "{causes:?}");
    assert!(causes[0].1.starts_with("late"), "{causes:?}");
    assert!(summary.causes[0].examples[0].starts_with("000000000001 eu-west-1 arn:aws:ec2:"));
}

#[test]
fn parts_add_up_to_the_same_however_they_are_divided() {
    let parts = || (1..=40).map(|it| found(it, "x", 20, &[("a", late()), ("b", unselected())]));
    let at_once = merged(parts());
    let mut halves = [Sum::default(), Sum::default()];
    for (index, part) in parts().enumerate() {
        halves[index / 20].merge(part);
    }
    let halves = halves.map(|it| Sum::read(&it.text()).unwrap());
    assert_eq!(merged(halves), at_once);
    let summary = summary(&at_once, 20);
    assert_eq!(summary.causes[0].count, 40);
    assert_eq!(summary.causes[0].examples.len(), 10);
    assert_eq!(at_once.bad(), 80);
}

#[test]
fn a_summary_names_the_most_important_and_counts_all() {
    let many = (1..=3).map(|of| {
        let names: Vec<_> = (0..1_000).map(|it| format!("{it:04}")).collect();
        let mut all: Vec<_> = names.iter().map(|it| (it.as_str(), unselected())).collect();
        all.push(("late", late()));
        found(of, "x", 20, &all)
    });
    let mut sum = merged(many);
    (0..UNREAD + 7).for_each(|it| sum.unread(format!("the account {it:05}: denied")));
    (0..UNREAD + 7).for_each(|it| sum.unread(format!("the account {it:05}: denied")));
    let summary = summary(&sum, 20);
    assert_eq!(summary.resources.len(), LINES);
    assert!(summary.resources.iter().take(3).all(|it| it.state == "late"));
    assert_eq!(summary.states()["not-selected"], 3_000);
    assert_eq!(summary.unread.len(), UNREAD + 1);
    assert_eq!(summary.unread.last().map(String::as_str), Some("and 7 more"));
}

#[test]
fn the_mark_of_a_set_changes_with_the_set_and_with_nothing_else() {
    let all = [("a", late()), ("b", fresh())];
    let mark = |sum: Sum| sum.mark_of_set();
    let one = mark(merged([found(1, "x", 20, &all), found(2, "x", 20, &all)]));
    assert_eq!(one, mark(merged([found(2, "y", 21, &all), found(1, "z", 21, &all)])));
    assert_ne!(one, mark(merged([found(1, "x", 20, &all)])));
    assert_ne!(one, mark(merged([found(1, "x", 20, &all), found(3, "x", 20, &all)])));
    let failing = [("a", coverage(State::Failing)), ("b", fresh())];
    assert_ne!(one, mark(merged([found(1, "x", 20, &all), found(2, "x", 20, &failing)])));
    let mut barred = merged([found(1, "x", 20, &all), found(2, "x", 20, &all)]);
    barred.bar(&account(2));
    barred.bar(&account(2));
    assert_ne!(one, barred.mark_of_set());
    assert_eq!(mark(Sum::default()), mark(found(1, "x", 20, &[("b", fresh())])));
}

#[test]
fn what_is_stored_is_read_back() {
    let hostile = "x\u{202e}\n</script>\"{}=cmd()";
    let mut sum = found(1, hostile, 20, &[("a", late()), (hostile, unselected())]);
    sum.unread(hostile.to_owned());
    sum.bar(&account(7));
    let summary = summary(&sum, 20);
    assert_eq!(Summary::read(&summary.text()).unwrap(), summary);
    assert_eq!(Sum::read(&sum.text()).unwrap(), sum);
    assert!(!summary.text().contains('\u{202e}'), "it is shown as it is");
    let mut past = Past::default();
    past.add(&summary, sum.barred());
    assert_eq!(Past::read(&past.text()).unwrap(), past);
}

#[test]
fn a_part_of_a_document_is_none_and_reading_never_panics() {
    let sum = found(1, "größe", 20, &[("a", late()), ("b", unselected())]);
    let text = summary(&sum, 20).text();
    for end in (0..text.len()).filter(|it| text.is_char_boundary(*it)) {
        let half = text.get(..end).unwrap();
        assert!(matches!(Summary::read(half), Err(Illegible::Broken(_))), "{half}");
    }
    for broken in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"format":1}"#,
        r#"{"format":"1"}"#,
        r#"{"format":-1}"#,
        r#"{"format":1,"taken":-5,"program":"","organization":""}"#,
        r#"{"format":1,"taken":18446744073709551615,"program":"","organization":""}"#,
        r#"{"format":1,"taken":1,"program":"","organization":"","accounts":{"../..":{"taken":1}}}"#,
    ] {
        let why = Summary::read(broken).unwrap_err();
        assert!(why.source().is_some(), "{broken}: {why}");
    }
    let day =
        r#"{"format":1,"program":"","timeline":{"days":{"000000000001":[[4294967295,"fresh"]]}}}"#;
    assert!(Past::read(day).is_err());
    assert!(Past::read(&day.replace("4294967295", "20777")).is_ok());
}

#[test]
fn what_a_newer_program_wrote_is_refused_by_its_name_and_unknown_keys_are_ignored() {
    let text = summary(&found(1, "orders", 20, &[("a", late())]), 20).text();
    let newer = text.replace("\"format\":1", "\"format\":2").replace(PROGRAM, "org-backup 9.0.0");
    let why = Summary::read(&newer).unwrap_err();
    let words = "written by a newer program (org-backup 9.0.0): use that or a newer one";
    assert_eq!(why.to_string(), words);
    // It may have changed everything but the head.
    let strange = r#"{"format":3,"program":"org-backup 10","taken":"today"}"#;
    assert!(matches!(Summary::read(strange), Err(Illegible::Newer(it)) if it == "org-backup 10"));
    let more = text.replacen('{', r#"{"weather":{"wind":[3]},"#, 1);
    assert_eq!(Summary::read(&more).unwrap(), Summary::read(&text).unwrap());
    // An earlier release may not have written everything.
    let less = r#"{"format":1,"taken":5,"program":"org-backup 0.1","organization":"o-example"}"#;
    assert!(Summary::read(less).unwrap().accounts.is_empty());
}

fn change(before: &[(&str, Coverage)], after: &[(&str, Coverage)]) -> Change {
    let before = summary(&found(1, "old name", 19, before), 19);
    Change::between(&before, &summary(&found(1, "new name", 20, after), 20))
}

#[test]
fn a_change_tells_by_cause_what_got_worse_and_what_got_better() {
    let before = [("a", late()), ("b", late()), ("c", unselected())];
    let after = [("b", late()), ("d", late()), ("e", late()), ("c", fresh())];
    let change = change(&before, &after);
    assert_eq!(change.since, noon(19));
    let causes = change.causes.iter();
    let causes: Vec<_> = causes.map(|it| (it.before, it.after, it.examples.len())).collect();
    assert_eq!(causes, [(2, 3, 2), (1, 0, 0)]);
    assert!(change.causes[0].examples[0].contains("volume/vol-d"));
}

#[test]
fn what_is_as_many_but_other_resources_is_a_change_and_another_name_of_an_account_is_none() {
    let one = change(&[("a", late())], &[("b", late())]);
    assert_eq!(one.causes.len(), 1);
    assert_eq!((one.causes[0].before, one.causes[0].after), (1, 1));
    assert!(change(&[("a", late())], &[("a", late())]).is_nothing());
}

#[test]
fn a_summary_that_names_only_some_makes_nothing_new_of_the_others() {
    let names: Vec<_> = (0..LINES + 500).map(|it| format!("{it:05}")).collect();
    let all: Vec<_> = names.iter().map(|it| (it.as_str(), unselected())).collect();
    // The first two thousand are mended, so that others are named instead.
    let rest = all.get(1_000..).unwrap();
    let change = change(&all, rest);
    assert_eq!(change.causes.len(), 1);
    assert_eq!((change.causes[0].before, change.causes[0].after), (2_500, 1_500));
    assert!(change.causes[0].examples.is_empty(), "{:?}", change.causes[0].examples);
    assert_eq!(change.causes[0].new, Bound { count: 0, is_least: true });
}

#[test]
fn new_resources_are_counted_as_far_as_the_summaries_name_them() {
    let names: Vec<_> = (0..LINES + 700).map(|it| format!("{it:05}")).collect();
    let judged = |from: usize, to: usize| -> Vec<_> {
        names[from..to].iter().map(|it| (it.as_str(), unselected())).collect()
    };
    let new = |before: (usize, usize), after: (usize, usize)| {
        let change = change(&judged(before.0, before.1), &judged(after.0, after.1));
        let [it] = change.causes.as_slice() else { panic!("{change:?}") };
        (it.new, it.examples.len())
    };
    let least = |count| Bound { count, is_least: true };
    assert_eq!(new((0, 2), (0, 13)), (Bound::exact(11), 10));
    assert_eq!(new((0, 100), (50, 150)), (Bound::exact(50), 10));
    assert_eq!(new((0, 0), (0, 2_500)), (Bound::exact(2_500), 10));
    // The later summary names the first 2,000, of which 1,900 are new.
    assert_eq!(new((0, 100), (0, 2_500)), (least(2_400), 10));
    // The earlier summary does not name all, so that nobody knows which are new.
    assert_eq!(new((0, 2_500), (0, 2_700)), (least(200), 0));
    assert_eq!(new((0, 2_500), (2_500, 2_600)), (least(0), 0));
    // A cause of which both name everything is compared, however many resources have another.
    let mut more = judged(0, 2_500);
    more.push(("late", late()));
    let change = change(&judged(0, 2_500), &more);
    assert_eq!((change.causes.len(), change.causes[0].new), (1, Bound::exact(1)));
}

#[test]
fn a_summary_says_how_many_resources_need_action_although_it_does_not_name_all() {
    let names: Vec<_> = (0..LINES + 500).map(|it| format!("{it:05}")).collect();
    let all: Vec<_> = names.iter().map(|it| (it.as_str(), unselected())).collect();
    let long = summary(&found(1, "x", 20, &all), 20);
    assert_eq!((long.needing(), long.resources.len()), (Bound::exact(2_500), LINES));
    assert_eq!(Summary::read(&long.text()).unwrap(), long);
    // An earlier release did not store the number.
    let earlier = |summary: &Summary| {
        let (key, number) = ("needAction", summary.needing().count);
        let text = summary.text().replace(&format!(",\"{key}\":{number}"), "");
        assert!(!text.contains(key), "{key} is still there");
        Summary::read(&text).unwrap().needing()
    };
    assert_eq!(earlier(&long), Bound { count: 2_500, is_least: true });
    let short = summary(&found(1, "x", 20, &[("a", late()), ("b", fresh())]), 20);
    assert_eq!(earlier(&short), Bound::exact(1));
}

fn days(past: &Past, of: usize) -> Vec<(String, DayState)> {
    past.timeline.days[&account(of)].iter().map(|it| (it.0.to_string(), it.1)).collect()
}

#[test]
fn a_day_of_an_account_is_what_its_worst_backup_is() {
    let excluded = coverage(State::Excluded);
    let missing = Coverage { owed: vec![owed(noon(21), CopyState::Missing)], ..fresh() };
    for (all, is_read, wanted) in [
        (vec![("a", fresh())], true, DayState::Fresh),
        (vec![("a", coverage(State::FirstDue(noon(21))))], true, DayState::Fresh),
        (vec![("a", fresh()), ("b", late())], true, DayState::Late),
        (vec![("a", missing)], true, DayState::Late),
        (vec![("a", late()), ("b", coverage(State::Failing))], true, DayState::Failed),
        (vec![("a", coverage(State::NotKnown("denied".to_owned())))], true, DayState::NotKnown),
        (vec![("a", fresh())], false, DayState::NotKnown),
        (vec![("a", late())], false, DayState::Late),
        (vec![], false, DayState::NotKnown),
        (vec![], true, DayState::Nothing),
        (vec![("a", excluded), ("b", unselected())], true, DayState::Nothing),
        (vec![("a", coverage(State::Failing))], false, DayState::Failed),
    ] {
        let mut sum = found(1, "x", 20, &all);
        if !is_read {
            sum.bar(&account(1));
        }
        let mut past = Past::default();
        past.add(&summary(&sum, 20), sum.barred());
        assert_eq!(days(&past, 1), [("2026-11-20".to_owned(), wanted)], "{all:?}");
    }
}

#[test]
fn the_same_sweep_again_changes_nothing_and_a_later_one_of_the_day_takes_its_place() {
    let sweep = summary(&found(1, "x", 20, &[("a", late())]), 20);
    let mut past = Past::default();
    past.add(&sweep, &BTreeSet::new());
    let once = past.clone();
    past.add(&sweep, &BTreeSet::new());
    assert_eq!(past, once);
    let later = summary(&found(1, "x", 20, &[("a", fresh())]), 20);
    past.add(&later, &BTreeSet::new());
    assert_eq!(days(&past, 1), [("2026-11-20".to_owned(), DayState::Fresh)]);
    assert_eq!(past.trend.len(), 1);
    assert_eq!(past.trend[0].states, [("fresh".to_owned(), 1)].into());
}

#[test]
fn a_clock_that_was_wrong_takes_no_other_day_away() {
    let mut past = Past::default();
    let sweep = |past: &mut Past, day| {
        past.add(&summary(&found(1, "x", day, &[("a", fresh())]), day), &BTreeSet::new());
    };
    (1..=30).for_each(|it| sweep(&mut past, it));
    // A month in which the clock was ten years ahead, and then it is right again.
    (3_700..3_740).for_each(|it| sweep(&mut past, it));
    (31..=33).for_each(|it| sweep(&mut past, it));
    let days = days(&past, 1);
    assert!(days.is_sorted());
    let known: BTreeSet<_> = days.iter().map(|it| it.0.as_str()).collect();
    assert!(known.contains("2026-12-01") && known.contains("2026-12-03"), "{known:?}");
    assert!(days.len() <= 61, "{}", days.len());
    (34..=1_000).for_each(|it| sweep(&mut past, it));
    assert!(past.trend.len() <= 801, "{}", past.trend.len());
}

#[test]
fn thirty_days_are_kept_and_an_account_that_left_goes_with_its_last() {
    let mut past = Past::default();
    let stay = |day| found(1, "x", day, &[("a", fresh())]);
    for day in 1..=10 {
        past.add(&summary(&merged([stay(day), found(2, "y", day, &[])]), day), &BTreeSet::new());
    }
    for day in 11..=45 {
        past.add(&summary(&stay(day), day), &BTreeSet::new());
        assert_eq!(past.timeline.days.contains_key(&account(2)), day < 40, "{day}");
    }
    assert_eq!(days(&past, 1).len(), 30);
    assert_eq!(past.trend.len(), 45);
    // An account that nobody could look into is there, and not known.
    past.add(&summary(&stay(46), 46), &[account(9)].into());
    assert_eq!(days(&past, 9), [("2026-12-16".to_owned(), DayState::NotKnown)]);
}

fn run(name: &str) -> plan::id::RunId {
    name.parse().unwrap()
}

#[test]
fn a_sweep_is_started_unless_one_is_under_way_and_one_that_may_not_be_is_started_again() {
    let Start::New(first) = Begun::start(None, noon(20)) else { panic!("nothing is known") };
    assert_eq!(first.run, run("coverage-20261120T120000Z"));
    let first = Begun::read(&first.text()).unwrap();
    assert_eq!(Begun::start(Some(&first), noon(20) + HOUR), Start::Again(first.clone()));
    let first = first.started();
    let later = Begun::start(Some(&first), noon(20) + HOUR);
    assert_eq!(later, Start::Under(first.run.clone()));
    // It never ended, and the next day has its own.
    assert!(matches!(Begun::start(Some(&first), noon(21)), Start::New(_)));
    // The clock was ahead.
    assert!(matches!(Begun::start(Some(&first), noon(19)), Start::New(_)));
    let over = first.over();
    assert!(over.is_over(&run("coverage-20261120T120000Z")) && !over.is_over(&run("other")));
    assert!(matches!(Begun::start(Some(&over), noon(20) + HOUR), Start::New(_)));
}

#[test]
fn what_changed_is_told_once_and_what_was_not_told_is_told_later() {
    let (mail, chat) = (Channel::Mail, Channel::Chat);
    let both: BTreeSet<_> = [mail, chat].into();
    let bad = found(1, "x", 20, &[("a", late())]);
    let good = found(1, "x", 20, &[("a", fresh())]);
    let decide = |last: Option<Notified>, name: &str, day, sum: &Sum| {
        let decided = Notified::decide(last, &run(name), noon(day), sum, &both);
        Notified::read(&decided.text()).unwrap()
    };
    assert!(decide(None, "1", 20, &good).left().is_empty(), "nothing is wrong");
    let first = decide(None, "1", 20, &bad);
    assert_eq!((first.left(), first.base(mail)), (&both, None));
    // The step is repeated after a mail was sent.
    let half = first.after(mail);
    assert_eq!(decide(Some(half.clone()), "1", 20, &bad), half);
    assert_eq!(half.left(), &[chat].into());
    // The other was never sent. The next sweep tells it there, and nothing to those who know.
    let second = decide(Some(half.clone()), "2", 21, &bad);
    assert_eq!((second.left(), second.base(chat)), (&[chat].into(), None));
    let told = second.after(chat);
    let third = decide(Some(told.clone()), "3", 22, &bad);
    assert!(third.left().is_empty());
    let mended = decide(Some(third), "4", 23, &good);
    assert_eq!(mended.left(), &both);
    assert_eq!(mended.base(mail), Some("coverage/history/20261122T120000Z.json"));
    // The record is as it was before the first notice.
    assert!(decide(Some(mended), "5", 24, &bad).left().is_empty());
    // What has to be repeated is.
    let findings: BTreeSet<_> = [Channel::Findings].into();
    let none = Notified::decide(None, &run("1"), noon(20), &good, &findings);
    assert_eq!(none.left(), &findings);
    let next = Notified::decide(
        Some(none.after(Channel::Findings)),
        &run("2"),
        noon(21),
        &good,
        &findings,
    );
    assert_eq!(next.left(), &findings);
}

#[test]
fn an_earlier_summary_is_found_by_its_day_and_by_its_name() {
    let keys = [19, 20, 22].map(|it| history_key(noon(it)));
    let by = |moment| key_by(&keys, moment).map(String::as_str);
    assert_eq!(by("2026-11-20"), Some("coverage/history/20261120T120000Z.json"));
    assert_eq!(by("2026-11-21"), by("2026-11-20"));
    assert_eq!(by("20261120T120000Z"), by("2026-11-20"));
    assert_eq!(by("20261120T115959Z"), by("2026-11-19"));
    assert_eq!(by("2026-11-18"), None);
    assert_eq!(by("2027"), Some("coverage/history/20261122T120000Z.json"));
    for strange in ["../../x", "größe", "\u{0}"] {
        let _found_or_not = by(strange);
    }
}

#[test]
fn a_cause_that_another_resource_has_now_is_not_better_although_fewer_have_it() {
    let change = |before, after, examples: &[&str]| CauseChange {
        words: String::new(),
        before,
        after,
        new: Bound::exact(examples.len().max(after.saturating_sub(before))),
        examples: examples.iter().map(|it| (*it).to_owned()).collect(),
    };
    assert_eq!(change(3, 1, &[]).direction(), Direction::Better);
    assert_eq!(change(3, 1, &["a"]).direction(), Direction::Other);
    assert_eq!(change(2, 2, &["a"]).direction(), Direction::Other);
    assert_eq!(change(1, 3, &["a"]).direction(), Direction::Worse);
    assert_eq!(change(1, 3, &[]).direction(), Direction::Worse);
}
