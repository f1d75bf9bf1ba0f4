//! One tab.

use std::{future::Future, sync::Arc, time::Duration};

use fantoccini::{Client, Locator, error::CmdError, wd::WindowHandle};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{BrowserError, session::Session};

/// A tab of a [`Browser`](super::Browser). Clones are the same tab; dropping one leaves the tab open.
#[derive(Debug, Clone)]
pub struct Tab {
    session: Arc<Session>,
    handle: WindowHandle,
}

impl Tab {
    pub(super) fn new(session: Arc<Session>, handle: WindowHandle) -> Self {
        Self { session, handle }
    }

    /// Loads a page and waits for its `load` event.
    ///
    /// # Errors
    ///
    /// When the page cannot be loaded in time.
    pub async fn goto(&self, url: &str) -> Result<(), BrowserError> {
        let limit = self.session.options().page_load_timeout + MARGIN;
        let url = url.to_owned();
        self.run(
            "goto",
            limit,
            |client| async move { client.goto(&url).await },
        )
        .await
    }

    /// Loads the page again.
    ///
    /// # Errors
    ///
    /// When the page cannot be loaded in time.
    pub async fn reload(&self) -> Result<(), BrowserError> {
        let limit = self.session.options().page_load_timeout + MARGIN;
        self.run(
            "reload",
            limit,
            |client| async move { client.refresh().await },
        )
        .await
    }

    /// Goes back to the page before this one, without waiting for it.
    ///
    /// # Errors
    ///
    /// When the driver does not answer.
    pub async fn back(&self) -> Result<(), BrowserError> {
        let limit = self.session.options().page_load_timeout + MARGIN;
        self.run("back", limit, |client| async move { client.back().await })
            .await
    }

    /// Runs a function body: `return` its value, find `args` in `arguments`.
    ///
    /// # Errors
    ///
    /// [`BrowserError::Script`] with the JavaScript error's text when it throws.
    pub async fn eval(&self, script: &str, args: Vec<Value>) -> Result<Value, BrowserError> {
        let limit = self.session.options().script_timeout + MARGIN;
        let script = script.to_owned();
        self.run("eval", limit, |client| async move {
            client.execute(&script, args).await
        })
        .await
    }

    /// Runs the body of an `async` function and waits for what it returns; `args` are its `arguments`.
    ///
    /// # Errors
    ///
    /// [`BrowserError::Script`] with the JavaScript error's text when it throws or takes longer than
    /// [`script_timeout`](super::BrowserOptions::script_timeout).
    pub async fn eval_async(&self, script: &str, args: Vec<Value>) -> Result<Value, BrowserError> {
        let limit = self.session.options().script_timeout;
        self.eval_async_within(limit, script, args).await
    }

    /// Like [`Tab::eval_async`], with a limit below the session's.
    ///
    /// # Errors
    ///
    /// As [`Tab::eval_async`].
    pub async fn eval_async_within(
        &self,
        limit: Duration,
        script: &str,
        mut args: Vec<Value>,
    ) -> Result<Value, BrowserError> {
        // The driver's own limit ends the session's patience, not the script: keep ahead of it.
        let session_limit = self.session.options().script_timeout;
        let limit_ms = limit.min(session_limit.mul_f64(0.9)).as_millis();
        let script = ASYNC_WRAPPER.replace("SCRIPT", script);
        args.push(json!(u64::try_from(limit_ms).unwrap_or(u64::MAX)));
        let outcome = self
            .run("eval async", session_limit + MARGIN, |client| async move {
                client.execute_async(&script, args).await
            })
            .await?;
        match outcome.get("error") {
            Some(error) => Err(BrowserError::Script {
                message: error.as_str().unwrap_or_default().to_owned(),
            }),
            None => Ok(outcome.get("value").cloned().unwrap_or_default()),
        }
    }

    /// Runs a function body again and again until it returns something truthy, and returns that.
    ///
    /// # Errors
    ///
    /// [`BrowserError::WaitTimeout`] with the last value, the page's address and the end of its log.
    pub async fn wait_for(&self, script: &str, within: Duration) -> Result<Value, BrowserError> {
        let deadline = Instant::now() + within;
        loop {
            // A page that still loads throws: only the last answer matters.
            let last = match self.eval(script, vec![]).await {
                Ok(value) if is_truthy(&value) => return Ok(value),
                Ok(value) => value.to_string(),
                Err(BrowserError::Script { message }) => format!("threw {message}"),
                Err(error) => return Err(error),
            };
            if Instant::now() >= deadline {
                return Err(BrowserError::WaitTimeout {
                    script: script.to_owned(),
                    after: within,
                    last,
                    page: self.describe().await,
                });
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// The lines that [`PAGE_LOG_SCRIPT`](super::PAGE_LOG_SCRIPT) has kept; none where the page does not include it.
    ///
    /// # Errors
    ///
    /// When the driver does not answer.
    pub async fn page_log(&self) -> Result<Vec<String>, BrowserError> {
        let lines = self.eval("return window.__log || []", vec![]).await?;
        let lines = lines.as_array().into_iter().flatten();
        Ok(lines.filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// The text of the first element that matches.
    ///
    /// # Errors
    ///
    /// [`BrowserError::NoSuchElement`].
    pub async fn text(&self, css: &str) -> Result<String, BrowserError> {
        let script = "return document.querySelector(arguments[0])?.textContent ?? null";
        match self.eval(script, vec![json!(css)]).await? {
            Value::String(text) => Ok(text),
            _ => Err(no_such_element(css)),
        }
    }

    /// Clicks the first element that matches, as a user would.
    ///
    /// # Errors
    ///
    /// [`BrowserError::NoSuchElement`], or when it is covered by another element.
    pub async fn click(&self, css: &str) -> Result<(), BrowserError> {
        let selector = css.to_owned();
        self.element("click", css, |client| async move {
            client.find(Locator::Css(&selector)).await?.click().await
        })
        .await
    }

    /// Types into the first element that matches, key by key.
    ///
    /// # Errors
    ///
    /// [`BrowserError::NoSuchElement`], or when it cannot be typed into.
    pub async fn type_text(&self, css: &str, text: &str) -> Result<(), BrowserError> {
        let (selector, text) = (css.to_owned(), text.to_owned());
        self.element("type", css, |client| async move {
            client
                .find(Locator::Css(&selector))
                .await?
                .send_keys(&text)
                .await
        })
        .await
    }

    /// A picture of the page as PNG.
    ///
    /// # Errors
    ///
    /// When the driver cannot make one.
    pub async fn screenshot(&self) -> Result<Vec<u8>, BrowserError> {
        let limit = self.session.options().command_timeout;
        self.run("screenshot", limit, |client| async move {
            client.screenshot().await
        })
        .await
    }

    /// Sends a command of the Chrome DevTools Protocol to this tab.
    ///
    /// # Errors
    ///
    /// On other engines than Chromium, and when the command is refused.
    pub async fn cdp(&self, method: &str, params: Value) -> Result<Value, BrowserError> {
        self.session.cdp(Some(&self.handle), method, params).await
    }

    /// The WebSocket at which the Chrome DevTools Protocol tells the events of this tab, which [`cdp`](Self::cdp) can't.
    ///
    /// # Errors
    ///
    /// On other engines than Chromium.
    pub async fn devtools_url(&self) -> Result<String, BrowserError> {
        let address = self.session.debugger_address().await?;
        let target = String::from(self.handle.clone());
        Ok(format!("ws://{address}/devtools/page/{target}"))
    }

    /// Closes the tab.
    ///
    /// # Errors
    ///
    /// When it is closed already.
    pub async fn close(self) -> Result<(), BrowserError> {
        self.session.close_tab(&self.handle).await
    }

    async fn element<F>(
        &self,
        command: &'static str,
        css: &str,
        run: impl FnOnce(Client) -> F,
    ) -> Result<(), BrowserError>
    where
        F: Future<Output = Result<(), CmdError>>,
    {
        let limit = self.session.options().command_timeout;
        match self.run(command, limit, run).await {
            Err(BrowserError::Command { source, .. }) if source.is_no_such_element() => {
                Err(no_such_element(css))
            }
            result => result,
        }
    }

    async fn run<T, F>(
        &self,
        command: &'static str,
        limit: Duration,
        run: impl FnOnce(Client) -> F,
    ) -> Result<T, BrowserError>
    where
        F: Future<Output = Result<T, CmdError>>,
    {
        self.session.in_tab(&self.handle, command, limit, run).await
    }

    async fn describe(&self) -> String {
        match self.eval(DESCRIBE, vec![]).await {
            Ok(Value::String(text)) => text,
            other => format!("{other:?}"),
        }
    }
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_true) => *is_true,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn no_such_element(css: &str) -> BrowserError {
    BrowserError::NoSuchElement {
        css: css.to_owned(),
    }
}

const POLL_INTERVAL: Duration = Duration::from_millis(40);

/// How long the driver may take to report its own time-out.
const MARGIN: Duration = Duration::from_secs(10);

/// Its last two arguments are our limit and the driver's callback.
const ASYNC_WRAPPER: &str = r"
const all = Array.from(arguments), done = all.pop(), limit = all.pop();
const show = (error) => error instanceof Error ? `${error.name}: ${error.message}` : String(error);
const late = new Promise((_, fail) => setTimeout(() => fail(new Error(`not done within ${limit} ms`)), limit));
const work = (async function () { SCRIPT
}).apply(null, all);
Promise.race([work, late]).then(
  (value) => done({ value: value === undefined ? null : value }),
  (error) => done({ error: show(error) }),
);";

const DESCRIBE: &str = r##"
const log = window.__log || [];
const shown = [...document.querySelectorAll("#status, #log, #output")].map((e) => `#${e.id}: ${e.textContent.slice(-400)}`);
return [location.href, document.readyState, ...shown, ...log.slice(-20)].join("\n    ");"##;
