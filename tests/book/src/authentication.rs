use std::future::ready;

use futures::StreamExt as _;
use onesocket::{BuildError, Client, Credential, Event, LinkState, LogOut, Payload, codec::Text};

pub fn provider() -> Result<Client<str, String>, BuildError> {
    // ANCHOR: provider
    let client: Client<str, String> = Client::builder("wss://example.org/feed", Text)
        .account("alice") // Tabs of different accounts share nothing.
        .auth(|request| async move {
            // The server has closed with 4401, or may have refused the handshake: a cached token will not do.
            let is_fresh = request.refused || request.failed > 0;
            // `None` declines.
            let token = fetch_token(is_fresh).await?;
            Some(Credential::query("token", token))
        })
        .build()?;
    // ANCHOR_END: provider
    Ok(client)
}

pub fn kinds() -> [Credential; 4] {
    // ANCHOR: kinds
    [
        // wss://example.org/feed?token=abc
        Credential::query("token", "abc"),
        // What a server hands out whole, signed and for one use.
        Credential::url("wss://node-7.example.org/feed?signature=abc"),
        // For servers that read `Sec-WebSocket-Protocol`, the only header that a page may fill.
        Credential::subprotocol("bearer.abc"),
        // In front of the greetings.
        Credential::first_message(Payload::text(r#"{"token":"abc"}"#)),
    ]
    // ANCHOR_END: kinds
}

pub async fn log_in(client: Client<str, String>) {
    // ANCHOR: needs_auth
    let needs_auth = || matches!(client.status().state, LinkState::NeedsAuth { .. });
    let mut events = client.events();
    while let Some(event) = events.next().await {
        // It may be over: it has waited here, while the log-in was shown.
        if matches!(event, Event::NeedsAuth { .. }) && needs_auth() {
            show_the_log_in().await;
            // Else another tab has logged in, and has a socket for all.
            if needs_auth() {
                client.reconnect();
                // What has come meanwhile is over.
                events = client.events();
            }
        }
    }
    // ANCHOR_END: needs_auth
}

pub fn log_out(client: &Client<str, String>) {
    // ANCHOR: log_out
    client.log_out(LogOut::Drop); // Closes it in every tab of the account.
    // ANCHOR_END: log_out
}

fn fetch_token(_fresh: bool) -> impl Future<Output = Option<String>> {
    ready(None)
}

fn show_the_log_in() -> impl Future<Output = ()> {
    ready(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_with_a_provider_can_be_built_and_logged_out() {
        log_out(&provider().unwrap());
        assert_eq!(format!("{:?}", kinds()[0]), "Credential(..)");
    }
}
