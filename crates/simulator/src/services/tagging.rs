//! Resource Groups Tagging API: the resources of an account in a Region that have or had a tag.

use policy::arn::Arn;
use serde_json::{Value, json};

use super::json::{Members, reply};
use super::pages::{Cut, cut_page};
use crate::backup_engine::BackedUp;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

/// The largest page.
const LARGEST: u64 = 100;

/// The default size of a page.
const USUAL: u64 = 50;

pub(super) fn perform(world: &World, call: &Call) -> Result<Reply, Refusal> {
    let members = Members::parse(call)?;
    let filters = Filters::read(&members)?;
    let size = members.get("ResourcesPerPage").map_or(Some(USUAL), Value::as_u64);
    let size = size.filter(|it| (1..=LARGEST).contains(it));
    let size = size.ok_or_else(|| invalid("ResourcesPerPage has to be between 1 and 100"))?;
    // An empty token counts as no token.
    let token = members.optional("PaginationToken")?.filter(|it| !it.is_empty());
    let (account, region) = (&call.caller.account, &call.caller.region);
    let list = format!("{account} {region} {filters:?}");
    let resources = world.works.resources();
    // This service does not know resources that never had a tag.
    let resources = resources.filter(|(it, history)| {
        it.account == *account && it.region == *region && history.was_tagged && filters.take(it)
    });
    let size = world.largest_page(usize::try_from(size).unwrap_or(usize::MAX));
    let cut = Cut { size, empty: world.empty_pages };
    let page = cut_page(cut, &list, token, resources.map(|it| it.0));
    let page = page.ok_or_else(|| invalid("The PaginationToken is invalid"))?;
    let view = |it: &&BackedUp| json!({ "ResourceARN": it.arn, "Tags": tags(it) });
    let body = json!({
        "PaginationToken": page.next.unwrap_or_default(),
        "ResourceTagMappingList": page.items.iter().map(view).collect::<Value>(),
    });
    Ok(reply(call.service, &body))
}

/// Formats the tags of a resource as most services do.
pub(super) fn tags(resource: &BackedUp) -> Value {
    resource.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// Returns the service and the resource type in an ARN, for example of `ec2:volume`.
pub(super) fn kind(arn: &str) -> Option<(&str, &str)> {
    let Arn { service, resource, .. } = Arn::parse(arn).ok()?;
    let kind = match service {
        "s3" => "bucket",
        _ => resource.split(['/', ':']).next()?,
    };
    Some((service, kind))
}

/// The filters of a request.
#[derive(Debug)]
struct Filters {
    /// Keys and values. Each key must have one of its values, or any value if the list is empty.
    tags: Vec<(String, Vec<String>)>,
    types: Vec<String>,
    arns: Option<Vec<String>>,
}

impl Filters {
    fn read(members: &Members<'_>) -> Result<Self, Refusal> {
        let texts = |it: &Value| -> Option<Vec<String>> {
            it.as_array()?.iter().map(|it| it.as_str().map(str::to_owned)).collect()
        };
        let wrong = || invalid("A filter does not have the right shape");
        let list = |name| members.get(name).map(|it| texts(it).ok_or_else(wrong)).transpose();
        let tag = |it: &Value| -> Option<(String, Vec<String>)> {
            let values = it.get("Values").map_or(Some(Vec::new()), texts)?;
            Some((it.get("Key")?.as_str()?.to_owned(), values))
        };
        let tags = members.get("TagFilters").map(|it| {
            let all = it.as_array().and_then(|it| it.iter().map(tag).collect());
            all.ok_or_else(wrong)
        });
        let tags: Vec<_> = tags.transpose()?.unwrap_or_default();
        let types = list("ResourceTypeFilters")?.unwrap_or_default();
        let arns = list("ResourceARNList")?;
        if arns.is_some() && !(tags.is_empty() && types.is_empty()) {
            return Err(invalid("ResourceARNList excludes other filters"));
        }
        Ok(Self { tags, types, arns })
    }

    fn take(&self, resource: &BackedUp) -> bool {
        let has = |(key, values): &(String, Vec<String>)| {
            let found = resource.tags.get(key);
            found.is_some_and(|it| values.is_empty() || values.contains(it))
        };
        let (service, kind) = kind(&resource.arn).unwrap_or_default();
        let is_type = |it: &String| it == service || *it == format!("{service}:{kind}");
        self.tags.iter().all(has)
            && (self.types.is_empty() || self.types.iter().any(is_type))
            && self.arns.as_ref().is_none_or(|it| it.contains(&resource.arn))
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(Code::InvalidTagging, message)
}
