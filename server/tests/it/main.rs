//! The real server over real sockets, with a client that shares no code with it.

mod chat;
mod endpoints;
mod faults;
mod lifecycle;
mod site;
mod sockets_under_fault;
mod support;
