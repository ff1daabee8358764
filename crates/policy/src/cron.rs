//! Schedules as AWS Backup reads them: `cron(minute hour day-of-month month day-of-week year)`.
//!
//! None of the available crates supports this dialect (Sunday is 1, `?`, `L-3W`, the year as the
//! last field, a year that may be omitted). This module does, with `time` for the calendar.
//! Schedules in the backup policies of an organization are in UTC.

use std::time::{Duration, SystemTime};

use time::{Date, Month, OffsetDateTime};

/// The schedule of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minutes: u64,
    hours: u64,
    days: Days,
    months: u64,
    years: Vec<Steps>,
    has_seven_fields: bool,
}

/// The days of a month on which a schedule runs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    /// Days of the month, and days for which the nearest weekday is used.
    Month { days: u64, nearest: u64 },
    /// The day that is `before` days before the last one, or the weekday nearest to it.
    Last { before: u8, nearest: bool },
    /// Days of the week, with Sunday as 1.
    Week { days: u64, nth: Option<(u8, u8)> },
    /// The last occurrence of a day of the week.
    LastOfWeek(u8),
}

/// All numbers from `first` to `last` in steps of `step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Steps {
    first: u16,
    last: u16,
    step: u16,
}

/// The values that a field may have.
struct Field {
    name: &'static str,
    low: u16,
    high: u16,
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", low: 0, high: 59, names: &[] };
const HOUR: Field = Field { name: "hour", low: 0, high: 23, names: &[] };
const DAY: Field = Field { name: "day of month", low: 1, high: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    low: 1,
    high: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const WEEKDAY: Field = Field {
    name: "day of week",
    low: 1,
    high: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};
const YEAR: Field = Field { name: "year", low: 1970, high: 2199, names: &[] };

const HOURLY: Duration = Duration::from_hours(1);

impl Schedule {
    /// Reads `cron(…)`.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS does not understand the expression. The error names the part and the
    /// reason.
    pub fn parse(expression: &str) -> Result<Self, String> {
        let inside = expression.strip_prefix("cron(").and_then(|it| it.strip_suffix(')'));
        let Some(inside) = inside else {
            return Err(format!(
                "`{expression}` is not a schedule; write `cron(minute hour day-of-month month \
                 day-of-week year)`, as in `cron(0 5 ? * * *)`"
            ));
        };
        let fields: Vec<&str> = inside.split_ascii_whitespace().collect();
        let (minute, hour, day, month, weekday, year) = match fields.as_slice() {
            [minute, hour, day, month, weekday] => (minute, hour, day, month, weekday, &"*"),
            [minute, hour, day, month, weekday, year]
            // AWS was observed to accept a seventh field, which has no known meaning.
            | [minute, hour, day, month, weekday, year, _] => {
                (minute, hour, day, month, weekday, year)
            }
            other => {
                return Err(format!(
                    "`{expression}` has {} fields; AWS wants six: minute, hour, day of month, \
                     month, day of week, year",
                    other.len()
                ));
            }
        };
        let days = match (*day, *weekday) {
            ("?", "?") => {
                return Err(format!(
                    "`{expression}` has `?` for both day of month and day of week; only one of \
                     them may be left open"
                ));
            }
            ("?", weekday) => days_of_week(weekday)?,
            (day, "?") => days_of_month(day)?,
            _ => {
                return Err(format!(
                    "`{expression}` sets both day of month and day of week; one of them must be `?`"
                ));
            }
        };
        Ok(Self {
            minutes: set(&MINUTE, minute)?,
            hours: set(&HOUR, hour)?,
            days,
            months: set(&MONTH, month)?,
            years: year.split(',').map(one_year).collect::<Result<_, _>>()?,
            has_seven_fields: fields.len() == 7,
        })
    }

    /// Returns the time between the next two runs after `now`, which is the interval that AWS
    /// checks.
    ///
    /// Returns `None` if fewer than two runs are left.
    #[must_use]
    pub fn interval(&self, now: SystemTime) -> Option<Duration> {
        let first = self.next(now)?;
        let second = self.next(first)?;
        second.duration_since(first).ok()
    }

    /// Returns the first run after `now`.
    #[must_use]
    pub fn next(&self, now: SystemTime) -> Option<SystemTime> {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.as_secs());
        let now = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
        let today = now.date();
        let after = u16::from(now.hour()) * 60 + u16::from(now.minute());
        let from = u16::try_from(today.year()).ok()?;
        for year in from..=YEAR.high {
            if !self.years.iter().any(|it| it.has(year)) {
                continue;
            }
            for month in 1..=12_u8 {
                let past = year == from && month < u8::from(today.month());
                if past || !has(self.months, month) {
                    continue;
                }
                let this = year == from && month == u8::from(today.month());
                let day = self.day(year, month, if this { today.day() } else { 1 });
                let Some(mut day) = day else { continue };
                let mut time = self.time(0);
                if this && day == today.day() {
                    time = self.time(after + 1);
                    if time.is_none() {
                        let Some(later) = self.day(year, month, day + 1) else { continue };
                        (day, time) = (later, self.time(0));
                    }
                }
                return at(year, month, day, time?);
            }
        }
        None
    }

    /// Returns the last run at or before `now`.
    #[must_use]
    pub fn last(&self, now: SystemTime) -> Option<SystemTime> {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        let now = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
        let today = now.date();
        let minute = u16::from(now.hour()) * 60 + u16::from(now.minute());
        let until = u16::try_from(today.year()).ok()?;
        for year in (YEAR.low..=until).rev().filter(|it| self.years.iter().any(|of| of.has(*it))) {
            for month in (1..=12_u8).rev().filter(|it| has(self.months, *it)) {
                let this = year == until && month == u8::from(today.month());
                if year == until && month > u8::from(today.month()) {
                    continue;
                }
                let calendar = Calendar::of(year, month)?;
                let last = if this { today.day() } else { calendar.length };
                for day in (1..=last).rev().filter(|it| self.days.has(&calendar, *it)) {
                    let is_today = this && day == today.day();
                    let until = if is_today { minute } else { 24 * 60 };
                    if let Some(time) = self.time_until(until) {
                        return at(year, month, day, time);
                    }
                }
            }
        }
        None
    }

    /// Returns `true` if some runs are less than an hour apart, even if they are not the next
    /// ones.
    #[must_use]
    pub fn is_ever_within_an_hour(&self) -> bool {
        self.minutes.count_ones() > 1
    }

    /// Returns `true` if there is a field after the year. It is not known how AWS interprets it.
    #[must_use]
    pub fn has_seven_fields(&self) -> bool {
        self.has_seven_fields
    }

    /// Returns the first day of the month, not before `from`, on which the schedule runs.
    fn day(&self, year: u16, month: u8, from: u8) -> Option<u8> {
        let calendar = Calendar::of(year, month)?;
        (from..=calendar.length).find(|day| self.days.has(&calendar, *day))
    }

    /// Returns the first minute of the day, not before `from`, at which the schedule runs.
    fn time(&self, from: u16) -> Option<u16> {
        let this = first(self.minutes, from % 60).filter(|_| has(self.hours, from / 60));
        this.map(|it| from - from % 60 + it)
            .or_else(|| Some(first(self.hours, from / 60 + 1)? * 60 + first(self.minutes, 0)?))
    }

    /// Returns the last minute of the day, not after `until`, at which the schedule runs.
    fn time_until(&self, until: u16) -> Option<u16> {
        let this = last(self.minutes, until % 60).filter(|_| has(self.hours, until / 60));
        this.map(|it| until - until % 60 + it).or_else(|| {
            Some(last(self.hours, (until / 60).checked_sub(1)?)? * 60 + last(self.minutes, 59)?)
        })
    }
}

/// Checks that AWS would accept `expression` at `now`.
///
/// # Errors
///
/// Returns the reason if the expression cannot be read, has fewer than two runs left, or has its
/// next two runs less than an hour apart.
pub fn admit(expression: &str, now: SystemTime) -> Result<Schedule, String> {
    let schedule = Schedule::parse(expression)?;
    match schedule.interval(now) {
        None => Err(format!("`{expression}` has fewer than two runs left, so AWS refuses it")),
        Some(interval) if interval < HOURLY => Err(format!(
            "`{expression}` runs twice within {} minutes; AWS wants at least an hour between runs",
            interval.as_secs() / 60
        )),
        Some(_) => Ok(schedule),
    }
}

/// A month of a specific year.
struct Calendar {
    length: u8,
    /// The day of the week of the first day, with Sunday as 0.
    first: u8,
}

impl Calendar {
    fn of(year: u16, month: u8) -> Option<Self> {
        let month = Month::try_from(month).ok()?;
        let first = Date::from_calendar_date(i32::from(year), month, 1).ok()?;
        let length = month.length(i32::from(year));
        Some(Self { length, first: first.weekday().number_days_from_sunday() })
    }

    /// Returns the day of the week, with Sunday as 1.
    fn weekday(&self, day: u8) -> u8 {
        (self.first + day - 1) % 7 + 1
    }

    /// Returns the weekday nearest to `day` within the month, or `None` if the month has no such
    /// day.
    fn nearest(&self, day: u8) -> Option<u8> {
        if day < 1 || day > self.length {
            return None;
        }
        Some(match self.weekday(day) {
            1 if day == self.length => day - 2,
            1 => day + 1,
            7 if day == 1 => 3,
            7 => day - 1,
            _ => day,
        })
    }
}

impl Days {
    fn has(&self, calendar: &Calendar, day: u8) -> bool {
        match self {
            Self::Month { days, nearest } => {
                has(*days, day)
                    || (*nearest != 0
                        && (1..=31)
                            .any(|it| has(*nearest, it) && calendar.nearest(it) == Some(day)))
            }
            Self::Last { before, nearest: false } => {
                calendar.length.checked_sub(*before) == Some(day)
            }
            Self::Last { before, nearest: true } => {
                calendar.length.checked_sub(*before).and_then(|it| calendar.nearest(it))
                    == Some(day)
            }
            Self::Week { days, nth } => {
                let weekday = calendar.weekday(day);
                has(*days, weekday) || *nth == Some((weekday, (day - 1) / 7 + 1))
            }
            Self::LastOfWeek(weekday) => {
                calendar.weekday(day) == *weekday && day + 7 > calendar.length
            }
        }
    }
}

impl Steps {
    fn has(self, number: u16) -> bool {
        (self.first..=self.last).contains(&number)
            && (number - self.first).is_multiple_of(self.step)
    }
}

fn days_of_month(field: &str) -> Result<Days, String> {
    if let Some(rest) = strip(field, "L") {
        let (rest, nearest) = match rest.strip_suffix(['W', 'w']) {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        if rest.is_empty() {
            return Ok(Days::Last { before: 0, nearest });
        }
        let before = rest.strip_prefix('-').and_then(|it| it.parse().ok()).filter(|it| *it <= 30);
        return match before {
            Some(before) => Ok(Days::Last { before, nearest }),
            None => Err(wrong(&DAY, field, "`L` may be followed by `W` or by `-0` to `-30`")),
        };
    }
    let (mut days, mut nearest) = (0, 0);
    for part in field.split(',') {
        match part.strip_suffix(['W', 'w']) {
            Some(part) => nearest |= set(&DAY, part)?,
            None => days |= set(&DAY, part)?,
        }
    }
    Ok(Days::Month { days, nearest })
}

fn days_of_week(field: &str) -> Result<Days, String> {
    if field.eq_ignore_ascii_case("L") {
        return Ok(Days::Week { days: 1 << WEEKDAY.high, nth: None });
    }
    if let Some(day) = field.strip_suffix(['L', 'l']) {
        return Ok(Days::LastOfWeek(small(number(&WEEKDAY, day)?)));
    }
    let (mut days, mut nth) = (0, None);
    for part in field.split(',') {
        let Some((day, count)) = part.split_once('#') else {
            days |= set(&WEEKDAY, part)?;
            continue;
        };
        let count = count.parse().ok().filter(|it| (1..=5).contains(it));
        let (Some(count), None) = (count, nth) else {
            return Err(wrong(&WEEKDAY, field, "`#` takes a number from 1 to 5, and only once"));
        };
        nth = Some((small(number(&WEEKDAY, day)?), count));
    }
    Ok(Days::Week { days, nth })
}

fn one_year(part: &str) -> Result<Steps, String> {
    let steps = steps(&YEAR, part)?;
    if steps.first > steps.last {
        return Err(wrong(&YEAR, part, "the first year is after the last one"));
    }
    Ok(steps)
}

/// Returns the numbers of a field as bits. A range may wrap around, as in `FRI-MON`.
fn set(field: &Field, text: &str) -> Result<u64, String> {
    let mut bits = 0;
    for part in text.split(',') {
        let Steps { first, last, step } = steps(field, part)?;
        let size = field.high - field.low + 1;
        let last = if first > last { last + size } else { last };
        for it in (first..=last).step_by(usize::from(step)) {
            bits |= 1 << if it > field.high { it - size } else { it };
        }
    }
    Ok(bits)
}

/// Reads `*`, `7`, `1-5`, `MON-FRI`, and each of them followed by `/2`.
fn steps(field: &Field, part: &str) -> Result<Steps, String> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" => (field.low, field.high),
        Some((first, last)) => (number(field, first)?, number(field, last)?),
        None if range.is_empty() && step.is_some() => (field.low, field.high),
        None => {
            let first = number(field, range)?;
            (first, if step.is_some() { field.high } else { first })
        }
    };
    let step = match step {
        None => 1,
        Some(step) => step
            .parse()
            .ok()
            .filter(|it| (1..=field.high).contains(it))
            .ok_or_else(|| wrong(field, part, "the number after `/` is out of range"))?,
    };
    Ok(Steps { first, last, step })
}

fn number(field: &Field, text: &str) -> Result<u16, String> {
    let name = field.names.iter().position(|it| it.eq_ignore_ascii_case(text));
    if let Some(index) = name.and_then(|it| u16::try_from(it).ok()) {
        return Ok(field.low + index);
    }
    let digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let number = text.parse().ok().filter(|it| digits && (field.low..=field.high).contains(it));
    number.ok_or_else(|| {
        let names = match field.names {
            [first, .., last] => format!(" or {first} to {last}"),
            _ => String::new(),
        };
        wrong(field, text, &format!("expected {} to {}{names}", field.low, field.high))
    })
}

fn wrong(field: &Field, text: &str, why: &str) -> String {
    format!("the {} `{text}` of the schedule is not understood: {why}", field.name)
}

fn strip<'a>(text: &'a str, letter: &str) -> Option<&'a str> {
    let (first, rest) = text.split_at_checked(1)?;
    first.eq_ignore_ascii_case(letter).then_some(rest)
}

fn has(bits: u64, number: impl Into<u64>) -> bool {
    bits >> number.into() & 1 == 1
}

/// Returns the first of the numbers that is not before `from`.
fn first(bits: u64, from: u16) -> Option<u16> {
    let left = bits.checked_shr(from.into())?;
    (left != 0).then(|| from + u16::try_from(left.trailing_zeros()).unwrap_or_default())
}

/// Returns the last of the numbers that is not after `until`.
fn last(bits: u64, until: u16) -> Option<u16> {
    let left = bits & u64::MAX.checked_shr(63_u32.checked_sub(until.into())?)?;
    left.checked_ilog2().and_then(|it| u16::try_from(it).ok())
}

/// Converts a day of the week or of the month.
fn small(number: u16) -> u8 {
    u8::try_from(number).unwrap_or_default()
}

fn at(year: u16, month: u8, day: u8, minute: u16) -> Option<SystemTime> {
    let month = Month::try_from(month).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, day).ok()?;
    let (hour, minute) = (u8::try_from(minute / 60).ok()?, u8::try_from(minute % 60).ok()?);
    let seconds = date.with_hms(hour, minute, 0).ok()?.assume_utc().unix_timestamp();
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, 21 November 2026, 06:00.
    fn now() -> SystemTime {
        at(2026, 11, 21, 6 * 60).unwrap()
    }

    /// The next three runs after [`now`].
    fn check(expression: &str, expected: &[(u16, u8, u8, u16)]) {
        let schedule = Schedule::parse(expression).unwrap();
        let runs = std::iter::successors(schedule.next(now()), |it| schedule.next(*it));
        let expected: Vec<_> =
            expected.iter().map(|it| at(it.0, it.1, it.2, it.3).unwrap()).collect();
        assert_eq!(runs.take(expected.len()).collect::<Vec<_>>(), expected, "{expression}");
    }

    #[test]
    fn the_next_runs_are_those_the_calendar_gives() {
        check("cron(30 4 ? * * *)", &[(2026, 11, 22, 270), (2026, 11, 23, 270)]);
        check(
            "cron(0 7/6 ? * * *)",
            &[(2026, 11, 21, 420), (2026, 11, 21, 780), (2026, 11, 21, 1140)],
        );
        check("cron(0 /6 ? * * *)", &[(2026, 11, 21, 720), (2026, 11, 21, 1080)]);
        check("cron(0 6 * * ? *)", &[(2026, 11, 22, 360)]);
        check("cron(1 6 * * ? *)", &[(2026, 11, 21, 361)]);
        check("cron(0 3 15 * ? *)", &[(2026, 12, 15, 180), (2027, 1, 15, 180)]);
        check("cron(0 3 29 FEB ? *)", &[(2028, 2, 29, 180), (2032, 2, 29, 180)]);
    }

    #[test]
    fn the_last_run_is_the_one_that_none_follows_until_now() {
        let last = |expression: &str| Schedule::parse(expression).unwrap().last(now());
        assert_eq!(last("cron(30 4 ? * * *)"), at(2026, 11, 21, 270));
        assert_eq!(last("cron(0 6 * * ? *)"), at(2026, 11, 21, 360), "a run at this minute");
        assert_eq!(last("cron(1 6 * * ? *)"), at(2026, 11, 20, 361));
        assert_eq!(last("cron(0 3 29 FEB ? *)"), at(2024, 2, 29, 180));
        assert_eq!(last("cron(0 3 1 JAN ? 2027)"), None);
        assert_eq!(last("cron(0 3 L * ? *)"), at(2026, 10, 31, 180));
        for expression in ["cron(15 * ? * * *)", "cron(0 3 15W * ? *)", "cron(0 3 ? 2-12/3 6L *)"] {
            let schedule = Schedule::parse(expression).unwrap();
            let run = schedule.last(now()).unwrap();
            assert_eq!(schedule.next(run - Duration::from_secs(1)), Some(run), "{expression}");
            assert!(schedule.next(run) > Some(now()), "{expression}");
        }
    }

    #[test]
    fn a_week_begins_on_sunday_with_the_number_one() {
        check("cron(0 3 ? * 1 *)", &[(2026, 11, 22, 180), (2026, 11, 29, 180)]);
        check(
            "cron(0 3 ? * mon-WED *)",
            &[(2026, 11, 23, 180), (2026, 11, 24, 180), (2026, 11, 25, 180)],
        );
        check("cron(0 3 ? * FRI-MON/2 *)", &[(2026, 11, 22, 180), (2026, 11, 27, 180)]);
        check(
            "cron(0 3 ? * SAT-MON *)",
            &[(2026, 11, 22, 180), (2026, 11, 23, 180), (2026, 11, 28, 180)],
        );
        check("cron(0 3 ? * L *)", &[(2026, 11, 28, 180)]);
    }

    #[test]
    fn letters_pick_days_by_the_month_they_are_in() {
        check("cron(0 3 L * ? *)", &[(2026, 11, 30, 180), (2026, 12, 31, 180)]);
        check("cron(0 3 L-2 * ? *)", &[(2026, 11, 28, 180), (2026, 12, 29, 180)]);
        check("cron(0 3 LW 1 ? *)", &[(2027, 1, 29, 180)]);
        check("cron(0 3 L-30 * ? *)", &[(2026, 12, 1, 180), (2027, 1, 1, 180), (2027, 3, 1, 180)]);
        check(
            "cron(0 3 15W * ? *)",
            &[(2026, 12, 15, 180), (2027, 1, 15, 180), (2027, 2, 15, 180)],
        );
        check("cron(0 3 1W 5 ? *)", &[(2027, 5, 3, 180)]);
        check("cron(0 3 31W 1 ? *)", &[(2027, 1, 29, 180)]);
        // No day is near one that the month does not have.
        check("cron(0 3 29W 2 ? 2031-2032)", &[(2032, 2, 27, 180)]);
        check("cron(0 3 ? * 6L *)", &[(2026, 11, 27, 180), (2026, 12, 25, 180)]);
        check("cron(0 3 ? * MONL *)", &[(2026, 11, 30, 180), (2026, 12, 28, 180)]);
        check("cron(0 3 ? * TUE#2 *)", &[(2026, 12, 8, 180), (2027, 1, 12, 180)]);
        check("cron(0 3 ? * TUE#5 *)", &[(2026, 12, 29, 180), (2027, 3, 30, 180)]);
    }

    #[test]
    fn months_and_years_limit_the_runs() {
        check("cron(0 3 1 NOV-FEB/2 ? *)", &[(2027, 1, 1, 180), (2027, 11, 1, 180)]);
        check(
            "cron(0 3 1 3,6 ? 2028-2030/2)",
            &[(2028, 3, 1, 180), (2028, 6, 1, 180), (2030, 3, 1, 180)],
        );
        check("cron(0 3 1 JAN ?)", &[(2027, 1, 1, 180), (2028, 1, 1, 180)]);
        check("cron(0 3 1 JAN ? 2028-2029 *)", &[(2028, 1, 1, 180), (2029, 1, 1, 180)]);
    }

    #[test]
    fn what_aws_does_not_understand_is_refused() {
        for expression in [
            "rate(1 day)",
            "cron(0 5 * * *)",
            "cron(0 5 1 * ? * * *)",
            "cron(0 5 ? * ? *)",
            "cron(0 5 * * * *)",
            "cron(60 5 ? * * *)",
            "cron(0 24 ? * * *)",
            "cron(0 5 0 * ? *)",
            "cron(0 5 32 * ? *)",
            "cron(0 5 ? 13 * *)",
            "cron(0 5 ? * 0 *)",
            "cron(0 5 ? * 8 *)",
            "cron(0 5 ? * MON#6 *)",
            "cron(0 5 ? * MON#0 *)",
            "cron(0 5 ? * MON#1/2 *)",
            "cron(0 5 ? * TUEL,FRIL *)",
            "cron(0 5 L,15 * ? *)",
            "cron(0 5 L-31 * ? *)",
            "cron(0 5 L-W * ? *)",
            "cron(0/0 5 ? * * *)",
            "cron(0 +5 ? * * *)",
            "cron(0 5 ? * * 2031-2029)",
            "cron(0 5 ? * * 2200)",
            "cron(0 5 ? * MONDAY *)",
            "cron(, 5 ? * * *)",
            "cron()",
            "cron(0 5 ? * * *",
            "0 5 ? * * *",
        ] {
            assert!(Schedule::parse(expression).is_err(), "{expression}");
        }
        for (expression, expected) in [
            ("cron(0 5 ? * ? *)", "`?` for both day of month and day of week"),
            (
                "cron(60 5 ? * * *)",
                "the minute `60` of the schedule is not understood: expected 0 to 59",
            ),
            (
                "cron(0 5 ? * 8 *)",
                "day of week `8` of the schedule is not understood: expected 1 to 7 or SUN to SAT",
            ),
        ] {
            let why = Schedule::parse(expression).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn two_runs_must_be_left_and_an_hour_apart() {
        assert!(admit("cron(15 * ? * * *)", now()).is_ok());
        assert!(admit("cron(0/30 * ? * * *)", now()).is_err());
        assert!(admit("cron(0 5 1 1 ? 2024)", now()).is_err());
        assert!(admit("cron(0 5 31 2 ? *)", now()).is_err());
        assert!(admit("cron(0 5 1 1 ? 2027)", now()).is_err());
        assert!(admit("cron(0 5 1 1 ? 2027-2028)", now()).is_ok());
    }

    #[test]
    fn only_the_next_two_runs_count_but_the_others_are_known() {
        // At 06:20 the next runs are at 06:40 today and 06:10 tomorrow.
        let expression = "cron(10,40 6 ? * * *)";
        assert!(admit(expression, now() + Duration::from_mins(20)).is_ok());
        assert!(admit(expression, now()).is_err());
        assert!(Schedule::parse(expression).unwrap().is_ever_within_an_hour());
    }
}
