//! Policies that are stored in S3.

use aws::operation::GET_OBJECT;
use aws::{Advice, Error, Management, Useless};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_smithy_runtime_api::client::result::SdkError;

/// The maximum number of bytes to read, well above the size of a policy that AWS accepts.
const LIMIT: usize = 1 << 20;

const TOO_LONG: Useless = Useless { why: "the object is longer than a mebibyte", advice: WHAT };
const NOT_TEXT: Useless = Useless { why: "the object is not UTF-8 text", advice: WHAT };
const WHAT: Advice = Advice::Same("`ContentUrl` must name a policy document in JSON");

/// Reads an object as text, in the requested version or else in the newest.
///
/// # Errors
///
/// Returns an error if the object cannot be read, is longer than a mebibyte, or is not UTF-8.
pub async fn read(
    management: &Management,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<String, Error> {
    let action = format!("read s3://{bucket}/{key}");
    // Only the function itself may read the bucket of its own stack.
    let client = management.own_client(|config| aws::client!(aws_sdk_s3, config));
    let get = client.get_object().bucket(bucket).key(key);
    let get = get.set_version_id(version.map(ToOwned::to_owned));
    // One more byte shows that the object is too long.
    let get = get.range(format!("bytes=0-{LIMIT}"));
    let read = async {
        let object = get.send().await?;
        let bytes = object.body.collect().await.map_err(SdkError::timeout_error)?.to_vec();
        if bytes.len() > LIMIT {
            return Ok(Err(TOO_LONG));
        }
        Ok(String::from_utf8(bytes).map_err(|_| NOT_TEXT))
    };
    let text = management.calls.call::<_, GetObjectError>(GET_OBJECT, &action, read).await;
    // To callers without permission to list the bucket, S3 reports a missing object as denied.
    let denied =
        Advice::Same("correct `ContentUrl`, or let the function's own role read the object");
    let missing = Advice::Same("upload the object, or correct `ContentUrl`");
    let advised = |it: Error| it.advised(denied).advised_where_missing(missing);
    text.map_err(advised)?.map_err(|why| Error::unusable(action, why))
}
