use onesocket::{BuildError, Client, DebugLevel, codec::Text};

pub fn from_the_start() -> Result<Client<str, String>, BuildError> {
    // ANCHOR: debug
    let client: Client<str, String> = Client::builder("/chat", Text)
        .debug(DebugLevel::Messages)
        .build()?;
    client.set_debug(DebugLevel::Off); // At any time.
    // ANCHOR_END: debug
    Ok(client)
}

pub fn in_the_page(client: &Client<str, String>) {
    // ANCHOR: inspector
    onesocket::inspector::show(client.manager());
    // ANCHOR_END: inspector
}

// ANCHOR: chain
/// An error with all that is behind it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
// ANCHOR_END: chain

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn the_log_can_be_asked_for() {
        let client = from_the_start().unwrap();
        in_the_page(&client);
    }

    #[test]
    fn what_is_behind_an_error_can_be_told() {
        let client = from_the_start().unwrap();
        let error = client.send("hello").now_or_never().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the message was not sent");
        let expect = "the message was not sent: nobody can send it: there is no browser";
        assert_eq!(chain(&error), expect);
    }
}
