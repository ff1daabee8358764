//! Getting into accounts, for as long as it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws::{Caller, Clock, Management, Session};
use errors::advised;
use members::{Member, MemberAccess};
use plan::id::{AccountId, Region, RoleArn, RoleName};
use report::Destination;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Ways;
use crate::CommandError;
use crate::accounts::Known;
use crate::live::PATIENCE;
use crate::output::note;

/// The time for which a session is used. It lasts for fifteen minutes.
const FRESH: Duration = Duration::from_mins(10);

/// The beginning of a command: its session, and AWS's clock.
pub(super) struct Begun {
    pub(super) session: Session,
    pub(super) management: Management,
    clock: Clock,
    machine: SystemTime,
    deadline: Instant,
}

impl Begun {
    pub(super) async fn new(ways: &Ways, machine: SystemTime) -> Result<Self, CommandError> {
        let (clock, deadline) = (Clock::default(), Instant::now() + PATIENCE);
        let session = ways.live().session_by(&clock).await?;
        let management = session.management(None, deadline).await?;
        Ok(Self { session, management, clock, machine, deadline })
    }

    /// The session, and the clock that its answers set.
    pub(super) fn by(&self) -> (&Session, &Clock) {
        (&self.session, &self.clock)
    }

    /// The moment by AWS's clock, which judges what AWS tells of moments.
    pub(super) fn now(&self) -> SystemTime {
        self.clock.now(self.machine)
    }

    /// Asks the organization where copies go; what was `said` counts instead, and asks nobody.
    ///
    /// AWS may not answer a member account. Then only the options are known.
    pub(super) async fn central(&self, said: &[Destination]) -> Central {
        if !said.is_empty() {
            let regions = said.iter().map(|it| it.region.clone()).collect();
            return Central { vaults: said.iter().cloned().collect(), regions };
        }
        let Self { session, management, machine, deadline, .. } = self;
        match Known::read(session, management, &[], *deadline, *machine).await {
            Ok(Known { organization, outline, .. }) => {
                let vaults = outline.destinations(&organization).into_values().flatten();
                let regions = outline.regions.iter().cloned().collect();
                Central { vaults: vaults.collect(), regions }
            }
            Err(error) => {
                let why = errors::chain(&error);
                let unknown = format_args!("the destination of copies is unknown: {why}");
                note("note", &advised(unknown, Some("name it with --from")));
                Central { vaults: BTreeSet::new(), regions: BTreeSet::new() }
            }
        }
    }
}

/// The way into accounts: with a role, and into the account of the caller without one.
pub(super) struct Reach<'a> {
    access: MemberAccess<'a>,
    pub(super) account: AccountId,
    pub(super) partition: String,
    role: RoleName,
    central_role: RoleName,
    /// The accounts that copies go to.
    centrals: BTreeSet<AccountId>,
    /// The account of a vault of which nobody said whether copies go to it.
    unsure: Option<AccountId>,
    /// True if only the role of an account that receives copies let the command into that one.
    is_unsure_central: AtomicBool,
    seats: Mutex<BTreeMap<(AccountId, String), Arc<Seat<'a>>>>,
}

/// A session in an account for one purpose, which is begun anew before it is over.
#[derive(Default)]
struct Seat<'a>(Mutex<Option<(Instant, Arc<Member<'a>>)>>);

impl<'a> Reach<'a> {
    pub(super) async fn new(management: &'a Management, ways: &Ways) -> Result<Self, CommandError> {
        let Caller { account, partition, .. } = management.caller().await?;
        let unknown = |_| CommandError::NoAccount(account.clone());
        Ok(Self {
            access: MemberAccess::new(management),
            account: account.parse().map_err(unknown)?,
            partition: partition.to_string(),
            role: ways.member_role(),
            central_role: ways.central_role(),
            centrals: BTreeSet::new(),
            unsure: None,
            is_unsure_central: AtomicBool::new(false),
            seats: Mutex::default(),
        })
    }

    /// The same, which knows the accounts that copies go to.
    pub(super) fn with(mut self, central: &Central) -> Self {
        self.centrals = central.vaults.iter().map(|it| it.account.clone()).collect();
        self
    }

    /// The accounts that copies go to, as far as they are known.
    pub(super) fn centrals(&self) -> impl Iterator<Item = &AccountId> {
        self.centrals.iter()
    }

    /// The same, which tries both roles in the account of this vault.
    pub(super) fn unsure_of(mut self, vault: &Destination) -> Self {
        self.unsure = Some(vault.account.clone());
        self
    }

    /// Returns `true` if copies go to an account: the organization says so, or, once it was entered, the
    /// role that let the command in.
    pub(super) fn is_central(&self, account: &AccountId) -> bool {
        let is_unsure = self.unsure.as_ref() == Some(account);
        self.centrals.contains(account)
            || is_unsure && self.is_unsure_central.load(Ordering::Relaxed)
    }

    /// The roles to enter an account with, those that are likely first.
    fn roles(&self, account: &AccountId) -> Vec<&RoleName> {
        if self.centrals.contains(account) {
            vec![&self.central_role]
        } else if self.unsure.as_ref() == Some(account) && self.role != self.central_role {
            vec![&self.role, &self.central_role]
        } else {
            vec![&self.role]
        }
    }

    /// Enters an account for what `session_policy` allows, or goes on with the session for that.
    ///
    /// In the account of the caller, credentials are those of the caller.
    pub(super) async fn enter(
        &self,
        account: &AccountId,
        session_policy: &str,
    ) -> Result<Arc<Member<'a>>, String> {
        let key = (account.clone(), session_policy.to_owned());
        let seat = Arc::clone(self.seats.lock().await.entry(key).or_default());
        let mut inside = seat.0.lock().await;
        if let Some((since, member)) = inside.as_ref()
            && since.elapsed() < FRESH
        {
            return Ok(Arc::clone(member));
        }
        let mut member = (*account == self.account).then(|| self.access.management());
        let mut barred = String::new();
        for name in self.roles(account) {
            if member.is_some() {
                break;
            }
            let role = RoleArn::of(&self.partition, account, name);
            match self.access.enter(&role, session_policy.to_owned()).await {
                Ok(entered) => {
                    member = Some(entered);
                    if self.unsure.as_ref() == Some(account) {
                        let is_central = *name == self.central_role && *name != self.role;
                        self.is_unsure_central.store(is_central, Ordering::Relaxed);
                    }
                }
                Err(error) => barred = error.problem(),
            }
        }
        let barred = || advised(format_args!("the account {account}: {barred}"), Some(HINT));
        let member = member.ok_or_else(barred)?;
        let member = Arc::new(member);
        *inside = Some((Instant::now(), Arc::clone(&member)));
        Ok(member)
    }
}

const HINT: &str = "with --member-role and --central-role, name roles that you may assume there, \
                    such as those of RecoveryRoleName and CentralRecoveryRoleName of the \
                    templates";

/// The places where copies go, as far as the organization tells.
pub(super) struct Central {
    /// The vaults that copies of other accounts go to.
    pub(super) vaults: BTreeSet<Destination>,
    /// The Regions that policies and templates name.
    pub(super) regions: BTreeSet<Region>,
}
