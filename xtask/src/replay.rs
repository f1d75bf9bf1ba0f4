//! `cargo xtask replay FILE`.

use std::path::Path;

use anyhow::Result;

use crate::shell::Shell;

/// Replays a recording of the inspector's.
pub(crate) fn run(file: &Path) -> Result<()> {
    shell(file)?.run()
}

fn shell(file: &Path) -> Result<Shell> {
    Ok(Shell::cargo()
        .args(["run", "--quiet", "--package", "onesocket-tests"])
        .args(["--bin", "replay", "--"])
        // The caller's folder need not be the workspace's.
        .arg(std::path::absolute(file)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_in_the_folder_of_the_caller_was_looked_for_in_the_workspace() {
        let here = std::env::current_dir().unwrap();
        let shell = format!("{:?}", shell(Path::new("recording.json")).unwrap());
        let file = here.join("recording.json");
        assert!(shell.contains(&file.display().to_string()), "{shell}");
    }
}
