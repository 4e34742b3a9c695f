//! UTF-8, and the decoders of the Encoding standard.

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding};

use super::{Args, Return, Scope, bytes_of, id, text, uint8_array, v8_string};
use crate::instance::guest;

pub(super) fn utf8_encode(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let text = text(scope, &args, 0);
    result.set(uint8_array(scope, text.into_bytes()).into());
}

/// Writes as much as fits; `[read, written]` in UTF-16 units and bytes.
pub(super) fn utf8_encode_into(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let text = text(scope, &args, 0);
    let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(args.get(1)) else { return };
    let room = view.byte_length();
    let mut end = text.len().min(room);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (offset, read) = (view.byte_offset(), text[..end].encode_utf16().count());
    if let Some(store) = view.get_backing_store()
        && let Some(cells) = store.get(offset..offset + end)
    {
        cells.iter().zip(text.as_bytes()).for_each(|(cell, byte)| cell.set(*byte));
    }
    let pair = [v8::Number::new(scope, read as f64).into(), v8::Number::new(scope, end as f64).into()];
    result.set(v8::Array::new_with_elements(scope, &pair).into());
}

/// Everything that the number of a decoder says: the rest of it is a count that makes it unique.
/// Only while a stream is being decoded is there anything to remember.
const ENCODINGS: [&Encoding; 39] = [
    encoding_rs::UTF_8,
    encoding_rs::UTF_16LE,
    encoding_rs::UTF_16BE,
    encoding_rs::IBM866,
    encoding_rs::ISO_8859_2,
    encoding_rs::ISO_8859_3,
    encoding_rs::ISO_8859_4,
    encoding_rs::ISO_8859_5,
    encoding_rs::ISO_8859_6,
    encoding_rs::ISO_8859_7,
    encoding_rs::ISO_8859_8,
    encoding_rs::ISO_8859_8_I,
    encoding_rs::ISO_8859_10,
    encoding_rs::ISO_8859_13,
    encoding_rs::ISO_8859_14,
    encoding_rs::ISO_8859_15,
    encoding_rs::ISO_8859_16,
    encoding_rs::KOI8_R,
    encoding_rs::KOI8_U,
    encoding_rs::MACINTOSH,
    encoding_rs::WINDOWS_874,
    encoding_rs::WINDOWS_1250,
    encoding_rs::WINDOWS_1251,
    encoding_rs::WINDOWS_1252,
    encoding_rs::WINDOWS_1253,
    encoding_rs::WINDOWS_1254,
    encoding_rs::WINDOWS_1255,
    encoding_rs::WINDOWS_1256,
    encoding_rs::WINDOWS_1257,
    encoding_rs::WINDOWS_1258,
    encoding_rs::X_MAC_CYRILLIC,
    encoding_rs::GBK,
    encoding_rs::GB18030,
    encoding_rs::BIG5,
    encoding_rs::EUC_JP,
    encoding_rs::ISO_2022_JP,
    encoding_rs::SHIFT_JIS,
    encoding_rs::EUC_KR,
    encoding_rs::X_USER_DEFINED,
];

/// How many numbers differ in the count only.
const KINDS: u64 = 256;

pub(super) fn decoder_new(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let label = text(scope, &args, 0);
    let encoding = Encoding::for_label_no_replacement(label.as_bytes());
    let place = encoding.and_then(|encoding| ENCODINGS.iter().position(|known| *known == encoding));
    let (Some(encoding), Some(place)) = (encoding, place) else { return result.set_null() };
    let kind = place as u64 * 4 + u64::from(args.get(1).is_true()) * 2 + u64::from(args.get(2).is_true());
    let count = guest::with(|guest| {
        guest.decoder_last += 1;
        guest.decoder_last
    });
    let id = count.unwrap_or_default() * KINDS + kind;
    let name = v8_string(scope, &encoding.name().to_ascii_lowercase());
    let pair = [v8::Number::new(scope, id as f64).into(), name.into()];
    result.set(v8::Array::new_with_elements(scope, &pair).into());
}

pub(super) fn decode(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let id = id(&args, 0);
    let bytes = bytes_of(args.get(1)).unwrap_or_default();
    let goes_on = args.get(2).is_true();
    let begun = guest::with(|guest| guest.decoders.remove(&id)).flatten();
    let mut decoder = begun.unwrap_or_else(|| {
        let encoding = ENCODINGS.get((id % KINDS / 4) as usize).unwrap_or(&encoding_rs::UTF_8);
        if id % 2 == 1 {
            encoding.new_decoder_without_bom_handling()
        } else {
            encoding.new_decoder_with_bom_removal()
        }
    });
    match decode_with(&mut decoder, id % 4 / 2 == 1, &bytes, goes_on) {
        Some(text) => {
            if goes_on {
                guest::with(|guest| guest.decoders.insert(id, decoder));
            }
            result.set(v8_string(scope, &text).into());
        }
        None => result.set_null(),
    }
}

fn decode_with(decoder: &mut Decoder, is_fatal: bool, bytes: &[u8], goes_on: bool) -> Option<String> {
    let mut text = String::new();
    if is_fatal {
        text.reserve(decoder.max_utf8_buffer_length_without_replacement(bytes.len())?);
        match decoder.decode_to_string_without_replacement(bytes, &mut text, !goes_on) {
            (DecoderResult::InputEmpty, _) => {}
            (DecoderResult::OutputFull | DecoderResult::Malformed(..), _) => return None,
        }
    } else {
        text.reserve(decoder.max_utf8_buffer_length(bytes.len())?);
        let (end, ..) = decoder.decode_to_string(bytes, &mut text, !goes_on);
        debug_assert_eq!(end, CoderResult::InputEmpty, "the text was given room for everything");
    }
    Some(text)
}
