//! A WebDriver process on a port of its own, with a display where its browser needs one.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
};

use tokio::time::{Instant, timeout_at};

use super::{
    BrowserError, BrowserOptions, Engine,
    capabilities::is_root,
    engine,
    process::{ProcessTree, free_port, is_listening},
};

/// A driver that accepts sessions.
#[derive(Debug)]
pub(super) struct Driver {
    tree: ProcessTree,
    port: u16,
}

impl Driver {
    pub(super) async fn start(
        engine: Engine,
        options: &BrowserOptions,
    ) -> Result<Self, BrowserError> {
        let deadline = Instant::now() + options.launch_timeout;
        let program = engine.driver()?;
        let name = program.display().to_string();
        let spawn_error = |source| BrowserError::Spawn {
            program: name.clone(),
            source,
        };
        let mut tree = ProcessTree::new(&options.log_folder, engine.name()).map_err(spawn_error)?;
        let display = match engine {
            Engine::WebKit => Some(start_display(&mut tree, deadline, options).await?),
            Engine::Chromium | Engine::Firefox => None,
        };
        // Another process may take the free port before the driver does.
        for _ in 0..ATTEMPTS {
            let port = free_port().map_err(spawn_error)?;
            let mut command = tree.command(&program).map_err(spawn_error)?;
            command.arg(format!("--port={port}"));
            match engine {
                Engine::Chromium => {}
                Engine::Firefox => {
                    let websocket = free_port().map_err(spawn_error)?;
                    command.arg(format!("--websocket-port={websocket}"));
                }
                Engine::WebKit => {
                    command.envs(display.iter().map(|display| ("DISPLAY", display)));
                    command
                        .envs(WEBKIT_ENVIRONMENT)
                        .env_remove("WAYLAND_DISPLAY");
                    if is_root() {
                        command.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
                    }
                }
            }
            tree.spawn(command)?;
            if is_listening(&mut tree, port, deadline).await {
                return Ok(Self { tree, port });
            }
        }
        Err(BrowserError::NotReady {
            program: name,
            after: options.launch_timeout,
            log: tree.log().to_owned(),
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn tree(&self) -> &ProcessTree {
        &self.tree
    }

    pub(super) fn log(&self) -> &Path {
        self.tree.log()
    }
}

/// Starts an X server that picks its own number, and returns `:<number>`.
async fn start_display(
    tree: &mut ProcessTree,
    deadline: Instant,
    options: &BrowserOptions,
) -> Result<String, BrowserError> {
    let program =
        engine::on_path("Xvfb").ok_or(BrowserError::MissingProgram { program: "Xvfb" })?;
    let spawn_error = |source| BrowserError::Spawn {
        program: "Xvfb".to_owned(),
        source,
    };
    let mut command = tree.command(program).map_err(spawn_error)?;
    command
        .args(["-displayfd", "1", "-screen", "0", "1280x1000x24"])
        .args(["-nolisten", "tcp", "-noreset"])
        .stdout(Stdio::piped());
    let stdout = tree.spawn(command)?.stdout.take();
    let read = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(stdout?).read_line(&mut line).ok()?;
        line.trim().parse::<u32>().ok()
    });
    match timeout_at(deadline, read).await {
        Ok(Ok(Some(number))) => Ok(format!(":{number}")),
        _ => Err(BrowserError::NotReady {
            program: "Xvfb".to_owned(),
            after: options.launch_timeout,
            log: tree.log().to_owned(),
        }),
    }
}

const ATTEMPTS: u32 = 3;

/// There is no desktop session and no graphics card to talk to.
const WEBKIT_ENVIRONMENT: [(&str, &str); 5] = [
    ("GDK_BACKEND", "x11"),
    ("NO_AT_BRIDGE", "1"),
    ("GTK_A11Y", "none"),
    ("LIBGL_ALWAYS_SOFTWARE", "1"),
    ("DBUS_SESSION_BUS_ADDRESS", "disabled:"),
];
