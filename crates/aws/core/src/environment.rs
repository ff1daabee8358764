//! The settings of AWS clients, from the environment that Lambda provides.
//!
//! The SDK's own provider chain also reads profiles and metadata services. Lambda does not have
//! them, and the chain would be a seventh of every function's size.

use std::collections::BTreeMap;

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;
use aws_types::sdk_config::Builder;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use policy::partition::Partition;

/// Reads credentials, Region and endpoints from the variables that every AWS SDK uses for them.
///
/// An empty value counts as absent. A call without credentials fails. If an endpoint is not a valid
/// address, every call to it fails, and no call goes to AWS instead.
pub(crate) fn settings(variables: impl IntoIterator<Item = (String, String)>) -> Builder {
    let variables = variables.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
    let variables: BTreeMap<_, _> = variables.filter(|(_, value)| !value.is_empty()).collect();
    let get = |name| variables.get(name).map(String::as_str);
    let flag = |name| match get(name) {
        Some(it) if it.eq_ignore_ascii_case("true") => Some(true),
        Some(it) if it.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    // Lambda names the Region, and so does the command. A call that needs none goes to the partition
    // that nearly everybody is in.
    let region = get("AWS_REGION").or(get("AWS_DEFAULT_REGION"));
    let region = region.unwrap_or_else(|| Partition::Commercial.organizations_region());
    let key = get("AWS_ACCESS_KEY_ID").zip(get("AWS_SECRET_ACCESS_KEY"));
    let credentials = key.map(|(id, secret)| {
        let token = get("AWS_SESSION_TOKEN").map(ToOwned::to_owned);
        SharedCredentialsProvider::new(Credentials::new(id, secret, token, None, "Environment"))
    });
    let mut settings = SdkConfig::builder();
    settings
        .set_behavior_version(Some(BehaviorVersion::latest()))
        .set_region(Region::new(region.to_owned()))
        .set_credentials_provider(credentials)
        .set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"))
        .set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    if flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") != Some(true) {
        let endpoints =
            variables.into_iter().filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL"));
        settings.set_service_config(Some(Endpoints(endpoints.collect())));
    }
    settings
}

/// The endpoints of services, by the names of their variables.
#[derive(Debug)]
struct Endpoints(BTreeMap<String, String>);

impl LoadServiceConfig for Endpoints {
    /// Returns the value of the variable for a service, or else of the variable for all services.
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        let own = self.0.get(&format!("{}_{service}", key.env()));
        own.or_else(|| self.0.get(key.env())).cloned()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::config::ProvideCredentials;

    use super::*;

    fn config(variables: &[(&str, &str)]) -> SdkConfig {
        settings(variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()))).build()
    }

    /// Returns the endpoint that the client of `service` asks.
    fn endpoint(config: &SdkConfig, service: &str) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url");
        config.service_config()?.load_config(key.build().unwrap())
    }

    #[tokio::test]
    async fn credentials_are_those_of_the_environment() {
        let config = config(&[
            ("AWS_ACCESS_KEY_ID", "AKIAFUNCTION"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
        ]);
        let found = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
        assert_eq!(found.access_key_id(), "AKIAFUNCTION");
        assert_eq!(found.secret_access_key(), "secret");
        assert_eq!(found.session_token(), Some("token"));
        assert_eq!(found.expiry(), None);
    }

    #[tokio::test]
    async fn an_empty_session_token_is_none() {
        let config = config(&[
            ("AWS_ACCESS_KEY_ID", "AKIAFUNCTION"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", ""),
        ]);
        let found = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
        assert_eq!(found.session_token(), None);
    }

    #[test]
    fn half_a_key_is_no_credentials() {
        let none = |name| config(&[(name, "AKIAFUNCTION")]).credentials_provider().is_none();
        assert!(none("AWS_ACCESS_KEY_ID") && none("AWS_SECRET_ACCESS_KEY"));
    }

    #[test]
    fn the_region_is_that_of_the_function_or_else_the_first() {
        let region = |variables: &[_]| config(variables).region().unwrap().to_string();
        let (of_function, by_default) =
            (("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-north-1"));
        assert_eq!(region(&[of_function, by_default]), "eu-west-1");
        assert_eq!(region(&[by_default]), "eu-north-1");
        assert_eq!(region(&[("AWS_REGION", " ")]), "us-east-1");
    }

    #[test]
    fn an_endpoint_is_that_of_the_service_or_else_that_of_all() {
        let config = config(&[
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_ORGANIZATIONS", "http://127.0.0.1:2"),
            ("AWS_ENDPOINT_URL_COST_EXPLORER", "http://127.0.0.1:3"),
            ("AWS_ENDPOINT_URL_STS", ""),
        ]);
        let endpoint = |service| endpoint(&config, service).unwrap();
        assert_eq!(endpoint("Organizations"), "http://127.0.0.1:2");
        assert_eq!(endpoint("Cost Explorer"), "http://127.0.0.1:3");
        assert_eq!(endpoint("Backup"), "http://127.0.0.1:1");
        assert_eq!(endpoint("STS"), "http://127.0.0.1:1");
    }

    #[test]
    fn endpoints_that_are_to_be_ignored_are() {
        let variables = |flag| {
            [("AWS_ENDPOINT_URL", "http://[::1]:1"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", flag)]
        };
        assert_eq!(endpoint(&config(&variables("TRUE")), "S3"), None);
        assert_eq!(endpoint(&config(&variables("false")), "S3").unwrap(), "http://[::1]:1");
    }

    #[test]
    fn the_switches_of_endpoints_are_heard() {
        let config =
            config(&[("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_USE_DUALSTACK_ENDPOINT", "False")]);
        assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(true), Some(false)));
        let unset = settings([("AWS_USE_FIPS_ENDPOINT".to_owned(), "yes".to_owned())]).build();
        assert_eq!((unset.use_fips(), unset.use_dual_stack()), (None, None));
    }

    #[test]
    fn credentials_are_not_among_what_is_shown() {
        let config =
            config(&[("AWS_ACCESS_KEY_ID", "AKIAFUNCTION"), ("AWS_SECRET_ACCESS_KEY", "hidden")]);
        assert!(!format!("{config:?}").contains("hidden"));
    }
}
