//! Finds out what an `error` event meant, after the next tier is on its way.

use core::time::Duration;
use std::rc::Rc;

use futures::future::{self, Either};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, RequestInit, Response};

use super::sleep;
use crate::{Tier, TierFailure, core::Core, diagnosis};

/// Refines the failure in the ladder, if it is one that says little and the script can be fetched. CSP may refuse that
/// (`connect-src`); then the failure stays as it is.
pub(super) fn begin(core: &Rc<Core>, tier: Tier, failure: &TierFailure) {
    let (TierFailure::ScriptError { .. }, Some(page)) = (failure, &core.host.page) else { return };
    let (script, failure, core) = (page.script.clone(), failure.clone(), Rc::downgrade(core));
    spawn_local(async move {
        let Some(found) = examine(&script).await else { return };
        let Some(core) = core.upgrade() else { return };
        if core.report.refine(tier, &failure, found) {
            core.changed();
        }
    });
}

async fn examine(script: &str) -> Option<TierFailure> {
    let abort = AbortController::new().ok()?;
    // Some servers refuse HEAD; the body of a GET is cut off below.
    let init = RequestInit::new();
    init.set_signal(Some(&abort.signal()));
    let request = web_sys::window()?.fetch_with_str_and_init(script, &init);
    let response = match future::select(JsFuture::from(request), Box::pin(sleep(PATIENCE))).await {
        Either::Left((response, _)) => response.ok()?.dyn_into::<Response>().ok()?,
        Either::Right(_) => {
            abort.abort();
            return None;
        }
    };
    let content_type = response.headers().get("content-type").ok().flatten();
    let found = diagnosis::classify(response.status(), content_type.as_deref());
    abort.abort();
    found
}

/// Nobody waits for it, so it may take what a slow network takes.
const PATIENCE: Duration = Duration::from_secs(5);
