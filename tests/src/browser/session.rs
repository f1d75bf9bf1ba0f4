//! One WebDriver session: one command at a time, always in the right tab, never without a limit.

use std::{
    future::Future,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use fantoccini::{
    Client, ClientBuilder,
    error::{CmdError, ErrorStatus},
    wd::WindowHandle,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::timeout,
};

use super::{BrowserError, BrowserOptions, Engine, capabilities, cdp::CdpCommand, driver::Driver};

/// A session and its limits.
#[derive(Debug)]
pub(super) struct Session {
    engine: Engine,
    options: BrowserOptions,
    log: PathBuf,
    /// The window that the browser opened by itself: a browser whose last window closes ends its session.
    home: WindowHandle,
    /// A driver that did not answer once will not answer the next command either.
    is_hung: AtomicBool,
    window: Mutex<Window>,
}

/// The session's one current window; whoever holds the lock may change it.
#[derive(Debug)]
struct Window {
    client: Client,
    /// Unknown after a close, and while a switch is under way.
    current: Option<WindowHandle>,
}

impl Session {
    pub(super) async fn open(
        engine: Engine,
        options: &BrowserOptions,
        driver: &Driver,
    ) -> Result<Self, BrowserError> {
        let log = driver.log().to_owned();
        let url = driver.url();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities::of(engine, options)?);
        let client = match timeout(options.launch_timeout, builder.connect(&url)).await {
            Ok(Ok(client)) => client,
            Ok(Err(source)) => {
                let source = Box::new(source);
                return Err(BrowserError::NewSession {
                    engine,
                    source,
                    log,
                });
            }
            Err(_) => {
                return Err(BrowserError::Hung {
                    engine,
                    command: "new session",
                    after: options.launch_timeout,
                    log,
                });
            }
        };
        let home = client
            .window()
            .await
            .map_err(|source| BrowserError::Command {
                engine,
                command: "window handle",
                source: Box::new(source),
            })?;
        Ok(Self {
            engine,
            options: options.clone(),
            log,
            home: home.clone(),
            is_hung: AtomicBool::new(false),
            window: Mutex::new(Window {
                client,
                current: Some(home),
            }),
        })
    }

    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    pub(super) fn options(&self) -> &BrowserOptions {
        &self.options
    }

    pub(super) async fn new_tab(&self) -> Result<WindowHandle, BrowserError> {
        let limit = self.options.command_timeout;
        // MiniBrowser never paints a tab behind another, and a screenshot of it hangs; windows do not hide each other,
        // for want of a window manager.
        let as_tab = self.engine != Engine::WebKit;
        // From the home window: a new tab is opened by the current one, which may just have closed.
        let window = self.switch_to(&self.home).await?;
        let new = self
            .limited("new tab", limit, window.client.new_window(as_tab))
            .await?;
        Ok(new.handle)
    }

    pub(super) async fn tabs(&self) -> Result<Vec<WindowHandle>, BrowserError> {
        let window = self.window.lock().await;
        let limit = self.options.command_timeout;
        let mut handles = self.limited("tabs", limit, window.client.windows()).await?;
        handles.retain(|handle| *handle != self.home);
        Ok(handles)
    }

    pub(super) async fn close_tab(&self, tab: &WindowHandle) -> Result<(), BrowserError> {
        let mut window = self.switch_to(tab).await?;
        window.current = None;
        let limit = self.options.command_timeout;
        self.limited("close tab", limit, window.client.close_window())
            .await
    }

    /// Runs one command in this tab.
    pub(super) async fn in_tab<T, F>(
        &self,
        tab: &WindowHandle,
        command: &'static str,
        limit: Duration,
        run: impl FnOnce(Client) -> F,
    ) -> Result<T, BrowserError>
    where
        F: Future<Output = Result<T, CmdError>>,
    {
        let window = self.switch_to(tab).await?;
        self.limited(command, limit, run(window.client.clone()))
            .await
    }

    pub(super) async fn cdp(
        &self,
        tab: Option<&WindowHandle>,
        method: &str,
        params: Value,
    ) -> Result<Value, BrowserError> {
        if self.engine != Engine::Chromium {
            return Err(BrowserError::Unsupported {
                engine: self.engine,
                what: "Chrome DevTools Protocol",
            });
        }
        let window = self.switch_to(tab.unwrap_or(&self.home)).await?;
        let command = CdpCommand {
            method: method.to_owned(),
            params,
        };
        let limit = self.options.command_timeout;
        self.limited("cdp", limit, window.client.issue_cmd(command))
            .await
    }

    /// Where a browser of Chromium's kind listens to its developer tools.
    pub(super) async fn debugger_address(&self) -> Result<String, BrowserError> {
        let window = self.window.lock().await;
        let options = window.client.capabilities();
        let options = options.and_then(|all| all.get("goog:chromeOptions"));
        let address = options.and_then(|options| options["debuggerAddress"].as_str());
        address.map(str::to_owned).ok_or(BrowserError::Unsupported {
            engine: self.engine,
            what: "Chrome DevTools Protocol",
        })
    }

    pub(super) async fn close(&self) -> Result<(), BrowserError> {
        let window = self.window.lock().await;
        let limit = self.options.command_timeout;
        let client = window.client.clone();
        self.limited("quit", limit, client.close()).await
    }

    /// Makes this tab the current one and keeps it so until the guard is dropped.
    async fn switch_to(&self, tab: &WindowHandle) -> Result<MutexGuard<'_, Window>, BrowserError> {
        let mut window = self.window.lock().await;
        if window.current.as_ref() != Some(tab) {
            window.current = None;
            let limit = self.options.command_timeout;
            let switch = window.client.switch_to_window(tab.clone());
            self.limited("switch tab", limit, switch).await?;
            window.current = Some(tab.clone());
        }
        Ok(window)
    }

    async fn limited<T>(
        &self,
        command: &'static str,
        limit: Duration,
        run: impl Future<Output = Result<T, CmdError>>,
    ) -> Result<T, BrowserError> {
        let hung = || BrowserError::Hung {
            engine: self.engine,
            command,
            after: limit,
            log: self.log.clone(),
        };
        if self.is_hung.load(Ordering::Relaxed) {
            return Err(hung());
        }
        let Ok(result) = timeout(limit, run).await else {
            self.is_hung.store(true, Ordering::Relaxed);
            return Err(hung());
        };
        result.map_err(|error| self.command_error(command, error))
    }

    fn command_error(&self, command: &'static str, error: CmdError) -> BrowserError {
        match error {
            CmdError::Standard(thrown) if thrown.error == ErrorStatus::JavascriptError => {
                BrowserError::Script {
                    message: thrown.message.into_owned(),
                }
            }
            error => BrowserError::Command {
                engine: self.engine,
                command,
                source: Box::new(error),
            },
        }
    }
}
