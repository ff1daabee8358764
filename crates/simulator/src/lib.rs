//! An AWS Organization on loopback: Organizations, AWS Backup with its settings, vaults and jobs,
//! resources and their tags, roles and their sessions, keys, StackSets and their organizations
//! access, S3 objects, topics, executions of state machines, and an endpoint for the answers of
//! custom resources.
//!
//! Its time begins with the year 2026 and passes as the time of the machine.
//! [`Simulator::let_go_by`] lets more time pass, in which AWS Backup does the work that the
//! effective policies request.
//!
//! It uses AWS's wire formats, enforces AWS's rules, quotas and rates, records every call, and
//! fails on request. [`Function`] runs a real function binary against it under a Lambda Runtime API
//! of its own.
//!
//! ```no_run
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use serde_json::json;
//! use simulator::{Fault, Function, Outcome, Settings, Simulator};
//!
//! # async fn scenario() -> std::io::Result<()> {
//! let aws = Simulator::start(Settings::strict()).await?;
//! aws.fail(Fault::error("EnablePolicyType", "TooManyRequestsException").nth(2));
//! let function = Function::of(Path::new("target/debug/policy-types"), &aws).start().await?;
//! let url = aws.response_url();
//! let event = json!({ "RequestType": "Create", "ResponseURL": url });
//! let outcome = function.invoke(&event, Duration::from_secs(30)).await;
//! assert!(matches!(outcome, Outcome::Returned(_)), "{}", function.logs());
//! assert_eq!(aws.responses(&url).len(), 1);
//! assert!(aws.organization(|it| it.is_enabled("BACKUP_POLICY")));
//! # Ok(())
//! # }
//! ```
//!
//! The rules are pure state machines ([`Organization`], [`Backup`], [`Iam`], [`Buckets`] and
//! others) that are independent of the wire formats. `services` translates, `core` decides what
//! happens to a call, and `server` waits.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "AWS refuses what it does not know, and so does this"
)]

mod backup;
mod backup_engine;
mod backup_paths;
mod backup_plans;
mod control;
mod core;
mod data_services;
mod event_bus;
mod events;
mod explorer;
mod fault;
mod hold;
mod hub;
mod iam;
mod ids;
mod journal;
mod kms;
mod lambda;
mod objects;
mod operation;
mod organization;
mod refusal;
mod regions;
mod reply;
mod request;
mod reserved_port;
mod responses;
mod restore_jobs;
pub mod script;
mod server;
mod services;
mod settings;
mod simulator;
mod stack_sets;
mod stacks;
mod state_machines;
mod sts;
mod summary;
mod surroundings;
mod throttle;
mod topics;
mod trails;
mod vaults;
mod world;

pub use self::backup::{Backup, GLOBAL_SETTINGS, RESOURCE_TYPES, RegionSettings};
pub use self::backup_engine::{
    Asker, BackedUp, BackupEngine, BackupJob, BackupOrder, BackupQuotas, CopyOrder, EngineCopyJob,
    EngineKey, EnginePoint, EngineRestoreJob, EngineVault, Flaw, Injected, JobProgress, Jobs,
    PointForm, PointLifecycle, RestoreOrder, RestoreTrouble, Skipped, Trouble,
};
pub use self::backup_plans::BackupPlans;
pub use self::data_services::DataServices;
pub use self::event_bus::{EventBus, PutEvent};
pub use self::explorer::{Explorer, ExplorerView};
pub use self::fault::{Body, Failure, Fault, Garbled, Kind};
pub use self::hold::{Hold, Moment};
pub use self::hub::Hub;
pub use self::iam::{Asked, Iam, Role, Verdict};
pub use self::journal::{Entry, Outcome as CallOutcome, Tally};
pub use self::kms::{KeyManager, Kms};
pub use self::lambda::{Function, FunctionBuilder, Outcome};
pub use self::objects::{Buckets, Object};
pub use self::operation::{OPERATIONS, Operation, Service};
pub use self::organization::{
    Account, AccountState, BACKUP_POLICY, EffectivePolicy, FeatureSet, Organization, POLICY_TYPES,
    Policy, Quotas, TypeStatus, Unit,
};
pub use self::refusal::{Code, Constraint, Invalid, Refusal};
pub use self::regions::Regions;
pub use self::reserved_port::ReservedPort;
pub use self::responses::Response;
pub use self::restore_jobs::{RestoreJob, RestoreJobs};
pub use self::server::{Direct, Dropped};
pub use self::settings::{Pending, Rates, Settings};
pub use self::simulator::Simulator;
pub use self::stack_sets::{
    Bodies, Declared, Definition, Deletion, Filter, Instance, InstanceStatus, Memberships, Model,
    Retains, StackSetOperation, StackSetRefusal, StackSets, Targets,
};
pub use self::stacks::{Stack, StackResource, Stacks};
pub use self::state_machines::{Execution, ExecutionStatus, StateMachines};
pub use self::sts::Session;
pub use self::topics::{Message, Topics};
pub use self::trails::{Trail, Trails};
pub use self::vaults::{KeyType, Vault, Vaults};
