//! The hosts of operations without an SDK, compared with those that an SDK has.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use aws::Reader;
use aws::api::{Question, Request, Service, ask};
use aws_sdk_backup::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use expect_test::expect_file;
use policy::partition::Partition;
use simulator::script::ENVIRONMENT;

use super::*;

/// A connector that answers every request with an empty object, and keeps the address and the
/// signature of the last.
#[derive(Clone, Debug, Default)]
struct Addressed(Arc<Mutex<(String, String)>>);

impl HttpConnector for Addressed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let signature = request.headers().get("authorization").unwrap().to_owned();
        *self.0.lock().unwrap() = (request.uri().to_owned(), signature);
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

/// Returns the address to which an operation of `service` goes, and its signature; `None` if it goes
/// nowhere.
async fn of_an_operation(
    service: Service,
    region: &str,
    fips: bool,
    dual_stack: bool,
) -> Option<(String, String)> {
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
    ask(session.config(), Request { service, operation: "X", question, read: |_| Ok(()) })
        .await
        .ok()?;
    let seen = connector.0.lock().unwrap().clone();
    Some(seen)
}

#[tokio::test(start_paused = true)]
async fn an_operation_without_an_sdk_goes_to_the_host_that_an_sdk_has_in_every_partition() {
    // AWS Backup has an SDK here, and the hosts that most services have.
    let backup = Service { id: "Backup", name: "backup" };
    for partition in Partition::ALL {
        let areas = partition.areas().iter().map(|it| format!("{it}-tea-9"));
        for region in partition.regions().map(ToOwned::to_owned).chain(areas) {
            for (fips, dual_stack) in [(false, false), (false, true), (true, false), (true, true)] {
                let sdk = of_the_sdk(&region, fips, dual_stack).await;
                let own = of_an_operation(backup, &region, fips, dual_stack).await;
                assert_eq!(
                    own.map(|it| it.0),
                    sdk,
                    "{region}, FIPS: {fips}, dual stack: {dual_stack}"
                );
            }
        }
    }
}

#[test]
fn the_list_of_unusual_hosts_is_that_of_botocore() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut python = Command::new(root.join(".venv/bin/python"));
    let script = python.arg(root.join("scripts/hosts.py")).args(Service::ALL.map(|it| it.id));
    let made = script.output().expect("run `make venv` first");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    expect_file!["../../../core/data/hosts.tsv"]
        .assert_eq(&String::from_utf8(made.stdout).unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_operation_goes_to_an_unusual_host_and_is_signed_for_the_region_of_that_host() {
    let [fips, ipv6] = [(true, false), (false, true)];
    let goes = [
        (Service::IAM, "eu-west-1", (false, false), "iam.amazonaws.com", "us-east-1"),
        (Service::IAM, "sa-tea-9", ipv6, "iam.global.api.aws", "us-east-1"),
        (
            Service::IAM,
            "cn-northwest-1",
            (false, false),
            "iam.cn-north-1.amazonaws.com.cn",
            "cn-north-1",
        ),
        (Service::IAM, "us-gov-east-1", fips, "iam.us-gov.amazonaws.com", "us-gov-west-1"),
        (Service::EC2, "us-gov-east-1", fips, "ec2.us-gov-east-1.amazonaws.com", "us-gov-east-1"),
        (Service::EC2, "us-east-1", fips, "ec2-fips.us-east-1.amazonaws.com", "us-east-1"),
        (Service::EFS, "eu-west-1", ipv6, "efs.eu-west-1.api.aws", "eu-west-1"),
        (
            Service::KMS,
            "eusc-de-east-1",
            (false, false),
            "kms.eusc-de-east-1.amazonaws.eu",
            "eusc-de-east-1",
        ),
    ];
    for (service, region, (fips, dual_stack), host, signed_for) in goes {
        let (url, signature) = of_an_operation(service, region, fips, dual_stack).await.unwrap();
        assert_eq!(url, format!("https://{host}/x?"), "{} in {region}", service.id);
        let scope = format!("/{signed_for}/{}/aws4_request", service.name);
        assert!(signature.contains(&scope), "{}: {signature}", service.id);
    }
}
