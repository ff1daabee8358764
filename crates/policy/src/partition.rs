//! The partitions of AWS, and the source of each fact about them.
//!
//! All facts are in the table of partitions that every AWS SDK has, and `crates/aws/organization`
//! compares them with that table. `scripts/deploy/partitions.json` is generated from this module. The Regions are
//! those of botocore, which `scripts/regions.py` writes to `data/regions.tsv`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A separate part of AWS: accounts, organizations and ARNs belong to exactly one partition.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Partition {
    /// The partition with most of the Regions.
    Commercial,
    /// China.
    China,
    /// The Regions for the government of the United States.
    GovCloud,
    /// The AWS European Sovereign Cloud.
    EuropeanSovereign,
    /// The isolated Regions of AWS Top Secret.
    Iso,
    /// The isolated Regions of AWS Secret.
    IsoB,
    /// The isolated Regions in Europe.
    IsoE,
    /// The isolated Regions of the newest partition in the United States.
    IsoF,
}

/// A name of a partition that this release does not know.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{0}` is not a partition of AWS that this release knows")]
pub struct UnknownPartition(String);

impl UnknownPartition {
    /// The hint on what to do next.
    pub const HINT: &str = "use a newer one";
}

/// A row of the table.
struct PartitionFacts {
    name: &'static str,
    url_suffix: &'static str,
    organizations_region: &'static str,
    areas: &'static [&'static str],
}

/// All Regions, one per line: the name, the partition, whether logically air-gapped vaults exist
/// there, and whether accounts have to enable the Region. The first line contains the day and the
/// sources of the list.
const REGIONS: &str = include_str!("../data/regions.tsv");

impl Partition {
    /// All partitions.
    pub const ALL: [Self; 8] = [
        Self::Commercial,
        Self::China,
        Self::GovCloud,
        Self::EuropeanSovereign,
        Self::Iso,
        Self::IsoB,
        Self::IsoE,
        Self::IsoF,
    ];

    const fn facts(self) -> PartitionFacts {
        match self {
            Self::Commercial => PartitionFacts {
                name: "aws",
                url_suffix: "amazonaws.com",
                organizations_region: "us-east-1",
                areas: &["af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"],
            },
            Self::China => PartitionFacts {
                name: "aws-cn",
                url_suffix: "amazonaws.com.cn",
                organizations_region: "cn-northwest-1",
                areas: &["cn"],
            },
            Self::GovCloud => PartitionFacts {
                name: "aws-us-gov",
                url_suffix: "amazonaws.com",
                organizations_region: "us-gov-west-1",
                areas: &["us-gov"],
            },
            Self::EuropeanSovereign => PartitionFacts {
                name: "aws-eusc",
                url_suffix: "amazonaws.eu",
                organizations_region: "eusc-de-east-1",
                areas: &["eusc-de"],
            },
            Self::Iso => PartitionFacts {
                name: "aws-iso",
                url_suffix: "c2s.ic.gov",
                organizations_region: "us-iso-east-1",
                areas: &["us-iso"],
            },
            Self::IsoB => PartitionFacts {
                name: "aws-iso-b",
                url_suffix: "sc2s.sgov.gov",
                organizations_region: "us-isob-east-1",
                areas: &["us-isob"],
            },
            Self::IsoE => PartitionFacts {
                name: "aws-iso-e",
                url_suffix: "cloud.adc-e.uk",
                organizations_region: "eu-isoe-west-1",
                areas: &["eu-isoe"],
            },
            Self::IsoF => PartitionFacts {
                name: "aws-iso-f",
                url_suffix: "csp.hci.ic.gov",
                organizations_region: "us-isof-south-1",
                areas: &["us-isof"],
            },
        }
    }

    /// Returns the name in ARNs, which is `AWS::Partition` in templates.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Returns the suffix of host names, which is `AWS::URLSuffix` in templates.
    pub const fn url_suffix(self) -> &'static str {
        self.facts().url_suffix
    }

    /// Returns the Region of AWS Organizations. Its only endpoint is there, and so is the event bus
    /// that receives its events.
    pub const fn organizations_region(self) -> &'static str {
        self.facts().organizations_region
    }

    /// Returns the prefixes of its Regions before the place and the number, as `eusc-de` of
    /// `eusc-de-east-1`.
    pub const fn areas(self) -> &'static [&'static str] {
        self.facts().areas
    }

    /// Returns the Regions that this release knows. There may be newer ones.
    pub fn regions(self) -> impl Iterator<Item = &'static str> {
        rows().filter(move |it| it.partition == self.name()).map(|it| it.region)
    }

    /// Returns the Regions of all partitions that this release knows.
    pub fn all_regions() -> impl Iterator<Item = &'static str> {
        rows().map(|it| it.region)
    }

    /// Returns `true` if an account has to enable the Region before it can use it. This applies to
    /// every new Region of the commercial partition.
    pub fn has_to_be_enabled(region: &str) -> bool {
        match rows().find(|it| it.region == region) {
            Some(row) => row.enabled != "always",
            None => Self::of_region(region) == Some(Self::Commercial),
        }
    }

    /// Returns the day of the list of Regions, as in `2026-11-29`.
    pub fn regions_as_of() -> &'static str {
        REGIONS.split(['\t', '\n']).nth(1).unwrap_or_default()
    }

    /// Returns the partition of a Region, which may be newer than this release. Returns `None` if
    /// no partition has Regions with such a name.
    pub fn of_region(region: &str) -> Option<Self> {
        let mut parts = region.rsplitn(3, '-');
        let (_number, _place, area) = (parts.next()?, parts.next()?, parts.next()?);
        Self::ALL.into_iter().find(|it| it.areas().contains(&area))
    }
}

/// A Region in the list.
struct Row {
    region: &'static str,
    partition: &'static str,
    enabled: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    REGIONS.lines().skip(1).map(|line| {
        let mut fields = line.split('\t');
        let mut field = || fields.next().expect("a line has four fields");
        let (region, partition, _air_gapped) = (field(), field(), field());
        Row { region, partition, enabled: field() }
    })
}

impl FromStr for Partition {
    type Err = UnknownPartition;

    fn from_str(name: &str) -> Result<Self, UnknownPartition> {
        let named = Self::ALL.into_iter().find(|it| it.name() == name);
        named.ok_or_else(|| UnknownPartition(name.to_owned()))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use serde_json::{Map, Value, json};

    use super::*;

    #[test]
    fn every_partition_is_found_by_its_name_and_its_regions() {
        for partition in Partition::ALL {
            assert_eq!(partition.to_string().parse(), Ok(partition));
            assert!(partition.regions().any(|it| it == partition.organizations_region()));
            for region in partition.regions() {
                assert_eq!(Partition::of_region(region), Some(partition), "{region}");
            }
        }
    }

    #[test]
    fn hosts_end_as_their_partition_has_it() {
        let suffix = |name: &str| name.parse::<Partition>().map(Partition::url_suffix);
        assert_eq!(suffix("aws"), Ok("amazonaws.com"));
        assert_eq!(suffix("aws-cn"), Ok("amazonaws.com.cn"));
        assert_eq!(suffix("aws-eusc"), Ok("amazonaws.eu"));
    }

    #[test]
    fn every_partition_has_one_region_of_events() {
        let region = |name: &str| name.parse::<Partition>().map(Partition::organizations_region);
        assert_eq!(region("aws"), Ok("us-east-1"));
        assert_eq!(region("aws-us-gov"), Ok("us-gov-west-1"));
        assert_eq!(region("aws-cn"), Ok("cn-northwest-1"));
    }

    #[test]
    fn a_region_that_is_newer_belongs_to_the_partition_of_its_area() {
        for (region, partition) in [
            ("sa-north-1", Partition::Commercial),
            ("us-gov-central-1", Partition::GovCloud),
            ("eusc-de-west-1", Partition::EuropeanSovereign),
            ("us-isob-north-12", Partition::IsoB),
        ] {
            assert_eq!(Partition::of_region(region), Some(partition));
        }
    }

    #[test]
    fn what_is_unknown_belongs_to_no_partition() {
        for region in ["", "us", "us-east", "tea-north-1", "us-tea-east-1", "-us-east-1"] {
            assert_eq!(Partition::of_region(region), None, "{region}");
        }
        let error = "aws-tea".parse::<Partition>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`aws-tea` is not a partition of AWS that this release knows"
        );
    }

    #[test]
    fn every_region_of_the_list_belongs_to_a_partition() {
        let mut regions: Vec<_> = Partition::ALL.iter().flat_map(|it| it.regions()).collect();
        regions.sort_unstable();
        assert_eq!(regions, Partition::all_regions().collect::<Vec<_>>());
        assert!(regions.contains(&"sa-west-1") && regions.contains(&"us-isof-south-1"));
        let day: Vec<_> = Partition::regions_as_of().split('-').map(str::len).collect();
        assert_eq!(day, [4, 2, 2]);
    }

    #[test]
    fn a_region_of_before_2019_is_there_for_every_account() {
        for region in ["eu-south-1", "me-west-1", "eu-north-9"] {
            assert!(Partition::has_to_be_enabled(region), "{region}");
        }
        for region in ["us-east-1", "sa-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"] {
            assert!(!Partition::has_to_be_enabled(region), "{region}");
        }
    }

    /// `UPDATE_EXPECT=1 cargo test -p policy partition` writes the file anew.
    #[test]
    fn the_program_that_deploys_has_the_same_table() {
        let rows = Partition::ALL.map(|it| {
            let row = json!({ "areas": it.areas(), "events": it.organizations_region() });
            (it.name().to_owned(), row)
        });
        let table = Value::Object(Map::from_iter(rows));
        expect_file!["../../../scripts/deploy/partitions.json"].assert_eq(&format!("{table:#}\n"));
    }
}
