//! The processes of one browser, and the certainty that they end with it.
//!
//! A browser is dozens of processes: some change their process group, some outlive their parent, and neither a panic
//! nor a kill of the test run may leave any behind. So every process carries a mark in its environment, which its
//! children inherit, and a small shell waits at the end of a pipe that closes when we end, in whatever way; it then
//! kills whatever bears the mark.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io, iter,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use super::BrowserError;

/// Processes that end together, and their folder for temporary files.
#[derive(Debug)]
pub(crate) struct ProcessTree {
    reaper: Child,
    children: Vec<Child>,
    mark: String,
    scratch: PathBuf,
    log: PathBuf,
}

impl ProcessTree {
    /// Prepares a tree without processes; its log is `<folder>/<name>-<number>.log`.
    pub(crate) fn new(log_folder: &Path, name: &str) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number}", std::process::id());
        fs::create_dir_all(log_folder)?;
        let log = log_folder.join(format!("{name}-{id}.log"));
        File::create(&log)?;
        // The reaper removes the folder, so that it goes even when we are killed.
        let scratch = TempDir::with_prefix("onesocket-")?.keep();
        let mark = format!("{MARK}={id}");
        let reaper = Command::new("sh")
            .arg("-c")
            .arg(REAPER)
            .arg("onesocket-reaper")
            .arg(&mark)
            .arg(&scratch)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C goes to the whole group of the terminal.
            .process_group(0)
            .spawn()?;
        Ok(Self {
            reaper,
            children: Vec::new(),
            mark,
            scratch,
            log,
        })
    }

    /// A command whose process, and all that come from it, belong to the tree.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> io::Result<Command> {
        let (key, value) = self.mark.split_once('=').unwrap_or((MARK, ""));
        let log = || File::options().append(true).open(&self.log);
        let mut command = Command::new(program);
        command
            .env(key, value)
            // Profiles, caches and settings: nothing of the user's is read or changed.
            .env("TMPDIR", &self.scratch)
            .env("HOME", &self.scratch)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_DATA_HOME")
            // WebKit asks the user's proxy even for this machine's own pages.
            .envs(NO_PROXY.map(|key| (key, with_loopback(env::var_os(key)))))
            .stdin(Stdio::null())
            .stdout(log()?)
            .stderr(log()?)
            .process_group(0);
        Ok(command)
    }

    /// Starts a process of the tree.
    pub(crate) fn spawn(&mut self, mut command: Command) -> Result<&mut Child, BrowserError> {
        let child = command.spawn().map_err(|source| BrowserError::Spawn {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        self.children.push(child);
        let last = self.children.len() - 1;
        Ok(&mut self.children[last])
    }

    /// Whether the process that was started last has ended.
    pub(crate) fn has_last_ended(&mut self) -> bool {
        let last = self.children.last_mut();
        last.is_some_and(|child| !matches!(child.try_wait(), Ok(None)))
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Returns how long each process that descends from the tree's has run so far, in the kernel's ticks.
    pub(crate) fn cpu_times(&self) -> BTreeMap<u32, u64> {
        let all: BTreeMap<u32, Usage> = processes().collect();
        let roots: Vec<u32> = self.children.iter().map(Child::id).collect();
        let is_ours = |id: u32| {
            let ancestors = iter::successors(Some(id), |id| all.get(id).map(|usage| usage.parent));
            ancestors.take(MAX_DEPTH).any(|id| roots.contains(&id))
        };
        all.iter()
            .filter(|(id, _)| is_ours(**id))
            .map(|(id, usage)| (*id, usage.ticks))
            .collect()
    }

    /// Returns the proportional memory of all of them, in KiB: what they share counts once.
    pub(crate) fn memory_kib(&self) -> u64 {
        let processes = self.cpu_times().into_keys();
        let memory = processes.filter_map(|id| {
            let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
            let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            pss.split_whitespace().next()?.parse::<u64>().ok()
        });
        memory.sum()
    }

    /// Sends a signal to every process of the tree, also to those that begin meanwhile.
    pub(crate) fn signal_all(&self, signal: &'static str) -> Result<(), BrowserError> {
        let mut told = BTreeSet::new();
        loop {
            let all = self.cpu_times().into_keys();
            let new: Vec<u32> = all.filter(|process| told.insert(*process)).collect();
            if new.is_empty() {
                return Ok(());
            }
            // It fails when one of them has ended by itself, and tells the others all the same.
            send_signal(signal, &new)?;
        }
    }

    /// Sends a signal to one process of the tree.
    pub(crate) fn signal(&self, process: u32, signal: &'static str) -> Result<(), BrowserError> {
        if !self.cpu_times().contains_key(&process) {
            return Err(BrowserError::NoProcess);
        }
        match send_signal(signal, &[process])? {
            true => Ok(()),
            false => Err(BrowserError::NoProcess),
        }
    }
}

/// Returns whether all of them were there.
fn send_signal(signal: &'static str, processes: &[u32]) -> Result<bool, BrowserError> {
    let status = Command::new("kill")
        .args(["-s", signal])
        .args(processes.iter().map(u32::to_string))
        .status();
    let status = status.map_err(|source| BrowserError::Spawn {
        program: "kill".to_owned(),
        source,
    })?;
    Ok(status.success())
}

impl Drop for ProcessTree {
    fn drop(&mut self) {
        drop(self.reaper.stdin.take());
        // Nothing can be done about a failure here, and the reaper has a bound of its own.
        let _ = self.reaper.wait();
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What the kernel says of a process.
struct Usage {
    parent: u32,
    ticks: u64,
}

fn processes() -> impl Iterator<Item = (u32, Usage)> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders.filter_map(|folder| {
        let id = folder.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(folder.path().join("stat")).ok()?;
        // The program's name is in parentheses, and may have any character in it.
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let usage = Usage {
            parent: number(1)?.try_into().ok()?,
            ticks: number(11)? + number(12)?,
        };
        Some((id, usage))
    })
}

/// Browsers nest their processes a few levels deep.
const MAX_DEPTH: usize = 32;

/// Adds this machine to the hosts that need no proxy.
fn with_loopback(hosts: Option<OsString>) -> OsString {
    let mut hosts = hosts.unwrap_or_default();
    if !hosts.is_empty() {
        hosts.push(",");
    }
    hosts.push("127.0.0.1,localhost,::1");
    hosts
}

/// Some programs read only the one, some only the other, and where both are read they need not agree.
const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// A port that nobody listens on at the moment.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Waits for the port to open; `false` when the process ended first or time is up.
pub(crate) async fn is_listening(tree: &mut ProcessTree, port: u16, deadline: Instant) -> bool {
    while Instant::now() < deadline && !tree.has_last_ended() {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return true;
        }
        sleep(Duration::from_millis(20)).await;
    }
    false
}

const MARK: &str = "ONESOCKET_BROWSER";

/// `read` returns when the other end of the pipe is closed. A zombie has no environment, so the loop ends when nothing
/// with the mark runs; processes that hide their environment are Chromium's helpers, which end with their browser.
const REAPER: &str = r#"
trap '' HUP INT TERM
read -r _
rounds=0
while [ "$rounds" -lt 100 ]; do
    marked=$(grep -lszx -e "$1" /proc/[0-9]*/environ)
    [ -n "$marked" ] || break
    for file in $marked; do
        pid=${file#/proc/}
        kill -9 "${pid%/environ}" 2>/dev/null
    done
    rounds=$((rounds + 1))
    sleep 0.02
done
rounds=0
while ! rm -rf "$2" && [ "$rounds" -lt 20 ]; do
    rounds=$((rounds + 1))
    sleep 0.05
done
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_machine_were_asked_of_a_proxy() {
        let logs = TempDir::with_prefix("onesocket-tests-").unwrap();
        let tree = ProcessTree::new(logs.path(), "none").unwrap();
        let command = tree.command("none").unwrap();
        for key in NO_PROXY {
            let hosts = command.get_envs().find(|(name, _)| *name == key);
            let hosts = hosts.and_then(|(_, hosts)| hosts?.to_str()).unwrap();
            assert!(hosts.ends_with("127.0.0.1,localhost,::1"), "{key}={hosts}");
        }
    }

    #[test]
    fn hosts_that_need_no_proxy_are_kept() {
        let hosts = |hosts: Option<&str>| with_loopback(hosts.map(OsString::from));
        assert_eq!(hosts(None), "127.0.0.1,localhost,::1");
        assert_eq!(hosts(Some("")), "127.0.0.1,localhost,::1");
        assert_eq!(hosts(Some("a.b,*")), "a.b,*,127.0.0.1,localhost,::1");
    }
}
