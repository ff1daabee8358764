use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const PROD: &str = "ou-ab12-prodprod";
const DEV: &str = "ou-ab12-devdevde";

fn owner() -> Owner {
    Owner::new("arn:aws:cloudformation:eu-west-1:111122223333:stack/backups/6f1e", "Daily")
}

fn other() -> Owner {
    Owner::new("arn:aws:cloudformation:eu-west-1:111122223333:stack/other/9a9a", "Daily")
}

fn target(name: &str) -> TargetId {
    let id = match name {
        "root" => "r-ab12",
        "prod" => PROD,
        "dev" => DEV,
        id => id,
    };
    id.parse().unwrap()
}

fn targets(names: &str) -> BTreeSet<TargetId> {
    names.split_whitespace().map(target).collect()
}

fn document(name: &str) -> Document {
    Document::new(json!({ "plans": { name: {} } })).unwrap()
}

/// Reads `daily hourly @ root prod` as the name, the content and the targets.
fn desired(text: &str) -> Desired {
    let (policy, attached) = text.split_once('@').unwrap();
    let (name, content) = policy.trim().split_once(' ').unwrap();
    Desired {
        name: name.parse().unwrap(),
        description: String::new(),
        document: document(content),
        targets: targets(attached),
        tags: Tags::new(),
        retired_tags: Tags::new(),
        claim: Claim::Own,
    }
}

/// A policy as [`desired`] would make it, with `owner`'s tag or none.
fn existing(text: &str, owner: Option<&Owner>) -> Existing {
    let Desired { name, description, document, targets, .. } = desired(text);
    Existing {
        id: "p-daily12345".parse().unwrap(),
        arn: String::new(),
        name: name.to_string(),
        description,
        document: Some(document),
        targets,
        tags: owner.map(|it| (OWNER_TAG.to_owned(), it.to_string())).into_iter().collect(),
    }
}

fn observed(policy: Option<Existing>) -> Observed {
    let room = ["root", "prod", "dev"].map(|it| (target(it), Room::Attached(3)));
    let policy_type = Status::Enabled;
    Observed { policy_type, policy, namesake: None, room: room.into() }
}

fn show(planned: Result<Vec<Step>, Refusal>) -> String {
    match planned {
        Ok(steps) => steps.iter().map(|it| format!("{it}\n")).collect(),
        Err(refusal) => format!("refused: {}\n", errors::advised(&refusal, refusal.hint())),
    }
}

/// Plans `wanted` over an organization that has `policy`, known to the resource by its ID.
fn check(wanted: Option<&Desired>, policy: Option<Existing>, expect: Expect) {
    let id = policy.as_ref().map(|it| it.id.clone());
    expect.assert_eq(&show(plan(wanted, &observed(policy), &owner(), id.as_ref())));
}

/// What the organization has after `step`, which must be possible.
fn after(mut observed: Observed, step: &Step) -> Observed {
    let text = |tags: &Tags| tags.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    if let Step::Create { name, description, document, tags } = step.clone() {
        assert!(observed.policy.is_none(), "created twice");
        observed.policy = Some(Existing {
            id: "p-created123".parse().unwrap(),
            arn: String::new(),
            name: name.to_string(),
            description,
            document: Some(document),
            targets: BTreeSet::new(),
            tags: text(&tags),
        });
        return observed;
    }
    let mut policy = observed.policy.take().expect("only an existing policy is changed");
    match step.clone() {
        Step::Create { .. } => unreachable!(),
        Step::Update { name, description, document } => {
            policy.name = name.map_or(policy.name, |it| it.to_string());
            policy.description = description.unwrap_or(policy.description);
            policy.document = document.or(policy.document);
        }
        Step::Tag(tags) => policy.tags.extend::<BTreeMap<_, _>>(text(&tags)),
        Step::Untag(keys) => policy.tags.retain(|it, _| !keys.iter().any(|k| k.as_str() == it)),
        Step::Attach(target) => {
            assert_eq!(observed.policy_type, Status::Enabled);
            assert!(policy.targets.insert(target), "attached twice");
        }
        Step::Detach(target) => assert!(policy.targets.remove(&target), "not attached"),
        Step::Delete => {
            assert!(policy.targets.is_empty(), "deleted while attached");
            return observed;
        }
    }
    Observed { policy: Some(policy), ..observed }
}

#[test]
fn a_policy_is_created_with_its_owner_and_then_attached() {
    check(
        Some(&desired("daily a @ root prod")),
        None,
        expect![[r"
        create policy `daily`
        attach to ou-ab12-prodprod
        attach to r-ab12
    "]],
    );
    let steps = plan(Some(&desired("daily a @ root")), &observed(None), &owner(), None).unwrap();
    assert!(matches!(&steps[0], Step::Create { tags, .. }
        if tags.get(&owner_tag()) == Some(owner().tag_value())));
}

#[test]
fn a_policy_that_is_as_wanted_needs_nothing() {
    check(
        Some(&desired("daily a @ root prod")),
        Some(existing("daily a @ prod root", Some(&owner()))),
        expect![""],
    );
}

#[test]
fn a_policy_is_changed_in_place() {
    check(
        Some(&desired("nightly b @ root")),
        Some(existing("daily a @ root", Some(&owner()))),
        expect![[r"
        update the policy's name, content
    "]],
    );
}

#[test]
fn a_name_or_a_description_is_changed_alone() {
    let had = || Some(existing("daily a @ root", Some(&owner())));
    let described = Desired { description: "Gold".to_owned(), ..desired("daily a @ root") };
    for (wanted, part) in [(desired("nightly a @ root"), "name"), (described, "description")] {
        let steps = plan(Some(&wanted), &observed(had()), &owner(), None);
        assert_eq!(show(steps), format!("update the policy's {part}\n"));
    }
}

#[test]
fn only_what_changes_backups_reaches_accounts() {
    let steps = |wanted: Option<&Desired>, had: &str| {
        let had = existing(had, Some(&owner()));
        let steps = plan(wanted, &observed(Some(had)), &owner(), None).unwrap();
        steps.iter().map(Step::reaches_accounts).collect::<Vec<_>>()
    };
    let wanted = desired("daily a @ root");
    let tags: Tags = [("team".parse().unwrap(), "x".parse().unwrap())].into();
    let tagged = Desired { tags: tags.clone(), ..wanted.clone() };
    assert_eq!(steps(Some(&tagged), "nightly a @ root"), [false, false], "a tag and a name");
    assert_eq!(steps(Some(&wanted), "daily b @ root"), [true], "the content");
    assert_eq!(steps(Some(&wanted), "daily a @ dev"), [true, true], "the targets");
    assert_eq!(steps(None, "daily a @ root"), [true, true], "its end");
    let untagged = Desired { retired_tags: tags, ..wanted.clone() };
    let mut had = existing("daily a @ root", Some(&owner()));
    had.tags.insert("team".to_owned(), "x".to_owned());
    let steps = plan(Some(&untagged), &observed(Some(had)), &owner(), None).unwrap();
    assert!(matches!(&steps[..], [step @ Step::Untag(_)] if !step.reaches_accounts()));
    let steps = plan(Some(&wanted), &observed(None), &owner(), None).unwrap();
    assert!(steps.iter().all(Step::reaches_accounts));
}

#[test]
fn moving_a_policy_attaches_before_it_detaches() {
    check(
        Some(&desired("daily a @ prod dev")),
        Some(existing("daily a @ root dev", Some(&owner()))),
        expect![[r"
        attach to ou-ab12-prodprod
        detach from r-ab12
    "]],
    );
}

#[test]
fn a_detached_policy_is_attached_again() {
    check(
        Some(&desired("daily a @ root prod")),
        Some(existing("daily a @ prod", Some(&owner()))),
        expect![[r"
        attach to r-ab12
    "]],
    );
}

#[test]
fn a_policy_is_detached_everywhere_before_it_is_deleted() {
    check(
        None,
        Some(existing("daily a @ prod root", Some(&owner()))),
        expect![[r"
        detach from ou-ab12-prodprod
        detach from r-ab12
        delete the policy
    "]],
    );
}

#[test]
fn deleting_what_was_never_created_needs_nothing() {
    check(None, None, expect![""]);
}

#[test]
fn a_policy_of_the_same_name_is_left_alone() {
    let show = |policy: Existing, wanted: Option<&Desired>| {
        show(plan(wanted, &observed(Some(policy)), &owner(), None))
    };
    let wanted = desired("daily a @ root");
    expect![[r"
        refused: a policy named `daily` already exists (p-daily12345) and was not made by this stack; hint: choose another name, or set `Adopt: true` on a new resource to take it over
    "]]
    .assert_eq(&show(existing("daily a @ root", None), Some(&wanted)));
    expect![[r"
        refused: a policy named `daily` already exists (p-daily12345) and belongs to other/9a9a/Daily; hint: choose another name, or set `Adopt: true` on a new resource to take it over
    "]]
    .assert_eq(&show(existing("daily a @ root", Some(&other())), Some(&wanted)));
    expect![""].assert_eq(&show(existing("daily a @ root", Some(&other())), None));
}

#[test]
fn a_policy_that_lost_its_ownership_tag_is_left_alone() {
    check(
        Some(&desired("daily b @ root")),
        Some(existing("daily a @ root", None)),
        expect![[r"
        refused: policy p-daily12345 no longer carries this resource's ownership tag (was not made by this stack); hint: set `Adopt: true` to take it over
    "]],
    );
    check(None, Some(existing("daily a @ root", None)), expect![""]);
}

#[test]
fn whoever_restores_a_policy_takes_none_without_our_tag() {
    let wanted = Desired { claim: Claim::Restore, ..desired("daily b @ prod") };
    let policy = existing("daily a @ prod", None);
    let id = policy.id.clone();
    let planned = plan(Some(&wanted), &observed(Some(policy)), &owner(), Some(&id));
    expect![[r"
        refused: policy p-daily12345 has no ownership tag; hint: if it is this resource's, give it the tag `org-backup:owner` with the value `backups/6f1e/Daily`, or deploy its stack with `Adopt: true`
    "]]
    .assert_eq(&show(planned));
}

#[test]
fn whoever_restores_a_policy_leaves_one_that_only_has_its_name_alone() {
    let wanted = Desired { claim: Claim::Restore, ..desired("daily b @ prod") };
    let known = "p-former12345".parse().unwrap();
    let observed = observed(Some(existing("daily a @ prod", None)));
    let planned = plan(Some(&wanted), &observed, &owner(), Some(&known));
    assert!(matches!(planned, Err(Refusal::NameTaken { .. })));
}

#[test]
fn whoever_restores_a_policy_leaves_one_that_belongs_to_another_resource_alone() {
    let wanted = Desired { claim: Claim::Restore, ..desired("daily b @ prod") };
    let policy = existing("daily a @ prod", Some(&other()));
    let id = policy.id.clone();
    let planned = plan(Some(&wanted), &observed(Some(policy)), &owner(), Some(&id));
    expect![[r"
        refused: policy p-daily12345 belongs to other/9a9a/Daily by now; hint: take this resource out of its stack, with `DeletionPolicy: Retain`, or delete its desired state under `desired/` in the state bucket if its stack is gone
    "]]
    .assert_eq(&show(planned));
}

#[test]
fn an_adopted_policy_is_claimed_before_it_is_changed() {
    check(
        Some(&Desired { claim: Claim::Adopt, ..desired("daily b @ prod") }),
        Some(existing("daily a @ root", None)),
        expect![[r"
        tag the policy with org-backup:adopted, org-backup:owner
        update the policy's content
        attach to ou-ab12-prodprod
        detach from r-ab12
    "]],
    );
}

#[test]
fn an_adopted_policy_outlives_the_resource() {
    let mut policy = existing("daily a @ root", Some(&owner()));
    policy.tags.insert(adopted_tag().to_string(), owner().to_string());
    check(
        None,
        Some(policy),
        expect![[r"
        untag the policy of org-backup:adopted, org-backup:owner
    "]],
    );
}

#[test]
fn adopting_ones_own_policy_needs_nothing() {
    check(
        Some(&Desired { claim: Claim::Adopt, ..desired("daily a @ root") }),
        Some(existing("daily a @ root", Some(&owner()))),
        expect![""],
    );
}

#[test]
fn a_name_that_another_policy_has_is_refused_before_anything_changes() {
    let observed = Observed {
        namesake: Some("p-nightly1234".parse().unwrap()),
        ..observed(Some(existing("daily a @ root", Some(&owner()))))
    };
    expect![[r"
        refused: a policy named `nightly` already exists (p-nightly1234) and is another policy; hint: choose another name, or set `Adopt: true` on a new resource to take it over
    "]]
    .assert_eq(&show(plan(Some(&desired("nightly b @ prod")), &observed, &owner(), None)));
}

#[test]
fn tags_of_others_stay_and_tags_of_the_template_follow_it() {
    let mut policy = existing("daily a @ root", Some(&owner()));
    for (key, value) in [("team", "platform"), ("cost", "1"), ("old", "x"), ("theirs", "y")] {
        policy.tags.insert(key.to_owned(), value.to_owned());
    }
    let tag = |(key, value): (&str, &str)| (key.parse().unwrap(), value.parse().unwrap());
    let wanted = Desired {
        tags: [("team", "platform"), ("cost", "2"), ("new", "")].map(tag).into(),
        retired_tags: [("team", "a"), ("old", "x"), ("gone", ""), ("theirs", "1")].map(tag).into(),
        ..desired("daily a @ root")
    };
    check(
        Some(&wanted),
        Some(policy),
        expect![[r"
        tag the policy with cost, new
        untag the policy of old
    "]],
    );
}

#[test]
fn a_tag_of_ours_stays_though_a_template_once_named_it() {
    let mut policy = existing("daily a @ root", Some(&owner()));
    policy.tags.insert(adopted_tag().to_string(), owner().to_string());
    let retired_tags = [(adopted_tag(), owner().tag_value().clone())].into();
    let wanted = Desired { retired_tags, ..desired("daily a @ root") };
    check(Some(&wanted), Some(policy), expect![""]);
}

#[test]
fn a_tag_of_the_template_cannot_pose_as_ours() {
    let tags = [(owner_tag(), "x".parse().unwrap())].into();
    check(
        Some(&Desired { tags, ..desired("daily a @ root") }),
        None,
        expect![[r"
        refused: `Tags` names `org-backup:owner`, and keys that begin with `org-backup:` are for org-backup itself
    "]],
    );
}

#[test]
fn what_cannot_be_attached_is_refused_before_the_policy_is_created() {
    let wanted = desired("daily a @ root prod");
    let mut organization = observed(None);
    organization.policy_type = Status::Disabled;
    let refused = |it: &Observed| show(plan(Some(&wanted), it, &owner(), None));
    expect![[r"
        refused: policy type BACKUP_POLICY is not enabled on the organization's root; hint: deploy `Custom::PolicyTypes` first
    "]]
    .assert_eq(&refused(&organization));
    organization.policy_type = Status::Unknown;
    expect![[r"
        refused: AWS has a status for policy type BACKUP_POLICY on the organization's root that this release does not know; hint: look at the root (`aws organizations list-roots`), or use a newer release
    "]]
    .assert_eq(&refused(&organization));
    organization.policy_type = Status::Enabled;
    organization.room.insert(target("prod"), Room::Missing);
    expect![[r"
        refused: `TargetIds` names ou-ab12-prodprod, which is not in this organization
    "]]
    .assert_eq(&refused(&organization));
    organization.room.insert(target("prod"), Room::Attached(10));
    expect![[r"
        refused: ou-ab12-prodprod has 10 backup policies attached already, the most AWS allows; hint: attach this one to its children, or merge some of the others
    "]]
    .assert_eq(&refused(&organization));
    organization.room.insert(target("prod"), Room::Attached(9));
    assert!(plan(Some(&wanted), &organization, &owner(), None).is_ok());
}

#[test]
fn a_full_target_is_no_matter_where_the_policy_is_attached_already() {
    let mut organization = observed(Some(existing("daily a @ prod", Some(&owner()))));
    organization.room.insert(target("prod"), Room::Attached(10));
    let steps = plan(Some(&desired("daily b @ prod")), &organization, &owner(), None);
    assert_eq!(steps.unwrap().len(), 1);
}

fn any_desired() -> impl Strategy<Value = Option<Desired>> {
    let one = (0..2_usize, 0..2_usize, 1..8_u8, 0..3_usize).prop_map(
        |(name, content, attached, claim)| {
            let claim = [Claim::Own, Claim::Adopt, Claim::Restore][claim];
            let text = format!("{} {} @ {}", ["n", "m"][name], ["a", "b"][content], bits(attached));
            Desired { claim, ..desired(&text) }
        },
    );
    prop::option::of(one)
}

fn any_existing() -> impl Strategy<Value = Option<Existing>> {
    let one = (0..2_usize, 0..2_usize, 0..8_u8, 0..4_usize).prop_map(
        |(name, content, attached, tags)| {
            let text = format!("{} {} @ {}", ["n", "m"][name], ["a", "b"][content], bits(attached));
            let (owner, other) = (owner(), other());
            let mut policy =
                existing(&text, [None, Some(&other), Some(&owner), Some(&owner)][tags]);
            if tags == 3 {
                policy.tags.insert(adopted_tag().to_string(), String::new());
            }
            policy
        },
    );
    prop::option::of(one)
}

fn bits(attached: u8) -> String {
    let names = ["root", "prod", "dev"].iter().enumerate();
    names.filter(|(bit, _)| attached >> bit & 1 == 1).map(|(_, it)| format!("{it} ")).collect()
}

proptest! {
    /// Cut the plan short after every step, plan again, and run the rest: the end is the same.
    #[test]
    fn every_interrupted_run_can_be_resumed(wanted in any_desired(), had in any_existing()) {
        let start = observed(had);
        let Ok(steps) = plan(wanted.as_ref(), &start, &owner(), None) else { return Ok(()) };
        let state = |it: &Observed| format!("{:?}", it.policy);
        let whole = state(&steps.iter().fold(start.clone(), after));
        for done in 0..=steps.len() {
            let halfway = steps[..done].iter().fold(start.clone(), after);
            let rest = plan(wanted.as_ref(), &halfway, &owner(), None).unwrap();
            let end = rest.iter().fold(halfway, after);
            prop_assert_eq!(state(&end), whole.clone());
            prop_assert!(plan(wanted.as_ref(), &end, &owner(), None).unwrap().is_empty());
        }
    }

    /// A target that has the policy and is to keep it has it after every step.
    #[test]
    fn no_target_is_without_a_policy_it_keeps(wanted in any_desired(), had in any_existing()) {
        let start = observed(had);
        let Ok(steps) = plan(wanted.as_ref(), &start, &owner(), None) else { return Ok(()) };
        let of = |it: &Observed| it.policy.as_ref().map(|it| it.targets.clone()).unwrap_or_default();
        let before = of(&start);
        let kept: BTreeSet<_> =
            wanted.iter().flat_map(|it| &it.targets).filter(|it| before.contains(it)).collect();
        for done in 0..=steps.len() {
            let now = of(&steps[..done].iter().fold(start.clone(), after));
            prop_assert!(kept.iter().all(|it| now.contains(it)));
            let moving = wanted.as_ref().is_some_and(|it| !it.targets.is_empty());
            prop_assert!(!moving || before.is_empty() || !now.is_empty());
        }
    }

    /// Without `Adopt`, a policy that is not ours is never touched.
    #[test]
    fn what_is_not_ours_is_left_alone(wanted in any_desired(), had in any_existing()) {
        let foreign = had.as_ref().is_some_and(|it| !it.belongs_to(&owner()));
        let adopt = wanted.as_ref().is_some_and(|it| it.claim == Claim::Adopt);
        if foreign && !adopt {
            let steps = plan(wanted.as_ref(), &observed(had), &owner(), None);
            prop_assert!(steps.map_or(true, |it| it.is_empty()));
        }
    }
}
