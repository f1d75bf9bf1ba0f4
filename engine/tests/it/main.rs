//! The engine and its tabs in a simulated world.

mod sim;

mod auth;
mod buffered;
mod builds;
mod closing;
mod delivery;
mod gathering;
mod greetings;
mod heartbeat;
mod inspect;
mod lag;
mod latest;
mod network;
mod pace;
mod packed;
mod parcel;
mod ports;
mod queue;
mod random;
mod reconnect;
mod replay;
mod sharing;
mod stopping;
mod supervision;
mod transcode;
mod withhold;
mod workers;
