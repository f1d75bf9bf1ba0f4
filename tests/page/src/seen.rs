//! A codec that says how a message has reached the tab.

use onesocket::{
    Codec, Payload,
    codec::{DecodeError, EncodeError, Transcoded},
};
use serde_json::{Value, json};

use crate::quote::Quote;

/// [`Transcoded`], for quotes: the kind of the message, and the quote if it is one.
pub(crate) struct Seen;

impl Codec<Value, Value> for Seen {
    fn encode(&self, message: &Value) -> Result<Payload, EncodeError> {
        Codec::<Value, Quote>::encode(&Transcoded, message)
    }

    fn decode(&self, payload: &Payload) -> Result<Value, DecodeError> {
        let quote = Codec::<Value, Quote>::decode(&Transcoded, payload).ok();
        Ok(json!({ "kind": format!("{:?}", payload.kind()), "quote": quote }))
    }
}
