//! Sockets to listen on: one for each loop, bound before any loop starts so that an error is told
//! at once.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::HostError;

/// Connections that the kernel keeps for a loop that is busy.
const BACKLOG: i32 = 4096;
/// How often a free port may be lost to another program between finding and taking it.
const FREE_PORT_TRIES: u32 = 16;

/// The listening sockets of `loops` loops for one address, and the address with its port.
pub(crate) fn bind(addr: SocketAddr, loops: u32) -> Result<(SocketAddr, Vec<TcpListener>), HostError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match bind_once(addr, loops) {
            Err(HostError::PortInUse { .. }) if addr.port() == 0 && tries < FREE_PORT_TRIES => {}
            result => return result,
        }
    }
}

fn bind_once(addr: SocketAddr, loops: u32) -> Result<(SocketAddr, Vec<TcpListener>), HostError> {
    let failed = |e| HostError::listen(addr, e);
    let first = open(addr, false).map_err(failed)?;
    let bound = first.local_addr().map_err(failed)?;
    if loops == 1 {
        return Ok((bound, vec![first]));
    }
    if cfg!(any(target_os = "linux", target_os = "android")) {
        // With SO_REUSEPORT the kernel spreads connections over the loops, but it would also let a
        // second process of the same user listen here unnoticed. The exclusive socket above has
        // shown that nobody does; it makes room now.
        drop(first);
        let share = |_| open(bound, true).map_err(|e| HostError::listen(bound, e));
        return Ok((bound, (0..loops).map(share).collect::<Result<_, _>>()?));
    }
    // Elsewhere the option is missing or does not spread anything: all loops wait on one socket.
    let mut all = vec![first];
    for _ in 1..loops {
        all.push(all[0].try_clone().map_err(failed)?);
    }
    Ok((bound, all))
}

fn open(addr: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // On Windows this option means something else: to take over a port that is in use.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_reuse_port(shared)?;
    let _ = shared;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
