//! The deployed stack, from which a deployment starts.

use aws::Management;
use errors::chain;
use plan::deployment::{Disposal, disposal};
use policy::Node;
use stacks::{Stack, describe, template as deployed_template};
use template::is_template;

use crate::input;

/// The known state of the stack.
#[derive(Debug)]
pub(super) enum Deployed {
    /// The stack does not exist yet, or none was named.
    Nothing,
    /// It could not be read, for this reason.
    Unread(String),
    /// The stack exists.
    There(Stack),
}

impl Deployed {
    /// Reads the stack called `name`.
    pub(super) async fn read(management: &Management, name: Option<&str>) -> Self {
        let Some(name) = name else { return Self::Nothing };
        match describe(management, name).await {
            Ok(Some(stack)) => Self::There(stack),
            Ok(None) => Self::Nothing,
            Err(error) => Self::Unread(chain(&error)),
        }
    }

    /// Returns the stack, if it exists.
    pub(super) fn stack(&self) -> Option<&Stack> {
        match self {
            Self::There(stack) => Some(stack),
            Self::Nothing | Self::Unread(_) => None,
        }
    }

    /// Returns the disposal of each of these resources, which the new template does not have.
    pub(super) async fn disposals(&self, management: &Management, names: &[&str]) -> Vec<Disposal> {
        if names.is_empty() {
            return Vec::new();
        }
        match self.template(management).await {
            Ok(deployed) => names.iter().map(|it| disposal(&deployed, it)).collect(),
            Err(why) => names.iter().map(|_| Disposal::Unknown(why.clone())).collect(),
        }
    }

    /// Returns the template that was last deployed to the stack.
    pub(super) async fn template(&self, management: &Management) -> Result<Node, String> {
        let stack = match self {
            Self::There(stack) => stack,
            Self::Unread(why) => return Err(why.clone()),
            Self::Nothing => return Err("the stack does not exist".to_owned()),
        };
        let text = deployed_template(management, &stack.name).await.map_err(|it| chain(&it))?;
        let name = "the deployed template".to_owned();
        let root = std::path::PathBuf::new();
        let file = input::Input { name, text, is_named: true, root };
        let (document, _) = input::parse(&file);
        let document = document.filter(is_template);
        document.ok_or_else(|| "this command cannot read the deployed template".to_owned())
    }
}
