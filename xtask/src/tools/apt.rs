//! Debian packages: installed when that needs no question, else the command that a reader has to run.

use std::fs;

use anyhow::{Result, bail, ensure};

use crate::{paths, shell::Shell};

/// A package, and what is needed of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) has: &'static str,
}

impl Package {
    /// What is needed has the package's name.
    pub(super) const fn named(name: &'static str) -> Self {
        Self { name, has: name }
    }
}

/// Installs these packages, or fails with the exact command that does; elsewhere than on Debian with what is needed.
pub(super) fn install(packages: &[Package], why: &str) -> Result<()> {
    let os = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let distribution = distribution(&os);
    ensure!(
        distribution == "debian",
        "{}",
        elsewhere(distribution, packages, why)
    );
    let names: Vec<_> = packages.iter().map(|package| package.name).collect();
    let list = names.join(" ");
    let by_hand = format!("sudo apt-get update && sudo apt-get install -y {list}");
    let Some(prefix) = privilege() else {
        bail!("{why}; install it with: {by_hand}");
    };
    println!("{why}; installing {list}");
    apt(&prefix, &["update"], &by_hand)?;
    apt(
        &prefix,
        &[&["install", "-y", "--no-install-recommends"], &names[..]].concat(),
        &by_hand,
    )
}

/// The `ID` of an os-release file. Ubuntu is not Debian: its chromium and firefox are snaps, and it has no firefox-esr.
fn distribution(os_release: &str) -> &str {
    let mut lines = os_release.lines();
    let id = lines.find_map(|line| line.strip_prefix("ID="));
    id.map_or("unknown", |id| id.trim_matches(['"', '\'']))
}

fn elsewhere(distribution: &str, packages: &[Package], why: &str) -> String {
    let needed: Vec<_> = packages.iter().map(|package| package.has).collect();
    format!(
        "{why}, and only Debian's packages are known here; this system is {distribution}. Install by hand: {}",
        needed.join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_is_told_from_what_is_like_it() {
        let ubuntu =
            "PRETTY_NAME=\"Ubuntu 24.04\"\nVERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n";
        assert_eq!(distribution(ubuntu), "ubuntu");
        assert_eq!(
            distribution("NAME=x\nID=\"opensuse-leap\"\n"),
            "opensuse-leap"
        );
        assert_eq!(distribution("VERSION_ID=\"12\"\nID=debian\n"), "debian");
        assert_eq!(distribution(""), "unknown");
    }

    #[test]
    fn elsewhere_the_programs_are_named_and_not_debians_packages() {
        let driver = Package {
            name: "chromium-driver",
            has: "chromedriver",
        };
        let said = elsewhere("fedora", &[Package::named("chromium"), driver], "it drives");
        assert!(said.contains("fedora"), "{said}");
        assert!(said.ends_with(": chromium, chromedriver"), "{said}");
    }
}
