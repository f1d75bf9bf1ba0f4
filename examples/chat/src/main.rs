//! The onesocket demo: a chat whose tabs share one WebSocket, and a panel that says how.
//!
//! What matters is in `connection.rs`; the rest is what any chat needs.

mod connection;
mod conversation;
mod dom;
mod message;
mod parameters;
mod view;

use std::{panic, rc::Rc};

use crate::{connection::Connection, parameters::Parameters, view::View};

fn main() {
    let Some(view) = View::find() else {
        // index.html and this program are one deployment; without each other there is nothing to show it in.
        return dom::complain("the page is not the one that this program was made for");
    };
    let view = Rc::new(view);
    let at_panic = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        dom::complain(&info.to_string());
        at_panic(info);
    }));
    match Parameters::parse(dom::query(), dom::remembered_name) {
        Ok(parameters) => Connection::start(parameters, view),
        Err(problems) => view.refuse(&problems.to_string()),
    }
}
