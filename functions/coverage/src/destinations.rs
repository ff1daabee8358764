//! The vaults that receive copies from other accounts.

use std::collections::{BTreeMap, BTreeSet};

use errors::advised;
use members::Member;
use plan::id::{AccountId, Region};
use plan::member_accounts::narrowed;
use report::coverage::{
    About, ByResource, DestinationReads, HeldVault, LOOKS_AT_BACKUPS, RecoveryPoint,
};
use report::{Destination, Outline};

use crate::entrance::Entrance;

const CORRECT_THE_ACCOUNT: &str = "correct the account in `copy_actions`, or invite it";

/// The scope of a look, and the hint if a part of it is not possible.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The one resource whose recovery points are read; `None` to read all.
    pub resource: Option<&'a str>,
    /// The hint for an account that cannot be entered.
    pub hint: &'a str,
}

/// The vaults that receive copies from other accounts, and the copies in them.
#[derive(Debug, Default)]
pub struct Destinations {
    /// The vaults, by ARN. An error is the reason why their account could not be entered.
    pub(crate) vaults: BTreeMap<String, Result<DestinationReads, String>>,
    /// The recovery points in these vaults.
    pub(crate) copies: ByResource<RecoveryPoint>,
    /// The parts that could not be read.
    pub(crate) unread: Vec<String>,
}

impl Destinations {
    /// Reads the vaults. Copies of resources in accounts outside `chosen` are dropped.
    pub async fn read(
        entrance: &Entrance<'_>,
        outline: &Outline,
        terms: Terms<'_>,
        chosen: &BTreeSet<AccountId>,
    ) -> Self {
        let mut copies = ByResource::default();
        // The ARN of a bucket contains no account.
        let is_chosen = |account: &str| {
            account.is_empty() || account.parse().is_ok_and(|it| chosen.contains(&it))
        };
        let keep = |it: About<RecoveryPoint>| {
            if is_chosen(it.account()) {
                copies.add(it);
            }
        };
        let read = Self::each_copy(entrance, outline, terms, keep).await;
        Self { copies, ..read }
    }

    /// Reads the vaults, and hands `each` the recovery points in them one by one: one account
    /// after the other. In most organizations there is only one.
    pub(crate) async fn each_copy(
        entrance: &Entrance<'_>,
        outline: &Outline,
        terms: Terms<'_>,
        mut each: impl FnMut(About<RecoveryPoint>),
    ) -> Self {
        let organization = entrance.organization;
        let partition = &organization.partition;
        let mut read = Self::default();
        for (account, destinations) in outline.destinations(organization) {
            let regions: BTreeSet<Region> =
                destinations.iter().map(|it| it.region.clone()).collect();
            let session_policy = narrowed(&LOOKS_AT_BACKUPS, &regions, [], partition, &account);
            let own = entrance.central_role(&account);
            let is_ours = organization.accounts.iter().any(|it| it.listed.account.id == account);
            let hint = if is_ours { terms.hint } else { CORRECT_THE_ACCOUNT };
            let member = if is_ours {
                entrance.enter(&account, own, session_policy).await.map_err(|it| it.problem)
            } else {
                Err(format!("the account {account} is not in the organization"))
            };
            let member = match member {
                Ok(member) => member,
                Err(why) => {
                    let closed = format!("the vaults of {account} that copies go to: {why}");
                    read.unread.push(advised(closed, Some(hint)));
                    let barred =
                        destinations.iter().map(|it| (it.arn(partition), Err(why.clone())));
                    read.vaults.extend(barred);
                    continue;
                }
            };
            for region in regions {
                let here = destinations.iter().filter(|it| it.region == region);
                let named = here.clone().map(|it| it.name.clone()).collect();
                let held = member.held_vaults(&region, &named).await.map_err(|it| it.problem());
                for it in here {
                    let arn = it.arn(partition);
                    let reads = match &held {
                        Err(why) => Err(why.clone()),
                        Ok(held) => {
                            let held = held.iter().find(|it| it.arn == arn);
                            Ok(destination(&member, it, held, terms.resource, &mut each).await)
                        }
                    };
                    let why = match &reads {
                        Ok(it) => it.unread.as_ref().or(it.policy.as_ref().err()),
                        Err(why) => Some(why),
                    };
                    read.unread.extend(why.map(|it| format!("the vault {arn}: {it}")));
                    read.vaults.insert(arn, reads);
                }
            }
        }
        read
    }
}

/// Reads one vault that receives copies, and hands `each` those in it: all, or those of `resource`.
async fn destination(
    member: &Member<'_>,
    destination: &Destination,
    held: Option<&HeldVault>,
    resource: Option<&str>,
    each: &mut impl FnMut(About<RecoveryPoint>),
) -> DestinationReads {
    let Destination { region, name, .. } = destination;
    let Some(held) = held else {
        return DestinationReads { vault: None, policy: Ok(None), unread: None };
    };
    let policy = member.access_policy(region, name.as_str()).await.map_err(|it| it.problem());
    let read = member.each_point(region, name.as_str(), resource, each);
    let unread = read.await.err().map(|it| it.problem());
    DestinationReads { vault: Some(held.vault.clone()), policy, unread }
}
