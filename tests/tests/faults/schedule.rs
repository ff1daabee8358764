//! What goes wrong when, as a seed decides it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use simulator::{Failure, Fault, Kind, Moment, Pending, Rates, Settings};

use crate::resources::RESOURCES;
use crate::tampering::Tampering;
use crate::visits::Visit;

/// A schedule: everything that a seed decides.
#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    pub(crate) world: World,
    pub(crate) rounds: Vec<Round>,
}

/// What is so all the time.
#[derive(Clone, Debug)]
pub(crate) struct World(BTreeSet<Condition>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    PagesOfOne,
    EmptyPages,
    ATenthOfTheRates,
    EveryWriteRefusedOnce,
    Slow,
    StateBucket,
}

/// Requests that are sent at once, and what goes wrong meanwhile.
#[derive(Clone, Default)]
pub(crate) struct Round {
    pub(crate) works: Vec<Work>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) tampering: Vec<Tampering>,
    /// What `reattach` does meanwhile, where it is kept what is wanted.
    pub(crate) visits: Vec<Visit>,
    /// Which request of each resource comes again when all is done.
    pub(crate) late: Vec<usize>,
}

/// What becomes of a resource.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) resource: usize,
    /// The properties that it gets, or `None` for a Delete.
    pub(crate) goal: Option<usize>,
    pub(crate) starts_after: Duration,
    /// The calls, each counted from the one before, at which the function is killed.
    pub(crate) kills: Vec<(u64, Moment)>,
    pub(crate) deadline: Duration,
    pub(crate) twice: bool,
    /// How long after it was sent it is delivered again.
    pub(crate) again: Vec<Duration>,
    /// Whether its answers are refused.
    pub(crate) refused: bool,
    /// When a sibling fails, if the resource is being created then.
    pub(crate) cancelled: Option<Duration>,
    pub(crate) warm: bool,
}

impl World {
    /// Draws the conditions, each with its chance in a hundred.
    fn new(rng: &mut Rng) -> Self {
        let chances = [
            (Condition::PagesOfOne, 25),
            (Condition::EmptyPages, 25),
            (Condition::ATenthOfTheRates, 15),
            (Condition::EveryWriteRefusedOnce, 20),
            (Condition::Slow, 20),
            (Condition::StateBucket, 40),
        ];
        Self(chances.into_iter().filter(|it| chance(rng, it.1)).map(|it| it.0).collect())
    }

    pub(crate) fn has(&self, condition: Condition) -> bool {
        self.0.contains(&condition)
    }

    pub(crate) fn settings(&self) -> Settings {
        let usual = Settings::default();
        let slow = self.has(Condition::Slow);
        let scaled = Rates::Scaled(0.1);
        Settings {
            page_size: if self.has(Condition::PagesOfOne) { 1 } else { usual.page_size },
            empty_pages: self.has(Condition::EmptyPages),
            rates: if self.has(Condition::ATenthOfTheRates) { scaled } else { usual.rates },
            refuse_each_write_once: self.has(Condition::EveryWriteRefusedOnce),
            pending: if slow { Pending::For(Duration::from_secs(3)) } else { usual.pending },
            write_time: Duration::from_millis(if slow { 400 } else { 3 }),
            ..usual
        }
    }

    /// Each time without one of the conditions.
    fn friendlier(&self) -> impl Iterator<Item = Self> {
        self.0.iter().map(|it| Self(self.0.iter().copied().filter(|other| other != it).collect()))
    }
}

impl Schedule {
    /// The schedule of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds would draw alike: their bits are spread first.
        let rng = &mut Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let world = World::new(rng);
        let mut rounds: Vec<_> = (0..rng.usize(1..=3)).map(|_| round(rng)).collect();
        if world.has(Condition::StateBucket) {
            for round in &mut rounds {
                round.visits = Visit::some(rng);
                for work in &mut round.works {
                    work.overtake(rng);
                }
            }
        }
        Self { seed, world, rounds }
    }

    /// How many things go wrong in it, by what they are.
    pub(crate) fn troubles(&self) -> BTreeMap<&'static str, usize> {
        let mut troubles = BTreeMap::new();
        for round in &self.rounds {
            let works = |count: fn(&Work) -> usize| round.works.iter().map(count).sum::<usize>();
            let visits = round.visits.iter().map(|it| it.kills.len()).sum::<usize>();
            for (name, count) in [
                ("answers refused", works(|it| usize::from(it.refused))),
                ("creations cancelled", works(|it| usize::from(it.is_cancelled()))),
                ("deliveries again", works(|it| it.again.len())),
                ("deliveries late", round.late.len()),
                ("deliveries twice at once", works(|it| usize::from(it.twice))),
                ("faults", round.faults.len()),
                ("kills", works(|it| it.kills.len()) + visits),
                ("tampering", round.tampering.len()),
            ] {
                *troubles.entry(name).or_default() += count;
            }
        }
        troubles
    }

    /// This schedule, each time with something left out.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut works = self.rounds.iter().flat_map(|it| &it.works);
        let needs_bucket = works.any(|it| !it.again.is_empty() || it.cancelled.is_some());
        for world in self.world.friendlier() {
            if needs_bucket && !world.has(Condition::StateBucket) {
                continue;
            }
            all.push(Self { world, ..self.clone() });
        }
        for nth in 0..self.rounds.len() {
            let round = &self.rounds[nth];
            let mut changed = |change: &dyn Fn(&mut Vec<Round>)| {
                let mut less = self.clone();
                change(&mut less.rounds);
                all.push(less);
            };
            changed(&|it| drop(it.remove(nth)));
            for index in 0..round.faults.len() {
                changed(&|it| drop(it[nth].faults.remove(index)));
            }
            if !round.late.is_empty() {
                changed(&|it| it[nth].late.clear());
            }
            for index in 0..round.tampering.len() {
                changed(&|it| _ = it[nth].tampering.remove(index));
            }
            for (index, visit) in round.visits.iter().enumerate() {
                changed(&|it| drop(it[nth].visits.remove(index)));
                for kill in 0..visit.kills.len() {
                    changed(&|it| _ = it[nth].visits[index].kills.remove(kill));
                }
            }
            for (index, work) in round.works.iter().enumerate() {
                changed(&|it| drop(it[nth].works.remove(index)));
                if work.twice {
                    changed(&|it| it[nth].works[index].twice = false);
                }
                if work.refused {
                    changed(&|it| it[nth].works[index].refused = false);
                }
                if work.cancelled.is_some() {
                    changed(&|it| it[nth].works[index].cancelled = None);
                }
                for again in 0..work.again.len() {
                    changed(&|it| _ = it[nth].works[index].again.remove(again));
                }
                for kill in 0..work.kills.len() {
                    changed(&|it| _ = it[nth].works[index].kills.remove(kill));
                }
            }
        }
        all
    }
}

impl Work {
    /// Draws what overtakes the request, or what it overtakes.
    ///
    /// Without a state bucket nothing tells which came last, so this is for where there is one.
    fn overtake(&mut self, rng: &mut Rng) {
        let seconds = |rng: &mut Rng| {
            let most = pick(rng, &[2, 30, 400]);
            milliseconds(rng, most * 1_000)
        };
        if chance(rng, 20) {
            self.again = (0..rng.usize(1..=3)).map(|_| seconds(rng)).collect();
        }
        if chance(rng, 15) {
            self.cancelled = Some(milliseconds(rng, 3_000));
        }
    }

    fn is_cancelled(&self) -> bool {
        self.goal.is_some() && self.cancelled.is_some()
    }
}

pub(crate) fn chance(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(0..100) < percent
}

pub(crate) fn pick<T: Clone>(rng: &mut Rng, all: &[T]) -> T {
    all[rng.usize(0..all.len())].clone()
}

pub(crate) fn milliseconds(rng: &mut Rng, most: u64) -> Duration {
    Duration::from_millis(rng.u64(0..most))
}

fn round(rng: &mut Rng) -> Round {
    let mut resources: Vec<_> = (0..RESOURCES.len()).collect();
    rng.shuffle(&mut resources);
    resources.truncate(pick(rng, &[1, 1, 2, 2, 3]));
    let works: Vec<_> = resources.iter().map(|it| work(rng, *it)).collect();
    let faults = (0..rng.usize(0..=4)).map(|_| fault(rng)).collect();
    let tampering = if chance(rng, 40) { Tampering::some(rng) } else { vec![] };
    let late = if chance(rng, 50) {
        RESOURCES.iter().map(|_| rng.usize(0..1_000)).collect()
    } else {
        vec![]
    };
    Round { works, faults, tampering, visits: vec![], late }
}

fn work(rng: &mut Rng, resource: usize) -> Work {
    let variants = RESOURCES[resource].count();
    let kills = kills(rng);
    let seconds = if chance(rng, 15) { rng.u64(2..20) } else { 300 };
    Work {
        resource,
        goal: if chance(rng, 22) { None } else { Some(rng.usize(0..variants)) },
        starts_after: milliseconds(rng, 400),
        kills,
        deadline: Duration::from_secs(seconds),
        twice: chance(rng, 8),
        again: vec![],
        refused: chance(rng, 8),
        cancelled: None,
        warm: chance(rng, 50),
    }
}

/// Draws the calls, each counted from the one before, at which a function is killed.
pub(crate) fn kills(rng: &mut Rng) -> Vec<(u64, Moment)> {
    let count = if chance(rng, 35) { rng.usize(1..=4) } else { 0 };
    let moments = [Moment::Before, Moment::After];
    (0..count).map(|_| (rng.u64(1..25), pick(rng, &moments))).collect()
}

fn fault(rng: &mut Rng) -> Fault {
    let error = |code: &str| Failure::new(code);
    let unavailable = Failure { status: 503, ..error("ServiceUnavailable") };
    let internal = Failure { status: 500, ..error("ServiceException") };
    let kind = match rng.u8(0..14) {
        0 | 1 => Kind::DropBefore,
        2 | 3 => Kind::DropAfter,
        4 => Kind::Error(unavailable),
        5 => Kind::ErrorAfter(unavailable),
        6 => Kind::ErrorAfter(internal),
        7 => Kind::Delay(rng.u64(100..2_000)),
        8 => Kind::Delay(rng.u64(15_000..90_000)),
        9 | 10 => {
            let codes = [
                "TooManyRequestsException",
                "ConcurrentModificationException",
                "PolicyChangesInProgressException",
            ];
            Kind::Error(error(pick(rng, &codes)))
        }
        _ => {
            let codes =
                ["AccessDeniedException", "ConstraintViolationException", "InvalidInputException"];
            Kind::Error(error(pick(rng, &codes)))
        }
    };
    let times = pick(rng, &[1, 1, 1, 2, 3, 6, 12, 24]);
    if chance(rng, 10) {
        // Where it may be so, for a moment: an operation that wants it so would take it for done.
        let code = "PolicyTypeNotEnabledException";
        return Fault::error("AttachPolicy", code).nth(rng.u64(1..3)).times(times);
    }
    Fault::new("*", kind).nth(rng.u64(1..60)).times(times)
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, {:?}", self.seed, self.world.0)?;
        for (number, round) in (1..).zip(&self.rounds) {
            writeln!(f, "round {number}:")?;
            for work in &round.works {
                let Work { resource, goal, starts_after, kills, deadline, twice, warm, .. } = work;
                let goal =
                    goal.map_or("is deleted".to_owned(), |it| format!("gets properties {it}"));
                let name = RESOURCES[*resource].name;
                write!(f, "  {name} {goal} after {starts_after:?}, within {deadline:?}")?;
                write!(f, "{}", if *warm { ", warm" } else { "" })?;
                write!(f, "{}", if *twice { ", delivered twice at once" } else { "" })?;
                write!(f, "{}", if work.refused { ", its answers refused" } else { "" })?;
                if let Some(after) = work.cancelled {
                    write!(f, ", cancelled after {after:?} if it is created")?;
                }
                work.again.iter().try_for_each(|it| write!(f, ", again after {it:?}"))?;
                for (nth, moment) in kills {
                    write!(f, ", killed {moment:?} call {nth}")?;
                }
                writeln!(f)?;
            }
            for visit in &round.visits {
                writeln!(f, "  {visit}")?;
            }
            for Fault { operation, nth, times, kind, .. } in &round.faults {
                let times = times.unwrap_or(0);
                writeln!(f, "  from call {nth} of {operation} on, {times} times: {kind:?}")?;
            }
            if !round.late.is_empty() {
                writeln!(f, "  requests come again when all is done: {:?}", round.late)?;
            }
            for tampering in &round.tampering {
                writeln!(f, "  {tampering}")?;
            }
        }
        Ok(())
    }
}
