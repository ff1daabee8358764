//! Backups that are made while time goes by, and their notifications.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{AccountState, ExplorerView, Role, Settings, Simulator};

use super::start;
use crate::support::nights::{self, VAULT};
use crate::support::{Client, Reply};

const MANAGEMENT: &str = "111122223333";
const REGION: &str = "us-east-1";
const ELSEWHERE: &str = "eu-west-1";

/// A simulator in which a volume of a member account was backed up for so many nights: the simulator,
/// a client of the management account, the account, and the volume.
async fn backed_up(settings: Settings, nights: u64) -> (Simulator, Client, String, String) {
    let (simulator, client) = start(settings).await;
    let account = member(&simulator);
    nights::protect(&simulator, &[REGION, ELSEWHERE]);
    let volume = nights::volume(&account, REGION);
    simulator.put_resource(nights::resource(&volume, &account, REGION, "gold"));
    nights::pass(&simulator, nights);
    (simulator, client, account, volume)
}

/// A member account in use.
fn member(simulator: &Simulator) -> String {
    simulator.organization(|it| {
        let mut accounts = it.accounts().filter(|it| it.state == AccountState::Active);
        accounts.find(|it| it.created).unwrap().id.clone()
    })
}

async fn get(client: &Client, path: &str) -> Reply {
    client.rest("backup", "GET", path, "").await
}

/// What a list has under this name.
async fn list(client: &Client, path: &str, name: &str) -> Vec<Value> {
    let reply = get(client, path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    reply.json()[name].as_array().unwrap().clone()
}

async fn tagged(client: &Client, request: &Value) -> Reply {
    let target = "ResourceGroupsTaggingAPI_20170126.GetResources";
    let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
    client.send("tagging", "POST", "/", &headers, request.to_string()).await.unwrap()
}

async fn explore(client: &Client, operation: &str, request: &Value) -> Reply {
    let path = format!("/{operation}");
    client.rest("resource-explorer-2", "POST", &path, &request.to_string()).await
}

fn arns(list: &Value, name: &str) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|it| it[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_night_makes_a_job_a_recovery_point_and_a_copy() {
    let (simulator, client, account, volume) = backed_up(Settings::default(), 3).await;
    let own = client.key(&account);
    let jobs = list(&own, "/backup-jobs", "BackupJobs").await;
    assert_eq!(jobs.len(), 3);
    for job in &jobs {
        assert_eq!((&job["State"], &job["ResourceArn"]), (&json!("COMPLETED"), &json!(volume)));
        assert_eq!(job["CreatedBy"]["BackupPlanName"], "nightly");
        assert_eq!(job["CreatedBy"]["BackupRuleName"], "night");
        assert_eq!(
            job["CreatedBy"]["BackupPlanId"].as_str().unwrap().split('/').next(),
            Some("orgs")
        );
    }
    let points = format!("/backup-vaults/{VAULT}/recovery-points");
    let points = list(&own, &points, "RecoveryPoints").await;
    let made: Vec<_> = points.iter().map(|it| it["RecoveryPointArn"].clone()).collect();
    let told: Vec<_> = jobs.iter().rev().map(|it| it["RecoveryPointArn"].clone()).collect();
    assert_eq!(made, told);
    assert_eq!(points[0]["Lifecycle"]["DeleteAfterDays"], 30);
    let copies = list(&own, "/copy-jobs", "CopyJobs").await;
    assert!(copies.len() == 3 && copies.iter().all(|it| it["State"] == "COMPLETED"), "{copies:?}");
    let central = copies[0]["DestinationBackupVaultArn"].as_str().unwrap();
    let central = client.key(central.split(':').nth(4).unwrap());
    let there = list(&central, "/backup-vaults/copies/recovery-points", "RecoveryPoints").await;
    assert_eq!(there[2]["RecoveryPointArn"], copies[0]["DestinationRecoveryPointArn"]);
    assert_eq!(there[2]["CreatedBy"], jobs[0]["CreatedBy"]);
    let vault = format!("arn:aws:backup:{REGION}:{account}:backup-vault:{VAULT}");
    assert_eq!(there[2]["SourceBackupVaultArn"], json!(vault));
    let protected = list(&own, "/resources", "Results").await;
    assert_eq!(protected[0]["LastBackupVaultArn"], json!(vault));
    let events = simulator.take_backup_events();
    let done = events.iter().filter(|it| it["detail"]["state"] == "COMPLETED").count();
    assert_eq!(done, 6, "{events:?}");
}

#[tokio::test]
async fn jobs_of_other_accounts_are_for_those_who_administer_backups() {
    let (simulator, client, account, _) = backed_up(Settings::default(), 1).await;
    let (administrator, stranger) = simulator.organization(|it| {
        let active = it.accounts().filter(|it| it.state == AccountState::Active && it.created);
        let others = active.map(|it| it.id.clone()).filter(|it| *it != account);
        let others: Vec<_> = others.collect();
        let (administrator, stranger) = (others[0].clone(), others[1].clone());
        it.enable_service_access("backup.amazonaws.com").unwrap();
        it.register_delegated_administrator(&administrator, "backup.amazonaws.com").unwrap();
        (administrator, stranger)
    });
    for (path, name, count) in [
        ("/backup-jobs", "BackupJobs", 1),
        ("/copy-jobs", "CopyJobs", 1),
        ("/restore-jobs", "RestoreJobs", 0),
    ] {
        let of = async |caller: &str, asked: &str| {
            get(&client.key(caller), &format!("{path}?accountId={asked}")).await
        };
        for asked in ["*", &account] {
            for caller in [MANAGEMENT, &administrator] {
                let jobs = of(caller, asked).await.json()[name].clone();
                assert_eq!(jobs.as_array().unwrap().len(), count, "{path} {asked} by {caller}");
            }
            let refused = of(&stranger, asked).await;
            assert_eq!((refused.status, refused.code()), (403, "AccessDeniedException".to_owned()));
        }
        assert_eq!(of(&account, &account).await.status, 200);
    }
    let nothing = list(&client, "/backup-jobs", "BackupJobs").await;
    assert_eq!(nothing, Vec::<Value>::new());
    let elsewhere = client.region(ELSEWHERE);
    assert_eq!(
        list(&elsewhere, "/backup-jobs?accountId=*", "BackupJobs").await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn jobs_are_chosen_by_what_is_asked_and_told_of_for_thirty_days() {
    let (simulator, client, account, volume) = backed_up(Settings::default(), 2).await;
    simulator.fail_backups(&volume, Duration::from_hours(24));
    nights::pass(&simulator, 1);
    let own = client.key(&account);
    let count =
        async |query: &str| list(&own, &format!("/backup-jobs?{query}"), "BackupJobs").await.len();
    let other = volume.replace("vol-", "vol-f");
    for (query, jobs) in [
        ("state=COMPLETED".to_owned(), 2),
        ("state=FAILED".to_owned(), 1),
        (format!("resourceArn={volume}"), 3),
        (format!("resourceArn={other}"), 0),
        ("resourceType=EBS".to_owned(), 3),
        ("resourceType=RDS".to_owned(), 0),
        (format!("backupVaultName={VAULT}"), 3),
        ("messageCategory=SUCCESS".to_owned(), 2),
        ("createdAfter=2026-01-02T00:00:00Z".to_owned(), 2),
        ("createdBefore=2026-01-02T00:00:00Z".to_owned(), 1),
        ("createdAfter=2026-01-02T00:00:00Z&state=FAILED".to_owned(), 1),
        ("completeBefore=2026-01-01T05:00:30Z".to_owned(), 0),
        ("parentJobId=1".to_owned(), 0),
    ] {
        assert_eq!(count(&query).await, jobs, "{query}");
    }
    nights::pass(&simulator, 28);
    assert_eq!(count("").await, 30);
    let failed = list(&own, "/backup-jobs?state=FAILED", "BackupJobs").await;
    assert_eq!(failed[0]["StatusMessage"], "Something went wrong.");
}

#[tokio::test]
async fn every_list_comes_in_pages() {
    let (simulator, client, account, volume) = backed_up(Settings::default(), 2).await;
    let plan = json!({ "BackupPlanName": "own", "Rules": [] });
    let selection =
        |name: &str| json!({ "SelectionName": name, "IamRoleArn": "arn:aws:iam::1:role/x" });
    let id = simulator.backup(|it| {
        for id in ["first", "second"] {
            let job = simulator::RestoreJob::test("EBS", &volume);
            it.restore_jobs_mut().create(&account, REGION, id, job);
        }
        it.vaults_mut().create(&account, REGION, simulator::Vault::new("another"));
        let all = [selection("a"), selection("b")];
        it.plans_mut().create(&account, REGION, plan, &all)
    });
    let other = volume.replace("vol-", "vol-f");
    simulator.put_resource(nights::resource(&other, &account, REGION, "gold"));
    nights::pass(&simulator, 1);
    let client = client.key(&account);
    let lists = [
        ("/backup-jobs".to_owned(), "BackupJobs", 4),
        ("/copy-jobs".to_owned(), "CopyJobs", 4),
        ("/restore-jobs".to_owned(), "RestoreJobs", 2),
        ("/resources".to_owned(), "Results", 2),
        (format!("/backup-vaults/{VAULT}/recovery-points"), "RecoveryPoints", 4),
        (format!("/resources/{}/recovery-points", encoded(&volume)), "RecoveryPoints", 3),
        ("/backup-vaults".to_owned(), "BackupVaultList", 2),
        ("/backup/plans".to_owned(), "BackupPlansList", 2),
        (format!("/backup/plans/{id}/selections"), "BackupSelectionsList", 2),
    ];
    for (path, name, count) in &lists {
        let whole = list(&client, path, name).await;
        assert_eq!(whole.len(), *count, "{path}");
        for empty in [false, true] {
            simulator.settings(|it| it.empty_pages = empty);
            let (mut found, mut token, mut pages) = (Vec::new(), String::new(), 0);
            while pages == 0 || !token.is_empty() {
                let reply = get(&client, &format!("{path}?maxResults=1{token}")).await.json();
                found.extend(reply[*name].as_array().unwrap().clone());
                let next = reply["NextToken"].as_str();
                token = next.map(|it| format!("&nextToken={it}")).unwrap_or_default();
                pages += 1;
            }
            assert_eq!(found, whole, "{path}");
            assert_eq!(pages, count * if empty { 2 } else { 1 }, "{path}");
        }
        simulator.settings(|it| it.empty_pages = false);
        for wrong in ["maxResults=0", "maxResults=1001", "nextToken=x"] {
            let reply = get(&client, &format!("{path}?{wrong}")).await;
            assert_eq!(reply.code(), "InvalidParameterValueException", "{path} {wrong}");
        }
    }
}

fn encoded(arn: &str) -> String {
    arn.replace(':', "%3A").replace('/', "%2F")
}

#[tokio::test]
async fn a_role_has_to_be_allowed_each_of_these_calls() {
    let (simulator, client, account, volume) = backed_up(Settings::default(), 1).await;
    let plan = json!({ "BackupPlanName": "own", "Rules": [] });
    let selection = json!({ "SelectionName": "a", "IamRoleArn": "arn:aws:iam::1:role/x" });
    let plan = simulator.backup(|it| it.plans_mut().create(&account, REGION, plan, &[selection]));
    simulator.explorer(|it| it.put(&account, REGION, ExplorerView::organization("all")));
    let plan_arn = format!("arn:aws:backup:{REGION}:{account}:backup-plan:{plan}");
    let vault = format!("arn:aws:backup:{REGION}:{account}:backup-vault:{VAULT}");
    let selections = format!("/backup/plans/{plan}/selections");
    let selection = list(&client.key(&account), &selections, "BackupSelectionsList").await;
    let selection = format!("{selections}/{}", selection[0]["SelectionId"].as_str().unwrap());
    let view = explore(&client.key(&account), "GetDefaultView", &json!({})).await.json();
    let view_arn = view["ViewArn"].as_str().unwrap().to_owned();
    let rest = |path: &str| (path.to_owned(), Value::Null);
    for (actions, resource, (path, body)) in [
        (&["backup:ListBackupJobs"][..], "*", rest("/backup-jobs")),
        (&["backup:ListCopyJobs"], "*", rest("/copy-jobs")),
        (&["backup:ListRestoreJobs"], "*", rest("/restore-jobs")),
        (&["backup:ListProtectedResources"], "*", rest("/resources")),
        (&["backup:ListBackupVaults"], "*", rest("/backup-vaults")),
        (
            &["backup:ListRecoveryPointsByBackupVault"],
            vault.as_str(),
            rest(&format!("/backup-vaults/{VAULT}/recovery-points")),
        ),
        (
            &["backup:ListRecoveryPointsByResource"],
            "*",
            rest(&format!("/resources/{}/recovery-points", encoded(&volume))),
        ),
        (&["backup:ListBackupPlans"], "*", rest("/backup/plans")),
        (&["backup:GetBackupPlan"], plan_arn.as_str(), rest(&format!("/backup/plans/{plan}"))),
        (&["backup:ListBackupSelections"], plan_arn.as_str(), rest(&selections)),
        (&["backup:GetBackupSelection"], plan_arn.as_str(), rest(&selection)),
        (&["tag:GetResources"], "*", ("tagging".to_owned(), json!({}))),
        (&["resource-explorer-2:GetDefaultView"], "*", ("GetDefaultView".to_owned(), json!({}))),
        (&["resource-explorer-2:ListViews"], "*", ("ListViews".to_owned(), json!({}))),
        (&["resource-explorer-2:GetView"], view_arn.as_str(), ("GetView".to_owned(), view.clone())),
        (
            &["resource-explorer-2:ListResources", "resource-explorer-2:Search"],
            view_arn.as_str(),
            ("ListResources".to_owned(), json!({})),
        ),
    ] {
        let ask = async |allowed: &[&str], resource: &str| {
            let policy = json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Action": allowed, "Resource": resource },
            ] });
            let role = Role::trusting_account("reader", MANAGEMENT).allowing(&policy);
            simulator.iam(|it| it.create_role(&account, role));
            let key = simulator.session(&format!("arn:aws:iam::{account}:role/reader"), "night");
            let client = client.key(&key);
            match path.as_str() {
                "tagging" => tagged(&client, &body).await,
                path if body.is_null() => get(&client, path).await,
                operation => explore(&client, operation, &body).await,
            }
        };
        let allowed = ask(actions, resource).await;
        assert_eq!(allowed.status, 200, "{path}: {}", allowed.body);
        let refused = ask(&["backup:DescribeBackupVault"], "*").await;
        assert_eq!(refused.code(), "AccessDeniedException", "{path}");
        assert!(refused.body.contains(actions[0]), "{path}: {}", refused.body);
        if resource != "*" {
            let other = ask(actions, "arn:aws:backup:us-east-1:1:backup-plan:other").await;
            assert_eq!(other.code(), "AccessDeniedException", "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_in_a_vault_that_is_deleted_is_gone_and_its_jobs_fail() {
    let (simulator, client, account, _) = backed_up(Settings::default(), 1).await;
    let own = client.key(&account);
    simulator.backup(|it| it.vaults_mut().delete(&account, REGION, VAULT));
    assert_eq!(list(&own, "/resources", "Results").await, Vec::<Value>::new());
    let points = get(&own, &format!("/backup-vaults/{VAULT}/recovery-points")).await;
    assert_eq!((points.status, points.code()), (403, "AccessDeniedException".to_owned()));
    nights::pass(&simulator, 1);
    let jobs = list(&own, "/backup-jobs", "BackupJobs").await;
    assert_eq!(jobs[0]["StatusMessage"], "Backup vault does not exist.");
    let vault = simulator::Vault::new(VAULT);
    simulator.backup(|it| it.vaults_mut().create(&account, REGION, vault));
    nights::pass(&simulator, 1);
    let states = list(&own, "/backup-jobs", "BackupJobs").await;
    let states: Vec<_> = states.iter().map(|it| it["State"].as_str().unwrap()).collect();
    assert_eq!(states, ["COMPLETED", "FAILED", "COMPLETED"]);
    assert_eq!(list(&own, "/resources", "Results").await.len(), 1);
}

#[tokio::test]
async fn the_policy_that_counts_is_the_one_in_force() {
    let (simulator, client, account, _) = backed_up(Settings::default(), 1).await;
    let jobs = async || list(&client.key(&account), "/backup-jobs", "BackupJobs").await.len();
    simulator.organization(|it| {
        let (root, id) = (it.root.clone(), it.policy_named("nightly").unwrap().id.clone());
        it.detach_policy(&id, &root).unwrap();
    });
    nights::pass(&simulator, 2);
    assert_eq!(jobs().await, 1);
    simulator.organization(|it| {
        let (root, id) = (it.root.clone(), it.policy_named("nightly").unwrap().id.clone());
        it.attach_policy(&id, &root).unwrap();
    });
    nights::pass(&simulator, 1);
    assert_eq!(jobs().await, 2);
}

#[tokio::test]
async fn the_tagging_api_tells_of_what_has_or_had_a_tag() {
    let (simulator, client, account, volume) = backed_up(Settings::default(), 0).await;
    let put = |arn: &str, region: &str, tier: &str| {
        simulator.put_resource(nights::resource(arn, &account, region, tier));
    };
    let (untagged, once) = (volume.replace("vol-", "vol-e"), volume.replace("vol-", "vol-f"));
    put(&untagged, REGION, "");
    put(&once, REGION, "silver");
    put(&once, REGION, "");
    put(&nights::volume(&account, ELSEWHERE), ELSEWHERE, "gold");
    let client = client.key(&account);
    let found = async |request: Value| {
        let reply = tagged(&client, &request).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        arns(&reply.json()["ResourceTagMappingList"], "ResourceARN")
    };
    let both = [volume.clone(), once.clone()];
    assert_eq!(found(json!({})).await, both);
    assert_eq!(found(json!({ "ResourceTypeFilters": ["ec2"] })).await, both);
    assert_eq!(found(json!({ "ResourceTypeFilters": ["ec2:instance"] })).await, [""; 0]);
    let tiers = |values: &[&str]| json!({ "TagFilters": [{ "Key": "tier", "Values": values }] });
    assert_eq!(found(tiers(&[])).await, std::slice::from_ref(&volume));
    assert_eq!(found(tiers(&["silver"])).await, [""; 0]);
    assert_eq!(
        found(json!({ "ResourceARNList": [once, untagged] })).await,
        std::slice::from_ref(&once)
    );
    let page = tagged(&client, &json!({ "ResourcesPerPage": 1 })).await.json();
    assert_eq!(arns(&page["ResourceTagMappingList"], "ResourceARN"), [volume]);
    let token = page["PaginationToken"].as_str().unwrap();
    let page = tagged(&client, &json!({ "ResourcesPerPage": 1, "PaginationToken": token })).await;
    let page = page.json();
    assert_eq!(page["ResourceTagMappingList"], json!([{ "ResourceARN": once, "Tags": [] }]));
    assert_eq!(page["PaginationToken"], "");
}

#[tokio::test]
async fn resource_explorer_tells_of_every_resource_of_the_organization() {
    let (simulator, client, account, volume) = backed_up(Settings::default(), 0).await;
    let untagged = nights::volume(&account, ELSEWHERE);
    simulator.put_resource(nights::resource(&untagged, &account, ELSEWHERE, ""));
    let own = nights::volume(MANAGEMENT, REGION);
    simulator.put_resource(nights::resource(&own, MANAGEMENT, REGION, "silver"));
    let refused = explore(&client, "ListResources", &json!({})).await;
    assert_eq!((refused.status, refused.code()), (401, "UnauthorizedException".to_owned()));
    let view = ExplorerView { has_tags: false, ..ExplorerView::organization("plain") };
    simulator.explorer(|it| {
        it.put(MANAGEMENT, REGION, ExplorerView::organization("everything"));
        it.put(MANAGEMENT, REGION, ExplorerView { is_default: false, ..view });
        let own = ExplorerView { is_organization: false, ..ExplorerView::organization("own") };
        it.put(MANAGEMENT, ELSEWHERE, own);
    });
    let found = async |region: &str, request: Value| {
        let reply = explore(&client.region(region), "ListResources", &request).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    };
    let all = found(REGION, json!({})).await;
    let mut expected = [volume.clone(), untagged.clone(), own.clone()];
    expected.sort();
    assert_eq!(arns(&all["Resources"], "Arn"), expected);
    let of = |arn: &str| {
        let all = all["Resources"].as_array().unwrap();
        all.iter().find(|it| it["Arn"] == arn).unwrap().clone()
    };
    assert_eq!(of(&volume)["ResourceType"], "ec2:volume");
    assert_eq!(of(&volume)["OwningAccountId"], json!(account));
    assert_eq!(of(&volume)["Properties"][0]["Data"], json!([{ "Key": "tier", "Value": "gold" }]));
    assert_eq!(of(&untagged)["Properties"], json!([]));
    // The ARN of the view says which one it is, and not what it tells.
    let views = explore(&client, "ListViews", &json!({})).await.json();
    let plain = views["Views"].as_array().unwrap().iter();
    let plain = plain.clone().find(|it| it.as_str().unwrap().contains("/plain/")).unwrap();
    let without = found(REGION, json!({ "ViewArn": plain })).await;
    let properties = without["Resources"].as_array().unwrap().iter();
    assert!(properties.clone().all(|it| it["Properties"] == json!([])));
    let described = explore(&client, "GetView", &json!({ "ViewArn": plain })).await.json();
    assert_eq!(described["View"]["IncludedProperties"], json!([]));
    let filter = |it: &str| json!({ "Filters": { "FilterString": it } });
    for (text, count) in [
        ("tag:none", 1),
        ("-tag:none region:us-*", 2),
        ("resourcetype:ec2:volume,s3:bucket", 3),
        ("service:rds", 0),
        ("tag:tier=gold", 1),
    ] {
        let found = found(REGION, filter(text)).await;
        assert_eq!(found["Resources"].as_array().unwrap().len(), count, "{text}");
    }
    let wrong = explore(&client, "ListResources", &filter("volumes")).await;
    assert_eq!(wrong.code(), "ValidationException");
    assert_eq!(arns(&found(ELSEWHERE, json!({})).await["Resources"], "Arn"), [own]);
    let page = found(REGION, json!({ "MaxResults": 2 })).await;
    assert_eq!(page["Resources"].as_array().unwrap().len(), 2);
    let next = found(REGION, json!({ "MaxResults": 2, "NextToken": page["NextToken"] })).await;
    assert_eq!((next["Resources"].as_array().unwrap().len(), next.get("NextToken")), (1, None));
    simulator.settings(|it| it.page_size = 1);
    let most = found(REGION, json!({ "MaxResults": 1000 })).await;
    assert_eq!(most.get("NextToken"), None, "AWS gives no token with the largest page");
}

#[tokio::test]
async fn other_processes_may_put_resources_and_let_time_go_by() {
    let (simulator, client) = start(Settings::default()).await;
    let account = member(&simulator);
    nights::protect(&simulator, &[REGION]);
    let ask = async |method: &str, path: &str, body: Value| {
        client.rest("", method, &format!("/_simulator/{path}"), &body.to_string()).await
    };
    let volume = nights::volume(&account, REGION);
    let mut resource = json!({
        "arn": volume, "type": "EBS", "account": account, "region": REGION,
        "tags": { "tier": "silver" },
    });
    assert_eq!(ask("PUT", "resources", resource.clone()).await.status, 200);
    let clock = ask("POST", "clock", json!({ "until": "2026-02-01T06:00:00Z" })).await.json();
    assert_eq!(clock["now"], 1_769_925_600.0);
    let backups = async || ask("GET", "backups", Value::Null).await.json();
    assert_eq!(backups().await["jobs"], json!([]));
    resource["tags"]["tier"] = json!("gold");
    assert_eq!(ask("PUT", "resources", resource).await.status, 200);
    let failing = json!({ "resource": volume, "hours": 24 });
    assert_eq!(ask("POST", "backup-failures", failing).await.status, 200);
    assert_eq!(ask("POST", "clock", json!({ "hours": 48 })).await.status, 200);
    let done = backups().await;
    let states: Vec<_> = done["jobs"].as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert_eq!(states, [&json!("FAILED"), &json!("COMPLETED")]);
    assert_eq!(done["recoveryPoints"].as_array().unwrap().len(), 2);
    assert_eq!(done["copyJobs"][0]["state"], "COMPLETED");
    let listed = ask("GET", "resources", Value::Null).await.json();
    assert_eq!((&listed[0]["arn"], &listed[0]["tags"]["tier"]), (&json!(volume), &json!("gold")));
    let view = json!({
        "account": MANAGEMENT, "region": REGION, "name": "all", "organization": true, "tags": true,
    });
    assert_eq!(ask("PUT", "explorer-views", view).await.status, 200);
    let seen = explore(&client, "ListResources", &json!({})).await.json();
    assert_eq!(arns(&seen["Resources"], "Arn"), std::slice::from_ref(&volume));
    let plan = json!({ "BackupPlanName": "own", "Rules": [] });
    let plan = json!({ "account": account, "region": REGION, "plan": plan });
    let id = ask("POST", "backup-plans", plan).await.json()["id"].clone();
    let plans = list(&client.key(&account), "/backup/plans", "BackupPlansList").await;
    assert_eq!(plans[0]["BackupPlanId"], id);
    let part = json!({ "account": account, "region": REGION, "name": "subnet-1" });
    assert_eq!(ask("PUT", "parts", part).await.status, 200);
    let failing = json!({ "resource": volume, "hours": 1, "jobs": "restores" });
    assert_eq!(ask("POST", "backup-failures", failing).await.status, 200);
    assert_eq!(ask("DELETE", "resources", json!({ "arn": volume })).await.status, 200);
    let lost = json!({ "account": account, "resourcesOnly": true });
    assert_eq!(ask("DELETE", "accounts", lost).await.json()["deleted"], json!([]));
    assert_eq!(ask("DELETE", "accounts", json!({ "account": account })).await.status, 200);
    assert_eq!(backups().await["recoveryPoints"].as_array().unwrap().len(), 1);
    for (method, path, body, why) in [
        ("DELETE", "resources", json!({ "arn": volume }), "there is no resource"),
        ("PUT", "resources", json!({ "arn": volume }), "missing field"),
        ("POST", "clock", json!({ "until": "noon" }), "`noon` is no moment"),
        ("PATCH", "clock", json!({}), "cannot be asked with PATCH"),
    ] {
        let reply = ask(method, path, body).await;
        assert_eq!(reply.status, 400, "{method} {path}");
        assert!(reply.body.contains(why), "{}", reply.body);
    }
}
