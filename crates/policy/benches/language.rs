//! The time that it takes to compute the effective policies of an organization's accounts.
//!
//! The budget: 10,000 accounts in 500 OUs with 50 policies of 8 kB, from the texts to the errors
//! that AWS would report, on one thread, under 250 ms and 64 MB; one policy of 10,000 characters
//! checked under 1 ms; and no more than linear in accounts and in bytes.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use divan::{AllocProfiler, Bencher, black_box};
use policy::{Inherited, Policy, check, parse};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const OUS: usize = 500;
const POLICIES: usize = 50;

fn main() {
    divan::main();
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_081_577)
}

/// A policy of about `characters` characters: one plan, five rules, and as many values as fit.
fn policy(number: usize, characters: usize) -> String {
    let rule = |it| {
        let arn = format!("arn:aws:backup:eu-west-1:210987654321:backup-vault:far-{it}");
        format!(
            r#""rule-{it}":{{"schedule_expression":{{"@@assign":"cron(0 {it} ? * * *)"}},
            "target_backup_vault_name":{{"@@assign":"keep"}},
            "start_backup_window_minutes":{{"@@assign":"60"}},
            "lifecycle":{{"delete_after_days":{{"@@assign":"35"}}}},
            "copy_actions":{{"{arn}":{{"target_backup_vault_arn":{{"@@assign":"{arn}"}},
            "lifecycle":{{"delete_after_days":{{"@@assign":"35"}}}}}}}}}}"#
        )
    };
    let rules = (1..=5).map(rule).collect::<Vec<_>>().join(",");
    let selection = |it| {
        format!(
            r#""chosen-{it}":{{"iam_role_arn":{{"@@assign":"arn:aws:iam::$account:role/backup"}},
            "tag_key":{{"@@assign":"backup"}},"tag_value":{{"@@append":["gold","silver-{it}"]}}}}"#
        )
    };
    let mut selections = selection(0);
    for it in 1.. {
        if rules.len() + selections.len() + 400 > characters {
            break;
        }
        selections = format!("{selections},{}", selection(it));
    }
    format!(
        r#"{{"plans":{{"Plan-{number}":{{"regions":{{"@@append":["eu-central-1","eu-west-1"]}},
        "rules":{{{rules}}},"selections":{{"tags":{{{selections}}}}}}}}}}}"#
    )
}

/// Two policies at every OU, three at the root, and one more at every tenth account.
fn effective_policies(texts: &[String], accounts: usize) -> (usize, usize) {
    let policies: Vec<Policy> = texts.iter().map(|it| parse(it).unwrap()).collect();
    let names: Vec<String> = (0..POLICIES).map(|it| format!("p-{it}")).collect();
    let attached = |numbers: &[usize]| -> Vec<(&str, &Policy)> {
        let policy = |it: &usize| {
            let it = it % POLICIES;
            Some((names.get(it)?.as_str(), policies.get(it)?))
        };
        numbers.iter().filter_map(policy).collect()
    };
    let mut ous: Vec<Inherited> = vec![Inherited::root().descend("r-root", &attached(&[0, 1, 2]))];
    for ou in 1..=OUS {
        // Five children each make a tree of the depth that AWS allows.
        let parent = ous.get((ou - 1) / 5).unwrap();
        let state = parent.descend(&format!("ou-{ou}"), &attached(&[ou * 7, ou * 11]));
        ous.push(state);
    }
    let mut chains: HashMap<(usize, usize), usize> = HashMap::new();
    let mut errors = 0;
    for account in 0..accounts {
        // Scattered, so that no two numbers go together.
        let scattered = account.wrapping_mul(0x9e37_79b9) >> 7;
        let ou = scattered % OUS + 1;
        let own = if account % 10 == 0 { scattered / OUS % POLICIES } else { POLICIES };
        let found = *chains.entry((ou, own)).or_insert_with(|| {
            let above = ous.get(ou).unwrap();
            let state = match own {
                POLICIES => above.clone(),
                own => above.descend("account", &attached(&[own])),
            };
            state.effective().validate(now()).len()
        });
        errors += found;
    }
    (chains.len(), errors)
}

#[divan::bench(args = [1_000, 10_000, 50_000])]
fn accounts(bencher: Bencher<'_, '_>, accounts: usize) {
    let texts: Vec<String> = (0..POLICIES).map(|it| policy(it, 8_000)).collect();
    bencher.bench(|| black_box(effective_policies(black_box(&texts), accounts)));
}

#[divan::bench(args = [2_500, 5_000, 10_000, 100_000, 1_000_000])]
fn check_a_policy(bencher: Bencher<'_, '_>, characters: usize) {
    let text = policy(1, characters);
    bencher
        .counter(divan::counter::BytesCount::of_str(&text))
        .bench(|| black_box(check(black_box(&text), now())).len());
}

#[divan::bench(args = [10_000, 100_000, 1_000_000])]
fn parse_a_policy(bencher: Bencher<'_, '_>, characters: usize) {
    let text = policy(1, characters);
    bencher
        .counter(divan::counter::BytesCount::of_str(&text))
        .bench(|| black_box(parse(black_box(&text))).is_ok());
}
