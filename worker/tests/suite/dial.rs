//! The part of the prelude that dials, against made-up sockets and a made-up global object: a worker's, and a page's.

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::EventTarget;

use super::turn;

const PRELUDE: &str = include_str!("../../js/prelude.js");

/// Runs the script, and returns what a test looks at.
const RUN: &str = "
    const made = [];
    const timers = [];
    class Socket extends EventTarget {
        constructor(url) {
            super();
            if (url.startsWith('ws://insecure')) throw new DOMException('', 'SecurityError');
            Object.assign(this, { url, closed: 0 });
            made.push(this);
        }
        close() { this.closed += 1; }
    }
    Object.assign(global, {
        addEventListener() {},
        setTimeout: (callback, millis) => timers.push({ callback, millis }),
        clearTimeout: (timer) => { timers[timer - 1].callback = null; },
    });
    new Function('self', 'WebSocket', script)(global, Socket);
    return { made, timers, dial: global.onesocketDial };
";

struct Context {
    seen: JsValue,
}

impl Context {
    fn run(script: &str, global: &str) -> Self {
        let global = Function::new_no_args(&format!("return {global}"))
            .call0(&JsValue::NULL)
            .unwrap();
        let seen = Function::new_with_args("script, global", RUN)
            .call2(&JsValue::NULL, &script.into(), &global)
            .unwrap();
        Self { seen }
    }

    /// A worker that is told to dial.
    fn worker(url: &str) -> Self {
        let url = js_sys::encode_uri_component(url);
        Self::run(
            PRELUDE,
            &format!("{{ location: new URL('https://example.org/worker.js#dial={url}') }}"),
        )
    }

    /// A page below `/app/` with a script that is told to dial.
    fn page(url: &str) -> Self {
        let script = format!("{{ dataset: {{ url: '{url}' }} }}");
        Self::page_with(&script)
    }

    fn page_with(script: &str) -> Self {
        Self::page_that(&format!("currentScript: {script}"))
    }

    fn page_that(document: &str) -> Self {
        let (dial, _) = PRELUDE
            .split_once("// The rest is the worker's.\n")
            .unwrap();
        Self::run(
            dial,
            &format!(
                "{{ location: new URL('https://example.org/app/#dial=wss://other.example'),
                    document: {{ baseURI: 'https://example.org/app/', {document} }} }}"
            ),
        )
    }

    /// Both, each with a socket of this URL.
    fn both() -> [Self; 2] {
        [Self::worker(URL), Self::page(URL)]
    }

    fn sockets(&self) -> Vec<EventTarget> {
        let made: Array = get(&self.seen, "made").unchecked_into();
        made.iter().map(JsCast::unchecked_into).collect()
    }

    fn url(&self) -> Option<String> {
        get(self.sockets().first()?, "url").as_string()
    }

    fn dialled(&self, url: &str) -> Option<EventTarget> {
        let dial = get(&self.seen, "dial");
        let dialled: Function = get(&dial, "dialled").unchecked_into();
        let socket = dialled.call1(&dial, &url.into()).unwrap();
        (!socket.is_undefined()).then(|| socket.unchecked_into())
    }

    /// The callback of the only timer, unless it was stopped, and its milliseconds.
    fn timer(&self) -> (Option<Function>, f64) {
        let timers: Array = get(&self.seen, "timers").unchecked_into();
        assert_eq!(timers.length(), 1);
        let timer = timers.get(0);
        let callback = get(&timer, "callback").dyn_into().ok();
        (callback, get(&timer, "millis").as_f64().unwrap())
    }
}

/// Lets a socket say something.
fn say(socket: &EventTarget, event: &str, data: &str) {
    let dispatch = "socket.dispatchEvent(Object.assign(new Event(type), { data }))";
    Function::new_with_args("socket, type, data", dispatch)
        .call3(&JsValue::NULL, socket, &event.into(), &data.into())
        .unwrap();
}

/// Listens to a socket, and returns the list of what it says.
fn listen(socket: &EventTarget) -> Array {
    let listen = "
        const heard = [];
        const hear = ({ type, data }) => heard.push(`${type} ${data}`);
        ['open', 'message', 'close'].forEach((type) => socket.addEventListener(type, hear));
        return heard;
    ";
    Function::new_with_args("socket", listen)
        .call1(&JsValue::NULL, socket)
        .unwrap()
        .unchecked_into()
}

fn words(heard: &Array) -> Vec<String> {
    heard.iter().filter_map(|word| word.as_string()).collect()
}

fn is_closed(socket: &EventTarget) -> bool {
    get(socket, "closed").as_f64() == Some(1.0)
}

fn get(target: &JsValue, name: &str) -> JsValue {
    Reflect::get(target, &name.into()).unwrap()
}

const URL: &str = "wss://example.org/live?of=all";

#[wasm_bindgen_test]
async fn what_an_early_socket_has_said_is_said_again_in_order_and_once() {
    for context in Context::both() {
        let [socket] = &context.sockets()[..] else {
            panic!("not one socket");
        };
        say(socket, "open", "");
        for data in ["a", "b", "c"] {
            say(socket, "message", data);
        }
        assert!(context.dialled("wss://example.org/live").is_none());
        let taken = context.dialled(URL).unwrap();
        assert!(Object::is(&taken, socket));
        let heard = listen(&taken);
        assert_eq!(heard.length(), 0, "not before whoever takes it is ready");
        turn().await;
        say(socket, "message", "d");
        say(socket, "close", "");
        turn().await;
        let expected = [
            "open ",
            "message a",
            "message b",
            "message c",
            "message d",
            "close ",
        ];
        assert_eq!(words(&heard), expected);

        assert!(context.dialled(URL).is_none(), "it is another's now");
        assert!(context.timer().0.is_none(), "it is closed by nobody");
        assert!(!is_closed(socket));
        assert_eq!(context.sockets().len(), 1);
    }
}

#[wasm_bindgen_test]
fn an_early_socket_that_nobody_takes_is_closed_after_five_seconds() {
    for context in Context::both() {
        let (callback, millis) = context.timer();
        assert_eq!(millis, 5000.0);
        callback.unwrap().call0(&JsValue::NULL).unwrap();
        assert!(is_closed(&context.sockets()[0]));
        assert!(context.dialled(URL).is_none());
    }
}

#[wasm_bindgen_test]
fn an_early_socket_that_says_too_much_is_closed() {
    for context in Context::both() {
        let socket = &context.sockets()[0];
        say(socket, "open", "");
        for _ in 0..1000 {
            say(socket, "message", "");
        }
        assert!(!is_closed(socket));
        say(socket, "message", "");
        assert!(is_closed(socket));
        assert!(context.dialled(URL).is_none());
        assert!(context.timer().0.is_none());
    }
}

#[wasm_bindgen_test]
fn the_url_of_an_early_socket_is_relative_to_the_page_or_the_worker() {
    for (named, in_page, in_worker) in [
        (
            "live",
            "wss://example.org/app/live",
            "wss://example.org/live",
        ),
        (
            "/live#x",
            "wss://example.org/live",
            "wss://example.org/live",
        ),
        (
            "http://example.com",
            "ws://example.com/",
            "ws://example.com/",
        ),
    ] {
        let (page, worker) = (Context::page(named), Context::worker(named));
        assert_eq!(page.url().as_deref(), Some(in_page));
        assert_eq!(worker.url().as_deref(), Some(in_worker));
        assert!(page.dialled(named).is_some());
        assert!(worker.dialled(in_worker).is_some());
    }
}

#[wasm_bindgen_test]
fn a_prerendered_page_dials_nothing_before_its_client_does() {
    let page = |is_prerendered: bool| {
        Context::page_that(&format!(
            "currentScript: {{ dataset: {{ url: '{URL}' }} }}, prerendering: {is_prerendered}"
        ))
    };
    assert_eq!(page(false).sockets().len(), 1);
    let prerendered = page(true);
    assert_eq!(prerendered.sockets().len(), 0);
    assert!(prerendered.dialled(URL).is_none());
}

#[wasm_bindgen_test]
fn where_no_socket_can_be_dialled_none_is_taken() {
    let invalid = ["", "http://[", "ws://insecure"];
    let mut contexts: Vec<_> = invalid.map(Context::page).into();
    contexts.extend(invalid.map(Context::worker));
    // A module's script is not the current one; and what is in the fragment of a page's URL was not written by the page.
    contexts.extend(["null", "{ dataset: {} }"].map(Context::page_with));
    for context in contexts {
        assert_eq!(context.sockets().len(), 0);
        for url in ["wss://example.org/", "ws://insecure", "http://[", ""] {
            assert!(context.dialled(url).is_none(), "{url}");
        }
    }
}
