//! The Lambda function that says of every restore test whether it is good.

use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    cfn::start_logging();
    let session = aws::Session::from_environment();
    let session = &session;
    let handle = async |event: LambdaEvent<Value>| {
        let deadline = cfn::deadline(&event.context);
        restore_validation::handle(session, &event.payload, deadline).await
    };
    cfn::serve_events(handle).await
}
