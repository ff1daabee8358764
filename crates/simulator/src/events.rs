//! The events that CloudTrail would send to EventBridge about changes of an organization.
//!
//! The events are not delivered. A test takes them and sends them late, twice or out of order, as
//! it needs.

use std::time::Duration;

use serde_json::{Map, Value, json};
use time::{Month, OffsetDateTime};

use crate::ids::Ids;
use crate::organization::{EPOCH, Organization};
use crate::request::{Call, Caller};
use crate::sts::role_id;

/// The name under which CloudTrail shows AWS as the caller.
const INTERNAL: &str = "AWS Internal";
/// The members that CloudTrail masks.
const MASKED: [&str; 2] = ["AccountName", "Email"];

/// The events that have not been taken.
#[derive(Debug)]
pub(crate) struct Events {
    events: Vec<Value>,
    ids: Ids,
}

/// A completed call of Organizations.
pub(crate) struct Told<'a> {
    pub(crate) call: &'a Call,
    /// The body of the reply, or the code and the message of the error.
    pub(crate) result: Result<&'a [u8], (&'a str, &'a str)>,
    pub(crate) now: Duration,
}

impl Events {
    pub(crate) fn new(seed: u64) -> Self {
        Self { events: Vec::new(), ids: Ids::new(seed ^ 0x6576_656e_7473) }
    }

    pub(crate) fn take(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    /// Records a call that was to change something.
    pub(crate) fn note(&mut self, organization: &Organization, told: &Told<'_>) {
        let Told { call, result, now } = told;
        let parse = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap_or_default();
        let reply = result.map(parse).unwrap_or_default();
        let error = result.err().map(|(code, message)| {
            let code = if code == "AccessDeniedException" { "AccessDenied" } else { code };
            json!({ "errorCode": code, "errorMessage": message })
        });
        let own = json!({
            "eventType": "AwsApiCall",
            "userIdentity": identity(organization, &call.caller, *now),
            "sourceIPAddress": address(&call.caller),
            "userAgent": user_agent(call),
            "requestParameters": shown(&parse(&call.body)),
            "responseElements": shown(&reply),
            "requestID": self.ids.uuid(),
        });
        let detail = self.detail(organization, call.name(), *now);
        let detail = joined([detail, own, error.unwrap_or_else(|| json!({}))]);
        self.send(organization, "AWS API Call via CloudTrail", detail, *now);
        if let Some(id) = reply.pointer("/CreateAccountStatus/Id").and_then(Value::as_str) {
            self.note_account(organization, id, *now);
        }
    }

    /// Records the result of an account's creation.
    fn note_account(&mut self, organization: &Organization, request: &str, now: Duration) {
        let Ok(creation) = organization.creation(request) else { return };
        let result = match &creation.result {
            Ok(account) => json!({ "state": "SUCCEEDED", "accountId": account }),
            Err(reason) => json!({ "state": "FAILED", "failureReason": reason }),
        };
        let status = json!({
            "id": request,
            "accountName": "****",
            "requestedTimestamp": written_out(now),
            "completedTimestamp": written_out(now),
        });
        let account = &organization.management_account;
        let own = json!({
            "eventType": "AwsServiceEvent",
            "userIdentity": { "accountId": account, "invokedBy": INTERNAL },
            "sourceIPAddress": INTERNAL,
            "userAgent": INTERNAL,
            "requestParameters": null,
            "responseElements": null,
            "serviceEventDetails": { "createAccountStatus": joined([status, result]) },
        });
        let detail = self.detail(organization, "CreateAccountResult", now);
        let detail = joined([detail, own]);
        self.send(organization, "AWS Service Event via CloudTrail", detail, now);
    }

    fn detail(&mut self, organization: &Organization, name: &str, now: Duration) -> Value {
        json!({
            "eventVersion": "1.11",
            "eventTime": stamp(now),
            "eventSource": "organizations.amazonaws.com",
            "eventName": name,
            "awsRegion": organization.partition().organizations_region(),
            "eventID": self.ids.uuid(),
            "readOnly": false,
            "managementEvent": true,
            "recipientAccountId": organization.management_account,
            "eventCategory": "Management",
        })
    }

    fn send(&mut self, organization: &Organization, kind: &str, detail: Value, now: Duration) {
        self.events.push(json!({
            "version": "0",
            "id": self.ids.uuid(),
            "detail-type": kind,
            "source": "aws.organizations",
            "account": organization.management_account,
            "time": stamp(now),
            "region": organization.partition().organizations_region(),
            "resources": [],
            "detail": detail,
        }));
    }
}

/// Returns an object with the members of all these objects.
fn joined<const N: usize>(parts: [Value; N]) -> Value {
    let members = parts.into_iter().filter_map(|it| match it {
        Value::Object(members) => Some(members),
        _ => None,
    });
    Value::Object(members.flatten().collect())
}

fn identity(organization: &Organization, caller: &Caller, now: Duration) -> Value {
    let (partition, account) = (organization.partition(), &caller.account);
    let Some(session) = &caller.session else {
        let user = caller.user.as_deref().unwrap_or("simulated");
        return json!({
            "type": "IAMUser",
            "principalId": "AIDASIMULATED0000000",
            "arn": format!("arn:{partition}:iam::{account}:user/{user}"),
            "accountId": account,
            "accessKeyId": "AKIASIMULATED0000000",
            "userName": user,
        });
    };
    let id = role_id(&session.role_arn);
    json!({
        "type": "AssumedRole",
        "principalId": format!("{id}:{}", session.name),
        "arn": session.arn(partition),
        "accountId": account,
        "accessKeyId": "ASIASIMULATED0000000",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": id,
                "arn": session.role_arn,
                "accountId": account,
                "userName": session.role,
            },
            "attributes": { "creationDate": stamp(now), "mfaAuthenticated": "false" },
        },
    })
}

/// Returns an address that is reserved for documentation. Users and roles have different addresses.
fn address(caller: &Caller) -> &'static str {
    if caller.session.is_some() { "192.0.2.44" } else { "203.0.113.71" }
}

fn user_agent(call: &Call) -> &str {
    let agent = call.headers.get("user-agent").and_then(|it| it.to_str().ok());
    agent.unwrap_or("simulated")
}

/// Returns a request or a reply as CloudTrail shows it: members begin with lower-case letters, and
/// no member is `null`.
fn shown(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|it| !it.1.is_null());
            members
                .map(|(name, value)| (small(name), member(name, value)))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(list) => list.iter().map(shown).collect(),
        other => other.clone(),
    }
}

fn member(name: &str, value: &Value) -> Value {
    match value.as_f64() {
        _ if MASKED.contains(&name) => json!("****"),
        Some(seconds) if name.ends_with("Timestamp") => {
            let since = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            json!(written_out(since.saturating_sub(EPOCH)))
        }
        _ => shown(value),
    }
}

/// Returns `policyId` for `PolicyId`.
fn small(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|it| it.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

fn moment(since_start: Duration) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + EPOCH + since_start
}

/// Formats a time as `2026-01-01T00:00:00Z`.
fn stamp(since_start: Duration) -> String {
    let at = moment(since_start);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Formats a time as `Jan 1, 2026 12:00:00 AM`.
fn written_out(since_start: Duration) -> String {
    let at = moment(since_start);
    let month = match at.month() {
        Month::January => "Jan",
        Month::February => "Feb",
        Month::March => "Mar",
        Month::April => "Apr",
        Month::May => "May",
        Month::June => "Jun",
        Month::July => "Jul",
        Month::August => "Aug",
        Month::September => "Sep",
        Month::October => "Oct",
        Month::November => "Nov",
        Month::December => "Dec",
    };
    let (hour, minute, second) = at.to_hms();
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
    format!("{month} {}, {} {hour}:{minute:02}:{second:02} {half}", at.day(), at.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_two_ways() {
        assert_eq!(stamp(Duration::ZERO), "2026-01-01T00:00:00Z");
        assert_eq!(written_out(Duration::ZERO), "Jan 1, 2026 12:00:00 AM");
        let later = Duration::from_hours(31 * 24 + 15) + Duration::from_secs(61);
        assert_eq!(stamp(later), "2026-02-01T15:01:01Z");
        assert_eq!(written_out(later), "Feb 1, 2026 3:01:01 PM");
    }

    #[test]
    fn members_begin_with_small_letters_and_some_are_not_shown() {
        let request = json!({
            "AccountName": "vault", "Email": "vault@example.com",
            "Tags": [{ "Key": "Team", "Value": "Storage" }], "RoleName": null,
        });
        let expected = json!({
            "accountName": "****", "email": "****", "tags": [{ "key": "Team", "value": "Storage" }],
        });
        assert_eq!(shown(&request), expected);
    }
}
