//! The data for the script of the page: lists in place of objects where there are many.

use std::collections::BTreeMap;
use std::time::SystemTime;

use plan::plans::Plan;
use serde_json::{Value, json};

use super::evidence::evidence;
use crate::coverage::BackupPlan;
use crate::{
    Cell, Effective, FIRST_STEPS, NO_REGION, PROGRAM, Report, Row, Setting, Source, State, utc,
};

pub(super) fn data(report: &Report) -> Value {
    let organization = &report.organization;
    let units = organization.units.iter().map(|it| json!([it.id, it.name, it.parent]));
    let names = organization.policies.iter().map(|(id, it)| (id.as_str(), it.name.as_str()));
    let notes = report.notes.iter().map(|it| json!([it.text, it.hint]));
    let state = |it: &State| {
        let (words, many) = (it.to_string(), it.words_of_many());
        json!([it.key(), words, it.sign(), it.rank(), it.is_fine(), many])
    };
    let nothing = report.regions.is_empty().then(|| json!([NO_REGION, FIRST_STEPS]));
    let source = match report.source {
        Source::Command => "org-backup report",
        Source::Sweep => "the daily sweep",
    };
    json!({
        "organization": organization.id,
        "management": organization.management,
        "taken": utc(report.taken),
        "source": source,
        "program": PROGRAM,
        "evidence": report.evidence.as_ref().map(|it| evidence(it, report.taken)),
        "lastSweep": report.last_sweep.map(utc),
        "regions": report.regions,
        "nothing": nothing,
        "states": State::ALL.iter().map(state).collect::<Value>(),
        "notes": notes.collect::<Value>(),
        "units": units.collect::<Value>(),
        "attached": organization.attached,
        "policies": names.collect::<BTreeMap<_, _>>(),
        "effective": report.effective.iter().map(|it| effective(it, report.taken)).collect::<Value>(),
        "cells": report.cells.iter().map(cell).collect::<Value>(),
        "rows": report.rows.iter().map(row).collect::<Value>(),
    })
}

fn row(it: &Row) -> Value {
    json!([it.account.id, it.account.name, it.life, it.unit, it.effective, it.cells])
}

fn cell(it: &Cell) -> Value {
    let missing = it.missing.iter().map(|it| json!([it.problem, it.hint]));
    json!({
        "state": it.state as usize,
        "plans": it.plans,
        "vaults": it.vault_words(),
        "roles": it.role_words(),
        "optIns": it.opt_in_words(),
        "known": it.known.words(),
        "deleters": it.deleters(),
        "missing": missing.collect::<Value>(),
    })
}

fn effective(it: &Effective, now: SystemTime) -> Value {
    let settings = it.settings.iter().map(|Setting { path, value, origins }| {
        let origins = origins.iter().map(|it| json!([it.operator, it.policy, it.target]));
        json!([path, value, origins.collect::<Value>()])
    });
    // Both are made of the same plans of the document, in the same order.
    let backups = BackupPlan::all(it);
    let plans = it.plans.iter().zip(&backups).map(|(it, backups)| plan(it, backups, now));
    json!({
        "chain": it.chain,
        "document": it.document,
        "errors": it.errors,
        "plans": plans.collect::<Value>(),
        "settings": settings.collect::<Value>(),
    })
}

fn plan(it: &Plan, backups: &BackupPlan, now: SystemTime) -> Value {
    let rules = it.rules.iter().zip(&backups.rules).map(|(it, backups)| {
        let copies = backups
            .copies
            .iter()
            .map(|copy| json!([copy.vault, copy.keep.or(it.delete_after_days)]));
        let next = backups.schedule.as_ref().and_then(|it| it.next(now)).map(utc);
        json!([
            it.name,
            it.schedule,
            it.vault,
            it.delete_after_days,
            copies.collect::<Value>(),
            next
        ])
    });
    let selections = backups.selections.iter().map(|it| json!([it.name, it.words()]));
    json!({
        "name": it.name,
        "regions": it.regions,
        "roles": it.roles,
        "rules": rules.collect::<Value>(),
        "selections": selections.collect::<Value>(),
    })
}
