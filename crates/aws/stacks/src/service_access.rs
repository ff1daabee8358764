//! Trusted access, organizations access of StackSets, and delegated administrators.

use std::collections::{BTreeMap, BTreeSet};

use aws::operation::{
    ACTIVATE_STACK_SETS, DEACTIVATE_STACK_SETS, DEREGISTER, DESCRIBE_ACCOUNT, DESCRIBE_STACK_SETS,
    DISABLE_ACCESS, ENABLE_ACCESS, LIST_ACCESS, REGISTER,
};
use aws::{Advice, Error, Kind, Management, Useless, already, log_plan};
use aws_sdk_cloudformation::types::OrganizationStatus;
use organization::{Record, organizations};
use plan::account_state::AccountState;
use plan::id::{AccountId, ServicePrincipal};
use plan::owner::Owner;
use plan::service_access::{Administrator, Desired, Observed, Step, Switch};
use tracing::info;

/// Reads the observed state to compare with `desired`, and the place of its record, if it keeps
/// one. `more` are switches that the resource is known to have turned on without the record.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn observe(
    management: &Management,
    desired: &Desired,
    owner: &Owner,
    more: BTreeSet<Switch>,
) -> Result<(Option<Record>, Observed), Error> {
    let organization = organizations::organization(management).await?;
    let principals = match enabled(management).await {
        Err(denied) if denied.kind() == Kind::Denied => {
            return Err(organizations::explain(management, denied).await);
        }
        principals => principals?,
    };
    let mut place = None;
    let mut recorded = BTreeSet::new();
    if desired.revert {
        let (record, tags) = organizations::record(management, owner).await?;
        let ours = tags.into_iter().filter(|(_, value)| value == owner.tag_value().as_str());
        recorded.extend(ours.filter_map(|(key, _)| Switch::of_tag(&key)));
        place = Some(record);
    }
    let turned_on: BTreeSet<_> = recorded.iter().cloned().chain(more).collect();
    let administered = turned_on.iter().filter_map(|it| match it {
        Switch::Administrator(it) => Some(&it.principal),
        Switch::Access(_) | Switch::StackSets => None,
    });
    let services = desired.administrators.iter().map(|it| &it.principal).chain(administered);
    let mut administrators = BTreeSet::new();
    for principal in services.cloned().collect::<BTreeSet<_>>() {
        administrators.extend(registered(management, principal).await?);
    }
    let mut accounts = BTreeMap::new();
    for it in desired.administrators.difference(&administrators) {
        if let Some(state) = account(management, &it.account).await? {
            accounts.insert(it.account.clone(), state);
        }
    }
    let stack_sets = (desired.stack_sets || turned_on.contains(&Switch::StackSets))
        && stack_sets(management).await?;
    let management_account = organization.management_account;
    let observed = Observed {
        management_account,
        principals,
        stack_sets,
        administrators,
        accounts,
        turned_on,
        recorded,
    };
    Ok((place, observed))
}

/// Lists the services that have trusted access.
///
/// # Errors
///
/// Returns an error if a read fails.
pub async fn enabled(management: &Management) -> Result<BTreeSet<ServicePrincipal>, Error> {
    let client = organizations::client(management);
    let list = management.calls.pages(LIST_ACCESS, "list trusted services", async |token| {
        let list = client.list_aws_service_access_for_organization();
        let page = list.set_next_token(token).send().await?;
        Ok((page.enabled_service_principals, page.next_token))
    });
    let names = list.await?.into_iter().filter_map(|it| it.service_principal);
    // A name that is not valid cannot be among the desired ones.
    Ok(names.filter_map(|it| it.parse().ok()).collect())
}

/// Lists the delegated administrators of a service.
async fn registered(
    management: &Management,
    principal: ServicePrincipal,
) -> Result<Vec<Administrator>, Error> {
    let action = format!("list the delegated administrators for {principal}");
    let all = organizations::administrators(management, principal.as_str(), &action).await?;
    let administrator = |(account, _)| Administrator { principal: principal.clone(), account };
    Ok(all.into_iter().map(administrator).collect())
}

/// Reads the state of an account; returns `None` if it is not in the organization.
async fn account(
    management: &Management,
    account: &AccountId,
) -> Result<Option<AccountState>, Error> {
    let describe =
        organizations::client(management).describe_account().account_id(account.as_str());
    let action = format!("describe account {account}");
    let described = management.calls.call(DESCRIBE_ACCOUNT, &action, describe.send()).await;
    let account = match described {
        Err(error) if error.code() == Some("AccountNotFoundException") => return Ok(None),
        described => described?.account.ok_or_else(|| Error::incomplete(&action, "the account"))?,
    };
    match organizations::state(account.state.as_ref(), account.status.as_ref()) {
        AccountState::NotTold => Err(Error::incomplete(&action, "the account's state")),
        state @ (AccountState::Active | AccountState::Other(_)) => Ok(Some(state)),
    }
}

/// Returns `true` if StackSets has organizations access.
///
/// # Errors
///
/// Returns an error if CloudFormation does not say.
pub async fn stack_sets(management: &Management) -> Result<bool, Error> {
    let describe = crate::client(management).describe_organizations_access().send();
    let action = "read whether StackSets has organizations access";
    let described = management.calls.call(DESCRIBE_STACK_SETS, action, describe).await?;
    has_access(action, described.status.as_ref())
}

/// Returns `true` if the status means that StackSets has organizations access. An error describes the
/// read as `action`.
fn has_access(action: &str, status: Option<&OrganizationStatus>) -> Result<bool, Error> {
    const NEWER: Useless = Useless {
        why: "this release does not know the status",
        advice: Advice::Same("use a newer release"),
    };
    match status {
        Some(OrganizationStatus::Enabled) => Ok(true),
        // AWS does not document whether it names a status that nobody ever changed.
        Some(OrganizationStatus::Disabled | OrganizationStatus::DisabledPermanently) | None => {
            Ok(false)
        }
        // This release of the SDK does not know it, and asking again does not help.
        Some(status) => Err(Error::unusable(action.to_owned(), NEWER)
            .explained(&format!("AWS answers `{}`", status.as_str()))),
    }
}

/// Carries out `steps` in order.
///
/// # Errors
///
/// Returns an error at the first step that fails. The steps before it stay done, and planning again
/// resumes.
pub async fn apply(
    management: &Management,
    record: Option<&Record>,
    steps: &[Step],
) -> Result<(), Error> {
    log_plan(steps);
    for step in steps {
        run(management, record, step).await?;
        info!(%step, "done");
    }
    Ok(())
}

async fn run(management: &Management, record: Option<&Record>, step: &Step) -> Result<(), Error> {
    let client = organizations::client(management);
    let calls = &management.calls;
    let no_record = || Error::incomplete(&step.to_string(), "the root");
    match step {
        Step::Record(switches) => {
            let record = record.ok_or_else(no_record)?;
            let keys: Vec<_> = switches.iter().map(Switch::tag).collect();
            let tags = keys.iter().map(|it| (it, record.owner.tag_value()));
            organizations::tag(management, record.root_id.as_str(), tags, &step.to_string()).await
        }
        Step::Enable(it) => {
            let enable = client.enable_aws_service_access().service_principal(it.as_str()).send();
            calls.call(ENABLE_ACCESS, step, enable).await.map(drop)
        }
        Step::ActivateStackSets => {
            let activate = crate::client(management).activate_organizations_access().send();
            calls.call(ACTIVATE_STACK_SETS, step, activate).await.map(drop)
        }
        Step::Register { administrator: it, .. } => {
            let register = client
                .register_delegated_administrator()
                .account_id(it.account.as_str())
                .service_principal(it.principal.as_str());
            // The code means the same account for the same service, because the call names both.
            let registered = calls.call(REGISTER, step, register.send()).await;
            already(registered, "AccountAlreadyRegisteredException")
        }
        Step::Deregister(it) => {
            let deregister = client
                .deregister_delegated_administrator()
                .account_id(it.account.as_str())
                .service_principal(it.principal.as_str());
            let deregistered = calls.call(DEREGISTER, step, deregister.send()).await;
            already(deregistered, "AccountNotRegisteredException")
        }
        Step::Disable(it) => {
            let disable = client.disable_aws_service_access().service_principal(it.as_str()).send();
            calls.call(DISABLE_ACCESS, step, disable).await.map(drop)
        }
        Step::DeactivateStackSets => {
            let deactivate = crate::client(management).deactivate_organizations_access().send();
            calls.call(DEACTIVATE_STACK_SETS, step, deactivate).await.map(drop)
        }
        Step::Forget(switches) => {
            let record = record.ok_or_else(no_record)?;
            let keys: Vec<_> = switches.iter().map(Switch::tag).collect();
            organizations::untag(management, record.root_id.as_str(), &keys, &step.to_string())
                .await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_is_new_is_an_error_that_waits_for_nobody() {
        let access = |status: &str| has_access("read it", Some(&status.into()));
        assert!(access("ENABLED").unwrap());
        assert!(!access("DISABLED").unwrap() && !access("DISABLED_PERMANENTLY").unwrap());
        assert!(!has_access("read it", None).unwrap());
        let error = access("PAUSED").unwrap_err();
        let problem =
            "cannot read it (AWS answers `PAUSED`): this release does not know the status";
        assert_eq!(error.problem(), problem);
        assert_eq!(error.hint().as_deref(), Some("use a newer release"));
        assert_eq!(error.kind(), Kind::Rejected);
    }
}
