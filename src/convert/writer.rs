//! One partition's rows into one part file.
//!
//! A part file says how it is sorted, which schema version it has and what wrote it. It is written
//! beside the dataset's own records under a name that no reader takes for a part file, and gets its
//! place by renaming: a reader sees a whole part file or none. Its name is the hash of its bytes,
//! so the same rows written twice are one file.

use crate::convert::columns::{BATCH_BYTES, BATCH_ROWS};
use crate::convert::merge::{Merged, Partition};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::schema::{COLUMNS, Col, Column, Group, Kind, SCHEMA_VERSION, schema};
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::interleave_record_batch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Rows of a row group at most: a row of a build is 3 to 6 KB of text, so a row group is some
/// hundred MB before encoding, and one scan unit for readers after.
const ROW_GROUP_ROWS: usize = 65_536;
const _: () = assert!(ROW_GROUP_ROWS.is_multiple_of(BATCH_ROWS));
/// Encoded bytes of a row group, about, should its rows be larger than that.
const ROW_GROUP_BYTES: usize = 256 << 20;

/// zstd level 3: on CodeBuild rows level 6 saves 6 % and takes twice the time.
const ZSTD_LEVEL: i32 = 3;

/// The columns whose pages readers skip by: what a needle is looked for by, and what grows with the
/// event time. The others' page statistics would only make footers longer.
const PRUNING: [Col; 8] = [
    Col::EventTime,
    Col::EventId,
    Col::EventName,
    Col::RecipientAccountId,
    Col::UserIdentityAccessKeyId,
    Col::ActorBuildUuid,
    Col::ProjectName,
    Col::BuildUuid,
];

/// A part file that is written but not yet in its place.
#[derive(Debug)]
pub(crate) struct Part {
    file: NamedTempFile,
    path: PathBuf,
    bytes: u64,
}

impl Part {
    /// Puts the part file into its place; its size in bytes.
    pub(crate) fn commit(self) -> Result<u64> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        let place = self.file.persist(&self.path);
        place.map_err(|failed| Error::io("write", &self.path)(failed.error))?;
        Ok(self.bytes)
    }
}

/// Writes the rows of a partition.
pub(crate) fn write(dataset: &Dataset, merged: &Merged, partition: &Partition) -> Result<Part> {
    let file = dataset.temporary_file()?;
    let path = file.path().to_owned();
    let failed = |cause| Error::Parquet { path: path.clone(), cause };
    encode(file.as_file(), merged, partition).map_err(failed)?;
    let (hash, bytes) = hash(&path)?;
    let folder = dataset.folder().join(&partition.path);
    file.as_file().sync_all().map_err(Error::io("write", &path))?;
    Ok(Part { file, path: folder.join(format!("part-{hash}.parquet")), bytes })
}

fn encode(
    file: &File,
    merged: &Merged,
    partition: &Partition,
) -> std::result::Result<(), ParquetError> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties())
        // The Parquet types say it all, and the embedded schema costs 20 KB a file.
        .with_skip_arrow_metadata(true);
    let output = BufWriter::with_capacity(1 << 20, file);
    let mut writer = ArrowWriter::try_new_with_options(output, schema(), options)?;
    let sources: Vec<&RecordBatch> = merged.sources.iter().collect();
    for rows in partition.rows.chunks(BATCH_ROWS) {
        for rows in chunks_by_bytes(&sources, rows) {
            writer.write(&interleave_record_batch(&sources, rows)?)?;
            if writer.in_progress_size() >= ROW_GROUP_BYTES {
                writer.flush()?;
            }
        }
    }
    writer.into_inner()?.flush()?;
    Ok(())
}

/// Cuts rows where the record's texts would grow past what one text column should hold at once; the
/// other columns' are made of them.
fn chunks_by_bytes<'r>(
    sources: &[&RecordBatch],
    rows: &'r [(usize, usize)],
) -> impl Iterator<Item = &'r [(usize, usize)]> {
    let is_text =
        |c: &Column| c.kind == Kind::Text && matches!(c.group, Group::Record | Group::JsonText);
    let sized: Vec<usize> =
        COLUMNS.iter().enumerate().filter(|(_, c)| is_text(c)).map(|(index, _)| index).collect();
    let bytes = |(source, row): &(usize, usize)| {
        let Some(batch) = sources.get(*source) else { return 0 };
        let texts = sized.iter().filter_map(|index| batch.column(*index).as_string_opt::<i32>());
        texts.filter(|text| text.is_valid(*row)).map(|text| text.value(*row).len()).sum::<usize>()
    };
    let mut sum = 0;
    let mut cuts = vec![0];
    for (at, row) in rows.iter().enumerate() {
        sum += bytes(row);
        if sum >= BATCH_BYTES {
            cuts.push(at + 1);
            sum = 0;
        }
    }
    cuts.push(rows.len());
    let ranges: Vec<_> =
        cuts.windows(2).filter_map(|cut| Some((*cut.first()?, *cut.last()?))).collect();
    ranges.into_iter().filter_map(|(from, to)| rows.get(from..to)).filter(|rows| !rows.is_empty())
}

fn properties() -> WriterProperties {
    let sorted_by = [Col::EventTime, Col::EventId].map(|col| SortingColumn {
        // Column numbers of the schema are far below 2^31; the table has 185.
        column_idx: i32::try_from(col.index()).unwrap_or_default(),
        descending: false,
        nulls_first: false,
    });
    let metadata = [
        ("buildtrail.schema_version", SCHEMA_VERSION.to_string()),
        ("buildtrail.version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let level = ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("buildtrail ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_sorting_columns(Some(sorted_by.to_vec()))
        .set_key_value_metadata(Some(
            metadata.map(|(key, value)| KeyValue::new(key.to_owned(), value)).to_vec(),
        ));
    for column in COLUMNS.iter().filter(|column| column.group == Group::JsonText) {
        // Nobody asks for the least JSON text.
        let path = ColumnPath::from(column.name);
        properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    for col in PRUNING {
        let path = ColumnPath::from(col.name());
        properties = properties.set_column_statistics_enabled(path, EnabledStatistics::Page);
    }
    properties.build()
}

/// The first 16 digits of a file's SHA-256, and its size.
fn hash(path: &Path) -> Result<(String, u64)> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer).map_err(Error::io("read", path))?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        size += count as u64;
    }
    let head = hash.finalize().iter().take(8).fold(0, |head, byte| head << 8 | u64::from(*byte));
    Ok((format!("{head:016x}"), size))
}
