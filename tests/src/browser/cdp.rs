//! chromedriver's door to the Chrome DevTools Protocol.

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};

/// One command; its parameters are the protocol's.
#[derive(Debug)]
pub(super) struct CdpCommand {
    pub(super) method: String,
    pub(super) params: Value,
}

impl WebDriverCompatibleCommand for CdpCommand {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({ "cmd": self.method, "params": self.params });
        (http::Method::POST, Some(body.to_string()))
    }
}
