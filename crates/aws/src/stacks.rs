//! A stack of CloudFormation as it is deployed.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::TemplateStage;

use crate::error::Error;
use crate::operation::{DESCRIBE_STACKS, GET_TEMPLATE};
use crate::session::Management;

/// A stack.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub id: String,
    /// The values of its parameters; those of `NoEcho` parameters are asterisks.
    pub parameters: BTreeMap<String, String>,
}

/// Reads the stack of this name or ARN; `None` where there is none.
///
/// # Errors
///
/// When it cannot be read.
pub async fn describe(management: &Management, name: &str) -> Result<Option<Stack>, Error> {
    let action = format!("describe the stack `{name}`");
    let describe = management.cloudformation().describe_stacks().stack_name(name).send();
    let described = match management.calls.call(DESCRIBE_STACKS, &action, describe).await {
        // It has no code of its own for a stack that is not there.
        Err(error) if error.code() == Some("ValidationError") => return Ok(None),
        Err(error) => return Err(error.advised("allow yourself cloudformation:DescribeStacks")),
        Ok(described) => described,
    };
    let Some(stack) = described.stacks.unwrap_or_default().into_iter().next() else {
        return Ok(None);
    };
    let name = stack.stack_name.unwrap_or_else(|| name.to_owned());
    let id = stack.stack_id.ok_or_else(|| Error::incomplete(&action, "the ID of the stack"))?;
    let parameters = stack.parameters.unwrap_or_default().into_iter();
    let parameters = parameters.filter_map(|it| Some((it.parameter_key?, it.parameter_value?)));
    Ok(Some(Stack { name, id, parameters: parameters.collect() }))
}

/// Reads the template that a stack was last deployed from, after its transforms.
///
/// # Errors
///
/// When it cannot be read.
pub async fn template(management: &Management, name: &str) -> Result<String, Error> {
    let action = format!("read the template of the stack `{name}`");
    let get = management.cloudformation().get_template().stack_name(name);
    let get = get.template_stage(TemplateStage::Processed).send();
    let got = management.calls.call(GET_TEMPLATE, &action, get).await;
    let got = got.map_err(|it| it.advised("allow yourself cloudformation:GetTemplate"))?;
    got.template_body.ok_or_else(|| Error::incomplete(&action, "the template"))
}
