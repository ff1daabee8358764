//! The report for programs.

use report::{Cell, Counts, Effective, Found, Known, Lock, Report, Row, Setting, VaultSeen, utc};
use serde_json::{Value, json};

/// Returns the whole report, with an entry for every account, which has an entry for every Region.
pub(super) fn json(report: &Report) -> Value {
    let states = report.tally().into_iter().map(|(state, count)| (state.key().to_owned(), count));
    let notes = report.notes.iter().map(|it| json!({ "text": it.text, "hint": it.hint }));
    let accounts = report.rows.iter().map(|it| account(report, it));
    json!({
        "organization": report.organization.id,
        "managementAccount": report.organization.management,
        "taken": utc(report.taken),
        "lastSweep": report.last_sweep.map(utc),
        "backups": report.evidence.as_ref().map(|it| json!({
            "lookedAt": utc(it.summary.taken),
            "program": it.summary.program,
        })),
        "well": report.is_well(),
        "states": states.collect::<std::collections::BTreeMap<_, _>>(),
        "notes": notes.collect::<Value>(),
        "regions": report.regions,
        "effectivePolicies": report.effective.iter().map(effective).collect::<Value>(),
        "accounts": accounts.collect::<Value>(),
    })
}

fn account(report: &Report, row: &Row) -> Value {
    let cells = report.shown(row);
    json!({
        "account": row.account.id,
        "name": row.account.name,
        "path": report.path(row),
        "accountState": row.life,
        "effectivePolicy": row.effective,
        "regions": cells
            .map(|(region, it)| cell(region.as_str(), it, report.backups(row, region)))
            .collect::<Value>(),
    })
}

fn cell(region: &str, cell: &Cell, backups: Option<&Counts>) -> Value {
    let vaults = cell.vaults.iter().map(|(name, found)| vault(name.as_str(), found));
    let roles = cell.roles.iter().map(|(name, it)| {
        let here = if let Found::Here(it) = it { Some(*it) } else { None };
        let (trusts, may) = (here.and_then(|it| it.trusts), here.and_then(|it| it.may));
        json!({ "name": name, "found": found(it), "trustsBackup": trusts, "mayBackUp": may })
    });
    let missing = cell.missing.iter();
    let missing = missing
        .map(|it| json!({ "problem": it.problem, "hint": it.hint, "certain": it.is_certain }));
    let known = match cell.known {
        Known::Now => json!("now"),
        Known::Run(at) => json!(utc(at)),
        Known::No => Value::Null,
    };
    let opt_ins = cell.opt_ins.as_ref().map(|it| json!({ "on": it.on, "off": it.off }));
    json!({
        "region": region,
        "state": cell.state.key(),
        "plans": cell.plans,
        "vaults": vaults.collect::<Value>(),
        "roles": roles.collect::<Value>(),
        "optIns": opt_ins,
        "lookedAt": known,
        "missing": missing.collect::<Value>(),
        "backups": backups.map(counts),
    })
}

fn counts(it: &Counts) -> Value {
    json!({
        "resources": it.resources(),
        "states": it.states,
        "copies": {
            "fine": it.copies_fine,
            "late": it.copies_late,
            "notKnown": it.copies_unknown,
        },
        "restoreTest": it.last_test.as_ref().map(|it| json!({
            "at": utc(it.at),
            "result": it.result,
        })),
        "nextRun": it.next.map(utc),
    })
}

fn vault(name: &str, it: &Found<VaultSeen>) -> Value {
    let here = if let Found::Here(it) = it { Some(it) } else { None };
    let lock = here.and_then(|it| it.lock.as_ref()).map(|it| {
        let Lock { is_compliance, min_days, max_days } = it;
        let mode = if *is_compliance { "compliance" } else { "governance" };
        json!({ "mode": mode, "minDays": min_days, "maxDays": max_days })
    });
    json!({
        "name": name,
        "found": found(it),
        "customerKey": here.map(|it| it.has_own_key),
        "keyWorks": here.and_then(|it| it.key_works),
        "letsRolesIn": here.and_then(|it| it.lets_in),
        "lock": lock,
    })
}

/// Returns `true` or `false`, or `null` if it could not be read.
fn found<T>(it: &Found<T>) -> Option<bool> {
    match it {
        Found::Here(_) => Some(true),
        Found::Absent => Some(false),
        Found::Unknown => None,
    }
}

fn effective(it: &Effective) -> Value {
    let settings = it.settings.iter().map(|Setting { path, value, origins }| {
        let origins = origins
            .iter()
            .map(|it| json!({ "operator": it.operator, "policy": it.policy, "target": it.target }));
        json!({ "path": path, "value": value, "origins": origins.collect::<Value>() })
    });
    json!({
        "attachedAt": it.chain,
        "document": it.document,
        "errors": it.errors,
        "settings": settings.collect::<Value>(),
    })
}
