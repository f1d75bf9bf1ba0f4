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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_can_be_asked_for() {
        from_the_start().unwrap();
    }
}
