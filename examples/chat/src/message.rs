//! What goes over the socket: JSON of the chat's own, and whatever else a server may send.

use onesocket::{
    Payload,
    codec::{Codec, DecodeError, EncodeError},
};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A message of the chat, as JSON text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chat {
    /// Unique together with `from`; by it a message that comes twice is shown once.
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "text_or_number")]
    pub(crate) from: String,
    pub(crate) text: String,
    /// Milliseconds since 1970 by the sender's clock; 0 when it does not say.
    #[serde(default)]
    pub(crate) at: f64,
}

/// What a server sends. Nothing is undecodable: a chat that hides what it does not know loses messages.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Chat(Chat),
    /// Text of another protocol, as it is.
    Plain(String),
    Binary {
        bytes: usize,
    },
}

/// The codec of both.
#[derive(Debug)]
pub(crate) struct ChatCodec;

impl Codec<Chat, Heard> for ChatCodec {
    fn encode(&self, message: &Chat) -> Result<Payload, EncodeError> {
        serde_json::to_string(message)
            .map(Payload::text)
            .map_err(EncodeError::new)
    }

    fn decode(&self, payload: &Payload) -> Result<Heard, DecodeError> {
        let Some(text) = payload.as_text() else {
            return Ok(Heard::Binary {
                bytes: payload.len(),
            });
        };
        let chat = serde_json::from_str(text).map(Heard::Chat);
        Ok(chat.unwrap_or_else(|_| Heard::Plain(text.to_owned())))
    }
}

/// Other programs number their messages.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        _ => Err(de::Error::custom("neither a text nor a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Heard) {
        assert_eq!(
            ChatCodec.decode(&Payload::text(text)).ok(),
            Some(expect),
            "{text}"
        );
    }

    #[test]
    fn a_message_survives_the_wire() {
        let chat = Chat {
            id: "a-1".into(),
            from: "ann".into(),
            text: "hällo".into(),
            at: 1e12,
        };
        let payload = ChatCodec.encode(&chat).expect("it has a form");
        assert_eq!(ChatCodec.decode(&payload).ok(), Some(Heard::Chat(chat)));
    }

    #[test]
    fn what_is_not_of_the_chat_is_shown_as_it_is() {
        check("hello", Heard::Plain("hello".into()));
        check("{\"id\":1}", Heard::Plain("{\"id\":1}".into()));
        check("\"hello\"", Heard::Plain("\"hello\"".into()));
        let binary = ChatCodec.decode(&Payload::binary(vec![0; 7]));
        assert_eq!(binary.ok(), Some(Heard::Binary { bytes: 7 }));
    }

    #[test]
    fn other_programs_may_number_their_messages() {
        let chat = Chat {
            id: "7".into(),
            from: String::new(),
            text: "x".into(),
            at: 0.0,
        };
        check("{\"id\":7,\"text\":\"x\"}", Heard::Chat(chat));
    }
}
