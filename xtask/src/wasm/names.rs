//! Short names between the wasm and its glue: wasm-bindgen's long ones are 2 kB of a compressed worker, and more of its script.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// What wasm-opt has renamed.
#[derive(Debug)]
pub(crate) struct Names {
    /// The module that all imports come from, old and new.
    module: (String, String),
    imports: Vec<(String, String)>,
    exports: Vec<(String, String)>,
}

impl Names {
    /// Reads what `--minify-imports-and-exports-and-modules` prints.
    pub(crate) fn read(json: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(json).context("wasm-opt's map of names")?;
        let mut module = None;
        let mut imports = Vec::new();
        for import in rows(&json, "imports")? {
            let [from, old, new] = &texts(import)?[..] else {
                bail!("wasm-opt's map of names has the import {import}");
            };
            if module.get_or_insert_with(|| from.clone()) != from {
                bail!("imports of two modules, {module:?} and {from}");
            }
            imports.push((old.clone(), new.clone()));
        }
        let mut exports = Vec::new();
        for export in rows(&json, "exports")? {
            let [old, new] = &texts(export)?[..] else {
                bail!("wasm-opt's map of names has the export {export}");
            };
            exports.push((old.clone(), new.clone()));
        }
        let module = module.context("a wasm that imports nothing")?;
        Ok(Self {
            // What wasm-opt calls every module.
            module: (module, "a".to_owned()),
            imports,
            exports,
        })
    }

    /// Renames in a script of wasm-bindgen's.
    pub(super) fn apply(&self, script: &Path) -> Result<()> {
        let text =
            fs::read_to_string(script).with_context(|| format!("reading {}", script.display()))?;
        let text = self
            .renamed(&text)
            .with_context(|| format!("shortening names in {}", script.display()))?;
        fs::write(script, text).with_context(|| format!("writing {}", script.display()))
    }

    /// A name that the script does not have in the expected place fails the build: a script that asks for a name that is gone
    /// fails in the browser.
    fn renamed(&self, script: &str) -> Result<String> {
        let (old, new) = &self.module;
        let mut text = replace_once(
            script,
            &format!("\"{old}\": import0"),
            &format!("{new}: import0"),
        )?;
        for (old, new) in &self.imports {
            text = replace_once(&text, &format!(" {old}: "), &format!(" {new}: "))?;
        }
        for (old, new) in &self.exports {
            text = replace_words(&text, &format!("wasm.{old}"), &format!("wasm.{new}"));
        }
        match text.find("wasm.__") {
            Some(at) => bail!(
                "a name is left: {}",
                text[at..].lines().next().unwrap_or_default()
            ),
            None => Ok(text),
        }
    }
}

fn rows<'a>(json: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    json[key]
        .as_array()
        .with_context(|| format!("wasm-opt's map of names has no {key}"))
}

fn texts(row: &Value) -> Result<Vec<String>> {
    let texts = row.as_array().into_iter().flatten();
    texts
        .map(|text| text.as_str().map(str::to_owned))
        .collect::<Option<_>>()
        .context("a name that is no text")
}

fn replace_once(text: &str, old: &str, new: &str) -> Result<String> {
    match text.matches(old).count() {
        1 => Ok(text.replacen(old, new, 1)),
        count => bail!("`{old}` is there {count} times"),
    }
}

/// Replaces `old` where no longer word begins with it.
fn replace_words(text: &str, old: &str, new: &str) -> String {
    let mut parts = text.split(old);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on =
            part.starts_with(|next: char| next.is_alphanumeric() || matches!(next, '_' | '$'));
        replaced.push_str(if goes_on { old } else { new });
        replaced.push_str(part);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"{"imports": [["./w_bg.js", "__wbg_now_1", "a"], ["./w_bg.js", "__wbg_now_12", "b"]],
        "exports": [["memory", "c"], ["run", "d"], ["run_2", "e"]]}"#;

    #[test]
    fn names_are_replaced_whole_and_where_they_are_expected() {
        let script = " __wbg_now_1: f,\n __wbg_now_12: g, \"./w_bg.js\": import0, wasm.memory.buffer, wasm.run(), wasm.run_2()";
        let expect = " a: f,\n b: g, a: import0, wasm.c.buffer, wasm.d(), wasm.e()";
        assert_eq!(Names::read(MAP).unwrap().renamed(script).unwrap(), expect);
    }

    #[test]
    fn a_script_without_a_name_or_with_one_left_is_refused() {
        let names = Names::read(MAP).unwrap();
        assert!(
            names
                .renamed("\"./w_bg.js\": import0, __wbg_now_12: g")
                .is_err()
        );
        let left =
            " __wbg_now_1: f, __wbg_now_12: g, \"./w_bg.js\": import0, wasm.__wbindgen_start()";
        assert!(names.renamed(left).is_err());
        assert!(Names::read("{}").is_err());
    }
}
