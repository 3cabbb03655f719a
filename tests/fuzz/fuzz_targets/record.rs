//! The bytes of a record to columns.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    buildtrail::convert::fuzzing::record(bytes);
});
