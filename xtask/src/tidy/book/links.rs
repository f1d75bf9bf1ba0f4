//! Links and headings of a Markdown text.

/// A link to something in the repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    pub(super) line: usize,
    pub(super) target: &'a str,
}

/// The links that are relative, in prose.
pub(super) fn of(text: &str) -> impl Iterator<Item = Link<'_>> {
    prose(text).flat_map(|(number, line)| {
        line.match_indices("](")
            .filter(move |(start, _)| !in_code(line, *start))
            .filter_map(move |(start, _)| line[start + 2..].split_once(')'))
            .map(|(target, _)| target)
            .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
            .map(move |target| Link {
                line: number,
                target,
            })
    })
}

/// What a link's fragment may name: headings as GitHub and mdBook spell them, and names given by hand.
pub(super) fn anchors(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter_map(|(_, line)| {
        if line.starts_with('#') {
            return Some(slug(line.trim_start_matches('#').trim()));
        }
        let (_, rest) = line.split_once("<a name=\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    })
}

fn slug(heading: &str) -> String {
    heading
        .chars()
        .filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'))
        .map(|char| match char {
            ' ' => '-',
            char => char.to_ascii_lowercase(),
        })
        .collect()
}

/// The lines outside of code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_fence = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let is_mark = line.trim_start().starts_with("```");
        in_fence ^= is_mark;
        !in_fence && !is_mark
    })
}

/// Whether an odd number of backticks stands before it.
fn in_code(line: &str, at: usize) -> bool {
    line[..at].matches('`').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_prose_only() {
        let text = "a [b](c.md#d) `[e](f)` [`g`](h)\n```\n[i](j)\n```\n[k](https://l) [m](n)\n";
        let found: Vec<_> = of(text).map(|link| (link.line, link.target)).collect();
        assert_eq!(found, [(1, "c.md#d"), (1, "h"), (5, "n")]);
    }

    #[test]
    fn headings_are_spelled_as_they_are_linked_to() {
        let text = "# One `send`, twice?\n```\n# no\n```\n- <a name=\"own\"></a>x\n";
        let found: Vec<_> = anchors(text).collect();
        assert_eq!(found, ["one-send-twice", "own"]);
    }
}
