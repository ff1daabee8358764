//! The Lambda function that restores what somebody changed.

use std::time::SystemTime;

use lambda_runtime::{Error, LambdaEvent};
use reattach::{Invoked, Memory, Settings};
use serde_json::Value;
use tokio::time::Instant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    cfn::start_logging();
    let session = aws::Session::from_environment(aws::Reader::Log);
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(invalid) => {
            let hint = Some(invalid.hint());
            return cfn::refuse_to_start(&session.http(), "Settings", invalid, hint).await;
        }
    };
    let memory = Memory::default();
    let (session, settings, memory) = (&session, &settings, &memory);
    let handle = async |event: LambdaEvent<Value>| {
        let deadline = cfn::deadline(&event.context);
        let end = SystemTime::now() + deadline.saturating_duration_since(Instant::now());
        let (request, log_stream) =
            (&event.context.request_id, &event.context.env_config.log_stream);
        let invoked = Invoked { request, log_stream, deadline, end };
        reattach::handle(session, settings, memory, &event.payload, invoked).await
    };
    cfn::serve_events(handle).await
}
