//! What the WebSocket constructor demands of subprotocols.

/// Returns whether every one is a token of RFC 7230 and none comes twice:
/// [RFC 6455, section 4.1](https://www.rfc-editor.org/rfc/rfc6455#section-4.1), item 10.
pub(super) fn are_valid(subprotocols: &[String]) -> bool {
    let is_unique = |(index, subprotocol)| !subprotocols[..index].contains(subprotocol);
    subprotocols.iter().all(|subprotocol| is_token(subprotocol))
        && subprotocols.iter().enumerate().all(is_unique)
}

/// <https://www.rfc-editor.org/rfc/rfc7230#section-3.2.6>
fn is_token(text: &str) -> bool {
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}
