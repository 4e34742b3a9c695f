//! From a URL to the service that answers it.

use dacapo_core::plan::{Plan, Route};
use dacapo_core::{RequestHead, ServiceId};
use memchr::{memchr, memchr3, memrchr};

/// No service has a route for this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMiss {
    /// The URL that was asked for.
    pub url: String,
}

impl std::fmt::Display for RouteMiss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no service has a route for {}", self.url)
    }
}

impl std::error::Error for RouteMiss {}

/// The parts of an absolute URL that routing looks at.
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
}

fn parts(url: &str) -> Option<Parts<'_>> {
    let (scheme, host, tail) = split(url)?;
    let path_end = tail.find(['?', '#']).unwrap_or(tail.len());
    let path = if path_end == 0 { "/" } else { &tail[..path_end] };
    Some(Parts { scheme, host, path })
}

/// Scheme, host, and everything from the path on. Each call of a guest passes here, so it looks for
/// many bytes at once.
#[inline(always)]
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = match url.strip_prefix("https://") {
        Some(rest) => ("https", rest),
        None => {
            let (scheme, rest) = url.split_at(memchr(b':', url.as_bytes())?);
            (scheme, rest.strip_prefix("://")?)
        }
    };
    let end = memchr3(b'/', b'?', b'#', rest.as_bytes()).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    // Hardly any URL has an @, and a long text is searched quicker than a short one.
    let has_user = memchr(b'@', rest.as_bytes()).is_some_and(|at| at < end);
    let host_start = if has_user { memrchr(b'@', authority.as_bytes()).map_or(0, |at| at + 1) } else { 0 };
    Some((scheme, &authority[host_start..], tail))
}

/// The host of an absolute URL, with its port if it names one.
#[inline]
pub fn host_of(url: &str) -> Option<&str> {
    split(url).map(|(_, host, _)| host).filter(|host| !host.is_empty())
}

/// An absolute URL up to its path.
pub(crate) fn origin_of(url: &str) -> Option<&str> {
    split(url).map(|(_, _, tail)| &url[..url.len() - tail.len()])
}

/// How well a route fits: an exact host before a wildcard, then the longer path. `None`: not at all.
fn fit(route: &Route, url: &Parts<'_>) -> Option<(usize, usize, bool)> {
    if route.scheme.as_deref().is_some_and(|scheme| scheme != url.scheme) {
        return None;
    }
    let host_fit = if route.host == "*" {
        0
    } else if let Some(suffix) = route.host.strip_prefix('*') {
        url.host.ends_with(suffix).then_some(suffix.len())?
    } else {
        (route.host == url.host).then_some(usize::MAX)?
    };
    let path_fits = if route.is_prefix { url.path.starts_with(&route.path) } else { url.path == route.path };
    path_fits.then_some((host_fit, route.path.len(), !route.is_prefix))
}

/// The service whose route fits this request best.
pub fn route(plan: &Plan, head: &RequestHead) -> Result<ServiceId, RouteMiss> {
    let miss = || RouteMiss { url: head.url.to_string() };
    let url = parts(&head.url).ok_or_else(miss)?;
    let routes = plan.services.iter().enumerate().flat_map(|(id, s)| s.routes.iter().map(move |r| (id, r)));
    routes
        .filter_map(|(id, route)| Some((fit(route, &url)?, id)))
        .max_by_key(|(fit, _)| *fit)
        .map(|(_, id)| ServiceId(id as u32))
        .ok_or_else(miss)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dacapo_core::plan::Service;

    fn plan(routes: &[(&str, &str, &str, bool)]) -> Plan {
        let mut plan = Plan::default();
        for (name, host, path, is_prefix) in routes {
            let route =
                Route { scheme: None, host: (*host).into(), path: (*path).into(), is_prefix: *is_prefix };
            plan.services.push(Service { name: (*name).into(), routes: vec![route], ..Service::default() });
        }
        plan
    }

    fn routed(plan: &Plan, url: &str) -> String {
        let head = RequestHead {
            method: http::Method::GET,
            url: url.into(),
            headers: dacapo_core::Headers::default(),
        };
        route(plan, &head).map_or_else(|miss| miss.to_string(), |id| plan.service(id).name.clone())
    }

    #[test]
    fn the_most_specific_route_wins() {
        let plan = plan(&[
            ("any", "*", "/", true),
            ("sub", "*.shop.example", "/", true),
            ("shop", "shop.example", "/", true),
            ("cart", "shop.example", "/cart/", true),
            ("health", "shop.example", "/cart/health", false),
        ]);
        assert_eq!(routed(&plan, "https://shop.example"), "shop");
        assert_eq!(routed(&plan, "https://shop.example/cart/1?x=/"), "cart");
        assert_eq!(routed(&plan, "https://shop.example/cart/health"), "health");
        assert_eq!(routed(&plan, "https://user@a.shop.example/"), "sub");
        assert_eq!(routed(&plan, "http://elsewhere.example:81/"), "any");
    }

    #[test]
    fn what_no_route_names_is_not_reached() {
        let plan = plan(&[("shop", "shop.example", "/api/", true)]);
        assert_eq!(
            routed(&plan, "https://shop.example/"),
            "no service has a route for https://shop.example/"
        );
        assert_eq!(routed(&plan, "nonsense"), "no service has a route for nonsense");
        assert_eq!(
            routed(&plan, "https://evil.example/?shop.example/api/"),
            "no service has a route for https://evil.example/?shop.example/api/"
        );
    }
}
