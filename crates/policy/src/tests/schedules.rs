//! Schedules against `croner`, which shares nothing with the reader here.
//!
//! What both read is generated: numbers, names, lists, ranges, steps, `L`, `W` and `#`. What `croner`
//! reads in another way, or does not read, is left to the tests of the reader: ranges that run over the
//! end of a field (`FRI-MON`), a step from a number (`5/15`), `L` alone as a day of the week, `L-3`,
//! `LW`, and a field that is left out.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use croner::parser::{CronParser, Seconds, Year};
use proptest::prelude::*;

use super::now;
use crate::cron::Schedule;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A number of a field, with its name where it has one.
fn number(low: u16, names: &'static [&'static str]) -> impl Fn(u16) -> String {
    move |it| match names.get(usize::from(it - low)) {
        Some(name) if it % 2 == 0 => (*name).to_owned(),
        _ => it.to_string(),
    }
}

/// A number, a range, or either with a step.
fn part(low: u16, high: u16, names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let name = move |it| number(low, names)(it);
    prop_oneof![
        (low..=high).prop_map(name),
        (low..=high, low..=high).prop_map(move |(one, other)| format!(
            "{}-{}",
            name(one.min(other)),
            name(one.max(other))
        )),
        (low..=high, low..=high, 1..=high.min(12)).prop_map(|(one, other, step)| format!(
            "{}-{}/{step}",
            one.min(other),
            one.max(other)
        )),
        (1..=high.min(12)).prop_map(|step| format!("*/{step}")),
    ]
}

fn field(low: u16, high: u16, names: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just("*".to_owned()),
        3 => prop::collection::vec(part(low, high, names), 1..4).prop_map(|it| it.join(",")),
    ]
}

fn day_of_month() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => field(1, 31, &[]),
        1 => Just("L".to_owned()),
        1 => (1..=28_u16).prop_map(|it| format!("{it}W")),
    ]
}

fn day_of_week() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => field(1, 7, &DAYS),
        1 => (1..=7_u16).prop_map(|it| format!("{it}L")),
        1 => (1..=7_u16, 1..=5_u16).prop_map(|(day, nth)| format!("{day}#{nth}")),
    ]
}

/// Minute, hour, day of month, month, day of week, year: one of the two days is `?`.
fn expression() -> impl Strategy<Value = [String; 6]> {
    let days = prop_oneof![
        day_of_month().prop_map(|it| (it, "?".to_owned())),
        day_of_week().prop_map(|it| ("?".to_owned(), it)),
    ];
    let year = prop_oneof![
        3 => Just("*".to_owned()),
        1 => (2026..2040_u16).prop_map(|it| it.to_string()),
        1 => (2026..2032_u16, 2032..2040_u16, 1..4_u16)
            .prop_map(|(first, last, step)| format!("{first}-{last}/{step}")),
    ];
    (field(0, 59, &[]), field(0, 23, &[]), days, field(1, 12, &MONTHS), year).prop_map(
        |(minute, hour, (day, weekday), month, year)| [minute, hour, day, month, weekday, year],
    )
}

/// The runs after `now` as `croner` has them.
fn others(fields: &[String; 6], now: SystemTime, count: usize) -> Vec<SystemTime> {
    let [minute, hour, day, month, weekday, year] = fields;
    // With Sunday as 1, it reads no step from `*`.
    let weekday = weekday.replace("*/", "1-7/");
    let pattern = format!("0 {minute} {hour} {day} {month} {weekday} {year}").replace('?', "*");
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .build();
    let cron = parser.parse(&pattern).unwrap_or_else(|it| panic!("{pattern}: {it}"));
    let mut runs = Vec::new();
    let mut at = DateTime::<Utc>::from(now);
    while runs.len() < count
        && let Ok(next) = cron.find_next_occurrence(&at, false)
    {
        runs.push(next.into());
        at = next;
    }
    runs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_schedule_runs_when_another_implementation_says(
        fields in expression(),
        minutes in 0..4 * 366 * 24 * 60_u64,
    ) {
        let text = format!("cron({})", fields.join(" "));
        let schedule = Schedule::parse(&text).unwrap();
        let now = now() + Duration::from_mins(minutes);
        let runs = std::iter::successors(schedule.next(now), |it| schedule.next(*it));
        // Further ahead, `croner` gives up.
        let end = now + Duration::from_hours(20 * 366 * 24);
        let is_near = |it: &SystemTime| *it < end;
        let runs: Vec<_> = runs.take(4).filter(is_near).collect();
        let others: Vec<_> = others(&fields, now, 4).into_iter().filter(is_near).collect();
        prop_assert_eq!(runs, others, "{}", text);
    }
}

proptest! {
    #[test]
    fn the_last_run_is_the_one_before_the_next(
        fields in expression(),
        minutes in 0..4 * 366 * 24 * 60_u64,
    ) {
        let text = format!("cron({})", fields.join(" "));
        let schedule = Schedule::parse(&text).unwrap();
        let now = now() + Duration::from_mins(minutes);
        let Some(next) = schedule.next(now) else { return Ok(()) };
        prop_assert_eq!(schedule.last(next), Some(next), "{}", text);
        if let Some(last) = schedule.last(now) {
            prop_assert!(last <= now, "{}", text);
            prop_assert_eq!(schedule.next(last), Some(next), "{}", text);
        }
    }
}
