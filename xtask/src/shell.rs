//! Runs other programs; a failure names the whole command line and what to do about it.

use std::{
    ffi::{OsStr, OsString},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::paths;

/// One external command, run from the workspace root.
#[derive(Debug)]
pub(crate) struct Shell {
    command: Command,
    advice: Option<String>,
}

impl Shell {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(paths::root()).stdin(Stdio::null());
        if let Some(path) = paths::other_path() {
            command.env("PATH", path);
        }
        Self {
            command,
            advice: None,
        }
    }

    /// The cargo that started us, so that a toolchain override holds for everything below.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// git, of this clone. Whoever runs its code trusts it, whoever it belongs to: in a container that is somebody else.
    pub(crate) fn git() -> Self {
        let root = paths::root();
        // It knows folders by their real names.
        let root = root.canonicalize().unwrap_or(root);
        let mut safe = OsString::from("safe.directory=");
        safe.push(root);
        Self::new("git").arg("-c").arg(safe)
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub(crate) fn env_remove(mut self, key: &str) -> Self {
        self.command.env_remove(key);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Lets the command read what is typed.
    pub(crate) fn interactive(mut self) -> Self {
        self.command.stdin(Stdio::inherit());
        self
    }

    /// What to tell the reader when the command fails.
    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Runs to the end with its output passed on.
    pub(crate) fn run(mut self) -> Result<()> {
        let line = self.line();
        println!("$ {line}");
        let status = self.command.status().with_context(|| self.report(&line))?;
        if !status.success() {
            bail!("{} ({status})", self.report(&line));
        }
        Ok(())
    }

    /// Runs to the end and hands over each line of its standard output.
    pub(crate) fn stream(mut self, mut each: impl FnMut(&str)) -> Result<()> {
        let line = self.line();
        println!("$ {line}");
        self.command.stdout(Stdio::piped());
        let mut child = self.command.spawn().with_context(|| self.report(&line))?;
        if let Some(stdout) = child.stdout.take() {
            for out in BufReader::new(stdout).split(b'\n') {
                each(&String::from_utf8_lossy(&out?));
            }
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("{} ({status})", self.report(&line));
        }
        Ok(())
    }

    /// Says what runs, and returns its standard output.
    pub(crate) fn read_aloud(self) -> Result<String> {
        println!("$ {}", self.line());
        self.read()
    }

    /// Runs quietly and returns its standard output.
    pub(crate) fn read(mut self) -> Result<String> {
        let line = self.line();
        let output = self.command.output().with_context(|| self.report(&line))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("{} ({})\n{stderr}", self.report(&line), output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn line(&self) -> String {
        // Without its folder the line can be repeated on another machine.
        let program = Path::new(self.command.get_program()).file_name();
        let parts = program.into_iter().chain(self.command.get_args());
        parts
            .map(|part| part.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn report(&self, line: &str) -> String {
        match &self.advice {
            Some(advice) => format!("failed: {line}\n  {advice}"),
            None => format!("failed: {line}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_of_another_user_counted_as_none() {
        let git = Shell::git().args(["rev-parse", "--is-inside-work-tree"]);
        let said = git.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1").read();
        assert_eq!(said.unwrap().trim(), "true");
    }
}
