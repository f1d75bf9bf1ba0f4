use std::{cell::RefCell, rc::Rc};

use onesocket_worker::local;
use wasm_bindgen_test::wasm_bindgen_test;

use super::turn;

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
