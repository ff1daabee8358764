//! Calls operations as their models describe them and holds the answers against the models.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use simulator::{Service, Settings, Simulator};

use super::model::Model;
use super::xml;
use crate::support::{Client, Reply};

/// A simulator, the models it is held against, and what was called so far.
pub(crate) struct Driver {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
    models: BTreeMap<Service, &'static Model>,
    pub(crate) called: BTreeSet<(Service, String)>,
    pub(crate) refused: BTreeSet<(Service, String, String)>,
}

/// The services and what botocore calls them.
pub(crate) const SERVICES: [(Service, &str); 14] = [
    (Service::Organizations, "organizations"),
    (Service::Backup, "backup"),
    (Service::Sts, "sts"),
    (Service::CloudFormation, "cloudformation"),
    (Service::CloudTrail, "cloudtrail"),
    (Service::EventBridge, "events"),
    (Service::Iam, "iam"),
    (Service::Kms, "kms"),
    (Service::S3, "s3"),
    (Service::SecurityHub, "securityhub"),
    (Service::Sns, "sns"),
    (Service::StepFunctions, "stepfunctions"),
    (Service::Tagging, "resourcegroupstaggingapi"),
    (Service::ResourceExplorer, "resource-explorer-2"),
];

/// What is written in another way in the path of a request.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Driver {
    pub(crate) async fn start() -> Self {
        let simulator = Simulator::start(Settings::default()).await.unwrap();
        let client = Client::new(&simulator.url());
        let models = SERVICES.iter().map(|it| (it.0, Model::load(it.1))).collect();
        let (called, refused) = (BTreeSet::new(), BTreeSet::new());
        Self { simulator, client, models, called, refused }
    }

    pub(crate) fn model(&self, service: Service) -> &'static Model {
        self.models[&service]
    }

    /// Calls an operation, which must succeed and answer as its model says, and which must refuse
    /// the same request without any of its required members.
    pub(crate) async fn call(
        &mut self,
        service: Service,
        operation: &str,
        request: Value,
    ) -> Value {
        let model = self.models[&service];
        if let Some(shape) = model.shape_of(operation, "input") {
            assert_eq!(model.findings(shape, &request, operation), Vec::<String>::new());
            for member in model.required(shape) {
                self.expect_required(service, operation, &request, member).await;
            }
        }
        let reply = self.send(service, operation, &request).await;
        assert!(reply.status < 300, "{operation}: {} {}", reply.status, reply.body);
        let answer = self.read(service, operation, &reply);
        let model = self.model(service);
        match model.shape_of(operation, "output") {
            Some(shape) => {
                assert_eq!(model.findings(shape, &answer, operation), Vec::<String>::new());
            }
            None => assert_eq!(reply.body, "", "{operation} answers nothing"),
        }
        self.called.insert((service, operation.to_owned()));
        answer
    }

    pub(crate) async fn organizations(&mut self, operation: &str, request: Value) -> Value {
        self.call(Service::Organizations, operation, request).await
    }

    /// Calls an operation, which must be refused with `code` and, if it is not empty, `reason`.
    pub(crate) async fn refuse(
        &mut self,
        service: Service,
        operation: &str,
        request: Value,
        refusal: &str,
    ) {
        let reply = self.send(service, operation, &request).await;
        assert_eq!(reply.refusal(), refusal, "{operation}: {} {}", reply.status, reply.body);
        let model = self.model(service);
        if service == Service::Organizations {
            let mut body = reply.json();
            let body = body.as_object_mut().unwrap();
            let code = body.remove("__type").unwrap();
            let code = code.as_str().unwrap();
            // The enumeration has the reasons without the member that they may name.
            if let Some(reason) = body.get_mut("Reason") {
                *reason = json!(reason.as_str().unwrap().split(':').next());
            }
            let findings = model.findings(code, &json!(body), operation);
            assert_eq!(findings, Vec::<String>::new());
        }
        self.refused.insert((service, operation.to_owned(), reply.code()));
    }

    async fn expect_required(
        &self,
        service: Service,
        operation: &str,
        request: &Value,
        member: &str,
    ) {
        let model = self.model(service);
        let shape = model.shape_of(operation, "input").unwrap();
        // What names the bucket, the key, the vault and so on is the path itself.
        if service == Service::S3 || model.place(shape, member).0 == "uri" {
            return;
        }
        let mut request = request.clone();
        request.as_object_mut().unwrap().remove(member);
        let reply = self.send(service, operation, &request).await;
        assert_eq!(reply.status, 400, "{operation} without {member}: {}", reply.body);
    }

    /// Sends a request in the protocol of the service, which the model names.
    async fn send(&self, service: Service, operation: &str, request: &Value) -> Reply {
        let model = self.model(service);
        let (method, path) = model.http(operation);
        let name = SERVICES.iter().find(|it| it.0 == service).unwrap().1;
        match model.metadata("protocol") {
            "json" => {
                let target = format!("{}.{operation}", model.metadata("targetPrefix"));
                let kind = format!("application/x-amz-json-{}", model.metadata("jsonVersion"));
                let headers = [("x-amz-target", target.as_str()), ("content-type", kind.as_str())];
                self.client.send(name, method, path, &headers, request.to_string()).await.unwrap()
            }
            "query" => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("Action", operation);
                form.append_pair("Version", model.metadata("apiVersion"));
                for (member, value) in request.as_object().unwrap() {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    form.append_pair(member, &value);
                }
                self.client.form(name, &form.finish()).await
            }
            "rest-json" => {
                let path = full_path(model, operation, request);
                let body = if method == "GET" { String::new() } else { request.to_string() };
                self.client.rest(name, method, &path, &body).await
            }
            _ => {
                let text = |member: &str| request[member].as_str().unwrap_or_default().to_owned();
                let path = path.replace("{Bucket}", &text("Bucket"));
                let mut path = path.replace("{Key+}", &text("Key"));
                for (member, parameter) in
                    [("VersionId", "versionId"), ("Prefix", "prefix"), ("MaxKeys", "max-keys")]
                {
                    if let Some(value) = request.get(member) {
                        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        let sign = if path.contains('?') { '&' } else { '?' };
                        path = format!("{path}{sign}{parameter}={value}");
                    }
                }
                let conditions = [("IfMatch", "if-match"), ("IfNoneMatch", "if-none-match")];
                let header = |(member, name)| Some((name, request[member].as_str()?));
                let headers: Vec<_> = conditions.into_iter().filter_map(header).collect();
                self.client.send(name, method, &path, &headers, text("Body")).await.unwrap()
            }
        }
    }

    /// The answer as the JSON that its model describes.
    fn read(&self, service: Service, operation: &str, reply: &Reply) -> Value {
        let model = self.model(service);
        match model.metadata("protocol") {
            "query" => xml::result(model, &reply.body, operation),
            "rest-xml" => {
                let shape = model.shape_of(operation, "output").unwrap();
                let known = model.headers(shape);
                let transport = ["date", "x-amzn-requestid"];
                let names = reply.headers.keys().map(hyper::http::HeaderName::as_str);
                let unknown: Vec<_> =
                    names.filter(|it| !known.contains(*it) && !transport.contains(it)).collect();
                // An upload has a length of its own, nothing, which is no member.
                let unknown: Vec<_> =
                    unknown.into_iter().filter(|it| *it != "content-length").collect();
                let unknown: Vec<_> =
                    unknown.into_iter().filter(|it| *it != "content-type").collect();
                assert_eq!(unknown, Vec::<&str>::new(), "headers of {operation}");
                match operation {
                    "ListObjectsV2" => xml::body(model, &reply.body, operation),
                    _ => json!({}),
                }
            }
            _ if reply.body.is_empty() => Value::Object(Map::new()),
            _ => reply.json(),
        }
    }
}

/// The path of a request, with everything that belongs there and in the query string.
fn full_path(model: &Model, operation: &str, request: &Value) -> String {
    let mut path = model.http(operation).1.to_owned();
    let Some(shape) = model.shape_of(operation, "input") else { return path };
    for (member, value) in request.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let text = utf8_percent_encode(&text, ENCODED).to_string();
        match model.place(shape, member) {
            ("uri", name) => path = path.replace(&format!("{{{name}}}"), &text),
            ("querystring", name) => {
                let sign = if path.contains('?') { '&' } else { '?' };
                path = format!("{path}{sign}{name}={text}");
            }
            _ => {}
        }
    }
    path
}
