//! JSON of the server's, which a worker may have turned into postcard; the tests are those of both.

use onesocket_protocol::{Payload, PayloadKind};
use serde::{Serialize, de::DeserializeOwned};

use super::{Codec, DecodeError, EncodeError, Json};

/// For a server that speaks JSON in text messages, behind a worker of the app's own that turns them into postcard, so that the page has less to
/// decode.
///
/// It sends JSON, and reads both: JSON from text messages, postcard from binary ones. So the same client works in the main tier, and with a
/// worker that does not transcode. A server that sends binary messages of its own is none for this codec.
///
/// The worker does it by `onesocket_worker::transcode` and `json_to_postcard`, of the feature `transcode`:
///
/// ```
/// use onesocket::{Payload, codec::{Codec, Transcoded}};
/// use onesocket_worker::json_to_postcard;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Quote {
///     symbol: String,
///     bid: f64,
/// }
///
/// let json = Payload::text(r#"{ "symbol": "ABC", "bid": 1.25 }"#);
/// let small = json_to_postcard::<Quote>(&json).expect("a quote"); // In the worker.
/// assert_eq!(small.len(), 12);
///
/// // In the page; the first type is that of what it sends.
/// let quote: Quote = Codec::<(), _>::decode(&Transcoded, &small)?;
/// assert_eq!(quote, Codec::<(), _>::decode(&Transcoded, &json)?);
/// # Ok::<(), onesocket::codec::DecodeError>(())
/// ```
///
/// Page and worker have to mean the same type, after a deploy too: `json_to_postcard` says how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transcoded;

impl<Tx: Serialize + ?Sized, Rx: DeserializeOwned> Codec<Tx, Rx> for Transcoded {
    fn encode(&self, message: &Tx) -> Result<Payload, EncodeError> {
        Codec::<Tx, Rx>::encode(&Json, message)
    }

    fn decode(&self, payload: &Payload) -> Result<Rx, DecodeError> {
        match payload.kind() {
            PayloadKind::Binary => match postcard::take_from_bytes(payload.bytes()) {
                Ok((message, [])) => Ok(message),
                // What is left over was of another type.
                Ok(_) => Err(DecodeError::invalid(
                    postcard::Error::DeserializeBadEncoding,
                )),
                Err(error) => Err(DecodeError::invalid(error)),
            },
            PayloadKind::Text => Codec::<Tx, Rx>::decode(&Json, payload),
        }
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use std::{collections::HashMap, fmt::Debug};

    use onesocket_worker::json_to_postcard;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Trade {
        symbol: String,
        price: f64,
        sizes: Vec<u32>,
        #[serde(default)]
        note: Option<String>,
        #[serde(default)]
        tags: HashMap<String, i64>,
        side: Side,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Side {
        Buy,
        Sell { limit: f64 },
    }

    fn read<Rx: DeserializeOwned>(payload: &Payload) -> Result<Rx, DecodeError> {
        Codec::<(), Rx>::decode(&Transcoded, payload)
    }

    /// Whatever a worker makes of it, the page reads what the server has said.
    #[track_caller]
    fn check<Rx>(json: &str, becomes: PayloadKind)
    where
        Rx: Debug + PartialEq + Serialize + DeserializeOwned,
    {
        let sent = Payload::text(json);
        let got = json_to_postcard::<Rx>(&sent).unwrap_or_else(|| sent.clone());
        assert_eq!(got.kind(), becomes, "{json}");
        let expect: Rx = serde_json::from_str(json).expect("the case is an Rx");
        assert_eq!(read::<Rx>(&got).ok(), Some(expect), "{json}");
    }

    #[test]
    fn a_message_is_the_same_in_both_forms() {
        let trades = [
            r#"{"symbol":"A","price":0.1,"sizes":[1,300],"side":"buy"}"#,
            r#"{"side":{"sell":{"limit":-1e300}},"sizes":[],"price":7,"symbol":"Ä \u0000 🦀","note":"\n"}"#,
            r#"{"symbol":"","price":1,"sizes":[0],"side":"buy","tags":{"a":1,"b":-2,"c":3},"new":{}}"#,
        ];
        for json in trades {
            check::<Trade>(json, PayloadKind::Binary);
        }
        check::<()>("null", PayloadKind::Binary);
    }

    #[test]
    fn what_the_app_sends_is_json() {
        let payload = Codec::<_, Trade>::encode(&Transcoded, &[1, 2]).ok();
        assert_eq!(payload, Some(Payload::text("[1,2]")));
    }

    #[test]
    fn what_is_no_message_passes_unchanged() {
        let cases = [
            Payload::text(""),
            Payload::text("ping"),
            Payload::text("{\"symbol\":\"A\"}"),
            Payload::text("[".repeat(100_000)),
            Payload::binary(&br#"{"symbol":"A","price":1,"sizes":[],"side":"buy"}"#[..]),
        ];
        for payload in cases {
            assert_eq!(json_to_postcard::<Trade>(&payload), None, "{payload:?}");
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Price { bid: f64 },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        more: HashMap<String, u8>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Skipping {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<u16>,
        second: u16,
        third: Vec<u8>,
    }

    #[test]
    fn what_postcard_does_not_read_back_stays_json() {
        check::<Tagged>(r#"{"type":"Price","bid":1}"#, PayloadKind::Text);
        check::<Flat>(r#"{"id":1,"a":2}"#, PayloadKind::Text);
        check::<Value>(r#"{"any":["thing"]}"#, PayloadKind::Text);
        // It is written as 1, 2, 5, 0 and reads back without an error, as another one.
        check::<Skipping>(r#"{"second":1,"third":[5,0]}"#, PayloadKind::Text);
        check::<Skipping>(
            r#"{"first":9,"second":1,"third":[5,0]}"#,
            PayloadKind::Binary,
        );
    }

    #[test]
    fn postcard_of_another_type_is_an_error_where_it_can_be_seen() {
        let long = json_to_postcard::<(u8, u8)>(&Payload::text("[1,2]")).unwrap();
        assert!(read::<u8>(&long).is_err());
        assert!(read::<(u8, u8, u8)>(&long).is_err());
    }
}
