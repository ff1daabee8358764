//! The common parts of the lists of AWS Backup: filters in the query string, and pages.

use std::time::SystemTime;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::organization::clock;
use crate::refusal::{Answer, Code, Refusal};
use crate::request::Call;
use crate::services::pages::{Cut, cut_page};
use crate::world::World;

/// The greatest number of entries on a page.
const LARGEST: usize = 1_000;

/// The parameters that select a page of a list.
const PAGING: [&str; 2] = ["maxResults", "nextToken"];

/// The accounts whose jobs a list has.
pub(super) enum Accounts<'a> {
    /// Every account of the organization.
    All,
    /// One account.
    One(&'a str),
}

impl<'a> Accounts<'a> {
    /// Returns the accounts that a call asks for. Only the management account and delegated
    /// administrators may ask for accounts other than their own.
    pub(super) fn asked(world: &World, call: &'a Call) -> Answer<Self> {
        let own = call.caller.account.as_str();
        match call.parameter("accountId") {
            None => Ok(Self::One(own)),
            Some(asked) if asked == own => Ok(Self::One(own)),
            Some(_) if !world.sees_all_backups(own) => {
                let message = "Insufficient privileges to perform this action.";
                Err(Refusal::new(Code::AccessDenied, message))
            }
            Some("*") => Ok(Self::All),
            Some(asked) => Ok(Self::One(asked)),
        }
    }

    /// Returns `true` if these accounts include this one. `All` includes only accounts in the
    /// organization.
    pub(super) fn have(&self, world: &World, account: &str) -> bool {
        match self {
            Self::All => world.organization.account(account).is_ok(),
            Self::One(asked) => account == *asked,
        }
    }
}

/// The limits between which a time has to be.
pub(super) struct Between {
    after: Option<SystemTime>,
    before: Option<SystemTime>,
}

impl Between {
    /// Returns the limits in two parameters of a call.
    pub(super) fn asked(call: &Call, after: &'static str, before: &'static str) -> Answer<Self> {
        Ok(Self { after: moment(call, after)?, before: moment(call, before)? })
    }

    /// Returns `true` if this time is between the limits. A missing time is so only if there are no
    /// limits.
    pub(super) fn has(&self, at: Option<SystemTime>) -> bool {
        self.after.is_none_or(|limit| at.is_some_and(|at| at > limit))
            && self.before.is_none_or(|limit| at.is_some_and(|at| at < limit))
    }
}

/// Reads a time in the format that the SDKs write in a query string.
fn moment(call: &Call, name: &'static str) -> Answer<Option<SystemTime>> {
    let Some(text) = call.parameter(name) else { return Ok(None) };
    let read = OffsetDateTime::parse(text, &Rfc3339).ok();
    let read = read.ok_or_else(|| invalid(&format!("{name} is no moment")))?;
    Ok(Some(read.into()))
}

/// Returns `true` if a parameter is missing or has this value.
pub(super) fn is_asked(call: &Call, name: &'static str, value: &str) -> bool {
    call.parameter(name).is_none_or(|it| it == value)
}

/// Returns one page of a list, in a member with this name.
pub(super) fn page(
    world: &World,
    call: &Call,
    member: &str,
    items: impl Iterator<Item = Value>,
) -> Answer<Value> {
    let asked = match call.parameter("maxResults") {
        None => LARGEST,
        Some(text) => text
            .parse()
            .ok()
            .filter(|it| (1..=LARGEST).contains(it))
            .ok_or_else(|| invalid("Invalid max results. It has to be between 1 and 1000."))?,
    };
    let filters = call.parameters.iter().filter(|it| !PAGING.contains(&it.0.as_str()));
    let list = format!("{} {} {:?}", call.caller.account, call.path, filters.collect::<Vec<_>>());
    let cut = Cut { size: world.largest_page(asked), empty: world.empty_pages };
    let page = cut_page(cut, &list, call.parameter("nextToken"), items);
    let page = page.ok_or_else(|| invalid("Invalid nextToken."))?;
    let mut answer = Map::from_iter([(member.to_owned(), Value::Array(page.items))]);
    answer.extend(page.next.map(|it| ("NextToken".to_owned(), it.into())));
    Ok(Value::Object(answer))
}

/// Returns the members that have a value.
pub(super) fn present<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?)));
    Value::Object(members.collect())
}

pub(super) fn invalid(message: &str) -> Refusal {
    Refusal::new(Code::InvalidParameterValue, message)
}

/// Returns the current time of AWS.
pub(super) fn now(world: &World) -> SystemTime {
    clock(world.now())
}
