//! The content of an event from EventBridge.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use policy::BACKUP_POLICY;
use policy::arn::Arn;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::id::{AccountId, PolicyId, PolicyType, ServicePrincipal, TargetId};

/// An event that is relevant to this program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// The name of the call or the notice in CloudTrail.
    pub name: String,
    /// The change that happened.
    pub happening: Happening,
    /// The principal and the details of the call, as far as the event contains them.
    pub who: Who,
    /// The sender of the event.
    pub teller: Teller,
    /// The time of the change, or `None` if the event does not contain it.
    pub time: Option<SystemTime>,
}

/// The change that happened, by what it may have affected.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Happening {
    /// A policy was changed, attached, detached, tagged or deleted.
    Policy(PolicyId),
    /// A policy type was enabled or disabled.
    PolicyType(PolicyType),
    /// The trusted access or the delegated administrators of a service changed.
    Service(ServicePrincipal),
    /// The settings of AWS Backup for the organization changed.
    GlobalSettings,
    /// An account joined or moved. `None` if the event does not name the account.
    Joined(Option<AccountId>),
    /// An account left, or was closed.
    Left(AccountId),
    /// The effective policy of an account became valid or invalid.
    EffectivePolicy(AccountId),
}

/// The sender of an event.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Teller {
    /// AWS: only AWS can put an event on a bus whose `source` begins with `aws.`.
    Aws,
    /// Anyone who can send events to the bus, who may have repeated or invented it.
    Somebody,
}

/// The principal and the details of a call, as the event gives them. Values that do not look as AWS
/// writes them are `unknown`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Who {
    /// The ARN of the principal, or the service that acted by itself.
    pub principal: String,
    /// The source address of the call.
    pub address: String,
    /// The time of the event, as written there.
    pub time: String,
    /// The things that the call names, in words.
    pub subject: String,
}

impl Who {
    /// Returns the principal without its session name, because a principal can have any number of
    /// sessions.
    pub fn actor(&self) -> &str {
        let role = Arn::parse(&self.principal).ok();
        let role = role.and_then(|it| it.resource.strip_prefix("assumed-role/"));
        let session = role.filter(|it| it.contains('/')).and(self.principal.rsplit_once('/'));
        session.map_or(&self.principal, |it| it.0)
    }
}

/// The result of reading an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading {
    /// The event may concern our resources.
    Event(Event),
    /// The event is irrelevant, for this reason.
    Nothing(&'static str),
    /// This program does not know the event with this name.
    Unknown(String),
}

/// The longest name of a principal. A longer value is not a name: AWS allows 2,048 characters for
/// an ARN, but creates none that is half as long as this limit.
const LONGEST: usize = 400;

/// The relevant parts of a CloudTrail record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default)]
    event_name: String,
    #[serde(default)]
    event_time: String,
    error_code: Option<String>,
    #[serde(default)]
    read_only: bool,
    #[serde(default, rename = "sourceIPAddress")]
    source_ip_address: String,
    #[serde(default)]
    user_identity: Value,
    #[serde(default)]
    request_parameters: Value,
    #[serde(default)]
    response_elements: Value,
    #[serde(default)]
    service_event_details: Value,
    #[serde(default)]
    recipient_account_id: String,
}

/// Reads an event as EventBridge delivers it. Calls of the roles in `own` are our own.
///
/// Failed calls and calls that only read changed nothing. Our own calls come back as events. They
/// are recognized by their principal, so that they cause no work.
pub fn read(event: &Value, own: &BTreeSet<String>) -> Reading {
    let Some(Ok(record)) = event.get("detail").map(Record::deserialize) else {
        return Reading::Nothing("it is not a record of CloudTrail");
    };
    if record.event_name.is_empty() {
        return Reading::Nothing("it is not a record of CloudTrail");
    }
    if record.error_code.is_some() {
        return Reading::Nothing("the call failed");
    }
    if record.is_by(own) {
        return Reading::Nothing("the call is our own");
    }
    // AWS marks this event as a read, although it reports a change.
    if record.read_only && record.event_name != "EffectivePolicyValidation" {
        return Reading::Nothing("the call only reads");
    }
    match record.happening() {
        Some(Ok(happening)) => {
            let (name, who, time) = (record.event_name.clone(), record.who(), record.time());
            Reading::Event(Event { name, happening, who, teller: teller(event), time })
        }
        Some(Err(why)) => Reading::Nothing(why),
        None => Reading::Unknown(record.event_name),
    }
}

/// Returns the sender of an event. Events that are replayed from an `EventBridge` archive are
/// marked.
fn teller(event: &Value) -> Teller {
    let is_again = event.get("replay-name").is_some();
    let is_aws = text(event, "source").starts_with("aws.");
    if is_aws && !is_again { Teller::Aws } else { Teller::Somebody }
}

const INCOMPLETE: &str = "it does not name its subject";
const FAILED: &str = "the operation that it reports failed";

impl Record {
    /// Returns the change, or `None` if the name of the event is not known.
    fn happening(&self) -> Option<Result<Happening, &'static str>> {
        let parameter = |name| text(&self.request_parameters, name);
        let details = &self.service_event_details;
        let found: Option<Happening> = match self.event_name.as_str() {
            "AttachPolicy" | "DetachPolicy" | "UpdatePolicy" | "DeletePolicy" => {
                parse(parameter("policyId")).map(Happening::Policy)
            }
            "TagResource" | "UntagResource" => match parse(parameter("resourceId")) {
                Some(policy) => Some(Happening::Policy(policy)),
                None => return Some(Err("it tags something other than a policy")),
            },
            "EnablePolicyType" | "DisablePolicyType" => {
                parse(parameter("policyType")).map(Happening::PolicyType)
            }
            "EnableAWSServiceAccess"
            | "DisableAWSServiceAccess"
            | "RegisterDelegatedAdministrator"
            | "DeregisterDelegatedAdministrator" => {
                parse(parameter("servicePrincipal")).map(Happening::Service)
            }
            "UpdateGlobalSettings" => Some(Happening::GlobalSettings),
            "UpdateRegionSettings" => {
                parse(&self.recipient_account_id).map(|it| Happening::Joined(Some(it)))
            }
            "MoveAccount" => parse(parameter("accountId")).map(|it| Happening::Joined(Some(it))),
            "AcceptHandshake" => Some(Happening::Joined(self.invited())),
            "RemoveAccountFromOrganization" => parse(parameter("accountId")).map(Happening::Left),
            "LeaveOrganization" => {
                parse(text(&self.user_identity, "accountId")).map(Happening::Left)
            }
            "CreateAccountResult" => {
                let status = details.get("createAccountStatus").unwrap_or(&Value::Null);
                return Some(joined(status, text(status, "accountId")));
            }
            "CreateManagedAccount" | "UpdateManagedAccount" => {
                let status = details.as_object().and_then(|it| it.values().next());
                let status = status.unwrap_or(&Value::Null);
                let account = status.get("account").unwrap_or(&Value::Null);
                return Some(joined(status, text(account, "accountId")));
            }
            "CloseAccountResult" => {
                let status = details.get("closeAccountStatus").unwrap_or(&Value::Null);
                match joined(status, text(status, "accountId")) {
                    Ok(Happening::Joined(Some(account))) => Some(Happening::Left(account)),
                    Ok(_) => None,
                    Err(why) => return Some(Err(why)),
                }
            }
            "EffectivePolicyValidation" => match text(details, "policyType") {
                BACKUP_POLICY => parse(text(details, "accountId")).map(Happening::EffectivePolicy),
                _ => return Some(Err("it is about policies of another type")),
            },
            // A call that creates something new removes nothing.
            "CreatePolicy"
            | "CreateAccount"
            | "CreateOrganizationalUnit"
            | "InviteAccountToOrganization" => {
                return Some(Err("it does not remove anything"));
            }
            _ => return None,
        };
        Some(found.ok_or(INCOMPLETE))
    }

    /// Returns the account that accepted an invitation, if the event names it.
    fn invited(&self) -> Option<AccountId> {
        let parties = self.response_elements.pointer("/handshake/parties")?.as_array()?;
        let account = parties.iter().find(|it| text(it, "type") == "ACCOUNT")?;
        parse(text(account, "id"))
    }

    /// Returns `true` if one of these roles made the call.
    fn is_by(&self, roles: &BTreeSet<String>) -> bool {
        let issuer = self.user_identity.pointer("/sessionContext/sessionIssuer/arn");
        issuer.and_then(Value::as_str).is_some_and(|it| roles.contains(it))
    }

    fn time(&self) -> Option<SystemTime> {
        let time = OffsetDateTime::parse(&self.event_time, &Rfc3339).ok()?;
        let seconds = u64::try_from(time.unix_timestamp()).ok()?;
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    fn who(&self) -> Who {
        // AWS uses this name for itself. All its other names have no spaces.
        let is_word = |it: &str| it == "AWS Internal" || it.bytes().all(|it| it.is_ascii_graphic());
        let is_known = |it: &str| !it.is_empty() && it.len() <= LONGEST && is_word(it);
        let known = |it: &str| if is_known(it) { it.to_owned() } else { "unknown".to_owned() };
        let identity = ["arn", "invokedBy", "principalId", "accountId"];
        let identity = identity.map(|it| text(&self.user_identity, it));
        let principal = identity.into_iter().find(|it| !it.is_empty()).unwrap_or_default();
        let name = |it| text(&self.request_parameters, it);
        let names = [
            parse::<PolicyId>(name("policyId")).map(|it| it.to_string()),
            parse::<TargetId>(name("targetId")).map(|it| it.to_string()),
            parse::<PolicyType>(name("policyType")).map(|it| it.to_string()),
            parse::<ServicePrincipal>(name("servicePrincipal")).map(|it| it.to_string()),
            parse::<AccountId>(name("accountId")).map(|it| it.to_string()),
        ];
        let time = self.time().map(|_| self.event_time.as_str()).unwrap_or_default();
        let names: Vec<_> = names.into_iter().flatten().collect();
        Who {
            principal: known(principal),
            address: known(&self.source_ip_address),
            time: known(time),
            subject: names.join(" "),
        }
    }
}

/// Returns the account that joined, unless `status` says that it did not.
fn joined(status: &Value, account: &str) -> Result<Happening, &'static str> {
    if text(status, "state") != "SUCCEEDED" {
        return Err(FAILED);
    }
    parse(account).map(|it| Happening::Joined(Some(it))).ok_or(INCOMPLETE)
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn parse<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
