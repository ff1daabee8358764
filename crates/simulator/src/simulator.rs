//! The handle of a running simulator.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::backup::Backup;
use crate::backup_engine::{
    BackedUp, BackupJob, BackupQuotas, EngineCopyJob, EnginePoint, EngineRestoreJob, Flaw, Jobs,
    Skipped,
};
use crate::control::RESPONSES;
use crate::core::Core;
use crate::event_bus::EventBus;
use crate::explorer::Explorer;
use crate::fault::Fault;
use crate::hold::{Hold, Moment};
use crate::hub::Hub;
use crate::iam::Iam;
use crate::journal::{Entry, Tally};
use crate::kms::Kms;
use crate::objects::Buckets;
use crate::organization::Organization;
use crate::regions::Regions;
use crate::request::Call;
use crate::responses::Response;
use crate::server::{Direct, Shared, serve};
use crate::settings::Settings;
use crate::stacks::Stacks;
use crate::state_machines::StateMachines;
use crate::sts::{Session, parse};
use crate::topics::Topics;
use crate::trails::Trails;
use crate::world::{Pace, World};

/// An AWS Organization on loopback that runs until it is dropped.
///
/// # Panics
///
/// Panics if it is dropped after a call of an unknown operation, so that a test that depends on
/// such an operation fails. See [`Simulator::take_unknown_operations`].
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Starts a simulator on the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be listened on, or if no partition has the Region.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        if settings.partition().is_none() {
            let why = format!("`{}` is a Region of no partition", settings.region);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(Core::new(settings)));
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, address, server })
    }

    /// Returns the endpoint of every service, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a way to call this simulator without a connection.
    #[must_use]
    pub fn direct(&self) -> Direct {
        Direct::new(Arc::clone(&self.shared))
    }

    /// Returns the Region of callers that do not sign.
    #[must_use]
    pub fn region(&self) -> String {
        self.shared.lock().settings.region.clone()
    }

    /// Reads or changes the organization without a record in the journal. Changes are published
    /// when this returns, as if they had been made long ago.
    pub fn organization<T>(&self, look: impl FnOnce(&mut Organization) -> T) -> T {
        let mut core = self.now();
        let organization = &mut core.world.organization;
        organization.publish_due();
        let revision = organization.revision();
        let seen = look(organization);
        if organization.revision() != revision {
            organization.publish();
        }
        seen
    }

    /// Reads or changes the settings of AWS Backup.
    pub fn backup<T>(&self, look: impl FnOnce(&mut Backup) -> T) -> T {
        look(&mut self.now().world.backup)
    }

    /// Creates a resource that can be backed up, or replaces the one with its ARN.
    pub fn put_resource(&self, resource: BackedUp) {
        self.now().world.put_resource(resource);
    }

    /// Deletes a resource, and returns `true` if it existed. Its recovery points remain.
    pub fn delete_resource(&self, arn: &str) -> bool {
        self.now().world.delete_resource(arn)
    }

    /// Makes the backups of a resource fail for some time from now on.
    pub fn fail_backups(&self, resource: &str, time: Duration) {
        self.fail_jobs(Jobs::Backups, resource, time);
    }

    /// Makes jobs of a resource fail for some time from now on. For restores, it is the resource that
    /// was backed up.
    pub fn fail_jobs(&self, jobs: Jobs, resource: &str, time: Duration) {
        self.now().world.fail_jobs(jobs, resource, time);
    }

    /// Sets the time that every job of AWS Backup takes, and the time in addition for each gigabyte.
    pub fn pace_jobs(&self, per_job: Duration, per_gigabyte: Duration) {
        let world = &mut self.now().world;
        world.pace = Pace { per_job, per_gigabyte, ..world.pace };
    }

    /// Sets the time that a restore from cold storage takes in addition.
    pub fn pace_cold_restores(&self, time: Duration) {
        self.now().world.pace.cold_retrieval = time;
    }

    /// Lowers the quotas of AWS Backup.
    pub fn limit_backups(&self, quotas: BackupQuotas) {
        self.now().world.backup_quotas = quotas;
    }

    /// Configures a resource by restore metadata, such as `SubnetId`. Everything that the metadata names
    /// exists in the account of the resource.
    pub fn configure_resource(&self, arn: &str, settings: &[(&str, &str)]) {
        let settings = settings.iter().map(|(key, it)| ((*key).to_owned(), (*it).to_owned()));
        self.now().world.works.configure(arn, settings.collect());
    }

    /// Encrypts a resource with the key with this ARN.
    pub fn encrypt_resource(&self, arn: &str, key: &str) {
        self.now().world.works.encrypt(arn, key);
    }

    /// Makes something in an account and Region that resources are put into, such as a subnet, a
    /// security group or a key pair. Every account has a default network in every Region.
    pub fn put_part(&self, account: &str, region: &str, name: &str) {
        self.now().world.works.put_part(account, region, name);
    }

    /// Switches the versioning of a bucket off.
    pub fn suspend_versions(&self, bucket: &str) {
        self.now().world.unversioned.insert(bucket.to_owned());
    }

    /// Gives a recovery point a flaw, by its number, or takes it away.
    pub fn flaw(&self, point: usize, flaw: Option<Flaw>) {
        self.now().world.works.flaw(point, flaw);
    }

    /// Deletes every resource of an account, and returns their ARNs. Recovery points stay.
    #[must_use]
    pub fn delete_resources_of(&self, account: &str) -> Vec<String> {
        self.works(|it| it.works.delete_resources_of(account))
    }

    /// Loses an account: its resources, their networks, and its vaults with everything in them. It is
    /// suspended.
    pub fn lose_account(&self, account: &str) {
        self.now().world.lose_account(account);
    }

    /// Returns every resource that can be backed up.
    #[must_use]
    pub fn resources(&self) -> Vec<BackedUp> {
        self.works(|it| it.works.resources().map(|it| it.0.clone()).collect())
    }

    /// Returns the restore jobs that were asked for, of every account so far.
    #[must_use]
    pub fn restore_jobs(&self) -> Vec<EngineRestoreJob> {
        self.works(|it| it.works.restore_jobs().to_vec())
    }

    /// Returns the current time at AWS, which starts with the year 2026.
    #[must_use]
    pub fn clock(&self) -> SystemTime {
        crate::organization::clock(self.now().world.now())
    }

    /// Lets time pass at AWS, with the work that AWS Backup does in it.
    pub fn let_go_by(&self, time: Duration) {
        self.now().world.let_go_by(time);
    }

    /// Lets time pass at AWS until `moment`. Does nothing if `moment` is in the past.
    pub fn let_go_by_until(&self, moment: SystemTime) {
        self.now().world.let_go_by_until(moment);
    }

    /// Returns the backup jobs of every account so far.
    #[must_use]
    pub fn backup_jobs(&self) -> Vec<BackupJob> {
        self.works(|it| it.works.jobs().to_vec())
    }

    /// Returns the copy jobs of every account so far.
    #[must_use]
    pub fn copy_jobs(&self) -> Vec<EngineCopyJob> {
        self.works(|it| it.works.copy_jobs().to_vec())
    }

    /// Returns the recovery points of every account.
    #[must_use]
    pub fn recovery_points(&self) -> Vec<EnginePoint> {
        self.works(|it| it.works.points().cloned().collect())
    }

    /// Returns the runs of rules that created no job although the plan selects the resource.
    #[must_use]
    pub fn skipped_backups(&self) -> Vec<Skipped> {
        self.works(|it| it.works.skipped().to_vec())
    }

    /// Returns the events about jobs that AWS Backup sent to EventBridge since the last call.
    #[must_use]
    pub fn take_backup_events(&self) -> Vec<Value> {
        self.works(|it| it.works.take_events())
    }

    /// Reads the events that were put on the event bus.
    pub fn event_bus<T>(&self, look: impl FnOnce(&EventBus) -> T) -> T {
        look(&self.shared.lock().world.bus)
    }

    /// Reads or changes AWS Security Hub.
    pub fn hub<T>(&self, look: impl FnOnce(&mut Hub) -> T) -> T {
        look(&mut self.shared.lock().world.hub)
    }

    /// Reads or changes the views of Resource Explorer. Without a view, nobody can list resources
    /// with it.
    pub fn explorer<T>(&self, look: impl FnOnce(&mut Explorer) -> T) -> T {
        look(&mut self.shared.lock().world.explorer)
    }

    /// Reads the work that AWS Backup has done by now.
    fn works<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut core = self.now();
        core.world.settle();
        look(&mut core.world)
    }

    /// Returns the current state of all services.
    fn now(&self) -> MutexGuard<'_, Core> {
        let now = self.shared.now();
        let mut core = self.shared.lock();
        core.world.set_time(now);
        core
    }

    /// Reads or changes the S3 objects.
    pub fn buckets<T>(&self, look: impl FnOnce(&mut Buckets) -> T) -> T {
        look(&mut self.shared.lock().world.buckets)
    }

    /// Reads or changes the roles of every account. Without a role, nobody can assume one.
    pub fn iam<T>(&self, look: impl FnOnce(&mut Iam) -> T) -> T {
        look(&mut self.shared.lock().world.iam)
    }

    /// Returns the access key of a session of this role, as Lambda gives one to its functions.
    ///
    /// # Panics
    ///
    /// Panics if the role does not exist.
    #[must_use]
    pub fn session(&self, role_arn: &str, name: &str) -> String {
        let world = &mut self.shared.lock().world;
        let session = session_of(world, role_arn, name);
        world.sts.open(session).access_key
    }

    /// Makes calls with this access key those of a session of the role. A local Lambda that gives
    /// every function the same key so acts as a role.
    ///
    /// # Panics
    ///
    /// Panics if the role does not exist.
    pub fn act_as(&self, access_key: &str, role_arn: &str, name: &str) {
        let world = &mut self.shared.lock().world;
        let session = session_of(world, role_arn, name);
        world.sts.bind(access_key, session);
    }

    /// Reads or changes the keys of every account.
    pub fn kms<T>(&self, look: impl FnOnce(&mut Kms) -> T) -> T {
        look(&mut self.shared.lock().world.kms)
    }

    /// Changes the Regions that accounts may not use.
    pub fn regions<T>(&self, look: impl FnOnce(&mut Regions) -> T) -> T {
        look(&mut self.shared.lock().world.regions)
    }

    /// Reads or changes the topics and the published messages.
    pub fn topics<T>(&self, look: impl FnOnce(&mut Topics) -> T) -> T {
        look(&mut self.shared.lock().world.topics)
    }

    /// Reads or changes the state machines and their executions.
    pub fn state_machines<T>(&self, look: impl FnOnce(&mut StateMachines) -> T) -> T {
        look(&mut self.now().world.state_machines)
    }

    /// Returns `true` if StackSets has organizations access, after `ActivateOrganizationsAccess`.
    #[must_use]
    pub fn stack_sets_activated(&self) -> bool {
        self.shared.lock().world.stack_sets
    }

    /// Turns organizations access of StackSets on or off, without a record in the journal.
    pub fn set_stack_sets(&self, on: bool) {
        self.shared.lock().world.set_stack_sets(on);
    }

    /// Changes the trails.
    pub fn trails<T>(&self, look: impl FnOnce(&mut Trails) -> T) -> T {
        look(&mut self.shared.lock().world.trails)
    }

    /// Changes the stacks.
    pub fn stacks<T>(&self, look: impl FnOnce(&mut Stacks) -> T) -> T {
        look(&mut self.shared.lock().world.stacks)
    }

    /// Changes settings of a running simulator: rates, times, refusals, page sizes and the
    /// journal's length. The other settings have no effect.
    pub fn settings(&self, change: impl FnOnce(&mut Settings)) {
        let mut core = self.shared.lock();
        change(&mut core.settings);
        let (page_size, empty_pages) = (core.settings.page_size, core.settings.empty_pages);
        core.world.page_size = page_size.clamp(1, 20);
        core.world.empty_pages = empty_pages;
    }

    /// Returns every call so far, or the newest ones up to the limit of [`Settings::journal`].
    #[must_use]
    pub fn journal(&self) -> Vec<Entry> {
        self.shared.lock().journal.entries()
    }

    /// Returns the number of calls of each operation so far, including those that left the journal.
    #[must_use]
    pub fn tallies(&self) -> BTreeMap<&'static str, Tally> {
        self.shared.lock().journal.tallies().clone()
    }

    /// Returns every call so far that was to change something and was not refused.
    #[must_use]
    pub fn writes(&self) -> Vec<Entry> {
        self.journal().into_iter().filter(Entry::is_successful_write).collect()
    }

    /// Removes the calls so far from the journal.
    pub fn clear_journal(&self) {
        self.shared.lock().journal.clear();
    }

    /// Returns the events about changes that CloudTrail sent to EventBridge since the last call.
    /// There is one event for every call of Organizations that was to change something, refused or
    /// not, and one more for each account to be created.
    #[must_use]
    pub fn take_events(&self) -> Vec<Value> {
        self.shared.lock().events.take()
    }

    /// Calls an operation of Organizations as a user of the management account, whatever other
    /// calls are in progress, and returns the answer.
    ///
    /// # Errors
    ///
    /// Returns an error if the organization refuses it.
    pub fn tamper(&self, user: &str, operation: &str, request: &Value) -> Result<Value, String> {
        let now = self.shared.now();
        let mut core = self.shared.lock();
        let (management, region) =
            (core.world.organization.management_account.clone(), core.settings.region.clone());
        let call = Call::of_user(user, operation, request, &management, &region);
        let was_writing = core.is_writing();
        let done = core.perform(&call, None, now);
        if !was_writing {
            core.end_write();
        }
        let body = serde_json::from_slice(&done.reply.body).unwrap_or_default();
        if done.reply.status.is_success() { Ok(body) } else { Err(body.to_string()) }
    }

    /// Adds a fault.
    pub fn fail(&self, fault: Fault) {
        self.shared.lock().faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Refuses the next `count` writes to the organization with `ConcurrentModificationException`.
    pub fn refuse_writes(&self, count: u64) {
        self.shared.lock().refuse_writes = count;
    }

    /// Holds the `nth` call from now on, of any operation, before or after its work.
    #[must_use]
    pub fn hold(&self, nth: u64, moment: Moment) -> Hold {
        self.shared.lock().holds.add(nth, moment)
    }

    /// Returns a new ResponseURL for a custom resource.
    #[must_use]
    pub fn response_url(&self) -> String {
        let id = self.shared.lock().responses.mint();
        format!("{}{RESPONSES}{id}", self.url())
    }

    /// Refuses every answer to this ResponseURL, as S3 does after it has expired.
    pub fn refuse_responses(&self, url: &str) {
        self.shared.lock().responses.refuse(crate::responses::response_id(url));
    }

    /// Returns every answer sent to a ResponseURL, or to the one with this ID.
    #[must_use]
    pub fn responses(&self, url: &str) -> Vec<Response> {
        let core = self.shared.lock();
        core.responses.get(crate::responses::response_id(url)).to_vec()
    }

    /// Returns the members of requests that each operation has read so far.
    #[must_use]
    pub fn members_read(&self) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
        self.shared.lock().members.clone()
    }

    /// Returns the calls of unknown operations.
    #[must_use]
    pub fn unknown_operations(&self) -> Vec<String> {
        self.shared.lock().unknown.clone()
    }

    /// Returns the same calls and forgets them, so that dropping the simulator does not panic.
    #[must_use]
    pub fn take_unknown_operations(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().unknown)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
        let unknown = self.take_unknown_operations();
        assert!(unknown.is_empty() || std::thread::panicking(), "{}", unknown.join(", "));
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Returns a session of an existing role.
#[expect(clippy::panic, reason = "a test whose function has no role has failed")]
fn session_of(world: &World, role_arn: &str, name: &str) -> Session {
    let parsed = parse(role_arn).filter(|(account, role)| world.iam.role(account, role).is_some());
    let Some((account, role)) = parsed else { panic!("there is no role {role_arn}") };
    Session {
        account: account.to_owned(),
        role: role.to_owned(),
        name: name.to_owned(),
        role_arn: role_arn.to_owned(),
        policy: None,
    }
}
