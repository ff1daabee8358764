//! The hosts of operations without an SDK, compared with those that an SDK has.

use std::sync::{Arc, Mutex};

use aws::Reader;
use aws::api::{Question, Service, ask};
use aws_sdk_backup::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use policy::partition::Partition;
use simulator::script::ENVIRONMENT;

use super::*;

/// A connector that answers every request with an empty object, and keeps the address of the last.
#[derive(Clone, Debug, Default)]
struct Addressed(Arc<Mutex<String>>);

impl HttpConnector for Addressed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        request.uri().clone_into(&mut self.0.lock().unwrap());
        let answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::from("{}"));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

/// Returns the address of AWS Backup that its SDK has; `None` if it has none.
async fn of_the_sdk(region: &str, fips: bool, dual_stack: bool) -> Option<String> {
    let params = Params::builder().region(region).use_fips(fips).use_dual_stack(dual_stack);
    let endpoint = DefaultResolver::new().resolve_endpoint(&params.build().unwrap()).await;
    Some(format!("{}/x?", endpoint.ok()?.url()))
}

/// Returns the address to which an operation without an SDK goes; `None` if it goes nowhere.
async fn of_an_operation(region: &str, fips: bool, dual_stack: bool) -> Option<String> {
    let (fips, dual_stack) = (fips.to_string(), dual_stack.to_string());
    let more = [
        ("AWS_REGION", region),
        ("AWS_USE_FIPS_ENDPOINT", &fips),
        ("AWS_USE_DUALSTACK_ENDPOINT", &dual_stack),
    ];
    let connector = Addressed::default();
    let shared = SharedHttpConnector::new(connector.clone());
    let session = Session::from_variables(shared, Reader::Log, ENVIRONMENT.into_iter().chain(more));
    let question = Question::Path { path: "/x", query: vec![] };
    let service = Service { id: "Backup", name: "backup" };
    ask(session.config(), service, "X", question, |_| Ok(())).await.ok()?;
    let address = connector.0.lock().unwrap().clone();
    Some(address)
}

#[tokio::test(start_paused = true)]
async fn an_operation_without_an_sdk_goes_to_the_host_that_an_sdk_has_in_every_partition() {
    for partition in Partition::ALL {
        let areas = partition.areas().iter().map(|it| format!("{it}-tea-9"));
        for region in partition.regions().map(ToOwned::to_owned).chain(areas) {
            for (fips, dual_stack) in [(false, false), (false, true), (true, false), (true, true)] {
                let sdk = of_the_sdk(&region, fips, dual_stack).await;
                let own = of_an_operation(&region, fips, dual_stack).await;
                assert_eq!(own, sdk, "{region}, FIPS: {fips}, dual stack: {dual_stack}");
            }
        }
    }
}
