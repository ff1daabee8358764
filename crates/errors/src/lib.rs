//! Text for an error and its causes, and the readers of both.
//!
//! This is a separate crate because everything that reports an error needs it, including `cfn` and
//! `aws`, which do not depend on each other.

use std::error::Error;
use std::fmt;
use std::iter::successors;

/// The reader of an error. A hint names a step that this reader can take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reader {
    /// The operator at the command, who has credentials and options.
    Operator,
    /// The author of a template, who reads the reason of a failed stack and deploys again.
    Author,
    /// The reader of the log of a function for which no stack waits.
    Log,
}

/// Returns the error and its causes on one line, as in `cannot attach to ou-prod: access denied`.
pub fn chain(error: &dyn Error) -> String {
    let causes = successors(Some(error), |&it| it.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Returns the first error of type `T` among `error` and its causes.
///
/// The SDK and hyper box the errors of what is below them as `dyn Error`, also those of our own
/// connector, and have no other way to get them back. Everything that needs one goes through here,
/// and gets a type and no text.
pub fn behind<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    successors(Some(error), |&it| it.source()).find_map(|it| it.downcast_ref())
}

/// Returns the problem, followed by the hint if there is one.
pub fn advised(problem: impl fmt::Display, hint: Option<impl fmt::Display>) -> String {
    match hint {
        Some(hint) => format!("{problem}; hint: {hint}"),
        None => problem.to_string(),
    }
}

/// The number of attempts, as in `, the last of 3 attempts`. A single attempt adds no text.
#[derive(Clone, Copy, Debug)]
pub struct Tries(pub u32);

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 | 1 => Ok(()),
            count => write!(f, ", the last of {count} attempts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt;

    use super::{Tries, advised, behind, chain};

    #[test]
    fn what_helps_stands_behind_what_is_wrong() {
        assert_eq!(advised("refused", Some("ask again")), "refused; hint: ask again");
        assert_eq!(advised("refused", None::<&str>), "refused");
    }

    #[test]
    fn one_attempt_is_not_told() {
        assert_eq!(format!("refused{}", Tries(1)), "refused");
        assert_eq!(format!("refused{}", Tries(3)), "refused, the last of 3 attempts");
    }

    #[derive(Debug)]
    struct Step(&'static str, Option<Box<Step>>);

    impl fmt::Display for Step {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Step {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_ref().map(|it| it.as_ref() as &(dyn Error + 'static))
        }
    }

    #[test]
    fn causes_follow_what_they_caused() {
        let cause = Step("no route", None);
        let cause = Step("AWS could not be reached", Some(Box::new(cause)));
        let error = Step("cannot attach", Some(Box::new(cause)));
        assert_eq!(chain(&error), "cannot attach: AWS could not be reached: no route");
        assert_eq!(chain(&Step("cannot attach", None)), "cannot attach");
    }

    #[test]
    fn an_error_is_found_by_its_type_at_any_depth() {
        let outer = Outer(Step("no route", Some(Box::new(Step("no cable", None)))));
        assert_eq!(behind::<Step>(&outer).map(|it| it.0), Some("no route"));
        assert!(behind::<Outer>(&outer).is_some() && behind::<fmt::Error>(&outer).is_none());
    }

    #[derive(Debug)]
    struct Outer(Step);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot attach")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
}
