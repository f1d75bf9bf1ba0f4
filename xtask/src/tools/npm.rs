//! Packages of npm: exactly the locked ones.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::apt::{self, Package};
use crate::{paths, shell::Shell};

/// The `node_modules` of a folder of this repository that has a `package.json` and a lock. Nothing is done without them in silence: `why` is
/// the advice when they can't be had.
pub(crate) fn modules(folder: &str, why: &str) -> Result<PathBuf> {
    let from = paths::root().join(folder);
    let root = paths::cache()?.join(folder.replace('/', "-"));
    let lock = fs::read(from.join("package-lock.json"))
        .with_context(|| format!("reading the lock of {folder}"))?;
    let modules = root.join("node_modules");
    unless_installed(&root, &lock, || {
        node(why)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(from.join(file), root.join(file))?;
        }
        Shell::new("npm")
            .arg("ci")
            .arg("--prefix")
            .arg(&root)
            .args(["--ignore-scripts", "--no-audit", "--no-fund"])
            .advice(why)
            .run()
    })?;
    Ok(modules)
}

/// Installs what a lock names into a folder, which an installation of another lock's may be in.
fn unless_installed(root: &Path, lock: &[u8], install: impl FnOnce() -> Result<()>) -> Result<()> {
    let done = root.join("installed-lock.json");
    if fs::read(&done).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    fs::create_dir_all(root)?;
    // First, and written last: an installation that was interrupted is none, not even of the lock before.
    match fs::remove_file(&done) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    install()?;
    Ok(fs::write(done, lock)?)
}

/// Makes sure that there are npm and a node that is new enough. An older one, such as Debian 12's, is left as it is: whatever is started
/// after this finds a newer one first.
pub(crate) fn node(why: &str) -> Result<()> {
    let has_both = || paths::on_path("node").is_some() && paths::on_path("npm").is_some();
    if has_both() && has_new_enough() {
        return Ok(());
    }
    let root = paths::cache()?.join(format!("node-{NODE}"));
    let folder = root.join("node_modules/.bin");
    if !is_fetched(&folder) {
        if !has_both() {
            apt::install(&[NODEJS, Package::named("npm")], why)?;
            if has_new_enough() {
                return Ok(());
            }
        }
        let by_hand = || format!("{why}; install node {}, and its npm", wanted());
        fetch(&root).with_context(by_hand)?;
        ensure!(is_fetched(&folder), "{NODE} does not run: {}", by_hand());
    }
    paths::prefer(folder);
    Ok(())
}

fn has_new_enough() -> bool {
    version(Path::new("node")).is_some_and(|version| is_new_enough(&version))
}

fn is_fetched(folder: &Path) -> bool {
    folder.join("npm").is_file() && version(&folder.join("node")).as_deref() == Some(NODE)
}

/// Installs the package that has node as a program, with the npm that is there, and one that is known to run on it.
fn fetch(root: &Path) -> Result<()> {
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    let arch = match (os, arch) {
        ("linux", "x86_64") => "x64",
        ("linux", "aarch64") => "arm64",
        _ => bail!("there is no newer one to fetch for {os} on {arch}"),
    };
    let wanted = wanted();
    println!("the node that is there is none of {wanted}: fetching {NODE}, once for all clones");
    Shell::new("npm")
        .arg("install")
        .arg("--prefix")
        .arg(root)
        .args(["--ignore-scripts", "--no-audit", "--no-fund"])
        .args([format!("node-linux-{arch}@{NODE}"), format!("npm@{NPM}")])
        .run()
}

/// `v20.19.2` is 20.19.2.
fn version(node: &Path) -> Option<String> {
    let text = Shell::new(node).arg("--version").read().ok()?;
    Some(text.trim().strip_prefix('v')?.to_owned())
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else {
        return false;
    };
    let is_of_line = |(of, oldest): &(u32, u32)| major == *of && minor >= *oldest;
    OLDEST.iter().any(is_of_line) || OLDEST.iter().all(|(of, _)| major > *of)
}

/// `20.19, 22.12 or later`: of these lines, and of any later one.
fn wanted() -> String {
    let lines = OLDEST.map(|(major, minor)| format!("{major}.{minor}"));
    format!("{} or later", lines.join(", "))
}

/// The oldest node, as major and minor version of each line that will do; of what is later than the last line any will. Vite asks for it.
const OLDEST: [(u32, u32); 2] = [(20, 19), (22, 12)];

const NODEJS: Package = Package {
    name: "nodejs",
    has: "node",
};

/// What is fetched in place of an older one: of the line that has long-term support to April 2028, and a npm; about 200 MB on disk.
const NODE: &str = "24.22.3";
const NPM: &str = "11.21.2";

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Whether a version is in a range of npm's, of those forms that the locks have.
    fn satisfies(range: &str, version: (u32, u32)) -> bool {
        range.split("||").map(str::trim).any(|part| {
            let at = part.find(|char: char| char.is_ascii_digit()).unwrap();
            let (operator, number) = part.split_at(at);
            let mut numbers = number.split('.').map(|number| match number {
                "x" => 0,
                number => number.parse().unwrap(),
            });
            let least = (numbers.next().unwrap(), numbers.next().unwrap_or(0));
            match operator.trim() {
                ">=" => version >= least,
                "^" => version >= least && version.0 == least.0,
                other => panic!("{range}: {other}"),
            }
        })
    }

    #[test]
    fn the_oldest_node_is_old_enough_for_what_the_locks_bring() {
        for folder in ["bench/peers", "tests/bundlers", "tests/clients"] {
            let lock = paths::root().join(folder).join("package-lock.json");
            let lock: Value = serde_json::from_slice(&fs::read(lock).unwrap()).unwrap();
            let packages = lock["packages"].as_object().unwrap();
            assert!(packages.len() > 1, "{folder}");
            // npm leaves out what is optional and wants another node.
            let needed = packages.iter().filter(|(_, it)| it["optional"] != true);
            for (name, package) in needed {
                let Some(range) = package["engines"]["node"].as_str() else {
                    continue;
                };
                // It says so, and its tests pass with 20.
                let says_more = name.ends_with("@hocuspocus/server") && range == ">=22";
                for oldest in OLDEST {
                    let is_enough = satisfies(range, oldest) || says_more;
                    assert!(is_enough, "{name} wants node {range}, and not {oldest:?}");
                }
            }
        }
    }

    #[test]
    fn a_node_of_debian_12_counted_as_one_that_will_do() {
        for version in ["18.20.4", "20.18.3", "21.7.3", "22.11.0", "0.12.18", ""] {
            assert!(!is_new_enough(version), "{version}");
        }
        for version in ["20.19.0", "20.20.2", "22.12.0", NODE, "26.0.0-nightly"] {
            assert!(is_new_enough(version), "{version}");
        }
    }

    #[test]
    fn the_texts_say_which_node_will_do() {
        for text in ["README.md", "CONTRIBUTING.md"] {
            let said = fs::read_to_string(paths::root().join(text)).unwrap();
            assert!(said.contains(&wanted()), "{text}: node {}", wanted());
        }
    }

    #[test]
    fn an_interrupted_installation_counted_as_the_one_before() {
        let root = paths::target().join("tests-of-xtask/npm");
        let installs = |lock: &str, result: Result<()>| {
            let mut runs = 0;
            let installed = unless_installed(&root, lock.as_bytes(), || {
                runs += 1;
                result
            });
            (runs, installed.is_ok())
        };
        // Whatever an earlier test run has left.
        installs("none", Ok(()));
        assert_eq!(installs("old", Ok(())), (1, true));
        assert_eq!(installs("old", Ok(())), (0, true));
        assert_eq!(installs("new", Err(anyhow::anyhow!("no"))), (1, false));
        assert_eq!(installs("old", Ok(())), (1, true));
    }
}
