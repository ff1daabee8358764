//! Counts the work of a function for a few requests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::package::Package;
use crate::run::Run;
use crate::subject::Subject;
use simulator::FunctionBuilder;

/// The cost of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The size of its archive in bytes.
    pub archive: u64,
    /// Its peak memory in KiB.
    pub memory: u64,
    /// The instructions, which only a tool can count.
    pub instructions: Option<Instructions>,
    /// The AWS calls by request, and the number of them that write.
    pub calls: BTreeMap<String, (u64, u64)>,
}

/// The numbers of executed instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instructions {
    /// The instructions until the function asks for its first event.
    pub start: u64,
    /// The instructions of the start and the first request.
    pub cold: u64,
    /// The instructions of a later request that finds nothing to do.
    pub warm: u64,
}

/// The number of later requests over which their cost is averaged.
const LATER: u64 = 5;

/// Returns `true` if instructions can be counted on this machine.
pub fn counts_instructions() -> bool {
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    valgrind.status().is_ok_and(|it| it.success())
}

/// Measures one function.
pub async fn measure(subject: &Subject, package: &Package, count: bool) -> Cost {
    let binary = package.binary(subject.function);
    let (calls, memory) = calls(subject, &binary).await;
    let instructions = if count { Some(instructions(subject, &binary).await) } else { None };
    Cost { archive: package.size(subject.function), memory, instructions, calls }
}

/// Describes the machine on which everything is measured.
pub fn machine() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |name: &str| {
        let line = information.lines().find(|it| it.starts_with(name));
        line.and_then(|it| it.split_once(": ")).map_or("an unknown processor", |it| it.1).to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {}", of("model name"))
}

/// Returns the calls for each request of a function, and its peak memory.
async fn calls(subject: &Subject, binary: &Path) -> (BTreeMap<String, (u64, u64)>, u64) {
    let organization = subject.organization().await;
    let run = Run::start(&organization, binary, |it| subject.with(it)).await;
    let mut stack = organization.stack(subject.function);
    let mut calls = BTreeMap::new();
    for request in subject.requests {
        organization.clear_journal();
        subject.send(&run, &mut stack, request).await;
        let all: Vec<_> =
            organization.journal().into_iter().filter(|it| it.operation != "PutResponse").collect();
        let writes = all.iter().filter(|it| it.write).count();
        let counts = (u64::try_from(all.len()).unwrap(), u64::try_from(writes).unwrap());
        calls.insert(request.to_lowercase(), counts);
    }
    (calls, run.memory())
}

async fn instructions(subject: &Subject, binary: &Path) -> Instructions {
    let start = executed(subject, binary, None).await;
    let cold = executed(subject, binary, Some(0)).await;
    let all = executed(subject, binary, Some(LATER)).await;
    Instructions { start, cold, warm: (all - cold) / LATER }
}

/// Counts instructions until the function asks for an event, after the first request and some later
/// ones.
async fn executed(subject: &Subject, binary: &Path, later: Option<u64>) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("callgrind.out");
    let organization = subject.organization().await;
    let under = |it: FunctionBuilder| {
        let out = format!("--callgrind-out-file={}", out.display());
        subject.with(it).under(&[&program("valgrind"), "--tool=callgrind", &out])
    };
    let run = Run::start(&organization, binary, under).await;
    let mut stack = organization.stack(subject.function);
    if let Some(later) = later {
        subject.send(&run, &mut stack, subject.requests[0]).await;
        for _ in 0..later {
            subject.send(&run, &mut stack, subject.again).await;
        }
    }
    run.stop().await;
    total(&out).unwrap_or_else(|| panic!("nothing was counted: {}", run.logs()))
}

/// Returns the path of a program, because a function has no `PATH`.
fn program(name: &str) -> String {
    let folders = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
    let found = folders.iter().map(|it| it.join(name)).find(|it| it.is_file());
    found.map_or_else(|| name.to_owned(), |it| it.display().to_string())
}

/// Reads the total from the output of callgrind.
fn total(out: &Path) -> Option<u64> {
    let text = fs::read_to_string(out).ok()?;
    text.lines().find_map(|it| it.strip_prefix("totals: ")?.trim().parse().ok())
}
