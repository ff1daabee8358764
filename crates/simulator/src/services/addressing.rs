//! The object that a call is about, and the key that it names.

use percent_encoding::percent_decode_str;

use crate::request::Call;

/// Returns the bucket and the key in a path.
pub(super) fn address(path: &str) -> (String, String) {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    (decoded(bucket), decoded(key))
}

/// Returns the KMS key that a write names.
pub(super) fn encryption(call: &Call) -> Option<&str> {
    let kind = call.header("ServerSideEncryption", "x-amz-server-side-encryption");
    let key = call.header("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id");
    key.filter(|_| kind == Some("aws:kms"))
}
