//! The host of a service, and the Region for which requests to it are signed.

use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;
use policy::partition::Partition;

use super::{BoxError, Service};

/// The hosts that are not named after the service and its Region alone, one per line. `scripts/hosts.py`
/// makes the list from the endpoint rules in botocore, and describes its columns.
const HOSTS: &str = include_str!("../../data/hosts.tsv");

/// The address of a service.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) url: String,
    /// The Region for which requests are signed.
    pub(super) signed_for: Option<Region>,
}

/// Returns the endpoint of `service`: the one that the environment names, or else that of AWS in
/// the Region of `config`.
pub(super) async fn of(config: &SdkConfig, service: Service) -> Result<Endpoint, BoxError> {
    let region = config.region().cloned();
    let key = ServiceConfigKey::builder().service_id(service.id);
    let key = key.env("AWS_ENDPOINT_URL").profile("endpoint_url").build()?;
    let own = config.service_config().and_then(|it| it.load_config(key));
    if let Some(url) = own.or_else(|| config.endpoint_url().map(ToOwned::to_owned)) {
        return Ok(Endpoint { url, signed_for: region });
    }
    let name = region.as_ref().map(Region::as_ref).unwrap_or_default();
    let fips = config.use_fips() == Some(true);
    let ipv6 = config.use_dual_stack() == Some(true);
    if let Some((host, signed_for)) = unusual(service, name, fips, ipv6) {
        let signed_for = if signed_for == "-" { name } else { signed_for };
        let url = format!("https://{}", host.replace("{region}", name));
        return Ok(Endpoint { url, signed_for: Some(Region::new(signed_for.to_owned())) });
    }
    // Every SDK has a table of AWS's partitions. Only that of STS leaves FIPS out of some names.
    let params = Params::builder()
        .set_region(config.region().map(ToString::to_string))
        .set_use_fips(config.use_fips())
        .set_use_dual_stack(config.use_dual_stack())
        .build()?;
    let sts = DefaultResolver::new().resolve_endpoint(&params).await?;
    let rest = sts.url().strip_prefix("https://sts").ok_or("no endpoint of STS")?;
    let rest = rest.strip_prefix("-fips").unwrap_or(rest);
    let suffix = if fips { "-fips" } else { "" };
    Ok(Endpoint { url: format!("https://{}{suffix}{rest}", service.name), signed_for: region })
}

/// Returns the unusual host of a service in a Region, if it has one, and the Region for which requests
/// to it are signed. `-` stands for the caller's own Region.
fn unusual(
    service: Service,
    region: &str,
    fips: bool,
    ipv6: bool,
) -> Option<(&'static str, &'static str)> {
    let partition = Partition::of_region(region)?.name();
    let [fips, ipv6] = [fips, ipv6].map(|it| if it { "yes" } else { "no" });
    let wanted = [service.name, partition, region, fips, ipv6];
    HOSTS.lines().find_map(|line| {
        let mut fields = line.split('\t');
        let is_it =
            wanted.iter().all(|it| fields.next().is_some_and(|own| own == *it || own == "*"));
        is_it.then_some((fields.next()?, fields.next()?))
    })
}
