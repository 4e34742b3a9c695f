//! Values to bytes and back: the only place that knows `bincode`, so that it can be replaced
//! together with the version of the format.

use bincode::config::{Configuration, standard};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::{Deserialize, Serialize};

/// Small numbers in few bytes, little-endian. Part of the format: a change needs a new version.
const CONFIG: Configuration = standard();

/// Appends `value` to `out`.
pub(crate) fn encode(value: &impl Serialize, out: &mut Vec<u8>) {
    struct Append<'a>(&'a mut Vec<u8>);
    impl Writer for Append<'_> {
        fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }
    bincode::serde::encode_into_writer(value, Append(out), CONFIG)
        .expect("memory takes every write, and the types of the format know all of their lengths");
}

/// Reads one value from the front of `bytes`; says how long it was.
///
/// Texts and bytes in `T` must borrow: then a length that promises more than is there is an error
/// before anything is allocated for it. (For a `String`, bincode allocates what the length says.)
pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, usize), String> {
    bincode::serde::borrow_decode_from_slice(bytes, CONFIG).map_err(|e| e.to_string())
}
