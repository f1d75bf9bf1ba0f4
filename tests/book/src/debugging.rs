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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_can_be_asked_for() {
        let client = from_the_start().unwrap();
        in_the_page(&client);
    }
}
