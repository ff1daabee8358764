//! Everything a simulator has state of.

use std::time::Duration;

use crate::backup::Backup;
use crate::iam::Iam;
use crate::kms::Kms;
use crate::objects::Buckets;
use crate::organization::Organization;
use crate::regions::Regions;
use crate::settings::Settings;
use crate::stacks::Stacks;
use crate::state_machines::StateMachines;
use crate::sts::Sts;
use crate::topics::Topics;
use crate::trails::Trails;

/// The state of all services.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) organization: Organization,
    pub(crate) backup: Backup,
    pub(crate) iam: Iam,
    pub(crate) kms: Kms,
    pub(crate) regions: Regions,
    pub(crate) state_machines: StateMachines,
    pub(crate) sts: Sts,
    pub(crate) topics: Topics,
    pub(crate) buckets: Buckets,
    pub(crate) stacks: Stacks,
    pub(crate) trails: Trails,
    /// Whether StackSets may act for the organization.
    pub(crate) stack_sets: bool,
    pub(crate) page_size: usize,
    pub(crate) empty_pages: bool,
}

impl World {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            organization: Organization::sample(settings),
            backup: Backup::default(),
            iam: Iam::default(),
            kms: Kms::default(),
            regions: Regions::default(),
            state_machines: StateMachines::new(settings.seed),
            sts: Sts::new(settings.seed),
            topics: Topics::new(settings.seed),
            buckets: Buckets::default(),
            stacks: Stacks::default(),
            trails: Trails::default(),
            stack_sets: false,
            page_size: settings.page_size.clamp(1, 20),
            empty_pages: settings.empty_pages,
        }
    }

    /// Lets StackSets act for the organization, or no longer.
    pub(crate) fn set_stack_sets(&mut self, on: bool) {
        self.stack_sets = on;
        self.organization.set_stack_sets(on);
    }

    pub(crate) fn set_time(&mut self, now: Duration) {
        self.organization.set_time(now);
        self.backup.set_time(now);
        self.state_machines.set_time(now);
    }

    /// Two equal revisions are the same state.
    pub(crate) fn revision(&self) -> (u64, bool) {
        let services =
            self.organization.revision() + self.backup.revision() + self.buckets.revision();
        let made = self.topics.messages().len() + self.state_machines.executions().len();
        (services + u64::try_from(made).unwrap_or(u64::MAX), self.stack_sets)
    }

    /// How much is on a page of a service other than AWS Organizations, whose pages are larger:
    /// `usual`, or as little as the settings say if they ask for small pages.
    pub(crate) fn largest_page(&self, usual: usize) -> usize {
        if self.page_size < 20 { usual.min(self.page_size) } else { usual }
    }
}
