//! The requests of other processes to a simulator, in addition to AWS's operations.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::backup_engine::{BackedUp, History, Jobs, PointForm, Trouble};
use crate::core::Core;
use crate::explorer::ExplorerView;
use crate::fault::Fault;
use crate::organization::{Organization, clock};
use crate::reply::Reply;
use crate::reply::moment;
use crate::responses::response_id;

/// The prefix of every path of the simulator's own API.
pub(crate) const PREFIX: &str = "/_simulator/";
/// The prefix of every ResponseURL.
pub(crate) const RESPONSES: &str = "/_simulator/responses/";

/// The paths at which other processes change the resources that AWS Backup backs up, and let time
/// pass.
const CHANGES: [&str; 7] = [
    "/_simulator/accounts",
    "/_simulator/backup-failures",
    "/_simulator/backup-plans",
    "/_simulator/clock",
    "/_simulator/explorer-views",
    "/_simulator/parts",
    "/_simulator/resources",
];

pub(crate) fn answer(core: &mut Core, parts: &Parts, body: &[u8]) -> Reply {
    let path = parts.uri.path();
    let answer = match (&parts.method, path) {
        (&Method::GET, "/_simulator/health") => json!({ "status": "ok" }),
        (&Method::GET, "/_simulator/journal") => json!(core.journal.entries()),
        (&Method::DELETE, "/_simulator/journal") => {
            core.journal.clear();
            Value::Null
        }
        (&Method::GET, "/_simulator/unknown-operations") => json!(core.unknown),
        (&Method::POST, "/_simulator/faults") => match serde_json::from_slice::<Fault>(body) {
            Ok(fault) => {
                core.faults.add(fault);
                Value::Null
            }
            Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        (&Method::DELETE, "/_simulator/faults") => {
            core.faults.clear();
            Value::Null
        }
        (&Method::GET, "/_simulator/organization") => tree(core),
        (&Method::GET, "/_simulator/clock") => time(core),
        (&Method::GET, "/_simulator/resources") => resources(core),
        (&Method::GET, "/_simulator/backups") => backups(core),
        (method, _) if CHANGES.contains(&path) => match change(core, method, path, body) {
            Ok(answer) => answer,
            Err(why) => return refuse(StatusCode::BAD_REQUEST, &why),
        },
        (&Method::GET, _) if path.starts_with(RESPONSES) => {
            json!(core.responses.get(response_id(path)))
        }
        _ => return refuse(StatusCode::NOT_FOUND, "there is nothing here"),
    };
    Reply::new("application/json", answer.to_string())
}

/// A resource that can be backed up.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutResource {
    arn: String,
    /// The name that AWS Backup has for its type.
    r#type: String,
    account: String,
    region: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default = "one")]
    gigabytes: u64,
    /// Its settings, as restore metadata.
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

/// Something that resources are put into, such as a subnet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutPart {
    account: String,
    region: String,
    name: String,
}

/// An account that is lost, or its resources only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Lost {
    account: String,
    #[serde(default)]
    resources_only: bool,
}

fn one() -> u64 {
    1
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Named {
    arn: String,
}

/// The duration or the end of a passage of time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Advance {
    Hours(u16),
    Until(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Failing {
    resource: String,
    hours: u16,
    #[serde(default)]
    jobs: Jobs,
}

/// A plan that an account created itself, with the members of `CreateBackupPlan` and those of
/// `CreateBackupSelection`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OwnPlan {
    account: String,
    region: String,
    plan: Value,
    #[serde(default)]
    selections: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct View {
    account: String,
    region: String,
    name: String,
    /// True if the view covers the whole organization.
    organization: bool,
    /// True if the view shows tags.
    tags: bool,
}

/// Changes the resources that AWS Backup backs up, and lets time pass.
fn change(core: &mut Core, method: &Method, path: &str, body: &[u8]) -> Result<Value, String> {
    let world = &mut core.world;
    match (method, path) {
        (&Method::POST, "/_simulator/clock") => {
            match read(body)? {
                Advance::Hours(hours) => world.let_go_by(Duration::from_hours(hours.into())),
                Advance::Until(text) => {
                    let then = OffsetDateTime::parse(&text, &Rfc3339);
                    let then = then.map_err(|it| format!("`{text}` is no moment: {it}"))?;
                    world.let_go_by_until(then.into());
                }
            }
            Ok(time(core))
        }
        (&Method::PUT, "/_simulator/resources") => {
            let PutResource { arn, r#type: kind, account, region, tags, gigabytes, settings } =
                read(body)?;
            world.works.configure(&arn, settings);
            world.put_resource(BackedUp { arn, kind, account, region, tags, gigabytes });
            Ok(Value::Null)
        }
        (&Method::PUT, "/_simulator/parts") => {
            let PutPart { account, region, name } = read(body)?;
            world.works.put_part(&account, &region, &name);
            Ok(Value::Null)
        }
        (&Method::DELETE, "/_simulator/accounts") => {
            let Lost { account, resources_only } = read(body)?;
            world.settle();
            if resources_only {
                return Ok(json!({ "deleted": world.works.delete_resources_of(&account) }));
            }
            world.lose_account(&account);
            Ok(Value::Null)
        }
        (&Method::DELETE, "/_simulator/resources") => {
            let Named { arn } = read(body)?;
            let was_there = world.delete_resource(&arn);
            if was_there { Ok(Value::Null) } else { Err(format!("there is no resource {arn}")) }
        }
        (&Method::POST, "/_simulator/backup-failures") => {
            let Failing { resource, hours, jobs } = read(body)?;
            world.fail_jobs(jobs, &resource, Duration::from_hours(hours.into()));
            Ok(Value::Null)
        }
        (&Method::POST, "/_simulator/backup-plans") => {
            let OwnPlan { account, region, plan, selections } = read(body)?;
            let plans = world.backup.plans_mut();
            Ok(json!({ "id": plans.create(&account, &region, plan, &selections) }))
        }
        (&Method::PUT, "/_simulator/explorer-views") => {
            let View { account, region, name, organization, tags } = read(body)?;
            let view = ExplorerView {
                is_organization: organization,
                has_tags: tags,
                ..ExplorerView::organization(&name)
            };
            world.explorer.put(&account, &region, view);
            Ok(Value::Null)
        }
        _ => Err(format!("{path} cannot be asked with {method}")),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|it| it.to_string())
}

/// Returns the current time at AWS, in seconds of the Unix epoch.
fn time(core: &Core) -> Value {
    json!({ "now": moment(clock(core.world.now())) })
}

fn resources(core: &Core) -> Value {
    let view = |(it, history): (&BackedUp, History)| {
        json!({
            "arn": it.arn,
            "type": it.kind,
            "account": it.account,
            "region": it.region,
            "tags": it.tags,
            "gigabytes": it.gigabytes,
            "created": moment(history.created),
        })
    };
    core.world.works.resources().map(view).collect()
}

/// Returns the work of AWS Backup so far.
fn backups(core: &mut Core) -> Value {
    core.world.settle();
    let works = &core.world.works;
    let ended = |it: Option<SystemTime>| it.map(moment);
    let jobs = works.jobs().iter().map(|it| {
        json!({
            "resource": it.resource,
            "plan": it.rule.0,
            "rule": it.rule.1,
            "vault": it.vault,
            "created": moment(it.created),
            "ended": ended(it.ended),
            "state": it.progress.as_str(),
            "message": it.trouble.map(Trouble::message),
        })
    });
    let copies = works.copy_jobs().iter().map(|it| {
        json!({
            "resource": it.resource,
            "plan": it.rule.0,
            "rule": it.rule.1,
            "destination": it.destination,
            "created": moment(it.created),
            "ended": ended(it.ended),
            "state": it.progress.as_str(),
            "message": it.trouble.map(Trouble::message),
        })
    });
    let restores = works.restore_jobs().iter().map(|it| {
        json!({
            "source": it.source,
            "recoveryPoint": it.point_arn,
            "created": moment(it.created),
            "ended": ended(it.ended),
            "state": it.status(),
            "message": it.trouble.as_ref().map(ToString::to_string),
            "made": it.made,
        })
    });
    let points = works.points().map(|it| {
        json!({
            "resource": it.resource,
            "vault": it.vault,
            "created": moment(it.created),
            "deleteAt": ended(it.delete_at),
            "continuous": matches!(it.form, PointForm::Continuous | PointForm::Stopped),
        })
    });
    let skipped = works.skipped().iter().map(|it| {
        json!({
            "resource": it.resource,
            "plan": it.rule.0,
            "rule": it.rule.1,
            "run": moment(it.run),
            "message": it.trouble.message(),
        })
    });
    json!({
        "jobs": jobs.collect::<Value>(),
        "copyJobs": copies.collect::<Value>(),
        "restoreJobs": restores.collect::<Value>(),
        "recoveryPoints": points.collect::<Value>(),
        "skipped": skipped.collect::<Value>(),
    })
}

fn refuse(status: StatusCode, message: &str) -> Reply {
    let body = json!({ "message": message });
    Reply::new("application/json", body.to_string()).status(status)
}

/// Returns the whole organization as a tree.
fn tree(core: &Core) -> Value {
    let organization = &core.world.organization;
    let types: BTreeMap<_, _> =
        organization.policy_types().into_iter().map(|(kind, it)| (kind, it.as_str())).collect();
    let administrators = organization.delegated_administrators();
    let administrators = administrators
        .map(|it| json!({ "accountId": it.0, "servicePrincipal": it.1 }))
        .collect::<Vec<_>>();
    json!({
        "id": organization.id,
        "managementAccount": organization.management_account,
        "policyTypes": types,
        "trustedServices": organization.trusted_services(),
        "delegatedAdministrators": administrators,
        "stackSets": core.world.stack_sets,
        "globalSettings": core.world.backup.global_settings(),
        "root": parent(organization, &organization.root, "Root"),
    })
}

fn parent(organization: &Organization, id: &str, name: &str) -> Value {
    let units: Vec<_> =
        organization.units_in(id).map(|it| parent(organization, &it.id, &it.name)).collect();
    let account = |it: &crate::organization::Account| {
        json!({
            "id": it.id,
            "name": it.name,
            "state": it.state.as_str(),
            "policies": policies(organization, &it.id),
        })
    };
    let accounts: Vec<_> = organization.accounts_in(id).map(account).collect();
    json!({
        "id": id,
        "name": name,
        "policies": policies(organization, id),
        "units": units,
        "accounts": accounts,
    })
}

/// Returns the policies that are attached directly to a node.
fn policies(organization: &Organization, id: &str) -> Vec<Value> {
    let attached = organization.attached(id).iter();
    let policies = attached.filter_map(|it| organization.policy(it).ok());
    policies.map(|it| json!({ "id": it.id, "name": it.name, "type": it.kind })).collect()
}
