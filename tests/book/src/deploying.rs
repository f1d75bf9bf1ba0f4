use futures::StreamExt as _;
use onesocket::{BuildError, Client, Event, ManagerConfig, Payload, codec::Raw};

pub async fn updates() -> Result<(), BuildError> {
    // ANCHOR: updates
    let build = option_env!("APP_BUILD").and_then(|number| number.parse().ok());
    let client = Client::<Payload, Payload>::builder("wss://example.org/live", Raw)
        .worker(ManagerConfig::default().build(build.unwrap_or(0)))
        .build()?;
    let mut events = client.events();
    while let Some(event) = events.next().await {
        if let Event::UpdateAvailable { build } = event {
            offer_a_reload(build); // Nothing stops working without one.
        }
    }
    // ANCHOR_END: updates
    Ok(())
}

fn offer_a_reload(build: Option<u64>) {
    tracing::info!(build, "update available");
}

pub fn elsewhere() -> ManagerConfig {
    // ANCHOR: elsewhere
    ManagerConfig::default().script("/assets/onesocket-worker.js")
    // ANCHOR_END: elsewhere
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_may_be_elsewhere() {
        assert_eq!(elsewhere().check(), Ok(()));
    }
}
