//! The Lambda function that puts back what somebody undid.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use reattach::{Memory, Settings};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    cfn::start_logging();
    let session = aws::Session::from_environment();
    let settings = Settings::from_environment()?;
    let memory = Memory::default();
    let (session, settings, memory) = (&session, &settings, &memory);
    let handle = async |event: LambdaEvent<Value>| {
        let deadline = cfn::deadline(&event.context);
        reattach::handle(session, settings, memory, &event.payload, deadline).await
    };
    lambda_runtime::run(service_fn(handle)).await
}
