//! Which tabs share a socket.
