//! The law: what `report::coverage` says of resources is what AWS Backup then does, as
//! `BackupEngine` has it from AWS's documentation.
//!
//! What is said to be able to be backed up has a recovery point after its next run, and what is said
//! not to has none, for the reason that was named. What is said to be fresh, late or failing is that
//! by the jobs that the engine really made.

mod recovery;
mod spec;
mod wire;
mod world;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use report::coverage::{
    BackupPlan, CopyOwed, CopyState, Difference, Obstacle, Owed, Rule, Selection, State,
};
use simulator::{BackupJob, EngineCopyJob, JobProgress, PointForm, Trouble};

use self::spec::{Spec, Tag, spec};
use self::world::World;

/// As long as a clock may be off.
const SKEW: Duration = Duration::from_mins(5);

/// How many organizations are enough for a look, as in `make test`, and how many are looked at with
/// `AT_LENGTH`, as in `make ci`. `PROPTEST_CASES` says otherwise.
const ORGANIZATIONS: [u32; 2] = [400, 2_000];

/// What was met of what can be met, so that the law is not kept by looking at nothing.
type Tally = BTreeMap<String, usize>;

/// Holds `law` for many random organizations, in which each of `findings` is met.
fn hold(law: fn(Spec, &mut Tally) -> Verdict, findings: &[&str]) {
    let config = ProptestConfig::default();
    let is_said = config.cases != 256;
    let [few, all] = ORGANIZATIONS;
    let cases = match (is_said, at_length()) {
        (true, _) => config.cases,
        (false, true) => all,
        (false, false) => few,
    };
    let config = ProptestConfig { cases, failure_persistence: None, ..config };
    let tally = RefCell::new(Tally::new());
    let ended = TestRunner::new(config).run(&spec(), |spec| law(spec, &mut tally.borrow_mut()));
    if let Err(error) = ended {
        panic!("{error}");
    }
    let tally = tally.into_inner();
    let missing: Vec<_> = findings.iter().filter(|it| !tally.contains_key(**it)).collect();
    assert!(missing.is_empty() || cases < all, "never met: {missing:?} of {tally:?}");
}

#[expect(clippy::disallowed_methods, reason = "a test has no other command line")]
fn at_length() -> bool {
    std::env::var_os("AT_LENGTH").is_some_and(|it| !it.is_empty())
}

fn met(tally: &mut Tally, what: &str) {
    *tally.entry(what.to_owned()).or_default() += 1;
}

#[test]
fn what_is_said_of_the_next_run_comes_true() {
    hold(
        foretold,
        &[
            "able",
            "not-selected",
            "opted-out",
            "not-supported",
            "no-vault",
            "lock",
            "key-unusable",
            "no-role",
            "role-untrusting",
            "plan-refused",
            "not-in-organization",
            "cross-account-off",
            "not-admitted",
            "aws-key",
            "one-way",
            "not-copied",
            "copied",
            "continuous",
        ],
    );
}

#[test]
fn what_keeps_a_resource_from_being_taken_is_what_was_named() {
    hold(mended, &["opted-out", "tag-value", "no-tag", "condition", "taken"]);
}

#[test]
fn what_is_said_of_the_last_run_is_true() {
    hold(
        remembered,
        &[
            "fresh",
            "first-due",
            "failing",
            "late",
            "continuous",
            "copy fresh",
            "copy not-due",
            "copy late",
            "copy missing",
            "copy no-destination",
        ],
    );
}

type Verdict = Result<(), TestCaseError>;

/// The name of the plan and of the rule.
fn named<'a>(owed: &Owed, plans: &'a [BackupPlan]) -> (&'a str, &'a str) {
    let plan = &plans[owed.plan];
    (&plan.name, &plan.rules[owed.rule].name)
}

/// What is said before anything ran is held against what then happens.
fn foretold(spec: Spec, tally: &mut Tally) -> Verdict {
    let mut spec = Spec { jobs: 100, ..spec };
    for it in &mut spec.resources {
        it.gigabytes = it.gigabytes.min(4);
    }
    let mut world = World::new(spec);
    let count = world.spec.resources.len();
    let said: Vec<_> = (0..count)
        .map(|it| world.judge(it, |said, plans| (said.clone(), plans.to_vec())))
        .collect();
    // Until the first run of every rule is over, with its copies.
    let next = said.iter().flat_map(|it| &it.0.owed).filter_map(|it| it.next).max();
    world.engine.advance(next.unwrap_or(world.now()) + Duration::from_hours(10));
    for (index, (said, plans)) in said.iter().enumerate() {
        let arn = world.arn(index);
        let about = format!("{index} {arn}: {} {:?}", said.state, said.nearest);
        met(tally, if said.is_able() { "able" } else { said.state.key() });
        let rules: BTreeSet<_> = said.owed.iter().map(|it| named(it, plans)).collect();
        for job in world.engine.jobs().iter().filter(|it| it.resource == arn) {
            let rule = (job.rule.0.as_str(), job.rule.1.as_str());
            prop_assert!(
                rules.contains(&rule),
                "{about}: {job:?} came of a rule that takes nothing"
            );
        }
        for owed in &said.owed {
            prop_assert!(matches!(owed.state, State::FirstDue(_)), "{about}: {owed:?}");
            went(&world, &arn, owed, plans, &about, tally)?;
        }
    }
    Ok(())
}

/// The first run of a rule went as `owed` says.
fn went(
    world: &World,
    arn: &str,
    owed: &Owed,
    plans: &[BackupPlan],
    about: &str,
    tally: &mut Tally,
) -> Verdict {
    let rule = named(owed, plans);
    let is_one = |it: &(String, String)| (it.0.as_str(), it.1.as_str()) == rule;
    let jobs = world.engine.jobs().iter().filter(|it| it.resource == arn);
    let job = jobs.clone().find(|it| is_one(&it.rule));
    let skipped = world.engine.skipped().iter().filter(|it| it.resource == arn);
    let skipped = skipped.clone().find(|it| is_one(&it.rule));
    let run = job.map(|it| it.run).or(skipped.map(|it| it.run));
    prop_assert_eq!(run, owed.next, "{} {:?}: the first run", about, rule);
    let trouble = job.and_then(|it| it.trouble).or(skipped.map(|it| it.trouble));
    came(trouble, &owed.obstacles, about, tally)?;
    let Some(job) = job.filter(|it| it.trouble.is_none()) else { return Ok(()) };
    let point = world.engine.points().find(|it| Some(it.id) == job.point);
    if point.is_some_and(|it| it.form == PointForm::Continuous) {
        met(tally, "continuous");
    }
    let keep = plans[owed.plan].rules[owed.rule].keep;
    let keep = keep.and_then(|it| u32::try_from(it).ok());
    let is_over = keep.is_some_and(|it| job.run + Duration::from_hours(24) * it <= world.now());
    let is_moved = owed.copies.iter().any(|it| it.vault.ends_with(":gap"));
    prop_assert!(point.is_some() || is_over || is_moved, "{about}: {job:?} left nothing");
    for copy in &owed.copies {
        let made = world.engine.copy_jobs().iter();
        let made = made.filter(|it| it.resource == arn && it.destination == copy.vault);
        let made = made.filter(|it| Some(it.source) == job.point).min_by_key(|it| it.begun);
        let Some(made) = made else {
            return Err(TestCaseError::fail(format!("{about}: no copy in {}", copy.vault)));
        };
        came(made.trouble, &copy.obstacles, about, tally)?;
        if made.trouble.is_none() {
            met(tally, "copied");
        }
    }
    Ok(())
}

/// The trouble is one of those that were named, and where none was named there is none.
fn came(
    trouble: Option<Trouble>,
    obstacles: &[Obstacle],
    about: &str,
    tally: &mut Tally,
) -> Verdict {
    let Some(trouble) = trouble else {
        prop_assert!(obstacles.is_empty(), "{about}: it went well in spite of {obstacles:?}");
        return Ok(());
    };
    let key = match trouble {
        Trouble::NoVault => "no-vault",
        Trouble::Retention => "lock",
        Trouble::Key => "key-unusable",
        Trouble::NoRole => "no-role",
        Trouble::RoleNotAssumed => "role-untrusting",
        Trouble::PlanRejected => "plan-refused",
        Trouble::OtherOrganization => "not-in-organization",
        Trouble::CrossAccountDisabled => "cross-account-off",
        Trouble::VaultDenied => "not-admitted",
        Trouble::DefaultKey => "aws-key",
        Trouble::TwoBorders => "one-way",
        Trouble::NotCopied => "not-copied",
        Trouble::NoResource
        | Trouble::NotStarted
        | Trouble::NotCompleted
        | Trouble::Quota
        | Trouble::NoSource
        | Trouble::AwsKey
        | Trouble::KeyNotShared
        | Trouble::SourceDenied
        | Trouble::RegionDisabled
        | Trouble::RoleDenied
        | Trouble::Injected => "nothing that can be known before",
    };
    met(tally, key);
    let is_named = obstacles.iter().any(|it| it.key() == key);
    prop_assert!(is_named, "{about}: {trouble:?} was not named: {obstacles:?}");
    Ok(())
}

/// What is named as the difference is mended, and then AWS Backup takes the resource.
fn mended(spec: Spec, tally: &mut Tally) -> Verdict {
    let world = World::new(spec.clone());
    for index in 0..spec.resources.len() {
        let said = world.judge(index, |said, _| said.clone());
        let mut spec = spec.clone();
        if said.state == State::OptedOut {
            met(tally, "opted-out");
            let kind = spec.resources[index].kind;
            spec.opted_in[kind] = true;
        } else if let Some(nearest) = &said.nearest {
            let tags = &mut spec.resources[index].tags;
            // Another type or Region would be another resource.
            if !nearest.differences.iter().all(|it| mend(tags, it, tally)) {
                continue;
            }
            spec.opted_in = vec![true; spec.opted_in.len()];
        } else {
            continue;
        }
        let about = format!("{index}: {} {:?}", said.state, said.nearest);
        let mended = World::new(spec.clone());
        let now = mended.judge(index, |said, _| said.clone());
        let is_contrary = world.judge(index, |_, plans| {
            said.nearest.as_ref().is_some_and(|it| {
                is_contrary(&plans[it.plan].selections[it.selection], &it.differences)
            })
        });
        prop_assert!(
            is_contrary || !now.owed.is_empty(),
            "{about}: {} {:?}",
            now.state,
            now.nearest
        );
        met(tally, if is_contrary { "contrary" } else { "taken" });
        foretold(spec, &mut Tally::new())?;
    }
    Ok(())
}

/// Whether a selection wants several things of a tag that differs, so that nothing may mend it.
fn is_contrary(selection: &Selection, differences: &[Difference]) -> bool {
    let conditions = selection.conditions.iter();
    let conditions = conditions.filter_map(|it| it.key.strip_prefix("aws:ResourceTag/"));
    let by_tag = selection.tags.first().map(|it| it.0.as_str());
    let wanted: Vec<_> = by_tag.into_iter().chain(conditions).collect();
    let mut keys = differences.iter().filter_map(key_of);
    keys.any(|key| wanted.iter().filter(|it| **it == key).count() > 1)
}

/// The key of the tag that a difference is about.
fn key_of(difference: &Difference) -> Option<&str> {
    match difference {
        Difference::TagValue { key, .. } | Difference::NoTag { key, .. } => Some(key),
        Difference::Condition { key, .. } => key.strip_prefix("aws:ResourceTag/"),
        Difference::TagKey { .. }
        | Difference::Type(_)
        | Difference::Excepted(_)
        | Difference::Region
        | Difference::Refused => None,
    }
}

/// Gives the resource the tag that the selection wants, if that is what differs.
fn mend(tags: &mut Vec<Tag>, difference: &Difference, tally: &mut Tally) -> bool {
    let mut set = |key: &str, value: &str| {
        tags.retain(|it| !it.0.eq_ignore_ascii_case(key));
        tags.push((key.to_owned(), value.to_owned()));
    };
    let first = |wanted: &[String]| wanted.first().cloned().unwrap_or_default();
    match difference {
        Difference::TagValue { key, wanted, .. } => {
            met(tally, "tag-value");
            set(key, &first(wanted));
        }
        Difference::NoTag { key, wanted } => {
            met(tally, "no-tag");
            set(key, &first(wanted));
        }
        Difference::Condition { operator, key, wanted, .. } => {
            met(tally, "condition");
            let Some(key) = key.strip_prefix("aws:ResourceTag/") else { return false };
            match *operator {
                "string_like" => set(key, &wanted.replace('*', "")),
                _ => tags.retain(|it| it.0 != key),
            }
        }
        // Of a key, the value may differ as well, which is the next thing to be told.
        Difference::TagKey { .. }
        | Difference::Type(_)
        | Difference::Excepted(_)
        | Difference::Region
        | Difference::Refused => return false,
    }
    true
}

/// What is said while things happen is held against the jobs that were really made.
fn remembered(spec: Spec, tally: &mut Tally) -> Verdict {
    let mut world = World::new(spec);
    let mut then = world.now();
    for (hours, happening) in world.spec.happenings.clone() {
        then += Duration::from_hours(hours);
        world.engine.advance(then);
        all_true(&world, tally)?;
        world.happen(&happening);
        all_true(&world, tally)?;
    }
    for hours in [5, 19, 24, 200] {
        then += Duration::from_hours(hours) + Duration::from_mins(7);
        world.engine.advance(then);
        all_true(&world, tally)?;
    }
    Ok(())
}

fn all_true(world: &World, tally: &mut Tally) -> Verdict {
    for index in 0..world.spec.resources.len() {
        world.judge(index, |said, plans| -> Verdict {
            for owed in &said.owed {
                let about =
                    format!("{index} {}: {:?} {owed:?}", world.arn(index), named(owed, plans));
                true_of_rule(world, index, owed, plans, &about, tally)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A run that the engine made: when, and until when its job may still come.
struct Real {
    at: SystemTime,
    is_open: bool,
}

fn true_of_rule(
    world: &World,
    index: usize,
    owed: &Owed,
    plans: &[BackupPlan],
    about: &str,
    tally: &mut Tally,
) -> Verdict {
    met(tally, if owed.is_continuous { "continuous" } else { owed.state.key() });
    let arn = world.arn(index);
    let (created, since) = world.owed_since(index);
    let rule = &plans[owed.plan].rules[owed.rule];
    let names = named(owed, plans);
    let is_one = |it: &(String, String)| (it.0.as_str(), it.1.as_str()) == names;
    let is_open =
        |it: &BackupJob| matches!(it.progress, JobProgress::Created | JobProgress::Running);
    let jobs: Vec<_> = world.engine.jobs().iter().filter(|it| it.resource == arn).collect();
    let made = jobs.iter().filter(|it| is_one(&it.rule));
    let made = made.map(|it| Real { at: it.run, is_open: is_open(it) });
    let skipped = world.engine.skipped().iter().filter(|it| it.resource == arn && is_one(&it.rule));
    let skipped = skipped.map(|it| Real { at: it.run, is_open: false });
    let now = world.now();
    let over = |it: &Real| it.at + rule.start + SKEW <= now && !it.is_open;
    let last = made.chain(skipped).filter(over).map(|it| it.at).max();
    let points = || {
        let points = world.engine.points().filter(|it| it.resource == arn && is_one(&it.rule));
        let points = points.filter(|it| !it.expired && it.form != PointForm::Stopped);
        points.filter(|it| created.is_none_or(|made| made <= it.created))
    };
    let homes = homes(world, index, rule);
    let newest = points().filter(|it| homes.contains(&it.vault)).map(|it| it.created).max();
    let has = |run: SystemTime| newest.is_some_and(|it| it >= run);
    let ended = jobs.iter().filter(|it| is_one(&it.rule) && homes.contains(&it.vault));
    let ended = ended.filter(|it| !is_open(it));
    let ended = ended.max_by_key(|it| it.created);
    let is_failing = ended.is_some_and(|it| {
        it.progress != JobProgress::Completed && newest.is_none_or(|newest| newest < it.created)
    });
    let is_continuous = owed.is_continuous;
    match &owed.state {
        State::Fresh => {
            prop_assert!(is_continuous || last.is_none_or(has), "{about}: {last:?} was missed");
            prop_assert!(is_continuous || newest.is_some(), "{about}: there is no backup");
            prop_assert!(!is_failing, "{about}: {ended:?}");
        }
        State::FirstDue(at) => {
            let is_owed = last.is_some_and(|it| it > since);
            prop_assert!(!is_owed, "{about}: {last:?} was due since {since:?}");
            prop_assert!(*at > since, "{about}: {at:?}");
            prop_assert!(!is_failing, "{about}: {ended:?}");
        }
        State::Failing => {
            prop_assert!(is_failing, "{about}: {ended:?}");
            prop_assert!(
                is_continuous || last.is_none_or(|it| has(it) || it <= since),
                "{about}: {last:?}"
            );
        }
        State::Late(_) => {
            prop_assert!(
                !is_continuous && last.is_some_and(|it| it > since && !has(it)),
                "{about}: {last:?} {newest:?}"
            );
        }
        other => prop_assert!(false, "{about}: {other}"),
    }
    let made = jobs.iter().filter(|it| is_one(&it.rule));
    let made = made.filter(|it| it.progress == JobProgress::Completed && owed.is_continuous);
    let made = made.filter(|it| homes.contains(&it.vault));
    let made = made.filter_map(|it| Some((it.created, it.ended?)));
    let snapshots =
        points().filter(|it| it.form != PointForm::Continuous && homes.contains(&it.vault));
    let snapshots = snapshots.map(|it| (it.created, it.completed));
    let sources: Vec<_> = snapshots.chain(made).collect();
    for copy in &owed.copies {
        met(tally, &format!("copy {}", copy.state.key()));
        true_of_copy(world, &arn, names, copy, &sources, about)?;
    }
    Ok(())
}

/// The vaults in which the backups of a rule are.
fn homes(world: &World, index: usize, rule: &Rule) -> BTreeSet<String> {
    let it = &world.spec.resources[index];
    let (kind, account, region) =
        (spec::KINDS[it.kind].0, spec::ACCOUNTS[it.account], spec::REGIONS[it.region]);
    let vault = |name: &str| format!("arn:aws:backup:{region}:{account}:backup-vault:{name}");
    let goes_there = rule.air_gapped.is_some() && kind != "Redshift";
    let is_direct = goes_there && matches!(kind, "S3" | "EFS");
    let mut homes = BTreeSet::new();
    if goes_there {
        homes.insert(vault("gap"));
    }
    if !is_direct {
        homes.insert(vault(&rule.vault));
    }
    homes
}

/// What is said of copies is true of the backups that there are, each with its beginning and end.
fn true_of_copy(
    world: &World,
    arn: &str,
    rule: (&str, &str),
    said: &CopyOwed,
    sources: &[(SystemTime, SystemTime)],
    about: &str,
) -> Verdict {
    let jobs = world.engine.copy_jobs().iter();
    let is_one = |it: &&EngineCopyJob| {
        let names = (it.rule.0.as_str(), it.rule.1.as_str());
        it.resource == arn && it.destination == said.vault && names == rule
    };
    let jobs = || jobs.clone().filter(is_one);
    let is_there = |it: &&EngineCopyJob| {
        let mut usable = world.engine.points().filter(|it| !it.expired);
        it.point.is_some_and(|point| usable.any(|it| it.id == point))
    };
    let newest = jobs().filter(is_there).map(|it| it.begun).max();
    let is_open = jobs().any(|it| it.progress == JobProgress::Running);
    // AWS Backup tries to begin a copy for two hours.
    let is_due = |it: &SystemTime| *it + Duration::from_hours(2) <= world.now();
    let mut missing = sources.iter().filter(|it| is_due(&it.1));
    let is_missing = missing.any(|it| newest.is_none_or(|newest| newest < it.0));
    match &said.state {
        CopyState::Fresh => {
            prop_assert!(newest.is_some() && (is_open || !is_missing), "{about}: {said:?}");
        }
        CopyState::NotDue => {
            prop_assert!(newest.is_none() && (is_open || !is_missing), "{about}: {said:?}");
        }
        CopyState::Late(_) => prop_assert!(newest.is_some() && is_missing, "{about}: {said:?}"),
        CopyState::Missing => prop_assert!(newest.is_none() && is_missing, "{about}: {said:?}"),
        CopyState::NoDestination => {
            prop_assert!(world.engine.vault(&said.vault).is_none(), "{about}: {said:?}");
        }
        CopyState::NotKnown(why) => prop_assert!(false, "{about}: {why}"),
    }
    Ok(())
}
