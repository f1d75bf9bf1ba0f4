//! Turns of commands that run at once: they share the target folder, and would take files from under each other.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use crate::paths;

/// What only one `cargo xtask` at a time does with a target folder. Who needs both turns takes [`Self::Pages`] first.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn {
    /// Builds pages. Who serves them needs no turn: each folder is replaced in one step.
    Build,
    /// Runs the tests' pages or the benchmark's, all of one build.
    Pages,
}

impl Turn {
    /// Waits for it, and says so.
    pub(crate) fn take(self) -> Held {
        let name = match self {
            Self::Build => "build",
            Self::Pages => "pages",
        };
        Held::take(&paths::target().join(format!("xtask-{name}.lock")))
    }
}

/// A turn, until it is dropped or the process ends.
#[derive(Debug)]
#[must_use]
pub(crate) struct Held {
    _lock: Option<File>,
}

impl Held {
    fn take(path: &Path) -> Self {
        let folder = path.parent().unwrap_or(path);
        // Where nothing can be written, or nothing locked, whatever comes next says why it fails, or goes well without turns.
        let made = fs::create_dir_all(folder).and_then(|()| File::create(path));
        let lock = made.ok().filter(|file| match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                println!(
                    "another `cargo xtask` works in {}: waiting for it to end (another CARGO_TARGET_DIR would not)",
                    folder.display()
                );
                file.lock().is_ok()
            }
            Err(TryLockError::Error(_)) => false,
        });
        Self { _lock: lock }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;

    #[test]
    fn two_commands_take_turns() {
        let path = paths::target().join("tests-of-xtask/turn.lock");
        let first = Held::take(&path);
        let (taken, second) = mpsc::channel();
        let waiting = thread::spawn(move || taken.send(Held::take(&path)).unwrap());
        assert!(second.recv_timeout(Duration::from_millis(50)).is_err());
        drop(first);
        drop(second.recv().unwrap());
        waiting.join().unwrap();
    }
}
