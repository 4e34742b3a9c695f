//! UTF-8, and the decoders of the Encoding standard.

use encoding_rs::{CoderResult, DecoderResult, Encoding};

use super::{Args, Return, Scope, bytes_of, id, text, uint8_array, v8_string};
use crate::instance::guest::{self, Decoding};

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

pub(super) fn decoder_new(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let label = text(scope, &args, 0);
    let Some(encoding) = Encoding::for_label_no_replacement(label.as_bytes()) else {
        return result.set_null();
    };
    let is_fatal = args.get(1).is_true();
    let keeps_bom = args.get(2).is_true();
    let decoding = Decoding { encoding, is_fatal, keeps_bom, decoder: None };
    let Some(id) = guest::with(|guest| {
        guest.decoder_last += 1;
        guest.decoders.insert(guest.decoder_last, decoding);
        guest.decoder_last
    }) else {
        return result.set_null();
    };
    let name = v8_string(scope, &encoding.name().to_ascii_lowercase());
    let pair = [v8::Number::new(scope, id as f64).into(), name.into()];
    result.set(v8::Array::new_with_elements(scope, &pair).into());
}

pub(super) fn decode(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let bytes = bytes_of(args.get(1)).unwrap_or_default();
    let goes_on = args.get(2).is_true();
    let text = guest::with(|guest| decode_with(guest.decoders.get_mut(&id(&args, 0))?, &bytes, goes_on));
    match text.flatten() {
        Some(text) => result.set(v8_string(scope, &text).into()),
        None => result.set_null(),
    }
}

fn decode_with(decoding: &mut Decoding, bytes: &[u8], goes_on: bool) -> Option<String> {
    let mut decoder = decoding.decoder.take().unwrap_or_else(|| {
        if decoding.keeps_bom {
            decoding.encoding.new_decoder_without_bom_handling()
        } else {
            decoding.encoding.new_decoder_with_bom_removal()
        }
    });
    let mut text = String::new();
    if decoding.is_fatal {
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
    if goes_on {
        decoding.decoder = Some(decoder);
    }
    Some(text)
}
