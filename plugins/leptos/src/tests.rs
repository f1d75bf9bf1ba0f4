//! What hooks do in a page, without one: effects run, and a client is there that never connects.

use std::{
    cell::{OnceCell, RefCell},
    future::Future,
    rc::{Rc, Weak},
};

use leptos::prelude::*;
use onesocket::{BuildError, ClientError, GreetError, SendId};
use tokio::task::{LocalSet, yield_now};

use crate::{effect::overlapping, fold::Folding, prelude::*};

type Socket = OneSocket<String, String>;

/// Runs a test as a page runs: one thread, and an owner for all.
async fn page<F: Future<Output = ()>>(test: impl FnOnce(Owner) -> F) {
    // Each test would do it, and the first one has.
    let _ = any_spawner::Executor::init_tokio();
    let owner = Owner::new();
    LocalSet::new().run_until(test(owner)).await;
}

/// Lets everything have its turn that has something to do.
async fn rest() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// A connection of the account that a signal has, which is none with `!`.
fn connection(owner: &Owner) -> (Socket, RwSignal<&'static str>) {
    owner.with(|| {
        let account = RwSignal::new("ada");
        let socket = use_connection(move || {
            let config = Client::builder("/feed", Text).account(account.get());
            match account.get() {
                "!" => config.subprotocol("not a token"),
                _ => config,
            }
        });
        (socket, account)
    })
}

/// Something that hooks own, and whether they still do.
fn owned() -> (Rc<()>, Weak<()>) {
    let thing = Rc::new(());
    let weak = Rc::downgrade(&thing);
    (thing, weak)
}

/// Uses a hook in a component of its own, as a row of a `<For>` has one, and expects that it is gone when the component is dropped.
async fn is_gone_with_its_component(mount: impl FnOnce(Socket, Rc<()>)) {
    page(async |owner| {
        let (socket, _) = connection(&owner);
        let row = owner.with(Owner::new);
        let (thing, weak) = owned();
        row.with(|| mount(socket, thing));
        rest().await;
        assert!(weak.upgrade().is_some(), "it is mounted");
        drop(row);
        rest().await;
        assert!(weak.upgrade().is_none(), "it goes on");
        drop(owner);
    })
    .await;
}

#[tokio::test]
async fn use_event_went_on_when_a_row_was_gone() {
    is_gone_with_its_component(|socket, thing| {
        use_event(socket, move |_| {
            let _ = &thing;
        });
    })
    .await;
}

#[tokio::test]
async fn use_fold_went_on_when_a_row_was_gone() {
    is_gone_with_its_component(|socket, thing| {
        let _ = use_fold(
            socket,
            || 0,
            move |_, _| {
                let _ = &thing;
            },
        );
    })
    .await;
}

/// The component owns the thing by a hook that every cycle of another one keeps.
fn beside(socket: Socket, thing: Rc<()>) {
    let _ = use_greeting(socket, move || {
        let _ = &thing;
        ("join".to_owned(), None)
    });
}

#[tokio::test]
async fn use_greeting_went_on_beside_use_event_and_use_fold() {
    is_gone_with_its_component(|socket, thing| {
        beside(socket, thing);
        use_event(socket, |_| {});
        let _ = use_fold(socket, || 0, |_, _| {});
    })
    .await;
}

#[tokio::test]
async fn the_farewell_of_a_greeting_came_before_the_next_greeting() {
    struct Guard(Rc<RefCell<Vec<String>>>, u8);

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.borrow_mut().push(format!("{} ends", self.1));
        }
    }

    page(async |owner| {
        let log = Rc::new(RefCell::new(Vec::new()));
        let row = owner.with(Owner::new);
        let number = row.with(|| {
            let number = RwSignal::new(0);
            let log = Rc::clone(&log);
            overlapping(move |drop_before| {
                let number = number.get();
                if number == 3 {
                    drop_before();
                }
                log.borrow_mut().push(format!("{number} begins"));
                (number != 2).then(|| Guard(Rc::clone(&log), number))
            });
            number
        });
        for next in 1..5 {
            rest().await;
            number.set(next);
        }
        rest().await;
        drop(row);
        rest().await;
        let expected = [
            "0 begins", "1 begins", "0 ends", "2 begins", "1 ends", "3 begins", "4 begins",
            "3 ends", "4 ends",
        ];
        assert_eq!(*log.borrow(), expected);
        drop(owner);
    })
    .await;
}

#[tokio::test]
async fn use_message_went_on_when_a_row_was_gone() {
    is_gone_with_its_component(|socket, thing| {
        beside(socket, thing);
        let _ = use_message(socket);
    })
    .await;
}

#[tokio::test]
async fn use_error_went_on_when_a_row_was_gone() {
    is_gone_with_its_component(|socket, thing| {
        beside(socket, thing);
        let _ = use_error(socket);
    })
    .await;
}

/// Without those that run in a page alone: a resource of a server asks nothing, and a receipt there is not waited for.
#[tokio::test]
async fn the_other_hooks_end_with_a_row() {
    is_gone_with_its_component(|socket, thing| {
        beside(socket, thing);
        let _ = use_status(socket);
        let _ = use_tier(socket);
        let _ = use_ladder(socket);
        let _ = use_send(socket);
    })
    .await;
}

#[tokio::test]
async fn a_connection_ends_with_a_row() {
    page(async |owner| {
        let row = owner.with(Owner::new);
        let (thing, weak) = owned();
        let socket = row.with(|| {
            use_connection::<String, String>(move || {
                let _ = &thing;
                Client::builder("/feed", Text)
            })
        });
        row.with(|| use_event(socket, |_| {}));
        rest().await;
        assert!(weak.upgrade().is_some(), "it is mounted");
        drop(row);
        rest().await;
        assert!(weak.upgrade().is_none(), "it goes on");
        assert!(socket.client_untracked().is_none());
        drop(owner);
    })
    .await;
}

#[test]
fn an_event_that_came_of_folding_another_one_was_lost() {
    let owner = Owner::new();
    let state = owner.with(|| RwSignal::new(Vec::new()));
    let within = Rc::new(OnceCell::<Box<dyn Fn(u8)>>::new());
    let fold = {
        let within = Rc::clone(&within);
        move |state: &mut Vec<u8>, event| {
            if event == 1 {
                within.get().unwrap()(2);
            }
            state.push(event);
        }
    };
    let folding = Rc::new(Folding::new(state, Rc::new(fold)));
    let taker = Rc::clone(&folding);
    let is_new = within.set(Box::new(move |event| taker.take(event)));
    assert!(is_new.is_ok());

    folding.take(1);
    assert_eq!(state.get_untracked(), [1, 2]);
    let guard = state.read_untracked();
    folding.take(3);
    assert_eq!(*guard, [1, 2]);
    drop(guard);
    folding.take(4);
    assert_eq!(state.get_untracked(), [1, 2, 3, 4]);
    let guard = state.write();
    folding.take(5);
    drop(guard);
    folding.settle();
    assert_eq!(state.get_untracked(), [1, 2, 3, 4, 5]);
    drop(owner);
}

/// What hooks have kept of an account, each as a word, and how to keep something of it.
struct Kept {
    lines: RwSignal<Vec<u8>>,
    error: RwSignal<Option<ClientError>>,
    status: ReadSignal<Status>,
    send: Action<String, Result<SendId, SendError>>,
    greeting: ReadSignal<Option<GreetError>>,
}

impl Kept {
    fn new(socket: Socket) -> Self {
        Self {
            lines: use_fold(socket, Vec::new, |_, _| {}),
            error: use_error(socket),
            status: use_status(socket),
            send: use_send(socket),
            greeting: use_greeting(socket, || ("x".repeat(2 << 20), None)),
        }
    }

    /// As what the server says would do, which is not there.
    async fn keep(&self) {
        self.lines.set(vec![1]);
        self.error.set(Some(ClientError::InvalidCredential(
            BuildError::InvalidSubprotocol,
        )));
        self.send.dispatch("hello".to_owned());
        rest().await;
        // There is no worker. Without a client it is connecting.
        assert_eq!(
            self.words(),
            ["lines", "error", "stopped", "sent", "no greeting"]
        );
    }

    fn words(&self) -> Vec<&'static str> {
        let status = self.status.get_untracked().state;
        let words = [
            (!self.lines.get_untracked().is_empty()).then_some("lines"),
            self.error.get_untracked().map(|_| "error"),
            matches!(status, LinkState::Stopped(_)).then_some("stopped"),
            self.send.value().get_untracked().map(|_| "sent"),
            self.greeting.get_untracked().map(|_| "no greeting"),
        ];
        words.into_iter().flatten().collect()
    }
}

#[tokio::test]
async fn what_was_kept_of_one_account_was_shown_to_the_next() {
    page(async |owner| {
        let (socket, account) = connection(&owner);
        let kept = owner.with(|| Kept::new(socket));
        rest().await;
        kept.keep().await;
        account.set("bob");
        rest().await;
        assert_eq!(kept.words(), ["stopped", "no greeting"]);
        kept.keep().await;
        drop(owner);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_was_told_before_the_page_had_hydrated() {
    page(async |owner| {
        let (socket, account) = connection(&owner);
        let wrong = || owner.with(|| use_connection(|| Client::builder("", Text).subprotocol("")));
        let wrong: Socket = wrong();
        let error = Some(BuildError::InvalidSubprotocol);
        assert_eq!(wrong.config_error(), None, "as a server has rendered it");
        rest().await;
        assert_eq!((wrong.config_error(), socket.config_error()), (error, None));
        account.set("!");
        rest().await;
        assert!(socket.config_error().is_some());
        account.set("bob");
        rest().await;
        assert_eq!(socket.config_error(), None);
        drop(owner);
    })
    .await;
}

#[tokio::test]
async fn what_was_kept_of_an_account_was_shown_while_the_next_configuration_was_wrong() {
    page(async |owner| {
        let (socket, account) = connection(&owner);
        let kept = owner.with(|| Kept::new(socket));
        rest().await;
        kept.keep().await;
        account.set("!");
        rest().await;
        assert!(socket.config_error().is_some());
        assert_eq!(kept.words(), [""; 0]);
        // What a form says that nobody takes is the app's to show.
        kept.send.dispatch("hello".to_owned());
        rest().await;
        assert_eq!(kept.words(), ["sent"]);
        account.set("bob");
        rest().await;
        assert_eq!(kept.words(), ["stopped", "no greeting"]);
        kept.keep().await;
        drop(owner);
    })
    .await;
}

#[tokio::test]
async fn no_hook_took_the_client_of_a_text_by_reference() {
    page(async |owner| {
        let status = owner.with(|| {
            let config = || Client::<str, String>::builder("/feed", Text);
            let socket = use_connection(config);
            use_event(socket, |_| {});
            let _ = (use_error(socket), use_tier(socket), use_ladder(socket));
            let _ = use_message(socket);
            let _ = use_fold(socket, || 0, |_, _| {});
            drop(socket.send("hello"));
            use_status(socket)
        });
        rest().await;
        assert!(matches!(
            status.get_untracked().state,
            LinkState::Stopped(_)
        ));
        drop(owner);
    })
    .await;
}
