//! The share of a processor that a small function has.

use std::fs;
use std::path::PathBuf;

/// A control group that gives its processes as much as Lambda gives to 128 MB: 128 of the 1,769 MB that
/// make a whole processor.
#[derive(Debug)]
pub struct Share(PathBuf);

/// In microseconds: how long a turn is, and for how much of it the group may run.
const PERIOD: u64 = 20_000;
const QUOTA: u64 = 1_447;

impl Share {
    /// Makes the group, or tells that this machine does not let us.
    pub fn of_128_megabytes() -> Option<Self> {
        let name = format!("org-backup-{}", std::process::id());
        let unified = PathBuf::from("/sys/fs/cgroup").join(&name);
        let older = PathBuf::from("/sys/fs/cgroup/cpu").join(&name);
        let limited = |group: PathBuf, limits: &[(&str, String)]| {
            fs::create_dir(&group).ok()?;
            let group = Self(group);
            // Where no control groups are mounted, the folder is a plain one, and has no such files.
            let mut written = limits.iter().map(|(file, limit)| {
                let file = group.0.join(file);
                file.is_file() && fs::write(file, limit).is_ok()
            });
            written.all(|it| it).then_some(group)
        };
        limited(unified, &[("cpu.max", format!("{QUOTA} {PERIOD}"))]).or_else(|| {
            let (period, quota) = (PERIOD.to_string(), QUOTA.to_string());
            limited(older, &[("cpu.cfs_period_us", period), ("cpu.cfs_quota_us", quota)])
        })
    }

    /// Puts a process into the group.
    pub fn take(&self, process: i32) {
        fs::write(self.0.join("cgroup.procs"), process.to_string()).expect("the group is ours");
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // A group that still has processes in it stays; whoever ends them may remove it.
        let _ = fs::remove_dir(&self.0);
    }
}
