//! The engine and its tabs in a simulated world.

mod sim;

mod random;
mod sharing;
