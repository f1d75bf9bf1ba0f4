//! Animation frames, and what stands in for them while a page is not shown.

use std::{
    cell::Cell,
    rc::{Rc, Weak},
};

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Window;

pub(crate) struct Frames(Option<Rc<Scheduler>>);

impl Frames {
    /// Does nothing where there is no window.
    pub(crate) fn new(run: impl Fn() + 'static) -> Self {
        Self(web_sys::window().map(|window| {
            Rc::new_cyclic(|scheduler: &Weak<Scheduler>| {
                let scheduler = scheduler.clone();
                Scheduler {
                    window,
                    due: Cell::new(None),
                    callback: Closure::new(move || {
                        // Kept alive until the call is over: it may drop what owns it.
                        if let Some(scheduler) = scheduler.upgrade() {
                            scheduler.cancel();
                            (scheduler.run)();
                        }
                    }),
                    run: Box::new(run),
                }
            })
        }))
    }

    pub(crate) fn request(&self) {
        if let Some(scheduler) = &self.0 {
            scheduler.request();
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        if let Some(scheduler) = &self.0 {
            scheduler.cancel();
        }
    }
}

struct Scheduler {
    window: Window,
    due: Cell<Option<Due>>,
    callback: Closure<dyn Fn()>,
    run: Box<dyn Fn()>,
}

/// Whichever comes first cancels the other.
#[derive(Clone, Copy)]
struct Due {
    frame: Option<i32>,
    timer: Option<i32>,
}

impl Scheduler {
    fn request(&self) {
        if self.due.get().is_some() {
            return;
        }
        let callback = self.callback.as_ref().unchecked_ref();
        let frame = self.window.request_animation_frame(callback);
        let timer = self
            .window
            .set_timeout_with_callback_and_timeout_and_arguments_0(callback, HIDDEN_MILLIS);
        self.due.set(Some(Due {
            frame: frame.ok(),
            timer: timer.ok(),
        }));
    }

    fn cancel(&self) {
        let Some(due) = self.due.take() else {
            return;
        };
        if let Some(frame) = due.frame {
            // It fails where there is no window, and here is one.
            let _ = self.window.cancel_animation_frame(frame);
        }
        if let Some(timer) = due.timer {
            self.window.clear_timeout_with_handle(timer);
        }
    }
}

/// Long enough that a page which is shown and busy gets its frame first, short enough for a title that counts what is unread.
const HIDDEN_MILLIS: i32 = 250;
