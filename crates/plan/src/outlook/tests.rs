use std::time::{Duration, UNIX_EPOCH};

use expect_test::{Expect, expect};
use policy::document::Document;
use serde_json::{Value, json};

use super::*;
use crate::id::{PolicyId, PolicyName};

const ROOT: &str = "r-cd34";
const LAB: &str = "ou-cd34-lablabla";
const SHOP: &str = "ou-cd34-shopshop";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(500_000)
}

/// A whole plan that runs at this hour.
fn plan(name: &str, hour: u8) -> Value {
    json!({ "plans": { name: {
        "regions": { "@@assign": ["eu-north-1"] },
        "rules": { "nightly": {
            "schedule_expression": { "@@assign": format!("cron(0 {hour} ? * * *)") },
            "target_backup_vault_name": { "@@assign": "main" },
        } },
        "selections": { "tags": { "tagged": {
            "iam_role_arn": { "@@assign": "arn:aws:iam::$account:role/backup" },
            "tag_key": { "@@assign": "keep" },
            "tag_value": { "@@assign": ["yes"] },
        } } },
    } } })
}

/// Two accounts in the lab, one in the shop, and one in the root itself.
fn places() -> Vec<Place> {
    let place = |path: &[&str], account: &str| Place {
        account: account.parse().unwrap(),
        path: path.iter().chain([&account]).map(|it| it.parse().unwrap()).collect(),
    };
    vec![
        place(&[ROOT], "100000000001"),
        place(&[ROOT, LAB], "200000000001"),
        place(&[ROOT, LAB], "200000000002"),
        place(&[ROOT, SHOP], "300000000001"),
    ]
}

fn organization(attached: &[(&str, &str, Value)]) -> Organization {
    let id = |it: &str| it.parse::<TargetId>().unwrap();
    let accounts = places().into_iter().filter_map(|it| {
        let parent = it.path.iter().rev().nth(1)?.clone();
        Some((id(it.account.as_str()), parent))
    });
    let mut organization = Organization {
        parents: accounts.chain([LAB, SHOP].map(|it| (id(it), id(ROOT)))).collect(),
        ..Organization::default()
    };
    for (policy, target, content) in attached {
        let policy: PolicyId = policy.parse().unwrap();
        organization.attached.entry(id(target)).or_default().push(policy.clone());
        organization.documents.insert(policy, content.to_string());
    }
    organization
}

/// A policy and what is to become of it.
type Wanted<'a> = (&'a str, Value, &'a [&'a str]);

/// Shows what accounts get when these policies, which have the IDs of their names, become so.
fn check(organization: &Organization, wanted: &[Wanted<'_>], expect: Expect) {
    let wanted: Vec<_> = wanted
        .iter()
        .map(|(name, content, targets)| {
            let id: PolicyId = format!("p-{name}").parse().unwrap();
            let targets: BTreeSet<TargetId> =
                targets.iter().map(|it| it.parse().unwrap()).collect();
            let name: PolicyName = name.parse().unwrap();
            let id = organization.documents.contains_key(&id).then_some(id);
            (id, name, Document::new(content.clone()).unwrap(), targets)
        })
        .collect();
    let places = places();
    let mut outlook = Outlook::new(organization, &places);
    let mut lines = Vec::new();
    for (id, name, document, targets) in &wanted {
        if let Err(withheld) =
            outlook.take(&Edit { id: id.as_ref(), name, document, targets }, now())
        {
            lines.push(format!("withheld from {}\n", withheld.account));
        }
    }
    for it in outlook.effects(now()) {
        let accounts = it.accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        lines.push(format!("{accounts}: {}\n", sentence(&it.differences)));
        lines.extend(it.errors.iter().map(|it| format!("  {}\n", it.path)));
    }
    expect.assert_eq(&lines.concat());
}

#[test]
fn a_new_policy_reaches_every_account_below_it() {
    check(
        &organization(&[]),
        &[("weekly00", plan("weekly", 4), &[LAB])],
        expect![[r"
            200000000001 200000000002: plan `weekly` added
        "]],
    );
}

#[test]
fn nothing_changes_for_accounts_when_everything_is_as_wanted() {
    check(
        &organization(&[("p-weekly00", ROOT, plan("weekly", 4))]),
        &[("weekly00", plan("weekly", 4), &[ROOT])],
        expect![""],
    );
}

#[test]
fn a_changed_schedule_is_told_as_one() {
    check(
        &organization(&[("p-weekly00", ROOT, plan("weekly", 4))]),
        &[("weekly00", plan("weekly", 6), &[ROOT])],
        expect![[r"
            100000000001 200000000001 200000000002 300000000001: plan `weekly`: rule `nightly`: schedule_expression cron(0 4 ? * * *) → cron(0 6 ? * * *)
        "]],
    );
}

#[test]
fn a_moved_policy_is_gone_here_and_added_there() {
    check(
        &organization(&[("p-weekly00", LAB, plan("weekly", 4))]),
        &[("weekly00", plan("weekly", 4), &[SHOP])],
        expect![[r"
            200000000001 200000000002: plan `weekly` gone
            300000000001: plan `weekly` added
        "]],
    );
}

#[test]
fn what_a_level_below_overrides_does_not_change_there() {
    check(
        &organization(&[
            ("p-weekly00", ROOT, plan("weekly", 4)),
            ("p-ofshop00", SHOP, plan("weekly", 9)),
        ]),
        &[("weekly00", plan("weekly", 6), &[ROOT])],
        expect![[r"
            100000000001 200000000001 200000000002: plan `weekly`: rule `nightly`: schedule_expression cron(0 4 ? * * *) → cron(0 6 ? * * *)
        "]],
    );
}

#[test]
fn accounts_in_different_places_that_get_the_same_are_told_of_together() {
    check(
        &organization(&[]),
        &[("weekly00", plan("weekly", 4), &[LAB, SHOP])],
        expect![[r"
            200000000001 200000000002 300000000001: plan `weekly` added
        "]],
    );
}

#[test]
fn several_policies_are_told_of_together() {
    check(
        &organization(&[("p-former00", ROOT, plan("former", 4))]),
        &[("former00", plan("former", 4), &[LAB]), ("latter00", plan("latter", 5), &[ROOT])],
        expect![[r"
            200000000001 200000000002: plan `latter` added
            100000000001 300000000001: plan `former` gone; plan `latter` added
        "]],
    );
}

#[test]
fn a_deleted_policy_is_gone_where_it_was_attached() {
    let organization = organization(&[
        ("p-weekly00", LAB, plan("weekly", 4)),
        ("p-others00", ROOT, plan("others", 4)),
    ]);
    let places = places();
    let mut outlook = Outlook::new(&organization, &places);
    outlook.delete(&"p-weekly00".parse().unwrap());
    let effects = outlook.effects(now());
    assert_eq!(effects.len(), 1);
    assert_eq!(effects[0].accounts.len(), 2);
    assert_eq!(sentence(&effects[0].differences), "plan `weekly` gone");
}

#[test]
fn what_aws_would_withhold_is_told_with_its_place() {
    let mut half = plan("weekly", 4);
    half["plans"]["weekly"]["regions"] = json!({ "@@assign": [] });
    check(
        &organization(&[("p-weekly00", LAB, plan("weekly", 4))]),
        &[("weekly00", half, &[LAB])],
        expect![[r"
            withheld from 200000000001
            200000000001 200000000002: plan `weekly`: regions [eu-north-1] → []
              plans/weekly/regions
        "]],
    );
}

#[test]
fn an_account_may_be_a_target_itself() {
    check(
        &organization(&[("p-weekly00", ROOT, plan("weekly", 4))]),
        &[("ownown00", plan("own", 5), &["300000000001"])],
        expect![[r"
            300000000001: plan `own` added
        "]],
    );
}

/// Shows how two effective policies differ.
fn differ(before: Value, after: Value, expect: Expect) {
    expect.assert_eq(&sentence(&differences(&before, &after)));
}

#[test]
fn parts_of_a_plan_are_told_by_their_names() {
    differ(
        json!({ "plans": { "p": {
            "regions": ["eu-north-1"],
            "rules": { "a": { "x": "1", "y": "2" }, "b": {} },
            "selections": { "tags": { "s": { "tag_key": "k" } }, "resources": { "s": {} } },
        } } }),
        json!({ "plans": { "p": {
            "regions": ["eu-north-1", "eu-west-1"],
            "rules": { "a": { "x": "3", "z": "4" }, "c": {} },
            "selections": { "tags": { "s": { "tag_key": "l" }, "t": {} } },
        } } }),
        expect![
            "plan `p`: regions [eu-north-1] → [eu-north-1, eu-west-1]; rule `a`: x 1 → 3, y 2 → not set, z not set → 4; rule `b` gone; rule `c` added; selection `s` gone; selection `s`: tag_key k → l; selection `t` added"
        ],
    );
}

#[test]
fn settings_deep_inside_are_told_by_their_path() {
    differ(
        json!({ "plans": { "p": { "rules": { "a": { "lifecycle": { "days": "35" } } } } } }),
        json!({ "plans": { "p": { "rules": { "a": { "lifecycle": { "days": "90" } } } }, "q": {} } }),
        expect!["plan `p`: rule `a`: lifecycle/days 35 → 90; plan `q` added"],
    );
}

#[test]
fn the_same_document_does_not_differ() {
    let document = json!({ "plans": { "p": { "regions": ["eu-north-1"] } } });
    assert_eq!(differences(&document, &document), []);
    assert_eq!(differences(&json!({}), &json!({ "plans": {} })), []);
}
