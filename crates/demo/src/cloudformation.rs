//! Deploys templates and follows the events of CloudFormation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws::api::{ask, events, iam};
use aws_sdk_cloudformation as cloudformation;
use aws_sdk_cloudformation::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider,
};
use aws_sdk_cloudformation::types::{
    Capability, Parameter, ResourceStatus, Stack as DescribedStack, StackEvent,
};
use aws_sdk_s3 as s3;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Builder;
use aws_types::SdkConfig;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::time::interval;

use crate::failure::{DemoError, ensure};

/// The bucket that holds the archives of the functions.
pub(crate) const BUCKET: &str = "artifacts";

/// Clients of the local CloudFormation and the services around it, in one account and Region.
#[derive(Debug)]
pub(crate) struct Deployer {
    config: SdkConfig,
    cloudformation: cloudformation::Client,
    s3: s3::Client,
}

/// The source of events that do not come from AWS. No bus accepts it as a source of AWS.
pub(crate) const REPLAY: &str = "org-backup.replay";

/// A deployment, followed from the call that started it.
#[derive(Debug)]
pub(crate) struct Deployment {
    /// The name of the stack.
    pub stack: String,
    /// The final status.
    pub status: String,
    /// The events, in order.
    pub events: Vec<StackChange>,
    /// The outputs of the stack.
    pub outputs: BTreeMap<String, String>,
}

/// An event of a resource.
#[derive(Clone, Debug)]
pub(crate) struct StackChange {
    /// The ARN of the stack.
    pub stack_id: String,
    /// The ID of the resource, once it has one.
    pub physical_id: String,
    /// The name of the resource in its template, or of the stack.
    pub resource: String,
    /// Its type.
    pub kind: String,
    /// The status of the resource, for example `CREATE_COMPLETE`.
    pub status: String,
    /// The reason, if one was given.
    pub reason: Option<String>,
    /// The time of the event, in milliseconds of the Unix epoch.
    pub at: i64,
}

impl StackChange {
    /// Returns `true` if the event is of a custom resource, which one of our functions serves.
    pub(crate) fn custom(&self) -> bool {
        self.kind.starts_with("Custom::")
    }

    /// Returns `true` if it is the last event of its resource in a deployment.
    pub(crate) fn done(&self) -> bool {
        !self.status.ends_with("_IN_PROGRESS")
    }

    fn of(event: &StackEvent) -> Self {
        let text = |it: Option<&str>| it.unwrap_or_default().to_owned();
        Self {
            stack_id: text(event.stack_id()),
            physical_id: text(event.physical_resource_id()),
            resource: text(event.logical_resource_id()),
            kind: text(event.resource_type()),
            status: text(event.resource_status().map(ResourceStatus::as_str)),
            reason: event.resource_status_reason().filter(|it| !it.is_empty()).map(str::to_owned),
            at: event.timestamp().and_then(|it| it.to_millis().ok()).unwrap_or_default(),
        }
    }
}

impl Deployment {
    /// Returns the reasons of the failures.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        let failed = self.events.iter().filter(|it| it.status.ends_with("_FAILED"));
        failed.filter_map(|it| it.reason.as_deref()).collect()
    }

    /// Returns the duration of the deployment.
    pub(crate) fn milliseconds(&self) -> i64 {
        let [first, last] = [self.events.first(), self.events.last()];
        last.zip(first).map_or(0, |(last, first)| last.at - first.at)
    }

    /// Returns the deployment if the stack has the `wanted` status, and an error otherwise.
    pub(crate) fn expect(self, wanted: &'static str) -> Result<Self, DemoError> {
        if self.status == wanted {
            return Ok(self);
        }
        let reasons = self.reasons().iter().map(|it| format!("\n   {it}")).collect();
        Err(DemoError::Stack { stack: self.stack, status: self.status, wanted, reasons })
    }
}

impl Deployer {
    /// Creates clients that talk to `endpoint` as `account` in `region`.
    pub(crate) fn new(endpoint: &str, account: &str, region: &str) -> Self {
        let caller = Credentials::new(account, "none", None, None, "demo");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(Builder::new().build_http())
            .sleep_impl(TokioSleep::new())
            .endpoint_url(endpoint)
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(caller))
            .build();
        let s3 = s3::config::Builder::from(&config).force_path_style(true).build();
        Self {
            cloudformation: cloudformation::Client::new(&config),
            s3: s3::Client::from_conf(s3),
            config,
        }
    }

    /// Puts events on the event bus.
    pub(crate) async fn put_events(&self, events: Vec<Value>) -> Result<(), DemoError> {
        for event in events {
            let entry = json!({
                "Source": REPLAY,
                "DetailType": event.get("detail-type"),
                "Detail": event.get("detail").map(ToString::to_string),
            });
            let put = ask(&self.config, events::put(entry)).await;
            let refused = put.map_err(DemoError::call("PutEvents"))?;
            ensure(refused.is_empty(), || {
                format!("the bus took no event: {}", refused.join("; "))
            })?;
        }
        Ok(())
    }

    /// Reads the trust policy of a role, and its inline policies.
    pub(crate) async fn role(&self, name: &str) -> Result<(String, Vec<String>), DemoError> {
        let decoded = |it: &str| percent_decode_str(it).decode_utf8_lossy().into_owned();
        let got = ask(&self.config, iam::role(name)).await.map_err(DemoError::call("GetRole"))?;
        let listed = ask(&self.config, iam::own_policies(name, None)).await;
        let (names, _) = listed.map_err(DemoError::call("ListRolePolicies"))?;
        let mut policies = Vec::new();
        for policy in names.unwrap_or_default() {
            let got = ask(&self.config, iam::own_policy(name, &policy)).await;
            policies.push(decoded(&got.map_err(DemoError::call("GetRolePolicy"))?));
        }
        Ok((decoded(&got.trust.unwrap_or_default()), policies))
    }

    /// Uploads the archives in `package` and returns the prefix of their keys.
    pub(crate) async fn upload(&self, package: &Path) -> Result<String, DemoError> {
        let bucket = self.s3.create_bucket().bucket(BUCKET).send().await;
        bucket.map_err(DemoError::call("CreateBucket"))?;
        let folder = release(package).ok_or_else(|| not_packaged(package))?;
        let mut prefix = None;
        for archive in std::fs::read_dir(&folder).map_err(|_| not_packaged(package))?.flatten() {
            let archive = archive.path();
            let key = archive.strip_prefix(package).unwrap_or(&archive).display().to_string();
            prefix = key.rsplit_once('/').map(|(folder, _)| format!("{folder}/"));
            let content = std::fs::read(&archive)
                .map_err(|source| DemoError::Unreadable { path: key.clone(), source })?;
            let put = self.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from(content));
            put.send().await.map_err(DemoError::call("PutObject"))?;
        }
        prefix.ok_or_else(|| not_packaged(package))
    }

    /// Creates or updates `stack`, waits until it ends, and passes on each event as it happens.
    pub(crate) async fn deploy(
        &self,
        stack: &str,
        template: &str,
        parameters: &BTreeMap<&str, String>,
        seen: impl FnMut(&StackChange),
    ) -> Result<Deployment, DemoError> {
        let known = self.events(stack).await.unwrap_or_default();
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(key, value)| {
                Parameter::builder().parameter_key(*key).parameter_value(value).build()
            })
            .collect();
        if known.is_empty() {
            let create = self.cloudformation.create_stack().stack_name(stack);
            let create = create.template_body(template).set_parameters(Some(parameters));
            let create = create.capabilities(Capability::CapabilityNamedIam).send().await;
            create.map_err(DemoError::call("CreateStack"))?;
        } else {
            let update = self.cloudformation.update_stack().stack_name(stack);
            let update = update.template_body(template).set_parameters(Some(parameters));
            let update = update.capabilities(Capability::CapabilityNamedIam).send().await;
            update.map_err(DemoError::call("UpdateStack"))?;
        }
        self.follow(stack, stack, known, seen).await
    }

    /// Deletes `stack` and waits until it is gone.
    pub(crate) async fn delete(
        &self,
        stack: &str,
        seen: impl FnMut(&StackChange),
    ) -> Result<Deployment, DemoError> {
        // A deleted stack can only be found by its ID.
        let described = self.cloudformation.describe_stacks().stack_name(stack).send().await;
        let described = described.map_err(DemoError::call("DescribeStacks"))?;
        let id = described.stacks().first().and_then(|it| it.stack_id());
        let id = id.unwrap_or(stack).to_owned();
        let known = self.events(&id).await?;
        let delete = self.cloudformation.delete_stack().stack_name(stack).send().await;
        delete.map_err(DemoError::call("DeleteStack"))?;
        self.follow(stack, &id, known, seen).await
    }

    async fn follow(
        &self,
        stack: &str,
        id: &str,
        known: Vec<(String, StackChange)>,
        mut seen: impl FnMut(&StackChange),
    ) -> Result<Deployment, DemoError> {
        let mut known: BTreeSet<_> = known.into_iter().map(|(id, _)| id).collect();
        let mut events = Vec::new();
        let mut tick = interval(Duration::from_millis(50));
        let status = loop {
            tick.tick().await;
            for (event_id, event) in self.events(id).await? {
                if known.insert(event_id) {
                    seen(&event);
                    events.push(event);
                }
            }
            let last = events.iter().rev().find(|it| it.kind == "AWS::CloudFormation::Stack");
            if let Some(last) = last.filter(|it| it.done()) {
                break last.status.clone();
            }
        };
        let described = self.cloudformation.describe_stacks().stack_name(id).send().await;
        let described = described.map_err(DemoError::call("DescribeStacks"))?;
        let outputs = described.stacks().first().map(DescribedStack::outputs).unwrap_or_default();
        let outputs = outputs
            .iter()
            .filter_map(|it| Some((it.output_key()?.to_owned(), it.output_value()?.to_owned())));
        Ok(Deployment { stack: stack.to_owned(), status, events, outputs: outputs.collect() })
    }

    /// Lists the events of a stack with their IDs, oldest first.
    async fn events(&self, stack: &str) -> Result<Vec<(String, StackChange)>, DemoError> {
        let pages = self.cloudformation.describe_stack_events().stack_name(stack);
        let pages = pages.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let newest_first = pages.map_err(DemoError::call("DescribeStackEvents"))?;
        let events = newest_first.iter().rev();
        Ok(events
            .map(|it| (it.event_id().unwrap_or_default().to_owned(), StackChange::of(it)))
            .collect())
    }
}

/// Returns the path of the archive of a function in `package`.
pub(crate) fn archive(package: &Path, function: &str) -> Result<PathBuf, DemoError> {
    let folder = release(package).ok_or_else(|| not_packaged(package))?;
    Ok(folder.join(function).with_extension("zip"))
}

fn not_packaged(package: &Path) -> DemoError {
    DemoError::NotPackaged(package.display().to_string())
}

/// Finds the folder of the one release that is packaged, which is named after its content.
fn release(package: &Path) -> Option<PathBuf> {
    let releases = std::fs::read_dir(package.join("org-backup")).ok()?;
    releases.flatten().map(|it| it.path()).find(|it| it.is_dir())
}
