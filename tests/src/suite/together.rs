//! Calls of several pages, or several of one, that are on their way at once.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::site::{POLL, Page, SOON};

/// A call of a page's API that has begun.
///
/// The session runs one command at a time, in the tab that it is about: calls that are awaited end one after the other, whatever waits
/// for them. These are begun by commands that end at once.
#[derive(Debug)]
pub(super) struct Started<'a> {
    page: &'a Page,
    what: String,
    number: Value,
}

/// What a call has come to, and when, by the page's wall clock in milliseconds.
#[derive(Debug, Deserialize)]
pub(super) struct Ended {
    pub(super) answer: Value,
    began: f64,
    ended: f64,
}

/// Begins these calls at one signal to all pages.
pub(super) async fn start<'a>(
    calls: Vec<(&'a Page, &str, Vec<Value>)>,
) -> Result<Vec<Started<'a>>> {
    let mut started = Vec::new();
    for (page, function, args) in calls {
        let what = format!("{function}{args:?}");
        let args = vec![json!(function), json!(args)];
        let number = page.tab.eval(ARM, args).await?;
        started.push(Started { page, what, number });
    }
    if let Some(last) = started.last() {
        let until = Instant::now() + SOON;
        for call in &started {
            while !call.hears().await? {
                ensure!(Instant::now() < until, "{} hears nothing", call.what);
                last.page.tab.eval(SAY, vec![json!("listen")]).await?;
                sleep(POLL).await;
            }
        }
        last.page.tab.eval(SAY, vec![json!("begin")]).await?;
    }
    Ok(started)
}

impl Started<'_> {
    /// Whether its page has heard another one say something. In WebKit the network process hears of a new channel behind the back of the page and of
    /// the driver ([`WebBroadcastChannelRegistry`](https://github.com/WebKit/WebKit/blob/main/Source/WebKit/WebProcess/WebCoreSupport/WebBroadcastChannelRegistry.cpp)),
    /// and passes nothing on that another page has said before.
    async fn hears(&self) -> Result<bool> {
        let hears = self.page.tab.eval(HEARS, vec![self.number.clone()]).await?;
        Ok(hears == true)
    }
}

/// Waits for all of them.
pub(super) async fn finish(calls: Vec<Started<'_>>) -> Result<Vec<Ended>> {
    let mut all = Vec::new();
    for Started { page, what, number } in calls {
        let ended = page.tab.eval_async(COLLECT, vec![number]).await;
        let ended = ended.with_context(|| what.clone())?;
        all.push(serde_json::from_value(ended).context(what)?);
    }
    Ok(all)
}

/// Whether there was a moment in which each of them had begun and none had ended.
pub(super) fn were_together(calls: &[Ended]) -> bool {
    let last_to_begin = calls.iter().map(|call| call.began).fold(f64::MIN, f64::max);
    let first_to_end = calls.iter().map(|call| call.ended).fold(f64::MAX, f64::min);
    last_to_begin <= first_to_end
}

const ARM: &str = "const [name, args] = arguments;
    const calls = (window.calls ??= []);
    const channel = new BroadcastChannel('together');
    const hears = (window.hears ??= []);
    const number = calls.length;
    const signal = new Promise((done) => (channel.onmessage = ({ data }) => {
        hears[number] = true;
        if (data === 'begin') done();
    }));
    const run = async () => {
        await signal;
        channel.close();
        const began = Date.now();
        const answer = (await api[name](...args)) ?? null;
        return { answer, began, ended: Date.now() };
    };
    const call = run();
    // It is told to whoever collects it.
    call.catch(() => {});
    calls.push(call);
    return number;";

const HEARS: &str = "return window.hears[arguments[0]] ?? false";

const SAY: &str = "const channel = new BroadcastChannel('together');
    channel.postMessage(arguments[0]);
    channel.close();";

const COLLECT: &str = "return await window.calls[arguments[0]]";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_one_after_the_other_are_not_together() {
        let check = |spans: &[(f64, f64)], expect| {
            let calls = spans.iter().map(|&(began, ended)| Ended {
                answer: Value::Null,
                began,
                ended,
            });
            let calls: Vec<_> = calls.collect();
            assert_eq!(were_together(&calls), expect, "{spans:?}");
        };
        check(&[(1.0, 5.0), (2.0, 6.0), (4.0, 4.5)], true);
        check(&[(1.0, 2.0), (3.0, 4.0)], false);
        check(&[(1.0, 5.0), (2.0, 3.0), (4.0, 6.0)], false);
    }
}
