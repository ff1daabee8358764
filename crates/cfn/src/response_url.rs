//! The address of an answer.

use std::fmt;
use std::sync::LazyLock;

use policy::partition::Partition;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};

use crate::undelivered::Undelivered;

/// A presigned address. Anyone who knows it can answer in our name, so it is never shown.
///
/// Only a [`Ticket`](crate::Ticket) stores it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "Value")]
pub(crate) struct ResponseUrl(String);

impl TryFrom<Value> for ResponseUrl {
    type Error = Undelivered;

    fn try_from(value: Value) -> Result<Self, Undelivered> {
        Self::read(Some(&value))
    }
}

impl ResponseUrl {
    /// Accepts https addresses of the buckets in which CloudFormation waits for answers.
    ///
    /// A debug build also accepts loopback addresses, where local engines listen. A release build
    /// accepts them if `ORG_BACKUP_LOOPBACK` is `true`, which no template sets.
    pub(crate) fn read(value: Option<&Value>) -> Result<Self, Undelivered> {
        let text = value.and_then(Value::as_str).ok_or(Undelivered::NoAddress)?;
        // The parser's error is dropped, because it may contain the address.
        let url = Url::parse(text).map_err(|_| Undelivered::BadAddress)?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_plain = url.port().is_none() && url.username().is_empty();
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "http" | "https" if loopback && SURROUNDINGS.loopback => Ok(Self(text.to_owned())),
            "https" if is_plain && is_cloudformations(host, SURROUNDINGS.region.as_deref()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Undelivered::BadAddress),
        }
    }

    /// Returns the address exactly as received, because re-encoding would break its signature.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseUrl(…)")
    }
}

/// The prefix of the buckets in which CloudFormation waits for answers. The Region without its
/// hyphens follows it.
const BUCKET: &str = "cloudformation-custom-resource-response-";

/// The environment settings that decide which addresses are accepted.
struct Surroundings {
    loopback: bool,
    /// The Region of the function, which is the Region of the stack.
    region: Option<String>,
}

static SURROUNDINGS: LazyLock<Surroundings> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "read once, before the first answer")]
    let read = |name: &str| std::env::var(name).ok();
    let loopback = read("ORG_BACKUP_LOOPBACK").is_some_and(|it| it == "true");
    Surroundings { loopback: loopback || cfg!(debug_assertions), region: read("AWS_REGION") }
});

/// Returns `true` if `host` is an S3 bucket of CloudFormation, as in
/// `cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com`.
///
/// If `region` is known, the bucket must be the one of that Region. The prefix alone is not enough,
/// because anyone can create a bucket whose name begins with it.
fn is_cloudformations(host: &str, region: Option<&str>) -> bool {
    let place_of = |it: Partition| host.strip_suffix(it.url_suffix())?.strip_suffix('.');
    let suffix = Partition::ALL.into_iter().find_map(place_of);
    let Some((bucket, service)) = suffix.and_then(|it| it.split_once('.')) else { return false };
    let Some(name) = bucket.strip_prefix(BUCKET) else { return false };
    let bare = |it: &str| it.replace('-', "");
    let place = match service {
        "s3" => None,
        _ => Some(
            service
                .strip_prefix("s3.dualstack.")
                .or_else(|| service.strip_prefix("s3."))
                .or_else(|| service.strip_prefix("s3-"))
                .unwrap_or("elsewhere"),
        ),
    };
    !name.is_empty()
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
        && place.is_none_or(|it| bare(it) == bare(name))
        && region.is_none_or(|it| bare(it) == bare(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_go_to_buckets_of_cloudformation_in_the_region_and_to_no_other_host() {
        for (host, region, is_taken) in [
            ("cloudformation-custom-resource-response-useast1.s3.amazonaws.com", "us-east-1", true),
            (
                "cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com",
                "eu-west-1",
                true,
            ),
            (
                "cloudformation-custom-resource-response-useast2.s3-us-east-2.amazonaws.com",
                "us-east-2",
                true,
            ),
            (
                "cloudformation-custom-resource-response-euwest1.s3.dualstack.eu-west-1.amazonaws.com",
                "eu-west-1",
                true,
            ),
            (
                "cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
                true,
            ),
            (
                "cloudformation-custom-resource-response-euscdeeast1.s3.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
                true,
            ),
            (
                "cloudformation-custom-resource-response-usgovwest1.s3.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
                true,
            ),
            (
                "cloudformation-custom-resource-response-usisoeast1.s3.us-iso-east-1.c2s.ic.gov",
                "us-iso-east-1",
                true,
            ),
            (
                "cloudformation-custom-resource-response-usisobeast1.s3.us-isob-east-1.sc2s.sgov.gov",
                "us-isob-east-1",
                true,
            ),
            (
                "cloudformation-custom-resource-response-euisoewest1.s3.eu-isoe-west-1.cloud.adc-e.uk",
                "eu-isoe-west-1",
                true,
            ),
            (
                "cloudformation-custom-resource-response-usisofsouth1.s3.us-isof-south-1.csp.hci.ic.gov",
                "us-isof-south-1",
                true,
            ),
            // The bucket of somebody else, whose name only begins like it.
            ("cloudformation-custom-resource-response-evil.s3.amazonaws.com", "us-east-1", false),
            (
                "cloudformation-custom-resource-response-euwest1.s3.us-east-1.amazonaws.com",
                "eu-west-1",
                false,
            ),
            (
                "cloudformation-custom-resource-response-euwest1.s3.amazonaws.com",
                "us-east-1",
                false,
            ),
            ("cloudformation-custom-resource-response-.s3.amazonaws.com", "", false),
            ("evil.s3.amazonaws.com", "us-east-1", false),
            (
                "evil.cloudformation-custom-resource-response-useast1.s3.amazonaws.com",
                "us-east-1",
                false,
            ),
            (
                "cloudformation-custom-resource-response-useast1.s3.amazonaws.com.evil.example",
                "us-east-1",
                false,
            ),
            (
                "cloudformation-custom-resource-response-useast1.s3.evilamazonaws.com",
                "us-east-1",
                false,
            ),
            (
                "cloudformation-custom-resource-response-useast1.execute-api.us-east-1.amazonaws.com",
                "us-east-1",
                false,
            ),
            ("answers.example.com", "us-east-1", false),
        ] {
            assert_eq!(is_cloudformations(host, Some(region)), is_taken, "{host}");
        }
    }
}
