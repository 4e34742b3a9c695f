//! Certificates, keys and the two TLS configurations.
//!
//! Cryptography is `ring`: it builds with a C compiler alone. Trust begins with the roots that
//! browsers agree on, compiled in, so that a service calls the same hosts from every machine and
//! from an empty container; a company's own authority is added by an option.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::HostError;

/// A certificate chain and its private key, as PEM texts.
#[derive(Clone)]
pub struct TlsPem {
    chain: Vec<u8>,
    chain_name: String,
    key: Vec<u8>,
    key_name: String,
}

impl std::fmt::Debug for TlsPem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TlsPem({}, {})", self.chain_name, self.key_name)
    }
}

impl TlsPem {
    /// These texts.
    pub fn new(chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> TlsPem {
        TlsPem {
            chain: chain.into(),
            chain_name: "the certificate".into(),
            key: key.into(),
            key_name: "the private key".into(),
        }
    }

    /// The texts of these files.
    pub fn from_files(chain: &Path, key: &Path) -> Result<TlsPem, HostError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|e| certificate(path.display(), format!("cannot be read: {e}")))
        };
        Ok(TlsPem {
            chain: read(chain)?,
            chain_name: chain.display().to_string(),
            key: read(key)?,
            key_name: key.display().to_string(),
        })
    }

    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, HostError> {
        let chain = certificates(&self.chain, &self.chain_name)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|e| certificate(&self.key_name, format!("holds no private key: {e}")))?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| certificate("TLS", e.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|e| {
                let why = match e {
                    rustls::Error::InconsistentKeys(_) => {
                        format!("its key is not the one in {}", self.key_name)
                    }
                    other => other.to_string(),
                };
                certificate(&self.chain_name, why)
            })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// TLS as a client: trusts the roots that browsers agree on, and these, as PEM texts.
///
/// # Errors
/// If a text holds no certificates.
pub fn client_tls(extra_roots: &[Vec<u8>]) -> Result<ClientConfig, HostError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in extra_roots {
        for root in certificates(pem, "the extra root certificate")? {
            roots.add(root).map_err(|e| certificate("the extra root certificate", e.to_string()))?;
        }
    }
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| certificate("TLS", e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn certificates(pem: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>, HostError> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| certificate(name, format!("is not PEM: {e}")))?;
    if chain.is_empty() {
        return Err(certificate(name, "holds no certificate".into()));
    }
    Ok(chain)
}

fn certificate(what: impl std::fmt::Display, why: String) -> HostError {
    HostError::Certificate { what: what.to_string(), why }
}

// Named explicitly: a process-wide default would depend on which crate asked first.
fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
