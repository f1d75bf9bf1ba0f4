//! What a worker's `error` event meant, judged by what the server answers for the script's URL.

use crate::TierFailure;

/// Returns what explains the event best, given the server's answer, whether the page wants a policy of its worker that the answer lacks, and what the browser
/// has said.
///
/// A classic worker script is refused for its MIME type as a module is:
/// [fetch a classic worker script](https://html.spec.whatwg.org/multipage/webappapis.html#fetch-a-classic-worker-script).
pub(crate) fn classify(
    status: u16,
    content_type: Option<&str>,
    lacks_policy: bool,
    message: &str,
) -> TierFailure {
    if !(200..300).contains(&status) {
        return TierFailure::ScriptNotFound { status };
    }
    let mime = content_type.unwrap_or_default();
    match (is_javascript(mime), lacks_policy) {
        (true, true) => TierFailure::NoEmbedderPolicy,
        (true, false) => TierFailure::ScriptDidNotRun {
            message: message.to_owned(),
        },
        (false, _) => TierFailure::ScriptNotJavaScript {
            mime: mime.to_owned(),
        },
    }
}

/// Returns what to tell whoever looks at the page's console, when the worker's files are not served as they have to be: nothing else says so as long as the
/// main tier works. The URL's query, which may hold a secret, is left out.
pub(crate) fn advice(failure: &TierFailure, script: &str) -> Option<String> {
    let cure = match failure {
        TierFailure::ScriptNotFound { status: 404 } => BESIDE_THE_PAGE,
        TierFailure::ScriptNotFound { status: 400..500 } => "",
        // With routes every address has the app's page.
        TierFailure::ScriptNotJavaScript { mime } if mime.starts_with("text/html") => {
            BESIDE_THE_PAGE
        }
        TierFailure::ScriptNotJavaScript { .. } => ". It has to be served as text/javascript",
        TierFailure::ScriptDidNotRun { .. } => "",
        TierFailure::WasmFailed { .. } => ". Its wasm belongs beside it, as NAME_bg.wasm",
        _ => return None,
    };
    let url = script.split(['?', '#']).next().unwrap_or_default();
    Some(format!("onesocket: no worker: {failure}: {url}{cure}"))
}

const BESIDE_THE_PAGE: &str = ". A relative path is looked for beside the page, so in an app with routes it has to be absolute, such as /onesocket-worker.js";

/// The list of the [MIME Sniffing standard](https://mimesniff.spec.whatwg.org/#javascript-mime-type).
fn is_javascript(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let Some((kind, name)) = essence.split_once('/') else {
        return false;
    };
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

    fn check(status: u16, content_type: Option<&str>, expect: TierFailure) {
        assert_eq!(
            classify(status, content_type, false, "boom"),
            expect,
            "{status} {content_type:?}"
        );
    }

    #[test]
    fn a_script_that_is_there_did_not_run() {
        let javascript = [
            "text/javascript",
            "application/javascript; charset=utf-8",
            "Text/JavaScript1.5",
            "application/x-ecmascript",
        ];
        for mime in javascript {
            check(
                200,
                Some(mime),
                TierFailure::ScriptDidNotRun {
                    message: "boom".to_owned(),
                },
            );
        }
    }

    #[test]
    fn a_policy_that_is_missing_explains_what_nothing_else_does() {
        let classify = |status, mime| classify(status, Some(mime), true, "");
        assert_eq!(
            classify(200, "text/javascript"),
            TierFailure::NoEmbedderPolicy
        );
        assert_eq!(
            classify(404, "text/javascript"),
            TierFailure::ScriptNotFound { status: 404 }
        );
        let mime = "text/html".to_owned();
        assert_eq!(
            classify(200, "text/html"),
            TierFailure::ScriptNotJavaScript { mime }
        );
    }

    #[test]
    fn a_script_beside_a_route_was_missing_in_silence() {
        let script = "https://e.org/rooms/onesocket-worker.js";
        let advice = |failure| advice(&failure, &format!("{script}?token=1#dial=2"));
        let html = TierFailure::ScriptNotJavaScript {
            mime: "text/html; charset=utf-8".to_owned(),
        };
        for failure in [html, TierFailure::ScriptNotFound { status: 404 }] {
            let said = advice(failure).unwrap();
            assert!(said.contains(&format!("{script}. A rel")), "{said}");
        }
        // It passes, or the browser tells.
        assert_eq!(advice(TierFailure::ScriptNotFound { status: 503 }), None);
        assert_eq!(advice(TierFailure::NoEmbedderPolicy), None);
    }

    #[test]
    fn a_wasm_that_was_forgotten_was_missing_in_silence() {
        let advice = |failure| advice(&failure, "https://e.org/w.js?token=1").unwrap_or_default();
        let reason = "404 for https://e.org/w_bg.wasm".to_owned();
        let said = advice(TierFailure::WasmFailed { reason });
        assert!(
            said.contains("404 for") && said.contains("e.org/w.js. Its wasm"),
            "{said}"
        );
        let mime = "text/plain".to_owned();
        let said = advice(TierFailure::ScriptNotJavaScript { mime });
        assert!(
            said.ends_with("e.org/w.js. It has to be served as text/javascript"),
            "{said}"
        );
        let said = advice(TierFailure::ScriptNotFound { status: 403 });
        assert!(said.ends_with("403): https://e.org/w.js"), "{said}");
    }

    #[test]
    fn a_missing_script_is_told_by_its_status() {
        check(
            404,
            Some("text/html"),
            TierFailure::ScriptNotFound { status: 404 },
        );
        check(
            500,
            Some("text/javascript"),
            TierFailure::ScriptNotFound { status: 500 },
        );
    }

    #[test]
    fn the_page_of_a_single_page_app_is_told_by_its_type() {
        for mime in [
            "text/html; charset=utf-8",
            "application/wasm",
            "javascript",
            "text/javascript2.0",
        ] {
            check(
                200,
                Some(mime),
                TierFailure::ScriptNotJavaScript {
                    mime: mime.to_owned(),
                },
            );
        }
        check(
            200,
            None,
            TierFailure::ScriptNotJavaScript {
                mime: String::new(),
            },
        );
    }
}
