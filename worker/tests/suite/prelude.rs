//! The prelude against a made-up global object, so that it runs in every context.

use js_sys::{Array, ArrayBuffer, Function, Object, Promise, Reflect, Uint8Array};
use onesocket_protocol::Preface;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::MessageChannel;

use super::{Tab, turn};

const PRELUDE: &str = include_str!("../../js/prelude.js");

/// A worker's global: keeps its listeners, notes its end.
const GLOBAL: &str = "return {
    listeners: {},
    location: new URL(\"https://example.org/worker.js\"),
    closed: 0,
    addEventListener(name, listener) { this.listeners[name] = listener; },
    setTimeout(callback) { callback(); },
    close() { this.closed += 1; },
};";

struct Worker {
    global: Object,
}

impl Worker {
    fn new() -> Self {
        let global = Function::new_no_args(GLOBAL).call0(&JsValue::NULL).unwrap();
        Function::new_with_args("self", PRELUDE)
            .call1(&JsValue::NULL, &global)
            .unwrap();
        Self {
            global: global.unchecked_into(),
        }
    }

    fn dispatch(&self, event: &str, fields: &[(&str, &JsValue)]) {
        let init = Object::new();
        for (name, value) in fields {
            Reflect::set(&init, &(*name).into(), value).unwrap();
        }
        let listeners = Reflect::get(&self.global, &"listeners".into()).unwrap();
        let listener: Function = Reflect::get(&listeners, &event.into())
            .unwrap()
            .unchecked_into();
        listener.call1(&JsValue::NULL, &init).unwrap();
    }

    fn connect(&self, event: &str) -> Tab {
        let channel = MessageChannel::new().unwrap();
        self.dispatch(event, &[("ports", &Array::of1(&channel.port2()))]);
        Tab::new(channel.port1())
    }

    fn call(&self, method: &str, argument: &JsValue) -> JsValue {
        let prelude = get(&self.global, "onesocket");
        let method: Function = get(&prelude, method).unchecked_into();
        method.call1(&prelude, argument).unwrap()
    }

    fn closed(&self) -> Option<f64> {
        Reflect::get(&self.global, &"closed".into())
            .unwrap()
            .as_f64()
    }
}

fn get(target: &JsValue, name: &str) -> JsValue {
    Reflect::get(target, &name.into()).unwrap()
}

async fn reason(tab: &mut Tab) -> String {
    match Preface::decode(&tab.frame().await) {
        Ok(Preface::Failed(failed)) => failed.reason,
        other => panic!("{other:?}"),
    }
}

#[wasm_bindgen_test]
async fn a_wasm_that_does_not_load_is_told_to_every_tab() {
    let worker = Worker::new();
    let mut early = worker.connect("connect");
    let start = Function::new_no_args("return Promise.reject(new Error('404 for /\u{f6}.wasm'))");
    worker.call("boot", &start);
    assert_eq!(reason(&mut early).await, "Error: 404 for /\u{f6}.wasm");
    let mut late = worker.connect("message");
    assert_eq!(reason(&mut late).await, "Error: 404 for /\u{f6}.wasm");
    assert_eq!(worker.closed(), Some(1.0));
}

#[wasm_bindgen_test]
async fn a_trap_is_told_to_every_tab_and_ends_the_worker() {
    let worker = Worker::new();
    let (mut first, mut second) = (worker.connect("connect"), worker.connect("connect"));
    let trap = Function::new_no_args("return new WebAssembly.RuntimeError('unreachable')")
        .call0(&JsValue::NULL)
        .unwrap();
    worker.dispatch("error", &[("error", &trap)]);
    worker.dispatch("unhandledrejection", &[("reason", &trap)]);
    assert_eq!(reason(&mut first).await, "RuntimeError: unreachable");
    assert_eq!(reason(&mut second).await, "RuntimeError: unreachable");
    turn().await;
    assert!(first.received.try_recv().is_err(), "once is enough");
    assert_eq!(worker.closed(), Some(1.0));
}

#[wasm_bindgen_test]
async fn an_error_of_the_app_ends_nothing() {
    let worker = Worker::new();
    let mut tab = worker.connect("connect");
    let error = js_sys::Error::new("the app's own");
    Reflect::set(
        &error,
        &"stack".into(),
        &"Error: the app's own\n    at app.js:1:1".into(),
    )
    .unwrap();
    worker.dispatch("error", &[("error", &error)]);
    worker.dispatch("error", &[("error", &JsValue::NULL)]);
    worker.dispatch("unhandledrejection", &[("reason", &JsValue::UNDEFINED)]);
    worker.dispatch("message", &[("ports", &Array::new())]);
    turn().await;
    assert!(tab.received.try_recv().is_err());
    assert_eq!(worker.closed(), Some(0.0));
}

#[wasm_bindgen_test]
async fn early_and_late_ports_reach_the_wasm_once() {
    let worker = Worker::new();
    let count = Object::new();
    let accept =
        Function::new_with_args("port", "this.count = (this.count ?? 0) + 1").bind0(&count);
    let _early = worker.connect("connect");
    worker.call("serve", &accept);
    let _late = worker.connect("connect");
    assert_eq!(
        Reflect::get(&count, &"count".into()).unwrap().as_f64(),
        Some(2.0)
    );
    worker.call("boot", &Function::new_no_args("throw new Error('at once')"));
    let _: Promise = Promise::resolve(&JsValue::NULL);
    turn().await;
    assert_eq!(worker.closed(), Some(1.0));
}

/// Small buffers come together, as many as there is room for, and everything in the order in which it came.
#[wasm_bindgen_test]
fn what_is_gathered_is_taken_in_its_order() {
    let worker = Worker::new();
    let prelude = get(&worker.global, "onesocket");
    let gather: Function = get(&prelude, "gather").unchecked_into();
    let gathered = gather.call2(&prelude, &LARGE.into(), &ROOM.into()).unwrap();
    let keep: Function = get(&gathered, "onmessage").unchecked_into();
    let next: Function = get(&gathered, "next").unchecked_into();
    for _ in 0..2 {
        let texts = [JsValue::from("first"), JsValue::from("")];
        let lengths = [0, 15, 15, 15, 15, 1, 0, 16, 100, 3, 40, 2];
        let buffers = lengths.iter().enumerate().map(|(number, length)| {
            let bytes = Uint8Array::new_with_length(*length);
            bytes.fill(number as u8, 0, *length).buffer().into()
        });
        let mut sent: Vec<JsValue> = buffers.collect();
        sent.insert(9, texts[1].clone());
        sent.insert(0, texts[0].clone());
        for data in &sent {
            let event = Object::new();
            Reflect::set(&event, &"data".into(), data).unwrap();
            keep.call1(&JsValue::NULL, &event).unwrap();
        }

        let mut taken = Vec::new();
        loop {
            let piece = next.call0(&gathered).unwrap();
            if piece.is_undefined() {
                break;
            }
            match piece.dyn_into::<Uint8Array>() {
                Ok(packed) => unpack(&packed.to_vec(), &mut taken),
                Err(one) => taken.push(describe(&one)),
            }
        }
        let expected: Vec<_> = sent.iter().map(describe).collect();
        assert_eq!(taken, expected);
    }
}

const LARGE: u32 = 16;
const ROOM: u32 = 64;

fn unpack(mut packed: &[u8], taken: &mut Vec<String>) {
    assert!(
        packed.len() <= ROOM as usize,
        "no more than there is room for"
    );
    while let Some((length, rest)) = packed.split_first_chunk() {
        let (payload, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        assert!(payload.len() < LARGE as usize, "a large one is left alone");
        taken.push(format!("{payload:?}"));
        packed = rest;
    }
}

fn describe(data: &JsValue) -> String {
    match data.dyn_ref::<ArrayBuffer>() {
        Some(buffer) => format!("{:?}", Uint8Array::new(buffer).to_vec()),
        None => format!("{data:?}"),
    }
}
