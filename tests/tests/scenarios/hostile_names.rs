//! Hostile names: no message repeats the words that they try to add.

use std::fs;
use std::path::Path;
use std::time::Duration;

use page::plan;
use serde_json::{Value, json};
use simulator::{DataServices, Fault, Message, RestoreJob, Settings};
use tests::command::org_backup;
use tests::deploy::Release;
use tests::organization::{Organization, document};
use tests::reattach::{Reattach, TOPIC, told};
use tests::restored::{RestoreValidation, completed};
use tests::role::STATE_BUCKET;

use crate::report::{attach, protected};

/// A name that is a formula, a line, a command to a pipeline, an escape sequence, a mark of direction,
/// markup and a link, one after the other.
const HOSTILE: &str = "=1;=2\n::error::FORGED\n\rFORGED\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\u{200b}\
                       ##[error]FORGED</script>http://FORGED";

/// The same for what AWS wants in ASCII.
fn in_ascii() -> String {
    HOSTILE.chars().filter(char::is_ascii).collect()
}

/// Characters that do something and are not shown.
fn is_silent(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// Makes sure that a text has no lines but those of its own, and no character that is not shown.
#[track_caller]
pub(crate) fn is_harmless(text: &str) {
    for line in text.split('\n') {
        assert!(!line.contains(is_silent), "{line:?}\n{text}");
        let line = line.trim_start();
        assert!(!line.starts_with("::") && !line.starts_with("FORGED"), "{line:?}\n{text}");
        assert!(!line.contains("##"), "{line:?}\n{text}");
    }
}

/// The same for lines of JSON, which keep what was there.
#[track_caller]
fn is_harmless_json(text: &str) {
    is_harmless(text);
    for line in text.lines() {
        let _: Value = serde_json::from_str(line).unwrap_or_else(|it| panic!("{it}: {line}"));
    }
}

fn hostile_policy() -> Value {
    json!({ "plans": { HOSTILE: {
        "regions": { "@@assign": [HOSTILE] },
        "rules": { HOSTILE: {
            "schedule_expression": { "@@assign": format!("cron({HOSTILE})") },
            "target_backup_vault_name": { "@@assign": HOSTILE },
        } },
        HOSTILE: 1,
    } } })
}

#[tokio::test]
async fn no_name_in_a_document_is_a_line_or_a_command() {
    let organization = Organization::bare(Settings::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: &Value| {
        let file = folder.path().join(name);
        fs::write(&file, value.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let policy = write("::error::FORGED\nFORGED.json", &hostile_policy());
    let level = write("level.json", &json!([hostile_policy(), hostile_policy()]));
    let broken = write("broken.yaml", &json!(format!("{HOSTILE}: [")));
    let template = write(
        "template.json",
        &json!({ "Resources": { HOSTILE: {
            "Type": "Custom::BackupPolicy", "Properties": { "Content": hostile_policy(), HOSTILE: 1 },
        } } }),
    );
    let files = [&policy, &level, &broken, &template].map(String::as_str);
    let formats = ["text", "json", "gitlab", "sarif", "junit"].map(|it| vec!["--format", it]);
    for format in [vec![], vec!["--json"], vec!["--verbose"]].iter().chain(&formats) {
        let run =
            org_backup(&organization, &[&["check"], format.as_slice(), &files].concat()).await;
        assert_eq!(run.code, 1);
        is_harmless(&run.printed.concat());
    }
    let run =
        org_backup(&organization, &[&["check", "--format", "github"], &files[..]].concat()).await;
    let [commands, notes] = &run.printed;
    is_harmless(notes);
    for line in commands.lines() {
        let rest = line.strip_prefix("::error file=").or(line.strip_prefix("::warning file="));
        let (properties, message) = rest.unwrap().split_once("::").unwrap();
        assert!(properties.split(',').skip(1).all(|it| it.contains('=')), "{line}");
        is_harmless(message);
        is_harmless(properties);
    }
    for arguments in [
        &["effective", "--validate", &level][..],
        &["effective", "--validate", "--json", &level],
        &["effective", "--explain", &level],
        &["effective", "--explain", "--json", &level],
        &["effective", "--merged", &level],
        &["effective", "--previous", &broken, &level],
        &["effective", &policy],
        &["effective", &broken],
        &["effective", HOSTILE],
        &["check", HOSTILE],
        &["check", "--", HOSTILE],
        &["check", &format!("--{HOSTILE}")],
        &["check", "--format", HOSTILE, "a"],
        &[HOSTILE],
        &["plan", "--stack", HOSTILE],
        &["plan", "--template", &template],
        &["plan", "--template", &broken],
        &["plan", "--template", &template, "--parameters", HOSTILE, &format!("{HOSTILE}=1")],
        &["report", "--regions", HOSTILE],
        &["report", "--member-role", HOSTILE],
    ] {
        let run = org_backup(&organization, arguments).await;
        is_harmless(&run.printed.concat());
    }
}

/// An organization in which everything that can have a name has a hostile one.
async fn named() -> Organization {
    let organization = protected().await;
    organization.topics(|it| it.create(TOPIC));
    organization.organization(|it| {
        let root = it.root.clone();
        let unit = it.create_unit(&root, HOSTILE, &[]).unwrap();
        let _ = it.create_account(HOSTILE, "hostile@example.com", &[]).unwrap();
        let account = it.accounts().find(|it| it.name == HOSTILE).unwrap().id.clone();
        it.move_account(&account, &root, &unit).unwrap();
    });
    let mut content = plan("hostile", &["eu-west-1"], 35);
    let tagged = &mut content["plans"]["hostile"]["selections"]["tags"]["tagged"];
    tagged["tag_value"] = json!({ "@@assign": [HOSTILE] });
    attach(&organization, &in_ascii(), &content, "root");
    organization
}

#[tokio::test]
async fn no_name_in_an_organization_is_told_raw() {
    let organization = named().await;
    let mut stack = organization.stack("backup-policy").named("Hostile").kept();
    let name = format!("other {}", in_ascii());
    let properties = json!({ "Name": name, "Content": document(5), "TargetIds": ["root"] });
    let _ = stack.create(properties).await.ok();
    organization.organization(|it| {
        let policy = it.policy_named(&name).unwrap().id.clone();
        let root = it.root.clone();
        it.detach_policy(&policy, &root).unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let page = page.to_str().unwrap();
    for arguments in [
        &["report"][..],
        &["report", "--missing"],
        &["report", "--json"],
        &["report", "--html", page],
        &["plan"],
        &["plan", "--json"],
        &["doctor"],
        &["doctor", "--json"],
    ] {
        let run = org_backup(&organization, arguments).await;
        assert!(!run.printed[0].is_empty(), "{}", run.notes);
        // The columns of the report have tabs between them, and nothing else has one.
        let is_tabbed = |it: &&str| arguments[0] == "report" && it.matches('\t').count() == 11;
        let (rows, lines): (Vec<_>, Vec<_>) = run.printed[0].lines().partition(is_tabbed);
        is_harmless(&rows.join("\n").replace('\t', "\n"));
        is_harmless(&lines.join("\n"));
        is_harmless(&run.printed[1]);
    }
    is_harmless_page(&fs::read_to_string(page).unwrap());
    let run = org_backup(&organization, &["report", "--csv"]).await;
    is_harmless(&run.printed[0]);
    assert!(run.printed[0].contains("'=1;'=2"), "{}", run.printed[0]);
    let fields = run.printed[0].lines().flat_map(|it| it.split("\",\""));
    for cell in fields.flat_map(|it| it.split([';', ','])) {
        let cell = cell.trim_start_matches(['"', ' ']);
        assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
    }
}

/// Makes sure that a page shows no name as something else, with its script as well.
#[track_caller]
fn is_harmless_page(page: &str) {
    let (_, data) = page.split_once("id=\"data\"").unwrap();
    let (_, data) = data.split_once('>').unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    assert!(!data.contains('<'), "{data}");
    is_harmless(data);
    let data: Value = serde_json::from_str(data).unwrap();
    every_text(&data, &|it| {
        assert!(!it.contains('\n'), "{it:?}");
        is_harmless(it);
    });
}

fn every_text(value: &Value, check: &impl Fn(&str)) {
    match value {
        Value::String(it) => check(it),
        Value::Array(items) => {
            for it in items {
                every_text(it, check);
            }
        }
        Value::Object(members) => {
            for (key, it) in members {
                check(key);
                every_text(it, check);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn no_name_or_reason_is_a_line_of_a_log_an_answer_or_a_mail() {
    let organization = named().await;
    let mut stack = organization.stack("backup-policy").named("Hostile").kept();
    // A policy of that name is there, and is not ours.
    let properties = json!({ "Name": in_ascii(), "Content": document(5), "TargetIds": ["root"] });
    let refused = stack.create(properties).await.reason();
    assert!(refused.contains("FORGED"), "{refused}");
    is_harmless(&refused);
    let name = format!("other {}", in_ascii());
    let mut stack = organization.stack("backup-policy").named("Other").kept();
    let properties = json!({ "Name": name, "Content": document(5), "TargetIds": ["root"] });
    let _ = stack.create(properties).await.ok();
    is_harmless_json(&stack.logs);

    let reattach = Reattach::start(&organization, "Repair").await;
    let policy = organization.organization(|it| it.policy_named(&name).unwrap().id.clone());
    let root = organization.id("root");
    let detach = || organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
    detach();
    let mut event = told("DetachPolicy", &json!({ "policyId": policy, "targetId": HOSTILE }));
    event["detail"]["sourceIPAddress"] = json!(HOSTILE);
    event["detail"]["userIdentity"]["arn"] = json!(HOSTILE);
    let _ = reattach.deliver(&[event.clone(), json!(HOSTILE)]).await;
    event["detail"]["eventName"] = json!(HOSTILE);
    let _ = reattach.deliver(&[event.clone()]).await;
    detach();
    organization.fail(Fault::error("AttachPolicy", HOSTILE));
    event["detail"]["eventName"] = json!("DetachPolicy");
    event["detail"]["eventTime"] = json!(format!("2100-01-01T00:00:00Z{HOSTILE}"));
    let _ = reattach.deliver(&[event]).await;
    let _ = reattach.sweep().await;
    let told = organization.topics(|it| it.messages().to_vec());
    assert_eq!(told.len(), 3, "{told:?}");
    for Message { subject, text, .. } in told {
        let subject = subject.unwrap();
        assert!(!subject.contains(is_silent), "{subject}");
        is_harmless(&text);
        assert!(!text.contains("://"), "{text}");
    }
    is_harmless_json(&reattach.logs());
    is_harmless_page(&organization.object(STATE_BUCKET, "reports/organization.html").unwrap());
}

#[tokio::test]
async fn no_word_of_a_restore_is_a_line_of_a_log() {
    let organization = Organization::bare(Settings::default()).await;
    let services = DataServices::start(&organization).await.unwrap();
    let function = RestoreValidation::start(&organization, &services).await;
    let job = RestoreJob::test(HOSTILE, HOSTILE);
    let mut failed = completed("job-1", &job);
    failed["detail"]["status"] = json!("FAILED");
    failed["detail"]["statusMessage"] = json!(HOSTILE);
    let _ = function.hear(&failed, Duration::from_mins(1)).await;
    let _ = function.test("job-2", job).await;
    is_harmless_json(&function.logs());
    let (_, message) = function.result("job-2").unwrap();
    is_harmless(&message);
}

#[test]
fn no_value_of_a_parameter_file_or_word_of_aws_is_a_line_of_the_deployment() {
    let release = Release::new();
    let text = |it: &str| toml::Value::String(it.to_owned()).to_string();
    let value = text(HOSTILE);
    let file = |region: &str, more: &str| {
        format!(
            "ManagementAccountId = \"111122223333\"\nOrganizationId = \"o-a1b2c3d4e5\"\n\
             Region = {region}\nCentralVaultArn = \
             \"arn:aws:backup:eu-west-1:444455556666:backup-vault:central\"\n{more}\n[Buckets]\n\
             us-east-1 = \"artifacts-of-ours\"\n[backup-policies]\n"
        )
    };
    let wrong = file(&value, &format!("{value} = 1"));
    release.write("wrong.toml", &wrong);
    release.write("broken.toml", &format!("a = \"{}\"", "\u{1b}[2J"));
    release.write("policies.toml", &(file("\"us-east-1\"", "") + &format!("Name = {value}\n")));
    let hostile = release.path(&format!("{}.toml", HOSTILE.replace('/', "")));
    fs::write(&hostile, &wrong).unwrap();
    let profiles = format!("[Profiles]\n\"111122223333\" = {value}\n");
    release.write("good.toml", &(file("\"us-east-1\"", "") + &profiles));
    let path = |it: &Path| it.to_str().unwrap().to_owned();
    for arguments in [
        &["check", "wrong.toml"][..],
        &["check", "broken.toml"],
        &["check", "policies.toml"],
        &["check", &path(&hostile)],
        &["check", &path(&release.path("not\n::error::there"))],
        &["deploy", "good.toml", "--dry-run"],
        &["undeploy", "good.toml", "--dry-run"],
        &["undeploy", "good.toml"],
        &["deploy", "good.toml"],
    ] {
        let run = release.run(arguments);
        for it in [run.stdout, run.stderr] {
            is_harmless(&String::from_utf8(it).unwrap());
        }
    }
    // The changes name the values that somebody else gave a stack.
    release.write("plain.toml", &file("\"us-east-1\"", ""));
    release.succeed(&["deploy", "plain.toml"]);
    release.aws(|it| {
        for stack in it.stacks.values_mut() {
            stack.parameters.insert("LogLevel".to_owned(), HOSTILE.to_owned());
            stack.tags.insert(HOSTILE.to_owned(), HOSTILE.to_owned());
        }
    });
    let said = release.succeed(&["deploy", "plain.toml", "--dry-run"]);
    assert!(said.contains("  LogLevel: "), "{said}");
    is_harmless(&said);
}
