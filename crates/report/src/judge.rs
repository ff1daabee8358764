//! The judgement: the state of every account and Region, and everything that is missing there.

mod names;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

use plan::id::{AccountId, Region, ResourceType, VaultName};
use plan::member_accounts::{
    self, CopySource, Deletion, Desired, ENABLE_REGION, Failure, Guard, Problem, Settings, Vault,
    VaultKey, admits_copies, check_access, check_permissions, check_trust, check_vault_key,
};
use plan::plans::Plan;

use super::organization::{GuardRails, Organization, Placed};
use super::outline::{Effective, Outline, asked};
use super::seen::{LastFindings, Lock, Place, Seen, Visit};
use super::wanted::{Wanted, WantedHere};
use super::words::NO_REGION;
use super::{
    Cell, Destination, Evidence, Found, Known, Missing, Note, OptIns, Report, RoleSeen, Row,
    Source, State, VaultSeen, utc,
};

/// All facts from which a report is made.
#[derive(Debug)]
pub struct Observed {
    /// The source of the facts.
    pub source: Source,
    /// The time at which they were found out.
    pub taken: SystemTime,
    /// The time of the last complete daily sweep, if it is known.
    pub last_sweep: Option<SystemTime>,
    /// The organization.
    pub organization: Organization,
    /// The effective policy of every account.
    pub outline: Outline,
    /// The requests of the templates.
    pub wanted: Vec<Wanted>,
    /// The observations in accounts, made just now.
    pub visits: BTreeMap<AccountId, Visit>,
    /// The vaults that receive copies from other accounts, as far as they were looked for just now.
    pub destinations: BTreeMap<Destination, Result<Vault, Failure>>,
    /// The findings of the last runs in accounts. They count for accounts that were not looked into
    /// just now.
    pub looks: BTreeMap<AccountId, LastFindings>,
    /// The time for which these findings count.
    pub max_age: Duration,
    /// True if the user named the role to look around with. An account that this role does not open
    /// could not be looked at then, even if the last run found something there.
    pub is_role_named: bool,
    /// True if the organization allows backups to be copied between accounts. `None` if that is
    /// unknown.
    pub is_cross_account: Option<bool>,
    /// The service control policies, or the reason why they were not read.
    pub guard_rails: Result<GuardRails, String>,
    /// Notes about the organization as a whole.
    pub notes: Vec<Note>,
    /// The backups of resources, as the last sweep found them.
    pub evidence: Option<Evidence>,
}

/// Judges every account and Region.
pub fn judge(observed: Observed) -> Report {
    let deciding = match observed.visits.get(&observed.organization.management) {
        Some(Visit::Seen(seen)) => settings(seen),
        Some(Visit::Barred(_) | Visit::None) | None => BTreeMap::new(),
    };
    let guards = observed.guard_rails.as_ref().map(GuardRails::guards);
    let facts = Facts { observed: &observed, deciding, guards };
    let mut cells = Interned::default();
    let rows = facts.rows(&mut cells);
    let barred = barred(&observed);
    let mut notes = observed.notes;
    notes.extend(observed.outline.notes);
    notes.extend(barred);
    let sweep = observed.evidence.as_ref().map(|it| it.summary.taken);
    notes.extend(sweep.and_then(|it| old(it, observed.taken, observed.max_age)));
    if observed.outline.regions.is_empty() {
        notes.push(Note {
            text: NO_REGION.to_owned(),
            hint: "attach a backup policy, or name the Regions with `--regions`".to_owned(),
            is_unread: false,
        });
    }
    Report {
        taken: observed.taken,
        source: observed.source,
        last_sweep: observed.last_sweep,
        organization: observed.organization,
        regions: observed.outline.regions.into_iter().collect(),
        effective: observed.outline.effective,
        cells: cells.all,
        rows,
        notes,
        states: BTreeSet::new(),
        evidence: observed.evidence,
    }
}

/// Returns a note if the last sweep is too old to count.
fn old(sweep: SystemTime, now: SystemTime, max_age: Duration) -> Option<Note> {
    let is_old = now.duration_since(sweep).is_ok_and(|age| age > max_age);
    is_old.then(|| Note {
        text: format!("the backups of resources have not been checked since {}", utc(sweep)),
        hint: "see why the daily sweep does not run, or run `org-backup coverage`".to_owned(),
        is_unread: true,
    })
}

/// Returns one note for all accounts that could not be entered, if there are any. Usually one
/// reason bars them all.
///
/// The result is incomplete without them, unless recent runs covered all of them. If the user named
/// the role, the user wanted to see them now.
fn barred(observed: &Observed) -> Option<Note> {
    let barred = observed.visits.iter().filter_map(|(account, visit)| match visit {
        Visit::Barred(failure) => Some((account, failure)),
        Visit::None | Visit::Seen(_) => None,
    });
    let barred: Vec<_> = barred.collect();
    let (account, Failure { problem, hint, .. }) = barred.first()?;
    let is_covered = |account| {
        let look = observed.looks.get(account);
        look.is_some_and(|it| observed.taken <= it.at + observed.max_age)
    };
    Some(Note {
        text: format!("{}: {problem}", not_entered(account, barred.len())),
        hint: format!("{hint}; until then the report shows the findings of the last runs in them"),
        is_unread: observed.is_role_named || !barred.iter().all(|it| is_covered(it.0)),
    })
}

/// Says that so many accounts could not be entered, of which this is the first.
pub fn not_entered(first: &AccountId, count: usize) -> String {
    match count {
        1 => format!("the account {first} could not be entered"),
        _ => format!("{count} accounts could not be entered, such as {first}"),
    }
}

/// All facts, and the settings that decide for all accounts.
struct Facts<'a> {
    observed: &'a Observed,
    /// The settings of the management account, which decide for plans of the organization.
    deciding: BTreeMap<&'a Region, &'a Settings>,
    /// The effect of service control policies at each target.
    guards: Result<BTreeMap<&'a str, Guard>, &'a String>,
}

/// A list of cells that holds each distinct cell once.
#[derive(Default)]
struct Interned {
    all: Vec<Cell>,
    known: HashMap<Cell, usize>,
}

impl Interned {
    fn index(&mut self, cell: Cell) -> usize {
        if let Some(index) = self.known.get(&cell) {
            return *index;
        }
        self.all.push(cell.clone());
        self.known.insert(cell, self.all.len() - 1);
        self.all.len() - 1
    }
}

fn settings(seen: &Seen) -> BTreeMap<&Region, &Settings> {
    let open = seen.regions.iter().filter_map(|(region, place)| match place {
        Place::Open { settings: Ok(settings), .. } => Some((region, settings)),
        Place::Open { .. } | Place::Closed(_) => None,
    });
    open.collect()
}

impl Facts<'_> {
    fn rows(&self, cells: &mut Interned) -> Vec<Row> {
        let Observed { organization, outline, wanted, .. } = self.observed;
        let nothing = Effective::default();
        let row = |(index, placed): (usize, &Placed)| {
            let Placed { listed, unit } = placed;
            let share = outline.shares.get(index).copied().unwrap_or_default();
            let effective = outline.effective.get(share).unwrap_or(&nothing);
            let asked = asked(organization, wanted, index);
            let own = outline.regions.iter().map(|it| self.cell(placed, effective, &asked, it));
            Row {
                account: listed.account.clone(),
                life: listed.state.clone(),
                unit: *unit,
                effective: share,
                cells: own.map(|it| cells.index(it)).collect(),
            }
        };
        organization.accounts.iter().enumerate().map(row).collect()
    }

    fn cell(
        &self,
        placed: &Placed,
        effective: &Effective,
        asked: &[WantedHere<'_>],
        region: &Region,
    ) -> Cell {
        let plans = effective.plans.iter().filter(|it| it.regions.contains(region));
        let plans: Vec<_> = plans.collect();
        let mut cell = Cell::bare(plans.iter().map(|it| it.name.clone()).collect());
        let listed = &placed.listed;
        let account = &listed.account.id;
        if !listed.is_active() {
            cell.state = State::Inactive;
            return cell;
        }
        let asked: Vec<_> = asked.iter().filter(|it| it.desired.regions.contains(region)).collect();
        // The account that receives copies does not have to be backed up itself.
        let only_gets_copies =
            plans.is_empty() && !asked.is_empty() && asked.iter().all(|it| it.central.is_some());
        let asked: Vec<_> = asked.into_iter().map(|it| it.desired).collect();
        // An account with plans for other Regions only needs no backups here. An account that no
        // plan reaches anywhere was probably forgotten.
        if plans.is_empty() && asked.is_empty() && !effective.plans.is_empty() {
            return cell;
        }
        if self.look(account, region, &plans, &asked, &mut cell) {
            cell.state = State::Disabled;
            cell.missing.clear();
            return cell;
        }
        names::strangers(&self.observed.organization, &plans, &mut cell);
        self.look_at_destinations(placed, &plans, &mut cell);
        if !cell.vaults.is_empty() {
            cell.guard = self.guard(placed);
        }
        let withheld = self.withheld(account, effective);
        if withheld.is_none() && plans.is_empty() && !only_gets_copies {
            // Nothing else that is missing matters as long as there is no plan.
            cell.missing = vec![no_plan()];
        }
        cell.state = if let Some(withheld) = withheld {
            // The account keeps an older policy, not the one that is merged now.
            cell.missing.insert(0, withheld);
            State::Withheld
        } else if plans.is_empty() && !only_gets_copies {
            State::NoPlan
        } else if cell.missing.iter().any(|it| it.is_certain) {
            State::Incomplete
        } else if !cell.missing.is_empty() {
            State::Unknown
        } else if only_gets_copies {
            State::NotAsked
        } else {
            State::Protected
        };
        cell
    }

    /// Returns the effect of the service control policies on the path of an account.
    fn guard(&self, placed: &Placed) -> Result<Guard, String> {
        let organization = &self.observed.organization;
        let guards = self.guards.as_ref().map_err(|why| (*why).clone())?;
        if placed.listed.account.id == organization.management {
            // It obeys no such policy.
            return Ok(Guard::Free);
        }
        let above = organization.targets(placed).filter_map(|it| guards.get(it)).cloned();
        Ok(above.fold(Guard::Free, Guard::and))
    }

    /// Returns the reason why AWS withholds the policy from the account, if it does.
    fn withheld(&self, account: &AccountId, effective: &Effective) -> Option<Missing> {
        let words = effective.withheld(&self.observed.organization, account)?;
        let mut problem =
            "AWS withholds the merged policy, and the account keeps its previous policy".to_owned();
        if !words.is_empty() {
            problem = format!("{problem}: {}", words.join("; "));
        }
        let hint = "complete the plan that is named, or detach the policy that adds to it";
        Some(Missing::certain(problem, hint))
    }

    /// Adds the findings in the Region, and returns `true` if the account has not enabled the
    /// Region.
    fn look(
        &self,
        account: &AccountId,
        region: &Region,
        plans: &[&Plan],
        asked: &[&Desired],
        cell: &mut Cell,
    ) -> bool {
        let place = match self.observed.visits.get(account) {
            Some(Visit::Seen(seen)) => Ok((seen, seen.regions.get(region))),
            visit => Err(visit),
        };
        match place {
            Ok((seen, Some(Place::Closed(failure)))) => {
                cell.known = Known::Now;
                let is_open = |it: &Place| matches!(it, Place::Open { .. });
                if seen.regions.values().any(is_open) {
                    return true;
                }
                // Credentials that AWS does not accept in any Region are another problem.
                cell.fail(failure);
            }
            Ok((seen, Some(Place::Open { settings, vaults }))) => {
                cell.known = Known::Now;
                opt_ins(settings, asked, cell);
                look_at_vaults(seen, vaults, plans, asked, cell);
                look_at_roles(seen, plans, asked, cell);
                names::scanners(&seen.roles, plans, cell);
                names::indexers(&seen.roles, plans, cell);
                self.look_at_own_destinations(account, seen, plans, cell);
                match &seen.service_role {
                    Some(Ok(false)) => cell.problem(&Problem::NoServiceRole),
                    Some(Err(failure)) => cell.fail(failure),
                    Some(Ok(true)) | None => {}
                }
            }
            Ok((_, None)) => cell.add(nobody_looked()),
            Err(visit) => match (self.observed.looks.get(account), visit) {
                (Some(look), _) => {
                    cell.known = Known::Run(look.at);
                    let here = |it: &&Failure| it.region.as_ref().is_none_or(|it| it == region);
                    for it in look.failures.iter().filter(here) {
                        if it.region.is_some() && it.hint == ENABLE_REGION {
                            return true;
                        }
                        cell.add(Missing::certain(it.problem.clone(), &it.hint));
                    }
                    look.not_looked_at.iter().filter(here).for_each(|it| cell.fail(it));
                    if self.observed.taken > look.at + self.observed.max_age {
                        cell.add(too_old(look.at));
                    }
                }
                (None, Some(Visit::Barred(failure))) => cell.fail(failure),
                (None, _) => cell.add(nobody_looked()),
            },
        }
        if *account != self.observed.organization.management {
            self.deciding_opt_ins(region, asked, cell);
        }
        false
    }

    /// Adds the known problems with the vaults that these plans copy to and that receive copies
    /// from other accounts, and with copies between accounts.
    fn look_at_destinations(&self, placed: &Placed, plans: &[&Plan], cell: &mut Cell) {
        let account = &placed.listed.account.id;
        for destination in destinations(account, plans) {
            match self.observed.destinations.get(&destination) {
                Some(Ok(vault)) => {
                    cell.destination(&destination, vault);
                    if destination.account != *account {
                        self.admission(placed, &destination, vault, cell);
                    }
                }
                Some(Err(Failure { problem, hint, .. })) => cell.add(Missing {
                    problem: format!("copies go to {destination}: {problem}"),
                    hint: hint.clone(),
                    is_certain: false,
                }),
                None => {}
            }
            if destination.account != *account && self.observed.is_cross_account == Some(false) {
                cell.miss(
                    "copies to other accounts are switched off in the organization".to_owned(),
                    "let `templates/bootstrap.yaml` switch on `CrossAccountBackup`",
                );
            }
        }
    }

    /// Adds a problem if the vault of another account does not admit copies from this one, or if
    /// its access policy was not judged.
    fn admission(&self, placed: &Placed, to: &Destination, vault: &Vault, cell: &mut Cell) {
        let Vault::Here { access, .. } = vault else { return };
        let organization = &self.observed.organization;
        let path = organization.id_path(placed.unit);
        let source = CopySource {
            organization: &organization.id,
            path: &path,
            partition: &organization.partition,
            account: &placed.listed.account.id,
        };
        let policy = access.as_ref().map(Option::as_deref);
        let admits = policy.map_or(None, |it| admits_copies(it, source));
        let words = match admits {
            Some(true) => return,
            Some(false) => "does not let the account copy into it",
            None => "was not judged",
        };
        cell.add(Missing {
            problem: format!("the access policy of the vault `{}` of {to} {words}", to.name),
            hint:
                "let its access policy allow `backup:CopyIntoBackupVault` to the organization, as \
                   `templates/central-backup-account.yaml` does"
                    .to_owned(),
            is_certain: admits == Some(false),
        });
    }

    /// Adds the problems with vaults of the account itself that these plans copy to. Vaults that
    /// other accounts copy to as well are left out, because they are looked at once for all
    /// accounts.
    fn look_at_own_destinations(
        &self,
        account: &AccountId,
        seen: &Seen,
        plans: &[&Plan],
        cell: &mut Cell,
    ) {
        let shared = &self.observed.destinations;
        let own = |it: &Destination| it.account == *account && !shared.contains_key(it);
        for destination in destinations(account, plans).filter(own) {
            match seen.regions.get(&destination.region) {
                Some(Place::Open { vaults, .. }) => match vaults.get(&destination.name) {
                    Some(Ok((vault, _))) => cell.destination(&destination, vault),
                    Some(Err(failure)) => cell.fail(failure),
                    None => {}
                },
                Some(Place::Closed(failure)) => cell.fail(failure),
                None => {}
            }
        }
    }

    /// Adds the resource types that the management account has not opted in to. No plan of the
    /// organization backs them up.
    fn deciding_opt_ins(&self, region: &Region, asked: &[&Desired], cell: &mut Cell) {
        let Some(settings) = self.deciding.get(region).filter(|_| !cell.plans.is_empty()) else {
            return;
        };
        let off = off(settings, asked);
        let all_off = !settings.opt_in.values().any(|it| *it);
        if !off.is_empty() || all_off {
            let what = if all_off { "any resource type".to_owned() } else { words(&off) };
            cell.miss(
                format!(
                    "the management account has not opted in to {what} here, which decides for \
                     every plan of a backup policy"
                ),
                "opt in in the management account",
            );
        }
    }
}

/// Adds the types that are on, and a problem if types are off that should be on.
fn opt_ins(settings: &Result<Settings, Failure>, asked: &[&Desired], cell: &mut Cell) {
    let settings = match settings {
        Ok(settings) => settings,
        Err(failure) => return cell.fail(failure),
    };
    let types = |on: bool| {
        let types = settings.opt_in.iter().filter(|it| *it.1 == on);
        types.map(|it| it.0.clone()).collect()
    };
    cell.opt_ins = Some(OptIns { on: types(true), off: types(false) });
    let off = off(settings, asked);
    if !off.is_empty() {
        let hint = "let `templates/members.yaml` opt in, or wait for the next sweep";
        cell.miss(format!("not opted in to {}", words(&off)), hint);
    } else if !asked.iter().any(|it| it.has_settings()) && !settings.opt_in.values().any(|it| *it) {
        let hint = "opt in to the resource types that are to be backed up";
        cell.miss("no resource type is opted in".to_owned(), hint);
    }
}

/// Returns the types that are off although they are requested to be on.
fn off(settings: &Settings, asked: &[&Desired]) -> Vec<ResourceType> {
    let supported = settings.opt_in.keys().cloned().collect();
    let settings = settings.clone();
    let observed = member_accounts::Observed { settings, supported, ..Default::default() };
    let mut off: Vec<_> = asked
        .iter()
        .flat_map(|it| member_accounts::plan(it, &observed).change.opt_in)
        .filter(|it| it.1)
        .map(|it| it.0)
        .collect();
    off.sort();
    off.dedup();
    off
}

/// Returns the vaults that these plans of an account copy to.
fn destinations(account: &AccountId, plans: &[&Plan]) -> impl Iterator<Item = Destination> {
    let copies = plans.iter().flat_map(|it| &it.rules).flat_map(|it| &it.copies);
    copies.filter_map(|it| Destination::parse(it, account))
}

fn look_at_vaults(
    seen: &Seen,
    vaults: &BTreeMap<VaultName, Result<(Vault, Option<Lock>), Failure>>,
    plans: &[&Plan],
    asked: &[&Desired],
    cell: &mut Cell,
) {
    for (name, vault) in vaults {
        let is_filling = |it: &&&Plan| it.vaults().any(|it| it == name);
        let rules: Vec<_> = plans
            .iter()
            .flat_map(|plan| plan.rules.iter().map(move |rule| (plan, rule)))
            .filter(|(_, rule)| rule.vaults().any(|it| it == name))
            .collect();
        let asking = || asked.iter().filter(|it| it.vault.as_ref() == Some(name));
        let is_asked = asking().next().is_some();
        if rules.is_empty() && !is_asked {
            continue;
        }
        let found = match vault {
            Err(failure) => {
                cell.fail(failure);
                Found::Unknown
            }
            Ok((Vault::Missing, _)) => {
                cell.problem(&Problem::NoVault(name.clone()));
                Found::Absent
            }
            Ok((Vault::Here { key, access }, lock)) => {
                let has_own_key = *key != VaultKey::Aws;
                let copies = rules.iter().any(|(_, rule)| !rule.copies.is_empty());
                if !has_own_key && (copies || is_asked) {
                    cell.problem(&Problem::AwsKey(name.clone()));
                }
                for (plan, rule) in rules {
                    let refuses = lock.as_ref().and_then(|it| it.refuses(rule.delete_after_days));
                    if let Some(why) = refuses {
                        let rule = format!("{}/{}", plan.name, rule.name);
                        cell.miss(
                            format!(
                                "the lock of the vault `{name}` refuses the rule `{rule}`: {why}"
                            ),
                            "change the retention of the rule, or the lock while it can be changed",
                        );
                    }
                }
                let makers = plans.iter().filter(is_filling).flat_map(|it| &it.roles);
                let makers = makers.chain(asking().filter_map(|it| it.role.as_ref()));
                let makers = makers.filter_map(|it| seen.roles.get(it)?.as_ref().ok()?.as_ref());
                let denial = check_access(name, access, makers.map(|it| it.arn.as_str()));
                Found::Here(VaultSeen {
                    has_own_key,
                    key_works: cell.verdict(check_vault_key(name, key)),
                    lets_in: cell.verdict(denial),
                    deletion: access.as_ref().ok().map(|it| Deletion::of(it.as_deref())),
                    lock: lock.clone(),
                })
            }
        };
        cell.vaults.push((name.clone(), found));
    }
}

impl Lock {
    /// Returns the reason why jobs fail that keep backups for so many days (`None`: for ever), if
    /// they do.
    pub(super) fn refuses(&self, days: Option<i64>) -> Option<String> {
        match (days, self.min_days, self.max_days) {
            (Some(days), Some(min), _) if days < min => {
                Some(format!("it keeps backups for {days} days, and {min} is the least"))
            }
            (Some(days), _, Some(max)) if days > max => {
                Some(format!("it keeps backups for {days} days, and {max} is the most"))
            }
            (None, _, Some(max)) => {
                Some(format!("it keeps backups for ever, and {max} days is the most"))
            }
            _ => None,
        }
    }
}

fn look_at_roles(seen: &Seen, plans: &[&Plan], asked: &[&Desired], cell: &mut Cell) {
    for (name, role) in &seen.roles {
        let is_used = plans.iter().any(|it| it.roles.contains(name));
        if !is_used && !asked.iter().any(|it| it.role.as_ref() == Some(name)) {
            continue;
        }
        let found = match role {
            Err(failure) => {
                cell.fail(failure);
                Found::Unknown
            }
            Ok(None) => {
                cell.problem(&Problem::NoRole(name.clone()));
                Found::Absent
            }
            Ok(Some(role)) => Found::Here(RoleSeen {
                trusts: cell.verdict(check_trust(name, role)),
                may: cell.verdict(check_permissions(name, role)),
            }),
        };
        cell.roles.push((name.clone(), found));
    }
}

impl Cell {
    /// Returns a cell that has these plans and no findings.
    fn bare(plans: Vec<String>) -> Self {
        Self {
            state: State::NotAsked,
            plans,
            vaults: vec![],
            guard: Ok(Guard::Free),
            roles: vec![],
            opt_ins: None,
            missing: vec![],
            known: Known::No,
        }
    }

    /// Notes that something could not be looked at.
    fn fail(&mut self, failure: &Failure) {
        let Failure { problem, hint, .. } = failure.clone();
        self.add(Missing { problem, hint, is_certain: false });
    }

    fn problem(&mut self, problem: &Problem) {
        let (is_certain, hint) = (problem.is_certain(), problem.hint().to_owned());
        self.add(Missing { problem: problem.to_string(), hint, is_certain });
    }

    /// Notes the problem, if there is one. Returns `true` if there is none, `false` if it is
    /// certain, and `None` if it is not certain.
    fn verdict(&mut self, problem: Option<Problem>) -> Option<bool> {
        let Some(problem) = problem else { return Some(true) };
        self.problem(&problem);
        problem.is_certain().then_some(false)
    }

    /// Notes the problem with a vault that receives copies, if it has one.
    fn destination(&mut self, destination: &Destination, vault: &Vault) {
        let Destination { name, .. } = destination;
        let problem = match vault {
            Vault::Missing => Some(Problem::NoVault(name.clone())),
            Vault::Here { key, .. } => check_vault_key(name, key),
        };
        if let Some(problem) = problem {
            let (is_certain, hint) = (problem.is_certain(), problem.hint().to_owned());
            let problem = format!("copies go to {destination}: {problem}");
            self.add(Missing { problem, hint, is_certain });
        }
    }

    fn miss(&mut self, problem: String, hint: &str) {
        self.add(Missing::certain(problem, hint));
    }

    fn add(&mut self, missing: Missing) {
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }
    }
}

impl Missing {
    fn certain(problem: String, hint: &str) -> Self {
        Self { problem, hint: hint.to_owned(), is_certain: true }
    }
}

fn no_plan() -> Missing {
    let hint = "attach a backup policy whose plan names the Region";
    Missing::certain("no backup plan reaches this Region".to_owned(), hint)
}

fn too_old(at: SystemTime) -> Missing {
    Missing {
        problem: format!("the account has not been checked since {}", utc(at)),
        hint: "see why the daily sweep does not run, or let the command enter accounts".to_owned(),
        is_certain: false,
    }
}

fn nobody_looked() -> Missing {
    Missing {
        problem: "the account has not been checked".to_owned(),
        hint:
            "deploy `templates/members.yaml` and name the state bucket, or let the command enter \
               accounts"
                .to_owned(),
        is_certain: false,
    }
}

fn words(types: &[ResourceType]) -> String {
    types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
