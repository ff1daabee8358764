//! What other processes may ask of a simulator beside AWS's operations.

use std::collections::BTreeMap;

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::core::Core;
use crate::fault::Fault;
use crate::organization::Organization;
use crate::reply::Reply;
use crate::responses::response_id;

/// The beginning of every path of ours.
pub(crate) const PREFIX: &str = "/_simulator/";
/// The beginning of every ResponseURL.
pub(crate) const RESPONSES: &str = "/_simulator/responses/";

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
        (&Method::GET, _) if path.starts_with(RESPONSES) => {
            json!(core.responses.get(response_id(path)))
        }
        _ => return refuse(StatusCode::NOT_FOUND, "there is nothing here"),
    };
    Reply::new("application/json", answer.to_string())
}

fn refuse(status: StatusCode, message: &str) -> Reply {
    let body = json!({ "message": message });
    Reply::new("application/json", body.to_string()).status(status)
}

/// The whole organization as a tree.
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

/// The policies attached directly to a node.
fn policies(organization: &Organization, id: &str) -> Vec<Value> {
    let attached = organization.attached(id).iter();
    let policies = attached.filter_map(|it| organization.policy(it).ok());
    policies.map(|it| json!({ "id": it.id, "name": it.name, "type": it.kind })).collect()
}
