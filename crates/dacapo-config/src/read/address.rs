//! Routes and hosts, in the form in which URLs of requests will meet them.

use dacapo_core::plan::Route;
use url::{Host, Url};

/// Reads `https://shop.example/*`. The error says what is wrong, to follow "this is not a route:".
pub(crate) fn route(text: &str) -> Result<Route, String> {
    no_blanks(text)?;
    let (scheme, rest) = match text.split_once("://") {
        Some(("*", rest)) => (None, rest),
        Some((scheme, rest)) => match scheme.to_ascii_lowercase() {
            scheme if scheme == "http" || scheme == "https" => (Some(scheme), rest),
            _ => return Err(format!("its scheme is {scheme:?}, and not http, https or *")),
        },
        None => (None, text),
    };
    if rest.contains(['?', '#']) {
        return Err("it has a `?` or a `#`, and a route ends with the path".into());
    }
    let Some(slash) = rest.find('/') else {
        return Err(format!(
            "it has no path: end it with /* for every path, as in \"{text}/*\", or with / for this one"
        ));
    };
    let (host, path) = rest.split_at(slash);
    let (path, is_prefix) = match path.strip_suffix('*') {
        Some(path) => (path, true),
        None => (path, false),
    };
    if path.contains('*') {
        return Err("it has a `*` in the middle of the path, and `*` stands for the end of one".into());
    }
    let host = if host == "*" { "*".to_owned() } else { host_of(host, scheme.as_deref())? };
    if is_internal(&host) {
        return Err("hosts under .internal are for calls between services, and need no route".into());
    }
    Ok(Route { scheme, host, path: path_of(path)?, is_prefix })
}

/// Reads `api.example.com`, `*.example.com` or `localhost:8080`. The error follows "this is not a host:".
pub(crate) fn host(text: &str, may_be_wildcard: bool) -> Result<String, String> {
    no_blanks(text)?;
    if text.contains("://") {
        return Err("it has a scheme: a host stands alone, as in \"api.example.com\"".into());
    }
    if text.contains('/') {
        return Err("it has a path: a host stands alone, as in \"api.example.com\"".into());
    }
    if text == "*" {
        return Err(
            "a right to call every host is none: name the hosts, or all under one with *.example.com".into(),
        );
    }
    if !may_be_wildcard && text.starts_with('*') {
        return Err("a stub stands in for one host, and not for a `*`".into());
    }
    let host = host_of(text, None)?;
    if is_internal(&host) {
        return Err(
            "hosts under .internal are services: grant the call with  calls = { NAME = \"service\" }".into(),
        );
    }
    Ok(host)
}

fn no_blanks(text: &str) -> Result<(), String> {
    match text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        Some(_) => Err("it has a blank in it".into()),
        None => Ok(()),
    }
}

fn is_internal(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "internal" || name.ends_with(".internal")
}

/// A host with an optional `*.` in front and an optional port, as `Url` would write it.
fn host_of(text: &str, scheme: Option<&str>) -> Result<String, String> {
    if text.contains('@') {
        return Err("it has a user name, which no route or host looks at".into());
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let (star, name) = match name.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", name),
    };
    if name.contains('*') {
        return Err("a `*` stands for whole names at the start of a host, as in *.example.com".into());
    }
    if name.is_empty() {
        return Err("it has no host".into());
    }
    if name.ends_with('.') {
        return Err("its host ends with a dot, which requests leave out".into());
    }
    let host = Host::parse(name).map_err(|e| format!("its host {name:?} is not one ({e})"))?;
    match &host {
        Host::Domain(domain)
            if domain.len() > 253 || domain.split('.').any(|l| l.is_empty() || l.len() > 63) =>
        {
            return Err(format!("its host {name:?} is not one (a part is empty or too long)"));
        }
        Host::Ipv4(_) | Host::Ipv6(_) if !star.is_empty() => {
            return Err("an address has no names under it".into());
        }
        _ => {}
    }
    let default_port = match scheme {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    };
    match port.map(str::parse::<u16>) {
        None => Ok(format!("{star}{host}")),
        Some(Ok(port)) if port > 0 && Some(port) == default_port => Ok(format!("{star}{host}")),
        Some(Ok(port)) if port > 0 => Ok(format!("{star}{host}:{port}")),
        Some(_) => Err("its port is not a number from 1 to 65535".into()),
    }
}

/// A path as `Url` would write it, so that it meets the paths of requests.
fn path_of(path: &str) -> Result<String, String> {
    let mut url = Url::parse("http://host.example").map_err(|e| e.to_string())?;
    url.set_path(path);
    let normal = url.path().to_owned();
    let is_dotted = |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if path.split(['/', '\\']).any(is_dotted) || path.contains('\\') {
        return Err(format!("its path has a `.`, `..` or `\\` part; requests come with {normal:?}"));
    }
    Ok(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match route(text) {
            Ok(r) => format!(
                "{} {} {}{}",
                r.scheme.as_deref().unwrap_or("*"),
                r.host,
                r.path,
                if r.is_prefix { "*" } else { "" }
            ),
            Err(why) => format!("error: {why}"),
        }
    }

    #[test]
    fn routes_are_read_as_requests_will_meet_them() {
        assert_eq!(shown("https://Shop.Example:443/*"), "https shop.example /*");
        assert_eq!(shown("*://*.shop.example/api*"), "* *.shop.example /api*");
        assert_eq!(shown("shop.example:8080/"), "* shop.example:8080 /");
        assert_eq!(shown("*/*"), "* * /*");
        assert_eq!(shown("https://bücher.example/käse/*"), "https xn--bcher-kva.example /k%C3%A4se/*");
        assert_eq!(shown("http://[::1]:80/x"), "http [::1] /x");
    }

    #[test]
    fn what_is_not_a_route_is_told_why() {
        let errors = [
            "https://shop.example",
            "ftp://a/*",
            "https://a.internal/*",
            "https://a*b.example/*",
            "https://a.example/*/b",
            "https://a.example/?x",
            "https:///x",
            "https://a b/",
            "https://a:0/",
            "https://u@a/",
            "https://a../",
            "https://a/../b",
            "",
            "/",
            "https://*.1.2.3.4/",
        ];
        insta::assert_snapshot!(errors.map(|e| format!("{e:<24} {}", shown(e))).join("\n"), @r#"
        https://shop.example     error: it has no path: end it with /* for every path, as in "https://shop.example/*", or with / for this one
        ftp://a/*                error: its scheme is "ftp", and not http, https or *
        https://a.internal/*     error: hosts under .internal are for calls between services, and need no route
        https://a*b.example/*    error: a `*` stands for whole names at the start of a host, as in *.example.com
        https://a.example/*/b    error: it has a `*` in the middle of the path, and `*` stands for the end of one
        https://a.example/?x     error: it has a `?` or a `#`, and a route ends with the path
        https:///x               error: it has no host
        https://a b/             error: it has a blank in it
        https://a:0/             error: its port is not a number from 1 to 65535
        https://u@a/             error: it has a user name, which no route or host looks at
        https://a../             error: its host ends with a dot, which requests leave out
        https://a/../b           error: its path has a `.`, `..` or `\` part; requests come with "/b"
                                 error: it has no path: end it with /* for every path, as in "/*", or with / for this one
        /                        error: it has no host
        https://*.1.2.3.4/       error: an address has no names under it
        "#);
    }

    #[test]
    fn hosts_stand_alone() {
        assert_eq!(host("API.example.com", true), Ok("api.example.com".into()));
        assert_eq!(host("localhost:8080", true), Ok("localhost:8080".into()));
        assert_eq!(host("*.example.com", true), Ok("*.example.com".into()));
        for text in ["*.example.com", "*", "https://a", "a/b", "x.internal", "X.Internal:80", "", "a:b"] {
            assert!(host(text, false).is_err(), "{text}");
        }
    }
}
