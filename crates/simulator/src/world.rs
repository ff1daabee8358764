//! Everything a simulator has state of.

use std::time::Duration;

use crate::backup::Backup;
use crate::iam::Iam;
use crate::kms::Kms;
use crate::objects::Buckets;
use crate::organization::Organization;
use crate::regions::Regions;
use crate::settings::Settings;
use crate::sts::Sts;

/// The state of all services.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) organization: Organization,
    pub(crate) backup: Backup,
    pub(crate) iam: Iam,
    pub(crate) kms: Kms,
    pub(crate) regions: Regions,
    pub(crate) sts: Sts,
    pub(crate) buckets: Buckets,
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
            sts: Sts::new(settings.seed),
            buckets: Buckets::default(),
            stack_sets: false,
            page_size: settings.page_size.clamp(1, 20),
            empty_pages: settings.empty_pages,
        }
    }

    pub(crate) fn set_time(&mut self, now: Duration) {
        self.organization.set_time(now);
        self.backup.set_time(now);
    }

    /// Two equal revisions are the same state.
    pub(crate) fn revision(&self) -> (u64, bool) {
        let services =
            self.organization.revision() + self.backup.revision() + self.buckets.revision();
        (services, self.stack_sets)
    }
}
