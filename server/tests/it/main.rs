//! The real server over real sockets.

mod auth;
mod chat;
mod endpoints;
mod faults;
mod lifecycle;
mod site;
mod sockets_under_fault;
mod support;
