//! What is seen of member accounts: their Regions, vaults, keys and roles, and who may become whom.

use serde_json::{Value, json};
use simulator::{AccountState, KeyType, Role, Settings, Simulator, Vault};

use super::{active, start};
use crate::support::{Client, Reply};

const MANAGEMENT: &str = "111122223333";

/// Asks for a session of a role of `account`, with these parameters more.
async fn assume(client: &Client, account: &str, more: &[(&str, &str)]) -> Reply {
    let role = format!("arn:aws:iam::{account}:role/member");
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "AssumeRole").append_pair("Version", "2011-06-15");
    form.append_pair("RoleArn", &role).append_pair("RoleSessionName", "night");
    form.extend_pairs(more);
    client.form("sts", &form.finish()).await
}

/// The client of a session of that role.
async fn member(client: &Client, account: &str, more: &[(&str, &str)]) -> Client {
    let reply = assume(client, account, more).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let key = reply.body.split("<AccessKeyId>").nth(1).unwrap().split('<').next().unwrap();
    client.key(key)
}

fn trust(principal: Value, condition: Value) -> Value {
    let statement = json!({
        "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole",
        "Condition": condition,
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn allow(actions: &[&str], resource: &str) -> Value {
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn trusting(simulator: &Simulator, account: &str) {
    let role = Role::trusting_account("member", MANAGEMENT);
    simulator.iam(|it| it.create_role(account, role));
}

async fn describe(client: &Client) -> Reply {
    client.rest("backup", "GET", "/account-settings", "").await
}

#[tokio::test]
async fn settings_belong_to_the_account_of_the_session_and_the_region_of_the_call() {
    let (simulator, client) = start(Settings::default()).await;
    let account = active(&simulator);
    trusting(&simulator, &account);
    let member = member(&client, &account, &[]).await.region("eu-west-3");
    let body = r#"{"ResourceTypeOptInPreference":{"EBS":true}}"#;
    assert_eq!(member.rest("backup", "PUT", "/account-settings", body).await.status, 200);
    let opt_in = |reply: &Reply| reply.json()["ResourceTypeOptInPreference"]["EBS"].clone();
    assert_eq!(opt_in(&describe(&member).await), json!(true));
    assert_eq!(opt_in(&describe(&member.region("eu-west-1")).await), json!(false));
    assert_eq!(opt_in(&describe(&client.region("eu-west-3")).await), json!(false));
}

#[tokio::test]
async fn a_type_that_a_region_does_not_know_refuses_the_whole_call() {
    let (simulator, client) = start(Settings::default()).await;
    let client = client.region("eu-west-3");
    let types = client.rest("backup", "GET", "/supported-resource-types", "").await.json();
    let types = types["ResourceTypes"].as_array().unwrap();
    assert!(types.contains(&json!("EBS")) && !types.contains(&json!("Timestream")));
    let body = r#"{"ResourceTypeOptInPreference":{"EBS":true,"Timestream":true}}"#;
    let reply = client.rest("backup", "PUT", "/account-settings", body).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "InvalidParameterValueException"));
    assert!(!simulator.backup(|it| it.region_settings(MANAGEMENT, "eu-west-3").opt_in["EBS"]));
}

#[tokio::test]
async fn a_vault_is_described_where_it_is() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.backup(|it| {
        let vault = Vault::new("daily").key("arn:aws:kms:$region:$account:key/mine");
        let vault = vault.key_type(KeyType::CustomerManaged).locked(Some(7), None);
        it.vaults_mut().create_everywhere(vault);
        it.vaults_mut().delete(MANAGEMENT, "eu-west-3", "daily");
    });
    let get = async |region: &str| {
        client.region(region).rest("backup", "GET", "/backup-vaults/daily", "").await
    };
    let vault = get("eu-west-1").await.json();
    assert_eq!(vault["EncryptionKeyArn"], "arn:aws:kms:eu-west-1:111122223333:key/mine");
    assert_eq!((&vault["MinRetentionDays"], vault.get("MaxRetentionDays")), (&json!(7), None));
    let missing = get("eu-west-3").await;
    assert_eq!((missing.status, missing.code().as_str()), (403, "AccessDeniedException"));
}

#[tokio::test]
async fn a_role_tells_whom_it_trusts_in_the_letters_of_an_address() {
    let (simulator, client) = start(Settings::default()).await;
    let account = active(&simulator);
    let condition = json!({ "StringEquals": { "aws:SourceAccount": "$account" } });
    let trust = trust(json!({ "Service": "backup.amazonaws.com" }), condition);
    simulator.iam(|it| it.create_role_everywhere(Role::new("backup", &trust)));
    let form = "Action=GetRole&Version=2010-05-08&RoleName=backup";
    let reply = client.key(&account).form("iam", form).await;
    let text = reply.body.split("<AssumeRolePolicyDocument>").nth(1).unwrap();
    let text = text.split('<').next().unwrap();
    assert!(text.starts_with("%7B") && !text.contains('"'));
    let text = format!("policy={text}");
    let (_, text) = url::form_urlencoded::parse(text.as_bytes()).next().unwrap();
    let read: Value = serde_json::from_str(&text).unwrap();
    let source = &read["Statement"][0]["Condition"]["StringEquals"]["aws:SourceAccount"];
    assert_eq!(source, &json!(account));
    let missing = client.form("iam", &form.replace("backup", "nobody")).await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "NoSuchEntity"));
}

#[tokio::test]
async fn a_disabled_region_knows_no_credentials_and_a_denied_one_lets_nobody_in() {
    let (simulator, client) = start(Settings::default()).await;
    let account = active(&simulator);
    trusting(&simulator, &account);
    simulator.regions(|it| {
        it.disable(&account, "ap-east-1");
        it.deny(&account, "sa-east-1");
        it.deny(MANAGEMENT, "sa-east-1");
    });
    let member = member(&client, &account, &[]).await;
    for (region, code) in
        [("ap-east-1", "UnrecognizedClientException"), ("sa-east-1", "AccessDeniedException")]
    {
        let reply = describe(&member.region(region)).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, code));
        // Service control policies are nothing to the management account.
        assert_eq!(describe(&client.region(region)).await.status, 200, "{region}");
    }
    assert_eq!(describe(&member.region("eu-west-1")).await.status, 200);
    simulator.regions(|it| it.enable(&account, "ap-east-1"));
    assert_eq!(describe(&member.region("ap-east-1")).await.status, 200);
}

#[tokio::test]
async fn a_role_that_is_missing_or_in_an_account_out_of_use_is_refused_alike() {
    let (simulator, client) = start(Settings::default()).await;
    let account = active(&simulator);
    let denied = async |account: &str| {
        let reply = assume(&client, account, &[]).await;
        (reply.status, reply.code()) == (403, "AccessDenied".to_owned())
    };
    assert!(denied(&account).await, "there is no role");
    trusting(&simulator, &account);
    assert!(!denied(&account).await, "the role was made later");
    simulator.organization(|it| it.set_account_state(&account, AccountState::Suspended));
    assert!(denied(&account).await, "the account is suspended");
    trusting(&simulator, "999999999999");
    assert!(denied("999999999999").await, "the account is a stranger's");
}

#[tokio::test]
async fn a_role_lets_in_only_whom_it_trusts() {
    let (simulator, client) = start(Settings::default()).await;
    let account = active(&simulator);
    let organization = simulator.organization(|it| it.id.clone());
    let lambda = "arn:aws:iam::111122223333:role/member-accounts";
    simulator.iam(|it| {
        it.create_role(MANAGEMENT, Role::trusting_account("member-accounts", MANAGEMENT));
    });
    let function = client.key(&simulator.session(lambda, "function"));
    let arn = |it: &str| json!({ "ArnEquals": { "aws:PrincipalArn": it } });
    let of = |it: &str| json!({ "StringEquals": { "aws:PrincipalOrgID": it } });
    for (principal, condition, by_function, by_user) in [
        (json!({ "AWS": lambda }), of(&organization), true, false),
        (json!({ "AWS": lambda }), of("o-strangers0"), false, false),
        (json!({ "AWS": MANAGEMENT }), arn(lambda), true, false),
        (json!({ "AWS": "arn:aws:iam::111122223333:root" }), json!({}), true, true),
        (json!({ "AWS": "444455556666" }), json!({}), false, false),
        (json!({ "Service": "backup.amazonaws.com" }), json!({}), false, false),
    ] {
        let role = Role::new("member", &trust(principal.clone(), condition));
        simulator.iam(|it| it.create_role(&account, role));
        let lets_in = async |client: &Client| assume(client, &account, &[]).await.status == 200;
        assert_eq!(lets_in(&function).await, by_function, "{principal}");
        assert_eq!(lets_in(&client).await, by_user, "{principal}");
    }
}

#[tokio::test]
async fn a_session_may_do_what_both_the_role_and_its_own_policy_allow() {
    let (simulator, client) = start(Settings::default()).await;
    let account = active(&simulator);
    let settings = ["backup:DescribeRegionSettings", "backup:GetSupportedResourceTypes"];
    let role = Role::trusting_account("member", MANAGEMENT).allowing(&allow(&settings, "*"));
    simulator.iam(|it| it.create_role(&account, role));
    let policy = allow(&["backup:DescribeRegionSettings", "iam:GetRole"], "*").to_string();
    let limited = member(&client, &account, &[("Policy", &policy)]).await;
    assert_eq!(describe(&limited).await.status, 200);
    let reply = limited.rest("backup", "GET", "/supported-resource-types", "").await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "AccessDeniedException"));
    assert!(reply.body.contains("no session policy allows the backup:GetSupportedResourceTypes"));
    let reply = limited.form("iam", "Action=GetRole&Version=2010-05-08&RoleName=member").await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "AccessDenied"));
    assert!(reply.body.contains("no identity-based policy allows the iam:GetRole action"));
    let whole = member(&client, &account, &[]).await;
    let reply = whole.rest("backup", "GET", "/supported-resource-types", "").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_chained_session_lasts_no_longer_than_an_hour() {
    let (simulator, client) = start(Settings::default()).await;
    let account = active(&simulator);
    let role = Role::trusting_account("member", MANAGEMENT).max_session(7_200);
    simulator.iam(|it| {
        it.create_role(&account, role);
        it.create_role(MANAGEMENT, Role::trusting_account("function", MANAGEMENT));
    });
    let function = simulator.session("arn:aws:iam::111122223333:role/function", "function");
    let long = [("DurationSeconds", "7200")];
    assert_eq!(assume(&client, &account, &long).await.status, 200);
    let reply = assume(&client.key(&function), &account, &long).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "ValidationError"));
}

#[tokio::test]
async fn a_session_policy_has_to_be_one() {
    let (simulator, client) = start(Settings::default()).await;
    let account = active(&simulator);
    trusting(&simulator, &account);
    let policy = [("Policy", r#"{"Statement":[{"Effect":"Perhaps"}]}"#)];
    let reply = assume(&client, &account, &policy).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "MalformedPolicyDocument"));
    let strange = json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": { "DateLessThan": { "aws:CurrentTime": "2027-01-01" } } } });
    assume(&client, &account, &[("Policy", &strange.to_string())]).await;
    let expected = "unknown error of AssumeRole: UnknownOperationException (the simulator does not \
                    know the condition operator `DateLessThan`)";
    assert_eq!(simulator.take_unknown_operations(), [expected]);
}

#[tokio::test]
async fn a_missing_object_is_told_only_to_those_who_may_list() {
    let (simulator, client) = start(Settings::default()).await;
    simulator.buckets(|it| it.create_bucket("state"));
    let read = allow(&["s3:GetObject"], "arn:aws:s3:::state/*");
    let role = Role::trusting_account("member", MANAGEMENT).allowing(&read);
    simulator.iam(|it| it.create_role(MANAGEMENT, role.clone()));
    let reader = client.key(&simulator.session("arn:aws:iam::111122223333:role/member", "night"));
    let get = async || {
        let reply = reader.rest("s3", "GET", "/state/missing.json", "").await;
        (reply.status, reply.code())
    };
    assert_eq!(get().await, (403, "AccessDenied".to_owned()));
    let list = allow(&["s3:ListBucket"], "arn:aws:s3:::state");
    simulator.iam(|it| it.create_role(MANAGEMENT, role.allowing(&list)));
    assert_eq!(get().await, (404, "NoSuchKey".to_owned()));
}
