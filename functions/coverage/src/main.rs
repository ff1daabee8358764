//! The Lambda function that looks into every account once a day.

use coverage::{Invoked, Setup};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    cfn::start_logging();
    let clock = aws::Clock::default();
    let session = aws::Session::from_environment_by(&clock, aws::Reader::Log);
    let setup = Setup::from_environment();
    let (session, setup, clock) = (&session, &setup, &clock);
    let handle = async |event: LambdaEvent<Value>| {
        let deadline = cfn::deadline(&event.context);
        let invoked = Invoked { deadline, clock };
        coverage::handle(session, setup, event.payload, invoked).await
    };
    cfn::serve_events(handle).await
}
