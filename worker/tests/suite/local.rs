use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use onesocket_worker::local;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{set_timeout, turn};

#[wasm_bindgen_test]
async fn a_local_pair_delivers_in_order_and_never_at_once() {
    let (tab, worker) = local::pair();
    let seen = Rc::new(RefCell::new(Vec::new()));
    tab.post(b"before anybody listens");
    worker.on_frame({
        let seen = Rc::clone(&seen);
        move |arrived| seen.borrow_mut().push(arrived.frame().clone())
    });
    tab.post(b"after");
    assert!(seen.borrow().is_empty());
    turn().await;
    assert_eq!(*seen.borrow(), [&b"before anybody listens"[..], b"after"]);
}

#[wasm_bindgen_test]
async fn a_local_pair_may_post_and_close_from_its_own_callback() {
    let (tab, worker) = local::pair();
    let worker = Rc::new(worker);
    let echoed = Rc::new(RefCell::new(0));
    worker.on_frame({
        let worker = Rc::downgrade(&worker);
        move |arrived| {
            let worker = worker.upgrade().unwrap();
            worker.post(arrived.frame());
            worker.close();
        }
    });
    tab.on_frame({
        let echoed = Rc::clone(&echoed);
        move |_| *echoed.borrow_mut() += 1
    });
    tab.post(b"one");
    tab.post(b"two, which nobody hears");
    turn().await;
    assert_eq!(*echoed.borrow(), 1);
}

/// Has a frame go to and fro, and counts how often it has, until the browser runs a timer.
async fn to_and_fro(most: u32) -> u32 {
    let (tab, worker) = local::pair();
    let (tab, worker) = (Rc::new(tab), Rc::new(worker));
    let rounds = Rc::new(Cell::new(0));
    let is_over = Rc::new(Cell::new(false));
    worker.on_frame({
        let worker = Rc::downgrade(&worker);
        move |arrived| worker.upgrade().unwrap().post(arrived.frame())
    });
    tab.on_frame({
        let (tab, rounds, is_over) = (Rc::downgrade(&tab), Rc::clone(&rounds), Rc::clone(&is_over));
        move |arrived| {
            rounds.set(rounds.get() + 1);
            if !is_over.get() && rounds.get() < most {
                tab.upgrade().unwrap().post(arrived.frame());
            }
        }
    });
    let end = Closure::once_into_js({
        let is_over = Rc::clone(&is_over);
        move || is_over.set(true)
    });
    set_timeout(end.unchecked_ref(), 0);
    tab.post(b"ball");
    while !is_over.get() {
        turn().await;
    }
    rounds.get()
}

#[wasm_bindgen_test]
async fn a_local_pair_that_posts_to_and_fro_lets_the_browser_run() {
    let most = 20_000;
    let rounds = to_and_fro(most).await;
    assert!(rounds < most, "{rounds}");
}

#[wasm_bindgen_test]
async fn frames_with_tasks_in_between_are_delivered_in_a_microtask() {
    let (tab, worker) = local::pair();
    let heard = Rc::new(Cell::new(0));
    worker.on_frame({
        let heard = Rc::clone(&heard);
        move |_| heard.set(heard.get() + 1)
    });
    for sent in 1..=200 {
        tab.post(b"alone");
        // Of the same queue, and behind.
        wasm_bindgen_futures::JsFuture::from(js_sys::Promise::resolve(&JsValue::NULL))
            .await
            .unwrap();
        assert_eq!(heard.get(), sent);
        turn().await;
    }
}
