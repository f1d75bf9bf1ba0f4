//! From Rust to static files: compile, bind, optimise, and lay out what a web server serves.

mod bindgen;
mod bundled;
mod clients;
mod names;
mod stubs;
mod trunk_page;
mod worker_script;

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    compiled::{self, Wanted},
    paths,
    shell::Shell,
    tools::{self, WASM_TARGET, WasmOpt},
    workspace,
};
use bindgen::{Bound, JsTarget, Sections};
pub(crate) use bundled::build_bundled;
pub(crate) use clients::build_clients;
pub(crate) use names::Names;

/// How the wasm is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Small: the workspace's `wasm` profile, then wasm-opt.
    Wasm,
    /// Both small and fast: the workspace's `page` profile, then wasm-opt.
    Page,
    /// Fast, and sooner built: cargo's own release profile.
    Release,
    /// Fast to build.
    Dev,
}

/// Builds the chat, the pages of the browser suite and the npm package into `target/dist`, and returns the folders that somebody downloads.
pub(crate) fn build_all(profile: Profile) -> Result<Vec<PathBuf>> {
    let folders = build(profile, &[CHAT, TESTS, NPM])?;
    // The scripts of the inspector's element, which Rust apps get by wasm-bindgen.
    copy_tree(
        &paths::root().join("inspector/js"),
        &paths::dist(NPM.dist).join("inspector"),
    )?;
    // The pages that use the package, with the package as a web server would have it.
    let pages = paths::dist(TESTS_NPM);
    empty(&pages)?;
    copy_tree(&paths::root().join("tests/npm"), &pages)?;
    copy_into(&paths::root().join("tests/page/static/page_log.js"), &pages)?;
    copy_tree(&paths::dist(NPM.dist), &pages.join("onesocket"))?;
    Ok(folders)
}

/// Builds the pages of the browser suite as later builds of the library would be, each with its worker: `target/dist/tests-next`, which
/// speaks one more version of the protocol, and `target/dist/tests-next-only`, which speaks no other. Nobody downloads them, so they are
/// built fast.
pub(crate) fn build_next() -> Result<()> {
    let builder = Builder::new(Profile::Dev)?;
    let mut missing = Vec::new();
    for site in [NEXT, NEXT_ONLY] {
        let worker = builder.worker(WORKER, WORKER, site.features, &mut missing)?;
        builder.site(&site, &worker, &mut missing)?;
    }
    complete(&missing)
}

/// Builds the pages of the framework plugins into `target/dist/tests-plugins`, and the examples that stand on them, with a worker each.
/// Nobody downloads them, so they are built fast: frameworks are big.
pub(crate) fn build_plugins() -> Result<()> {
    let [poll, desk, plain, board] = EXAMPLES;
    build_together(&[PLUGINS, poll, desk, plain, board])?;
    // By itself: a page of Leptos either hydrates or renders all by itself.
    build(Profile::Dev, &[HYDRATION])?;
    // It renders what its folder has the rest of.
    let server = "hydration-server";
    let cargo = Shell::cargo().args(["build", "--package", HYDRATION.package, "--bin", server]);
    let built = compiled::executables(cargo, Wanted::Bin(server))?;
    let built = built.first();
    let built = built.with_context(|| format!("cargo has built no {server}"))?;
    copy_into(built, &paths::dist(HYDRATION.dist))
}

/// Builds the chat alone into `target/dist/chat`.
pub(crate) fn build_chat(profile: Profile) -> Result<PathBuf> {
    build(profile, &[CHAT])?;
    Ok(paths::dist(CHAT.dist))
}

/// Builds one of the [`EXAMPLES`].
pub(crate) fn build_example(profile: Profile, name: &str) -> Result<PathBuf> {
    let site = EXAMPLES.into_iter().find(|site| site.dist == name);
    let site = site.with_context(|| format!("there is no example {name}"))?;
    build(profile, std::slice::from_ref(&site))?;
    Ok(paths::dist(site.dist))
}

/// Builds the pages of the benchmark, with its peers, into `target/dist/bench`.
pub(crate) fn build_bench() -> Result<PathBuf> {
    let why = "the benchmark compares with packages of npm, and is not run without them";
    let peers = tools::npm_modules("bench/peers", why)?;
    let mut missing = Vec::new();
    let worker = Builder::new(Profile::Wasm)?.worker(WORKER, WORKER, &[], &mut missing)?;
    let dist = Builder::new(Profile::Page)?.site(&BENCH, &worker, &mut missing)?;
    complete(&missing)?;
    copy_tree(&peers, &dist.join("peers"))?;
    Ok(dist)
}

/// Where the pages of the browser suite are.
pub(crate) fn tests_dist() -> PathBuf {
    paths::dist(TESTS.dist)
}

/// One folder of `target/dist`.
#[derive(Debug)]
pub(crate) struct Site {
    dist: &'static str,
    package: &'static str,
    /// The binaries that are pages.
    pages: &'static [&'static str],
    /// Folders, and single files, served as they are.
    files: &'static [&'static str],
    /// The worker binaries that the page's package brings itself.
    workers: &'static [&'static str],
    /// Of a dependency of the page and of the worker.
    features: &'static [&'static str],
}

impl Site {
    pub(crate) fn name(&self) -> &'static str {
        self.dist
    }
}

const CHAT: Site = Site {
    dist: "chat",
    package: "onesocket-example-chat",
    pages: &["chat"],
    files: &["examples/chat/static"],
    workers: &[],
    features: &[],
};

const TESTS: Site = Site {
    dist: "tests",
    package: "onesocket-tests-page",
    pages: &["page"],
    files: &["tests/page/static"],
    workers: &["own-worker", "gloo-worker"],
    features: &[],
};

/// The npm package: `npm pack` works on its folder.
const NPM: Site = Site {
    dist: "npm",
    package: "onesocket-js",
    pages: &["onesocket-core"],
    files: &["js/npm", "LICENSE-APACHE", "LICENSE-MIT"],
    workers: &[],
    features: &[],
};

const TESTS_NPM: &str = "tests-npm";

const PLUGINS: Site = Site {
    dist: "tests-plugins",
    package: "onesocket-tests-plugins",
    pages: &["leptos-page", "yew-page"],
    files: &["tests/plugins/static", "tests/page/static/page_log.js"],
    workers: &[],
    features: &[],
};

const HYDRATION: Site = Site {
    dist: "tests-hydration",
    package: "onesocket-tests-hydration",
    pages: &["hydration-page"],
    files: &["tests/hydration/static", "tests/page/static/page_log.js"],
    workers: &[],
    features: &[],
};

const BENCH: Site = Site {
    dist: "bench",
    package: "onesocket-bench-page",
    pages: &[
        "bench-onesocket",
        "bench-onesocket-json",
        "bench-gloo-net",
        "bench-gloo-worker",
    ],
    files: &["bench/page/static"],
    workers: &["bench-gloo-relay", "bench-worker"],
    features: &[],
};

const YEW_BOARD: Site = Site {
    dist: "yew-board",
    package: "onesocket-example-yew-board",
    pages: &["yew-board"],
    files: &[
        "examples/yew-board/index.html",
        "examples/yew-board/style.css",
    ],
    workers: &[],
    features: &[],
};

/// The small apps, named as their folders in `examples`.
pub(crate) const EXAMPLES: [Site; 4] = [DIOXUS_POLL, LEPTOS_DESK, PLAIN, YEW_BOARD];

const DIOXUS_POLL: Site = Site {
    dist: "dioxus-poll",
    package: "onesocket-example-dioxus-poll",
    pages: &["dioxus-poll"],
    files: &[
        "examples/dioxus-poll/index.html",
        "examples/dioxus-poll/style.css",
    ],
    ..YEW_BOARD
};

const LEPTOS_DESK: Site = Site {
    dist: "leptos-desk",
    package: "onesocket-example-leptos-desk",
    pages: &["leptos-desk"],
    files: &[
        "examples/leptos-desk/index.html",
        "examples/leptos-desk/style.css",
    ],
    ..YEW_BOARD
};

const PLAIN: Site = Site {
    dist: "plain",
    package: "onesocket-example-plain",
    pages: &["plain"],
    files: &["examples/plain/index.html", "examples/plain/style.css"],
    ..YEW_BOARD
};

const NEXT: Site = Site {
    dist: "tests-next",
    workers: &[],
    features: &["onesocket-protocol/next-version"],
    ..TESTS
};

const NEXT_ONLY: Site = Site {
    dist: "tests-next-only",
    features: &["onesocket-protocol/next-version-only"],
    ..NEXT
};

/// The prebuilt worker, which is its package's binary. It is built without the package's default features.
const WORKER: &str = "onesocket-worker";

fn build(profile: Profile, sites: &[Site]) -> Result<Vec<PathBuf>> {
    let builder = Builder::new(profile)?;
    // The other folders are laid out even when something of one is missing, so that one broken page does not hide the other.
    let mut missing = Vec::new();
    let worker = builder.worker(WORKER, WORKER, &[], &mut missing)?;
    let mut folders = Vec::new();
    for site in sites {
        folders.push(builder.site(site, &worker, &mut missing)?);
    }
    complete(&missing)?;
    Ok(folders)
}

/// Builds the pages of several folders by one run of cargo: each of their dependencies is compiled once, with the features that any of them
/// wants.
fn build_together(sites: &[Site]) -> Result<()> {
    let mut builder = Builder::new(Profile::Dev)?;
    let mut missing = Vec::new();
    let worker = builder.worker(WORKER, WORKER, &[], &mut missing)?;
    let bins = sites.iter().flat_map(|site| {
        let bins = site.pages.iter().flat_map(|page| ["--bin", *page]);
        ["--package", site.package].into_iter().chain(bins)
    });
    builder.cargo().args(bins).run()?;
    builder.is_compiled = true;
    for site in sites {
        builder.site(site, &worker, &mut missing)?;
    }
    complete(&missing)
}

fn complete(missing: &[String]) -> Result<()> {
    if !missing.is_empty() {
        bail!("the build is incomplete:\n  {}", missing.join("\n  "));
    }
    Ok(())
}

struct Builder {
    profile: Profile,
    wasm_bindgen: PathBuf,
    wasm_opt: Option<WasmOpt>,
    /// Whether what is asked for is there already.
    is_compiled: bool,
}

impl Builder {
    fn new(profile: Profile) -> Result<Self> {
        tools::wasm_target()?;
        Ok(Self {
            profile,
            wasm_bindgen: tools::wasm_bindgen()?.join("wasm-bindgen"),
            wasm_opt: match profile {
                Profile::Wasm | Profile::Page => WasmOpt::find()?,
                Profile::Release | Profile::Dev => None,
            },
            is_compiled: false,
        })
    }

    fn cargo(&self) -> Shell {
        let profile = match self.profile {
            Profile::Wasm => "wasm",
            Profile::Page => "page",
            Profile::Release => "release",
            Profile::Dev => "dev",
        };
        Shell::cargo()
            .args(["build", "--profile", profile, "--target", WASM_TARGET])
            // Of a path with a space RUSTFLAGS would make two flags.
            .env("CARGO_ENCODED_RUSTFLAGS", flags())
    }

    /// Lays out one folder, and leaves it as it was when something is missing.
    fn site(&self, site: &Site, worker: &[PathBuf], missing: &mut Vec<String>) -> Result<PathBuf> {
        let others = missing.len();
        // Beside the folder, which whoever serves it keeps until all of this is there.
        let dist = paths::dist(&format!(".{}.new", site.dist));
        empty(&dist)?;
        for name in site.files {
            let files = paths::root().join(name);
            if files.is_dir() {
                copy_tree(&files, &dist)?;
            } else if files.is_file() {
                copy_into(&files, &dist)?;
            } else {
                missing.push(format!("no file or folder {name}"));
            }
        }
        for page in site.pages {
            if let Some(wasm) = self.compile(site.package, page, site.features, missing)? {
                let bound = self.bind(&wasm, page, JsTarget::Web)?;
                self.optimise(&bound.wasm)?;
                copy_tree(&bound.folder, &dist)?;
                trunk_page::adapt(&dist, page)?;
            }
        }
        for file in worker {
            copy_into(file, &dist)?;
        }
        for own in site.workers {
            for file in self.worker(site.package, own, site.features, missing)? {
                copy_into(&file, &dist)?;
            }
            // The glue alone, as tools that know nothing of the prelude would load it.
            let glue = bindgen::folder(own, JsTarget::NoModules).join(format!("{own}.js"));
            if glue.is_file() {
                fs::copy(&glue, dist.join(format!("{own}.glue.js")))?;
            }
        }
        match missing.len() == others && !worker.is_empty() {
            true => replace(site.dist, &dist),
            false => Ok(paths::dist(site.dist)),
        }
    }

    /// The files of one worker binary: a classic script, a module script, and the wasm that both load; with the prebuilt one the script by which a page dials.
    fn worker(
        &self,
        package: &str,
        bin: &str,
        features: &[&str],
        missing: &mut Vec<String>,
    ) -> Result<Vec<PathBuf>> {
        let Some(wasm) = self.compile(package, bin, features, missing)? else {
            return Ok(Vec::new());
        };
        let classic = self.bind(&wasm, bin, JsTarget::NoModules)?;
        let module = self.bind(&wasm, bin, JsTarget::Web)?;
        worker_script::compare(bin, &classic, &module)?;
        if let Some(wasm_opt) = &self.wasm_opt {
            if package == WORKER {
                wasm_opt.rewrite(&classic.wasm, stubs::without_formatting)?;
            }
            let names = wasm_opt.optimise_and_shorten(&classic.wasm)?;
            names.apply(&classic.script)?;
            names.apply(&module.script)?;
        }
        let scripts = match worker_script::write(bin, &classic, &module) {
            Ok(scripts) => scripts,
            Err(error) => {
                missing.push(format!("{error:#}"));
                return Ok(Vec::new());
            }
        };
        let mut files: Vec<_> = scripts.into_iter().chain([classic.wasm]).collect();
        if package == WORKER {
            files.push(worker_script::write_dial()?);
        }
        Ok(files)
    }

    /// Compiles one binary; `None` when the package has no such binary or it does not compile.
    ///
    /// One cargo run per binary, unless it has run before: a run for several unifies their features and makes each bigger.
    fn compile(
        &self,
        package: &str,
        bin: &str,
        features: &[&str],
        missing: &mut Vec<String>,
    ) -> Result<Option<PathBuf>> {
        let has_bin = workspace::package_named(package)?
            .is_some_and(|package| package.bins.iter().any(|name| name == bin));
        if !has_bin {
            missing.push(format!("{package} has no binary {bin}"));
            return Ok(None);
        }
        if !self.is_compiled {
            let built = self
                .cargo()
                .args(["--package", package, "--bin", bin])
                .args((package == WORKER).then_some("--no-default-features"))
                .args(features.iter().flat_map(|feature| ["--features", *feature]))
                .run();
            if let Err(error) = built {
                missing.push(format!("{error:#}"));
                return Ok(None);
            }
        }
        let folder = match self.profile {
            Profile::Wasm => "wasm",
            Profile::Page => "page",
            Profile::Release => "release",
            Profile::Dev => "debug",
        };
        let file = format!("{WASM_TARGET}/{folder}/{bin}.wasm");
        Ok(Some(paths::target().join(file)))
    }

    fn bind(&self, wasm: &Path, name: &str, target: JsTarget) -> Result<Bound> {
        let sections = match (self.profile, &self.wasm_opt) {
            (Profile::Dev, _) => Sections::All,
            (Profile::Wasm | Profile::Page, Some(_)) => Sections::Names,
            (Profile::Wasm | Profile::Page, None) | (Profile::Release, _) => Sections::Needed,
        };
        bindgen::bind(&self.wasm_bindgen, wasm, name, target, sections)
    }

    fn optimise(&self, wasm: &Path) -> Result<()> {
        self.wasm_opt
            .as_ref()
            .map_or(Ok(()), |wasm_opt| wasm_opt.optimise(wasm))
    }
}

/// Keeps the paths of whoever builds out of the messages of panics: they would be downloaded by everybody.
fn flags() -> OsString {
    let callers = match env::var_os("CARGO_ENCODED_RUSTFLAGS") {
        Some(encoded) => encoded,
        None => {
            let plain = env::var("RUSTFLAGS").unwrap_or_default();
            let plain: Vec<&str> = plain.split_whitespace().collect();
            plain.join(SEPARATOR).into()
        }
    };
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = PathBuf::from(env::var_os("HOME")?);
        Some(home.join(".cargo"))
    });
    match home {
        Some(home) => without_home(callers, &home),
        None => callers,
    }
}

/// Adds to flags, which [`SEPARATOR`] parts, those that leave out where Cargo keeps its crates.
fn without_home(mut flags: OsString, home: &Path) -> OsString {
    let mut remap = |path: &Path, to: &str| {
        if !flags.is_empty() {
            flags.push(SEPARATOR);
        }
        flags.push("--remap-path-prefix=");
        flags.push(path);
        flags.push(format!("={to}"));
    };
    remap(home, "cargo");
    // Each registry has a folder of its own in there. Of the rules that fit the last counts.
    let registries = fs::read_dir(home.join("registry/src")).into_iter();
    for registry in registries.flatten().flatten() {
        remap(&registry.path(), "");
    }
    flags
}

/// What Cargo takes flags apart by: no path has it.
const SEPARATOR: &str = "\u{1f}";

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(folder)?;
    Ok(())
}

/// Puts a folder into the place of one of `target/dist`, and returns that place.
fn replace(name: &str, with: &Path) -> Result<PathBuf> {
    let dist = paths::dist(name);
    let old = paths::dist(&format!(".{name}.old"));
    empty(&old)?;
    if dist.exists() {
        // Onto an empty folder a folder may be moved.
        fs::rename(&dist, &old).with_context(|| format!("moving {}", dist.display()))?;
    }
    fs::rename(with, &dist).with_context(|| format!("moving {}", with.display()))?;
    fs::remove_dir_all(&old)?;
    Ok(dist)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            copy_tree(&path, &to.join(path.file_name().unwrap_or_default()))?;
        } else {
            copy_into(&path, to)?;
        }
    }
    Ok(())
}

fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let to = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &to)
        .map(drop)
        .with_context(|| format!("copying {} to {}", file.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_npm_package_has_the_version_of_the_workspace() {
        let file = paths::root().join("js/npm/package.json");
        let package = fs::read_to_string(file).unwrap();
        let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
        assert!(package.contains(&version), "{package}");
    }

    #[test]
    fn a_space_in_the_path_of_a_home_made_two_flags_of_one() {
        let home = Path::new("/a b/.cargo");
        let remap = "--remap-path-prefix=/a b/.cargo=cargo";
        assert_eq!(without_home("".into(), home), remap);
        let flags = without_home("-C\u{1f}opt-level=1".into(), home);
        assert_eq!(flags, *format!("-C\u{1f}opt-level=1\u{1f}{remap}"));
    }

    #[test]
    fn a_build_that_fails_took_away_what_was_served() {
        let site = |pages, files| Site {
            dist: "tests-of-xtask",
            package: "xtask",
            pages,
            files,
            workers: &[],
            features: &[],
        };
        let builder = Builder {
            profile: Profile::Dev,
            wasm_bindgen: PathBuf::from("no-wasm-bindgen"),
            wasm_opt: None,
            is_compiled: true,
        };
        let worker = [paths::root().join("README.md")];
        let build = |pages, files| builder.site(&site(pages, files), &worker, &mut Vec::new());
        let dist = build(&[], &["LICENSE-MIT"]).unwrap();
        build(&["no-such-page"], &["LICENSE-APACHE"]).unwrap();
        assert!(dist.join("LICENSE-MIT").is_file());
        assert!(build(&["xtask"], &["LICENSE-APACHE"]).is_err());
        assert!(dist.join("LICENSE-MIT").is_file());
        build(&[], &["LICENSE-APACHE"]).unwrap();
        let files = fs::read_dir(&dist).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["LICENSE-APACHE", "README.md"]);
        fs::remove_dir_all(dist).unwrap();
    }
}
