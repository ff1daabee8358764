//! The metadata of a restore, checked against the needs of its type.

use std::collections::BTreeMap;

use super::facts::{TypeFacts, is_multi_az_cluster};
use super::orders::invalid;
use super::parts::{self, member};
use super::records::{EnginePoint, PointForm, whereabouts};
use crate::refusal::{Answer, Refusal};

/// The most paths of a restore of single items.
const ITEMS: usize = 5;

/// The metadata, by keys in lower case.
#[derive(Clone, Debug)]
pub(super) struct Terms(BTreeMap<String, String>);

impl Terms {
    /// Reads the metadata.
    pub(super) fn of(metadata: &BTreeMap<String, String>) -> Self {
        Self(metadata.iter().map(|it| (it.0.to_ascii_lowercase(), it.1.clone())).collect())
    }

    /// Returns the value of a key, if it has one.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let value = self.0.get(key).map(String::as_str);
        value.filter(|it| !it.is_empty() && *it != "null" && *it != "[]")
    }

    fn says(&self, key: &str) -> bool {
        self.get(key).is_some_and(|it| it.eq_ignore_ascii_case("true"))
    }

    /// Refuses metadata that the type does not take, or that lacks what it needs.
    pub(super) fn check(&self, point: &EnginePoint, kind: Option<&str>) -> Answer<()> {
        if kind.is_some_and(|it| it != point.kind) {
            return Err(invalid(format!("The recovery point is one of {}.", point.kind)));
        }
        let restore = TypeFacts::restore_of(&point.kind, &point.resource);
        let unsupported = || invalid(format!("{} cannot be restored here.", point.kind));
        let restore = restore.ok_or_else(unsupported)?;
        for key in self.0.keys().filter(|it| *it != "aws:backup:request-id") {
            let key = key.as_str();
            if !restore.required.contains(&key) && !restore.optional.contains(&key) {
                return Err(wrong(&format!("Unrecognized key: {key}.")));
            }
        }
        for key in restore.required.iter().chain(self.also_required(point)) {
            if self.get(key).is_none() {
                let all = "You must provide all the required restore metadata.";
                return Err(wrong(&format!("{all} {key} is missing.")));
            }
        }
        self.check_values(point)
    }

    /// Returns the keys that are required in this case only.
    fn also_required(&self, point: &EnginePoint) -> &'static [&'static str] {
        let is_continuous = matches!(point.form, PointForm::Continuous | PointForm::Stopped);
        // A copy in another account or Region: what the cluster was in is not there.
        let is_elsewhere = whereabouts(&point.vault) != whereabouts(&point.resource);
        let says_latest = self.says("uselatestrestorabletime");
        match point.kind.as_str() {
            "EFS" if self.says("newfilesystem") => {
                &["encrypted", "performancemode", "creationtoken"]
            }
            "EFS" => &["file-system-id"],
            "S3" if is_continuous => &["restoretime"],
            "RDS" if is_continuous && !says_latest => &["restoretime"],
            "Aurora" if is_continuous && !says_latest => &["restoretotime"],
            "FSx" if file_system(point) == "ONTAP" => &["name", "ontapconfiguration"],
            "FSx" if file_system(point) == "WINDOWS" => &["subnetids", "windowsconfiguration"],
            "FSx" if file_system(point) == "LUSTRE" => &["subnetids"],
            "Storage Gateway" if self.get("gatewayarn").is_none() => &["availabilityzone"],
            "Storage Gateway" => &["gatewaytype", "targetname"],
            "EKS" if self.says("newcluster") && is_elsewhere => {
                &["clustervpcconfig", "clusterrole"]
            }
            "Timestream" => {
                &["magneticstoreretentionperiodindays", "memorystoreretentionperiodinhours"]
            }
            "VirtualMachine" if self.is_for_vmware() => {
                &["computeresourcename", "hypervisorarn", "vmdatastore", "vmname", "vmpath"]
            }
            _ if is_multi_az_cluster(&point.kind, &point.resource)
                && self.get("storagetype") != Some("gp3") =>
            {
                &["iops"]
            }
            _ => &[],
        }
    }

    fn check_values(&self, point: &EnginePoint) -> Answer<()> {
        let lacks = |config: &str, key: &str| {
            self.get(config).is_none_or(|it| member(it, key).is_none_or(|it| it.is_empty()))
        };
        match point.kind.as_str() {
            "EFS" if self.get("kmskeyid").is_some() && !self.says("encrypted") => {
                Err(wrong("Encrypted must be true where KmsKeyId is given."))
            }
            "EFS" | "S3"
                if self
                    .get("itemstorestore")
                    .map(parts::list)
                    .is_some_and(|it| it.len() > ITEMS) =>
            {
                Err(wrong("ItemsToRestore has up to five paths."))
            }
            "S3" if self.get("encryptiontype") == Some("SSE-KMS")
                && self.get("kmskey").is_none() =>
            {
                Err(wrong("KMSKey is missing."))
            }
            "FSx"
                if file_system(point) == "WINDOWS"
                    && lacks("windowsconfiguration", "activedirectoryid") =>
            {
                Err(wrong("WindowsConfiguration has no ActiveDirectoryId."))
            }
            "FSx"
                if file_system(point) == "ONTAP"
                    && lacks("ontapconfiguration", "storagevirtualmachineid") =>
            {
                Err(wrong("OntapConfiguration has no StorageVirtualMachineId."))
            }
            // The restore of single disks to EBS is not simulated.
            "VirtualMachine"
                if !self.is_for_vmware() && self.get("restoreto") != Some("EC2Instance") =>
            {
                Err(wrong("RestoreTo is neither EC2Instance nor VMware."))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether a virtual machine goes back to `VMware`.
    pub(super) fn is_for_vmware(&self) -> bool {
        self.get("restoreto") == Some("VMware")
    }

    /// Returns whether something that is there is filled, and nothing made.
    pub(super) fn fills(&self, kind: &str) -> bool {
        match kind {
            "EFS" => !self.says("newfilesystem"),
            "EKS" => !self.says("newcluster"),
            "Redshift Serverless" => true,
            "S3" => !self.says("newbucket"),
            _ => false,
        }
    }

    /// Returns the actions that the role needs.
    pub(super) fn actions(&self, kind: &str, arn: &str) -> Vec<&'static str> {
        let first = TypeFacts::restore_of(kind, arn).map(|it| it.action);
        let more = match kind {
            "S3" if self.says("newbucket") => Some("s3:CreateBucket"),
            "EFS" if self.says("newfilesystem") => Some("elasticfilesystem:CreateFileSystem"),
            _ => None,
        };
        first.into_iter().chain(more).collect()
    }

    /// Returns the Availability Zones that are named.
    pub(super) fn zones(&self) -> Vec<String> {
        let keys = ["availabilityzone", "availabilityzones", "availabilityzonename"].into_iter();
        let named = keys.filter_map(|it| self.get(it)).flat_map(parts::list);
        let placement = self.get("placement").and_then(|it| member(it, "availabilityzone"));
        named.chain(placement.filter(|it| it != "null")).collect()
    }
}

fn wrong(message: &str) -> Refusal {
    invalid(format!("Invalid restore metadata. {message}"))
}

/// Returns the type of the FSx file system that was backed up.
fn file_system(point: &EnginePoint) -> String {
    let kind = Terms::of(&point.metadata);
    kind.get("filesystemtype").unwrap_or_default().to_owned()
}
