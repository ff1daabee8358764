//! Printing what was judged, in each format.

use std::time::SystemTime;

use report::coverage::{Group, Groups, Until};
use report::utc;

use super::{Format, Judged, Summary};
use crate::CommandError;
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

/// Prints resources as they come, or what they have in common in the end.
pub(super) struct Printer {
    format: Format,
    output: Output,
    groups: Groups,
    /// Whether nothing was printed yet.
    is_first: bool,
}

impl Printer {
    pub(super) fn new(format: Format) -> Self {
        Self { format, output: Output::new(), groups: Groups::default(), is_first: true }
    }

    /// Takes one resource.
    pub(super) fn resource(&mut self, it: &Judged<'_>) -> Result<(), CommandError> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        match self.format {
            Format::Text => {
                let place = it.judge.place();
                let (account, region, state) = (&place.account, &place.region, &it.coverage.state);
                let told = format!("{account} {region} {}: {state}", it.resource.arn);
                let causes = it.judge.causes(it.coverage);
                self.groups.add(&it.coverage.state, causes, &told);
                Ok(())
            }
            Format::Json => self.output.item(is_first, &it.judge.json(it.resource, it.coverage)),
            Format::Csv => {
                if is_first {
                    self.output.row(COLUMNS)?;
                }
                self.output.row(fields(it))
            }
        }
    }

    /// Prints what is left to say, and what to know beside it.
    pub(super) fn end(mut self, outcome: &Summary) -> Result<(), CommandError> {
        match self.format {
            Format::Text => self.sum(outcome)?,
            Format::Json => self.output.items_end(self.is_first)?,
            Format::Csv if self.is_first => self.output.row(COLUMNS)?,
            Format::Csv => {}
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
        let counts =
            if counts.is_empty() { "nothing to judge".to_owned() } else { counts.join(", ") };
        self.output.line(&format!("Backups of {organization}, {taken}"))?;
        self.output.line(&format!(
            "{accounts} accounts × {regions} Regions, {resources} resources: {counts}"
        ))?;
        for (cause, Group { count, examples }) in &self.groups.causes {
            self.output.line("")?;
            let resources = if *count == 1 { "resource" } else { "resources" };
            self.output.line(&format!("{count} {resources} {}", cause.words))?;
            for it in examples {
                self.output.line(&format!("  {it}"))?;
            }
            if *count > examples.len() {
                let more = count - examples.len();
                self.output
                    .line(&format!("  and {more} more; hint: list all with --format csv"))?;
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
