//! The Lambda function behind `Custom::ServiceAccess`.

use lambda_runtime::Error;
use service_access::ServiceAccess;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let session = aws::Session::from_environment(aws::Reader::Author);
    let handle = async |request| resources::handle::<ServiceAccess>(&session, request).await;
    cfn::run(session.http(), handle).await
}
