//! Reads the values of answers, in XML and in JSON.
//!
//! An answer without the expected content is an error, which names what is missing.

use roxmltree::Node;
use serde_json::Value;

use super::BoxError;

/// Returns a member, which is required.
///
/// # Errors
///
/// Returns an error if the answer lacks it.
pub fn within<'a>(json: &'a Value, name: &str) -> Result<&'a Value, BoxError> {
    json.get(name).ok_or_else(|| format!("the answer lacks {name}").into())
}

/// Returns the first entry of a list, which is required.
///
/// # Errors
///
/// Returns an error if the answer lacks it.
pub fn first<'a>(json: &'a Value, name: &str) -> Result<&'a Value, BoxError> {
    within(json, name)?.get(0).ok_or_else(|| format!("the answer has no {name}").into())
}

/// Returns the entries of a list, which may be missing.
pub fn each<'a>(json: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    json.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the text of a member.
pub fn member(json: &Value, name: &str) -> Option<String> {
    json.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
}

/// Returns the first element below `node` at the end of `path`. Each name in the path is one level.
pub fn find<'a, 'input>(node: Node<'a, 'input>, path: &[&str]) -> Option<Node<'a, 'input>> {
    path.iter()
        .try_fold(node, |node, name| node.children().find(|it| it.tag_name().name() == *name))
}

/// Returns the first element below `node` at the end of `path`, which is required.
///
/// # Errors
///
/// Returns an error if the answer lacks it.
pub fn found<'a, 'input>(
    node: Node<'a, 'input>,
    path: &[&str],
) -> Result<Node<'a, 'input>, BoxError> {
    find(node, path).ok_or_else(|| format!("the answer lacks {}", path.join("/")).into())
}

/// Returns all elements with this name directly below `node`.
pub fn items<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |it| it.tag_name().name() == name)
}

/// Returns the text at the end of `path`, unless it is empty.
pub fn text(node: Node<'_, '_>, path: &[&str]) -> Option<String> {
    find(node, path)?.text().map(ToOwned::to_owned)
}

/// Returns the text at the end of `path`, which is required.
///
/// # Errors
///
/// Returns an error if the answer lacks it.
pub fn required(node: Node<'_, '_>, path: &[&str]) -> Result<String, BoxError> {
    text(node, path).ok_or_else(|| format!("the answer lacks {}", path.join("/")).into())
}

/// Returns the number at the end of `path`.
pub fn number(node: Node<'_, '_>, path: &[&str]) -> Option<i32> {
    text(node, path)?.parse().ok()
}

/// Returns why a service did not take some entries of a request. The answer has their number in the
/// member `count`, and the entries with the reasons in the member `list`.
///
/// # Errors
///
/// Returns an error if the answer is not JSON.
pub fn refused(answer: &str, count: &str, list: &str) -> Result<Vec<String>, BoxError> {
    let answer: Value = serde_json::from_str(answer)?;
    if answer.get(count).and_then(Value::as_u64) == Some(0) {
        return Ok(vec![]);
    }
    let reason = |it: &Value| {
        let text = |name| member(it, name).unwrap_or_default();
        format!("{}: {}", text("ErrorCode"), text("ErrorMessage"))
    };
    let reasons: Vec<_> = each(&answer, list).map(reason).collect();
    Ok(if reasons.is_empty() { vec!["no reason was given".to_owned()] } else { reasons })
}
