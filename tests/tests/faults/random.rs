//! Many faults at a time, at random: several stacks at once, killed and answered twice, in an
//! organization that is slow and that somebody else changes as well.
//!
//! A schedule is run twice: with everything that goes wrong in it, and one request after another
//! with nothing going wrong. After every round, once CloudFormation and the operator have sent what
//! they send in the end, both organizations have to be the same. So they have to be when requests
//! come again that were overtaken, and after sweeps long after: what exists is what the living
//! resources ask for, and nothing else that is ours.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use simulator::{Entry, Settings};
use tests::organization::{Latency, Organization};
use tests::stack::Stack;

use crate::pool::attempt;
use crate::resources::{RESOURCES, pass, prepare, state};
use crate::schedule::{Condition, Round, Schedule, Work};
use crate::visits::look_after_everything;

/// An organization and its resources, in the order of the table.
struct Scene<'a> {
    organization: &'a Organization,
    /// True if the desired state is kept, so that `reattach` can put drift back.
    is_kept: bool,
    stacks: Vec<Stack<'a>>,
    /// The properties that each resource has by now.
    current: Vec<Option<usize>>,
}

async fn organization(settings: Settings, seed: u64) -> Organization {
    let organization = Organization::bare(settings).await;
    prepare(&organization).await;
    organization.in_process(Latency::Random(Rng::with_seed(seed)))
}

impl<'a> Scene<'a> {
    fn new(organization: &'a Organization, is_kept: bool) -> Self {
        let stack = |resource: &crate::resources::Resource| {
            let mut stack =
                organization.stack(resource.function).named(resource.name).redelivered();
            // Only CloudFormation tells a function whether its stack exists, in the account of the
            // stack; see docs/limits.md. So where `reattach` is, there are stack and function.
            if resource.assumes_role && !is_kept {
                let member = organization.id("production-001");
                stack = stack.in_account(&member).deployed_in(&member);
            }
            if is_kept { stack.kept() } else { stack }
        };
        let stacks = RESOURCES.iter().map(stack).collect();
        Self { organization, is_kept, stacks, current: vec![None; RESOURCES.len()] }
    }

    /// Sends everything at once, while everything goes wrong.
    async fn disturb(&mut self, round: &Round) {
        let organization = self.organization;
        let ids: Vec<_> = self.stacks.iter().map(|it| it.physical_id.clone()).collect();
        round.faults.iter().for_each(|it| organization.fail(it.clone()));
        let works = self.stacks.iter_mut().enumerate().filter_map(|(index, stack)| {
            let work = round.works.iter().find(|it| it.resource == index)?;
            stack.deadline = work.deadline;
            stack.stays_warm = work.warm;
            stack.twice = work.twice;
            stack.refused = work.refused;
            stack.again_after.clone_from(&work.again);
            stack.cancelled_after = work.cancelled;
            for (nth, moment) in &work.kills {
                stack.wire().kill_at(*nth, *moment);
            }
            Some(async {
                pass(work.starts_after).await;
                change(stack, work).await;
            })
        });
        let tampering = round.tampering.iter().filter_map(|it| {
            let id = ids[it.resource].clone().filter(|_| self.current[it.resource].is_some())?;
            Some(it.happen(organization, id))
        });
        let visits = round.visits.iter().filter(|_| self.is_kept);
        let visits = visits.map(|it| it.pay(organization, &ids));
        tokio::join!(join_all(works), join_all(tampering), join_all(visits));
        organization.clear_faults();
        for stack in &mut self.stacks {
            let _was_to_be_killed = stack.wire().spare();
            stack.deadline = Duration::from_mins(15);
            stack.twice = false;
            stack.refused = false;
            stack.again_after.clear();
            stack.cancelled_after = None;
        }
    }

    /// Sends plain requests, one after another, until everything has to be as it was asked for.
    async fn settle(&mut self, round: &Round) {
        for work in &round.works {
            let (stack, goal) = (&mut self.stacks[work.resource], work.goal);
            let existed = self.current[work.resource].is_some();
            if !existed && stack.physical_id.is_some() && stack.failed_to_create() {
                let _ = stack.delete().await.ok();
            }
            self.current[work.resource] = goal;
            let properties =
                goal.map(|it| RESOURCES[work.resource].properties(it, self.organization));
            match (properties, stack.physical_id.is_some()) {
                (Some(properties), true) => drop(stack.update(properties).await.ok()),
                (Some(properties), false) => drop(stack.create(properties).await.ok()),
                (None, true) => drop(stack.delete().await.ok()),
                (None, false) => {}
            }
            if let Some(after) = stack.rollback.take() {
                assert!(after.success, "{after}");
            }
        }
    }

    /// Delivers requests again that were overtaken, as Lambda may at any time. Without a state bucket
    /// only CloudFormation tells that they were, once it has deleted the resource.
    async fn haunt(&self, round: &Round) {
        for ((stack, current), pick) in self.stacks.iter().zip(&self.current).zip(&round.late) {
            let seen = stack.kept_state().unwrap_or_default()["Requests"].to_string();
            let comes = |it: &serde_json::Value| match it["RequestType"].as_str() {
                _ if !self.is_kept => current.is_none() && it["RequestType"] == "Create",
                // What was stopped before it was seen is too old by then for Lambda to deliver.
                Some("Update") => seen.contains(&it["RequestId"].to_string()),
                _ => true,
            };
            stack.deliver_late(*pick, comes).await;
        }
    }

    /// Has the resources of a round look after themselves, or all where somebody else was at work,
    /// and returns what that wrote.
    async fn look_after(&mut self, round: &Round) -> String {
        let _before = self.organization.take_writes();
        for (index, stack) in self.stacks.iter_mut().enumerate() {
            let concerned = round.works.iter().any(|it| it.resource == index);
            let Some(current) = self.current[index] else { continue };
            if concerned || !round.tampering.is_empty() {
                let properties = RESOURCES[index].properties(current, self.organization);
                let _ = stack.update(properties).await.ok();
                if let Some(after) = stack.rollback.take() {
                    assert!(after.success, "{after}");
                }
            }
        }
        let writes = self.organization.take_writes();
        // Every run over the accounts leaves a report.
        let reports = |it: &&str| !it.starts_with("PutObject state/runs/");
        writes.lines().filter(reports).map(|it| format!("{it}\n")).collect()
    }
}

async fn change(stack: &mut Stack<'_>, work: &Work) {
    let goal = work.goal.map(|it| RESOURCES[work.resource].properties(it, stack.organization()));
    match (goal, stack.physical_id.is_some()) {
        (Some(properties), true) => drop(stack.update(properties).await),
        (Some(properties), false) => drop(stack.create(properties).await),
        (None, true) => drop(stack.delete().await),
        (None, false) => {}
    }
}

/// Whether no account lost a policy that it was to keep, and nothing of others was touched.
fn check_journal(scene: &Scene<'_>, round: &Round, before: &[Option<usize>], journal: &[Entry]) {
    let organization = scene.organization;
    let foreign = organization.policy_id("theirs");
    for entry in journal {
        let touched = entry.is_successful_write() && entry.summary.contains(&foreign);
        assert!(!touched, "{}", organization.named(&entry.to_string()));
    }
    let kept = |index: usize| {
        let reached = |it: usize| {
            organization.reached(&RESOURCES[index].properties(it, organization)["TargetIds"])
        };
        let work = round.works.iter().find(|it| it.resource == index);
        let goal = work.map_or(before[index], |it| it.goal);
        let [before, after] = [before[index], goal].map(|it| it.map(reached).unwrap_or_default());
        &before & &after
    };
    for (account, policy) in journal.iter().flat_map(|it| &it.lost) {
        let name = organization.named(policy);
        let owner = (0..RESOURCES.len()).find(|it| RESOURCES[*it].names.contains(&&*name));
        let loses = match owner {
            // A policy whose name nobody saw was made and removed in one go.
            None => name == "theirs",
            Some(_) if !round.tampering.is_empty() => false,
            Some(owner) => kept(owner).contains(account),
        };
        assert!(!loses, "{} loses {name}", organization.named(account));
    }
}

async fn play(schedule: &Schedule) {
    let calm = organization(Settings::default(), schedule.seed).await;
    let mut calm = Scene::new(&calm, false);
    let rough = organization(schedule.world.settings(), schedule.seed).await;
    let mut rough = Scene::new(&rough, schedule.world.has(Condition::StateBucket));
    for (number, round) in (1..).zip(&schedule.rounds) {
        calm.settle(round).await;
        let before = rough.current.clone();
        rough.disturb(round).await;
        rough.settle(round).await;
        check_journal(&rough, round, &before, &rough.organization.journal());
        let should_be = state(calm.organization);
        if rough.is_kept {
            look_after_everything(rough.organization).await;
            assert_eq!(state(rough.organization), should_be, "put back, after round {number}");
        }
        let mut wrote = rough.look_after(round).await;
        if !round.tampering.is_empty() && !rough.is_kept {
            wrote = rough.look_after(round).await;
        }
        assert_eq!(wrote, "", "the second time, after round {number}");
        assert_eq!(state(rough.organization), should_be, "after round {number}");
        rough.haunt(round).await;
        assert_eq!(state(rough.organization), should_be, "haunted, after round {number}");
    }
    if rough.is_kept {
        let should_be = state(calm.organization);
        for later in [Duration::from_mins(17), Duration::from_hours(25)] {
            rough.organization.pass(later);
            look_after_everything(rough.organization).await;
            assert_eq!(state(rough.organization), should_be, "{later:?} later");
        }
    }
}

/// Runs a schedule. What breaks it is made as small as is cheap, and told with how to see it again.
pub(crate) fn check(schedule: &Schedule) -> Result<(), String> {
    let run = |it: &Schedule| attempt(it.seed, play(it));
    let Err(mut why) = run(schedule) else { return Ok(()) };
    let mut smallest = schedule.clone();
    while let Some((smaller, still)) =
        smallest.smaller().into_iter().find_map(|it| run(&it).err().map(|why| (it, why)))
    {
        (smallest, why) = (smaller, still);
    }
    let seed = schedule.seed;
    Err(format!("make soak SEED={seed}, of which this is enough:\n{smallest}{why}"))
}
