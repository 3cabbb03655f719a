//! What queries may use: memory, a folder to spill to, time.
//!
//! `DataFusion` sorts and groups beyond the memory on disk; a join's smaller side has to fit. What is
//! counted are the engine's large buffers, not every byte of the process.

use crate::error::{Error, Result};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What queries may use.
#[derive(Debug, Clone, Default)]
pub struct QueryLimits {
    /// Bytes; `None` is half of what the machine has.
    pub memory: Option<u64>,
    /// Where to spill; `None` is the system's folder for temporary files.
    pub spill: Option<PathBuf>,
    /// How long a statement may take.
    pub timeout: Option<Duration>,
}

/// Where a machine does not tell its memory.
const MEMORY: u64 = 4 << 30;

impl QueryLimits {
    /// The memory, in bytes.
    pub(in crate::query) fn bytes(&self) -> usize {
        let bytes = self.memory.or_else(half_of_memory).unwrap_or(MEMORY);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// What a sort that spills keeps for merging what it spilled: the engine's own 10 MB, or less
    /// where that would be most of the memory.
    pub(in crate::query) fn sort_reserve(&self) -> usize {
        (self.bytes() / 16).min(10 << 20)
    }

    /// The engine's surroundings with these limits.
    pub(in crate::query) fn runtime(&self) -> Result<Arc<RuntimeEnv>> {
        let pool = FairSpillPool::new(self.bytes());
        let pool = TrackConsumersPool::new(pool, NonZeroUsize::MIN);
        let mut builder = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool));
        if let Some(folder) = &self.spill {
            std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
            let mode = DiskManagerMode::Directories(vec![folder.clone()]);
            let disk = DiskManagerBuilder::default().with_mode(mode);
            builder = builder.with_disk_manager_builder(disk);
        }
        Ok(builder.build_arc()?)
    }
}

/// Half of what this process may have: the machine's memory, or less where its control group says so.
fn half_of_memory() -> Option<u64> {
    let total = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total = total.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let total = total.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse::<u64>().ok());
    Some(group.map_or(total, |most| most.min(total)) / 2)
}
