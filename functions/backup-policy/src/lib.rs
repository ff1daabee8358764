//! `Custom::BackupPolicy`: one backup policy and the targets it is attached to.

mod preflight;
mod properties;

use std::time::SystemTime;

use aws::backup_policy::{Identity, Wanted, apply, observe, observe_removal};
use aws::{Kind, Management, Session, content, removable};
use cfn::{Change, Failure, Reply, Request};
use plan::backup_policy::{Desired, Observed, Step, plan};
use plan::document::Document;
use plan::id::{PolicyId, PolicyName};
use plan::owner::Owner;

use crate::preflight::{Outlook, judge};
pub use crate::properties::{Content, ContentUrl, Preflight, Properties};
use crate::properties::{Invalid, Source};

/// How often the organization is observed again when it turns out to have changed meanwhile.
const ROUNDS: usize = 3;

/// Brings the organization to what `request` asks for.
///
/// # Errors
///
/// When the change is refused or a call to AWS fails. Sending the request again resumes. A creation
/// that made the policy and could not finish answers with its ID, so that it can be removed.
pub async fn handle(session: &Session, request: Request<Properties>) -> Result<Reply, Failure> {
    let owner = Owner::new(&request.stack_id, &request.logical_id);
    let never_created = request.never_created();
    // CloudFormation makes an ID up when it got no answer to a Create.
    let id = request.physical_id.and_then(|it| it.parse::<PolicyId>().ok());
    match request.change {
        Change::Apply { properties, previous } => {
            let role = properties.management_role_arn.as_ref();
            let management = session.management(role, request.deadline).await?;
            let mut made = None;
            let received = request.received;
            present(&management, &owner, id, properties, previous, received, &mut made)
                .await
                .map_err(|it| it.with_physical_id(made))
        }
        Change::Remove { properties } => {
            let role = properties.as_ref().and_then(|it| it.management_role_arn.as_ref());
            let name = properties.as_ref().map(|it| &it.name);
            let removal = async {
                let management = session.management(role, request.deadline).await?;
                let observed = observe_removal(&management, id.as_ref(), name).await?;
                Ok::<_, aws::Error>((management, observed))
            };
            if let Some((management, observed)) = removable(removal.await, never_created)? {
                absent(&management, &owner, id.as_ref(), name, observed).await?;
            }
            Ok(Reply::default())
        }
    }
}

/// Makes the policy what `properties` say, and notes in `made` which one it is.
async fn present(
    management: &Management,
    owner: &Owner,
    id: Option<PolicyId>,
    properties: Properties,
    previous: Option<Properties>,
    now: SystemTime,
    made: &mut Option<String>,
) -> Result<Reply, Failure> {
    let strictness = properties.preflight;
    let document = document(management, &properties).await?;
    judge(strictness, || plan::preflight::check(&document, now))?;
    let sha256 = document.sha256();
    let former_tags = previous.into_iter().flat_map(|it| it.tags.into_keys());
    let wanted = Wanted { name: properties.name.clone(), targets: properties.targets()? };
    let mut desired = Desired {
        name: properties.name,
        description: properties.description.0,
        document,
        targets: [].into(),
        tags: properties.tags,
        retired_tags: former_tags.collect(),
        adopt: properties.adopt.0,
    };
    let mut known = id.clone();
    for round in 1.. {
        let (targets, observed) = observe(management, &wanted, known.as_ref()).await?;
        desired.targets = targets;
        let steps = plan(Some(&desired), &observed, owner, id.as_ref())?;
        let outlook = if strictness != Preflight::Off && steps.iter().any(Step::reaches_accounts) {
            let existing = observed.policy.as_ref();
            let mut outlook = Outlook::new(management, &desired, existing, &steps, now).await?;
            judge(strictness, || outlook.withheld.clone().map_or(Ok(()), Err))?;
            outlook.prepare(management).await;
            Some(outlook)
        } else {
            None
        };
        let mut policy = observed.policy.map(|it| Identity { id: it.id, arn: it.arn });
        let applied = apply(management, &mut policy, &steps).await;
        *made = policy.as_ref().map(|it| it.id.to_string());
        match (applied, policy) {
            (Ok(()), Some(Identity { id, arn })) => {
                if let Some(outlook) = outlook {
                    outlook.report(management).await;
                }
                let id = id.to_string();
                let data =
                    [("PolicyId", id.clone()), ("PolicyArn", arn), ("ContentSha256", sha256)];
                return Ok(Reply { physical_id: id, data: data.into(), no_echo: false });
            }
            (Err(error), policy) if error.kind() == Kind::Outdated && round < ROUNDS => {
                known = policy.map(|it| it.id).or(known);
            }
            (Err(error), _) => return Err(error.into()),
            (Ok(()), None) => break,
        }
    }
    Err(Invalid::Vanished.into())
}

/// Makes sure that there is no policy of this resource, which was `observed` before.
async fn absent(
    management: &Management,
    owner: &Owner,
    id: Option<&PolicyId>,
    name: Option<&PolicyName>,
    mut observed: Observed,
) -> Result<(), Failure> {
    for round in 1.. {
        let steps = plan(None, &observed, owner, id)?;
        let mut policy = observed.policy.map(|it| Identity { id: it.id, arn: it.arn });
        match apply(management, &mut policy, &steps).await {
            Ok(()) => break,
            Err(error) if error.kind() == Kind::Outdated && round < ROUNDS => {}
            Err(error) => return Err(error.into()),
        }
        observed = observe_removal(management, id, name).await?;
    }
    Ok(())
}

/// The policy document that `properties` describe, which AWS would take by its size.
async fn document(management: &Management, properties: &Properties) -> Result<Document, Failure> {
    let document = match properties.source()? {
        Source::Inline(Content(value)) => match value {
            serde_json::Value::String(text) => Document::parse(text)?,
            value => Document::new(value.clone())?,
        },
        Source::Object(ContentUrl { bucket, key, version }) => {
            let text = content::read(management, bucket, key, version.as_deref()).await?;
            Document::parse(&text)?
        }
    };
    Ok(document.with_variables(&properties.variables)?.within_limit()?)
}
