//! `buildtrail worker`.

use crate::cli::common::args::{DATASET, ExitStatus, parse_memory, print};

use crate::dataset::Dataset;
use crate::printable::say;
use crate::query::{QueryLimits, Worker};
use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Do the work of other processes' queries on a dataset (`sql` and `run` with --workers)
///
/// Prints the address that it listens on, and works until it is ended. There is no password and no
/// encryption: whoever reaches the address can read the whole dataset, but no other file.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset that is asked: its folder as it is mounted here, or its S3 URL
    #[arg(env = DATASET, hide_env_values = true)]
    dataset: PathBuf,
    /// Where to listen; port 0 is any that is free
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Memory for sorting, grouping, joining: 512MB, 4GB [default: half of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory)]
    memory: Option<u64>,
    /// Where to put what does not fit into memory [default: the system's temporary folder]
    #[arg(long, value_name = "FOLDER")]
    spill: Option<PathBuf>,
}

pub(super) fn main(args: Args) -> anyhow::Result<ExitStatus> {
    let dataset = Dataset::open(&args.dataset)?;
    let limits = QueryLimits { memory: args.memory, spill: args.spill, timeout: None };
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    threads.context("start threads")?.block_on(async {
        let worker = Worker::listen(dataset, args.listen, limits).await?;
        if !worker.address().ip().is_loopback() {
            say("warning: whoever reaches this address can read the dataset: there is no password");
        }
        print(&format!("{}\n", worker.address()))?;
        tokio::select! {
            served = worker.serve() => served?,
            // Files of what was spilled go with the process's end, if it is one.
            heard = tokio::signal::ctrl_c() => heard.context("wait for Ctrl-C")?,
        }
        Ok(ExitStatus::Done)
    })
}
