//! The Lambda function behind `Custom::PolicyTypes`.

use lambda_runtime::Error;
use policy_types::PolicyTypes;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let session = aws::Session::from_environment(aws::Reader::Author);
    let handle = async |request| resources::handle::<PolicyTypes>(&session, request).await;
    cfn::run(session.http(), handle).await
}
