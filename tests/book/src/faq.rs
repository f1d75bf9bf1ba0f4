use onesocket::{
    BuildError, Client, Payload, SendError, Sending,
    codec::{Codec, DecodeError, EncodeError, Json},
};
use serde::{Deserialize, Serialize};

// ANCHOR: borrowed
/// Sends what is encoded already, and reads JSON.
pub struct Encoded;

impl Codec<Payload, Heard> for Encoded {
    fn encode(&self, message: &Payload) -> Result<Payload, EncodeError> {
        Ok(message.clone())
    }

    fn decode(&self, payload: &Payload) -> Result<Heard, DecodeError> {
        Codec::<(), Heard>::decode(&Json, payload)
    }
}

#[derive(Serialize)]
struct Say<'a> {
    text: &'a str,
}

pub fn say(client: &Client<Payload, Heard>, text: &str) -> Sending {
    match serde_json::to_string(&Say { text }) {
        Ok(json) => client.send(&Payload::text(json)),
        Err(error) => SendError::Encode(EncodeError::new(error)).into(),
    }
}
// ANCHOR_END: borrowed

#[derive(Debug, PartialEq, Deserialize)]
pub struct Heard {
    pub text: String,
}

pub fn client() -> Result<Client<Payload, Heard>, BuildError> {
    Client::builder("wss://example.org/chat", Encoded).build()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn what_is_encoded_already_is_sent_as_it_is() {
        let json = Payload::text(r#"{"text":"hello"}"#);
        assert_eq!(Encoded.encode(&json).ok(), Some(json.clone()));
        let text = "hello".to_owned();
        assert_eq!(Encoded.decode(&json).ok(), Some(Heard { text }));
        let sending = say(&client().unwrap(), "hello").now_or_never();
        // There is no browser here.
        assert!(matches!(sending, Some(Err(SendError::Rejected(_)))));
    }
}
