//! TLS with a self-signed certificate for this machine's own names, for pages that must be https.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::error::ServerError;

/// A certificate made for one server, and what accepts connections with it.
pub(crate) struct SelfSigned {
    pub(crate) acceptor: TlsAcceptor,
    /// For clients that shall trust it.
    pub(crate) certificate: CertificateDer<'static>,
}

impl SelfSigned {
    pub(crate) fn new() -> Result<Self, ServerError> {
        let names = [
            "localhost".to_owned(),
            Ipv4Addr::LOCALHOST.to_string(),
            Ipv6Addr::LOCALHOST.to_string(),
        ];
        let made = rcgen::generate_simple_self_signed(names).map_err(ServerError::Certificate)?;
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(ServerError::Tls)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .map_err(ServerError::Tls)?;
        // WebSockets over HTTP/2 are another handshake, which no client of this server needs.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
        })
    }
}
