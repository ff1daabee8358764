//! A request: its operation, caller and data.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};

use serde_json::Value;

use crate::backup_paths;
use crate::operation::{Operation, Service};
use crate::sts::{Session, Sts};

/// A call of an operation.
pub(crate) struct Call {
    pub(crate) service: Service,
    /// The operation, or the name of an unknown one.
    pub(crate) operation: Result<&'static Operation, String>,
    pub(crate) caller: Caller,
    pub(crate) headers: HeaderMap,
    pub(crate) path: String,
    /// The parameters of the query string, and of a form.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// The members that were read, for comparison with AWS's models.
    pub(crate) read: Mutex<BTreeSet<&'static str>>,
}

/// The caller and its Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) session: Option<Arc<Session>>,
    /// The user that a test lets call. Faults and other writes do not affect its calls.
    pub(crate) user: Option<String>,
}

/// The identity and scope in a signature.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scope<'a> {
    access_key: &'a str,
    region: &'a str,
    service: &'a str,
}

impl Call {
    pub(crate) fn new(
        parts: Parts,
        body: Bytes,
        sts: &Sts,
        management: &str,
        region: &str,
    ) -> Self {
        let authorization = parts.headers.get("authorization").and_then(|it| it.to_str().ok());
        let scope = authorization.and_then(Scope::parse).unwrap_or_default();
        let caller = Caller::new(&scope, sts, management, region);
        let path = parts.uri.path().to_owned();
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .chain(url::form_urlencoded::parse(if is_form(&parts.headers) { &body } else { b"" }))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        parameters.retain(|it| it.0 != "x-id");
        let target = parts.headers.get("x-amz-target").and_then(|it| it.to_str().ok());
        let (service, name) = identify(&parts.method, &path, target, &scope, &parameters);
        let operation = Operation::find(service, &name).ok_or(name);
        Self {
            service,
            operation,
            caller,
            headers: parts.headers,
            path,
            parameters,
            body,
            read: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match &self.operation {
            Ok(operation) => operation.name,
            Err(name) => name,
        }
    }

    /// Notes that a member of the request was read.
    pub(crate) fn looked_at(&self, member: &'static str) {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(member);
    }

    /// Returns a member that a header carries.
    pub(crate) fn header(&self, member: &'static str, header: &str) -> Option<&str> {
        self.looked_at(member);
        self.headers.get(header).and_then(|it| it.to_str().ok())
    }

    pub(crate) fn parameter(&self, name: &'static str) -> Option<&str> {
        self.looked_at(name);
        self.parameters.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }
}

impl Call {
    /// Creates a call of Organizations by a user of the management account.
    pub(crate) fn of_user(
        user: &str,
        operation: &str,
        request: &Value,
        management: &str,
        region: &str,
    ) -> Self {
        let service = Service::Organizations;
        Self {
            service,
            operation: Operation::find(service, operation).ok_or(operation.to_owned()),
            caller: Caller {
                account: management.to_owned(),
                region: region.to_owned(),
                session: None,
                user: Some(user.to_owned()),
            },
            headers: HeaderMap::new(),
            path: "/".to_owned(),
            parameters: Vec::new(),
            body: Bytes::from(request.to_string()),
            read: Mutex::default(),
        }
    }
}

#[cfg(test)]
impl Call {
    /// A call with this body.
    pub(crate) fn example(body: &'static str) -> Self {
        let request = hyper::Request::new(());
        let body = Bytes::from_static(body.as_bytes());
        Self::new(request.into_parts().0, body, &Sts::new(1), "111122223333", "us-east-1")
    }
}

impl Caller {
    fn new(scope: &Scope<'_>, sts: &Sts, management: &str, region: &str) -> Self {
        let region = if scope.region.is_empty() { region } else { scope.region }.to_owned();
        let key = scope.access_key;
        if let Some(session) = sts.session(key) {
            let account = session.account.clone();
            return Self { account, region, session: Some(Arc::clone(session)), user: None };
        }
        let is_account = key.len() == 12 && key.bytes().all(|it| it.is_ascii_digit());
        let account = if is_account { key } else { management }.to_owned();
        Self { account, region, session: None, user: None }
    }
}

impl<'a> Scope<'a> {
    /// Reads `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
    fn parse(authorization: &'a str) -> Option<Self> {
        let (_, rest) = authorization.split_once("Credential=")?;
        let mut parts = rest.split(',').next()?.split('/');
        let (access_key, _, region) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { access_key, region, service: parts.next()? })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").and_then(|it| it.to_str().ok());
    kind.is_some_and(|it| it.starts_with("application/x-www-form-urlencoded"))
}

/// The services that a header identifies, and the beginning of its value.
const TARGETS: [(&str, Service); 7] = [
    ("AWSOrganizationsV20161128.", Service::Organizations),
    ("TrentService.", Service::Kms),
    ("AWSStepFunctions.", Service::StepFunctions),
    ("AWSEvents.", Service::EventBridge),
    ("ResourceGroupsTaggingAPI_20170126.", Service::Tagging),
    // The SDKs leave the name space away that the model has.
    ("CloudTrail_20131101.", Service::CloudTrail),
    ("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", Service::CloudTrail),
];

/// The parameters of a listing of objects; without others there is one operation less to know.
const LISTING: [&str; 6] =
    ["list-type", "prefix", "max-keys", "continuation-token", "start-after", "encoding-type"];

/// The Backup operations: method, path, name.
pub(crate) const BACKUP_PATHS: [(&str, &str, &str); 5] = [
    ("GET", "/global-settings", "DescribeGlobalSettings"),
    ("PUT", "/global-settings", "UpdateGlobalSettings"),
    ("GET", "/account-settings", "DescribeRegionSettings"),
    ("PUT", "/account-settings", "UpdateRegionSettings"),
    ("GET", "/supported-resource-types", "GetSupportedResourceTypes"),
];

/// The operations of Resource Explorer, each at a path of its own.
const EXPLORER: [&str; 4] = ["GetDefaultView", "GetView", "ListResources", "ListViews"];

/// The folder of the vaults.
pub(crate) const VAULTS: &str = "/backup-vaults/";

/// The folder of the restore jobs.
pub(crate) const RESTORE_JOBS: &str = "/restore-jobs/";

/// The services that speak the query protocol: their versions, and what they are signed for as.
const QUERY_SERVICES: [(&str, &str, Service); 4] = [
    ("2011-06-15", "sts", Service::Sts),
    ("2010-05-15", "cloudformation", Service::CloudFormation),
    ("2010-05-08", "iam", Service::Iam),
    ("2010-03-31", "sns", Service::Sns),
];

fn identify(
    method: &Method,
    path: &str,
    target: Option<&str>,
    scope: &Scope<'_>,
    parameters: &[(String, String)],
) -> (Service, String) {
    let parameter = |name: &str| parameters.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
    if let Some(target) = target {
        let known = TARGETS.iter().find_map(|it| Some((it.1, target.strip_prefix(it.0)?)));
        let (service, name) = known.unwrap_or((Service::Organizations, target));
        return (service, name.to_owned());
    }
    if let Some(action) = parameter("Action") {
        let version = parameter("Version").unwrap_or_default();
        let of_version = QUERY_SERVICES.iter().find(|it| it.0 == version);
        let signed = QUERY_SERVICES.iter().find(|it| it.1 == scope.service);
        // A service does not have the actions of another service's version.
        let known = of_version.filter(|it| signed.is_none_or(|signed| signed.2 == it.2));
        let service = known.or(signed).map_or(Service::Sts, |it| it.2);
        let name = known.map_or_else(|| format!("{action} {version}"), |_| action.to_owned());
        return (service, name);
    }
    let route = BACKUP_PATHS.iter().find(|it| it.0 == method.as_str() && it.1 == path);
    if let Some((_, _, name)) = route {
        return (Service::Backup, (*name).to_owned());
    }
    let or_unknown = |it: Option<&str>| it.map_or_else(|| format!("{method} {path}"), Into::into);
    if scope.service == "backup" {
        let name = of_backup(method, path).or_else(|| backup_paths::operation(method, path));
        return (Service::Backup, or_unknown(name));
    }
    if scope.service == "resource-explorer-2" {
        let name = path.strip_prefix('/').filter(|_| method == Method::POST);
        let name = name.filter(|it| EXPLORER.contains(it));
        return (Service::ResourceExplorer, or_unknown(name));
    }
    if scope.service == "securityhub" {
        let is_import = (method, path) == (&Method::POST, "/findings/import");
        return (Service::SecurityHub, or_unknown(is_import.then_some("BatchImportFindings")));
    }
    let has_key = path.trim_start_matches('/').split_once('/').is_some_and(|it| !it.1.is_empty());
    let plain = parameters.iter().all(|it| it.0 == "versionId");
    let lists = parameter("list-type") == Some("2")
        && parameters.iter().all(|it| LISTING.contains(&it.0.as_str()));
    let asks_for_key = parameters.iter().any(|it| it.0 == "encryption") && parameters.len() == 1;
    let name = match (has_key && plain, method.as_str()) {
        (true, "GET") => "GetObject".to_owned(),
        (true, "HEAD") => "HeadObject".to_owned(),
        (true, "PUT") => "PutObject".to_owned(),
        (true, "DELETE") => "DeleteObject".to_owned(),
        (false, "GET") if lists && !has_key => "ListObjectsV2".to_owned(),
        (false, "GET") if asks_for_key && !has_key => "GetBucketEncryption".to_owned(),
        _ => format!("{method} {path}"),
    };
    (Service::S3, name)
}

/// The Backup operation of a path that names something.
fn of_backup(method: &Method, path: &str) -> Option<&'static str> {
    let is_name = |it: &str| !it.is_empty() && !it.contains('/');
    if let Some(vault) = path.strip_prefix(VAULTS) {
        let (name, rest) = vault.split_once('/').unwrap_or((vault, ""));
        return match (method.as_str(), rest) {
            _ if !is_name(name) => None,
            ("GET", "") => Some("DescribeBackupVault"),
            ("GET", "access-policy") => Some("GetBackupVaultAccessPolicy"),
            _ => None,
        };
    }
    let job = path.strip_prefix(RESTORE_JOBS)?;
    let (id, rest) = job.split_once('/').unwrap_or((job, ""));
    match (method.as_str(), rest) {
        _ if !is_name(id) => None,
        ("GET", "") => Some("DescribeRestoreJob"),
        ("GET", "metadata") => Some("GetRestoreJobMetadata"),
        ("PUT", "validations") => Some("PutRestoreValidationResult"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(key: &str) -> Caller {
        let mut sts = Sts::new(1);
        let assumed = sts.open(Session {
            account: "444455556666".to_owned(),
            role: "Reader".to_owned(),
            name: "nightly".to_owned(),
            role_arn: "arn:aws:iam::444455556666:role/Reader".to_owned(),
            policy: None,
        });
        let key = if key == "minted" { assumed.access_key } else { key.to_owned() };
        let line = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/backup/aws4_request, \
             SignedHeaders=host, Signature=0"
        );
        Caller::new(&Scope::parse(&line).unwrap(), &sts, "111122223333", "us-east-1")
    }

    #[test]
    fn the_key_tells_the_account() {
        assert_eq!(caller("777788889999").account, "777788889999");
        assert_eq!(caller("test").account, "111122223333");
        let minted = caller("minted");
        assert_eq!(minted.account, "444455556666");
        assert_eq!(minted.session.as_ref().unwrap().name, "nightly");
    }

    #[test]
    fn the_scope_tells_the_region_and_without_one_the_default_holds() {
        assert_eq!(caller("test").region, "eu-west-1");
        let unsigned =
            Caller::new(&Scope::default(), &Sts::new(1), "111122223333", "us-gov-west-1");
        assert_eq!(unsigned.region, "us-gov-west-1");
    }

    #[test]
    fn an_action_of_the_wrong_version_is_not_known() {
        let parameters = |version: &str| {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            vec![pair("Action", "AssumeRole"), pair("Version", version)]
        };
        let name = |version| {
            let scope = Scope { service: "sts", ..Scope::default() };
            identify(&Method::POST, "/", None, &scope, &parameters(version)).1
        };
        assert_eq!(name("2011-06-15"), "AssumeRole");
        assert_eq!(name("2010-05-15"), "AssumeRole 2010-05-15");
    }
}
