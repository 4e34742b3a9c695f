//! The absolute URL of a request, from its `Host` and target, serialised as WHATWG says.

use bytestring::ByteString;
use url::Url;

use crate::options::Scheme;

/// The URL, or `None` if host and target make none.
pub(crate) fn absolute_url(scheme: Scheme, host: &str, target: &str) -> Option<ByteString> {
    let scheme_text = scheme.as_str();
    // `OPTIONS *` is about the server as a whole (RFC 9110, 7.1).
    let target = if target == "*" { "/" } else { target };
    let text = format!("{scheme_text}://{host}{target}");
    if is_plain_host(scheme, host) && is_plain_target(target) {
        return Some(text.into());
    }
    let is_authority = !host.is_empty() && !host.bytes().any(|b| b"/\\?#@".contains(&b) || b <= b' ');
    if !is_authority || !target.starts_with(['/', '?']) {
        return None;
    }
    let mut url = Url::parse(&text).ok()?;
    url.set_fragment(None);
    Some(String::from(url).into())
}

/// Whether parsing would leave this host as it is. Only for speed; when in doubt, no.
fn is_plain_host(scheme: Scheme, host: &str) -> bool {
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let default_port = match scheme {
        Scheme::Http => "80",
        Scheme::Https => "443",
    };
    let port_is_plain = port.is_none_or(|p| {
        p != default_port && !p.starts_with('0') && p.parse::<u16>().is_ok() && !p.starts_with('+')
    });
    // A last label with a digit may be an IPv4 address in one of its forms, `xn--` needs checking.
    let last_label_is_word =
        name.rsplit('.').next().is_some_and(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_lowercase()));
    let is_plain_name = last_label_is_word
        && !name.starts_with('.')
        && !name.contains("..")
        && !name.contains("xn--")
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
    port_is_plain && (is_plain_name || is_plain_ipv4(name))
}

fn is_plain_ipv4(name: &str) -> bool {
    // Rust's parser takes exactly the form that WHATWG prints: four decimals, no leading zeros.
    name.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Whether parsing would leave this path and query as they are. Only for speed.
fn is_plain_target(target: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_~/?!$&()*+,;=:@".contains(&b);
    let mut previous = 0;
    target.starts_with('/')
        && target.bytes().all(|b| {
            // A dot or a percent sign right after a slash may be a dot segment.
            let ok = is_plain(b) || (matches!(b, b'.' | b'%') && previous != b'/');
            previous = b;
            ok
        })
    // `.%2e` and `..` begin after a slash, and that has been ruled out above.
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(host: &str, target: &str) -> Option<String> {
        absolute_url(Scheme::Https, host, target).map(|url| url.to_string())
    }

    #[test]
    fn the_short_way_and_the_parser_give_the_same_url() {
        let hosts = ["shop.example", "shop.example:8443", "localhost", "127.0.0.1:80", "a-b.c1.example"];
        let targets = ["/", "/a/b.txt?x=y.z&z=%20", "/?q=a.b", "/a%2fb", "/x..y/z", "/:a@b"];
        for (host, target) in hosts.iter().flat_map(|h| targets.iter().map(move |t| (h, t))) {
            assert!(is_plain_host(Scheme::Https, host) && is_plain_target(target), "{host}{target}");
            let parsed = String::from(Url::parse(&format!("https://{host}{target}")).unwrap());
            assert_eq!(both(host, target), Some(parsed));
        }
    }

    #[test]
    fn unusual_forms_are_made_usual() {
        assert_eq!(both("Shop.EXAMPLE:443", "/a/../b").as_deref(), Some("https://shop.example/b"));
        assert_eq!(both("shop.example", "/%2e%2E/x").as_deref(), Some("https://shop.example/x"));
        assert_eq!(both("0x7f.1", "/").as_deref(), Some("https://127.0.0.1/"));
        assert_eq!(both("[::1]:8080", "/a'b|").as_deref(), Some("https://[::1]:8080/a'b|"));
        assert_eq!(both("shop.example", "*").as_deref(), Some("https://shop.example/"));
    }

    #[test]
    fn what_is_no_host_makes_no_url() {
        for host in ["", "a/b", "user@host", "a b", "host:99999", "a?b", "a#b", "a\\b", "[::1"] {
            assert_eq!(both(host, "/"), None, "{host:?}");
        }
        assert_eq!(both("shop.example", "x"), None);
    }
}
