//! The changes in the accounts that can be entered.

use std::collections::{BTreeMap, BTreeSet};

use aws::Management;
use errors::{advised, chain};
use member_accounts::preview;
use plan::id::AccountId;
use plan::member_accounts::{Line, NAME_A_ROLE, Properties, SERVICE_ROLE};
use plan::serialized;
use report::{Hearsay, hearsay};
use resources::Error;
use state::State;

use super::PlanContext;
use super::report::accounts_of;
use super::resource_plan::{ResourcePlan, UNCHANGED};
use super::wanted::WantedResource;

/// Looks into every account, and reports the accounts that were left out and what is known of them.
pub(super) async fn look(
    wanted: &WantedResource,
    management: &Management,
    mut properties: Properties,
    context: PlanContext<'_>,
) -> Result<ResourcePlan, Error> {
    let occasion = occasion(wanted, &properties);
    if let Some(role) = context.member_role {
        properties = properties.entered_by(role);
    }
    let preview = preview(management, &properties, context.deadline).await?;
    let mut look = ResourcePlan::at(&changes(&preview.lines));
    look.notes = problems(&preview.lines);
    if let Some(first) = preview.barred.iter().map(|it| &it.id).min() {
        let hint = match context.member_role {
            Some(_) => "let it trust you, and let yourself assume it",
            None => NAME_A_ROLE,
        };
        let barred = format!(
            "you could not assume the role `{}` in {}, such as {first}",
            properties.role_name,
            accounts_of(preview.barred.len()),
        );
        look.notes.push(advised(barred, Some(hint)));
    }
    if !preview.unreached.is_empty() {
        let left = count(preview.unreached.len());
        look.notes.push(format!("{left} not looked at, since there was no time"));
    }
    let unseen = preview.barred.iter().chain(&preview.unreached).map(|it| it.id.clone());
    let unseen: BTreeSet<_> = unseen.collect();
    if !unseen.is_empty() {
        look.notes.extend(heard(&unseen, &preview.lines, context).await);
    }
    if !unseen.is_empty() || !look.steps.is_empty() {
        look.notes.extend(occasion);
    }
    look.refused = preview.tally.judge(preview.on_not_ready, None).err().map(|it| it.to_string());
    look.barred = unseen.len();
    Ok(look)
}

/// Returns the note on whether a deployment makes the function work in the accounts at all. Returns
/// `None` if no such note is needed.
fn occasion(wanted: &WantedResource, properties: &Properties) -> Option<String> {
    let kept = wanted.kept.as_ref().filter(|_| wanted.is_deployed)?;
    let differing = kept.differing(&serialized::value(properties))?;
    Some(if differing.is_empty() {
        UNCHANGED.to_owned()
    } else {
        let names = differing.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>();
        format!("{} changes, so the function works in every account again", names.join(", "))
    })
}

/// Returns the findings of the last runs about the accounts that are `unseen` now. The other
/// accounts have `lines`.
async fn heard(
    unseen: &BTreeSet<AccountId>,
    lines: &[Line],
    context: PlanContext<'_>,
) -> Vec<String> {
    let Some(state) = State::of(context.session, context.deadline) else {
        return vec![
            "without --state-bucket, the findings of the last run there are unknown".into(),
        ];
    };
    let (looks, errors) = state::remembered::looks(&state, unseen).await;
    if let Some(error) = errors.first() {
        return vec![chain(error)];
    }
    if looks.is_empty() {
        return vec!["no run has worked in an account yet".to_owned()];
    }
    let all = lines.iter().map(|it| it.account.clone()).chain(unseen.iter().cloned()).collect();
    let Hearsay { new, not_ready, gone } = hearsay(unseen, &all, &looks);
    let such = |accounts: &BTreeSet<AccountId>, what: &str| {
        let first = accounts.first()?;
        Some(format!("{} {what}, such as {first}", count(accounts.len())))
    };
    let not_ready = (!not_ready.is_empty()).then(|| {
        let found = format!("{} not ready by the last run", count(not_ready.len()));
        advised(found, Some("`org-backup report` says why"))
    });
    let gone = such(&gone, "no longer a target and left as it is");
    let new = such(&new, "new since the last run");
    let found: Vec<_> = [new, gone, not_ready].into_iter().flatten().collect();
    if found.is_empty() {
        return vec!["the last run found all of these ready".to_owned()];
    }
    found
}

/// Returns the changes in accounts. Accounts with the same change share a line.
fn changes(lines: &[Line]) -> Vec<String> {
    let mut accounts = BTreeMap::<String, BTreeSet<_>>::new();
    for line in lines {
        if line.service_role_made {
            let step = format!("make the role `{SERVICE_ROLE}` in");
            accounts.entry(step).or_default().insert(&line.account);
        }
        for it in &line.changes {
            let regions = it.regions().iter().map(ToString::to_string).collect::<Vec<_>>();
            let step = format!("{} in {} of", it.change(), regions.join(", "));
            accounts.entry(step).or_default().insert(&line.account);
        }
    }
    let steps = accounts.into_iter().map(|(step, accounts)| {
        let first = accounts.first().filter(|_| accounts.len() == 1);
        match first {
            Some(account) => format!("{step} account {account}"),
            None => format!("{step} {} accounts", accounts.len()),
        }
    });
    steps.collect()
}

/// Returns the problems that keep accounts from being ready. Accounts with the same problem share a
/// line.
fn problems(lines: &[Line]) -> Vec<String> {
    let mut accounts = BTreeMap::<_, BTreeSet<_>>::new();
    for line in lines {
        if let Some(problem) = &line.problem {
            accounts.entry(problem).or_default().insert(&line.account);
        }
    }
    let told = accounts.into_iter();
    told.map(|(problem, it)| format!("{} not ready: {problem}", count(it.len()))).collect()
}

fn count(accounts: usize) -> String {
    if accounts == 1 { "1 account is".to_owned() } else { format!("{accounts} accounts are") }
}
