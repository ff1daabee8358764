//! Everything that is known about one resource, from the policies to the restore test, for people.

use super::copies::CopyOwed;
use super::evidence::{JOBS_DAYS, Job, Resource};
use super::judge::{Coverage, Judge, Nearest, Owed, Taken};
use super::kept::Until;
use super::place::Obstacle;
use crate::utc;

impl Judge<'_> {
    /// Returns the chain of one resource, with a line for each link. A line that belongs to the
    /// line before it is indented.
    pub fn chain(&self, resource: &Resource, coverage: &Coverage) -> Vec<String> {
        let place = self.place();
        let kind = coverage.kind.map_or("a type unknown to AWS Backup", |it| it.name);
        let mut lines = vec![
            format!("{}: {}", resource.arn, coverage.state),
            format!("  {kind}, account {}, {}", place.account, place.region),
            match &resource.tags {
                None => "  its tags could not be read".to_owned(),
                Some(tags) if tags.is_empty() => "  it has no tags".to_owned(),
                Some(tags) => {
                    let tags: Vec<_> = tags.iter().map(|it| format!("{}={}", it.0, it.1)).collect();
                    format!("  tags: {}", tags.join(", "))
                }
            },
        ];
        lines.extend(coverage.taken.iter().flat_map(|it| self.taken_by(it)));
        lines.extend(coverage.nearest.iter().flat_map(|it| self.nearly_taken_by(it)));
        lines.extend(coverage.owed.iter().flat_map(|it| self.owed_by(it)));
        let kept = &coverage.kept;
        lines.push(match (kept.oldest, kept.newest) {
            (Some(oldest), Some(newest)) => format!(
                "{} recovery points, from {} to {}{}{}",
                kept.points,
                utc(oldest),
                utc(newest),
                until(", the last one kept until ", kept.until),
                until(", locked until ", kept.locked_until),
            ),
            _ => "no recovery points that can be restored".to_owned(),
        });
        if kept.expired > 0 {
            lines.push(format!("  {} have expired and were not deleted", kept.expired));
        }
        lines.push(match &coverage.test {
            None => format!("no restore test in the last {JOBS_DAYS} days"),
            Some(test) => {
                let result = test.result.map_or("under way", super::TestResult::key);
                format!("restore test of {}: {result}{}", utc(test.at), said(&test.message))
            }
        });
        let local = coverage.local.iter();
        lines.extend(
            local.map(|it| format!("the plan `{it}` of the account itself takes it as well")),
        );
        lines
    }

    fn taken_by(&self, taken: &Taken) -> Vec<String> {
        let opted_in = if taken.is_opted_in { "" } else { ", but its type is not opted in to" };
        self.selection_lines("taken by", taken.plan, taken.selection, opted_in)
    }

    fn nearly_taken_by(&self, nearest: &Nearest) -> Vec<String> {
        let mut lines = self.selection_lines(
            "taken by none; the nearest is",
            nearest.plan,
            nearest.selection,
            "",
        );
        lines.extend(nearest.differences.iter().map(|it| format!("  {it}")));
        lines
    }

    fn selection_lines(&self, how: &str, plan: usize, selection: usize, more: &str) -> Vec<String> {
        let Some(plan) = self.plan(plan) else { return vec![] };
        let Some(selection) = plan.selections.get(selection) else { return vec![] };
        let mut lines = vec![format!(
            "{how} the selection `{}` of the plan `{}`{more}",
            selection.name, plan.name
        )];
        let from = selection.origins.iter();
        lines.extend(from.map(|it| format!("  from the policy {} at {}", it.policy, it.target)));
        lines
    }

    fn owed_by(&self, owed: &Owed) -> Vec<String> {
        let Some(plan) = self.plan(owed.plan) else { return vec![] };
        let Some(rule) = plan.rules.get(owed.rule) else { return vec![] };
        let mut lines =
            vec![format!("the rule `{}` of the plan `{}`: {}", rule.name, plan.name, owed.state)];
        let moments = [
            ("last run whose backup is due", owed.due),
            ("next run", owed.next),
            ("newest backup", owed.newest),
        ];
        let moments = moments.into_iter().filter_map(|(what, at)| Some((what, at?)));
        lines.extend(moments.map(|(what, at)| format!("  {what}: {}", utc(at))));
        if owed.is_continuous {
            lines.push("  its continuous backup goes on".to_owned());
        }
        lines.push(match (&owed.job, &self.place().jobs_unread) {
            (Some(it), _) => format!("  last job: {}", job(it)),
            (None, Some(why)) => format!("  its jobs could not be read: {why}"),
            (None, None) => format!("  no job in the last {JOBS_DAYS} days, as far as AWS reports"),
        });
        lines.extend(owed.obstacles.iter().map(|it| format!("  {}", ahead(it))));
        lines.extend(owed.copies.iter().flat_map(copy));
        lines
    }
}

fn copy(copy: &CopyOwed) -> Vec<String> {
    let mut lines = vec![format!("  copies to {}: {}", copy.vault, copy.state)];
    lines.extend(copy.newest.map(|it| format!("    newest copy is of the backup of {}", utc(it))));
    lines.extend(copy.job.iter().map(|it| format!("    last job: {}", job(it))));
    lines.extend(copy.obstacles.iter().map(|it| format!("    {}", ahead(it))));
    lines
}

fn job(job: &Job) -> String {
    format!("{} of {}{}", job.state.key(), utc(job.created), said(&job.message))
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

fn ahead(obstacle: &Obstacle) -> String {
    let will = if obstacle.is_certain() { "will" } else { "may" };
    format!("the next one {will} fail: {obstacle}")
}

fn until(words: &str, until: Option<Until>) -> String {
    match until {
        None => String::new(),
        Some(Until::At(at)) => format!("{words}{}", utc(at)),
        Some(Until::Ever) => format!("{words}somebody deletes it"),
    }
}
