//! Finds out what an `error` event meant, after the next tier is on its way.

use core::time::Duration;
use std::{cell::Cell, rc::Rc};

use futures::future::{self, Either};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, RequestInit, Response, console};

use super::{js::get, sleep};
use crate::{Tier, TierFailure, core::Core, diagnosis};

/// Refines the failure in the ladder, when the browser has said no more than that there is one. A policy that forbids the
/// worker is known by its violation event; for the rest the script is fetched. CSP may refuse that, too (`connect-src`); then
/// the failure stays as it is.
pub(super) fn begin(core: &Rc<Core>, tier: Tier, failure: &TierFailure) {
    let Some(page) = &core.host.page else { return };
    let message = match failure {
        TierFailure::ScriptError { message } => Some(message.clone()),
        TierFailure::ConstructorThrew { .. } => None,
        known => return warn(known, &page.script),
    };
    let (script, failure, weak) = (page.script.clone(), failure.clone(), Rc::downgrade(core));
    spawn_local(async move {
        sleep(VIOLATION_PATIENCE).await;
        let Some(violation) = weak.upgrade().map(|core| violation(&core)) else {
            return;
        };
        let found = match (violation, message) {
            (Some(directive), _) => Some(TierFailure::BlockedByPolicy { directive }),
            (None, Some(message)) => examine(tier, &script, &message).await,
            (None, None) => None,
        };
        let (Some(found), Some(core)) = (found, weak.upgrade()) else {
            return;
        };
        warn(&found, &script);
        if core.report.refine(tier, &failure, found) {
            core.changed();
        }
    });
}

/// Says once in a page that its worker's files are not served as they have to be. To the console where `tracing` has nobody who listens: an app that is not debugged has
/// no subscriber, and one of ours would keep out its own.
fn warn(failure: &TierFailure, script: &str) {
    thread_local!(static HAS_WARNED: Cell<bool> = const { Cell::new(false) });
    let Some(advice) = diagnosis::advice(failure, script) else {
        return;
    };
    if HAS_WARNED.replace(true) {
        return;
    }
    if tracing::enabled!(target: "onesocket::tab", tracing::Level::WARN) {
        tracing::warn!(target: "onesocket::tab", "{advice}");
    } else {
        console::warn_1(&advice.into());
    }
}

fn violation(core: &Core) -> Option<String> {
    core.host.page.as_ref().and_then(|page| page.violation())
}

async fn examine(tier: Tier, script: &str, message: &str) -> Option<TierFailure> {
    let abort = AbortController::new().ok()?;
    // Some servers refuse HEAD; the body of a GET is cut off below.
    let init = RequestInit::new();
    init.set_signal(Some(&abort.signal()));
    let request = web_sys::window()?.fetch_with_str_and_init(script, &init);
    let response =
        match future::select(JsFuture::from(request), Box::pin(sleep(FETCH_PATIENCE))).await {
            Either::Left((response, _)) => response.ok()?.dyn_into::<Response>().ok()?,
            Either::Right(_) => {
                abort.abort();
                return None;
            }
        };
    let header = |name| response.headers().get(name).ok().flatten();
    let is_isolated = get(&js_sys::global(), "crossOriginIsolated").is_truthy();
    let lacks_policy =
        tier == Tier::Dedicated && is_isolated && header("cross-origin-embedder-policy").is_none();
    let content_type = header("content-type");
    let found = diagnosis::classify(
        response.status(),
        content_type.as_deref(),
        lacks_policy,
        message,
    );
    abort.abort();
    Some(found)
}

/// The violation event may come after the `error` event that it explains: it is a task of its own.
const VIOLATION_PATIENCE: Duration = Duration::from_millis(50);

/// Nobody waits for it, so it may take what a slow network takes.
const FETCH_PATIENCE: Duration = Duration::from_secs(5);
