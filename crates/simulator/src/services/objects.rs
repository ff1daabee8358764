//! S3 objects: REST and XML, addressed by path.

use hyper::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::addressing::{address, encryption};
use super::query::element;
use super::{needs, permissions};
use crate::fault::Failure;
use crate::objects::{Conditions, Object};
use crate::operation::Service;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

/// A fixed time in the past, for answers in which nobody reads the time.
const LAST_MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// The maximum number of keys in a page.
const LARGEST: usize = 1_000;

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let (bucket, key) = address(&call.path);
    let matches = |call: &Call| call.header("IfMatch", "if-match").map(str::to_owned);
    match operation {
        "ListObjectsV2" => return list(world, call, &bucket),
        "GetBucketEncryption" => return bucket_encryption(world, call, &bucket),
        "PutObject" => {
            let matches = matches(call);
            let conditions = Conditions {
                matches: matches.as_deref(),
                none_matches: call.header("IfNoneMatch", "if-none-match"),
            };
            let body = payload(&call.headers, &call.body);
            let encrypted = encryption(call);
            let object = world.buckets.write(&bucket, &key, body, encrypted, conditions)?;
            return Ok(described(Reply::empty(), object));
        }
        "DeleteObject" => {
            let version = call.parameter("versionId");
            let deletion =
                world.buckets.delete(&bucket, &key, version, matches(call).as_deref())?;
            let reply = Reply::empty().status(StatusCode::NO_CONTENT);
            let reply = reply.header("x-amz-version-id", deletion.version);
            let marked = |it: Reply| it.header("x-amz-delete-marker", "true");
            return Ok(if deletion.marker { marked(reply) } else { reply });
        }
        _ => {}
    }
    let object = world.buckets.get(&bucket, &key, call.parameter("versionId"));
    let object = object.map_err(|refusal| concealed(world, call, &bucket, refusal))?;
    let mut reply = Reply::new("binary/octet-stream", object.body.clone());
    if operation == "HeadObject" {
        let length = std::mem::take(&mut reply.body).len();
        reply = reply.header("content-length", length.to_string());
    }
    Ok(described(reply, object).header("last-modified", LAST_MODIFIED))
}

/// Describes how a bucket encrypts: with a KMS key, or else with S3's own.
fn bucket_encryption(world: &World, call: &Call, bucket: &str) -> Result<Reply, Refusal> {
    call.looked_at("Bucket");
    if !world.buckets.exists(bucket) {
        return Err(Refusal::new(Code::NoSuchBucket, "The specified bucket does not exist"));
    }
    let by_key = |key| element("SSEAlgorithm", "aws:kms") + &element("KMSMasterKeyID", key);
    let algorithm =
        world.buckets.key_of(bucket).map_or_else(|| element("SSEAlgorithm", "AES256"), by_key);
    let default = format!(
        "<ApplyServerSideEncryptionByDefault>{algorithm}</ApplyServerSideEncryptionByDefault>"
    );
    let root = "ServerSideEncryptionConfiguration";
    let space = "http://s3.amazonaws.com/doc/2006-03-01/";
    let body = format!(r#"<{root} xmlns="{space}"><Rule>{default}</Rule></{root}>"#);
    Ok(Reply::new("application/xml", body))
}

/// Returns one page of the keys of a bucket.
fn list(world: &World, call: &Call, bucket: &str) -> Result<Reply, Refusal> {
    let prefix = call.parameter("prefix").unwrap_or_default();
    let asked = call.parameter("max-keys").and_then(|it| it.parse().ok()).unwrap_or(LARGEST);
    let limit = world.largest_page(LARGEST.min(asked));
    let token = call.parameter("continuation-token");
    let place = token.map(|it| percent_decode_str(it).decode_utf8_lossy().into_owned());
    let after = place.as_deref().or_else(|| call.parameter("start-after"));
    let (page, more) = world.buckets.list(bucket, prefix, after, limit)?;
    let is_url = call.parameter("encoding-type") == Some("url");
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let written = |text: &str| if is_url { encoded(text) } else { text.to_owned() };
    let object = |(key, object): &(&str, &Object)| {
        let members = [
            element("Key", &written(key)),
            element("LastModified", "2026-01-01T00:00:00.000Z"),
            element("ETag", &format!("\"{}\"", object.etag)),
            element("Size", &object.body.len().to_string()),
            element("StorageClass", "STANDARD"),
        ];
        format!("<Contents>{}</Contents>", members.concat())
    };
    let next = page.last().filter(|_| more).map(|it| encoded(it.0));
    let optional = |name: &str, text: Option<&str>| text.map(|it| element(name, it));
    let members = [
        element("Name", bucket),
        element("Prefix", &written(prefix)),
        element("KeyCount", &page.len().to_string()),
        element("MaxKeys", &asked.to_string()),
        element("IsTruncated", if more { "true" } else { "false" }),
    ];
    let rest = [
        optional("EncodingType", is_url.then_some("url")),
        optional("ContinuationToken", token),
        optional("NextContinuationToken", next.as_deref()),
        optional("StartAfter", call.parameter("start-after")),
    ];
    let contents = page.iter().map(object);
    let members: String =
        members.into_iter().chain(rest.into_iter().flatten()).chain(contents).collect();
    let space = "http://s3.amazonaws.com/doc/2006-03-01/";
    let body = format!(r#"<ListBucketResult xmlns="{space}">{members}</ListBucketResult>"#);
    Ok(Reply::new("application/xml", body))
}

/// Hides from callers without permission to list the bucket that an object is missing, as S3 does.
fn concealed(world: &World, call: &Call, bucket: &str, refusal: Refusal) -> Refusal {
    let may_list = || permissions::allows(world, call, &needs::listing(world, call, bucket));
    if refusal.code == Code::NoSuchKey && !may_list() {
        return Refusal::new(Code::Denied, "Access Denied");
    }
    refusal
}

fn described(reply: Reply, object: &Object) -> Reply {
    let reply = reply
        .header("etag", format!("\"{}\"", object.etag))
        .header("x-amz-version-id", object.version.clone());
    match &object.key {
        None => reply.header("x-amz-server-side-encryption", "AES256"),
        Some(key) => reply
            .header("x-amz-server-side-encryption", "aws:kms")
            .header("x-amz-server-side-encryption-aws-kms-key-id", key.clone()),
    }
}

/// Returns the body without the framing that SDKs add to append a checksum.
fn payload(headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let encoding = headers.get("content-encoding").and_then(|it| it.to_str().ok());
    if encoding.is_some_and(|it| it.contains("aws-chunked")) {
        unframed(body).unwrap_or_else(|| body.to_vec())
    } else {
        body.to_vec()
    }
}

/// Joins chunks of the form `<hexadecimal length>[;…]\r\n<bytes>\r\n`, up to one of length 0.
fn unframed(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|it| it == b"\r\n")?;
        let (line, after) = rest.split_at(end);
        let length = std::str::from_utf8(line).ok()?.split(';').next()?;
        let length = usize::from_str_radix(length.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        let after = after.get(2..)?;
        body.extend_from_slice(after.get(..length)?);
        rest = after.get(length + 2..)?;
    }
}

pub(super) fn error(call: &Call, failure: &Failure, message: &str) -> Reply {
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    if call.service == Service::S3 && call.name() == "HeadObject" {
        return Reply::empty().status(status);
    }
    let parts = element("Code", &failure.code) + &element("Message", message);
    Reply::new("application/xml", format!("<Error>{parts}</Error>")).status(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_and_keep_their_slashes_and_pluses() {
        let expected = ("policies".to_owned(), "teams/a b+c.json".to_owned());
        assert_eq!(address("/policies/teams/a%20b+c.json"), expected);
    }

    #[test]
    fn the_framing_of_a_checksum_is_taken_off() {
        let framed =
            b"5\r\nhello\r\n6;chunk-signature=x\r\n world\r\n0\r\nx-amz-checksum-crc32:x\r\n\r\n";
        assert_eq!(unframed(framed).unwrap(), b"hello world");
        assert_eq!(unframed(b"no framing at all"), None);
    }
}
