//! The page of a browser.

mod frames;

pub(crate) use frames::Frames;

use std::time::Duration;

use futures::{FutureExt, future::LocalBoxFuture};
use gloo_timers::future::TimeoutFuture;
use onesocket_protocol::redact_url;

use super::url::{Parts, to_websocket_url};
use crate::BuildError;

/// Makes an absolute WebSocket URL of one that may be relative to the page.
pub(crate) fn resolve_url(url: &str) -> Result<String, BuildError> {
    let invalid = || BuildError::InvalidUrl {
        url: redact_url(url),
    };
    let window = web_sys::window();
    let base = window
        .as_ref()
        .and_then(|window| window.document()?.base_uri().ok()?);
    let parsed = match &base {
        Some(base) => web_sys::Url::new_with_base(url, base),
        None => web_sys::Url::new(url),
    };
    let parsed = parsed.map_err(|_| invalid())?;
    let page_scheme = window.and_then(|window| window.location().protocol().ok());
    let (scheme, href) = (parsed.protocol(), parsed.href());
    let without_fragment = href.split('#').next().unwrap_or(&href);
    let rest = without_fragment.strip_prefix(&scheme).ok_or_else(invalid)?;
    let parts = Parts {
        scheme: &scheme,
        host: &parsed.hostname(),
        rest,
    };
    to_websocket_url(&parts, page_scheme.as_deref() == Some("https:"))
}

/// Two draws, because engines differ in how many bits one has.
pub(crate) fn random_53_bits() -> u64 {
    let draw = |bits: u32| (js_sys::Math::random() * f64::from(1u32 << bits)) as u64;
    draw(27) << 26 | draw(26)
}

/// Ends after a while; a browser may take longer in a tab that is not visible.
pub(crate) fn sleep(duration: Duration) -> LocalBoxFuture<'static, ()> {
    // setTimeout takes 31 bits; beyond 24 days nobody waits.
    let millis = u32::try_from(duration.as_millis())
        .unwrap_or(u32::MAX)
        .min(i32::MAX as u32);
    TimeoutFuture::new(millis).boxed_local()
}

/// Runs a task of the page.
pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(task);
}

/// Does something in a microtask, behind the call that asks for it.
pub(crate) fn soon(task: impl FnOnce() + 'static) {
    spawn(async move { task() });
}
