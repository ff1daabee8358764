//! The properties of the resource.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use policy::document::{Document, Variable};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Claim, Tags};
use crate::id::{PolicyName, RoleArn, Target};
use crate::scalar::{Flag, List, Optional};

/// The properties of the resource.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The name of the policy, unique in the organization.
    pub name: PolicyName,
    /// The description of the policy, at most 512 characters.
    #[serde(default)]
    pub description: Description,
    /// The policy itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    /// The address of the policy, if it is not in `content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_url: Option<ContentUrl>,
    /// The values of `${name}` in keys and values of the policy: an object, or text that is one.
    #[serde(
        default,
        deserialize_with = "object_or_text",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub variables: BTreeMap<String, Variable>,
    /// All roots, OUs and accounts that the policy is attached to.
    target_ids: List<Target>,
    /// The tags of the policy.
    #[serde(default)]
    pub tags: Tags,
    /// True if an existing policy of this name that somebody else made is adopted.
    #[serde(default = "no")]
    pub adopt: Flag,
    /// The reaction if the policy would make an effective policy invalid.
    #[serde(default)]
    pub preflight: Preflight,
    /// The role to assume if the function does not run in the management account.
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub management_role_arn: Optional<RoleArn>,
}

/// The reaction if the policy would make an effective policy invalid.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Preflight {
    /// The change is refused.
    #[default]
    Enforce,
    /// The change is made, and the errors are logged.
    Warn,
    /// Nothing is checked.
    Off,
}

/// A description that AWS Organizations accepts.
#[derive(Clone, Debug, Serialize)]
pub struct Description(pub String);

impl Default for Description {
    fn default() -> Self {
        Self("Managed by org-backup".to_owned())
    }
}

impl<'de> Deserialize<'de> for Description {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.chars().count() > 512 {
            return Err(D::Error::custom("a description has at most 512 characters"));
        }
        Ok(Self(text))
    }
}

/// A policy as an object, or as text that is JSON. Its `Debug` form does not show it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Content(pub Value);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Content(…)")
    }
}

/// An object in S3, as `s3://bucket/key` or `s3://bucket/key?versionId=…`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct ContentUrl {
    /// The bucket.
    pub bucket: String,
    /// The key, not encoded.
    pub key: String,
    /// The version, or `None` for the newest one.
    pub version: Option<String>,
}

impl fmt::Display for ContentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)?;
        self.version.iter().try_for_each(|it| write!(f, "?versionId={it}"))
    }
}

impl Serialize for ContentUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for ContentUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl FromStr for ContentUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let object = text.strip_prefix("s3://").and_then(|it| it.split_once('/'));
        let Some((bucket, object)) = object else { return Err(Invalid::Url) };
        let (key, version) = match object.split_once("?versionId=") {
            Some((key, version)) => (key, Some(version.to_owned())),
            None => (object, None),
        };
        if bucket.is_empty() || key.is_empty() || version.as_deref() == Some("") {
            return Err(Invalid::Url);
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version })
    }
}

/// The source of the policy.
#[derive(Clone, Copy, Debug)]
pub enum ContentSource<'a> {
    /// The template contains the policy.
    Inline(&'a Content),
    /// An object in S3 contains the policy.
    Object(&'a ContentUrl),
}

/// The reason why the combination of properties is invalid.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// The text is not the address of an object in S3.
    #[error("expected s3://bucket/key or s3://bucket/key?versionId=…")]
    Url,
    /// There is no source of the policy, or there are two.
    #[error("set one of `Content` and `ContentUrl`, and not both")]
    ContentSource,
    /// There are no targets. A policy without targets protects nothing.
    #[error("`TargetIds` is empty")]
    NoTargets,
    /// The policy existed and then disappeared, again and again.
    #[error("somebody deletes the policy while it is being made")]
    Vanished,
}

impl Invalid {
    /// Returns the hint, unless the message already says what to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoTargets => Some("name at least one root, OU or account"),
            Self::Vanished => Some("deploy again"),
            Self::Url | Self::ContentSource => None,
        }
    }
}

impl Properties {
    /// Returns the source of the policy.
    ///
    /// # Errors
    ///
    /// Returns an error if the template names no source, or two.
    pub fn source(&self) -> Result<ContentSource<'_>, Invalid> {
        match (&self.content, &self.content_url) {
            (Some(content), None) => Ok(ContentSource::Inline(content)),
            (None, Some(url)) => Ok(ContentSource::Object(url)),
            (None, None) | (Some(_), Some(_)) => Err(Invalid::ContentSource),
        }
    }

    /// Returns the claim of a deployment on existing policies.
    pub fn claim(&self) -> Claim {
        if self.adopt.0 { Claim::Adopt } else { Claim::Own }
    }

    /// Returns these properties with the policy itself in place of its source and variables.
    #[must_use]
    pub fn with_document(&self, document: &Document) -> Self {
        Self {
            content: Some(Content(document.value())),
            content_url: None,
            variables: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Returns the targets of the policy.
    ///
    /// # Errors
    ///
    /// Returns an error if there are no targets.
    pub fn targets(&self) -> Result<Vec<Target>, Invalid> {
        match self.target_ids.0.as_slice() {
            [] => Err(Invalid::NoTargets),
            targets => Ok(targets.to_vec()),
        }
    }
}

/// Reads variables as an object, or as text that is JSON, which a parameter of a template can give.
fn object_or_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Variable>, D::Error> {
    struct ObjectVisitor;
    impl<'de> Visitor<'de> for ObjectVisitor {
        type Value = BTreeMap<String, Variable>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object, or its text in JSON")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            // An unused parameter is empty.
            let text = if text.is_empty() { "{}" } else { text };
            serde_json::from_str(text).map_err(E::custom)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            BTreeMap::deserialize(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_any(ObjectVisitor)
}

fn no() -> Flag {
    Flag(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_come_as_an_object_or_as_its_text() {
        let read = |variables: Value| {
            let properties = serde_json::json!({
                "Name": "daily", "TargetIds": "root", "Content": "{}", "Variables": variables,
            });
            serde_json::from_value::<Properties>(properties).map(|it| it.variables)
        };
        let object = serde_json::json!({ "Vault": "ours", "Regions": ["eu-west-1"] });
        let text = object.to_string();
        let known = read(object).unwrap();
        assert_eq!(known["Vault"], Variable::Text("ours".to_owned()));
        assert_eq!(read(text.into()).unwrap(), known);
        assert!(read("".into()).unwrap().is_empty());
        for bad in ["[]", "{", "{\"Vault\": null}"] {
            assert!(read(bad.into()).is_err(), "{bad}");
        }
        let refused = read(1.into()).unwrap_err().to_string();
        assert!(refused.contains("expected an object, or its text in JSON"), "{refused}");
    }

    /// Reads properties, with these in place of the usual ones.
    fn read(changes: Value) -> Result<Properties, serde_json::Error> {
        let mut properties = serde_json::json!({ "Name": "daily", "TargetIds": "root" });
        let changes = changes.as_object().unwrap().clone();
        properties.as_object_mut().unwrap().extend(changes);
        serde_json::from_value(properties)
    }

    #[test]
    fn a_policy_comes_from_the_template_or_from_an_object() {
        let (content, url) = (serde_json::json!({ "plans": {} }), "s3://b/k?versionId=v1");
        let inline = read(serde_json::json!({ "Content": content })).unwrap();
        let Ok(ContentSource::Inline(Content(it))) = inline.source() else { panic!("{inline:?}") };
        assert_eq!(*it, content);
        let object = read(serde_json::json!({ "ContentUrl": url })).unwrap();
        let Ok(ContentSource::Object(it)) = object.source() else { panic!("{object:?}") };
        assert_eq!(it.to_string(), url);
        let kept = serde_json::to_value(&object).unwrap();
        assert_eq!(kept["ContentUrl"], url);
        let both = read(serde_json::json!({ "Content": content, "ContentUrl": url })).unwrap();
        for bad in [both, read(serde_json::json!({})).unwrap()] {
            assert_eq!(bad.source().unwrap_err(), Invalid::ContentSource);
        }
    }

    #[test]
    fn what_is_kept_of_a_policy_is_the_policy_and_not_its_source() {
        let source = serde_json::json!({ "ContentUrl": "s3://b/k", "Variables": { "Vault": "x" } });
        let document = Document::new(serde_json::json!({ "plans": {} })).unwrap();
        let kept = serde_json::to_value(read(source).unwrap().with_document(&document)).unwrap();
        assert_eq!(kept["Content"], serde_json::json!({ "plans": {} }));
        assert_eq!((kept.get("ContentUrl"), kept.get("Variables")), (None, None));
    }

    #[test]
    fn a_policy_is_adopted_only_where_the_template_says_so() {
        let claim = |adopt: Value| read(adopt).unwrap().claim();
        assert_eq!(claim(serde_json::json!({})), Claim::Own);
        assert_eq!(claim(serde_json::json!({ "Adopt": "false" })), Claim::Own);
        assert_eq!(claim(serde_json::json!({ "Adopt": "true" })), Claim::Adopt);
    }

    #[test]
    fn a_policy_needs_a_target() {
        let targets = |it: Value| read(serde_json::json!({ "TargetIds": it })).unwrap().targets();
        let both = ["root", "r-ab12"].map(|it| it.parse().unwrap());
        assert_eq!(targets(serde_json::json!(["root", "r-ab12"])), Ok(both.to_vec()));
        let refused = targets(serde_json::json!([])).unwrap_err();
        assert_eq!(refused, Invalid::NoTargets);
        assert_eq!(refused.hint(), Some("name at least one root, OU or account"));
        assert_eq!(Invalid::Vanished.hint(), Some("deploy again"));
        assert_eq!(Invalid::ContentSource.hint(), None);
    }

    #[test]
    fn a_description_has_as_many_characters_as_aws_takes() {
        let read = |count| read(serde_json::json!({ "Description": "ü".repeat(count) }));
        assert_eq!(read(512).unwrap().description.0, "ü".repeat(512));
        assert!(read(513).is_err());
    }

    #[test]
    fn the_text_of_a_policy_is_not_shown() {
        let shown = format!("{:?}", Content(Value::from("secret")));
        assert_eq!(shown, "Content(…)");
    }

    #[test]
    fn an_object_is_named_by_bucket_key_and_version() {
        let url = |bucket: &str, key: &str, version: Option<&str>| ContentUrl {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: version.map(ToOwned::to_owned),
        };
        assert_eq!("s3://b/a/b?c.json".parse(), Ok(url("b", "a/b?c.json", None)));
        assert_eq!("s3://b/k?versionId=v1".parse(), Ok(url("b", "k", Some("v1"))));
        for bad in ["", "b/k", "https://b/k", "s3://b", "s3://b/", "s3:///k", "s3://b/k?versionId="]
        {
            assert_eq!(bad.parse::<ContentUrl>(), Err(Invalid::Url), "{bad}");
        }
    }
}
