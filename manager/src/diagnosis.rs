//! What a worker's `error` event meant, judged by what the server answers for the script's URL.

use crate::TierFailure;

/// Returns the failure that explains why a response can't be a worker's script; `None` when it could be one, and the
/// reason must be another (CSP, a syntax error).
///
/// A classic worker script is refused for its MIME type as a module is:
/// [fetch a classic worker script](https://html.spec.whatwg.org/multipage/webappapis.html#fetch-a-classic-worker-script).
pub(crate) fn classify(status: u16, content_type: Option<&str>) -> Option<TierFailure> {
    if !(200..300).contains(&status) {
        return Some(TierFailure::ScriptNotFound { status });
    }
    let mime = content_type.unwrap_or_default();
    if is_javascript(mime) {
        return None;
    }
    Some(TierFailure::ScriptNotJavaScript { mime: mime.to_owned() })
}

/// The list of the [MIME Sniffing standard](https://mimesniff.spec.whatwg.org/#javascript-mime-type).
fn is_javascript(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((kind, name)) = essence.split_once('/') else { return false };
    let name = name.strip_prefix("x-").unwrap_or(name);
    match (kind, name) {
        ("application" | "text", "javascript" | "ecmascript") => true,
        ("text", "jscript" | "livescript") => true,
        ("text", name) => matches!(
            name.strip_prefix("javascript1."),
            Some("0" | "1" | "2" | "3" | "4" | "5")
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, content_type: Option<&str>, expect: Option<TierFailure>) {
        assert_eq!(classify(status, content_type), expect, "{status} {content_type:?}");
    }

    #[test]
    fn what_a_worker_takes_is_no_failure() {
        for mime in ["text/javascript", "application/javascript; charset=utf-8", "Text/JavaScript1.5", "application/x-ecmascript"]
        {
            check(200, Some(mime), None);
        }
    }

    #[test]
    fn a_missing_script_is_told_by_its_status() {
        check(404, Some("text/html"), Some(TierFailure::ScriptNotFound { status: 404 }));
        check(500, Some("text/javascript"), Some(TierFailure::ScriptNotFound { status: 500 }));
    }

    #[test]
    fn the_page_of_a_single_page_app_is_told_by_its_type() {
        for mime in ["text/html; charset=utf-8", "application/wasm", "javascript", "text/javascript2.0"] {
            check(200, Some(mime), Some(TierFailure::ScriptNotJavaScript { mime: mime.to_owned() }));
        }
        check(200, None, Some(TierFailure::ScriptNotJavaScript { mime: String::new() }));
    }
}
