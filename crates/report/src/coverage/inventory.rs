//! The resources of an account in a Region, combined from the answers of several services.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use plan::id::ResourceType;

use super::evidence::{Evidence, Job, RecoveryPoint, Resource, RestoreTest};
use super::kind::Kind;

/// The observations of the backups of one resource.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// The name that AWS Backup has for the type of the resource, if a recovery point or a job
    /// reports it.
    pub kind: Option<ResourceType>,
    /// Its recovery points, and their copies.
    pub points: Vec<RecoveryPoint>,
    /// Its backup jobs.
    pub jobs: Vec<Job>,
    /// Its copy jobs.
    pub copy_jobs: Vec<Job>,
    /// The restore tests of its recovery points.
    pub tests: Vec<RestoreTest>,
}

impl Records {
    /// Takes the type that something reports of the resource, unless another report named it.
    pub(super) fn learn(&mut self, kind: Option<&ResourceType>) {
        self.kind = self.kind.take().or_else(|| kind.cloned());
    }

    /// Returns the records in the form that the judge takes.
    pub fn evidence(&self) -> Evidence<'_> {
        let Self { points, jobs, copy_jobs, tests, .. } = self;
        Evidence { points, jobs, copy_jobs, tests }
    }
}

/// The tags of a resource.
pub type Tags = BTreeMap<String, String>;

/// The answers of services about one account in one Region.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The tagging API: every resource that has a tag, or had one, by ARN. An error is the reason
    /// why that is unknown.
    pub tagged: Result<BTreeMap<String, Tags>, String>,
    /// Resource Explorer: every resource that it has indexed, by ARN, with its tags if it reports
    /// them. `None` if there is no index.
    pub indexed: Option<BTreeMap<String, Option<Tags>>>,
    /// Backups, by the ARN of their resource.
    pub records: BTreeMap<String, Records>,
    /// The time at which an earlier inventory first saw a resource with its present tags, by ARN.
    pub first_seen: BTreeMap<String, SystemTime>,
}

/// The resources of an account in a Region.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Each resource of a type that AWS Backup knows, and its backups.
    pub resources: Vec<(Resource, Records)>,
    /// The resources that have recovery points but are in no inventory. They were deleted, or they
    /// have no tag and there is no index of resources without tags.
    pub unnamed: BTreeSet<String>,
}

impl Inventory {
    /// Combines the answers.
    ///
    /// A resource that the tagging API does not name has no tag. A resource that appears only in
    /// recovery points is not judged, because AWS Backup keeps the backups of resources that were
    /// deleted.
    pub fn new(answers: Answers) -> Self {
        let Answers { tagged, indexed, mut records, first_seen } = answers;
        let is_indexed = indexed.is_some();
        let mut all: BTreeMap<String, Option<Tags>> = indexed.unwrap_or_default();
        match tagged {
            Ok(tagged) => {
                for tags in all.values_mut() {
                    *tags = Some(Tags::new());
                }
                all.extend(tagged.into_iter().map(|(arn, tags)| (arn, Some(tags))));
            }
            // Only the resources of the index are known to exist then. Their tags are those of the
            // index, or unknown.
            Err(_) if is_indexed => {}
            Err(_) => all.extend(records.keys().map(|it| (it.clone(), None))),
        }
        let known = all.into_iter().filter(|(arn, _)| Kind::of(arn, None).is_some());
        let resources = known.map(|(arn, tags)| {
            let records = records.remove(&arn).unwrap_or_default();
            let first_seen = first_seen.get(&arn).copied();
            let kind = records.kind.clone();
            (Resource { arn, kind, tags, created: None, first_seen }, records)
        });
        let resources = resources.collect();
        let is_kept = |it: &(String, Records)| !it.1.points.is_empty();
        let unnamed = records.into_iter().filter(is_kept).map(|it| it.0).collect();
        Self { resources, unnamed }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::coverage::PointStatus;

    const VOLUME: &str = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1";
    const BUCKET: &str = "arn:aws:s3:::reports";
    const CLUSTER: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:orders";
    const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:queue";

    fn tags(value: &str) -> Tags {
        [("tier".to_owned(), value.to_owned())].into()
    }

    fn backed_up(kind: Option<&str>) -> Records {
        let created = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
        let point = RecoveryPoint {
            vault: "arn:aws:backup:eu-west-1:111122223333:backup-vault:keep".into(),
            created,
            completed: created,
            status: PointStatus::Usable,
            is_continuous: false,
            delete_at: None,
            by: None,
        };
        let kind = kind.map(|it| it.parse().unwrap());
        Records { kind, points: vec![point], ..Records::default() }
    }

    fn answers() -> Answers {
        Answers {
            tagged: Ok([(VOLUME.to_owned(), tags("gold")), (QUEUE.to_owned(), tags("gold"))].into()),
            indexed: None,
            records: [
                (CLUSTER.to_owned(), backed_up(Some("Neptune"))),
                (VOLUME.to_owned(), backed_up(None)),
            ]
            .into(),
            first_seen: BTreeMap::new(),
        }
    }

    fn named(inventory: &Inventory) -> Vec<(&str, Option<&Tags>, usize)> {
        let all = inventory.resources.iter();
        all.map(|it| (it.0.arn.as_str(), it.0.tags.as_ref(), it.1.points.len())).collect()
    }

    #[test]
    fn what_only_its_backups_tell_of_is_not_judged() {
        let inventory = Inventory::new(answers());
        assert_eq!(named(&inventory), [(VOLUME, Some(&tags("gold")), 1)]);
        assert_eq!(inventory.unnamed, [CLUSTER.to_owned()].into());
    }

    #[test]
    fn an_index_names_what_has_no_tag() {
        let indexed = [(BUCKET, None), (CLUSTER, Some(tags("old"))), (VOLUME, None), (QUEUE, None)];
        let indexed = indexed.into_iter().map(|it| (it.0.to_owned(), it.1)).collect();
        let inventory = Inventory::new(Answers { indexed: Some(indexed), ..answers() });
        let none = Tags::new();
        let gold = tags("gold");
        // A resource that the tagging API does not name has no tag, even if the index has one.
        let wanted =
            [(VOLUME, Some(&gold), 1), (CLUSTER, Some(&none), 1), (BUCKET, Some(&none), 0)];
        assert_eq!(named(&inventory), wanted);
        assert!(inventory.unnamed.is_empty());
        let kind = inventory.resources.iter().find(|it| it.0.arn == CLUSTER);
        assert_eq!(kind.and_then(|it| it.0.kind.clone()), "Neptune".parse().ok());
    }

    #[test]
    fn without_the_tagging_api_tags_are_those_of_the_index_or_not_known() {
        let unread = Answers { tagged: Err("denied".to_owned()), ..answers() };
        let inventory = Inventory::new(unread.clone());
        assert_eq!(named(&inventory), [(VOLUME, None, 1), (CLUSTER, None, 1)]);
        let indexed = [(VOLUME.to_owned(), Some(tags("gold"))), (BUCKET.to_owned(), None)];
        let inventory = Inventory::new(Answers { indexed: Some(indexed.into()), ..unread });
        assert_eq!(named(&inventory), [(VOLUME, Some(&tags("gold")), 1), (BUCKET, None, 0)]);
        assert_eq!(inventory.unnamed, [CLUSTER.to_owned()].into());
    }
}
