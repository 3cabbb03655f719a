//! What a log file's bytes are made of, piece by piece.

/// What an envelope gives, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'p> {
    /// The bytes of a record.
    Record(&'p [u8]),
    /// The same, of a whole one in UTF-8 that is another service's without doubt.
    Other(&'p [u8]),
    /// Where a record was expected there is none, and why.
    Bad(&'p [u8], String),
    /// The bytes of a record that breaks off at the end of the file.
    Cut(&'p [u8]),
    /// The file cannot be followed from these bytes on, or is no log file.
    Broken(&'p [u8], String),
    /// An event or message that is not CloudTrail's.
    Foreign,
    /// The file is a digest: it signs log files and holds no records.
    Digest,
    /// The file is CloudTrail's own test of a bucket: it holds no records.
    Test,
}

/// Who is given the pieces.
pub(crate) type Sink<'e> = &'e mut dyn FnMut(Piece<'_>);
