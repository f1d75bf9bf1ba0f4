//! In a page: what the browser offers, and what it takes for a worker's script.
#![cfg(target_family = "wasm")]

use std::time::Duration;

use onesocket_manager::{
    AttemptOutcome, Capabilities, ConfigError, ManagerConfig, ManagerState, SessionFailure, Start,
    StoragePartition, Tier, TierPolicy, WorkerManager,
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn error_of(script: &str) -> Option<ConfigError> {
    let config = ManagerConfig::default().script(script).start(Start::Lazy);
    WorkerManager::new(config).err()
}

#[wasm_bindgen_test]
fn a_page_has_what_the_tiers_need() {
    let capabilities = Capabilities::detect();
    assert!(
        capabilities.shared_worker && capabilities.worker && capabilities.module_workers,
        "{capabilities}"
    );
    assert!(
        capabilities.web_locks && capabilities.secure_context && capabilities.broadcast_channel,
        "{capabilities}"
    );
    assert!(capabilities.online, "{capabilities}");
}

#[wasm_bindgen_test]
fn a_page_of_its_own_has_the_storage_of_its_origin() {
    let capabilities = Capabilities::detect();
    if !capabilities.in_iframe {
        assert_eq!(capabilities.storage, StoragePartition::Whole);
    }
}

#[wasm_bindgen_test]
fn only_scripts_of_the_pages_origin_are_taken() {
    assert_eq!(error_of("worker.js"), None);
    assert_eq!(error_of("/a/b/worker.js?v=1"), None);
    let cross = error_of("https://other.example/worker.js");
    assert!(
        matches!(cross, Some(ConfigError::CrossOriginScript { script_origin, .. }) if script_origin == "https://other.example")
    );
    let here = web_sys::window()
        .and_then(|window| window.location().origin().ok())
        .unwrap_or_default();
    assert_eq!(
        error_of(&format!("blob:{here}/1234")),
        Some(ConfigError::ScriptScheme {
            scheme: "blob:".to_owned()
        })
    );
    assert_eq!(
        error_of("data:text/javascript,0"),
        Some(ConfigError::ScriptScheme {
            scheme: "data:".to_owned()
        })
    );
    assert!(matches!(
        error_of("http://"),
        Some(ConfigError::InvalidScript { .. })
    ));
}

#[wasm_bindgen_test]
async fn a_missing_script_ends_in_the_page() {
    let config = ManagerConfig::default()
        .script("/no-such-worker.js")
        .hello_timeout(Duration::from_millis(500));
    let manager = WorkerManager::new(config).expect("the script is of this origin");
    assert_eq!(manager.state(), ManagerState::Starting);
    assert_eq!(manager.ready().await, Ok(Tier::Main));
    let ladder = manager.ladder();
    let tiers: Vec<Tier> = ladder
        .attempts()
        .iter()
        .map(|attempt| attempt.tier)
        .collect();
    assert_eq!(tiers, Tier::ALL);
    assert!(
        matches!(ladder.attempts()[0].outcome, AttemptOutcome::Failed(_)),
        "{ladder}"
    );
    assert!(manager.ping().await.is_ok());
}

#[wasm_bindgen_test]
async fn forced_is_forced() {
    let config = ManagerConfig::default()
        .script("/no-such-worker.js")
        .hello_timeout(Duration::from_millis(500))
        .tiers(TierPolicy::Forced(Tier::Dedicated));
    let manager = WorkerManager::new(config).expect("the script is of this origin");
    assert_eq!(manager.ready().await, Err(SessionFailure::NoTier));
    assert_eq!(
        manager.state(),
        ManagerState::Failed(SessionFailure::NoTier)
    );
    assert_eq!(manager.tier(), None);
}

#[wasm_bindgen_test]
fn a_lazy_manager_waits() {
    let manager = WorkerManager::new(ManagerConfig::default().start(Start::Lazy))
        .expect("the default is fine");
    assert_eq!(manager.state(), ManagerState::Idle);
    assert!(manager.ladder().attempts().is_empty());
}
