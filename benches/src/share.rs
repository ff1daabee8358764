//! The share of a processor that a small function has.

use std::fs;
use std::path::PathBuf;

/// A control group that gives its processes the share that Lambda gives to 128 MB: 128 of the 1,769
/// MB that correspond to a whole processor.
#[derive(Debug)]
pub struct Share(PathBuf);

/// The length of a period and the time for which the group may run in it, in microseconds.
const PERIOD: u64 = 20_000;
const QUOTA: u64 = 1_447;

impl Share {
    /// Creates the group; returns `None` if this machine does not allow it.
    pub fn of_128_megabytes() -> Option<Self> {
        let name = format!("org-backup-{}", std::process::id());
        let unified = PathBuf::from("/sys/fs/cgroup").join(&name);
        let older = PathBuf::from("/sys/fs/cgroup/cpu").join(&name);
        let limited = |group: PathBuf, limits: &[(&str, String)]| {
            fs::create_dir(&group).ok()?;
            let group = Self(group);
            // Without mounted control groups, this is an ordinary folder that does not have these
            // files.
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

    /// Moves a process into the group.
    pub fn take(&self, process: i32) {
        fs::write(self.0.join("cgroup.procs"), process.to_string()).expect("the group is ours");
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // A group that still has processes remains. It can be removed after they end.
        let _ = fs::remove_dir(&self.0);
    }
}
