//! The Lambda function that puts back what somebody undid.

use lambda_runtime::{Error, LambdaEvent};
use reattach::{Memory, Settings};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    cfn::start_logging();
    let session = aws::Session::from_environment();
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(invalid) => return cfn::refuse_to_start(&session.http(), "Settings", invalid).await,
    };
    let memory = Memory::default();
    let (session, settings, memory) = (&session, &settings, &memory);
    let handle = async |event: LambdaEvent<Value>| {
        let deadline = cfn::deadline(&event.context);
        reattach::handle(session, settings, memory, &event.payload, deadline).await
    };
    cfn::serve_events(handle).await
}
