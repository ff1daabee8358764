//! The networks, groups, key pairs and so on that resources of an account in a Region are put into.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ids::hex_of;

/// The parts of every account in every Region.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts(BTreeSet<(String, String, String)>);

/// The keys of metadata that name parts, in lower case.
const NAMING: [&str; 13] = [
    "clusterparametergroupname",
    "clustersubnetgroupname",
    "dbclusterparametergroupname",
    "dbparametergroupname",
    "dbsubnetgroupname",
    "destinationdatabase",
    "gatewayarn",
    "iaminstanceprofilename",
    "keyname",
    "optiongroupname",
    "securitygroupids",
    "subnetid",
    "vpcsecuritygroupids",
];

/// The keys of metadata with a part in a value in JSON, and how that is called.
const NAMING_WITHIN: [(&str, &str); 2] = [
    ("ontapconfiguration", "storagevirtualmachineid"),
    ("windowsconfiguration", "activedirectoryid"),
];

impl Parts {
    /// Makes a part.
    pub(super) fn put(&mut self, account: &str, region: &str, name: &str) {
        self.0.insert((account.to_owned(), region.to_owned(), name.to_owned()));
    }

    /// Forgets every part of an account.
    pub(super) fn lose(&mut self, account: &str) {
        self.0.retain(|it| it.0 != account);
    }

    /// Returns whether there is such a part: one that was made, one of the default network that every account
    /// has in every Region, or a group that AWS makes where it is asked for.
    pub(super) fn has(&self, account: &str, region: &str, name: &str) -> bool {
        let usual = ["subnet", "sg", "vpc"].map(|it| usual(account, region, it));
        let is_default = name == "default" || name.starts_with("default.");
        is_default
            || name.starts_with("default:")
            || usual.iter().any(|it| it == name)
            || self.0.contains(&(account.to_owned(), region.to_owned(), name.to_owned()))
    }
}

/// Returns the ID of a part of the default network of an account in a Region, or what stands for a part that a
/// resource there was given.
pub(super) fn usual(account: &str, region: &str, what: &str) -> String {
    format!("{what}-{}", hex_of(&format!("{what} {account} {region}")))
}

/// Returns the parts that metadata names: each with the key that names it.
pub(super) fn named<'a>(
    metadata: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (key, value) in metadata {
        let key = key.to_ascii_lowercase();
        if key == "subnetids" {
            all.extend(list(value).into_iter().map(|it| ("subnetid", it)));
        } else if key == "clustervpcconfig" {
            for (inner, what) in
                [("subnetIds", "subnetid"), ("securityGroupIds", "securitygroupids")]
            {
                let named = member(value, inner).map(|it| list(&it)).unwrap_or_default();
                all.extend(named.into_iter().map(|it| (what, it)));
            }
        } else if key == "networkinterfaces" {
            let interfaces: Vec<Value> = serde_json::from_str(value).unwrap_or_default();
            for it in interfaces {
                let text = |it: &Value| it.as_str().map(str::to_owned);
                let member = |name: &str| it.get(name).and_then(text);
                let groups = it.get("Groups").and_then(Value::as_array).into_iter().flatten();
                all.extend(groups.filter_map(text).map(|it| ("securitygroupids", it)));
                all.extend(member("SubnetId").map(|it| ("subnetid", it)));
                all.extend(member("NetworkInterfaceId").map(|it| ("networkinterfaceid", it)));
            }
        } else if let Some(inner) = NAMING_WITHIN.iter().find(|it| it.0 == key) {
            all.extend(member(value, inner.1).map(|it| (inner.1, it)));
        } else if let Some(key) = NAMING.iter().find(|it| **it == key) {
            all.extend(list(value).into_iter().map(|it| (*key, it)));
        }
    }
    all
}

/// Reads a list in JSON, or one value.
pub(super) fn list(value: &str) -> Vec<String> {
    let read = serde_json::from_str::<Vec<String>>(value);
    read.unwrap_or_else(|_| {
        Some(value.to_owned()).filter(|it| !it.is_empty()).into_iter().collect()
    })
}

/// Returns a member of an object in JSON; the case of its key does not matter.
pub(super) fn member(value: &str, key: &str) -> Option<String> {
    let value: Value = serde_json::from_str(value).ok()?;
    let found = value.as_object()?.iter().find(|it| it.0.eq_ignore_ascii_case(key))?;
    found.1.as_str().map(str::to_owned).or_else(|| Some(found.1.to_string()))
}
