//! What each driver has to be told.

use std::path::Path;

use fantoccini::wd::Capabilities;
use serde_json::{Value, json};

use super::{BrowserError, BrowserOptions, Engine};

/// The capabilities of a new session.
pub(super) fn of(engine: Engine, options: &BrowserOptions) -> Result<Capabilities, BrowserError> {
    let browser = engine.browser()?;
    let mut all = json!({
        "acceptInsecureCerts": options.accept_insecure_certs,
        "timeouts": {
            "script": options.script_timeout.as_millis(),
            "pageLoad": options.page_load_timeout.as_millis(),
            "implicit": 0,
        },
    });
    let (key, value) = match engine {
        Engine::Chromium => ("goog:chromeOptions", chromium(&browser, options)),
        Engine::Firefox => ("moz:firefoxOptions", firefox(&browser, options)),
        Engine::WebKit => ("webkitgtk:browserOptions", webkit(&browser, options)),
    };
    all[key] = value;
    match all {
        Value::Object(map) => Ok(map),
        _ => Ok(Capabilities::new()),
    }
}

fn chromium(browser: &Path, options: &BrowserOptions) -> Value {
    let mut arguments = vec![
        "--headless=new",
        "--window-size=1280,900",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        // A machine without a way out refuses these many at a time.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // Containers often give 64 MB, and ten tabs need more.
        "--disable-dev-shm-usage",
    ];
    if is_root() {
        arguments.push("--no-sandbox");
    }
    if options.unthrottled {
        arguments.extend([
            "--disable-background-timer-throttling",
            "--disable-backgrounding-occluded-windows",
            "--disable-renderer-backgrounding",
        ]);
    }
    if options.precise_memory {
        arguments.push("--enable-precise-memory-info");
    }
    arguments.extend(options.arguments.iter().map(String::as_str));
    json!({ "binary": browser, "args": arguments })
}

fn firefox(browser: &Path, options: &BrowserOptions) -> Value {
    let mut arguments = vec!["-headless", "--width=1280", "--height=900"];
    arguments.extend(options.arguments.iter().map(String::as_str));
    json!({
        "binary": browser,
        "args": arguments,
        "prefs": {
            // Into the driver's log.
            "devtools.console.stdout.content": true,
            "browser.shell.checkDefaultBrowser": false,
            "datareporting.policy.dataSubmissionEnabled": false,
            "toolkit.telemetry.enabled": false,
            "network.captive-portal-service.enabled": false,
            "network.connectivity-service.enabled": false,
            "app.normandy.enabled": false,
            "extensions.update.enabled": false,
        },
    })
}

fn webkit(browser: &Path, options: &BrowserOptions) -> Value {
    let mut arguments = vec![
        "--automation",
        "--geometry=1280x900",
        "--enable-write-console-messages-to-stdout=true",
    ];
    arguments.extend(options.arguments.iter().map(String::as_str));
    json!({ "binary": browser, "args": arguments })
}

/// Neither Chromium nor WebKit starts its sandbox as root.
pub(super) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
