//! A Lambda function that does what its event says. It allows tests of [`simulator::Function`]
//! without any other function.
//!
//! The event is
//! `{"calls": [[operation, request], …], "then": "return" | "fail" | "exit" | "hang"}`. The calls
//! go to Organizations, one after another, and the function returns their answers.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use serde_json::{Value, json};

#[expect(clippy::disallowed_methods, reason = "this is `main`")]
fn main() -> ExitCode {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let (runtime, endpoint) = (variable("AWS_LAMBDA_RUNTIME_API"), variable("AWS_ENDPOINT_URL"));
    let account = variable("AWS_ACCESS_KEY_ID");
    say("started");
    match serve(&runtime, endpoint.trim_start_matches("http://"), &account) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("cannot go on: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(runtime: &str, endpoint: &str, account: &str) -> io::Result<ExitCode> {
    const API: &str = "/2018-06-01/runtime";
    loop {
        let next = exchange(runtime, "GET", &format!("{API}/invocation/next"), &[], "")?;
        let id = next.header("lambda-runtime-aws-request-id").unwrap_or_default().to_owned();
        let event: Value = serde_json::from_str(&next.body)?;
        let mut answers = Vec::new();
        for call in event.get("calls").and_then(Value::as_array).into_iter().flatten() {
            answers.push(organizations(endpoint, account, call)?);
        }
        let answer = |kind: &str, body: &Value| {
            exchange(
                runtime,
                "POST",
                &format!("{API}/invocation/{id}/{kind}"),
                &[],
                &body.to_string(),
            )
        };
        match event.get("then").and_then(Value::as_str) {
            Some("fail") => answer("error", &json!({ "errorType": "Told" }))?,
            Some("exit") => return Ok(ExitCode::from(3)),
            Some("hang") => loop {
                std::thread::park();
            },
            _ => answer("response", &json!(answers))?,
        };
    }
}

fn organizations(endpoint: &str, account: &str, call: &Value) -> io::Result<Value> {
    let operation = call.get(0).and_then(Value::as_str).unwrap_or_default();
    let request = call.get(1).cloned().unwrap_or_default().to_string();
    let target = format!("AWSOrganizationsV20161128.{operation}");
    let scope = format!("{account}/20260101/us-east-1/organizations/aws4_request");
    let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}, Signature=0");
    let headers = [("x-amz-target", target.as_str()), ("authorization", &authorization)];
    let reply = exchange(endpoint, "POST", "/", &headers, &request)?;
    Ok(serde_json::from_str(&reply.body).unwrap_or_default())
}

struct SampleReply {
    head: String,
    body: String,
}

impl SampleReply {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|it| it.split_once(": "));
        lines.filter(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1).next()
    }
}

/// Sends one request on a connection of its own.
fn exchange(
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<SampleReply> {
    let lines: Vec<_> = headers.iter().map(|it| format!("{}: {}\r\n", it.0, it.1)).collect();
    let lines = lines.concat();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}");
    let mut stream = TcpStream::connect(host)?;
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(ended)?;
    Ok(SampleReply { head: head.to_owned(), body: body.to_owned() })
}

fn say(what: &str) {
    let _nowhere_else_to_say_it = writeln!(io::stderr(), "{what}");
}
