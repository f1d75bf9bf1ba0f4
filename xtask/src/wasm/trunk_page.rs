//! A page that is written for Trunk, laid out without it: the tests need what Trunk makes, and not Trunk.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};

/// Rewrites the `index.html` of a folder, if it is for Trunk: its links become what Trunk would make of them, with the prebuilt worker in
/// place of the page's own.
pub(super) fn adapt(dist: &Path, page: &str) -> Result<()> {
    let index = dist.join("index.html");
    let Ok(html) = fs::read_to_string(&index) else {
        return Ok(());
    };
    if !html.contains("data-trunk") {
        return Ok(());
    }
    let adapted = rewrite(&html).with_context(|| format!("adapting {}", index.display()))?;
    fs::write(&index, adapted)?;
    let boot = format!("import init from \"./{page}.js\";\n\nawait init();\n");
    fs::write(dist.join("boot.js"), boot)?;
    Ok(())
}

fn rewrite(html: &str) -> Result<String> {
    let mut adapted = String::new();
    let mut pages = 0;
    for line in html.lines() {
        if line.contains("rel=\"rust\"") {
            if line.contains("data-type=\"worker\"") {
                continue;
            }
            pages += 1;
            adapted.push_str("<script type=\"module\" src=\"boot.js\"></script>");
        } else if line.contains("rel=\"css\"") {
            adapted.push_str("<link rel=\"stylesheet\" href=\"style.css\">");
        } else {
            adapted.push_str(&with_worker(line));
        }
        adapted.push('\n');
    }
    ensure!(pages == 1, "{pages} links to the page's binary, not one");
    Ok(adapted)
}

/// Replaces the name of the worker's script.
fn with_worker(line: &str) -> String {
    let attribute = "data-worker=\"";
    match line.split_once(attribute) {
        Some((before, rest)) => {
            let after = rest.split_once('"').map_or("", |(_, after)| after);
            format!("{before}{attribute}onesocket-worker.js\"{after}")
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_what_they_link_to() {
        let html = "<html lang=\"en\" data-worker=\"a_loader.js\">\n\
            <link data-trunk rel=\"css\" href=\"style.css\">\n\
            <link data-trunk rel=\"rust\" data-bin=\"a\">\n\
            <link data-trunk rel=\"rust\" data-bin=\"w\" data-type=\"worker\">\n";
        let expect = "<html lang=\"en\" data-worker=\"onesocket-worker.js\">\n\
            <link rel=\"stylesheet\" href=\"style.css\">\n\
            <script type=\"module\" src=\"boot.js\"></script>\n";
        assert_eq!(rewrite(html).unwrap(), expect);
        assert!(rewrite("<html></html>").is_err());
    }
}
