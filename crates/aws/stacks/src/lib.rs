//! CloudFormation stacks as they are deployed, and their resources.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::api::answers::{each, member};
use aws::api::{BoxError, Request, ask};
use aws::operation::{
    DESCRIBE_STACK_RESOURCE, DESCRIBE_STACKS, GET_RESOURCES, GET_TEMPLATE, LIST_EXPORTS,
};
use aws::{Advice, Calls, Error, Management, Page, Session};
use aws_sdk_cloudformation::types::{ResourceStatus, TemplateStage};
use aws_types::region::Region;
use plan::desired_state::Entry;
use plan::presence::{self, LifeStage, StackResource};
use policy::arn::Arn;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

pub mod service_access;

/// Returns the client that acts in the management account.
fn client(management: &Management) -> aws_sdk_cloudformation::Client {
    management.client(|config| aws::client!(aws_sdk_cloudformation, config))
}

/// Returns a client of CloudFormation in the Region of the stack with this ARN, and calls that end
/// by `deadline`. They act as the function itself, which is in the account of the stack.
fn in_region_of(
    session: &Session,
    stack_id: &str,
    deadline: Instant,
) -> (aws_sdk_cloudformation::Client, Calls) {
    let region = Arn::parse(stack_id).ok().map(|it| it.region).filter(|it| !it.is_empty());
    let region = region.map(|it| Region::new(it.to_owned()));
    let config = session.config().to_builder();
    let config = config.region(region.or_else(|| session.config().region().cloned()));
    (aws::client!(aws_sdk_cloudformation, &config.build()), session.calls(deadline))
}

/// A stack.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub id: String,
    /// The values of its parameters. The values of `NoEcho` parameters are asterisks.
    pub parameters: BTreeMap<String, String>,
}

/// Reads the stack with this name or ARN; returns `None` if there is none.
///
/// # Errors
///
/// Returns an error if the stack cannot be read.
pub async fn describe(management: &Management, name: &str) -> Result<Option<Stack>, Error> {
    let action = format!("describe the stack `{name}`");
    let describe = client(management).describe_stacks().stack_name(name).send();
    let described = match management.calls.call(DESCRIBE_STACKS, &action, describe).await {
        // CloudFormation has no error code of its own for a missing stack.
        Err(error) if error.code() == Some("ValidationError") => return Ok(None),
        described => described?,
    };
    let Some(stack) = described.stacks.unwrap_or_default().into_iter().next() else {
        return Ok(None);
    };
    let name = stack.stack_name.unwrap_or_else(|| name.to_owned());
    let id = stack.stack_id.ok_or_else(|| Error::incomplete(&action, "the ID of the stack"))?;
    let parameters = stack.parameters.unwrap_or_default().into_iter();
    let parameters = parameters.filter_map(|it| Some((it.parameter_key?, it.parameter_value?)));
    Ok(Some(Stack { name, id, parameters: parameters.collect() }))
}

/// Reads the template from which a stack was last deployed, after its transforms.
///
/// # Errors
///
/// Returns an error if the template cannot be read.
pub async fn template(management: &Management, name: &str) -> Result<String, Error> {
    let action = format!("read the template of the stack `{name}`");
    let get = client(management).get_template().stack_name(name);
    let get = get.template_stage(TemplateStage::Processed).send();
    let got = management.calls.call(GET_TEMPLATE, &action, get).await;
    got?.template_body.ok_or_else(|| Error::incomplete(&action, "the template"))
}

/// Lists the exports of the Region whose names end in `suffix`, with their values.
///
/// # Errors
///
/// Returns an error if the exports cannot be listed.
pub async fn exports(
    management: &Management,
    suffix: &str,
) -> Result<Vec<(String, String)>, Error> {
    let client = client(management);
    let exports = management.calls.pages(LIST_EXPORTS, "list what stacks export", async |token| {
        let page = client.list_exports().set_next_token(token).send().await?;
        Ok((page.exports, page.next_token))
    });
    let exports = exports.await?.into_iter().filter_map(|it| Some((it.name?, it.value?)));
    Ok(exports.filter(|it| it.0.ends_with(suffix)).collect())
}

/// Lists the buckets of the Region that have a tag with this key, by name.
///
/// # Errors
///
/// Returns an error if the buckets cannot be listed.
pub async fn tagged_buckets(management: &Management, key: &str) -> Result<Vec<String>, Error> {
    let action = format!("list the buckets with the tag `{key}`");
    let pages = management.calls.pages(GET_RESOURCES, &action, async |token| {
        let body = json!({
            "TagFilters": [{ "Key": key }],
            "ResourceTypeFilters": ["s3:bucket"],
            "PaginationToken": token,
        });
        ask(management.config(), Request::tagging(body, buckets)).await
    });
    pages.await
}

/// Reads the names of the buckets in an answer of the tagging API, and the token of the next page.
fn buckets(answer: &str) -> Result<Page<String>, BoxError> {
    let answer: Value = serde_json::from_str(answer)?;
    let name = |it: &Value| {
        Arn::parse(it.get("ResourceARN")?.as_str()?).ok().map(|it| it.resource.to_owned())
    };
    let names = each(&answer, "ResourceTagMappingList").filter_map(name).collect();
    Ok((Some(names), member(&answer, "PaginationToken").filter(|it| !it.is_empty())))
}

/// Reads the resource of the stack with this ARN, in the account of the function itself; returns
/// `None` if CloudFormation does not know the stack or the resource. CloudFormation still describes
/// a stack for 90 days after its deletion.
///
/// # Errors
///
/// Returns an error if the resource cannot be read within seconds, before any deadline. Nothing
/// is worth a longer wait.
pub async fn resource(
    session: &Session,
    stack_id: &str,
    logical_id: &str,
    deadline: Instant,
) -> Result<Option<StackResource>, Error> {
    let action = format!("describe the resource {logical_id} of the stack {stack_id}");
    let (client, calls) = in_region_of(session, stack_id, deadline.min(Instant::now() + PATIENCE));
    let describe = client.describe_stack_resource();
    let describe = describe.stack_name(stack_id).logical_resource_id(logical_id).send();
    let described = match calls.call(DESCRIBE_STACK_RESOURCE, &action, describe).await {
        // CloudFormation has no error code of its own for a missing stack or a missing resource.
        Err(error) if error.code() == Some("ValidationError") => return Ok(None),
        Err(error) => {
            let hint = "let the function's own role describe resources of stacks";
            return Err(error.advised(Advice::Same(hint)));
        }
        Ok(described) => described,
    };
    Ok(described.stack_resource_detail.map(|it| StackResource {
        stage: it.resource_status.as_ref().map_or(LifeStage::Unknown(String::new()), stage),
        physical_id: it.physical_resource_id.unwrap_or_default(),
    }))
}

/// The maximum time for a request to CloudFormation about a resource.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns the stage in the life of a resource with this status.
fn stage(status: &ResourceStatus) -> LifeStage {
    match status {
        ResourceStatus::CreateInProgress => LifeStage::Beginning,
        ResourceStatus::CreateFailed => LifeStage::Failed,
        ResourceStatus::CreateComplete
        | ResourceStatus::UpdateInProgress
        | ResourceStatus::UpdateComplete
        | ResourceStatus::UpdateFailed
        | ResourceStatus::UpdateRollbackInProgress
        | ResourceStatus::UpdateRollbackComplete
        | ResourceStatus::UpdateRollbackFailed
        | ResourceStatus::ImportComplete => LifeStage::Living,
        ResourceStatus::DeleteInProgress
        | ResourceStatus::DeleteComplete
        | ResourceStatus::DeleteFailed
        | ResourceStatus::DeleteSkipped => LifeStage::Ending,
        ResourceStatus::ExportComplete
        | ResourceStatus::ExportFailed
        | ResourceStatus::ExportInProgress
        | ResourceStatus::ExportRollbackComplete
        | ResourceStatus::ExportRollbackFailed
        | ResourceStatus::ExportRollbackInProgress
        | ResourceStatus::ImportFailed
        | ResourceStatus::ImportInProgress
        | ResourceStatus::ImportRollbackComplete
        | ResourceStatus::ImportRollbackFailed
        | ResourceStatus::ImportRollbackInProgress
        | ResourceStatus::RollbackComplete
        | ResourceStatus::RollbackFailed
        | ResourceStatus::RollbackInProgress
        | _ => LifeStage::Unknown(status.as_str().to_owned()),
    }
}

/// The resources that exist, according to CloudFormation. It is asked once for each resource, and
/// not again for the resources of a stack for which it has not answered.
#[derive(Debug)]
pub struct Stacks {
    session: Session,
    deadline: Instant,
    known: Mutex<Known>,
}

/// The answers of CloudFormation by resource, and its errors by stack.
#[derive(Debug, Default)]
struct Known {
    told: BTreeMap<String, Option<StackResource>>,
    silent: BTreeMap<String, Error>,
}

impl Stacks {
    /// Creates a source that asks until `deadline`.
    pub fn new(session: &Session, deadline: Instant) -> Self {
        Self { session: session.clone(), deadline, known: Mutex::default() }
    }

    /// Checks that the resource of `entry` exists.
    ///
    /// # Errors
    ///
    /// Returns an error with the reason if CloudFormation does not confirm it.
    pub async fn expect(&self, entry: &Entry) -> Result<(), Error> {
        let (stack_id, key) = (&entry.stack_id, entry.key());
        let action = || format!("put back {}", entry.owner());
        let mut known = self.known.lock().await;
        if let Some(error) = known.silent.get(stack_id) {
            return Err(error.again(action()));
        }
        let resource = if let Some(told) = known.told.get(&key) {
            told.clone()
        } else {
            let (session, name) = (&self.session, &entry.logical_id);
            match resource(session, stack_id, name, self.deadline).await {
                Ok(told) => known.told.entry(key).or_insert(told).clone(),
                Err(error) => {
                    let again = error.again(action());
                    known.silent.insert(stack_id.clone(), error);
                    return Err(again);
                }
            }
        };
        let expected = presence::expect(entry, resource.as_ref());
        expected.map_err(|it| Error::absent(action(), it))
    }
}
