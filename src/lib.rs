//! AWS CodeBuild activity from CloudTrail log files: sorted, deduplicated Parquet, and SQL over it.
//!
//! Data flows one way, and the modules stand in its order:
//!
//! ```text
//! sources -> log files -> bytes -> records -> columns -> partitions -> Parquet -> SQL
//! ```
//!
//! - [`cli`]: what the command line says, and the commands; the only module that prints
//! - [`schema`]: the table of columns                                          (contract)
//! - [`layout`]: partition columns, and paths in a dataset both ways           (contract)
//! - [`convert`]: log files in, part files out, on all cores
//! - `part`: one part file, written and read back
//! - [`dataset`]: a dataset, on disk or in a bucket: its commits, the ledger of inputs, the quarantine, the
//!   Delta Lake log
//! - [`compact`], [`verify`], [`status`]: what is done with a dataset as a whole
//! - [`query`]: a dataset in `DataFusion`, saved queries, the shell, output; with the feature
//!   `distributed` also workers, which do the work of other processes' queries
//! - [`catalog`]: text that makes other engines see a dataset as a table
//! - [`integrity`]: log files checked by CloudTrail's digests
//! - [`reader`]: log files as record batches, for other programs
//!
//! Some look at what passes without holding it: `keys` (what a log file's key tells), `text` (files in whatever encoding), `json` (text
//! without a tree), `rows` (order, partition and content of rows); `store` reads and writes objects in S3.
//! `convert` and `query` never import each other: they meet at `schema`, `layout` and `dataset`.
//!
//! # In a program of your own
//!
//! [`LogFileReader`](reader::LogFileReader) is an Arrow `RecordBatchReader` of log files, with the
//! columns of [`schema::schema`]:
//!
//! ```
//! use buildtrail::reader::LogFileReader;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log_files = LogFileReader::open(vec!["data/AWSLogs".to_owned()])?;
//! for problem in &log_files.outcome().problems {
//!     eprintln!("rejected: {problem}");
//! }
//! let mut builds = 0;
//! for batch in log_files {
//!     let batch = batch?;
//!     let names = batch.column_by_name("event_name").expect("a column of the schema");
//!     let names = names.as_any().downcast_ref::<arrow::array::StringArray>().expect("text");
//!     builds += names.iter().filter(|name| *name == Some("StartBuild")).count();
//! }
//! assert_eq!(builds, 16);
//! # Ok(())
//! # }
//! ```
//!
//! # Invariants
//!
//! Each with the test in `tests/it` that guards it.
//!
//! 1. *Conservation*: read = written + filtered + duplicate + rejected, checked before anything
//!    becomes visible. (`convert::counts_add_up`)
//! 2. *Nothing lost*: typed columns, JSON text and `extra` rebuild every record.
//!    (`rebuild::every_record_is_rebuilt`)
//! 3. *The event's time, not the delivery's*, decides the partition. (`convert::partitions`)
//! 4. *Determinism*: the same input and options give the same bytes, whatever the threads and the
//!    order of reading. Not in `_delta_log`: Delta Lake wants the time of each version, and a random id
//!    for the table. (`convert::the_same_bytes_come_out`)
//! 5. *All or nothing*: a run is in the dataset or is not, whenever it is killed.
//!    (`dataset::a_killed_run_is_in_the_dataset_or_is_not`)
//! 6. *Containment*: one bad file or record never stops the others; it is named, counted, and shows
//!    in the exit status. (`malformed`)
//! 7. *Secrets are masked before anything is written.* (`redaction::no_secret_is_in_any_byte`)
//! 8. *One engine*: one version of Arrow, Parquet and `DataFusion`. (`architecture`)
//! 9. *No unsafe code, no panic on any input.* (the lint table)

#[cfg(not(unix))]
compile_error!(
    "buildtrail is for Unix: it relies on the system's locks, renames and synced folders"
);

pub mod catalog;
pub mod cli;
pub mod compact;
pub mod convert;
pub mod dataset;
pub mod error;
mod flatten;
mod hash;
pub mod integrity;
mod json;
pub mod layout;
mod log_file;
mod part;
mod printable;
pub mod query;
pub mod reader;
mod redact;
mod rows;
pub mod schema;
mod scope;
mod sources;
pub mod status;
mod store;
mod text;
mod times;
pub mod verify;

pub use error::{Error, Result};

/// Two versions of Arrow in one build fail here.
#[expect(unused_qualifications, reason = "the point is that both paths name one type")]
const _: fn(arrow::array::RecordBatch) -> datafusion::arrow::array::RecordBatch = |batch| batch;
