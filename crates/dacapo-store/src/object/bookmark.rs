//! Bookmarks: states of an object, by their numbers and times, as texts of which the later is the greater.

use bytestring::ByteString;
use dacapo_core::WallTime;

use super::history::State;

pub(super) fn text(State { number, time }: State) -> ByteString {
    format!("{number:016x}-{:016x}", time.0 as u64).into()
}

/// `None`: it is no bookmark.
pub(super) fn parse(text: &str) -> Option<State> {
    let (number, time) = text.split_once('-')?;
    let read = |text: &str| {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex { u64::from_str_radix(text, 16).ok() } else { None }
    };
    Some(State { number: read(number)?, time: WallTime(read(time)? as i64) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_bookmark_is_greater_and_names_its_state() {
        let early = State { number: 9, time: WallTime::SIM_START };
        let late = State { number: 10, time: WallTime(-5) };
        assert!(text(early) < text(late));
        assert_eq!([parse(&text(early)), parse(&text(late))], [Some(early), Some(late)]);
        assert_eq!([parse(""), parse("1-2"), parse(&format!("+{}", &text(early)[1..]))], [None, None, None]);
    }
}
