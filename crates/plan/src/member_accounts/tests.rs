use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::run::{Batch, batches};
use super::*;
use crate::account_state::AccountState;
use crate::id::{AccountId, RunId, Target};

fn preferences(text: &str) -> Preferences {
    let words = text.split(", ").filter(|it| !it.is_empty());
    let pair = |it: &str| {
        let (name, on) = it.split_once('=').unwrap();
        (name.parse().unwrap(), on.parse().unwrap())
    };
    words.map(pair).collect()
}

fn types(text: &str) -> BTreeSet<ResourceType> {
    text.split(", ").filter(|it| !it.is_empty()).map(|it| it.parse().unwrap()).collect()
}

fn these(opt_in: &str) -> Desired {
    Desired { opt_in: OptIn::These(preferences(opt_in)), ..Desired::default() }
}

fn all() -> Desired {
    Desired { opt_in: OptIn::All, ..Desired::default() }
}

/// A Region with these opt-ins, which supports these types.
fn region(opt_in: &str, supported: &str) -> Observed {
    let settings = Settings { opt_in: preferences(opt_in), management: Preferences::new() };
    Observed { settings, supported: types(supported), ..Observed::default() }
}

fn check(desired: &Desired, observed: &Observed, expect: Expect) {
    let plan = plan(desired, observed);
    let mut lines = vec![];
    if !plan.change.is_empty() {
        lines.push(plan.change.to_string());
    }
    lines.extend(plan.unknown.iter().map(|it| format!("{it} is not known")));
    lines.extend(plan.problems.iter().map(ToString::to_string));
    expect.assert_eq(&lines.join("\n"));
}

#[test]
fn only_what_differs_is_set() {
    check(
        &these("EBS=true, EFS=false, S3=true"),
        &region("EBS=true, EFS=true, S3=false, RDS=true", ""),
        expect!["set EFS=false, S3=true"],
    );
    check(&these("EBS=true"), &region("EBS=true, S3=false", ""), expect![""]);
}

#[test]
fn all_is_what_the_region_supports_also_what_its_settings_do_not_list_yet() {
    check(
        &all(),
        &region("EBS=true, S3=false, Retired=false", "EBS, S3, Tea Leaves"),
        expect!["set S3=true, Tea Leaves=true"],
    );
    check(&all(), &region("EBS=true, S3=true", "EBS, S3"), expect![""]);
}

#[test]
fn a_type_that_a_region_does_not_know_is_told_and_not_set() {
    check(
        &these("EBS=true, Timestream=true, Tea Leaves=false"),
        &region("EBS=false", "EBS, Timestream"),
        expect![[r"
            set EBS=true, Timestream=true
            Tea Leaves is not known"]],
    );
}

#[test]
fn what_is_managed_fully_is_set_where_there_is_such_a_choice() {
    let management = preferences("DynamoDB=true, EFS=false, S3=true");
    let desired = Desired { management, ..Desired::default() };
    let mut observed = region("", "DynamoDB, EFS, S3");
    observed.settings.management = preferences("DynamoDB=false, EFS=false");
    let expected = expect![[r"
        set DynamoDB (management)=true
        S3 is not known"]];
    check(&desired, &observed, expected);
}

#[test]
fn the_account_that_receives_copies_has_the_settings_of_the_others_and_nothing_else() {
    let (vault, role) = ("org-backup".parse().ok(), "maker".parse().ok());
    let regions: BTreeSet<_> = ["eu-west-1".parse().unwrap()].into();
    let desired = Desired { regions: regions.clone(), vault, role, ..these("EBS=true") };
    let expected = Desired { regions, ..these("EBS=true") };
    assert_eq!(desired.in_central_account(), expected);
}

#[test]
fn a_region_is_asked_what_it_supports_only_when_its_settings_do_not_say() {
    let settings = region("EBS=true, S3=false", "").settings;
    assert!(!these("EBS=true, S3=true").asks_for_support(&settings));
    assert!(these("EBS=true, EFS=true").asks_for_support(&settings));
    assert!(all().asks_for_support(&settings));
    assert!(!these("").has_settings() && these("EBS=true").has_settings() && all().has_settings());
}

#[test]
fn a_vault_must_be_there_under_a_key_of_the_customer() {
    let vault = Some("org-backup".parse().unwrap());
    let desired = Desired { vault, ..Desired::default() };
    let with = |vault| Observed { vault, ..Observed::default() };
    let here = |key| Some(Vault::Here { key, access: Ok(None) });
    let customers = |state| here(VaultKey::Customers(Ok(KeyState::named(state))));
    check(&desired, &with(customers("Enabled")), expect![""]);
    check(
        &desired,
        &with(customers("PendingDeletion")),
        expect!["the key of the vault `org-backup` is to be deleted"],
    );
    check(
        &desired,
        &with(Some(Vault::Missing)),
        expect!["the vault `org-backup` is missing, or its access policy hides it"],
    );
    let expected = expect!["the vault `org-backup` is encrypted by a key of AWS"];
    check(&desired, &with(here(VaultKey::Aws)), expected);
    check(&desired, &with(None), expect![""]);
    check(&Desired::default(), &with(Some(Vault::Missing)), expect![""]);
}

/// What AWS does with a change.
fn after(mut observed: Observed, change: &Change) -> Observed {
    observed.settings.opt_in.extend(change.opt_in.clone());
    observed.settings.management.extend(change.management.clone());
    observed
}

#[test]
fn nothing_is_left_to_set_once_it_is_set() {
    let management = preferences("DynamoDB=true");
    let both = Desired { management, ..these("EBS=false, S3=true, Tea Leaves=true") };
    for desired in [all(), both] {
        for observed in [region("", "EBS, S3"), region("EBS=true, S3=false", "EBS, S3, Tea Leaves")]
        {
            let mut observed = observed;
            observed.settings.management = preferences("DynamoDB=false");
            let change = plan(&desired, &observed).change;
            assert!(!change.is_empty());
            let again = plan(&desired, &after(observed, &change));
            assert!(again.change.is_empty(), "{desired:?}: {}", again.change);
        }
    }
}

#[test]
fn a_change_without_its_news_has_what_the_settings_list() {
    let settings = region("EBS=false", "").settings;
    let change = Change { opt_in: preferences("EBS=true, Tea=true"), ..Change::default() };
    let (rest, news) = change.without_news(&settings);
    assert_eq!((rest.opt_in, news), (preferences("EBS=true"), preferences("Tea=true")));
}

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

#[test]
fn a_session_may_do_what_the_run_calls_where_it_calls_it() {
    let mut desired = these("EBS=true");
    desired.regions = ["eu-west-1".parse().unwrap()].into();
    desired.role = Some("org-backup-role".parse().unwrap());
    let policy = session_policy(&desired, "aws-cn", &id("111122223333"), true);
    let policy: Value = serde_json::from_str(&policy).unwrap();
    expect![[r#"
        {
          "Statement": [
            {
              "Action": [
                "backup:DescribeRegionSettings",
                "backup:UpdateRegionSettings"
              ],
              "Condition": {
                "StringEquals": {
                  "aws:RequestedRegion": [
                    "eu-west-1"
                  ]
                }
              },
              "Effect": "Allow",
              "Resource": "*"
            },
            {
              "Action": [
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies"
              ],
              "Effect": "Allow",
              "Resource": [
                "arn:aws-cn:iam::111122223333:role/org-backup-role",
                "arn:aws-cn:iam::111122223333:role/*/org-backup-role",
                "arn:aws-cn:iam::111122223333:role/AWSServiceRoleForBackup",
                "arn:aws-cn:iam::111122223333:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"
              ]
            },
            {
              "Action": [
                "iam:CreateServiceLinkedRole"
              ],
              "Effect": "Allow",
              "Resource": [
                "arn:aws-cn:iam::111122223333:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"
              ]
            }
          ],
          "Version": "2012-10-17"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&policy).unwrap());
}

/// The actions and the resources of each statement of a session policy.
fn allowed(policy: &str) -> Vec<(Value, Value)> {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().map(|it| (it["Action"].clone(), it["Resource"].clone())).collect()
}

#[test]
fn a_session_that_only_reads_may_write_nothing() {
    let policy = session_policy(&all(), "aws", &id("111122223333"), false);
    assert!(!policy.contains("Update") && !policy.contains("Create"), "{policy}");
}

#[test]
fn a_narrowed_session_may_read_roles_only_if_there_are_some() {
    let regions = ["eu-west-1".parse().unwrap()].into();
    let narrowed = |roles: &[RoleName]| {
        let account = id("111122223333");
        allowed(&narrowed(&["backup:ListBackupPlans"], &regions, roles, "aws", &account))
    };
    let own = (json!(["backup:ListBackupPlans"]), json!("*"));
    assert_eq!(narrowed(&[]), vec![own.clone()]);
    let iam = "arn:aws:iam::111122223333:role";
    let reading = json!([
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies"
    ]);
    let roles = json!([format!("{iam}/maker"), format!("{iam}/*/maker")]);
    assert_eq!(narrowed(&["maker".parse().unwrap()]), [own, (reading, roles)]);
}

#[test]
fn a_session_may_hand_roles_to_aws_backup_and_to_no_other_service() {
    let (regions, role) = (["eu-west-1".parse().unwrap()].into(), "maker".parse().unwrap());
    let account = id("111122223333");
    let policy = handing(&["backup:StartRestoreJob"], &regions, [&role], "aws", &account);
    let iam = "arn:aws:iam::111122223333:role";
    let roles = json!([format!("{iam}/maker"), format!("{iam}/*/maker")]);
    let expected =
        [(json!(["backup:StartRestoreJob"]), json!("*")), (json!("iam:PassRole"), roles)];
    assert_eq!(allowed(&policy), expected);
    let policy: Value = serde_json::from_str(&policy).unwrap();
    let condition = json!({ "StringEquals": { "iam:PassedToService": "backup.amazonaws.com" } });
    assert_eq!(policy["Statement"][1]["Condition"], condition);
}

#[test]
fn a_session_policy_fits_with_every_region_there_may_ever_be() {
    for regions in [40, 400] {
        let mut desired = all();
        desired.vault = Some("org-backup".parse().unwrap());
        desired.role = Some("x".repeat(64).parse().unwrap());
        desired.regions =
            (0..regions).map(|it| format!("ap-southeast-{it}").parse().unwrap()).collect();
        let policy = session_policy(&desired, "aws-us-gov", &id("111122223333"), true);
        assert!(policy.len() <= 2048, "{} characters", policy.len());
        assert_eq!(policy.contains("RequestedRegion"), regions == 40);
    }
}

const MANAGEMENT: &str = "111122223333";

fn listed(account: &str, state: &str, path: &str) -> Listed {
    let account = Account { id: id(account), name: String::new(), is_central: false };
    Listed { account, state: AccountState::read(state), paths: vec![path.to_owned()] }
}

fn scope(targets: &[&str], excluded: &[&str]) -> Scope {
    let targets = targets.iter().map(|it| it.parse::<Target>().unwrap());
    Scope::new(id(MANAGEMENT), targets, excluded.iter().map(|it| id(it)))
}

#[test]
fn a_target_reaches_itself_and_everything_below_it() {
    let path = "o-example1234/r-ab12/ou-ab12-11111111/ou-ab12-22222222/444455556666/";
    for target in ["root", "r-ab12", "ou-ab12-11111111", "ou-ab12-22222222", "444455556666"] {
        let mut scope = scope(&[target], &[]);
        assert_eq!(scope.choose(&listed("444455556666", "ACTIVE", path)), Choice::Included);
        assert!(scope.is_certain() && scope.check().is_ok(), "{target}");
    }
    for target in ["r-cd34", "ou-ab12-33333333", "555566667777", "ou-ab12-1111111122"] {
        let mut scope = scope(&[target], &[]);
        assert_eq!(scope.choose(&listed("444455556666", "ACTIVE", path)), Choice::Elsewhere);
        assert!(!scope.is_certain());
        let refusal = scope.check().unwrap_err();
        assert_eq!(refusal.to_string(), format!("no account is at or below {target}"));
        assert_eq!(refusal.hint(), Some("correct `TargetIds`; nothing has changed"));
    }
}

#[test]
fn an_account_that_is_not_active_is_left_out_and_its_target_was_found_all_the_same() {
    let mut scope = scope(&["444455556666"], &[]);
    for state in ["SUSPENDED", "PENDING_CLOSURE", "PENDING_ACTIVATION", "CLOSED", "UNKNOWN"] {
        assert_eq!(scope.choose(&listed("444455556666", state, "")), Choice::Inactive);
    }
    assert!(scope.check().is_ok());
}

#[test]
fn the_management_account_is_in_every_scope_that_does_not_exclude_it() {
    let management = listed(MANAGEMENT, "ACTIVE", "o-example1234/r-ab12/111122223333/");
    assert_eq!(scope(&["444455556666"], &[]).choose(&management), Choice::Included);
    let mut without = scope(&["root"], &[MANAGEMENT]);
    assert_eq!(without.choose(&management), Choice::Excluded);
    assert!(without.excludes_management());
    // It is no target, so that a wrong one is still found out.
    let mut elsewhere = scope(&["444455556666"], &[]);
    elsewhere.choose(&management);
    assert!(elsewhere.check().is_err());
}

#[test]
fn the_account_that_receives_copies_is_worked_in_wherever_it_is() {
    let path = "o-example1234/r-ab12/ou-ab12-11111111/666677778888/";
    let central = listed("666677778888", "ACTIVE", path);
    let with = |targets: &[&str]| scope(targets, &[]).with_central(Some(id("666677778888")));
    assert_eq!(with(&["ou-ab12-22222222"]).choose(&central), Choice::Central);
    assert_eq!(with(&["ou-ab12-11111111"]).choose(&central), Choice::Included);
    let other = listed("444455556666", "ACTIVE", "o-example1234/r-ab12/444455556666/");
    assert_eq!(with(&["ou-ab12-11111111"]).choose(&other), Choice::Elsewhere);
    let closed = Listed { state: AccountState::read("SUSPENDED"), ..central };
    assert_eq!(with(&["ou-ab12-22222222"]).choose(&closed), Choice::Inactive);
}

#[test]
fn only_roots_and_ous_can_contain_accounts() {
    let places = |targets: &[&str]| {
        let scope = scope(targets, &[]);
        assert_eq!(scope.needs_paths(), scope.places().next().is_some());
        scope.places().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(places(&["root", "444455556666"]), [""; 0]);
    assert_eq!(places(&["444455556666", "ou-ab12-11111111"]), ["ou-ab12-11111111"]);
    assert_eq!(places(&["r-ab12"]), ["r-ab12"]);
}

#[test]
fn an_excluded_account_that_is_not_there_is_told() {
    let mut scope = scope(&["root"], &["444455556666", "555566667777"]);
    let choice = scope.choose(&listed("444455556666", "ACTIVE", ""));
    assert_eq!(choice, Choice::Excluded);
    assert_eq!(scope.strangers(), [&id("555566667777")].into());
    assert!(!scope.excludes_management());
    assert!(!scope.needs_paths());
}

fn account(number: usize) -> Account {
    Account {
        id: id(&format!("{number:012}")),
        name: format!("account-{number}"),
        is_central: false,
    }
}

fn failure(region: Option<&str>, problem: &str) -> Failure {
    let region = region.map(|it| it.parse().unwrap());
    Failure { region, problem: problem.to_owned(), hint: "do something".to_owned() }
}

fn text(outcome: MemberOutcome) -> String {
    outcome.lines().iter().map(Line::text).collect()
}

#[test]
fn an_account_that_is_ready_is_one_line_with_what_was_changed() {
    let mut outcome = MemberOutcome::new(account(1), true);
    let change = |opt_in| Change { opt_in: preferences(opt_in), ..Change::default() };
    for (region, types) in [("eu-west-1", "S3=true"), ("eu-west-2", ""), ("eu-west-3", "S3=true")] {
        let region = region.parse().unwrap();
        if !types.is_empty() {
            outcome.change(&region, change(types));
        }
        outcome.miss(&region, super::tests::types("Timestream"));
    }
    outcome.change(&"us-east-1".parse().unwrap(), change("EBS=false"));
    expect![[r#"
        {"account":"000000000001","name":"account-1","ready":true,"changes":[{"optIn":{"S3":true},"regions":["eu-west-1","eu-west-3"]},{"optIn":{"EBS":false},"regions":["us-east-1"]}],"unknown":{"Timestream":["eu-west-1","eu-west-2","eu-west-3"]}}
    "#]]
    .assert_eq(&text(outcome));
}

#[test]
fn every_failure_is_one_line_and_a_change_is_told_once() {
    let mut outcome = MemberOutcome::new(account(1), true);
    let opt_in = preferences("S3=true");
    outcome.change(&"eu-west-1".parse().unwrap(), Change { opt_in, ..Change::default() });
    outcome.fail(failure(None, "there is no role `x`"));
    outcome.fail(failure(Some("eu-west-2"), "denied"));
    let text = text(outcome);
    expect![[r#"
        {"account":"000000000001","name":"account-1","ready":false,"changes":[{"optIn":{"S3":true},"regions":["eu-west-1"]}],"problem":"there is no role `x`","hint":"do something"}
        {"account":"000000000001","name":"account-1","region":"eu-west-2","ready":false,"problem":"denied","hint":"do something"}
    "#]]
    .assert_eq(&text);
    for line in text.lines() {
        let read: Line = serde_json::from_str(line).unwrap();
        assert_eq!(read.text().trim_end(), line);
    }
}

/// The sum of this many accounts that are ready, have a failure, and could not be entered.
fn tally(ready: usize, failed: usize, barred: usize) -> Tally {
    let mut tally = Tally::default();
    for number in 0..ready + failed + barred {
        let mut outcome = MemberOutcome::new(account(number), true);
        if number >= ready + failed {
            outcome.bar("AccessDenied", failure(None, "cannot assume the role"));
        } else if number >= ready {
            outcome.fail(failure(Some("eu-west-1"), "denied"));
            outcome.fail(failure(Some("eu-west-2"), "denied"));
        }
        tally.add(&outcome);
    }
    tally
}

#[test]
fn accounts_that_are_not_ready_fail_a_run_that_says_so() {
    let told = tally(8, 2, 0).judge(OnNotReady::Fail, Some("s3://state/report.jsonl"));
    expect!["2 of 10 accounts are not ready (all of them are in s3://state/report.jsonl): 000000000008 (account-8) in eu-west-1: denied (and 1 more); 000000000009 (account-9) in eu-west-1: denied (and 1 more)"]
        .assert_eq(&told.unwrap_err().to_string());
    assert_eq!(tally(8, 2, 0).judge(OnNotReady::Warn, None), Ok(()));
    assert_eq!(tally(10, 0, 0).judge(OnNotReady::Fail, None), Ok(()));
}

#[test]
fn nobody_getting_in_anywhere_is_no_success_whatever_the_run_says() {
    let refusal = tally(0, 0, 3).judge(OnNotReady::Warn, None).unwrap_err();
    assert!(matches!(refusal, Refusal::Barred { members: 3, .. }), "{refusal}");
    // One account may be new, and where some let us in, the others are what is wrong.
    assert_eq!(tally(0, 0, 1).judge(OnNotReady::Warn, None), Ok(()));
    assert_eq!(tally(1, 0, 3).judge(OnNotReady::Warn, None), Ok(()));
    // The management account is always let in, which says nothing.
    let mut with_management = tally(0, 0, 2);
    with_management.add(&MemberOutcome::new(account(99), false));
    assert!(with_management.judge(OnNotReady::Warn, None).is_err());
    // Two reasons are not one mistake.
    let mut different = tally(0, 0, 2);
    let mut outcome = MemberOutcome::new(account(98), true);
    outcome.bar("Throttling", failure(None, "throttled"));
    different.add(&outcome);
    assert_eq!(different.judge(OnNotReady::Warn, None), Ok(()));
}

/// Outcomes of every kind: ready, changed, not ready and not entered.
fn outcomes() -> Vec<MemberOutcome> {
    let mut outcomes: Vec<_> =
        (0..7).map(|it| MemberOutcome::new(account(it), it % 3 > 0)).collect();
    let [_, changed, with_role, failed, changed_and_failed, barred, throttled] = &mut outcomes[..]
    else {
        unreachable!()
    };
    let change = || Change { opt_in: preferences("S3=true"), ..Change::default() };
    let region = "eu-west-1".parse().unwrap();
    changed.change(&region, change());
    with_role.make_service_role();
    failed.fail(failure(None, "denied"));
    changed_and_failed.change(&region, change());
    changed_and_failed.fail(failure(None, "denied"));
    barred.bar("AccessDenied", failure(None, "cannot assume the role"));
    throttled.bar("Throttling", failure(None, "throttled"));
    outcomes
}

#[test]
fn sums_of_parts_are_the_sum_of_the_whole() {
    let sum = |parts: &[&[MemberOutcome]]| {
        let mut sum = Tally::default();
        for part in parts {
            let mut tally = Tally::default();
            for it in *part {
                tally.add(it);
            }
            tally.skip(&AccountState::read("SUSPENDED"));
            let written = serde_json::to_string(&tally).unwrap();
            sum.merge(serde_json::from_str(&written).unwrap());
        }
        sum
    };
    // Twice, so that each part has something of everything.
    let (once, twice) = (outcomes(), [outcomes(), outcomes()].concat());
    let (all, parts) = (sum(&[&twice, &[]]), sum(&[&once, &once]));
    assert_eq!(parts, all);
    assert_eq!((all.ready, all.not_ready, all.worked(), all.changed), (6, 8, 14, 6));
    assert_eq!(all.skipped, [("SUSPENDED".to_owned(), 2)].into());
}

#[test]
fn the_parts_of_a_run_that_nobody_got_in_anywhere_are_no_success_together() {
    let mut sum = tally(0, 0, 2);
    sum.merge(tally(0, 0, 3));
    let refusal = sum.judge(OnNotReady::Warn, None).unwrap_err();
    assert!(matches!(refusal, Refusal::Barred { members: 5, .. }), "{refusal}");
}

#[test]
fn a_single_failure_is_not_followed_by_a_number_of_others() {
    let mut tally = Tally::default();
    let mut outcome = MemberOutcome::new(Account { name: String::new(), ..account(1) }, true);
    outcome.fail(failure(None, "there is no role `x`"));
    tally.add(&outcome);
    let refusal = tally.judge(OnNotReady::Fail, None).unwrap_err();
    expect!["1 of 1 accounts are not ready: 000000000001: there is no role `x`"]
        .assert_eq(&refusal.to_string());
}

#[test]
fn a_problem_that_is_not_certain_leaves_the_account_ready() {
    let region = "eu-west-1".parse().unwrap();
    let unread = Problem::Unread("the key".to_owned());
    let mut outcome = MemberOutcome::new(account(1), true);
    outcome.find(Some(&region), &unread);
    let line = &outcome.clone().lines()[0];
    assert!(line.ready);
    assert_eq!(line.not_looked_at, [Failure::found(Some(&region), &unread)]);
    outcome.find(None, &Problem::NoServiceRole);
    let line = &outcome.lines()[0];
    assert!(!line.ready);
    assert_eq!(line.problem, Some(Problem::NoServiceRole.to_string()));
    assert_eq!(line.hint.as_deref(), Some(Problem::NoServiceRole.hint()));
}

#[test]
fn only_an_account_that_could_not_be_entered_is_barred() {
    let mut outcome = MemberOutcome::new(account(1), true);
    outcome.fail(failure(None, "denied"));
    assert!(!outcome.is_barred());
    outcome.bar("AccessDenied", failure(None, "cannot assume the role"));
    assert!(outcome.is_barred());
}

#[test]
fn a_line_tells_what_was_changed_and_where() {
    let mut outcome = MemberOutcome::new(account(1), true);
    let change =
        Change { opt_in: preferences("S3=true"), management: preferences("DynamoDB=true") };
    let regions: [Region; 2] = ["eu-west-1", "eu-west-2"].map(|it| it.parse().unwrap());
    for it in &regions {
        outcome.change(it, change.clone());
    }
    outcome.make_service_role();
    let line: Line = serde_json::from_str(&text(outcome)).unwrap();
    assert!(line.service_role_made);
    let changed = line.changes.first().unwrap();
    assert_eq!((changed.change(), changed.regions()), (change, &regions.into()));
}

#[test]
fn an_answer_tells_of_the_first_ten_failures_and_not_of_all() {
    let told = tally(0, 5_000, 0).judge(OnNotReady::Fail, Some("s3://state/report.jsonl"));
    let told = told.unwrap_err().to_string();
    assert_eq!(told.matches("denied").count(), 10);
    let mut outcome = MemberOutcome::new(account(1), true);
    outcome.fail(failure(None, &"x".repeat(1_000)));
    let mut long = Tally::default();
    long.add(&outcome);
    let told = long.judge(OnNotReady::Fail, None).unwrap_err().to_string();
    assert!(told.len() < 450, "{told}");
}

#[test]
fn a_run_that_ended_early_says_how() {
    for (ending, words) in [
        (Ending::Aborted, "was stopped"),
        (Ending::Failed, "failed"),
        (Ending::TimedOut, "ran out of time"),
    ] {
        let refusal = Refusal::Ended { run: run(), ending, why: "States.Timeout".to_owned() };
        let expected = format!(
            "the execution 0123abcd of the state machine {words} before its last step had answered \
             (States.Timeout)"
        );
        assert_eq!(refusal.to_string(), expected);
    }
}

fn run() -> RunId {
    "0123abcd".parse().unwrap()
}

#[test]
fn a_run_is_the_same_for_every_delivery_of_its_request_and_no_other() {
    let run = RunId::of_request("arn:stack", "1");
    assert_eq!(run, RunId::of_request("arn:stack", "1"));
    assert_eq!(run.as_str().len(), 32);
    assert_ne!(run, RunId::of_request("arn:stack", "2"));
    assert_ne!(run, RunId::of_request("arn:stack2", "1"));
}

#[test]
fn everything_of_a_run_is_kept_below_its_id() {
    let run = run();
    let keys = [run.order_key(), run.batches_key(), run.report_key(), run.results_prefix()];
    let expected = ["run.json", "batches.json", "report.jsonl", "results/"]
        .map(|it| format!("runs/{run}/{it}"));
    assert_eq!(keys, expected);
    let batch = Batch { run: run.clone(), index: 7, round: 2, waits: 0, accounts: vec![] };
    assert_eq!(batch.result_key(), "runs/0123abcd/results/00007.002.jsonl");
    // The answer outlives the run.
    assert_eq!(run.answer_key(), "answers/0123abcd.json");
}

#[test]
fn every_account_is_in_one_batch() {
    let accounts: Vec<_> = (0..250).map(account).collect();
    let batches = batches(&run(), &accounts);
    let batches: Vec<Batch> = batches
        .as_array()
        .unwrap()
        .iter()
        .map(|it| serde_json::from_value(it["Batch"].clone()).unwrap())
        .collect();
    assert_eq!(batches.iter().map(|it| it.accounts.len()).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(batches.iter().map(|it| it.index).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(batches.into_iter().flat_map(|it| it.accounts).collect::<Vec<_>>(), accounts);
}

/// The rounds of a batch of which nobody can get into one account, until the state machine is done.
#[test]
fn a_role_that_never_comes_is_waited_for_a_few_times_and_longer_each_time() {
    let mut batch =
        Batch { run: run(), index: 7, round: 0, waits: 0, accounts: vec![account(1), account(2)] };
    let mut waited = vec![];
    let mut keys = BTreeSet::new();
    while batch.is_patient() {
        keys.insert(batch.result_key());
        let next = batch.next(vec![], vec![account(2)]);
        assert_eq!(next["Again"], true);
        waited.push(next["Seconds"].as_u64().unwrap());
        batch = serde_json::from_value(next["Batch"].clone()).unwrap();
        assert_eq!(batch.accounts, [account(2)]);
    }
    assert_eq!(waited, [30, 60, 120, 240]);
    keys.insert(batch.result_key());
    assert_eq!(keys.len(), 5, "every round writes under a name of its own");
    assert_eq!(batch.next(vec![], vec![]), json!({ "Again": false }));
}

#[test]
fn accounts_for_which_there_was_no_time_are_not_waited_for() {
    let batch = Batch { run: run(), index: 0, round: 3, waits: 1, accounts: vec![account(1)] };
    let next = batch.clone().next(vec![account(1)], vec![account(2)]);
    assert_eq!(next["Seconds"], 0);
    assert_eq!((&next["Batch"]["Round"], &next["Batch"]["Waits"]), (&json!(4), &json!(1)));
    assert_eq!(next["Batch"]["Accounts"].as_array().unwrap().len(), 2);
    // If there never is any, somebody has to hear of it.
    let last = Batch { round: 50, ..batch };
    assert_eq!(last.next(vec![account(1)], vec![]), json!({ "Again": false }));
}
