use expect_test::{Expect, expect};

use super::*;
use crate::account_state::AccountState;

const BACKUP: &str = "backup.amazonaws.com";

fn administrator(text: &str) -> Administrator {
    let (account, principal) = text.split_once('@').unwrap();
    Administrator { principal: principal.parse().unwrap(), account: account.parse().unwrap() }
}

/// Reads `stack-sets 222222222222@backup.amazonaws.com backup.amazonaws.com …`.
fn read(text: &str) -> BTreeSet<Switch> {
    let switch = |it: &str| match it {
        "stack-sets" => Switch::StackSets,
        it if it.contains('@') => Switch::Administrator(administrator(it)),
        it => Switch::Access(it.parse().unwrap()),
    };
    text.split_whitespace().map(switch).collect()
}

fn desired(text: &str) -> Desired {
    let mut desired = Desired::default();
    for it in read(text) {
        match it {
            Switch::Access(it) => _ = desired.principals.insert(it),
            Switch::StackSets => desired.stack_sets = true,
            Switch::Administrator(it) => _ = desired.administrators.insert(it),
        }
    }
    desired
}

#[test]
fn whoever_looks_after_administrators_registers_declared_ones_only() {
    let one = &format!("222222222222@{BACKUP}");
    let declares = |text: &str| {
        let declared = Some(desired(text).administrators);
        let wanted = Desired { declared, ..desired(&format!("{BACKUP} {one}")) };
        plan(&wanted, &observed(BACKUP, ""))
    };
    let refused = declares("444444444444@backup.amazonaws.com").unwrap_err().to_string();
    assert!(refused.contains("declares no such administrator"), "{refused}");
    assert_eq!(declares(one).unwrap().len(), 1);
    // One that is registered is no matter.
    let there = format!("{BACKUP} {one}");
    let wanted = Desired { declared: Some([].into()), ..desired(&there) };
    assert_eq!(plan(&wanted, &observed(&there, "")), Ok(vec![]));
}

fn reverting(text: &str) -> Desired {
    Desired { revert: true, ..desired(text) }
}

fn observed(text: &str, turned_on: &str) -> Observed {
    let Desired { principals, stack_sets, administrators, .. } = desired(text);
    let accounts = [
        ("222222222222", AccountState::Active),
        ("333333333333", AccountState::Active),
        ("444444444444", AccountState::Other("SUSPENDED".to_owned())),
    ];
    Observed {
        management_account: "111111111111".parse().unwrap(),
        principals,
        stack_sets,
        administrators,
        accounts: accounts.into_iter().map(|(id, it)| (id.parse().unwrap(), it)).collect(),
        turned_on: read(turned_on),
        recorded: read(turned_on),
    }
}

fn check(desired: &Desired, observed: &Observed, expect: Expect) {
    expect.assert_eq(&match plan(desired, observed) {
        Ok(steps) => steps.iter().map(|it| format!("{it}\n")).collect(),
        Err(refusal) => format!("refused: {}\n", errors::advised(&refusal, refusal.hint())),
    });
}

/// What the organization has after `step`, which must be possible.
fn after(mut observed: Observed, step: &Step) -> Observed {
    match step.clone() {
        Step::Record(it) => {
            observed.turned_on.extend(it.clone());
            observed.recorded.extend(it);
        }
        Step::Enable(it) => assert!(observed.principals.insert(it)),
        Step::ActivateStackSets => {
            assert!(!observed.stack_sets);
            observed.stack_sets = true;
        }
        Step::Register { administrator: it, .. } => {
            assert!(observed.principals.contains(&it.principal), "access comes first");
            assert!(observed.administrators.insert(it));
        }
        Step::Deregister(it) => assert!(observed.administrators.remove(&it)),
        Step::Disable(it) => {
            assert!(!observed.administrators.iter().any(|other| other.principal == it));
            assert!(observed.principals.remove(&it));
        }
        Step::DeactivateStackSets => {
            assert!(observed.stack_sets);
            observed.stack_sets = false;
        }
        Step::Forget(it) => {
            observed.turned_on.retain(|switch| !it.contains(switch));
            observed.recorded.retain(|switch| !it.contains(switch));
        }
    }
    observed
}

#[test]
fn access_comes_before_administrators() {
    check(
        &desired("stack-sets 222222222222@backup.amazonaws.com backup.amazonaws.com"),
        &observed("", ""),
        expect![[r"
        enable trusted access for backup.amazonaws.com
        activate organizations access for StackSets
        register 222222222222 as delegated administrator for backup.amazonaws.com
    "]],
    );
}

#[test]
fn what_is_on_needs_nothing() {
    let all = "stack-sets 222222222222@backup.amazonaws.com backup.amazonaws.com";
    check(&desired(all), &observed(all, ""), expect![""]);
    check(&reverting(all), &observed(all, ""), expect![""]);
    check(&desired(""), &observed(all, all), expect![""]);
}

#[test]
fn what_a_request_turned_on_without_a_record_is_left_to_the_resource() {
    let all = "stack-sets 222222222222@backup.amazonaws.com backup.amazonaws.com";
    let mine = read(all);
    let looked_at = Desired::to_look_at(&mine);
    assert!(looked_at.stack_sets && looked_at.revert && looked_at.administrators.len() == 1);
    let handed_over = |on: &str, recorded: &str| hand_over(&mine, &observed(on, recorded));
    let unrecorded = "stack-sets backup.amazonaws.com";
    let recorded = "222222222222@backup.amazonaws.com";
    assert_eq!(handed_over(all, recorded), [Step::Record(read(unrecorded))]);
    assert_eq!(handed_over(all, all), []);
    assert_eq!(handed_over("", ""), [], "nothing of it is on");
}

#[test]
fn what_was_begun_without_a_record_is_turned_off_and_not_untagged() {
    let nothing = Desired { revert: true, ..Desired::default() };
    let begun = |on: &str| Observed {
        turned_on: read("stack-sets backup.amazonaws.com"),
        ..observed(on, "backup.amazonaws.com")
    };
    check(
        &nothing,
        &begun(""),
        expect![[r"
        untag the root of what is turned off (1)
    "]],
    );
    check(
        &nothing,
        &begun("stack-sets backup.amazonaws.com"),
        expect![[r"
        deactivate organizations access for StackSets
        disable trusted access for backup.amazonaws.com
        untag the root of what is turned off (1)
    "]],
    );
    let nowhere = Observed { recorded: [].into(), ..begun("") };
    check(&nothing, &nowhere, expect![""]);
}

#[test]
fn stack_sets_are_activated_and_not_enabled() {
    check(
        &desired("stacksets.cloudformation.amazonaws.com"),
        &observed("", ""),
        expect![[r"
        refused: trusted access for stacksets.cloudformation.amazonaws.com is not for this list; hint: set `StackSets: true` instead
    "]],
    );
}

#[test]
fn a_different_administrator_is_left_registered() {
    check(
        &desired("222222222222@backup.amazonaws.com"),
        &observed("333333333333@backup.amazonaws.com backup.amazonaws.com", ""),
        expect![[r"
        register 222222222222 as delegated administrator for backup.amazonaws.com beside 333333333333
    "]],
    );
}

#[test]
fn an_administrator_that_cannot_be_one_is_refused_first() {
    let organization = observed("", "");
    for (wanted, expect) in [
        (
            "222222222222@backup.amazonaws.com",
            expect![[r"
            refused: cannot register 222222222222 as delegated administrator for backup.amazonaws.com, since the service has no trusted access; hint: add it to `ServicePrincipals`
        "]],
        ),
        (
            "222222222222@member.org.stacksets.cloudformation.amazonaws.com",
            expect![[r"
            refused: cannot register 222222222222 as delegated administrator for member.org.stacksets.cloudformation.amazonaws.com, since the service has no trusted access; hint: add it to `StackSets`
        "]],
        ),
        (
            "backup.amazonaws.com 111111111111@backup.amazonaws.com",
            expect![[r"
            refused: cannot register 111111111111 as delegated administrator for backup.amazonaws.com, since it is the management account; hint: name a member account
        "]],
        ),
        (
            "backup.amazonaws.com 444444444444@backup.amazonaws.com",
            expect![[r"
            refused: cannot register 444444444444 as delegated administrator for backup.amazonaws.com, since the account is SUSPENDED
        "]],
        ),
        (
            "backup.amazonaws.com 555555555555@backup.amazonaws.com",
            expect![[r"
            refused: cannot register 555555555555 as delegated administrator for backup.amazonaws.com, since the account is not in the organization
        "]],
        ),
    ] {
        check(&desired(wanted), &organization, expect);
    }
}

#[test]
fn an_administrator_of_stack_sets_needs_their_access_and_that_of_others_its_own() {
    let one = "222222222222@member.org.stacksets.cloudformation.amazonaws.com";
    for (wanted, has) in [(format!("stack-sets {one}"), ""), (one.to_owned(), "stack-sets")] {
        assert!(plan(&desired(&wanted), &observed(has, "")).is_ok(), "{wanted} at {has}");
    }
    let other = "stack-sets 222222222222@backup.amazonaws.com";
    let refused = plan(&desired(other), &observed("stack-sets", ""));
    assert!(matches!(refused, Err(Refusal::NoAccess(_, "ServicePrincipals"))), "{refused:?}");
}

#[test]
fn a_refusal_to_restore_an_administrator_says_what_to_look_at() {
    let hint = Refusal::Undeclared(administrator("222222222222@backup.amazonaws.com")).hint();
    let expected = "correct its parameters, or find out who wrote that into the state bucket";
    assert_eq!(hint.as_deref(), Some(expected));
}

#[test]
fn properties_say_what_is_turned_on_and_whether_it_is_turned_off_again() {
    let read = |more: serde_json::Value| {
        let mut properties = serde_json::json!({ "ServicePrincipals": [BACKUP] });
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Desired::from(&serde_json::from_value::<Properties>(properties).unwrap())
    };
    assert_eq!(read(serde_json::json!({})), desired(BACKUP));
    let administrators = serde_json::json!([
        { "AccountId": ["222222222222", "333333333333"], "ServicePrincipal": BACKUP },
    ]);
    let all = serde_json::json!({
        "StackSets": "true", "DelegatedAdministrators": administrators, "OnDelete": "Revert",
    });
    let text = format!("stack-sets 222222222222@{BACKUP} 333333333333@{BACKUP} {BACKUP}");
    assert_eq!(read(all), reverting(&text));
    assert_eq!(read(serde_json::json!({ "StackSets": "false" })), desired(BACKUP));
}

#[test]
fn what_is_to_be_reverted_is_recorded_before_it_is_turned_on() {
    check(
        &reverting("stack-sets backup.amazonaws.com"),
        &observed(BACKUP, ""),
        expect![[r"
        tag the root with what is turned on (1)
        activate organizations access for StackSets
    "]],
    );
}

#[test]
fn only_what_this_resource_turned_on_is_turned_off() {
    let all = "stack-sets 222222222222@backup.amazonaws.com backup.amazonaws.com ram.amazonaws.com";
    check(
        &reverting(""),
        &observed(all, "222222222222@backup.amazonaws.com backup.amazonaws.com"),
        expect![[r"
        deregister 222222222222 as delegated administrator for backup.amazonaws.com
        disable trusted access for backup.amazonaws.com
        untag the root of what is turned off (2)
    "]],
    );
}

#[test]
fn what_somebody_else_turned_off_is_only_forgotten() {
    check(
        &reverting(""),
        &observed("", BACKUP),
        expect![[r"
        untag the root of what is turned off (1)
    "]],
    );
}

#[test]
fn a_tag_names_its_switch() {
    for switch in read("stack-sets 222222222222@backup.amazonaws.com backup.amazonaws.com") {
        assert_eq!(Switch::of_tag(switch.tag().as_str()), Some(switch));
    }
    for tag in ["team", "org-backup:owner", "org-backup:turned-on/x", "org-backup:turned-on/a.b/1"]
    {
        assert_eq!(Switch::of_tag(tag), None);
    }
}

/// Cut the plan short after every step, plan again, and run the rest: the end is the same.
#[test]
fn every_interrupted_run_can_be_resumed() {
    let wanted = ["", BACKUP, "stack-sets backup.amazonaws.com 222222222222@backup.amazonaws.com"];
    let had = ["", BACKUP, "stack-sets", "backup.amazonaws.com 222222222222@backup.amazonaws.com"];
    for (wanted, had, revert) in wanted
        .iter()
        .flat_map(|it| had.iter().map(move |had| (*it, *had)))
        .flat_map(|(wanted, had)| [(wanted, had, true), (wanted, had, false)])
    {
        for turned_on in ["", had] {
            let desired = Desired { revert, ..desired(wanted) };
            let start = observed(had, turned_on);
            let steps = plan(&desired, &start).unwrap();
            let whole = steps.iter().fold(start.clone(), after);
            for done in 0..=steps.len() {
                let halfway = steps[..done].iter().fold(start.clone(), after);
                let rest = plan(&desired, &halfway).unwrap();
                let end = rest.iter().fold(halfway, after);
                assert_eq!(end, whole, "{desired:?} from {start:?} after {done}");
                assert_eq!(plan(&desired, &end), Ok(vec![]), "{desired:?} from {start:?}");
            }
        }
    }
}
