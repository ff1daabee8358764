//! What would be done in the accounts that can be entered.

use std::collections::{BTreeMap, BTreeSet};

use aws::Management;
use cfn::Failure;
use member_accounts::{Properties, preview};
use plan::member_accounts::Line;
use tokio::time::Instant;

use super::look::Look;

/// Looks into every account, and says which were left out.
pub(super) async fn look(
    management: &Management,
    properties: &Properties,
    deadline: Instant,
) -> Result<Look, Failure> {
    let preview = preview(management, properties, deadline).await?;
    let mut look = Look::at(&changes(&preview.lines));
    look.notes = problems(&preview.lines);
    if let Some(first) = preview.barred.first() {
        look.notes.push(format!(
            "{} left out, such as {}, since the role `{}` could not be assumed; hint: let it trust \
             you, and let yourself assume it",
            count(preview.barred.len()),
            first.id,
            properties.role_name,
        ));
    }
    if !preview.unreached.is_empty() {
        let left = count(preview.unreached.len());
        look.notes.push(format!("{left} left out, since there was no time"));
    }
    look.refused = preview.tally.judge(preview.on_not_ready, None).err().map(|it| it.to_string());
    look.barred = preview.barred.len() + preview.unreached.len();
    Ok(look)
}

/// What would be changed in accounts, the same change told once.
fn changes(lines: &[Line]) -> Vec<String> {
    let mut accounts = BTreeMap::<String, BTreeSet<_>>::new();
    for line in lines {
        for it in &line.changes {
            let regions = it.regions().iter().map(ToString::to_string).collect::<Vec<_>>();
            let step = format!("{} in {}", it.change(), regions.join(", "));
            accounts.entry(step).or_default().insert(&line.account);
        }
    }
    let steps = accounts.into_iter().map(|(step, accounts)| {
        let first = accounts.first().filter(|_| accounts.len() == 1);
        match first {
            Some(account) => format!("{step} of account {account}"),
            None => format!("{step} of {} accounts", accounts.len()),
        }
    });
    steps.collect()
}

/// What keeps accounts from being ready, the same problem told once.
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
