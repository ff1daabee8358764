//! A judgement as JSON. `docs/coverage.md` describes each key.

use serde_json::{Map, Value, json};

use super::copies::CopyOwed;
use super::evidence::{Job, Resource};
use super::judge::{Coverage, Judge, Owed};
use super::kept::Until;
use super::kind::Kind;
use super::place::Obstacle;
use super::state::{CopyState, State};
use crate::utc;

impl Judge<'_> {
    /// Returns the judgement of a resource, for programs.
    pub fn json(&self, resource: &Resource, coverage: &Coverage) -> Value {
        let taken = coverage.taken.iter().map(|it| {
            let mut taken = self.selection(it.plan, it.selection);
            taken.insert("optedIn".to_owned(), it.is_opted_in.into());
            Value::Object(taken)
        });
        let nearest = coverage.nearest.as_ref().map(|it| {
            let mut nearest = self.selection(it.plan, it.selection);
            let differences = it.differences.iter().map(ToString::to_string);
            nearest.insert("differences".to_owned(), differences.collect());
            nearest
        });
        let kept = &coverage.kept;
        let place = self.place();
        json!({
            "resource": resource.arn,
            "type": coverage.kind.map(|it: &Kind| it.name),
            "account": place.account,
            "region": place.region,
            "state": coverage.state.key(),
            "since": coverage.state.since().map(utc),
            "why": why(&coverage.state),
            "able": coverage.is_able(),
            "fine": coverage.is_fine(),
            "taken": taken.collect::<Value>(),
            "nearest": nearest,
            "owed": coverage.owed.iter().map(|it| self.of_rule(it)).collect::<Value>(),
            "kept": {
                "points": kept.points,
                "oldest": kept.oldest.map(utc),
                "newest": kept.newest.map(utc),
                "until": kept.until.map(until),
                "lockedUntil": kept.locked_until.map(until),
                "expired": kept.expired,
            },
            "restoreTest": coverage.test.as_ref().map(|it| json!({
                "at": utc(it.at),
                "result": it.result.map(super::TestResult::key),
                "message": it.message,
            })),
            "localPlans": coverage.local,
        })
    }

    fn selection(&self, plan: usize, selection: usize) -> Map<String, Value> {
        let plan = self.plan(plan);
        let selection = plan.and_then(|it| it.selections.get(selection));
        let from = selection.into_iter().flat_map(|it| &it.origins);
        let from = from.map(|it| json!({ "policy": it.policy, "target": it.target }));
        let keys = [
            ("plan", json!(plan.map(|it| &it.name))),
            ("selection", json!(selection.map(|it| &it.name))),
            ("from", from.collect()),
        ];
        keys.into_iter().map(|(key, it)| (key.to_owned(), it)).collect()
    }

    fn of_rule(&self, owed: &Owed) -> Value {
        let plan = self.plan(owed.plan);
        json!({
            "plan": plan.map(|it| &it.name),
            "rule": plan.and_then(|it| it.rules.get(owed.rule)).map(|it| &it.name),
            "state": owed.state.key(),
            "since": owed.state.since().map(utc),
            "why": why(&owed.state),
            "due": owed.due.map(utc),
            "next": owed.next.map(utc),
            "newest": owed.newest.map(utc),
            "continuous": owed.is_continuous,
            "lastJob": owed.job.as_ref().map(job),
            "obstacles": obstacles(&owed.obstacles),
            "copies": owed.copies.iter().map(copy).collect::<Value>(),
        })
    }
}

fn copy(copy: &CopyOwed) -> Value {
    let (since, why) = match &copy.state {
        CopyState::Late(since) => (Some(utc(*since)), None),
        CopyState::NotKnown(why) => (None, Some(why)),
        CopyState::Fresh | CopyState::NotDue | CopyState::Missing | CopyState::NoDestination => {
            (None, None)
        }
    };
    json!({
        "vault": copy.vault,
        "state": copy.state.key(),
        "since": since,
        "why": why,
        "newest": copy.newest.map(utc),
        "lastJob": copy.job.as_ref().map(job),
        "obstacles": obstacles(&copy.obstacles),
    })
}

fn obstacles(obstacles: &[Obstacle]) -> Value {
    let obstacles = obstacles.iter();
    obstacles
        .map(
            |it| json!({ "code": it.key(), "problem": it.to_string(), "certain": it.is_certain() }),
        )
        .collect()
}

fn job(job: &Job) -> Value {
    json!({ "at": utc(job.created), "state": job.state.key(), "message": &*job.message })
}

fn why(state: &State) -> Option<&str> {
    match state {
        State::NotKnown(why) => Some(why),
        State::Fresh
        | State::FirstDue(_)
        | State::Failing
        | State::Late(_)
        | State::NotSelected
        | State::OptedOut
        | State::Excluded
        | State::NotSupported => None,
    }
}

fn until(until: Until) -> Value {
    match until {
        Until::At(at) => utc(at).into(),
        Until::Ever => "ever".into(),
    }
}
