//! AWS Resource Explorer: REST and JSON.

use hyper::StatusCode;
use policy::pattern::is_like;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::json::Members;
use super::pages::{Cut, Page, cut_page};
use super::tagging::{kind, tags};
use crate::backup_engine::BackedUp;
use crate::explorer::ExplorerView;
use crate::fault::Failure;
use crate::organization::clock;
use crate::refusal::{Answer, Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

/// The largest page of resources. A page of this size has no token.
const RESOURCES: u64 = 1_000;

/// The default size of a page of resources.
const USUAL: u64 = 100;

/// The largest page of views.
const VIEWS: u64 = 50;

pub(super) fn perform(world: &World, operation: &str, call: &Call) -> Answer<Reply> {
    let members = Members::parse(call)?;
    let body = match operation {
        "GetDefaultView" => {
            let view = default_view(world, call).ok_or_else(|| {
                let message = "There is no default view in this Region.";
                Refusal::new(Code::ResourceNotFound, message)
            })?;
            json!({ "ViewArn": arn(world, call, view) })
        }
        "ListViews" => {
            let views = views(world, call).map(|it| json!(arn(world, call, it)));
            let page = page(world, call, &members, "views", (VIEWS, VIEWS), views)?;
            listed("Views", page).into()
        }
        "GetView" => get(world, call, &members)?,
        _ => resources(world, call, &members)?,
    };
    Ok(Reply::new("application/json", body.to_string()))
}

fn get(world: &World, call: &Call, members: &Members<'_>) -> Answer<Value> {
    let asked = members.text("ViewArn")?;
    let view = named(world, call, asked)?;
    let organization = &world.organization;
    let scope = if view.is_organization {
        organization.arn("organization", "")
    } else {
        let partition = organization.partition();
        format!("arn:{partition}:iam::{}:root", call.caller.account)
    };
    let properties = if view.has_tags { json!([{ "Name": "tags" }]) } else { json!([]) };
    Ok(json!({
        "View": {
            "ViewArn": asked,
            "ViewName": view.name,
            "Owner": call.caller.account,
            "Scope": scope,
            "IncludedProperties": properties,
            "Filters": { "FilterString": "" },
            "LastUpdatedAt": stamp(world),
        },
        "Tags": {},
    }))
}

fn resources(world: &World, call: &Call, members: &Members<'_>) -> Answer<Value> {
    let (view_arn, view) = asked_view(world, call, members)?;
    let filters = match members.get("Filters") {
        None => Vec::new(),
        Some(it) => {
            let text = it.get("FilterString").and_then(Value::as_str);
            let text = text.ok_or_else(|| invalid("FilterString is missing"))?;
            text.split_whitespace().map(Filter::read).collect::<Answer<_>>()?
        }
    };
    // A token is only valid for the same query.
    let query = members.get("Filters").map(Value::to_string).unwrap_or_default();
    let is_seen = |it: &&BackedUp| {
        let is_member = view.is_organization && world.organization.account(&it.account).is_ok();
        is_member || it.account == call.caller.account
    };
    let resources = world.works.resources().map(|it| it.0).filter(is_seen);
    let wanted = resources.filter(|it| filters.iter().all(|filter| filter.takes(it)));
    let reported = stamp(world);
    let show = |it: &BackedUp| {
        let (service, kind) = kind(&it.arn).unwrap_or_default();
        let tags = (view.has_tags && !it.tags.is_empty())
            .then(|| json!({ "Name": "tags", "LastReportedAt": reported, "Data": tags(it) }));
        json!({
            "Arn": it.arn,
            "OwningAccountId": it.account,
            "Region": it.region,
            "ResourceType": format!("{service}:{kind}"),
            "Service": service,
            "LastReportedAt": reported,
            "Properties": tags.into_iter().collect::<Vec<_>>(),
        })
    };
    let mut page = page(world, call, members, &query, (RESOURCES, USUAL), wanted.map(show))?;
    if members.get("MaxResults").and_then(Value::as_u64) == Some(RESOURCES) {
        page.next = None;
    }
    let mut answer = listed("Resources", page);
    answer.insert("ViewArn".to_owned(), view_arn.into());
    Ok(answer.into())
}

/// Returns the view for a list of resources, and its ARN. Without a named view, it is the default
/// view. Without a default view, the caller may not list anything.
fn asked_view<'a>(
    world: &'a World,
    call: &Call,
    members: &Members<'_>,
) -> Answer<(String, &'a ExplorerView)> {
    if let Some(asked) = members.optional("ViewArn")? {
        return Ok((asked.to_owned(), named(world, call, asked)?));
    }
    let view = default_view(world, call).ok_or_else(|| {
        let message = "Unauthorized: there is no default view in this Region.";
        Refusal::new(Code::Unauthorized, message)
    })?;
    Ok((arn(world, call, view), view))
}

fn named<'a>(world: &'a World, call: &Call, asked: &str) -> Answer<&'a ExplorerView> {
    let mut views = views(world, call);
    views
        .find(|it| arn(world, call, it) == asked)
        .ok_or_else(|| Refusal::new(Code::ResourceNotFound, format!("There is no view {asked}.")))
}

/// Returns the ARN of the default view in the account and Region of a call, if there is one.
pub(super) fn default_arn(world: &World, call: &Call) -> Option<String> {
    default_view(world, call).map(|it| arn(world, call, it))
}

fn default_view<'a>(world: &'a World, call: &Call) -> Option<&'a ExplorerView> {
    views(world, call).find(|it| it.is_default)
}

fn views<'a>(world: &'a World, call: &Call) -> impl Iterator<Item = &'a ExplorerView> {
    world.explorer.of(&call.caller.account, &call.caller.region)
}

fn arn(world: &World, call: &Call, view: &ExplorerView) -> String {
    view.arn(world.organization.partition(), &call.caller.account, &call.caller.region)
}

fn page<T>(
    world: &World,
    call: &Call,
    members: &Members<'_>,
    query: &str,
    (largest, usual): (u64, u64),
    items: impl Iterator<Item = T>,
) -> Answer<Page<T>> {
    let size = members.get("MaxResults").map_or(Some(usual), Value::as_u64);
    let size = size.filter(|it| (1..=largest).contains(it));
    let size = size.ok_or_else(|| invalid("MaxResults is out of range"))?;
    let size = world.largest_page(usize::try_from(size).unwrap_or(usize::MAX));
    let cut = Cut { size, empty: world.empty_pages };
    let token = members.optional("NextToken")?;
    let list = format!("{} {} {query}", call.caller.account, call.path);
    cut_page(cut, &list, token, items).ok_or_else(|| invalid("NextToken is invalid"))
}

fn listed(member: &str, page: Page<Value>) -> Map<String, Value> {
    let mut answer = Map::from_iter([(member.to_owned(), Value::Array(page.items))]);
    answer.extend(page.next.map(|it| ("NextToken".to_owned(), it.into())));
    answer
}

/// A filter of a query: a property, whether it is negated, and the patterns of its values.
struct Filter {
    negated: bool,
    property: Property,
    values: Vec<String>,
}

enum Property {
    Account,
    Region,
    Service,
    Type,
    Tag,
}

impl Filter {
    fn read(text: &str) -> Answer<Self> {
        let (negated, text) = text.strip_prefix('-').map_or((false, text), |it| (true, it));
        let (property, values) = text.split_once(':').unwrap_or((text, ""));
        let property = match property {
            "accountid" => Property::Account,
            "region" => Property::Region,
            "service" => Property::Service,
            "resourcetype" => Property::Type,
            "tag" => Property::Tag,
            _ => return Err(invalid(&format!("The filter `{text}` is not supported"))),
        };
        Ok(Self { negated, property, values: values.split(',').map(str::to_owned).collect() })
    }

    fn takes(&self, resource: &BackedUp) -> bool {
        let (service, kind) = kind(&resource.arn).unwrap_or_default();
        let any = |text: &str| self.values.iter().any(|it| is_like(it, text));
        let tag = |wanted: &String| match wanted.split_once('=') {
            _ if wanted == "none" => resource.tags.is_empty(),
            _ if wanted == "all" => !resource.tags.is_empty(),
            Some((key, value)) => resource.tags.get(key).is_some_and(|it| is_like(value, it)),
            None => resource.tags.contains_key(wanted),
        };
        let is_so = match self.property {
            Property::Account => any(&resource.account),
            Property::Region => any(&resource.region),
            Property::Service => any(service),
            Property::Type => any(&format!("{service}:{kind}")),
            Property::Tag => self.values.iter().any(tag),
        };
        is_so != self.negated
    }
}

/// Returns the time at AWS in the format of this service.
fn stamp(world: &World) -> String {
    let it = OffsetDateTime::from(clock(world.now()));
    let (date, (hour, minute, second)) = (it.date(), it.to_hms());
    format!("{date}T{hour:02}:{minute:02}:{second:02}Z")
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(Code::ValidationException, message)
}

pub(super) fn error(failure: &Failure, message: &str) -> Reply {
    let body = json!({ "Message": message });
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    Reply::new("application/json", body.to_string())
        .status(status)
        .header("x-amzn-errortype", failure.code.clone())
}
