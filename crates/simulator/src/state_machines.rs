//! Executions of Step Functions. Nothing is executed: a test takes the part of the state machine.

use std::collections::BTreeSet;
use std::time::Duration;

use policy::arn::Arn;

use crate::ids::Ids;
use crate::refusal::{Answer, Code, Refusal};

/// The longest name of an execution, in characters.
const NAME: usize = 80;
/// The longest input, in bytes.
const INPUT: usize = 262_144;
/// The characters that a name must not contain.
const FORBIDDEN: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";

/// The status of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is documented by AWS")]
pub enum ExecutionStatus {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

impl ExecutionStatus {
    /// Returns the status as AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// The ARN of the state machine.
    pub state_machine: String,
    /// Its name.
    pub name: String,
    /// Its input.
    pub input: String,
    /// Its status.
    pub status: ExecutionStatus,
    /// Its output.
    pub output: Option<String>,
    /// The time at which it started, counted from the simulator's start.
    pub started: Duration,
    /// The time at which it ended.
    pub stopped: Option<Duration>,
}

/// The state machines and their executions.
#[derive(Clone, Debug)]
pub struct StateMachines {
    machines: BTreeSet<String>,
    executions: Vec<Execution>,
    now: Duration,
    ids: Ids,
}

impl StateMachines {
    pub(crate) fn new(seed: u64) -> Self {
        let ids = Ids::new(seed ^ 0x0073_666e);
        Self { machines: BTreeSet::new(), executions: Vec::new(), now: Duration::ZERO, ids }
    }

    pub(crate) fn set_time(&mut self, now: Duration) {
        self.now = now;
    }

    /// Creates the standard state machine with this ARN.
    pub fn create(&mut self, arn: &str) {
        self.machines.insert(arn.to_owned());
    }

    /// Returns every execution, oldest first.
    #[must_use]
    pub fn executions(&self) -> &[Execution] {
        &self.executions
    }

    /// Ends the execution with this ARN, if it exists.
    pub fn end(&mut self, arn: &str, status: ExecutionStatus, output: Option<&str>) {
        if let Some(execution) = self.executions.iter_mut().find(|it| it.arn == arn) {
            execution.status = status;
            execution.output = output.map(str::to_owned);
            execution.stopped = Some(self.now);
        }
    }

    /// Starts an execution, or returns the one that the same request started.
    pub(crate) fn start(
        &mut self,
        machine: &str,
        name: Option<&str>,
        input: &str,
    ) -> Answer<&Execution> {
        let path = self.expect(machine)?;
        let forbidden = |it: char| it.is_whitespace() || it.is_control() || FORBIDDEN.contains(it);
        let right = |it: &str| (1..=NAME).contains(&it.chars().count()) && !it.contains(forbidden);
        if !name.is_none_or(right) {
            let message = format!("Invalid Name: '{}'", name.unwrap_or_default());
            return Err(Refusal::new(Code::InvalidName, message));
        }
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(input).is_ok();
        if input.len() > INPUT || !is_json {
            let message = "Invalid State Machine Execution Input";
            return Err(Refusal::new(Code::InvalidExecutionInput, message));
        }
        let name = name.map_or_else(|| self.ids.uuid(), str::to_owned);
        let arn = format!("{path}:{name}").replacen(":stateMachine:", ":execution:", 1);
        let known = self.executions.iter().position(|it| it.arn == arn);
        let index = known.unwrap_or_else(|| {
            self.executions.push(Execution {
                arn: arn.clone(),
                state_machine: machine.to_owned(),
                name,
                input: input.to_owned(),
                status: ExecutionStatus::Running,
                output: None,
                started: self.now,
                stopped: None,
            });
            self.executions.len() - 1
        });
        let same = |it: &&Execution| it.status == ExecutionStatus::Running && it.input == input;
        self.executions.get(index).filter(same).ok_or_else(|| {
            let message = format!("Execution Already Exists: '{arn}'");
            Refusal::new(Code::ExecutionAlreadyExists, message)
        })
    }

    /// Returns the execution with this ARN.
    pub(crate) fn execution(&self, arn: &str) -> Answer<&Execution> {
        expect_arn(arn, "execution")?;
        self.executions.iter().find(|it| it.arn == arn).ok_or_else(|| {
            let message = format!("Execution Does Not Exist: '{arn}'");
            Refusal::new(Code::ExecutionDoesNotExist, message)
        })
    }

    /// Returns the executions of a state machine, newest first.
    pub(crate) fn executions_of<'a>(
        &'a self,
        machine: &'a str,
    ) -> Answer<impl Iterator<Item = &'a Execution>> {
        self.expect(machine)?;
        Ok(self.executions.iter().rev().filter(move |it| it.state_machine == machine))
    }

    fn expect<'a>(&self, machine: &'a str) -> Answer<&'a str> {
        expect_arn(machine, "stateMachine")?;
        if self.machines.contains(machine) {
            return Ok(machine);
        }
        let message = format!("State Machine Does Not Exist: '{machine}'");
        Err(Refusal::new(Code::StateMachineDoesNotExist, message))
    }
}

fn expect_arn(arn: &str, kind: &str) -> Answer<()> {
    match Arn::parse(arn).map(|it| (it.service, it.resource.split_once(':'))) {
        Ok(("states", Some((it, _)))) if it == kind => Ok(()),
        _ => Err(Refusal::new(Code::InvalidArn, format!("Invalid Arn: '{arn}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "arn:aws:states:us-east-1:111122223333:stateMachine:members";

    fn machines() -> StateMachines {
        let mut machines = StateMachines::new(1);
        machines.create(MACHINE);
        machines
    }

    fn start(machines: &mut StateMachines, name: &str, input: &str) -> Result<String, Code> {
        machines.start(MACHINE, Some(name), input).map(|it| it.arn.clone()).map_err(|it| it.code)
    }

    #[test]
    fn the_same_request_finds_the_execution_that_it_began() {
        let mut machines = machines();
        let arn = start(&mut machines, "run-1", "{}").unwrap();
        assert_eq!(arn, "arn:aws:states:us-east-1:111122223333:execution:members:run-1");
        assert_eq!(start(&mut machines, "run-1", "{}"), Ok(arn.clone()));
        assert_eq!(machines.executions().len(), 1);
        let other = start(&mut machines, "run-1", r#"{"a":1}"#);
        assert_eq!(other, Err(Code::ExecutionAlreadyExists));
        machines.end(&arn, ExecutionStatus::Succeeded, Some("{}"));
        assert_eq!(start(&mut machines, "run-1", "{}"), Err(Code::ExecutionAlreadyExists));
    }

    #[test]
    fn an_execution_without_a_name_is_another_each_time() {
        let mut machines = machines();
        machines.start(MACHINE, None, "{}").unwrap();
        machines.start(MACHINE, None, "{}").unwrap();
        assert_eq!(machines.executions().len(), 2);
    }

    #[test]
    fn what_is_wrong_with_a_request_is_told() {
        let mut machines = machines();
        for name in ["", "a b", "a:b", "a/b", &"x".repeat(81)] {
            assert_eq!(start(&mut machines, name, "{}"), Err(Code::InvalidName), "{name}");
        }
        assert_eq!(start(&mut machines, "a", "{"), Err(Code::InvalidExecutionInput));
        let long = format!("\"{}\"", "x".repeat(262_143));
        assert_eq!(start(&mut machines, "a", &long), Err(Code::InvalidExecutionInput));
        let mut code = |machine: &str| machines.start(machine, None, "{}").unwrap_err().code;
        assert_eq!(code("members"), Code::InvalidArn);
        assert_eq!(code(&MACHINE.replace("members", "x")), Code::StateMachineDoesNotExist);
    }
}
