//! The feed: numbered frames of the embedded server, which are taken for trades.

use std::convert::Infallible;

use onesocket_leptos::{
    onesocket::{
        ManagerConfig, Payload,
        codec::{Codec, DecodeError, EncodeError},
    },
    prelude::*,
};

/// A trade, made up of its number: every tab makes up the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trade {
    /// Which one of its socket it is, from 0.
    pub(crate) number: u64,
    /// Which row of the table.
    pub(crate) row: usize,
    pub(crate) cents: i64,
    pub(crate) volume: u64,
}

/// What is sent: a feed is only read.
pub(crate) type Nothing = Infallible;

/// Connects to a feed of so many trades a second.
pub(crate) fn config(rate: u32) -> ClientBuilder<Nothing, Trade> {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.document_element());
    let script = root.and_then(|root| root.get_attribute("data-worker"));
    let worker = ManagerConfig::default();
    Client::builder(format!("/feed?rate={rate}&size=16"), Trades).worker(match script {
        // Trunk and the repository's own build name it differently.
        Some(script) => worker.script(script),
        None => worker,
    })
}

#[derive(Debug)]
struct Trades;

impl Codec<Nothing, Trade> for Trades {
    fn encode(&self, nothing: &Nothing) -> Result<Payload, EncodeError> {
        match *nothing {}
    }

    fn decode(&self, payload: &Payload) -> Result<Trade, DecodeError> {
        let number = payload.bytes().first_chunk().copied();
        let number = number.ok_or_else(|| DecodeError::invalid("too short for a number"))?;
        Ok(trade(u64::from_le_bytes(number)))
    }
}

fn trade(number: u64) -> Trade {
    let random = mix(number);
    let row = (random % SYMBOLS.len() as u64) as usize;
    let (time, place) = (number as f64 / 5_000.0, row as f64);
    let tide = 0.03 * (0.05 * time + place).sin();
    let wave = 0.006 * ((0.4 + 0.07 * place) * time + 2.0 * place).sin();
    let jitter = (random >> 16) % 9;
    Trade {
        number,
        row,
        cents: (opened(row) as f64 * (1.0 + tide + wave)) as i64 + jitter as i64 - 4,
        volume: (random >> 32) % 500 + 1,
    }
}

/// What a row's price was before the first trade, in cents.
pub(crate) fn opened(row: usize) -> i64 {
    4_000 + 1_700 * row as i64 % 9_100
}

/// Spreads neighbouring numbers: the end of [SplitMix64](https://prng.di.unimi.it/splitmix64.c).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

pub(crate) const SYMBOLS: [&str; 24] = [
    "ALDER", "ASPEN", "BEECH", "BIRCH", "BOX", "CEDAR", "CHERRY", "ELDER", "ELM", "FIR", "HAZEL",
    "HOLLY", "IVY", "LARCH", "LIME", "MAPLE", "OAK", "PEAR", "PINE", "PLANE", "POPLAR", "ROWAN",
    "SPRUCE", "YEW",
];
