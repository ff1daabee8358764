//! The setup of the function.

use std::collections::BTreeMap;
use std::time::Duration;

use plan::restore_validation::TYPES;
use policy::arn::Arn;
use thiserror::Error;

/// The setup of the function.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setup {
    /// The time for which AWS Backup keeps a restored resource for its validation.
    pub window: Duration,
    /// The class of the instance that a cluster without one gets for the time of its test. No
    /// instance is created if it is `None`.
    pub instance_class: Option<String>,
    /// The ARNs of the functions that check restored resources as well, by the type of the
    /// resource.
    pub checks: BTreeMap<String, String>,
}

/// The reason why the function cannot start.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidSetup {
    /// The window is not a number of hours.
    #[error("VALIDATION_WINDOW_HOURS is `{0}`")]
    Window(String),
    /// The variable does not have the ARN of a function.
    #[error("{name} is `{value}`, which is not the ARN of a function")]
    Check {
        /// The variable.
        name: String,
        /// Its value.
        value: String,
    },
}

impl InvalidSetup {
    /// Returns the next step.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Window(_) => "set it to a number of hours",
            Self::Check { .. } => "set it to the ARN of a Lambda function",
        }
    }
}

impl Setup {
    /// Reads `VALIDATION_WINDOW_HOURS`, `CLUSTER_INSTANCE_CLASS`, and one `CHECK_…` for each type.
    ///
    /// # Errors
    ///
    /// Returns an error if the value of one of them cannot be used.
    #[expect(clippy::disallowed_methods, reason = "called once, before the first event")]
    pub fn from_environment() -> Result<Self, InvalidSetup> {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetup> {
        let variable = |name: &str| variable(name).filter(|it| !it.is_empty());
        let hours = variable("VALIDATION_WINDOW_HOURS").unwrap_or_default();
        let hours = hours.parse::<u32>().map_err(|_| InvalidSetup::Window(hours))?;
        let mut checks = BTreeMap::new();
        for kind in TYPES {
            let name = format!("CHECK_{}", kind.to_uppercase());
            let Some(value) = variable(&name) else { continue };
            if !Arn::parse(&value).is_ok_and(|it| it.service == "lambda") {
                return Err(InvalidSetup::Check { name, value });
            }
            checks.insert(kind.to_owned(), value);
        }
        Ok(Self {
            window: Duration::from_hours(hours.into()),
            instance_class: variable("CLUSTER_INSTANCE_CLASS"),
            checks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Setup, InvalidSetup> {
        let hour = [("VALIDATION_WINDOW_HOURS", "1")];
        Setup::read(|name| {
            let found = variables.iter().chain(&hour).find(|it| it.0 == name);
            found.map(|it| it.1.to_owned())
        })
    }

    #[test]
    fn nothing_is_made_and_nobody_is_asked_unless_that_is_said() {
        let hour = Duration::from_hours(1);
        let plain = Setup { window: hour, instance_class: None, checks: BTreeMap::new() };
        assert_eq!(read(&[]), Ok(plain.clone()));
        assert_eq!(read(&[("CHECK_S3", "")]), Ok(plain));
    }

    #[test]
    fn every_type_has_a_check_of_its_own() {
        let arn = "arn:aws:lambda:eu-west-1:111122223333:function:looks";
        for kind in TYPES {
            let name = format!("CHECK_{}", kind.to_uppercase());
            let setup = read(&[(&name, arn)]).unwrap();
            assert_eq!(setup.checks, [(kind.to_owned(), arn.to_owned())].into());
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let wrong = read(&[("VALIDATION_WINDOW_HOURS", "a day")]).unwrap_err();
        assert_eq!(wrong.to_string(), "VALIDATION_WINDOW_HOURS is `a day`");
        assert_eq!(wrong.hint(), "set it to a number of hours");
        let missing = read(&[("VALIDATION_WINDOW_HOURS", "")]).unwrap_err();
        assert_eq!(missing.to_string(), "VALIDATION_WINDOW_HOURS is ``");
        let wrong = read(&[("CHECK_EC2", "looks")]).unwrap_err();
        assert_eq!(wrong.to_string(), "CHECK_EC2 is `looks`, which is not the ARN of a function");
    }
}
