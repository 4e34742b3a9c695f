//! Short, harmless pieces of bodies and texts.

/// How many characters of a body a line shows.
const CHARS_MAX: usize = 60;
/// How many bytes, if they are no text.
const BYTES_MAX: usize = 16;

/// The text with its control characters written out: what a guest logs must not move the cursor.
pub(crate) fn clean(text: &str) -> String {
    let is_harmful =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// The start of a text.
pub(crate) fn text(text: &str) -> String {
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", clean(&text[..end])),
        None => clean(text),
    }
}

/// The start of a body: as text if it is one, else in hexadecimal.
pub(crate) fn body(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(CHARS_MAX * 4)];
    let is_whole = head.len() == bytes.len();
    let readable = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        // The cut may have gone through a character.
        Err(e) if !is_whole && e.error_len().is_none() => std::str::from_utf8(&head[..e.valid_up_to()]).ok(),
        Err(_) => None,
    };
    match readable {
        Some(readable) if !readable.contains('\0') => text(readable),
        _ => {
            let hex =
                bytes.iter().take(BYTES_MAX).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            if bytes.len() > BYTES_MAX { format!("{hex} …") } else { hex }
        }
    }
}

/// A length: `52 B`, `1.5 KiB`.
pub(crate) fn length(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
