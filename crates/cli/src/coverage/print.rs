//! Prints judged resources in each format.

use std::collections::BTreeSet;
use std::time::SystemTime;

use errors::advised;
use policy::Severity;
use report::coverage::{Group, Groups, State, Until};
use report::{NO_REGION, counted, utc};
use serde_json::Value;

use super::{Format, Judged, Summary};
use crate::CommandError;
use crate::accounts::first_steps;
use crate::formats::{self, About, Found};
use crate::output::Output;

const COLUMNS: [&str; 15] = [
    "account",
    "region",
    "type",
    "resource",
    "state",
    "since",
    "plans",
    "newest",
    "next",
    "copies",
    "points",
    "kept_until",
    "locked_until",
    "restore_test",
    "causes",
];

/// Prints resources as they come, or in the end the causes that they share.
pub(super) struct Printer {
    format: Format,
    output: Output,
    groups: Groups,
    /// The number of items printed so far, or 1 once the heading is printed.
    printed: usize,
    /// The codes and results of SARIF so far.
    results: (BTreeSet<&'static str>, Vec<Value>),
    /// The suite of `JUnit` that is not printed yet: its account, and its tests.
    suite: (String, Vec<Verdict>),
}

/// The judgment of a resource.
struct Verdict {
    resource: String,
    state: &'static str,
    /// True if the resource needs no action now.
    is_fine: bool,
    severity: Severity,
    causes: Vec<String>,
}

impl Verdict {
    fn of(it: &Judged<'_>) -> Self {
        let (state, is_fine) = (&it.coverage.state, it.coverage.is_fine());
        let is_error = !is_fine && !matches!(state, State::NotKnown(_));
        Self {
            resource: it.resource.arn.clone(),
            state: state.key(),
            is_fine,
            severity: if is_error { Severity::Error } else { Severity::Warning },
            causes: it.judge.causes(it.coverage).into_iter().map(|it| it.words).collect(),
        }
    }

    /// Returns each cause in the form for other programs.
    fn found(&self) -> impl Iterator<Item = Found<'_>> {
        self.causes.iter().map(|it| self.told(it))
    }

    fn told<'a>(&'a self, cause: &'a str) -> Found<'a> {
        Found {
            about: About::Resource(&self.resource),
            path: "",
            severity: self.severity,
            code: self.state,
            message: cause,
            whole: format!("{}: {cause}", self.resource),
        }
    }
}

impl Printer {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            output: Output::new(),
            groups: Groups::default(),
            printed: 0,
            results: (BTreeSet::new(), vec![]),
            suite: (String::new(), vec![]),
        }
    }

    /// Prints one resource, or keeps it for the end.
    pub(super) fn resource(&mut self, it: &Judged<'_>) -> Result<(), CommandError> {
        match self.format {
            Format::Text => {
                let place = it.judge.place();
                let (account, region, state) = (&place.account, &place.region, &it.coverage.state);
                let told = format!("{account} {region} {}: {state}", it.resource.arn);
                let causes = it.judge.causes(it.coverage);
                self.groups.add(&it.coverage.state, causes, &told);
                Ok(())
            }
            Format::Json => self.item(&it.judge.json(it.resource, it.coverage)),
            Format::Csv => {
                self.begin()?;
                self.output.row(fields(it))
            }
            Format::Github => {
                let verdict = Verdict::of(it);
                let mut found = verdict.found();
                found.try_for_each(|it| self.output.remark(it.severity, &it.whole))
            }
            Format::Gitlab => {
                let verdict = Verdict::of(it);
                let mut found = verdict.found();
                found.try_for_each(|it| self.item(&formats::gitlab(&it)))
            }
            Format::Sarif => {
                let verdict = Verdict::of(it);
                let (codes, results) = &mut self.results;
                for it in verdict.found() {
                    codes.insert(verdict.state);
                    results.push(formats::sarif_result(&it));
                }
                Ok(())
            }
            Format::Junit => {
                self.begin()?;
                let account = it.judge.place().account.as_str();
                if self.suite.0 != account {
                    self.suite()?;
                    account.clone_into(&mut self.suite.0);
                }
                self.suite.1.push(Verdict::of(it));
                Ok(())
            }
        }
    }

    fn item(&mut self, item: &Value) -> Result<(), CommandError> {
        self.printed += 1;
        self.output.item(self.printed == 1, item)
    }

    /// Prints the part before the first resource, unless it was printed.
    fn begin(&mut self) -> Result<(), CommandError> {
        self.printed += 1;
        match self.format {
            _ if self.printed > 1 => Ok(()),
            Format::Csv => self.output.row(COLUMNS),
            Format::Junit => {
                let begin = formats::junit_begin("coverage");
                begin.iter().try_for_each(|it| self.output.line(it))
            }
            Format::Text | Format::Json | Format::Github | Format::Gitlab | Format::Sarif => Ok(()),
        }
    }

    /// Prints the suite of `JUnit` that was collected, and leaves an empty one.
    fn suite(&mut self) -> Result<(), CommandError> {
        let (account, verdicts) = std::mem::take(&mut self.suite);
        if verdicts.is_empty() {
            return Ok(());
        }
        let causes: Vec<_> = verdicts.iter().map(|it| it.causes.join("; ")).collect();
        let tests = verdicts
            .iter()
            .zip(&causes)
            .map(|(it, causes)| (it.resource.clone(), (!it.is_fine).then(|| it.told(causes))));
        let tests: Vec<_> = tests.collect();
        formats::suite(&account, &tests).iter().try_for_each(|it| self.output.line(it))
    }

    /// Prints the rest: the end of the format, and the notes beside it.
    pub(super) fn end(mut self, outcome: &Summary) -> Result<(), CommandError> {
        match self.format {
            Format::Text => self.sum(outcome)?,
            Format::Json | Format::Gitlab => self.output.items_end(self.printed == 0)?,
            Format::Csv => self.begin()?,
            Format::Github => {}
            Format::Sarif => {
                let (codes, results) = std::mem::take(&mut self.results);
                self.output.json(&formats::sarif(&codes, results))?;
            }
            Format::Junit => {
                self.begin()?;
                self.suite()?;
                self.output.line(formats::JUNIT_END)?;
            }
        }
        self.output.flush()?;
        outcome.tell();
        Ok(())
    }

    fn sum(&mut self, outcome: &Summary) -> Result<(), CommandError> {
        let Summary { organization, taken, accounts, regions, resources, .. } = outcome;
        let taken = taken.map(utc).unwrap_or_default();
        let counts = self.groups.states.iter().map(|(state, count)| format!("{count} {state}"));
        let counts: Vec<_> = counts.collect();
        let counts = match counts.as_slice() {
            _ if *regions == 0 => NO_REGION.to_owned(),
            [] => "nothing to judge".to_owned(),
            counts => counts.join(", "),
        };
        self.output.line(&format!("Backups of {organization}, {taken}"))?;
        self.output.line(&format!(
            "{} × {}, {}: {counts}",
            counted(*accounts, "account"),
            counted(*regions, "Region"),
            counted(*resources, "resource")
        ))?;
        if *regions == 0 {
            first_steps().try_for_each(|it| self.output.line(&it))?;
        }
        for (cause, Group { count, examples }) in &self.groups.causes {
            self.output.line("")?;
            let resources = counted(*count, "resource");
            self.output.line(&format!("{resources} {}", cause.words))?;
            for it in examples {
                self.output.line(&format!("  {it}"))?;
            }
            if *count > examples.len() {
                let more = count - examples.len();
                let more = format_args!("  and {more} more");
                self.output.line(&advised(more, Some("list all with --format csv")))?;
            }
        }
        Ok(())
    }
}

fn fields(it: &Judged<'_>) -> [String; 15] {
    let Judged { resource, coverage, judge } = it;
    let place = judge.place();
    let plans: std::collections::BTreeSet<_> = coverage
        .owed
        .iter()
        .filter_map(|it| judge.plan(it.plan))
        .map(|it| it.name.as_str())
        .collect();
    let newest = coverage.owed.iter().filter_map(|it| it.newest).max();
    let next = coverage.owed.iter().filter_map(|it| it.next).min();
    let copies = coverage.owed.iter().flat_map(|it| &it.copies);
    let copies: Vec<_> = copies.map(|it| format!("{}: {}", it.vault, it.state)).collect();
    let moment = |it: Option<SystemTime>| it.map(utc).unwrap_or_default();
    let until = |it: Option<Until>| match it {
        None => String::new(),
        Some(Until::At(at)) => utc(at),
        Some(Until::Ever) => "ever".to_owned(),
    };
    let test = coverage.test.as_ref().map(|it| {
        let result = it.result.map_or("under way", report::coverage::TestResult::key);
        format!("{} {result}", utc(it.at))
    });
    let causes: Vec<_> = judge.causes(coverage).into_iter().map(|it| it.words).collect();
    [
        place.account.to_string(),
        place.region.to_string(),
        coverage.kind.map(|it| it.name.to_owned()).unwrap_or_default(),
        resource.arn.clone(),
        coverage.state.key().to_owned(),
        coverage.state.since().map(utc).unwrap_or_default(),
        plans.into_iter().collect::<Vec<_>>().join("; "),
        moment(newest),
        moment(next),
        copies.join("; "),
        coverage.kept.points.to_string(),
        until(coverage.kept.until),
        until(coverage.kept.locked_until),
        test.unwrap_or_default(),
        causes.join("; "),
    ]
}
