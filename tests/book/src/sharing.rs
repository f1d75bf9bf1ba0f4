use onesocket::{BuildError, Client, GreetError, Replay, RequestError, RequestId, codec::Json};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub enum Up {
    Subscribe { topic: String },
    Unsubscribe { topic: String },
    Ask { id: u64, what: String },
}

#[derive(Deserialize)]
pub struct Down {
    pub answers: Option<u64>,
    pub text: String,
}

pub fn client() -> Result<Client<Up, Down>, BuildError> {
    // ANCHOR: replay
    let client = Client::<Up, Down>::builder("wss://example.org/live", Json)
        .account("ada")
        .replay(Replay::Last {
            messages: 50,
            bytes: 64 * 1024,
        }) // What a tab gets that joins an open connection.
        .replies(|down| down.answers.map(RequestId)) // How to tell an answer from a message.
        .build()?;
    // ANCHOR_END: replay
    Ok(client)
}

pub fn subscribe(client: &Client<Up, Down>) -> Result<(), GreetError> {
    // ANCHOR: greeting
    // Sent first on every new socket, before the queue; once for all tabs.
    let subscribe = Up::Subscribe {
        topic: "news".into(),
    };
    // Sent when the last tab has let go.
    let unsubscribe = Up::Unsubscribe {
        topic: "news".into(),
    };
    let guard = client.greet(&subscribe, Some(&unsubscribe))?;
    // ANCHOR_END: greeting
    drop(guard);
    Ok(())
}

pub async fn ask(client: &Client<Up, Down>) -> Result<String, RequestError> {
    // ANCHOR: request
    // The answer goes to the tab that asked, and to no other.
    let answer = client
        .request(|id| Up::Ask {
            id: id.0,
            what: "weather".into(),
        })
        .await?;
    // ANCHOR_END: request
    Ok(answer.text)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn without_a_browser_nobody_answers() {
        let client = client().unwrap();
        subscribe(&client).unwrap();
        assert!(ask(&client).now_or_never().unwrap().is_err());
    }
}
