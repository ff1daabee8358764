//! The data that was read from an account, and the places and inventories that follow from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use plan::id::{AccountId, Region, ResourceType, RoleName, role_name};
use plan::member_accounts::{CopySource, Settings, admits_copies};
use policy::arn::Arn;
use serde::{Deserialize, Serialize};

use super::evidence::{Job, RecoveryPoint, RestoreTest};
use super::inventory::{Answers, Inventory, Records, Tags};
use super::place::{LocalPlan, Place, Vault};
use super::plans::BackupPlan;
use crate::Found;

/// The actions for looking at backups in an account. Its role has to allow them in addition to the
/// actions for looking at roles.
pub const LOOKS_AT_BACKUPS: [&str; 9] = [
    "backup:DescribeRegionSettings",
    "backup:GetBackupSelection",
    "backup:GetBackupVaultAccessPolicy",
    "backup:ListBackupPlans",
    "backup:ListBackupSelections",
    "backup:ListBackupVaults",
    "backup:ListRecoveryPointsByBackupVault",
    "kms:DescribeKey",
    "tag:GetResources",
];

/// A fact that AWS Backup reports about a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct About<T> {
    /// The ARN of the resource.
    pub resource: String,
    /// The name that AWS Backup has for its type.
    pub kind: Option<ResourceType>,
    /// The fact.
    pub it: T,
}

impl<T> About<T> {
    /// Returns the account that the ARN of the resource names. The ARN of a bucket names none, and
    /// this is empty.
    pub fn account(&self) -> &str {
        Arn::account_in(&self.resource)
    }
}

/// The facts that AWS Backup reports about resources, by their ARNs, each of which is held once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ByResource<T>(BTreeMap<String, (Option<ResourceType>, Vec<T>)>);

impl<T> ByResource<T> {
    /// Adds a fact about a resource.
    pub fn add(&mut self, About { resource, kind, it }: About<T>) {
        self.add_all(resource, kind, [it]);
    }

    /// Adds facts about one resource.
    pub fn add_all(
        &mut self,
        resource: String,
        kind: Option<ResourceType>,
        facts: impl IntoIterator<Item = T>,
    ) {
        let of = self.0.entry(resource).or_insert((None, vec![]));
        of.0 = kind.or(of.0.take());
        of.1.extend(facts);
    }

    /// Returns each resource with its type and the facts about it.
    pub fn each(&self) -> impl Iterator<Item = (&str, Option<&ResourceType>, &[T])> {
        self.0.iter().map(|(resource, (kind, all))| (resource.as_str(), kind.as_ref(), &all[..]))
    }
}

impl<T> Default for ByResource<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> FromIterator<About<T>> for ByResource<T> {
    fn from_iter<I: IntoIterator<Item = About<T>>>(all: I) -> Self {
        let mut told = Self::default();
        all.into_iter().for_each(|it| told.add(it));
        told
    }
}

/// A vault of an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldVault {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The properties that matter for backups. The accounts that it admits are not read with it.
    pub vault: Vault,
    /// True if AWS says that it is empty.
    pub is_empty: bool,
}

/// A role: its ARN, and `true` if it trusts AWS Backup. `None` if that was not judged.
pub type TrustedRole = (String, Option<bool>);

/// The data that was read from one account. Each error is the reason why something was not read.
#[derive(Clone, Debug, Default)]
pub struct AccountReads {
    /// Each role that a plan names, or `None` if it does not exist.
    pub roles: BTreeMap<RoleName, Result<Option<TrustedRole>, String>>,
    /// The data that was read in each Region. A Region that the account has not enabled is left
    /// out.
    pub regions: BTreeMap<Region, RegionReads>,
    /// The recovery points of its vaults, less those of the vaults that are among
    /// [`Common::destinations`] and whose recovery points are among [`Common::copies`].
    pub points: ByResource<RecoveryPoint>,
    /// The vaults whose recovery points were not read, by ARN.
    pub unread: BTreeMap<String, String>,
}

/// The data that was read from an account in a Region.
#[derive(Clone, Debug)]
pub struct RegionReads {
    /// Every vault.
    pub vaults: Result<Vec<HeldVault>, String>,
    /// The settings of the account itself.
    pub settings: Result<Settings, String>,
    /// The plans that were made in the account itself.
    pub local: Result<Vec<LocalPlan>, String>,
    /// The answer of the tagging API.
    pub tagged: Result<BTreeMap<String, Tags>, String>,
    /// The answer of Resource Explorer. `None` if there is no index.
    pub indexed: Option<BTreeMap<String, Option<Tags>>>,
    /// The backup jobs of the last thirty days.
    pub jobs: Result<ByResource<Job>, String>,
    /// The copy jobs of the last thirty days.
    pub copy_jobs: Result<ByResource<Job>, String>,
    /// The restore tests of the last thirty days.
    pub tests: Result<ByResource<RestoreTest>, String>,
}

impl RegionReads {
    /// Returns the data for an account that could not be entered, for this reason.
    pub fn barred(why: &str) -> Self {
        let why = || why.to_owned();
        Self {
            vaults: Err(why()),
            settings: Err(why()),
            local: Err(why()),
            tagged: Err(why()),
            indexed: None,
            jobs: Ok(ByResource::default()),
            copy_jobs: Ok(ByResource::default()),
            tests: Ok(ByResource::default()),
        }
    }
}

/// A vault that receives copies from other accounts.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DestinationReads {
    /// The vault, if there is one.
    pub vault: Option<Vault>,
    /// Its access policy, if it has one.
    pub policy: Result<Option<String>, String>,
    /// The reason why its recovery points were not read, if they were not.
    pub unread: Option<String>,
}

impl DestinationReads {
    /// Returns `true` if the vault exists and all of its recovery points were read.
    pub fn is_whole(&self) -> bool {
        self.vault.is_some() && self.unread.is_none()
    }
}

/// The data that is the same for all accounts.
#[derive(Clone, Debug)]
pub struct Common {
    /// The ID of the organization.
    pub organization: String,
    /// Its partition.
    pub partition: String,
    /// Its accounts.
    pub accounts: Arc<BTreeSet<AccountId>>,
    /// True if it allows backups to be copied between accounts. `None` if that is unknown.
    pub is_cross_account: Option<bool>,
    /// The opt-ins of the management account in each Region, which decide for plans of policies.
    pub opt_ins: BTreeMap<Region, Result<BTreeMap<ResourceType, bool>, String>>,
    /// The vaults that receive copies from other accounts, by ARN. An error is the reason why their
    /// account could not be entered.
    pub destinations: BTreeMap<String, Result<DestinationReads, String>>,
    /// The recovery points in these vaults.
    pub copies: ByResource<RecoveryPoint>,
    /// The time at which an earlier inventory first saw a resource with its present tags, by ARN.
    pub first_seen: BTreeMap<String, (Tags, SystemTime)>,
}

/// An account, the path to it, and its plans.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The IDs from the root down to the OU that it is in, separated by slashes.
    pub path: &'a str,
    /// The plans of its effective policy.
    pub plans: &'a [BackupPlan],
}

impl Common {
    /// Returns the account in each Region that was read, and the resources there.
    pub fn places(&self, holder: Holder<'_>, reads: AccountReads) -> Vec<(Place, Inventory)> {
        let vaults = self.vaults(holder, &reads);
        let mut unread = reads.unread;
        for (arn, destination) in &self.destinations {
            let why = match destination {
                Ok(it) => it.unread.as_ref(),
                Err(why) => Some(why),
            };
            unread.extend(why.map(|it| (arn.clone(), it.clone())));
        }
        // A vault that receives copies has recovery points of resources of other accounts.
        let points = reads.points.0.into_iter().filter(|it| !is_elsewhere(&it.0, holder.account));
        let records = |(arn, (kind, points))| (arn, Records { kind, points, ..Records::default() });
        let mut records: BTreeMap<String, Records> = points.map(records).collect();
        for (arn, (kind, _)) in self.copies.0.iter().filter(|it| is_of(it.0, holder.account)) {
            records.entry(arn.clone()).or_default().learn(kind.as_ref());
        }
        let regions = reads.regions.into_iter().map(|(region, mut read)| {
            let mut place = self.place(holder, &region, &reads.roles);
            place.vaults.clone_from(&vaults);
            place.unread.clone_from(&unread);
            if let Err(why) = &read.vaults {
                let names = holder.plans.iter().flat_map(|it| &it.rules);
                let names: Vec<_> = names.map(|it| place.vault(&it.vault)).collect();
                place.unread.extend(names.into_iter().map(|it| (it, why.clone())));
            }
            let own = read.settings.as_ref().map(|it| &it.opt_in).ok();
            let of_management = place.opt_ins.as_ref().ok();
            let types = own.filter(|it| !it.is_empty()).or(of_management);
            place.supported = types.map(|it| it.keys().cloned().collect());
            place.jobs_unread = read.jobs.as_ref().err().cloned();
            let opt_ins = own.cloned().unwrap_or_default();
            let local = std::mem::replace(&mut read.local, Ok(vec![])).unwrap_or_default();
            place.local =
                local.into_iter().map(|it| LocalPlan { opt_ins: opt_ins.clone(), ..it }).collect();
            let inventory = self.inventory(&region, read, &mut records);
            (place, inventory)
        });
        regions.collect()
    }

    fn place(
        &self,
        holder: Holder<'_>,
        region: &Region,
        roles: &BTreeMap<RoleName, Result<Option<TrustedRole>, String>>,
    ) -> Place {
        let opt_ins = self.opt_ins.get(region).cloned();
        let mut place = Place {
            account: holder.account.clone(),
            region: region.clone(),
            partition: self.partition.clone(),
            since: None,
            supported: None,
            opt_ins: opt_ins.unwrap_or_else(|| Err("the opt-ins here were not read".to_owned())),
            vaults: BTreeMap::new(),
            roles: BTreeMap::new(),
            organization: Some(Arc::clone(&self.accounts)),
            is_cross_account: self.is_cross_account,
            unread: BTreeMap::new(),
            jobs_unread: None,
            local: vec![],
        };
        let named = holder.plans.iter().flat_map(|it| &it.selections).map(|it| &it.role);
        let named: BTreeSet<_> = named.map(|it| place.here(it)).collect();
        place.roles = named.into_iter().map(|it| (it.clone(), found_role(&it, roles))).collect();
        place
    }

    /// Returns the findings about every vault, by ARN: the vaults of the account, those that its
    /// plans name and that do not exist, and those of other accounts.
    fn vaults(&self, holder: Holder<'_>, reads: &AccountReads) -> BTreeMap<String, Found<Vault>> {
        let mut vaults = BTreeMap::new();
        for (region, read) in &reads.regions {
            let Ok(held) = &read.vaults else { continue };
            let place = self.place(holder, region, &reads.roles);
            for rule in holder.plans.iter().flat_map(|it| &it.rules) {
                let own = [place.vault(&rule.vault)].into_iter();
                let own = own.chain(rule.air_gapped.iter().map(|it| place.here(it)));
                vaults.extend(own.map(|it| (it, Found::Absent)));
            }
            vaults.extend(held.iter().map(|it| (it.arn.clone(), Found::Here(it.vault.clone()))));
        }
        // Copies go to other Regions of the account as well.
        for region in reads.regions.keys() {
            let place = self.place(holder, region, &reads.roles);
            let copies = holder.plans.iter().flat_map(|it| &it.rules).flat_map(|it| &it.copies);
            for vault in copies.map(|it| place.here(&it.vault)) {
                let Ok(arn) = Arn::parse(&vault) else { continue };
                let is_own = arn.account == holder.account.as_str();
                let there = reads.regions.iter().find(|it| it.0.as_str() == arn.region);
                let is_read = there.is_some_and(|it| it.1.vaults.is_ok());
                if is_own && is_read {
                    vaults.entry(vault).or_insert(Found::Absent);
                }
            }
        }
        for (arn, destination) in &self.destinations {
            vaults.insert(arn.clone(), self.destination(holder, destination.as_ref()));
        }
        vaults
    }

    /// Returns the findings about a vault of another account as a destination for backups of this
    /// one.
    fn destination(
        &self,
        holder: Holder<'_>,
        destination: Result<&DestinationReads, &String>,
    ) -> Found<Vault> {
        let Ok(DestinationReads { vault, policy, .. }) = destination else { return Found::Unknown };
        let Some(vault) = vault else { return Found::Absent };
        let source = CopySource {
            organization: &self.organization,
            path: holder.path,
            partition: &self.partition,
            account: holder.account,
        };
        let policy = policy.as_ref().ok();
        let admits = policy.and_then(|it| admits_copies(it.as_deref(), source));
        Found::Here(Vault { admits, ..vault.clone() })
    }

    /// Returns the resources of the account in a Region, and takes their backups out of `records`.
    fn inventory(
        &self,
        region: &Region,
        read: RegionReads,
        records: &mut BTreeMap<String, Records>,
    ) -> Inventory {
        let RegionReads { tagged, indexed, jobs, copy_jobs, tests, .. } = read;
        let is_named = |arn: &str| {
            tagged.as_ref().is_ok_and(|it| it.contains_key(arn))
                || indexed.as_ref().is_some_and(|it| it.contains_key(arn))
        };
        // The ARN of a bucket has no Region.
        let is_here = |arn: &str| {
            is_named(arn) || Arn::parse(arn).is_ok_and(|it| it.region == region.as_str())
        };
        let mut here: BTreeMap<_, _> = records.extract_if(.., |arn, _| is_here(arn)).collect();
        for (resource, (kind, jobs)) in jobs.unwrap_or_default().0 {
            let of = here.entry(resource).or_default();
            of.learn(kind.as_ref());
            of.jobs = jobs;
        }
        for (resource, (_, jobs)) in copy_jobs.unwrap_or_default().0 {
            here.entry(resource).or_default().copy_jobs = jobs;
        }
        for (resource, (_, tests)) in tests.unwrap_or_default().0 {
            here.entry(resource).or_default().tests = tests;
        }
        // The ARN of a bucket has no account, and all that it has may be copies.
        let named = tagged.iter().flat_map(BTreeMap::keys);
        for arn in named.chain(indexed.iter().flat_map(BTreeMap::keys)) {
            if self.copies.0.contains_key(arn) && !here.contains_key(arn) {
                here.insert(arn.clone(), Records::default());
            }
        }
        for (arn, records) in &mut here {
            if let Some((kind, copies)) = self.copies.0.get(arn) {
                records.learn(kind.as_ref());
                records.points.extend(copies.iter().cloned());
            }
        }
        // A resource that the tagging API does not name has no tags.
        let untagged = Tags::new();
        let tags_now = |arn: &str| match &tagged {
            Ok(tagged) => Some(tagged.get(arn).unwrap_or(&untagged)),
            Err(_) => indexed.as_ref()?.get(arn)?.as_ref(),
        };
        let named = tagged.iter().flat_map(BTreeMap::keys);
        let named = named.chain(indexed.iter().flat_map(BTreeMap::keys));
        let seen = |arn: &String| {
            let (had, at) = self.first_seen.get(arn)?;
            (tags_now(arn) == Some(had)).then(|| (arn.clone(), *at))
        };
        let first_seen = named.filter_map(seen).collect();
        Inventory::new(Answers { tagged, indexed, records: here, first_seen })
    }
}

/// Returns `true` if an ARN names an account, and it is this one.
fn is_of(arn: &str, account: &AccountId) -> bool {
    Arn::account_in(arn) == account.as_str()
}

/// Returns `true` if an ARN names an account, and it is another one.
fn is_elsewhere(arn: &str, account: &AccountId) -> bool {
    let named = Arn::account_in(arn);
    !named.is_empty() && named != account.as_str()
}

/// Returns the findings about the role with this ARN.
fn found_role(
    arn: &str,
    roles: &BTreeMap<RoleName, Result<Option<TrustedRole>, String>>,
) -> Found<bool> {
    match role_name(arn).and_then(|it| roles.get(&it)) {
        Some(Ok(Some((at, trusts)))) if at == arn => match trusts {
            Some(trusts) => Found::Here(*trusts),
            None => Found::Unknown,
        },
        // A role of the same name with another path or in another account is another role.
        Some(Ok(_)) => Found::Absent,
        Some(Err(_)) | None => Found::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::coverage::{Copy, Key, PointStatus, Resource, Rule, Selection};

    const HERE: &str = "eu-west-1";
    const THERE: &str = "eu-north-1";
    const VOLUME: &str = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1";
    const BUCKET: &str = "arn:aws:s3:::reports";
    const KEEP: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:keep";
    const CENTRAL: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:central";
    const ROLE: &str = "arn:aws:iam::111122223333:role/maker";

    fn vault() -> Vault {
        Vault { key: Key::Customer, lock: None, admits: None, is_air_gapped: false }
    }

    fn held(arn: &str) -> HeldVault {
        let name = arn.rsplit(':').next().unwrap().to_owned();
        HeldVault { arn: arn.to_owned(), name, vault: vault(), is_empty: false }
    }

    fn plan() -> BackupPlan {
        let copy = |vault: &str| Copy { vault: vault.to_owned(), keep: None };
        BackupPlan {
            name: "daily".to_owned(),
            regions: vec![HERE.to_owned()],
            rules: vec![Rule {
                name: "night".to_owned(),
                schedule: None,
                vault: "keep".to_owned(),
                air_gapped: None,
                start: Duration::from_hours(1),
                complete: Duration::from_hours(1),
                is_continuous: false,
                keep: None,
                is_cold_too_short: false,
                copies: vec![
                    copy("arn:aws:backup:eu-north-1:$account:backup-vault:second"),
                    copy(CENTRAL),
                ],
            }],
            selections: vec![Selection {
                role: "arn:aws:iam::$account:role/maker".to_owned(),
                ..Selection::default()
            }],
        }
    }

    fn region(vaults: &[&str]) -> RegionReads {
        RegionReads {
            vaults: Ok(vaults.iter().map(|it| held(it)).collect()),
            settings: Ok(Settings::default()),
            local: Ok(vec![]),
            tagged: Ok(BTreeMap::new()),
            ..RegionReads::barred("")
        }
    }

    fn point(resource: &str, vault: &str) -> About<RecoveryPoint> {
        let it = RecoveryPoint {
            vault: vault.into(),
            created: SystemTime::UNIX_EPOCH,
            completed: SystemTime::UNIX_EPOCH,
            status: PointStatus::Usable,
            is_continuous: false,
            delete_at: None,
            by: None,
        };
        About { resource: resource.to_owned(), kind: None, it }
    }

    fn reads() -> AccountReads {
        let name: RoleName = "maker".parse().unwrap();
        AccountReads {
            roles: [(name, Ok(Some((ROLE.to_owned(), Some(true)))))].into(),
            regions: [(HERE, region(&[KEEP])), (THERE, region(&[]))]
                .map(|it| (it.0.parse().unwrap(), it.1))
                .into(),
            ..AccountReads::default()
        }
    }

    fn common() -> Common {
        let destination = DestinationReads { vault: Some(vault()), policy: Ok(None), unread: None };
        Common {
            organization: "o-a1b2c3d4e5".to_owned(),
            partition: "aws".to_owned(),
            accounts: Arc::default(),
            is_cross_account: Some(true),
            opt_ins: BTreeMap::new(),
            destinations: [(CENTRAL.to_owned(), Ok(destination))].into(),
            copies: ByResource::default(),
            first_seen: BTreeMap::new(),
        }
    }

    fn places(common: &Common, reads: AccountReads) -> Vec<(Place, Inventory)> {
        let account = "111122223333".parse().unwrap();
        let plans = [plan()];
        common.places(Holder { account: &account, path: "r-ab12", plans: &plans }, reads)
    }

    fn here(common: &Common, reads: AccountReads) -> (Place, Inventory) {
        let is_here = |it: &(Place, Inventory)| it.0.region.as_str() == HERE;
        places(common, reads).into_iter().find(is_here).unwrap()
    }

    #[test]
    fn vaults_are_there_absent_or_not_known() {
        let (place, _) = here(&common(), reads());
        let second = "arn:aws:backup:eu-north-1:111122223333:backup-vault:second";
        assert_eq!(place.vaults.get(KEEP), Some(&Found::Here(vault())));
        assert_eq!(place.vaults.get(second), Some(&Found::Absent), "its Region was read");
        let central = Vault { admits: Some(false), ..vault() };
        assert_eq!(place.vaults.get(CENTRAL), Some(&Found::Here(central)), "it has no policy");
        assert_eq!(place.roles.get(ROLE), Some(&Found::Here(true)));

        let mut reads = reads();
        let there = reads.regions.get_mut(&THERE.parse().unwrap()).unwrap();
        *there = RegionReads::barred("denied");
        let (place, _) = here(&common(), reads);
        assert_eq!(place.vaults.get(second), None);
    }

    #[test]
    fn what_nobody_could_read_is_not_missing() {
        let barred = (HERE.parse().unwrap(), RegionReads::barred("nobody got in"));
        let reads = AccountReads { regions: [barred].into(), ..AccountReads::default() };
        let mut common = common();
        common.destinations.insert(CENTRAL.to_owned(), Err("denied".to_owned()));
        let (place, inventory) = here(&common, reads);
        assert_eq!(place.unread.get(KEEP).map(String::as_str), Some("nobody got in"));
        assert_eq!(place.unread.get(CENTRAL).map(String::as_str), Some("denied"));
        assert_eq!(place.vaults.get(CENTRAL), Some(&Found::Unknown));
        assert_eq!(place.roles.get(ROLE), Some(&Found::Unknown));
        assert!(inventory.resources.is_empty());
    }

    #[test]
    fn a_role_with_another_path_is_another_role() {
        let mut reads = reads();
        let at = "arn:aws:iam::111122223333:role/teams/maker".to_owned();
        reads.roles.insert("maker".parse().unwrap(), Ok(Some((at, Some(true)))));
        let (place, _) = here(&common(), reads);
        assert_eq!(place.roles.get(ROLE), Some(&Found::Absent));
    }

    #[test]
    fn backups_and_copies_are_those_of_the_region_of_the_resource() {
        let mut reads = reads();
        let second = "arn:aws:backup:eu-north-1:111122223333:backup-vault:second";
        let points = [point(VOLUME, KEEP), point(VOLUME, second), point(BUCKET, KEEP)];
        reads.points = points.into_iter().collect();
        let tags = Tags::from([("tier".to_owned(), "gold".to_owned())]);
        let read = reads.regions.get_mut(&HERE.parse().unwrap()).unwrap();
        let tagged = [(VOLUME, tags.clone()), (BUCKET, Tags::new())];
        read.tagged = Ok(tagged.map(|it| (it.0.to_owned(), it.1)).into());
        let mut common = common();
        common.copies.add(point(VOLUME, CENTRAL));
        let seen = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        common.first_seen.insert(VOLUME.to_owned(), (tags, seen));
        let (_, inventory) = here(&common, reads);
        let [(volume, of_volume), (bucket, of_bucket)] = inventory.resources.as_slice() else {
            panic!("{inventory:?}")
        };
        assert!(inventory.unnamed.is_empty(), "{inventory:?}");
        assert_eq!((volume.arn.as_str(), bucket.arn.as_str()), (VOLUME, BUCKET));
        assert_eq!((of_volume.points.len(), of_bucket.points.len()), (3, 1));
        assert_eq!((volume.first_seen, bucket.first_seen), (Some(seen), None));
    }

    #[test]
    fn backups_in_the_account_that_receives_the_copies_are_its_own_and_no_others() {
        const CLUSTER: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:orders";
        const OTHER: &str = "arn:aws:ec2:eu-west-1:777788889999:volume/vol-1";
        let mut reads = reads();
        reads.points = [point(OTHER, KEEP)].into_iter().collect();
        let mut common = common();
        let kind = "Neptune".parse().ok();
        common.copies.add(About { kind: kind.clone(), ..point(CLUSTER, KEEP) });
        common.copies.add(point(OTHER, CENTRAL));
        common.copies.add(point(BUCKET, KEEP));
        common.copies.add(point("arn:aws:s3:::of-others", CENTRAL));
        let named = |reads: &mut AccountReads, tagged| {
            reads.regions.get_mut(&HERE.parse().unwrap()).unwrap().tagged = tagged;
        };
        let tagged = [CLUSTER, BUCKET].map(|it| (it.to_owned(), Tags::new()));
        named(&mut reads, Ok(tagged.into()));
        let (_, inventory) = here(&common, reads.clone());
        let all: Vec<_> = inventory.resources.iter().collect();
        let shown =
            |(it, of): &(Resource, Records)| (it.arn.clone(), it.kind.clone(), of.points.len());
        let shown: Vec<_> = all.into_iter().map(shown).collect();
        assert_eq!(shown, [(CLUSTER.to_owned(), kind, 1), (BUCKET.to_owned(), None, 1)]);
        assert!(inventory.unnamed.is_empty(), "{inventory:?}");

        // Without any inventory, the resources of other accounts are not those of this one.
        named(&mut reads, Err("denied".to_owned()));
        let (_, inventory) = here(&common, reads);
        let all: Vec<_> = inventory.resources.iter().map(|it| it.0.arn.as_str()).collect();
        assert_eq!(all, [CLUSTER]);
    }

    #[test]
    fn a_resource_without_tags_that_an_index_names_is_remembered_too() {
        let mut reads = reads();
        let read = reads.regions.get_mut(&HERE.parse().unwrap()).unwrap();
        read.indexed = Some([(VOLUME.to_owned(), None)].into());
        let mut common = common();
        let seen = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        common.first_seen.insert(VOLUME.to_owned(), (Tags::new(), seen));
        let (_, inventory) = here(&common, reads);
        assert_eq!(inventory.resources.first().and_then(|it| it.0.first_seen), Some(seen));
    }

    #[test]
    fn other_tags_are_as_good_as_a_new_resource() {
        let mut reads = reads();
        let read = reads.regions.get_mut(&HERE.parse().unwrap()).unwrap();
        read.tagged = Ok([(VOLUME.to_owned(), Tags::new())].into());
        let had = Tags::from([("tier".to_owned(), "gold".to_owned())]);
        let mut common = common();
        common.first_seen.insert(VOLUME.to_owned(), (had, SystemTime::UNIX_EPOCH));
        let (_, inventory) = here(&common, reads);
        assert_eq!(inventory.resources.first().and_then(|it| it.0.first_seen), None);
    }
}
