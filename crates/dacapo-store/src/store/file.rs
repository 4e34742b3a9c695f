//! Names of files, and reads that are whole.

use dacapo_core::{Disk, StorageError};

use super::storage;

/// The file of a segment.
pub(super) fn name(segment: u32) -> String {
    format!("{segment:08}.log")
}

/// The file that is to take the place of a segment.
pub(super) fn new_name(segment: u32) -> String {
    format!("{segment:08}.new")
}

/// The number of the segment that a file is, if it is one.
pub(super) fn number(name: &str) -> Option<u32> {
    number_before(name, ".log")
}

/// The number of the segment that a file was to take the place of, if it is one of those.
pub(super) fn new_number(name: &str) -> Option<u32> {
    number_before(name, ".new")
}

fn number_before(name: &str, suffix: &str) -> Option<u32> {
    let digits = name.strip_suffix(suffix)?;
    let is_number = digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Reads `len` bytes; `None` if the file ends before. A disk may give less than was asked for.
pub(super) fn read_exact(
    disk: &mut dyn Disk,
    file: &str,
    offset: u64,
    len: usize,
) -> Result<Option<Vec<u8>>, StorageError> {
    let mut bytes = vec![0; len];
    let mut done = 0;
    while done < len {
        match disk.read_at(file, offset + done as u64, &mut bytes[done..]).map_err(storage)? {
            0 => return Ok(None),
            n => done += n,
        }
    }
    Ok(Some(bytes))
}
