use std::time::{Duration, UNIX_EPOCH};

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;

const ROOT: &str = "r-ab12";
const PROD: &str = "ou-ab12-prodprod";
const TEAM: &str = "ou-ab12-teamteam";
const ACCOUNT: &str = "222222222222";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(500_000)
}

/// A plan with some of its parts: `rules`, `regions` and `selections`.
fn plan(name: &str, parts: &str) -> Value {
    let rules = json!({"nightly": {
        "schedule_expression": {"@@assign": "cron(0 3 ? * * *)"},
        "target_backup_vault_name": {"@@assign": "vault"},
    }});
    let selections = json!({"tags": {"tagged": {
        "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/backup"},
        "tag_key": {"@@assign": "backup"},
        "tag_value": {"@@assign": ["nightly"]},
    }}});
    let regions = json!({"@@assign": ["eu-west-1"]});
    let all = [("rules", rules), ("regions", regions), ("selections", selections)];
    let chosen = all.into_iter().filter(|(it, _)| parts.contains(it));
    json!({"plans": {name: chosen.map(|(it, value)| (it.to_owned(), value)).collect::<serde_json::Map<_, _>>()}})
}

const WHOLE: &str = "rules regions selections";

/// root > prod > team > account, with these policies attached, in this order.
fn organization(attached: &[(&str, &str, Value)]) -> Organization {
    let id = |it: &str| it.parse::<TargetId>().unwrap();
    let mut organization = Organization {
        parents: [(PROD, ROOT), (TEAM, PROD), (ACCOUNT, TEAM)].map(|(a, b)| (id(a), id(b))).into(),
        ..Organization::default()
    };
    for (policy, target, content) in attached {
        let policy: PolicyId = policy.parse().unwrap();
        organization.attached.entry(id(target)).or_default().push(policy.clone());
        organization.documents.insert(policy, content.to_string());
    }
    organization
}

/// Shows the suspects when the policy `ours` becomes `content` on `targets`.
fn check(organization: &Organization, content: Value, targets: &[&str], expect: Expect) {
    let document = Document::new(content).unwrap();
    let targets = targets.iter().map(|it| it.parse().unwrap()).collect();
    let id: PolicyId = "p-ours12345".parse().unwrap();
    let change = Edit {
        id: organization.documents.contains_key(&id).then_some(&id),
        name: &"ours".parse().unwrap(),
        document: &document,
        targets: &targets,
    };
    let suspects = suspects(organization, &change, now());
    let line = |it: &Suspect| {
        let errors = it.errors.iter().map(|it| format!(" {}", it.path)).collect::<String>();
        format!("{}{errors}\n", it.target)
    };
    expect.assert_eq(&suspects.iter().map(line).collect::<String>());
}

#[test]
fn a_whole_plan_is_no_suspect() {
    check(&organization(&[]), plan("daily", WHOLE), &[ROOT, ACCOUNT], expect![""]);
}

#[test]
fn a_fragment_that_nothing_completes_is_one() {
    check(
        &organization(&[]),
        plan("daily", "rules regions"),
        &[PROD],
        expect![[r"
            ou-ab12-prodprod plans/daily
        "]],
    );
}

#[test]
fn a_fragment_that_is_completed_below_is_one_only_above() {
    check(
        &organization(&[("p-below12345", TEAM, plan("daily", "selections"))]),
        plan("daily", "rules regions"),
        &[PROD],
        expect![[r"
            ou-ab12-prodprod plans/daily
        "]],
    );
}

#[test]
fn a_fragment_that_completes_what_is_above_is_no_suspect() {
    check(
        &organization(&[("p-above12345", ROOT, plan("daily", "rules regions"))]),
        plan("daily", "selections"),
        &[PROD],
        expect![""],
    );
}

#[test]
fn breaking_a_plan_of_another_team_is_found_everywhere_below() {
    let others = organization(&[
        ("p-theirs1234", PROD, plan("theirs", WHOLE)),
        ("p-theirs5678", ACCOUNT, plan("more", WHOLE)),
    ]);
    check(
        &others,
        plan("daily", "rules"),
        &[ROOT],
        expect![[r"
            r-ab12 plans/daily plans/daily
            ou-ab12-prodprod plans/daily plans/daily
            222222222222 plans/daily plans/daily
        "]],
    );
}

#[test]
fn what_is_wrong_already_is_not_blamed_on_the_change() {
    let others = organization(&[("p-theirs1234", ROOT, plan("theirs", "rules"))]);
    check(&others, plan("daily", WHOLE), &[ROOT, PROD], expect![""]);
}

#[test]
fn the_same_mistake_in_another_plan_is_blamed_on_the_change() {
    let others = organization(&[("p-theirs1234", ROOT, plan("theirs", "rules"))]);
    check(
        &others,
        plan("daily", "rules"),
        &[ROOT],
        expect![[r"
            r-ab12 plans/daily plans/daily
        "]],
    );
}

#[test]
fn targets_are_related_if_one_is_above_the_other() {
    let mut organization = organization(&[]);
    let id = |it: &str| it.parse::<TargetId>().unwrap();
    organization.parents.insert(id("ou-ab12-otherone"), id(ROOT));
    let related = |one, other| organization.related(&id(one), &id(other));
    assert!(related(PROD, ACCOUNT) && related(ACCOUNT, PROD) && related(TEAM, TEAM));
    assert!(!related("ou-ab12-otherone", ACCOUNT) && !related(PROD, "ou-ab12-otherone"));
    assert_eq!([ROOT, PROD, TEAM, ACCOUNT].map(|it| organization.depth(&id(it))), [0, 1, 2, 3]);
}

#[test]
fn moving_a_fragment_away_from_what_it_completes_is_found() {
    let organization = organization(&[
        ("p-theirs1234", PROD, plan("daily", "rules regions")),
        ("p-ours12345", PROD, plan("daily", "selections")),
    ]);
    check(&organization, plan("daily", "selections"), &[PROD], expect![""]);
    check(
        &organization,
        plan("daily", "selections"),
        &[TEAM],
        expect![[r"
            ou-ab12-prodprod plans/daily
        "]],
    );
}

#[test]
fn a_policy_that_cannot_be_read_says_nothing() {
    let others = organization(&[("p-theirs1234", ROOT, json!("newer than this program"))]);
    check(&others, plan("daily", WHOLE), &[ROOT], expect![""]);
}

#[test]
fn parents_in_a_circle_come_to_an_end() {
    let mut organization = organization(&[]);
    organization.parents.insert(ROOT.parse().unwrap(), PROD.parse().unwrap());
    check(&organization, plan("daily", WHOLE), &[ACCOUNT], expect![""]);
}

#[test]
fn a_refusal_names_the_account_the_plan_and_who_contributes() {
    let document = Document::new(plan("daily", "rules regions")).unwrap();
    let organization = organization(&[("p-theirs1234", ROOT, plan("theirs", WHOLE))]);
    let targets = [PROD.parse().unwrap()].into();
    let name = "ours".parse().unwrap();
    let change = Edit { id: None, name: &name, document: &document, targets: &targets };
    let suspects = suspects(&organization, &change, now());
    let suspect = suspects.into_iter().next().unwrap();
    let withheld = Withheld { account: ACCOUNT.parse().unwrap(), suspect };
    expect![[r"
        AWS would withhold the whole merged policy from account 222222222222 (which gets what is attached to ou-ab12-prodprod): plans/daily: 'selections' is missing (KEY_REQUIRED, from ours on ou-ab12-prodprod); hint: complete that plan, or rename yours, or set `Preflight: Warn`
    "]]
    .assert_eq(&format!("{withheld}; hint: {}\n", Withheld::HINT));
    let told = |count: usize, account: &str| {
        let target = PROD.parse().unwrap();
        let errors = withheld.suspect.errors.iter().cycle().take(count).cloned().collect();
        let account = account.parse().unwrap();
        Withheld { account, suspect: Suspect { target, errors } }.to_string()
    };
    let three = told(3, ACCOUNT);
    assert_eq!(three.matches("; plans/daily: ").count(), 2, "{three}");
    assert!(three.ends_with(')'), "{three}");
    assert_eq!(told(4, ACCOUNT), format!("{three}; and one more error"));
    assert_eq!(told(5, ACCOUNT), format!("{three}; and 2 more errors"));
    let own = Suspect { target: ACCOUNT.parse().unwrap(), errors: vec![] };
    let own = Withheld { suspect: own, ..withheld.clone() }.to_string();
    assert_eq!(own, "AWS would withhold the whole merged policy from account 222222222222");
}

#[test]
fn a_document_is_checked_by_itself_with_every_mistake() {
    let document = Document::new(json!({"plans": {"a b": {}}, "plan": {}})).unwrap();
    let refused = super::check(&document, now()).unwrap_err().to_string();
    expect!["the policy has 2 mistakes: plan: AWS does not know the key `plan` here; did you mean `plans`?; plans/a b: `a b` cannot be a name: 1 to 50 letters, digits, `-`, `_` and `.`"].assert_eq(&refused);
    let document = Document::new(json!({"plans": {}, "plan": {}})).unwrap();
    let refused = super::check(&document, now()).unwrap_err().to_string();
    assert!(refused.starts_with("the policy has one mistake: "), "{refused}");
    assert!(super::check(&Document::new(plan("daily", WHOLE)).unwrap(), now()).is_ok());
}
