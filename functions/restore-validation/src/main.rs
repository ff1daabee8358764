//! The Lambda function that checks every restore test and reports its result.

use lambda_runtime::{Error, LambdaEvent};
use restore_validation::Setup;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    cfn::start_logging();
    let session = aws::Session::from_environment(aws::Reader::Log);
    let setup = match Setup::from_environment() {
        Ok(setup) => setup,
        Err(invalid) => {
            let hint = Some(invalid.hint());
            return cfn::refuse_to_start(&session.http(), "Setup", invalid, hint).await;
        }
    };
    let (session, setup) = (&session, &setup);
    let handle = async |event: LambdaEvent<Value>| {
        let deadline = cfn::deadline(&event.context);
        restore_validation::handle(session, setup, &event.payload, deadline).await
    };
    cfn::serve_events(handle).await
}
