//! Why the host world cannot start. What goes wrong later is an event, not an error.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The host world cannot start.
#[derive(Debug, Error)]
pub enum HostError {
    /// Another program listens there already.
    #[error("{addr} is in use by another program")]
    PortInUse {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The user may not listen there.
    #[error("no right to listen on {addr}")]
    NoRight {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The address is not one of this machine.
    #[error("{addr} is not an address of this machine")]
    ForeignAddress {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// Listening failed in another way.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// A certificate or key cannot be used.
    #[error("{what}: {why}")]
    Certificate {
        /// The file, or another name for it.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// There must be at least one loop.
    #[error("a host needs at least one loop")]
    NoLoops,
    /// The operating system refuses what a loop is made of.
    #[error("cannot start a loop: {source}")]
    Loop {
        /// What the operating system says.
        source: io::Error,
    },
    /// Another process keeps its objects there.
    #[error("{folder} is in use by another process")]
    StoreInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder for objects cannot be used.
    #[error("cannot keep objects in {folder}: {source}")]
    Store {
        /// The folder.
        folder: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {why}")]
    Entropy {
        /// What it says.
        why: String,
    },
}

impl HostError {
    /// The next step, for people.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            HostError::PortInUse { addr } => format!(
                "end the other program (`ss -ltnp 'sport = :{0}'` names it), or listen on another port",
                addr.port()
            ),
            HostError::NoRight { addr } if addr.port() < 1024 => format!(
                "ports below 1024 are for privileged programs: use a higher port, or grant \
                 CAP_NET_BIND_SERVICE to listen on {}",
                addr.port()
            ),
            HostError::NoRight { .. } => "check the rights of this user and the machine's policy".into(),
            HostError::ForeignAddress { .. } => {
                "listen on an address of this machine, or on 0.0.0.0 or [::] for all of them".into()
            }
            HostError::Certificate { .. } => {
                "give a PEM file with the certificate chain, the server's own first, and one with its \
                 private key (PKCS#8, PKCS#1 or SEC1), unencrypted"
                    .into()
            }
            HostError::NoLoops => "use 1 loop or more; one for each core is usual".into(),
            HostError::Loop { .. } => "check the limits of this process (`ulimit -n`, `ulimit -u`)".into(),
            HostError::StoreInUse { .. } => {
                "end the other process, or give each a folder of its own: two cannot share one".into()
            }
            HostError::Store { .. } => "check that the folder can be made and written by this user".into(),
            HostError::Listen { .. } | HostError::Entropy { .. } => return None,
        })
    }

    pub(crate) fn store(folder: &Path, source: io::Error) -> HostError {
        let folder = folder.to_owned();
        match source.kind() {
            io::ErrorKind::WouldBlock => HostError::StoreInUse { folder },
            _ => HostError::Store { folder, source },
        }
    }

    pub(crate) fn listen(addr: SocketAddr, source: io::Error) -> HostError {
        match source.kind() {
            io::ErrorKind::AddrInUse => HostError::PortInUse { addr },
            io::ErrorKind::PermissionDenied => HostError::NoRight { addr },
            io::ErrorKind::AddrNotAvailable => HostError::ForeignAddress { addr },
            _ => HostError::Listen { addr, source },
        }
    }
}
