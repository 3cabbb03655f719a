//! Sorted rows into the bytes of a part file.
//!
//! What is written is hashed on its way, and the hash is the part file's name: the same rows written
//! twice are one file.

use crate::error::{Error, Result};
use crate::hash::hex;
use crate::part::BATCH_ROWS;
use crate::rows::Keys;
use crate::schema::{COLUMNS, Col, Group, SCHEMA_VERSION, schema};
use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// Rows of a row group at most: a row of a build is 3 to 6 KB of text, so a row group is some
/// hundred MB before encoding, and one scan unit for readers after.
const ROW_GROUP_ROWS: usize = 65_536;
const _: () = assert!(ROW_GROUP_ROWS.is_multiple_of(BATCH_ROWS));
/// Encoded bytes of a row group, about, should its rows be larger than that.
const ROW_GROUP_BYTES: usize = 256 << 20;

/// zstd level 3: on CodeBuild rows level 6 saves 6 % and takes twice the time.
const ZSTD_LEVEL: i32 = 3;
/// That of [`IDS`], [`NUMBERS`] and [`RANDOM`]: level 3 finds chance repeats of a few digits there, which
/// take more bytes than the digits. Of 69,942 event ids each has 19.9 bytes instead of 20.9, of 70,000
/// record numbers 1.8 instead of 2.3 (pyarrow 26 on a generated part file, 2026-11-29).
const RANDOM_LEVEL: i32 = 1;

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

/// The columns with a bloom filter: what a needle is looked for by and does not grow with the time.
const FILTERED: [Col; 5] = [
    Col::EventId,
    Col::UserIdentityAccessKeyId,
    Col::ActorBuildUuid,
    Col::ProjectName,
    Col::BuildUuid,
];
/// Ids that hardly repeat: a dictionary is given up after a page of it. They are PLAIN, though
/// `DELTA_LENGTH_BYTE_ARRAY` would take 6 % fewer bytes: Spark 3.4 and 3.5 read other rows' ids from it without
/// a word (SPARK-52240), and fastparquet refuses it.
const IDS: [Col; 4] = [Col::EventId, Col::RequestId, Col::SharedEventId, Col::BuildUuid];
/// Other texts that are mostly random digits, and may repeat.
const RANDOM: [Col; 3] = [Col::BuildId, Col::BuildArn, Col::SourceVersion];
/// Numbers that hardly repeat. They are PLAIN, though `DELTA_BINARY_PACKED` would take 0.4 % fewer bytes of a
/// part file: fastparquet 2024.11 reads other times from it without a word.
const NUMBERS: [Col; 2] = [Col::EventTime, Col::SourceRecord];
/// Texts that do not repeat and are long: pages of 2 MB let zstd see more of them at once. Pages of 1 MB
/// have 3 % more bytes, those of 4 MB 2 % less but a third more time.
const BODIES: [Col; 2] = [Col::RequestParameters, Col::ResponseElements];
const BODY_PAGE: usize = 2 << 20;
/// A buildspec repeats and is long: its dictionary may grow to this.
const BUILDSPECS: usize = 4 << 20;

/// Rows from which a part file has bloom filters: one row group of fewer is read as fast as asked.
const FILTERED_ROWS: usize = 16_384;

/// Rows below which a part file is written for its size alone: what is said of each of 185 columns is
/// most of it. No dictionaries, and statistics only of [`PRUNING`]. 100 builds of 2.2 KB: 67 KB
/// without all that, 57 KB with it, of which 19 KB footer, 3 KB page index, 6 KB page headers, 29 KB
/// rows; most of them are texts that no other row has. zstd level 9 would save 2 KB more and cost a run
/// over many small partitions a tenth of its time.
const SMALL_ROWS: usize = 1024;

/// What a part file that was written is like.
#[derive(Debug)]
pub(crate) struct PartMetadata {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Of its bytes, in hexadecimal digits.
    pub(crate) sha256: String,
    /// The first and last event time, in milliseconds since 1970; none where no row has one.
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

type ArrowFileWriter = ArrowWriter<Hashing<BufWriter<File>>>;

/// Writes one part file, rows in their order.
pub(crate) struct PartWriter {
    writer: ArrowFileWriter,
    /// What errors call the file.
    name: PathBuf,
    written: PartMetadata,
}

impl std::fmt::Debug for PartWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartWriter").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartWriter {
    /// Writes to `file`, called `name`. About `rows` are to come.
    pub(crate) fn new(file: &File, name: PathBuf, rows: usize) -> Result<Self> {
        let options = ArrowWriterOptions::new()
            .with_properties(properties(rows))
            // The Parquet types say it all, and the embedded schema costs 20 KB a file.
            .with_skip_arrow_metadata(true);
        let file = file.try_clone().map_err(Error::io("write", &name))?;
        let output = Hashing::new(BufWriter::with_capacity(1 << 20, file));
        let writer =
            ArrowWriter::try_new_with_options(output, schema(), options).map_err(failed(&name))?;
        let written =
            PartMetadata { rows: 0, bytes: 0, sha256: String::new(), from: None, to: None };
        Ok(Self { writer, name, written })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.note(batch)?;
        self.writer.write(batch).map_err(failed(&self.name))?;
        if self.writer.in_progress_size() >= ROW_GROUP_BYTES {
            self.writer.flush().map_err(failed(&self.name))?;
        }
        Ok(())
    }

    fn note(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys = Keys::new(batch)?;
        self.written.rows += batch.num_rows() as u64;
        let mut times = (0..batch.num_rows()).filter_map(|row| keys.time(row));
        if let Some(first) = times.next() {
            self.written.from.get_or_insert(first);
            self.written.to = self.written.to.max(times.next_back().or(Some(first)));
        }
        Ok(())
    }

    /// Bytes so far, about.
    pub(crate) fn bytes(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    /// Ends the file, and waits until the disk has it.
    pub(crate) fn finish(self) -> Result<PartMetadata> {
        let output = self.writer.into_inner().map_err(failed(&self.name))?;
        let Hashing { mut inner, hash, bytes } = output;
        inner
            .flush()
            .and_then(|()| inner.get_ref().sync_all())
            .map_err(Error::io("write", &self.name))?;
        Ok(PartMetadata { bytes, sha256: hex(&hash.finalize()), ..self.written })
    }
}

fn failed(name: &std::path::Path) -> impl Fn(ParquetError) -> Error {
    let path = name.to_owned();
    move |cause| Error::Parquet { action: "write", path: path.clone(), cause }
}

/// Hashes what passes through.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn zstd(level: i32) -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default())
}

/// How a part of about `rows` is written.
fn properties(rows: usize) -> WriterProperties {
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
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("buildtrail ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(zstd(ZSTD_LEVEL))
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
    properties = encodings(properties);
    if rows < SMALL_ROWS {
        properties = properties
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None);
    }
    for col in PRUNING {
        let path = ColumnPath::from(col.name());
        properties = properties.set_column_statistics_enabled(path, EnabledStatistics::Page);
    }
    if rows >= FILTERED_ROWS {
        for col in FILTERED {
            // As many as a row group could have; what is not used is folded away.
            properties = properties
                .set_column_bloom_filter_enabled(ColumnPath::from(col.name()), true)
                .set_column_bloom_filter_fpp(ColumnPath::from(col.name()), 0.01)
                .set_column_bloom_filter_max_ndv(
                    ColumnPath::from(col.name()),
                    ROW_GROUP_ROWS as u64,
                );
        }
    }
    properties.build()
}

/// The encodings of columns whose nature is known. All are PLAIN, dictionary or RLE: the ones that every
/// reader of the last years reads right (`tests/engines/versions.py` asks them).
fn encodings(mut properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    for path in IDS.iter().chain(&NUMBERS).map(|col| ColumnPath::from(col.name())) {
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::PLAIN);
    }
    for path in IDS.iter().chain(&NUMBERS).chain(&RANDOM).map(|col| ColumnPath::from(col.name())) {
        properties = properties.set_column_compression(path, zstd(RANDOM_LEVEL));
    }
    for path in BODIES.map(|col| ColumnPath::from(col.name())) {
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_data_page_size_limit(path, BODY_PAGE);
    }
    let buildspec = ColumnPath::from(Col::SourceBuildspec.name());
    properties.set_column_dictionary_page_size_limit(buildspec, BUILDSPECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_compressed_as_their_nature_asks() {
        let properties = properties(ROW_GROUP_ROWS);
        for (col, level, page) in [
            (Col::EventId, 1, 1 << 20),
            (Col::BuildArn, 1, 1 << 20),
            (Col::EventName, 3, 1 << 20),
            (Col::ResponseElements, 3, 2 << 20),
        ] {
            let path = ColumnPath::from(col.name());
            assert_eq!(properties.compression(&path), zstd(level), "{path}");
            assert_eq!(properties.column_data_page_size_limit(&path), page, "{path}");
        }
    }

    #[test]
    fn what_passes_is_hashed() {
        let mut hashing = Hashing::new(Vec::new());
        hashing.write_all(b"ab").unwrap();
        hashing.write_all(b"c").unwrap();
        assert_eq!((hashing.bytes, hashing.inner), (3, b"abc".to_vec()));
        assert!(hex(&hashing.hash.finalize()).starts_with("ba7816bf8f01cfea"));
    }
}
