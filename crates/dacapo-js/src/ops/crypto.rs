//! Random numbers and digests.

use sha2::Digest as _;

use super::{Args, Return, Scope, bytes_of, text, throw_type_error, uint8_array, v8_string};
use crate::instance::guest;

pub(super) fn random(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    fill(args.get(0), |bytes| {
        guest::with(|guest| guest.crypto.fill(bytes));
    });
}

/// Fills a `Float64Array` with numbers from 0 to 1, as `Math.random` gives them.
pub(super) fn random_numbers(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    fill(args.get(0), |bytes| {
        guest::with(|guest| {
            for number in bytes.chunks_exact_mut(8) {
                let unit = (guest.math.u64() >> 11) as f64 / (1u64 << 53) as f64;
                number.copy_from_slice(&unit.to_le_bytes());
            }
        });
    });
}

/// Lets `make` write the bytes of a view.
fn fill(value: v8::Local<'_, v8::Value>, make: impl FnOnce(&mut [u8])) {
    let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(value) else { return };
    let (offset, length) = (view.byte_offset(), view.byte_length());
    let Some(store) = view.get_backing_store() else { return };
    let mut bytes = vec![0; length];
    make(&mut bytes);
    if let Some(cells) = store.get(offset..offset + length) {
        cells.iter().zip(bytes).for_each(|(cell, byte)| cell.set(byte));
    }
}

pub(super) fn uuid(scope: Scope<'_, '_, '_>, _: Args<'_>, mut result: Return<'_>) {
    let mut bytes = [0; 16];
    guest::with(|guest| guest.crypto.fill(&mut bytes));
    // RFC 9562: version 4, variant 10.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let text = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    result.set(v8_string(scope, &text).into());
}

pub(super) fn digest(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let name = text(scope, &args, 0);
    let bytes = bytes_of(args.get(1)).unwrap_or_default();
    let digest = match &*name {
        "SHA-1" => sha1::Sha1::digest(&bytes).to_vec(),
        "SHA-256" => sha2::Sha256::digest(&bytes).to_vec(),
        "SHA-384" => sha2::Sha384::digest(&bytes).to_vec(),
        "SHA-512" => sha2::Sha512::digest(&bytes).to_vec(),
        _ => return throw_type_error(scope, &format!("{name:?} is not a known digest")),
    };
    result.set(uint8_array(scope, digest).into());
}
