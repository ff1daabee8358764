//! Looking ahead: what the accounts would get is merged before the first write, and what AWS says
//! of it is read after the last.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Fault, Pending, Settings};
use tests::organization::{Organization, POLICY_TEXT, document};
use tests::stack::Stack;

/// What AWS is asked about effective policies.
const REPORTS: [&str; 3] = [
    "DescribeEffectivePolicy",
    "ListAccountsWithInvalidEffectivePolicy",
    "ListEffectivePolicyValidationErrors",
];

/// A plan with these parts: `rules`, `regions`, `selections`.
fn plan(name: &str, parts: &[&str]) -> Value {
    let whole = document(3);
    let plan = &whole["plans"]["daily"];
    let parts: Value = parts.iter().map(|it| ((*it).to_owned(), plan[*it].clone())).collect();
    json!({ "plans": { name: parts } })
}

/// A policy that takes the only Region away from the plan `daily`.
fn without_regions() -> Value {
    json!({ "plans": { "daily": { "regions": { "@@remove": ["eu-central-1"] } } } })
}

/// Attaches a policy of somebody else.
fn attach(organization: &Organization, name: &str, content: &Value, target: &str) {
    let target = organization.id(target);
    organization.organization(|it| {
        let content = content.to_string();
        let id = it.create_policy(BACKUP_POLICY, name, "Theirs", &content, &[]).unwrap();
        it.attach_policy(&id, &target).unwrap();
    });
}

/// Properties of our policy.
fn ours(organization: &Organization, content: &Value, targets: &[&str]) -> Value {
    let targets: Vec<_> = targets.iter().map(|it| organization.id(it)).collect();
    json!({ "Name": "ours", "Content": content, "TargetIds": targets })
}

/// What an account has in force.
fn in_force(organization: &Organization, account: &str) -> Value {
    let account = organization.id(account);
    organization.organization(|it| {
        it.publish();
        let content = it.effective_policy(&account).unwrap().content;
        serde_json::from_str(&content).unwrap()
    })
}

/// What the log says about effective policies, without its time.
fn told(stack: &Stack<'_>) -> String {
    let logs = stack.organization().named(&stack.logs);
    let about = |it: &&str| {
        it.contains("effective polic") || it.contains("AWS would") || it.contains("left_out")
    };
    let lines = logs.lines().filter(about).map(|it| {
        let mut line: Value = serde_json::from_str(it).unwrap();
        let fields = line.as_object_mut().unwrap();
        fields.remove("timestamp");
        let fields = fields.iter().map(|(name, it)| {
            let text = it.as_str().map_or_else(|| it.to_string(), str::to_owned);
            format!("{name}: {text}\n")
        });
        fields.collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// How often each operation was called.
fn calls(organization: &Organization) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for it in organization.journal() {
        *calls.entry(it.operation).or_default() += 1;
    }
    calls
}

#[tokio::test]
async fn a_document_that_aws_would_withhold_is_refused_before_the_first_write() {
    let rule = json!({ "target_backup_vault_name": { "@@assign": "vault" } });
    let many: Value = (0..10).map(|it| (format!("extra{it}"), rule.clone())).collect();
    let mut continuous = document(3)["plans"]["daily"]["rules"]["nightly"].take();
    continuous["enable_continuous_backup"] = json!({ "@@assign": "true" });
    let nameless = json!({ "tags": { "more": {
        "tag_key": { "@@assign": "backup" },
        "tag_value": { "@@assign": ["weekly"] },
    } } });
    let removed = json!({ "@@remove": ["eu-central-1"] });
    let cases = [
        (
            json!({ "regions": removed }),
            "plans/daily/regions: 'regions' is less than the allowed minimum limit 1 \
             (ELEMENTS_TOO_FEW, from ours on Security, from theirs on Security)",
        ),
        (
            json!({ "selections": nameless }),
            "plans/daily/selections/tags/more: 'iam_role_arn' is missing (KEY_REQUIRED, \
             from ours on Security)",
        ),
        (
            json!({ "rules": many }),
            "plans/daily/rules: 'rules' exceeds the allowed maximum limit 10 \
             (ELEMENTS_TOO_MANY, from ours on Security, from theirs on Security)",
        ),
        (
            json!({ "rules": { "nightly": continuous } }),
            "plans/daily/rules/nightly: Dependent fields \
             enable_continuous_backup=true,delete_after_days=36 in policy block nightly are \
             invalid when used together (CROSS_ATTRIBUTE_VALIDATION, from ours on Security, \
             from theirs on Security)",
        ),
    ];
    for (plan, expected) in cases {
        let organization = Organization::ready(Settings::default()).await;
        let mut theirs = document(1);
        // Longer than AWS keeps continuous backups.
        theirs["plans"]["daily"]["rules"]["nightly"]["lifecycle"] =
            json!({ "delete_after_days": { "@@assign": "36" } });
        attach(&organization, "theirs", &theirs, "Security");
        let before = organization.state();
        let mut stack = organization.stack("backup-policy");
        let content = json!({ "plans": { "daily": plan } });
        let reason = stack.create(ours(&organization, &content, &["Security"])).await.reason();
        let whole = format!(
            "AWS would withhold the whole merged policy from account security-000 (which gets what \
             is attached to Security): {expected}; hint: complete that plan, or rename yours, or \
             set `Preflight: Warn`"
        );
        assert_eq!(organization.named(&reason), whole);
        assert_eq!(organization.take_writes(), "");
        assert_eq!(organization.state(), before);
    }
}

#[tokio::test]
async fn a_fragment_that_breaks_the_plan_of_another_team_is_refused() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("theirs", &["root"]);
    let mut stack = organization.stack("backup-policy");
    let before = organization.state();
    let properties = ours(&organization, &without_regions(), &["Production"]);
    let reason = stack.create(properties).await.reason();
    expect!["AWS would withhold the whole merged policy from account production-004 (which gets what is attached to Production): plans/daily/regions: 'regions' is less than the allowed minimum limit 1 (ELEMENTS_TOO_FEW, from ours on Production, from theirs on root); hint: complete that plan, or rename yours, or set `Preflight: Warn`"]
    .assert_eq(&organization.named(&reason));
    organization.check_writes(expect![""]);
    assert_eq!(organization.state(), before);
    assert_eq!(
        in_force(&organization, "production-001")["plans"]["daily"]["regions"],
        json!(["eu-central-1"])
    );
}

#[tokio::test]
async fn a_fragment_that_nothing_completes_is_refused() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("theirs", &["root"]);
    let mut stack = organization.stack("backup-policy");
    let properties = ours(&organization, &plan("weekly", &["regions", "rules"]), &["Sandbox"]);
    let reason = stack.create(properties).await.reason();
    expect!["AWS would withhold the whole merged policy from account sandbox-008 (which gets what is attached to Sandbox): plans/weekly: 'selections' is missing (KEY_REQUIRED, from ours on Sandbox); hint: complete that plan, or rename yours, or set `Preflight: Warn`"]
    .assert_eq(&organization.named(&reason));
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn a_change_that_breaks_what_was_deployed_is_refused_and_what_was_stays() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let whole = plan("weekly", &["regions", "rules", "selections"]);
    let _ = stack.create(ours(&organization, &whole, &["Workloads"])).await.ok();
    organization.clear_journal();
    let half = plan("weekly", &["regions", "rules"]);
    let reason = stack.update(ours(&organization, &half, &["Workloads"])).await.reason();
    expect!["AWS would withhold the whole merged policy from account production-004 (which gets what is attached to Workloads): plans/weekly: 'selections' is missing (KEY_REQUIRED, from ours on Workloads); hint: complete that plan, or rename yours, or set `Preflight: Warn`"]
    .assert_eq(&organization.named(&reason));
    organization.check_writes(expect![""]);
    assert!(stack.rollback.is_some_and(|it| it.success));
    let rules = &in_force(&organization, "production-001")["plans"]["weekly"]["rules"];
    assert_eq!(rules["nightly"]["target_backup_vault_name"], POLICY_TEXT);
}

#[tokio::test]
async fn a_fragment_is_taken_that_is_completed_wherever_there_are_accounts() {
    let organization = Organization::ready(Settings::default()).await;
    let rest = plan("weekly", &["selections"]);
    attach(&organization, "production", &rest, "Production");
    attach(&organization, "development", &rest, "Development");
    let mut stack = organization.stack("backup-policy");
    let half = plan("weekly", &["regions", "rules"]);
    // There is no account in `Workloads` itself.
    let _ = stack.create(ours(&organization, &half, &["Workloads"])).await.ok();
    assert!(in_force(&organization, "production-001")["plans"]["weekly"]["rules"].is_object());
    assert!(organization.journal().iter().all(|it| it.withheld.is_empty()));
}

#[tokio::test]
async fn a_fragment_is_refused_where_one_of_two_units_does_not_complete_it() {
    let organization = Organization::ready(Settings::default()).await;
    attach(&organization, "production", &plan("weekly", &["selections"]), "Production");
    let mut stack = organization.stack("backup-policy");
    let half = plan("weekly", &["regions", "rules"]);
    let reason = stack.create(ours(&organization, &half, &["Workloads"])).await.reason();
    expect!["AWS would withhold the whole merged policy from account development-006 (which gets what is attached to Workloads): plans/weekly: 'selections' is missing (KEY_REQUIRED, from ours on Workloads); hint: complete that plan, or rename yours, or set `Preflight: Warn`"]
    .assert_eq(&organization.named(&reason));
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn warn_deploys_all_the_same_and_logs_what_aws_says() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("theirs", &["root"]);
    let mut stack = organization.stack("backup-policy");
    let mut properties = ours(&organization, &without_regions(), &["Security"]);
    properties["Preflight"] = json!("Warn");
    let _ = stack.create(properties).await.ok();
    let withheld = organization.journal().into_iter().flat_map(|it| it.withheld);
    let withheld = withheld.collect::<Vec<_>>().join(" ");
    assert_eq!(organization.named(&withheld), "security-000 security-010");
    expect![[r"
        level: WARN
        message: preflight
        warning: AWS would withhold the whole merged policy from account security-000 (which gets what is attached to Security): plans/daily/regions: 'regions' is less than the allowed minimum limit 1 (ELEMENTS_TOO_FEW, from ours on Security, from theirs on root); hint: complete that plan, or rename yours, or set `Preflight: Warn`

        accounts: 2
        cases: security-000: plans/daily/regions: 'regions' is less than the allowed minimum limit 1 (ELEMENTS_TOO_FEW, from theirs, ours); security-010: plans/daily/regions: 'regions' is less than the allowed minimum limit 1 (ELEMENTS_TOO_FEW, from theirs, ours)
        level: WARN
        message: AWS reports invalid effective policies
    "]]
    .assert_eq(&told(&stack));
    let daily = &in_force(&organization, "security-000")["plans"]["daily"];
    assert_eq!(daily["regions"], json!(["eu-central-1"]));
}

#[tokio::test]
async fn off_asks_nothing() {
    let organization = Organization::ready(Settings::default()).await;
    organization.foreign_policy("theirs", &["root"]);
    let mut stack = organization.stack("backup-policy");
    let mut properties = ours(&organization, &without_regions(), &["Security"]);
    properties["Preflight"] = json!("Off");
    let _ = stack.create(properties).await.ok();
    let reads = |it: &simulator::Entry| !it.write;
    expect![[r"
        ListRoots
        ListPolicies BACKUP_POLICY
        ListPoliciesForTarget BACKUP_POLICY Security
        DescribeStackResource
    "]]
    .assert_eq(&organization.lines(reads));
    assert_eq!(told(&stack), "");
}

#[tokio::test]
async fn a_document_with_several_mistakes_is_refused_with_every_place_named() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let mut content = document(3);
    let daily = &mut content["plans"]["daily"];
    daily["regions"] = json!(["eu-central-1"]);
    daily["rules"]["nightly"]["schedule_expression"] = json!({ "@@assign": "rate(1 day)" });
    daily["rules"]["nightly"]["lifecycle"] = json!({
        "move_to_cold_storage_after_days": { "@@assign": "30" },
        "delete_after_days": { "@@assign": "60" },
    });
    daily["selection"] = json!({});
    let reason = stack.create(ours(&organization, &content, &["root"])).await.reason();
    expect![[r#"the policy has 4 mistakes: plans/daily/regions: a list needs an operator; write `{"@@assign": [...]}`; plans/daily/rules/nightly/lifecycle/delete_after_days: backups that move to cold storage after 30 days must be kept for at least 120 days, not 60; Organizations accepts this, but AWS Backup refuses the plan; plans/daily/rules/nightly/schedule_expression/@@assign: `rate(1 day)` is not a schedule; write `cron(minute hour day-of-month month day-of-week year)`, as in `cron(0 5 ? * * *)`; plans/daily/selection: AWS does not know the key `selection` here; did you mean `selections`?; hint: `org-backup check` shows every place"#]]
    .assert_eq(&organization.named(&reason));
    organization.check_writes(expect![""]);
}

#[tokio::test]
async fn what_was_invalid_before_is_not_blamed_on_the_change() {
    let organization = Organization::ready(Settings::default()).await;
    attach(&organization, "theirs", &plan("half", &["regions"]), "Security");
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(ours(&organization, &document(3), &["root"])).await.ok();
    expect![[r"
        accounts: 2
        cases: security-000: plans/half: 'rules' is missing (KEY_REQUIRED, from theirs); plans/half: 'selections' is missing (KEY_REQUIRED, from theirs); security-010: plans/half: 'rules' is missing (KEY_REQUIRED, from theirs); plans/half: 'selections' is missing (KEY_REQUIRED, from theirs)
        level: WARN
        message: AWS reports invalid effective policies
    "]]
    .assert_eq(&told(&stack));
}

#[tokio::test]
async fn looking_ahead_reads_as_much_for_four_hundred_accounts_as_for_twelve() {
    let mut counts = Vec::new();
    for accounts in [12, 400] {
        let organization = Organization::ready(Settings::default().accounts(accounts)).await;
        organization.foreign_policy("theirs", &["root", "Production"]);
        attach(&organization, "half", &plan("weekly", &["selections"]), "Development");
        let mut stack = organization.stack("backup-policy");
        let whole = plan("weekly", &["regions", "rules", "selections"]);
        let targets = ["Workloads", "Security"];
        let _ = stack.create(ours(&organization, &whole, &targets)).await.ok();
        let half = plan("weekly", &["regions", "rules"]);
        let _ = stack.update(ours(&organization, &half, &targets)).await.reason();
        counts.push(calls(&organization));
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn a_deployment_waits_until_its_change_is_published() {
    let settings = Settings { publication: Pending::Reads(3), ..Settings::default() };
    let organization = Organization::ready(settings).await;
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(ours(&organization, &document(3), &["Sandbox", "Security"])).await.ok();
    let reports = |it: &simulator::Entry| it.write || REPORTS.contains(&it.operation.as_str());
    expect![[r"
        DescribeEffectivePolicy BACKUP_POLICY sandbox-008
        CreatePolicy ours BACKUP_POLICY
        AttachPolicy ours Security
        AttachPolicy ours Sandbox
        DescribeEffectivePolicy BACKUP_POLICY sandbox-008
        DescribeEffectivePolicy BACKUP_POLICY sandbox-008
        DescribeEffectivePolicy BACKUP_POLICY sandbox-008
        DescribeEffectivePolicy BACKUP_POLICY sandbox-008
        ListAccountsWithInvalidEffectivePolicy BACKUP_POLICY
    "]]
    .assert_eq(&organization.lines(|it| reports(it) && it.operation != "PutResponse"));
    expect![[r"
        level: INFO
        message: AWS reports no invalid effective policy
    "]]
    .assert_eq(&told(&stack));
}

#[tokio::test]
async fn a_policy_that_leaves_a_target_is_looked_for_where_it_was() {
    let organization = Organization::ready(Settings::default()).await;
    let mut stack = organization.stack("backup-policy");
    let targets = ["Sandbox", "Security"];
    let _ = stack.create(ours(&organization, &document(3), &targets)).await.ok();
    organization.clear_journal();
    let _ = stack.update(ours(&organization, &document(3), &["Sandbox"])).await.ok();
    let reports = |it: &simulator::Entry| it.write || REPORTS.contains(&it.operation.as_str());
    expect![[r"
        DescribeEffectivePolicy BACKUP_POLICY security-000
        DetachPolicy ours Security
        DescribeEffectivePolicy BACKUP_POLICY security-000
        DescribeEffectivePolicy BACKUP_POLICY security-000
        ListAccountsWithInvalidEffectivePolicy BACKUP_POLICY
    "]]
    .assert_eq(&organization.lines(|it| reports(it) && it.operation != "PutResponse"));
}

#[tokio::test]
async fn a_report_that_cannot_be_read_fails_nothing() {
    let organization = Organization::ready(Settings::default()).await;
    for operation in REPORTS {
        organization.fail(Fault::error(operation, "AccessDeniedException").forever());
    }
    let mut stack = organization.stack("backup-policy");
    let _ = stack.create(ours(&organization, &document(3), &["root"])).await.ok();
    expect![[r"
        error: cannot describe the effective policy of management
        left_out: waiting until the change is published
        level: WARN
        message: done without it
        why: AccessDeniedException (HTTP 400): The request failed because it was told to.; hint: run the function in the organization's management account, or name a role there in `ManagementRoleArn`, and give the role permission for the action

        error: cannot list the accounts with an invalid effective policy
        left_out: the effective policies that AWS finds invalid
        level: WARN
        message: done without it
        why: AccessDeniedException (HTTP 400): The request failed because it was told to.; hint: run the function in the organization's management account, or name a role there in `ManagementRoleArn`, and give the role permission for the action
    "]]
    .assert_eq(&told(&stack));
}

#[tokio::test]
async fn a_read_that_only_advises_does_not_hold_up_the_change() {
    let hangs = Fault::delay("DescribeEffectivePolicy", Duration::from_mins(10));
    let fails = Fault::error("DescribeEffectivePolicy", "ServiceException").status(500);
    for fault in [hangs, fails] {
        let organization = Organization::ready(Settings::default()).await;
        organization.fail(fault.forever());
        let mut stack = organization.stack("backup-policy").within(Duration::from_mins(5));
        let _ = stack.create(ours(&organization, &document(3), &["Sandbox"])).await.ok();
        let reports = |it: &simulator::Entry| it.operation == "DescribeEffectivePolicy";
        let lines = organization.lines(|it| it.write || reports(it));
        let (before, after) = lines.split_once("CreatePolicy").unwrap();
        assert!(before.lines().count() <= 2, "{lines}");
        assert!(!after.contains("DescribeEffectivePolicy"), "{lines}");
        let left_out = "left_out: waiting until the change is published";
        assert!(told(&stack).contains(left_out), "{}", stack.logs);
    }
}

#[tokio::test]
async fn a_preflight_that_only_warns_does_not_fail_the_change() {
    let organization = Organization::ready(Settings::default()).await;
    organization.fail(Fault::error("ListParents", "AccessDeniedException").forever());
    let mut stack = organization.stack("backup-policy");
    let mut properties = ours(&organization, &document(3), &["Sandbox"]);
    let _ = stack.create(properties.clone()).await.reason();
    properties["Preflight"] = json!("Warn");
    let _ = stack.create(properties).await.ok();
    assert!(stack.logs.contains("the preflight of the policies"), "{}", stack.logs);
}

#[tokio::test]
async fn looking_ahead_gets_through_a_strict_organization() {
    let settings = Settings { pending: Pending::Reads(0), ..Settings::strict() };
    let organization = Organization::ready(settings).await;
    organization.foreign_policy("theirs", &["root"]);
    let mut stack = organization.stack("backup-policy");
    let weekly = plan("weekly", &["regions", "rules", "selections"]);
    let _ = stack.create(ours(&organization, &weekly, &["Workloads", "Sandbox"])).await.ok();
    assert!(told(&stack).contains("AWS reports no invalid effective policy"), "{}", stack.logs);
    let reason =
        stack.update(ours(&organization, &without_regions(), &["Workloads"])).await.reason();
    assert!(organization.named(&reason).contains("plans/daily/regions"), "{reason}");
}
