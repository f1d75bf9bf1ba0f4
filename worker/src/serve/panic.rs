//! The last words of a worker.

use std::panic::{self, PanicHookInfo};

/// Calls `fail` with the place and the message of a panic before the instance traps; nothing in it can be trusted after that.
pub(super) fn report(fail: fn(String)) {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let reason = describe(info);
        web_sys::console::error_1(&reason.as_str().into());
        previous(info);
        fail(reason);
    }));
}

/// As `info.to_string()`, but without the machinery of `fmt`: in the prebuilt worker there is none left, so that of the
/// messages those come through that need no formatting.
fn describe(info: &PanicHookInfo<'_>) -> String {
    let mut text = String::from("panicked");
    if let Some(location) = info.location() {
        text.push_str(" at ");
        text.push_str(location.file());
        push_number(&mut text, location.line());
        push_number(&mut text, location.column());
    }
    let payload = info.payload();
    let literal = payload.downcast_ref::<&str>().copied();
    let formatted = || payload.downcast_ref::<String>().map(String::as_str);
    if let Some(message) = literal.or_else(formatted) {
        text.push_str(":\n");
        text.push_str(message);
    }
    text
}

fn push_number(text: &mut String, number: u32) {
    let mut divisor = 1;
    while number / divisor >= 10 {
        divisor *= 10;
    }
    text.push(':');
    while divisor > 0 {
        text.push(char::from(b"0123456789"[(number / divisor % 10) as usize]));
        divisor /= 10;
    }
}
