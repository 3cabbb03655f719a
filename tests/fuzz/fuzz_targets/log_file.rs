//! The bytes of a log file, of any form, to rows.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|stored: &[u8]| {
    buildtrail::convert::fuzzing::log_file(stored);
});
