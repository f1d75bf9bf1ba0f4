use onesocket::{BuildError, Client, Event, ManagerConfig, Tier, TierPolicy, codec::Text};

pub fn forced() -> Result<Client<str, String>, BuildError> {
    // ANCHOR: forced
    let client: Client<str, String> = Client::builder("/chat", Text)
        .tier(Tier::Dedicated)
        .build()?;
    // ANCHOR_END: forced
    Ok(client)
}

pub fn allowed() -> Result<Client<str, String>, BuildError> {
    // ANCHOR: allowed
    let in_workers = TierPolicy::Ladder(vec![Tier::Shared, Tier::Dedicated]);
    let client: Client<str, String> = Client::builder("/chat", Text)
        .worker(ManagerConfig::default().tiers(in_workers))
        .build()?;
    // ANCHOR_END: allowed
    Ok(client)
}

pub fn shown(client: &Client<str, String>) -> String {
    // ANCHOR: shown
    let ladder = client.ladder();
    let lines = ladder
        .attempts()
        .iter()
        .map(|attempt| format!("{attempt}\n"));
    let report: String = lines.collect();
    let role = ladder.role(); // In the dedicated tier: leader, follower, or alone and why.
    // ANCHOR_END: shown
    format!("{report}{role:?}")
}

pub fn tabs(event: Event<String>) -> Option<u32> {
    // ANCHOR: tabs
    match event {
        Event::Status(status) => Some(status.tabs),
        _ => None,
    }
    // ANCHOR_END: tabs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_configurations_can_be_built() {
        let report = shown(&forced().unwrap());
        assert!(report.ends_with("None"), "{report}");
        allowed().unwrap();
    }
}
