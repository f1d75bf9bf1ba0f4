//! Without a browser: everything compiles, nothing happens, nothing panics.
#![cfg(not(target_family = "wasm"))]

use std::{cell::RefCell, rc::Rc};

use futures::executor::block_on;
use onesocket_manager::{
    ChannelConfig, ChannelEvent, ConfigError, Delivery, ManagerConfig, ManagerState, PingError,
    SendRejected, SessionFailure, SwitchError, Tier, TierPolicy, WorkerManager,
};
use onesocket_protocol::{DebugLevel, LinkKey, LinkPolicy, Payload, Replay};

fn channel() -> ChannelConfig {
    let key = LinkKey {
        url: "wss://x.org/".to_owned(),
        subprotocols: Vec::new(),
        account: String::new(),
    };
    ChannelConfig {
        key,
        policy: LinkPolicy::default(),
        replay: Replay::None,
    }
}

#[test]
fn every_call_has_a_typed_answer() {
    let manager = WorkerManager::new(ManagerConfig::default()).expect("the default is fine");
    assert_eq!(
        manager.state(),
        ManagerState::Failed(SessionFailure::NoBrowser)
    );
    assert_eq!(manager.tier(), None);
    assert!(manager.ladder().attempts().is_empty());
    assert_eq!(block_on(manager.ready()), Err(SessionFailure::NoBrowser));
    assert_eq!(block_on(manager.ping()), Err(PingError::NotRunning));
    assert_eq!(
        block_on(manager.switch_tier(Tier::Main)),
        Err(SwitchError::NotRunning)
    );
    manager.set_debug(DebugLevel::Payloads);
    manager.start();
}

#[test]
fn a_channel_is_told_and_its_sends_are_rejected() {
    let manager = WorkerManager::shared(ManagerConfig::default()).expect("the default is fine");
    let heard = Rc::new(RefCell::new(Vec::new()));
    let hear = Rc::clone(&heard);
    let channel = manager.open(channel(), move |event| hear.borrow_mut().push(event));
    let rejected = channel.send(Payload::text("x"), Delivery::AtMostOnce);
    assert_eq!(
        rejected,
        Err(SendRejected::Failed(SessionFailure::NoBrowser))
    );
    let _ = channel.greet(Payload::text("x"), None);
    channel.ask_status();
    channel.reconnect();
    channel.close();
    drop(manager);
    assert_eq!(
        *heard.borrow(),
        [
            ChannelEvent::Failed(SessionFailure::NoBrowser),
            ChannelEvent::Closed
        ]
    );
}

#[test]
fn what_is_shared_is_shared_while_it_lives() {
    let config = ManagerConfig::default().name("what_is_shared_is_shared_while_it_lives");
    let first = WorkerManager::shared(config.clone()).expect("the name is fine");
    let second = WorkerManager::shared(config.clone()).expect("the name is fine");
    let one = first.open(channel(), |_| {});
    let other = second.open(channel(), |_| {});
    assert_ne!(one.id(), other.id(), "channels of one page do not collide");
    drop((first, second, one, other));
    let third = WorkerManager::shared(config).expect("the name is fine");
    assert_eq!(
        third.state(),
        ManagerState::Failed(SessionFailure::NoBrowser),
        "and not released"
    );
}

#[test]
fn a_senseless_configuration_is_an_error_here_too() {
    let config = ManagerConfig::default().tiers(TierPolicy::Ladder(Vec::new()));
    assert_eq!(
        WorkerManager::shared(config.clone()).err(),
        Some(ConfigError::NoTiers)
    );
    assert_eq!(WorkerManager::new(config).err(), Some(ConfigError::NoTiers));
}
