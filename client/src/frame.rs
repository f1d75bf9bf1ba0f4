//! Work that is done once per animation frame, however often it is asked for.

use std::fmt;

use crate::page;

/// Calls a function at most once per animation frame, when it was asked for since: what a page does that hears thousands of messages a
/// second, and shows sixty states of it.
///
/// A page that is not shown has no frames: there it is called 250 ms after it was asked for, or as late as the browser runs timers
/// of hidden pages. A drop ends it; what was asked for is then not done. It lives in the page, and never calls anything on a native
/// target.
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
///
/// use onesocket::{Client, Event, PerFrame, codec::Text};
///
/// let client: Client<str, String> = Client::builder("wss://example.org/prices", Text).build()?;
/// let newest = Rc::new(RefCell::new(None));
/// let shown = newest.clone();
/// let show = PerFrame::new(move || println!("{:?}", shown.borrow()));
/// let guard = client.on_event(move |event| {
///     if let Event::Message(price) = event {
///         newest.replace(Some(price)); // For each message,
///         show.request(); // shown once.
///     }
/// });
/// # drop(guard);
/// # Ok::<(), onesocket::BuildError>(())
/// ```
pub struct PerFrame(page::Frames);

impl PerFrame {
    /// Makes one of a function. It may drop what owns it.
    pub fn new(run: impl Fn() + 'static) -> Self {
        Self(page::Frames::new(run))
    }

    /// Asks for a call in the next frame. Asking again before it has come changes nothing.
    pub fn request(&self) {
        self.0.request();
    }
}

impl fmt::Debug for PerFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerFrame(..)")
    }
}
