//! Inspects accounts for the report on the organization. Nothing is changed.
//!
//! Each account takes one read for the service-linked role of AWS Backup, one for the settings of
//! each Region, and three for each vault and role to check.

use std::collections::{BTreeMap, BTreeSet};

use aws::{failure, is_disabled};
use plan::member_accounts::{Failure, Vault};
use report::{Destination, InspectionScope, Place, Seen};

use crate::Member;

/// Inspects an account whose role was assumed.
pub async fn look(member: &Member<'_>, look: &InspectionScope) -> Seen {
    let service_role = member.has_service_role().await.map_err(|it| failure(None, &it));
    let mut seen = Seen { service_role: Some(service_role), ..Seen::default() };
    for name in &look.roles {
        let role = member.backup_role(name).await.map_err(|it| failure(None, &it));
        seen.roles.insert(name.clone(), role);
    }
    for (region, vaults) in &look.regions {
        let settings = match member.settings(region).await {
            Err(error) if is_disabled(&error) => {
                let closed = Place::Closed(failure(Some(region), &error));
                seen.regions.insert(region.clone(), closed);
                continue;
            }
            settings => settings.map_err(|it| failure(Some(region), &it)),
        };
        let mut found = BTreeMap::new();
        for name in vaults {
            let vault = member.vault(region, name).await;
            found.insert(name.clone(), vault.map_err(|it| failure(Some(region), &it)));
        }
        seen.regions.insert(region.clone(), Place::Open { settings, vaults: found });
    }
    seen
}

/// Inspects vaults that receive copies, in an account whose role was assumed.
pub async fn look_at_destinations(
    member: &Member<'_>,
    destinations: &BTreeSet<Destination>,
) -> BTreeMap<Destination, Result<Vault, Failure>> {
    let mut seen = BTreeMap::new();
    for it in destinations {
        let vault = member.vault(&it.region, &it.name).await.map(|it| it.0);
        seen.insert(it.clone(), vault.map_err(|error| failure(Some(&it.region), &error)));
    }
    seen
}
