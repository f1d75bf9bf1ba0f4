//! What a tool made of a file the last time: wasm-opt takes ten seconds for a page, and most builds change few of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::paths;

/// Of one file of the target folder: what was made, of what, and how. A file that is made of something else, or otherwise, takes its place.
#[derive(Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    file: PathBuf,
    how: String,
}

impl Kept {
    /// Of a file that a tool rewrites in its place. `how` is the tool, its version and its arguments.
    pub(super) fn of(file: &Path, how: String) -> Self {
        let target = paths::target();
        let name: Vec<_> = file.strip_prefix(&target).unwrap_or(file).iter().collect();
        let name: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        Self {
            folder: target.join("rewritten").join(name.join("+")),
            file: file.to_owned(),
            how,
        }
    }

    /// Rewrites the file, and returns what the tool said, which `rewrite` need not do again when nothing has changed.
    pub(super) fn or_rewrite(self, rewrite: impl FnOnce() -> Result<String>) -> Result<String> {
        let of = fs::read(&self.file)?;
        let [from, how, made, said] =
            ["from", "how", "made", "said"].map(|it| self.folder.join(it));
        let is_same = |path: &Path, now: &[u8]| fs::read(path).is_ok_and(|then| then == now);
        if is_same(&how, self.how.as_bytes())
            && is_same(&from, &of)
            && let (Ok(made), Ok(said)) = (fs::read(&made), fs::read_to_string(&said))
        {
            fs::write(&self.file, made)?;
            return Ok(said);
        }
        let told = rewrite()?;
        // The last file that is written is the first that is looked at: a build that is interrupted keeps nothing.
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder).with_context(|| self.folder.display().to_string())?;
        fs::write(&from, of)?;
        fs::copy(&self.file, &made)?;
        fs::write(&said, &told)?;
        fs::write(&how, self.how)?;
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_runs_again_only_for_another_file_or_another_way() {
        let folder = paths::target().join("tests-of-xtask");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("kept.txt");
        let mut runs = 0;
        let mut build = |input: &str, how: &str| {
            fs::write(&file, input).unwrap();
            let said = Kept::of(&file, how.to_owned()).or_rewrite(|| {
                runs += 1;
                let made = format!("{how} of {}", fs::read_to_string(&file)?);
                fs::write(&file, made)?;
                Ok(format!("said in run {runs}"))
            });
            (fs::read_to_string(&file).unwrap(), said.unwrap())
        };
        // Whatever an earlier test run has left.
        build("nothing", "none");
        let first = build("a", "half");
        assert_eq!(first.0, "half of a");
        assert_eq!(build("a", "half"), first);
        let second = build("a", "third");
        assert_eq!(second.0, "third of a");
        assert_ne!(second.1, first.1);
        assert_eq!(build("b", "third").0, "third of b");
        assert_eq!(build("b", "third").0, "third of b");
        assert_eq!(runs, 4);
    }

    #[test]
    fn what_a_tool_has_failed_at_is_not_kept() {
        let folder = paths::target().join("tests-of-xtask");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("failed.txt");
        for _ in 0..2 {
            fs::write(&file, "a").unwrap();
            let kept = Kept::of(&file, "how".to_owned());
            assert!(kept.or_rewrite(|| anyhow::bail!("no")).is_err());
        }
        fs::write(&file, "a").unwrap();
        let kept = Kept::of(&file, "how".to_owned());
        let said = kept.or_rewrite(|| Ok("yes".to_owned())).unwrap();
        assert_eq!(said, "yes");
        fs::remove_dir_all(paths::target().join("rewritten/tests-of-xtask+failed.txt")).unwrap();
    }
}
