//! From the client library's errors to the door's.

use std::error::Error;
use std::io;

use dacapo_core::NetError;
use hyper_util::client::legacy;

use crate::body::ReadError;
use crate::mail::text;

/// Why there is no response from `host`.
pub(super) fn of(error: &legacy::Error, host: &str) -> NetError {
    let chain = || chain(error);
    if let Some(tls) = chain().find_map(|e| e.downcast_ref::<rustls::Error>()) {
        return NetError::Broken(text(format_args!("TLS with {host}: {tls}")));
    }
    for cause in chain() {
        if let Some(io) = cause.downcast_ref::<io::Error>()
            && let Some(known) = of_io(io.kind())
        {
            return known;
        }
        if cause.downcast_ref::<hyper::Error>().is_some_and(|e| e.is_incomplete_message() || e.is_canceled())
        {
            return NetError::Reset;
        }
    }
    // The connector's own error type cannot be named; its text is stable and says "dns error".
    let words = chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if error.is_connect() && words.contains("dns error") {
        return NetError::Unknown(text(format_args!("the name {host} does not resolve: {words}")));
    }
    NetError::Broken(text(format_args!("{host}: {words}")))
}

/// Why a small body is not there. A longer one breaks later, in its chunks.
pub(super) fn of_body(error: &ReadError) -> NetError {
    match error {
        ReadError::Stalled(_) => NetError::TimedOut,
        ReadError::Broken(_) => NetError::Reset,
        ReadError::TooLong => NetError::Broken(text(error)),
    }
}

fn of_io(kind: io::ErrorKind) -> Option<NetError> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some(NetError::Refused),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(NetError::Reset),
        io::ErrorKind::TimedOut => Some(NetError::TimedOut),
        _ => None,
    }
}

/// An error and what is behind it. An `io::Error` hides what it wraps from `source`.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |e: &&'a (dyn Error + 'static)| {
        match e.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => (**e).source(),
        }
    })
}
