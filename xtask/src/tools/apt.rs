//! Debian packages: installed when that needs no question, else the command that a reader has to run.

use anyhow::{Result, bail};

use crate::{paths, shell::Shell};

/// Installs these packages, or fails with the exact command that does.
pub(super) fn install(packages: &[&str], why: &str) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("sudo apt-get update && sudo apt-get install -y {list}");
    let Some(prefix) = privilege() else {
        bail!("{why}; install it with: {by_hand}");
    };
    println!("{why}; installing {list}");
    apt(&prefix, &["update"], &by_hand)?;
    apt(
        &prefix,
        &[&["install", "-y", "--no-install-recommends"], packages].concat(),
        &by_hand,
    )
}

/// The words before `apt-get` that give the right to install, or `None` where there is no such right.
fn privilege() -> Option<Vec<&'static str>> {
    paths::on_path("apt-get")?;
    let is_root = Shell::new("id").arg("-u").read().ok()?.trim() == "0";
    if is_root {
        return Some(vec!["env"]);
    }
    let can_sudo = Shell::new("sudo").args(["-n", "true"]).read().is_ok();
    can_sudo.then(|| vec!["sudo", "-n", "env"])
}

fn apt(prefix: &[&str], args: &[&str], by_hand: &str) -> Result<()> {
    Shell::new(prefix[0])
        .args(&prefix[1..])
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"])
        .args(args)
        .advice(format!("install it by hand: {by_hand}"))
        .run()
}
