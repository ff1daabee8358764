use std::time::{Duration, UNIX_EPOCH};

use expect_test::{Expect, expect};

use super::*;
use crate::account_state::AccountState;
use crate::global_settings::Setting;

const BUCKET: &str = "state-of-things";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(500_000)
}

/// An organization in which nothing is wrong.
fn healthy() -> Observed {
    let trail = Trail {
        name: "everything".to_owned(),
        is_logging: true,
        selectors: Selectors::Basic(vec![(true, "All".to_owned())]),
    };
    let state = StateBucket {
        bucket: BUCKET.to_owned(),
        entries: Ok([("desired/policy-types/a/b/C.json".to_owned(), None)].into()),
        swept: Ok(Some(now() - Duration::from_hours(7))),
    };
    Observed {
        caller: "100000000001".to_owned(),
        region: "us-east-1".to_owned(),
        event_region: "us-east-1",
        organization: Ok(Some(ManagedOrganization {
            management_account: "100000000001".parse().unwrap(),
            all_features: true,
        })),
        root: Ok(Root { id: "r-cd34".parse().unwrap(), backup_policies: Status::Enabled }),
        trusted_access: Ok(true),
        settings: Ok(Setting::ALL.map(|it| (it, true)).into()),
        administrators: Ok(BTreeMap::new()),
        trails: Ok(vec![trail]),
        event_stacks: Ok(vec![]),
        stack_sets: Ok(true),
        policies: Ok(vec![policy("daily", "r-cd34")]),
        invalid: Ok(BTreeMap::new()),
        state: Some(state),
        keys: [("of the state".to_owned(), Ok(KeyState::Usable))].into(),
        unseen_keys: BTreeSet::new(),
    }
}

fn policy(name: &str, target: &str) -> KnownPolicy {
    KnownPolicy {
        id: format!("p-{name}"),
        name: name.to_owned(),
        owner: Some("backups/6f1e/Daily".to_owned()),
        text: r#"{"plans":{}}"#.to_owned(),
        targets: [target.parse().unwrap()].into(),
    }
}

/// Judges everything.
fn diagnose(observed: &Observed, now: SystemTime) -> Vec<Check> {
    let mut checks = diagnose_first(observed);
    checks.extend(diagnose_state(observed, now));
    checks.extend(diagnose_policies(observed));
    checks
}

/// Makes one thing wrong in a healthy organization, and shows what is not well.
fn check(spoil: impl FnOnce(&mut Observed), expect: Expect) {
    let mut observed = healthy();
    spoil(&mut observed);
    let mut lines = Vec::new();
    for it in diagnose(&observed, now()).iter().filter(|it| it.verdict != Verdict::Ok) {
        lines.push(format!("{} {}: {}\n", it.verdict, it.name, it.message));
        lines.extend(it.fix.iter().map(|it| format!("  {it}\n")));
    }
    expect.assert_eq(&lines.concat());
}

#[test]
fn nothing_is_wrong_in_a_healthy_organization() {
    check(|_| {}, expect![""]);
    assert_eq!(diagnose(&healthy(), now()).len(), 16);
}

/// The messages of the checks in which nothing is wrong.
fn told_of(observed: &Observed) -> String {
    let checks = diagnose(observed, now());
    let checks = checks.iter().filter(|it| it.verdict == Verdict::Ok);
    checks.map(|it| format!("{}: {}\n", it.name, it.message)).collect()
}

#[test]
fn every_check_says_why_nothing_is_wrong() {
    expect![[r"
        management account: you are in the management account 100000000001
        all features: the organization has all features
        policy type: backup policies are enabled
        trusted access: AWS Backup has trusted access
        cross-account backup: backups may be copied to other accounts
        delegated administrators: the management account alone administers AWS Backup
        StackSets: StackSets may deploy to the accounts of the organization
        CloudTrail: the trail `everything` records changes to the organization
        Region of events: the events of AWS Organizations are in us-east-1, and so are you
        effective policies: AWS reports no invalid effective policy
        desired state: 1 resources have a desired state
        last sweep: the last sweep ended 7 hours ago
        quotas: 1 backup policies, and no quota is near
        ownership: every backup policy belongs to a stack of org-backup
        Regions of copies: every account has the Regions that backups are copied from
        keys: 1 key encrypts and decrypts
    "]]
    .assert_eq(&told_of(&healthy()));
    let mut observed = healthy();
    observed.region = "eu-south-1".to_owned();
    observed.event_stacks = Ok(vec![forwarder("CREATE_COMPLETE")]);
    observed.administrators = Ok(administrators(2, "ACTIVE"));
    let told = told_of(&observed);
    for it in ["300000000000, 300000000001 may administer", "`forwarder` forwards events from"] {
        assert!(told.contains(it), "{told}");
    }
}

#[test]
fn another_account_than_the_management_account_is_a_problem() {
    check(
        |it| it.caller = "200000000002".to_owned(),
        expect![[r"
        problem management account: you are in account 200000000002, and the management account is 100000000001
          use credentials of 100000000001, or name a role there in `ManagementRoleArn` of the templates
    "]],
    );
}

#[test]
fn an_account_without_an_organization_is_a_problem() {
    check(
        |it| it.organization = Ok(None),
        expect![[r"
            problem management account: account 100000000001 is not in an organization
              use credentials of a management account, or: aws organizations create-organization --feature-set ALL
            problem all features: no organization with all features is enabled here, and policies need all features
              aws organizations enable-all-features, and accept it in every account
        "]],
    );
}

#[test]
fn consolidated_billing_is_a_problem() {
    check(
        |it| it.organization.as_mut().unwrap().as_mut().unwrap().all_features = false,
        expect![[r"
        problem all features: no organization with all features is enabled here, and policies need all features
          aws organizations enable-all-features, and accept it in every account
    "]],
    );
}

#[test]
fn a_policy_type_that_is_off_is_a_problem_and_one_that_comes_is_not() {
    check(
        |it| it.root.as_mut().unwrap().backup_policies = Status::Disabled,
        expect![[r"
        problem policy type: backup policies are not enabled, so none has any effect
          deploy templates/bootstrap.yaml, or: aws organizations enable-policy-type --root-id r-cd34 --policy-type BACKUP_POLICY
    "]],
    );
    check(
        |it| it.root.as_mut().unwrap().backup_policies = Status::PendingEnable,
        expect![[r"
        warning policy type: backup policies are being enabled
          run the command again later
    "]],
    );
    check(
        |it| it.root.as_mut().unwrap().backup_policies = Status::Unknown,
        expect![[r"
        warning policy type: AWS has a status for backup policies that this release does not know
          look at the root: aws organizations list-roots
    "]],
    );
}

#[test]
fn switches_that_are_off_are_problems() {
    check(
        |it| {
            it.trusted_access = Ok(false);
            it.stack_sets = Ok(false);
            it.settings = Ok(BTreeMap::new());
        },
        expect![[r"
            problem trusted access: AWS Backup does not have trusted access to the organization, so it does not carry policies out
              deploy templates/bootstrap.yaml, or: aws organizations enable-aws-service-access --service-principal backup.amazonaws.com
            problem cross-account backup: cross-account backup is off, so every copy to another account fails
              deploy templates/bootstrap.yaml, or: aws backup update-global-settings --global-settings isCrossAccountBackupEnabled=true
            problem StackSets: StackSets has no organizations access, so no vault and no role is rolled out
              deploy templates/bootstrap.yaml with StackSetsAccess=true, or: aws cloudformation activate-organizations-access
        "]],
    );
}

fn administrators(count: usize, state: &str) -> BTreeMap<AccountId, AccountState> {
    let state = AccountState::read(state);
    let account = |it: usize| (format!("30000000000{it}").parse().unwrap(), state.clone());
    (0..count).map(account).collect()
}

#[test]
fn delegated_administrators_are_active_and_not_too_many() {
    check(|it| it.administrators = Ok(administrators(2, "ACTIVE")), expect![""]);
    check(
        |it| it.administrators = Ok(administrators(5, "ACTIVE")),
        expect![[r"
        warning delegated administrators: AWS accepts 5 delegated administrators, and all are registered: 300000000000, 300000000001, 300000000002, 300000000003, 300000000004
          deregister one before you register another
    "]],
    );
    check(
        |it| it.administrators = Ok(administrators(1, "SUSPENDED")),
        expect![[r"
        problem delegated administrators: 300000000000 administers AWS Backup and is SUSPENDED
          aws organizations deregister-delegated-administrator --account-id 300000000000 --service-principal backup.amazonaws.com
    "]],
    );
    check(
        |it| it.administrators = Ok(administrators(1, "UNKNOWN")),
        expect![[r"
        warning delegated administrators: 300000000000 administers AWS Backup, and AWS did not tell its state
          look at the account: aws organizations describe-account --account-id 300000000000
    "]],
    );
    check(
        |it| {
            it.administrators = Ok(administrators(1, "ACTIVE"));
            it.settings.as_mut().unwrap().insert(Setting::DelegatedAdministrator, false);
        },
        expect![[r"
            warning delegated administrators: 300000000000 may administer AWS Backup, which does not keep their permissions up to date
              deploy templates/bootstrap.yaml with DelegatedAdministratorSync=true
        "]],
    );
}

fn is_told(is_logging: bool, selectors: Selectors) -> bool {
    Trail { name: String::new(), is_logging, selectors }.tells_of_changes()
}

#[test]
fn a_trail_tells_of_changes_when_it_records_writes_of_management() {
    let basic =
        |management: bool, kind: &str| Selectors::Basic(vec![(management, kind.to_owned())]);
    let advanced = |category: &str, read_only: &[&str]| {
        let read_only = read_only.iter().map(|it| (*it).to_owned()).collect();
        Selectors::Advanced(vec![AdvancedSelector {
            categories: vec![category.to_owned()],
            read_only,
        }])
    };
    assert!(is_told(true, Selectors::Basic(vec![])));
    assert!(is_told(true, basic(true, "All")) && is_told(true, basic(true, "WriteOnly")));
    assert!(!is_told(true, basic(true, "ReadOnly")) && !is_told(true, basic(false, "All")));
    assert!(is_told(true, advanced("Management", &[])));
    assert!(is_told(true, advanced("Management", &["false"])));
    assert!(!is_told(true, advanced("Management", &["true"])));
    assert!(!is_told(true, advanced("Data", &[])));
    assert!(!is_told(true, Selectors::Advanced(vec![])));
    assert!(!is_told(false, basic(true, "All")));
}

#[test]
fn without_a_trail_that_records_changes_there_are_no_events() {
    const FIX: &str = "aws cloudtrail create-trail with --is-multi-region-trail, or start-logging, \
                       or put-event-selectors with management events";
    for (trails, message) in [
        (vec![], "no trail records in the Region of the events of AWS Organizations"),
        (vec![(false, "All")], "the trail `t` is switched off"),
        (vec![(true, "ReadOnly")], "the trail `t` does not record changes"),
    ] {
        let trail = |(is_logging, kind): (bool, &str)| Trail {
            name: "t".to_owned(),
            is_logging,
            selectors: Selectors::Basic(vec![(true, kind.to_owned())]),
        };
        let trails = Ok(trails.into_iter().map(trail).collect());
        let observed = Observed { trails, ..healthy() };
        let checks = diagnose(&observed, now());
        let found = checks.iter().find(|it| it.verdict == Verdict::Problem).unwrap();
        assert_eq!(found.message, format!("{message}, so drift is put back only once a day"));
        assert_eq!(found.fix.as_deref(), Some(FIX));
    }
}

fn forwarder(status: &str) -> OurStack {
    let description = format!("{}, which exist in one Region only", checks::FORWARDER);
    OurStack { name: "forwarder".to_owned(), description, status: status.to_owned() }
}

#[test]
fn elsewhere_events_need_the_forwarder() {
    let elsewhere = |it: &mut Observed| it.region = "eu-south-1".to_owned();
    check(
        elsewhere,
        expect![[r"
        problem Region of events: the events of AWS Organizations are in us-east-1 and do not reach eu-south-1
          deploy templates/event-forwarder.yaml in us-east-1 with HomeRegion=eu-south-1
    "]],
    );
    for (status, expect) in [
        ("CREATE_COMPLETE", expect![""]),
        ("UPDATE_ROLLBACK_COMPLETE", expect![""]),
        ("UPDATE_IN_PROGRESS", expect![""]),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", expect![""]),
        (
            "ROLLBACK_COMPLETE",
            expect![[r"
            problem Region of events: the stack `forwarder` in us-east-1 forwards events and is ROLLBACK_COMPLETE
              deploy templates/event-forwarder.yaml in us-east-1 again
        "]],
        ),
        (
            "UPDATE_ROLLBACK_FAILED",
            expect![[r"
            problem Region of events: the stack `forwarder` in us-east-1 forwards events and is UPDATE_ROLLBACK_FAILED
              deploy templates/event-forwarder.yaml in us-east-1 again
        "]],
        ),
        (
            "DELETE_COMPLETE",
            expect![[r"
            problem Region of events: the stack `forwarder` in us-east-1 forwards events and is DELETE_COMPLETE
              deploy templates/event-forwarder.yaml in us-east-1 again
        "]],
        ),
        (
            "DELETE_FAILED",
            expect![[r"
            problem Region of events: the stack `forwarder` in us-east-1 forwards events and is DELETE_FAILED
              deploy templates/event-forwarder.yaml in us-east-1 again
        "]],
        ),
    ] {
        let spoil = |it: &mut Observed| {
            elsewhere(it);
            it.event_stacks = Ok(vec![forwarder(status)]);
        };
        check(spoil, expect);
    }
}

#[test]
fn quotas_that_are_near_are_told() {
    check(
        |it| {
            let mut all: Vec<_> = (0..9).map(|it| policy(&format!("n{it}"), "r-cd34")).collect();
            all.first_mut().unwrap().text = " ".repeat(9_000);
            it.policies = Ok(all);
        },
        expect![[r"
            warning quotas: near a quota of AWS: 9 of 10 policies at r-cd34, 9000 of 10000 characters in `n0`
              merge policies, attach them to children, or split the long ones, which merge by plan name
        "]],
    );
    check(
        |it| {
            let policy = |it: usize| KnownPolicy {
                targets: [].into(),
                ..policy(&format!("n{it}"), "r-cd34")
            };
            it.policies = Ok((0..900).map(policy).collect());
        },
        expect![[r"
            warning quotas: near a quota of AWS: 900 of 1000 backup policies
              merge policies, attach them to children, or split the long ones, which merge by plan name
        "]],
    );
}

#[test]
fn quotas_are_not_near_below_nine_tenths() {
    let some = |count: usize| (0..count).map(|it| policy(&format!("n{it}"), "r-cd34"));
    check(
        |it| {
            let mut all: Vec<_> = some(8).collect();
            all.first_mut().unwrap().text = " ".repeat(8_999);
            it.policies = Ok(all);
        },
        expect![""],
    );
    check(
        |it| {
            let loose = |it| KnownPolicy { targets: [].into(), ..it };
            it.policies = Ok(some(899).map(loose).collect());
        },
        expect![""],
    );
}

#[test]
fn policies_that_nobody_looks_after_are_named() {
    check(
        |it| it.policies = Ok(vec![KnownPolicy { owner: None, ..policy("theirs", "r-cd34") }]),
        expect![[r"
            warning ownership: no stack of org-backup manages `theirs` (p-theirs)
              set `Adopt: true` on a Custom::BackupPolicy of that name, or leave them to their owners
        "]],
    );
}

#[test]
fn a_withheld_policy_is_a_problem() {
    check(
        |it| {
            it.invalid = Ok([
                ("200000000001".to_owned(), vec!["plans/p: 'rules' is missing".to_owned()]),
                ("200000000002".to_owned(), vec![]),
            ]
            .into());
        },
        expect![[r"
            problem effective policies: AWS withholds the merged policy from 2 accounts: 200000000001 (plans/p: 'rules' is missing), 200000000002
              complete or correct the plan that is named; `org-backup effective --validate` shows what would be valid
        "]],
    );
}

#[test]
fn a_state_bucket_that_is_not_named_is_not_looked_at() {
    check(
        |it| it.state = None,
        expect![[r"
        unknown desired state: no state bucket is named
          deploy `templates/bootstrap.yaml`, or name its bucket with --state-bucket
        unknown last sweep: no state bucket is named
          deploy `templates/bootstrap.yaml`, or name its bucket with --state-bucket
    "]],
    );
}

#[test]
fn what_is_kept_is_there_and_readable_and_looked_after_every_day() {
    let state = |it: &mut Observed| it.state.take().unwrap();
    check(
        |it| it.state = Some(StateBucket { entries: Ok(BTreeMap::new()), ..state(it) }),
        expect![[r"
        warning desired state: state-of-things has no desired state, so drift is not put back
          deploy templates/bootstrap.yaml and templates/backup-policies.yaml
    "]],
    );
    let useless = [("desired/x.json".to_owned(), Some("it is not a record".to_owned()))];
    check(
        |it| it.state = Some(StateBucket { entries: Ok(useless.into()), ..state(it) }),
        expect![[r"
        problem desired state: s3://state-of-things/desired/x.json cannot be used: it is not a record
          deploy its stack again, or restore an older version of the object
    "]],
    );
    check(
        |it| it.state = Some(StateBucket { swept: Ok(None), ..state(it) }),
        expect![[r"
        warning last sweep: no sweep has ended yet
          deploy templates/reattach.yaml, which sweeps once a day
    "]],
    );
    let long_ago = now() - Duration::from_hours(75);
    check(
        |it| it.state = Some(StateBucket { swept: Ok(Some(long_ago)), ..state(it) }),
        expect![[r"
        problem last sweep: the last sweep ended 75 hours ago
          see the log and the dead letters of the stack of templates/reattach.yaml
    "]],
    );
    let in_time = now() - Duration::from_hours(49);
    check(|it| it.state = Some(StateBucket { swept: Ok(Some(in_time)), ..state(it) }), expect![""]);
}

#[test]
fn what_could_not_be_read_is_unknown_and_names_the_action() {
    let unread = Unread {
        why: "cannot list the trails".to_owned(),
        action: Some("cloudtrail:DescribeTrails".to_owned()),
        hint: None,
    };
    check(
        |it| it.trails = Err(unread),
        expect![[r"
        unknown CloudTrail: cannot list the trails
          your credentials need the permission cloudtrail:DescribeTrails
    "]],
    );
}

/// A policy whose backups in Ireland and in `region` are copied to another account.
fn copies_from(region: &str) -> String {
    let arn = "arn:aws:backup:eu-west-1:200000000002:backup-vault:central";
    format!(
        r#"{{"plans":{{"daily":{{"regions":{{"@@assign":["eu-west-1","{region}"]}},"rules":{{"r":{{
        "copy_actions":{{"{arn}":{{"target_backup_vault_arn":{{"@@assign":"{arn}"}}}}}}}}}}}}}}}}"#
    )
}

/// Has the first policy say this.
fn says(text: String) -> impl FnOnce(&mut Observed) {
    move |it| it.policies.as_mut().unwrap().first_mut().unwrap().text = text
}

#[test]
fn every_account_that_copies_go_to_is_told_which_regions_it_has_to_enable() {
    let text = copies_from("af-south-1");
    let mut both: serde_json::Value = serde_json::from_str(&text).unwrap();
    let other = text.replace("200000000002", "300000000003").replace("af-south-1", "ap-east-1");
    let other: serde_json::Value = serde_json::from_str(&other).unwrap();
    both["plans"]["weekly"] = other["plans"]["daily"].clone();
    check(
        says(both.to_string()),
        expect![[r"
        warning Regions of copies: backups in af-south-1 are copied to 200000000002, backups in ap-east-1 are copied to 300000000003, each of which can read them only if it has enabled these Regions as well
          with credentials of 200000000002, 300000000003: aws account enable-region --region-name REGION
    "]],
    );
}

#[test]
fn a_region_that_the_account_of_copies_may_not_have_is_told() {
    check(says(copies_from("us-east-1")), expect![""]);
    check(says(copies_from("af-south-1").replace("200000000002", "$account")), expect![""]);
    check(
        says(copies_from("af-south-1")),
        expect![[r"
        warning Regions of copies: backups in af-south-1 are copied to 200000000002, which can read them only if it has enabled these Regions as well
          with credentials of 200000000002: aws account enable-region --region-name REGION
    "]],
    );
}

#[test]
fn keys_that_nobody_named_a_role_for_are_told() {
    let mut observed = healthy();
    observed.unseen_keys.insert("of the vault `far` of 200000000002 in eu-west-1".to_owned());
    let checks = diagnose(&observed, now());
    let keys = checks.iter().find(|it| it.name == "keys").unwrap();
    assert_eq!(keys.verdict, Verdict::Ok);
    expect!["1 key encrypts and decrypts; not looked at: the key of the vault `far` of 200000000002 in eu-west-1, for which `--member-role` names a role of its account"]
        .assert_eq(&keys.message);
}

#[test]
fn keys_that_do_not_work_are_problems_and_others_are_not_known() {
    let key = |state: &str| Ok(KeyState::named(state));
    check(
        |it| {
            it.keys.insert("of the state".to_owned(), key("PendingDeletion"));
            it.keys.insert("of the vault `main` in eu-west-1".to_owned(), key("Disabled"));
        },
        expect![[r"
            problem keys: the key of the state is to be deleted, the key of the vault `main` in eu-west-1 is disabled
              aws kms cancel-key-deletion, and aws kms enable-key; data under a deleted key cannot be read again
        "]],
    );
    check(
        |it| {
            it.keys.insert("of the state".to_owned(), key("Tea"));
        },
        expect![[r"
            unknown keys: not looked at: the key of the state, which is in the state `Tea`
              check that it lets AWS Backup make backups; `docs/report.md` lists the forms of policies that are judged
        "]],
    );
    check(
        |it| {
            let why = "cannot look at the key: AccessDenied".to_owned();
            let action = Some("kms:DescribeKey".to_owned());
            it.keys.insert("of the state".to_owned(), Err(Unread { why, action, hint: None }));
        },
        expect![[r"
            unknown keys: the key of the state: cannot look at the key: AccessDenied
              your credentials need the permission kms:DescribeKey
        "]],
    );
}

#[test]
fn the_vaults_of_a_policy_are_those_of_its_rules_in_its_regions() {
    let text = r#"{"plans": {"daily": {
        "regions": {"@@assign": ["eu-west-1", "eu-west-3"]},
        "rules": {"nightly": {"target_backup_vault_name": {"@@assign": "main"}}}
    }}}"#;
    let policies = [KnownPolicy { text: text.to_owned(), ..policy("daily", "r-cd34") }];
    let vaults: Vec<_> =
        vaults(&policies).iter().map(|(it, name)| format!("{it} {name}")).collect();
    assert_eq!(vaults, ["eu-west-1 main", "eu-west-3 main"]);
}

#[test]
fn the_vaults_that_policies_copy_to_are_named_by_their_arns() {
    let policies = [KnownPolicy { text: copies_from("us-east-1"), ..policy("daily", "r-cd34") }];
    let arn = "arn:aws:backup:eu-west-1:200000000002:backup-vault:central";
    assert_eq!(copy_vaults(&policies), [arn.to_owned()].into());
}
