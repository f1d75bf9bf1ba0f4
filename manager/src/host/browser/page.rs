//! What the page contributes: where its scripts are, and what happens to it.

use core::cell::RefCell;
use std::rc::{Rc, Weak};

use onesocket_engine::TabSession;
use wasm_bindgen::JsCast;
use web_sys::{Document, Event, EventTarget, PageTransitionEvent, Url, Window};

use super::{
    cached, climb_back, election, health,
    js::{Listener, get},
};
use crate::{ConfigError, ManagerConfig, core::Core};

#[derive(Debug)]
pub(super) struct Page {
    window: Window,
    /// Absolute, and of the page's own origin.
    pub(super) script: String,
    listeners: RefCell<Vec<Listener>>,
    /// The directive of the page's policy that has refused the worker's script.
    violation: Rc<RefCell<Option<String>>>,
}

impl Page {
    /// `None` where there is no window.
    pub(super) fn new(config: &ManagerConfig) -> Result<Option<Self>, ConfigError> {
        let Some(window) = web_sys::window() else {
            return Ok(None);
        };
        let script = resolve(&window, &config.script)?;
        Ok(Some(Self {
            window,
            script,
            listeners: RefCell::default(),
            violation: Rc::default(),
        }))
    }

    /// Returns where a script is, as the page would load it.
    pub(super) fn resolve(&self, script: &str) -> Result<String, ConfigError> {
        resolve(&self.window, script)
    }

    /// Passes on what happens to the page.
    pub(super) fn listen(&self, core: &Rc<Core>) {
        let online = |event, online| {
            self.on(core, event, move |core, _| {
                core.with_session(|session| {
                    session.handle_network(online);
                    if online {
                        session.wake();
                    }
                });
                if online {
                    climb_back::on_online(core);
                }
            })
        };
        // A page that is just loaded shows itself too, and connects anyway.
        let back = self.on(core, "pageshow", |core, event| {
            if is_kept(&event) {
                // No event has told what has changed meanwhile.
                tell_network(core);
                election::step_up(core);
                cached::on_shown(core);
                wake(core);
            }
        });
        // Firefox breaks off the first script that runs once a process is to end with its last tab (`HangMonitorChild::InterruptCallback` in
        // `dom/ipc/ProcessHangMonitor.cpp`, 153): this one instead of the goodbye.
        let first = self.on(core, "pagehide", |_, _| ());
        let leave = self.on(core, "pagehide", |core, event| {
            if is_kept(&event) {
                let has_ended = election::step_back(core);
                cached::on_hidden(core, has_ended);
            } else {
                core.with_session(TabSession::bye);
            }
        });
        *self.listeners.borrow_mut() = vec![
            online("online", true),
            online("offline", false),
            back,
            first,
            leave,
        ];
        self.listeners.borrow_mut().extend(self.watch_policy());
        self.listeners
            .borrow_mut()
            .extend(self.watch_document(core));
        tell_network(core);
    }

    /// Returns whether somebody may look at it.
    pub(super) fn is_shown(&self) -> bool {
        let document = self.window.document();
        document.is_some_and(|document| !document.hidden())
    }

    pub(super) fn stop_listening(&self) {
        self.listeners.take();
    }

    /// Returns the directive of the page's policy that has refused the worker's script.
    pub(super) fn violation(&self) -> Option<String> {
        self.violation.borrow().clone()
    }

    /// Chromium alone tells of a page that it [freezes](https://wicg.github.io/page-lifecycle/).
    fn watch_document(&self, core: &Rc<Core>) -> Vec<Listener> {
        let Some(document) = self.window.document() else {
            return Vec::new();
        };
        set_pace(core, &document);
        // What such a page asks of workers and locks waits until it is shown, while its timers run:
        // <https://wicg.github.io/nav-speculation/prerendering.html#nonobservable-changes>
        if get(&document, "prerendering").is_truthy() {
            election::step_back(core);
        }
        let shown = document.clone();
        vec![
            on(&document, core, "prerenderingchange", |core, _| {
                election::step_up(core)
            }),
            on(&document, core, "visibilitychange", move |core, _| {
                set_pace(core, &shown);
                if !shown.hidden() {
                    // A page that was frozen has missed the events.
                    tell_network(core);
                    wake(core);
                }
            }),
            on(&document, core, "freeze", |core, _| {
                election::step_back(core);
            }),
            on(&document, core, "resume", |core, _| {
                tell_network(core);
                election::step_up(core);
            }),
        ]
    }

    /// A refusal of the diagnosis itself (`connect-src`) says nothing about the worker.
    fn watch_policy(&self) -> Option<Listener> {
        let (violation, script) = (Rc::clone(&self.violation), self.script.clone());
        let document = self.window.document()?;
        Some(Listener::new(
            &document,
            "securitypolicyviolation",
            move |event| {
                let text = |name| get(&event, name).as_string().unwrap_or_default();
                let directive = text("effectiveDirective");
                let is_about_workers = matches!(
                    directive.as_str(),
                    "worker-src" | "child-src" | "script-src" | "default-src"
                );
                // A policy that only reports refuses nothing.
                let is_refusal = text("disposition") != "report";
                if is_about_workers
                    && is_refusal
                    && without_fragment(&text("blockedURI")) == without_fragment(&script)
                {
                    *violation.borrow_mut() = Some(directive);
                }
            },
        ))
    }

    fn on(
        &self,
        core: &Rc<Core>,
        event: &'static str,
        action: impl Fn(&Rc<Core>, Event) + 'static,
    ) -> Listener {
        on(&self.window, core, event, action)
    }
}

/// Whoever looks at the page again must look neither at one whose worker hangs, nor at one whose socket is dead.
fn wake(core: &Rc<Core>) {
    health::check_shown(core);
    core.with_session(TabSession::wake);
}

fn set_pace(core: &Rc<Core>, document: &Document) {
    let ManagerConfig {
        pace, hidden_pace, ..
    } = core.config;
    let pace = if document.hidden() { hidden_pace } else { pace };
    core.with_session(|session| session.set_pace(pace));
}

fn on(
    target: &EventTarget,
    core: &Rc<Core>,
    event: &'static str,
    action: impl Fn(&Rc<Core>, Event) + 'static,
) -> Listener {
    let core: Weak<Core> = Rc::downgrade(core);
    Listener::new(target, event, move |event| {
        if let Some(core) = core.upgrade() {
            action(&core, event);
        }
    })
}

/// Tells what the browser says of its network, online too: a tab that has said offline may be gone by now, and the worker still believes it.
fn tell_network(core: &Rc<Core>) {
    if let Some(page) = &core.host.page {
        let online = page.window.navigator().on_line();
        core.with_session(|session| session.handle_network(online));
        if online {
            // The event that would have said so may have been missed.
            climb_back::on_online(core);
        }
    }
}

/// Whether the page goes to the back/forward cache, or comes from there.
fn is_kept(event: &Event) -> bool {
    event
        .dyn_ref::<PageTransitionEvent>()
        .is_some_and(PageTransitionEvent::persisted)
}

/// A report has no fragment of a URL: <https://w3c.github.io/webappsec-csp/#strip-url-for-use-in-reports>
fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(url, _)| url)
}

fn resolve(window: &Window, script: &str) -> Result<String, ConfigError> {
    let invalid = |_| ConfigError::InvalidScript {
        script: script.to_owned(),
    };
    let page = window.location().href().map_err(invalid)?;
    let base = window
        .document()
        .and_then(|document| document.base_uri().ok().flatten());
    let url = Url::new_with_base(script, base.as_deref().unwrap_or(&page)).map_err(invalid)?;
    if matches!(url.protocol().as_str(), "blob:" | "data:" | "javascript:") {
        return Err(ConfigError::ScriptScheme {
            scheme: url.protocol(),
        });
    }
    let page_origin = Url::new(&page).map_err(invalid)?.origin();
    // A page without a URL of its own (`about:srcdoc`) goes by its base, as the browser does when it fetches.
    let has_origin = page_origin != "null";
    if has_origin && url.origin() != page_origin {
        return Err(ConfigError::CrossOriginScript {
            script_origin: url.origin(),
            page_origin,
        });
    }
    Ok(url.href())
}
