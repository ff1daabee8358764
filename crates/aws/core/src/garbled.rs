//! Answers that do not come from AWS: a proxy's page, a part of AWS's answer, or more than AWS ever
//! sends.
//!
//! For an operation without output, the SDK treats any answer with a success status as success. It
//! describes other unreadable answers in terms of its own types. Such an answer says nothing about
//! the request, so it counts as no answer: the request is sent again, and a write that succeeded
//! before is found to be done.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde::de::IgnoredAny;
use thiserror::Error;

use crate::advice::Advice;

/// An answer that does not come from AWS.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("AWS answered {status} with {body}")]
pub(crate) struct Garbled {
    status: u16,
    body: Body,
}

/// The kinds of such answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Body {
    Empty,
    Html,
    CutJson,
    CutXml,
    TooLong { mebibytes: usize },
    Unknown,
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an empty body, where an answer is expected",
            Self::Html => "an answer that is not from AWS (HTML)",
            Self::CutJson => "a part of an answer (JSON that is cut off)",
            Self::CutXml => "a part of an answer (XML that is cut off)",
            Self::TooLong { mebibytes } => return write!(f, "more than {mebibytes} MiB"),
            Self::Unknown => "an answer that is not documented",
        })
    }
}

/// The expected form of the answer to a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Form {
    /// True if the answer is JSON under every content type. Otherwise the content type
    /// decides.
    json: bool,
    /// True if a successful answer must have a body, because the request asks for data.
    asks: bool,
}

impl Form {
    /// Returns the form of the answer to `request`. `asks` is true if the request asks for data.
    pub(crate) fn of(request: &HttpRequest, asks: bool) -> Self {
        Self { json: request.headers().get("x-amz-target").is_some(), asks }
    }
}

impl Garbled {
    /// Returns the fault of an answer with this `body`, if it has one.
    pub(crate) fn judge(form: Form, answer: &HttpResponse, body: &[u8]) -> Option<Self> {
        let headers = answer.headers();
        let (status, is_success) = (answer.status().as_u16(), answer.status().is_success());
        let has = |name| headers.get(name).is_some();
        // An object of S3 may have any content, and only S3 sends an `ETag`.
        if is_success && has("etag") {
            return None;
        }
        let body = body.trim_ascii();
        let kind = headers.get("content-type").unwrap_or_default();
        let body = match body {
            [] if (is_success && !form.asks) || has("x-amzn-errortype") => None,
            [] => Some(Body::Empty),
            _ if kind.starts_with("text/html") || is_html(body) => Some(Body::Html),
            [b'<', ..] => (!is_whole_xml(body)).then_some(Body::CutXml),
            _ if form.json || kind.contains("json") => {
                let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
                (!is_json).then_some(match body {
                    [b'{' | b'[', ..] => Body::CutJson,
                    _ => Body::Unknown,
                })
            }
            _ => None,
        };
        body.map(|body| Self { status, body })
    }

    /// Describes an answer that was read only up to this number of mebibytes.
    pub(crate) fn too_long(answer: &HttpResponse, mebibytes: usize) -> Self {
        Self { status: answer.status().as_u16(), body: Body::TooLong { mebibytes } }
    }

    /// Returns `true` if the answer was longer than any answer of AWS.
    pub(crate) fn is_too_long(self) -> bool {
        matches!(self.body, Body::TooLong { .. })
    }

    /// Returns the next step for the reader.
    pub(crate) fn advice(self) -> Advice {
        match self.body {
            Body::Empty | Body::Html | Body::CutJson | Body::CutXml | Body::Unknown => {
                Advice::Between
            }
            Body::TooLong { .. } => Advice::Same(
                "AWS and the functions do not write texts of this length; find out who wrote it, \
                 or what answers in place of AWS",
            ),
        }
    }

    /// Describes an answer that the SDK cannot parse.
    pub(crate) fn unknown(answer: &HttpResponse) -> Self {
        Self { status: answer.status().as_u16(), body: Body::Unknown }
    }
}

/// Returns `true` if this is the beginning of a page for a browser.
fn is_html(body: &[u8]) -> bool {
    let starts = |with: &str| {
        let head = body.get(..with.len());
        head.is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()))
    };
    starts("<!doctype html") || starts("<html")
}

/// Returns `true` if the XML ends with the end of its first element.
fn is_whole_xml(body: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(body) else { return false };
    let is_name = |it: &&str| !it.starts_with(['?', '!', '/']);
    let Some(first) = text.split('<').skip(1).find(is_name) else { return false };
    let name = first.split(|it: char| it.is_whitespace() || ['>', '/'].contains(&it)).next();
    let end = name.map(|it| format!("</{it}>")).unwrap_or_default();
    text.ends_with(&end) || text.ends_with("/>")
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// Returns the message about an answer.
    fn judged(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> String {
        let form = Form { json: headers.is_empty(), asks: false };
        let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        for (name, value) in headers {
            answer.headers_mut().insert(*name, *value);
        }
        let garbled = Garbled::judge(form, &answer, body.as_bytes());
        garbled.map(|it| it.to_string()).unwrap_or_default()
    }

    const XML: [(&str, &str); 1] = [("content-type", "text/xml")];
    const PAGE: &str = "\r\n<!DOCTYPE HTML>\n<html><body>Bad gateway</body></html>\n";

    #[test]
    fn what_aws_answers_is_left_alone() {
        assert_eq!(judged(200, &[], r#"{"Policy":{}}"#), "");
        assert_eq!(judged(200, &[], ""), "");
        assert_eq!(judged(400, &[], r#"{"__type":"X"}"#), "");
        assert_eq!(judged(400, &[("x-amzn-errortype", "X")], ""), "");
        assert_eq!(judged(200, &XML, "<?xml version=\"1.0\"?>\n<A x=\"1\"><B/></A>\n"), "");
        assert_eq!(judged(200, &XML, "<A/>"), "");
        assert_eq!(judged(204, &XML, ""), "");
    }

    #[test]
    fn nothing_is_no_answer_to_a_question() {
        let answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::empty());
        let form = |asks| Form { json: true, asks };
        assert_eq!(Garbled::judge(form(false), &answer, b""), None);
        let garbled = Garbled::judge(form(true), &answer, b"").unwrap().to_string();
        assert_eq!(garbled, "AWS answered 200 with an empty body, where an answer is expected");
    }

    #[test]
    fn an_object_of_s3_may_be_anything() {
        let headers = [("etag", "\"1\""), ("content-type", "application/json")];
        for body in [PAGE, "{", "text", "<A>", ""] {
            assert_eq!(judged(200, &headers, body), "");
        }
    }

    #[test]
    fn what_is_not_awss_is_called_what_it_is() {
        let html =
            |status| format!("AWS answered {status} with an answer that is not from AWS (HTML)");
        assert_eq!(judged(200, &[], PAGE), html(200));
        assert_eq!(judged(503, &XML, PAGE), html(503));
        assert_eq!(judged(403, &[("content-type", "text/html; charset=utf-8")], "no"), html(403));
        let json = "AWS answered 200 with a part of an answer (JSON that is cut off)";
        assert_eq!(judged(200, &[], r#"{"Policy":{"#), json);
        let declared = [("content-type", "application/json")];
        assert_eq!(judged(200, &declared, r#"{"Policy":{"#), json);
        let xml = "AWS answered 500 with a part of an answer (XML that is cut off)";
        for body in ["<A><B></B>", "<?xml version=\"1.0\"?><A", "<?xml vers", "<"] {
            assert_eq!(judged(500, &XML, body), xml, "{body}");
        }
        let nothing = "AWS answered 502 with an empty body, where an answer is expected";
        assert_eq!(judged(502, &[], " "), nothing);
        let unknown = "AWS answered 200 with an answer that is not documented";
        assert_eq!(judged(200, &[], "OK"), unknown);
    }
}
