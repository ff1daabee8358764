//! Looking at the way of recovery points: in sessions that can only read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws::is_disabled;
use errors::advised;
use members::Member;
use plan::id::{AccountId, Region, ResourceType, RoleArn, RoleName};
use plan::member_accounts::narrowed;
use report::coverage::{ByResource, HeldVault, JOBS_DAYS, Vault};
use report::recovery::{
    Hop, KeptPoint, LOOKS_AT_POINTS, Proofs, RestoreRequest, WaySeen, admits, way,
};
use report::{Destination, Found};

use super::reach::Reach;
use crate::output::note;

/// The time for which AWS reports restore jobs.
const TESTS: Duration = Duration::from_hours(JOBS_DAYS * 24);

/// The means to look at recovery points and their way.
pub(super) struct Looker<'r, 'a> {
    reach: &'r Reach<'a>,
    /// The Regions that are looked at.
    regions: BTreeSet<Region>,
    /// The roles that are looked at.
    roles: BTreeSet<RoleName>,
}

impl<'r, 'a> Looker<'r, 'a> {
    pub(super) fn new(
        reach: &'r Reach<'a>,
        regions: BTreeSet<Region>,
        roles: BTreeSet<RoleName>,
    ) -> Self {
        Self { reach, regions, roles }
    }

    /// The same, which looks at one Region more.
    pub(super) fn also(mut self, region: &Region) -> Self {
        self.regions.insert(region.clone());
        self
    }

    fn session_policy(&self, account: &AccountId) -> String {
        let partition = &self.reach.partition;
        narrowed(&LOOKS_AT_POINTS, &self.regions, &self.roles, partition, account)
    }

    async fn enter(&self, account: &AccountId) -> Result<Arc<Member<'a>>, String> {
        self.reach.enter(account, &self.session_policy(account)).await
    }

    /// Lists the vaults of an account in a Region; none where the account has not enabled it.
    pub(super) async fn vaults(
        &self,
        account: &AccountId,
        region: &Region,
    ) -> Result<Vec<HeldVault>, String> {
        let member = self.enter(account).await?;
        match member.held_vaults(region, &BTreeSet::new()).await {
            Err(error) if is_disabled(&error) => Ok(vec![]),
            vaults => {
                vaults.map_err(|it| format!("the account {account} in {region}: {}", it.problem()))
            }
        }
    }

    /// Hands `each` the recovery points of a vault: those of one resource if its ARN is given.
    pub(super) async fn each_point(
        &self,
        vault: &Destination,
        of: Option<&str>,
        each: impl FnMut(KeptPoint),
    ) -> Result<(), String> {
        let member = self.enter(&vault.account).await?;
        let read = member.each_kept_point(vault, of, each).await;
        read.map_err(|it| format!("the account {vault}: {}", it.problem()))
    }

    /// Adds the restore tests that were made in an account and Region to `proofs`. What nobody may read is
    /// told, and proves nothing.
    pub(super) async fn prove(
        &self,
        account: &AccountId,
        region: &Region,
        now: SystemTime,
        proofs: &mut Proofs,
    ) {
        let read = async {
            let member = self.enter(account).await?;
            match member.restore_tests(region, account, now - TESTS).await {
                Err(error) if is_disabled(&error) => Ok(ByResource::default()),
                tests => tests.map_err(|it| it.problem()),
            }
        };
        match read.await {
            Ok(tests) => proofs.add(&tests),
            Err(why) => note("note", &format!("restore tests were not looked at: {why}")),
        }
    }

    /// Finds a recovery point in the vaults of an account in a Region.
    pub(super) async fn find(
        &self,
        account: &AccountId,
        region: &Region,
        arn: &str,
    ) -> Result<Option<KeptPoint>, String> {
        for held in self.vaults(account, region).await?.into_iter().filter(|it| !it.is_empty) {
            let Some(vault) = Destination::parse(&held.arn, account) else { continue };
            let member = self.enter(account).await?;
            let found = member.kept_point(&vault, arn).await;
            let found = found.map_err(|it| format!("the account {vault}: {}", it.problem()))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Reads what AWS Backup remembers of the resource of a recovery point.
    pub(super) async fn metadata(
        &self,
        point: &KeptPoint,
    ) -> Result<BTreeMap<String, String>, String> {
        let member = self.enter(&point.vault.account).await?;
        member.restore_metadata(&point.vault, &point.arn).await.map_err(|it| it.problem())
    }

    /// Looks at everything on the way of a recovery point but itself. What could not be looked at is
    /// unknown, and its reasons are added to `unread`.
    pub(super) async fn way(
        &self,
        point: &KeptPoint,
        request: &RestoreRequest,
        unread: &mut BTreeSet<String>,
        now: SystemTime,
    ) -> WaySeen {
        let mut seen = WaySeen::default();
        let hops = way(point, &request.goal, &request.partition, &request.copy_role);
        let stops = hops.iter().flat_map(|it| [&it.from, &it.to]).chain([&point.vault]);
        for stop in stops.collect::<BTreeSet<_>>() {
            let found = self.vault(stop, &hops).await;
            let found = found.unwrap_or_else(|why| {
                unread.insert(why);
                Found::Unknown
            });
            seen.vaults.insert(stop.arn(&request.partition), found);
        }
        let copy = hops.first().map(|it| (&it.from.account, &request.copy_role));
        for (account, role) in copy.into_iter().chain([(&request.goal.account, &request.role)]) {
            let found = self.role(account, role).await.unwrap_or_else(|why| {
                unread.insert(why);
                Found::Unknown
            });
            let arn = RoleArn::of(&request.partition, account, role);
            seen.roles.insert(arn.to_string(), found);
        }
        match self.opt_ins(&request.goal).await {
            Ok(opt_ins) => seen.opt_ins = Some(opt_ins),
            Err(why) => drop(unread.insert(why)),
        }
        // Tests are made where copies are, or where their resources are.
        let centrals = self.reach.centrals().map(|it| (it, &request.goal.region));
        let places =
            hops.iter().flat_map(|it| [&it.from, &it.to]).chain([&point.vault, &request.goal]);
        let places = places.map(|it| (&it.account, &it.region)).chain(centrals);
        for (account, region) in places.collect::<BTreeSet<_>>() {
            self.prove(account, region, now, &mut seen.proofs).await;
        }
        seen
    }

    async fn opt_ins(&self, goal: &Destination) -> Result<BTreeMap<ResourceType, bool>, String> {
        let member = self.enter(&goal.account).await?;
        let settings = member.settings(&goal.region).await;
        let settings = settings.map_err(|error| {
            let hint = is_disabled(&error).then_some("enable the Region in the account");
            advised(format_args!("the account {goal}: {}", error.problem()), hint)
        });
        Ok(settings?.opt_in)
    }

    async fn role(&self, account: &AccountId, role: &RoleName) -> Result<Found<bool>, String> {
        let member = self.enter(account).await?;
        let arn = RoleArn::of(&self.reach.partition, account, role);
        let trust = member.trust(role).await;
        Ok(match trust.map_err(|it| format!("the account {account}: {}", it.problem()))? {
            Some((at, Some(trusts))) if at == arn.as_str() => Found::Here(trusts),
            Some((at, None)) if at == arn.as_str() => Found::Unknown,
            Some(_) | None => Found::Absent,
        })
    }

    async fn vault(&self, at: &Destination, hops: &[Hop]) -> Result<Found<Vault>, String> {
        let member = self.enter(&at.account).await?;
        let told = |it: aws::Error| format!("the account {at}: {}", it.problem());
        let held = member.held_vaults(&at.region, &[at.name.clone()].into()).await.map_err(told)?;
        let Some(held) = held.into_iter().find(|it| it.name == at.name.as_str()) else {
            return Ok(Found::Absent);
        };
        let mut vault = held.vault;
        if let Some(hop) = hops.iter().find(|it| it.to == *at && it.from.account != at.account) {
            let policy = member.access_policy(&at.region, at.name.as_str()).await.map_err(told)?;
            vault.admits = admits(policy.as_deref(), &self.reach.partition, &hop.from.account);
        }
        Ok(Found::Here(vault))
    }
}
