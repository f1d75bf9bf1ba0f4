//! What becomes of what a client hears.

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use onesocket_protocol::{Packed, Parcel, SendId, parcel::Contents};

use super::*;
use crate::codec::EncodeError;

/// Bytes as they are. What begins with a `!` acknowledges, and what begins with a `?` is not to be read; an `x` runs `on_x`.
struct Codec<F>(F);

impl<F: Fn()> crate::Codec<[u8], Bytes> for Codec<F> {
    fn encode(&self, message: &[u8]) -> Result<Payload, EncodeError> {
        Ok(Payload::binary(message.to_vec()))
    }

    fn decode(&self, payload: &Payload) -> Result<Bytes, DecodeError> {
        match payload.bytes().first() {
            Some(b'?') => Err(DecodeError::invalid("a question")),
            first => {
                if first == Some(&b'x') {
                    (self.0)();
                }
                Ok(payload.bytes().clone())
            }
        }
    }

    fn acknowledges(&self, message: &Bytes) -> Option<u64> {
        message.starts_with(b"!").then_some(1)
    }
}

type Probed = Client<[u8], Bytes>;

/// A client that has been told that there is no browser here.
fn client(on_x: impl Fn() + 'static) -> (Probed, Events<Bytes>) {
    let client = Client::builder("wss://x.org/", Codec(on_x)).build();
    let client = client.expect("a client");
    let mut events = client.events();
    while !read(&mut events).is_empty() {}
    (client, events)
}

fn hear(client: &Probed, event: ChannelEvent) {
    Shared::hear(&Rc::downgrade(&client.shared), event);
}

fn packed(messages: &[&str]) -> ChannelEvent {
    let mut bytes = Vec::new();
    for message in messages {
        bytes.extend((message.len() as u32).to_le_bytes());
        bytes.extend(message.as_bytes());
    }
    ChannelEvent::Packed(Packed::new(bytes).expect("whole messages"))
}

fn alone(message: &'static str) -> ChannelEvent {
    ChannelEvent::Message {
        replayed: false,
        payload: Payload::binary(message.as_bytes()),
    }
}

fn shown(event: Option<Event<Arc<Bytes>>>) -> String {
    match event {
        Some(Event::Message(message)) => String::from_utf8_lossy(&message).into_owned(),
        Some(Event::Lagged { missed }) => format!("lagged {missed}"),
        Some(Event::Error(_)) => "error".to_owned(),
        Some(Event::Status(status)) => format!("status {:?}", status.state),
        Some(Event::Disconnected { reason }) => format!("disconnected {reason:?}"),
        Some(_) => "other".to_owned(),
        None => "end".to_owned(),
    }
}

/// Reads until nothing waits.
fn read(events: &mut Events<Bytes>) -> Vec<String> {
    let next = || events.next().now_or_never();
    let all = std::iter::from_fn(next).map(|event| shown(event.map(|event| event.map(Arc::new))));
    let mut read = Vec::new();
    for event in all {
        let is_end = event == "end";
        read.push(event);
        if is_end {
            break;
        }
    }
    read
}

#[test]
fn messages_that_came_together_are_read_in_their_place() {
    let (client, mut events) = client(|| ());
    let mut other = client.events();
    hear(&client, alone("a"));
    hear(&client, packed(&["b", "?", "c", "!d"]));
    hear(&client, ChannelEvent::Lagged { missed: 3 });
    hear(&client, packed(&["e"]));
    hear(&client, packed(&["!f"]));
    let expect = ["a", "b", "error", "c", "lagged 3", "e"];
    assert_eq!(read(&mut events), expect);
    assert_eq!(read(&mut other), expect);
    hear(&client, packed(&["g", "h"]));
    assert_eq!(read(&mut events), ["g", "h"]);
    client.disconnect();
    assert_eq!(
        read(&mut other),
        ["g", "h", "end"],
        "what was heard is read"
    );
}

/// A large message, which counts how often it is read and given back.
struct Large(&'static str, Rc<Cell<[u32; 2]>>);

impl Contents for Large {
    fn read(&self) -> Bytes {
        let [reads, releases] = self.1.get();
        self.1.set([reads + 1, releases]);
        Bytes::from_static(self.0.as_bytes())
    }

    fn release(&self) {
        let [reads, releases] = self.1.get();
        self.1.set([reads, releases + 1]);
    }
}

#[test]
fn a_large_message_is_read_when_its_turn_comes_and_given_back_by_the_last() {
    let counts = Rc::new(Cell::new([0; 2]));
    let large = |message: &'static str| {
        let contents = Large(message, Rc::clone(&counts));
        ChannelEvent::Parcel(Parcel::new(contents, message.len()))
    };
    let (client, mut events) = client(|| ());
    let mut other = client.events();
    for message in ["a", "?", "!b", "c"] {
        hear(&client, large(message));
        hear(&client, alone("small"));
    }
    assert_eq!(counts.get(), [0, 0]);
    let expect = ["a", "small", "error", "small", "small", "c", "small"];
    assert_eq!(read(&mut events), expect);
    assert_eq!(counts.get(), [4, 0], "the other stream needs them");
    assert_eq!(read(&mut other), expect);
    assert_eq!(counts.get(), [8, 4]);

    drop(other);
    let heard = Rc::new(RefCell::new(Vec::new()));
    let listener = client.on_event({
        let heard = Rc::clone(&heard);
        move |event| heard.borrow_mut().push(shown(Some(event)))
    });
    hear(&client, large("d"));
    assert_eq!(heard.take(), ["d"], "who listens hears it at once");
    assert_eq!(
        (read(&mut events), counts.get()),
        (vec!["d".to_owned()], [9, 5])
    );
    drop(listener);
}

#[test]
fn who_takes_large_messages_as_they_are_has_them_in_their_place() {
    let counts = Rc::new(Cell::new([0; 2]));
    let large = |message: &'static str| {
        let contents = Large(message, Rc::clone(&counts));
        ChannelEvent::Parcel(Parcel::new(contents, message.len()))
    };
    let (client, mut events) = client(|| ());
    let heard = Rc::new(RefCell::new(Vec::new()));
    let _listening = client.on_event({
        let heard = Rc::clone(&heard);
        move |event| heard.borrow_mut().push(shown(Some(event)))
    });
    let _before = client.on_parcel(|_| panic!("another one has taken its place"));
    let _taking = client.on_parcel({
        let heard = Rc::clone(&heard);
        move |parcel| {
            heard
                .borrow_mut()
                .push(format!("{} B, {}", parcel.len(), parcel.is_last()))
        }
    });
    hear(&client, alone("small"));
    hear(&client, large("a"));
    hear(&client, alone("too"));
    assert_eq!(heard.take(), ["small", "1 B, false", "too"]);
    assert_eq!(
        (read(&mut events), counts.get()),
        (
            vec!["small".to_owned(), "a".to_owned(), "too".to_owned()],
            [1, 1]
        )
    );

    drop(events);
    hear(&client, large("b"));
    assert_eq!(
        (heard.take(), counts.get()),
        (vec!["1 B, true".to_owned()], [1, 1]),
        "nobody has read it"
    );

    client.disconnect();
    assert!(client.shared.on_parcel.borrow().is_none());

    let client = Client::builder("wss://x.org/", Codec(|| ()))
        .replies(|_| None)
        .build();
    let client = client.expect("a client");
    client.on_parcel(|_| panic!("it may be an answer")).keep();
    hear(&client, large("c"));
    assert_eq!(counts.get(), [2, 2]);
}

#[test]
fn who_took_large_messages_and_has_left_swallowed_them_for_ever() {
    let (client, events) = client(|| ());
    drop(events);
    let heard = Rc::new(RefCell::new(Vec::new()));
    let taken = Rc::new(Cell::new(0));
    let take = || {
        let taken = Rc::clone(&taken);
        client.on_parcel(move |_| taken.set(taken.get() + 1))
    };
    let count = |message| {
        let contents = Bytes::from_static(message);
        hear(&client, ChannelEvent::Parcel(Parcel::new(contents, 1)));
        (heard.take().len(), taken.take())
    };
    let told = Rc::clone(&heard);
    let listener = move |event| told.borrow_mut().push(shown(Some(event)));
    client.on_event(listener).keep();

    let first = take();
    assert_eq!(count(b"a"), (0, 1));
    let second = take();
    drop(first);
    assert_eq!(count(b"b"), (0, 1), "the place is another's");
    drop(second);
    assert_eq!(count(b"c"), (1, 0));
    take().keep();
    assert_eq!(count(b"d"), (0, 1));
}

#[test]
fn a_full_stream_counts_a_large_message_that_it_drops() {
    let (client, mut events) = client(|| ());
    let many = vec!["m"; 65_536];
    hear(&client, packed(&many));
    let contents = Bytes::from_static(b"large");
    hear(&client, ChannelEvent::Parcel(Parcel::new(contents, 5)));
    let heard = read(&mut events);
    assert_eq!(heard.len(), many.len() + 1);
    assert_eq!(heard.last().map(String::as_str), Some("lagged 1"));

    // Those that were read have left their room.
    for _ in 0..2 {
        for _ in 0..many.len() {
            let contents = Bytes::from_static(b"large");
            hear(&client, ChannelEvent::Parcel(Parcel::new(contents, 5)));
        }
        assert_eq!(read(&mut events), vec!["large"; many.len()]);
    }
}

#[test]
fn a_stream_that_is_not_read_keeps_so_many_and_counts_the_others() {
    let (client, mut events) = client(|| ());
    let most = 65_536;
    hear(&client, alone("first"));
    let many = vec!["m"; most - 3];
    hear(&client, packed(&many));
    hear(&client, packed(&["1", "2", "3", "4"]));
    hear(&client, packed(&["5"]));
    hear(&client, alone("6"));
    let heard = read(&mut events);
    assert_eq!(heard.len(), most + 1);
    assert_eq!(heard[most - 3..], ["m", "1", "2", "lagged 4"]);
    hear(&client, packed(&["7"]));
    assert_eq!(read(&mut events), ["7"]);
}

/// A large message of so many bytes, of which there is only the first.
fn large(bytes: usize) -> ChannelEvent {
    ChannelEvent::Parcel(Parcel::new(Bytes::from_static(b"l"), bytes))
}

const MIB: usize = 1024 * 1024;

#[test]
fn a_stream_that_was_not_read_kept_any_number_of_bytes() {
    let client = Client::builder("wss://x.org/", Codec(|| ())).build();
    let client: Probed = client.expect("a client");
    // Nobody has asked for the first one, either.
    let mut events = client.events();
    let long = "p".repeat(MIB - 4);
    for round in 0..2 {
        hear(&client, large(32 * MIB));
        hear(
            &client,
            packed(&[&long[..MIB / 2 - 4], &long[..MIB / 2 - 4]]),
        );
        (0..30).for_each(|_| hear(&client, packed(&[&long])));
        hear(&client, large(MIB));
        hear(&client, large(1));
        hear(&client, packed(&["p"]));
        hear(&client, alone("a"));
        let mut heard = read(&mut events);
        // What a start without a browser tells.
        heard.drain(..if round == 0 { 3 } else { 0 });
        assert_eq!((heard.len(), &*heard[0]), (35, "l"));
        assert_eq!(heard[33..], ["l", "lagged 3"]);
    }

    // What is decoded when it comes, as for the sake of a listener, counts as what it came as.
    let _listening = client.on_event(|_| ());
    let message = Payload::binary(vec![b'a'; MIB]);
    for _ in 0..2 {
        for _ in 0..65 {
            let payload = message.clone();
            let replayed = false;
            hear(&client, ChannelEvent::Message { replayed, payload });
        }
        let heard = read(&mut events);
        assert_eq!((heard.len(), &*heard[64]), (65, "lagged 1"));
    }
}

#[test]
fn what_is_larger_than_what_may_wait_is_heard_alone() {
    let (client, mut events) = client(|| ());
    for _ in 0..2 {
        hear(&client, large(65 * MIB));
        hear(&client, alone("a"));
        assert_eq!(read(&mut events), ["l", "lagged 1"]);
        hear(&client, packed(&["p"]));
        hear(&client, large(65 * MIB));
        assert_eq!(read(&mut events), ["p", "lagged 1"]);
    }
}

#[test]
fn a_stream_that_was_not_read_kept_any_number_of_errors() {
    let client = Client::builder("wss://x.org/", Codec(|| ()))
        .replies(|_| None)
        .build();
    let client: Probed = client.expect("a client");
    let mut late = client.events();
    while !read(&mut late).is_empty() {}
    hear(&client, alone("a"));
    let mut later = client.events();
    for _ in 0..65_537 {
        hear(&client, alone("?"));
    }
    hear(&client, ChannelEvent::Lagged { missed: 7 });
    let heard = read(&mut late);
    assert_eq!(heard.len(), 65_537);
    assert_eq!(heard[65_534..], ["error", "error", "lagged 9"]);
    let heard = read(&mut later);
    assert_eq!((heard.len(), &*heard[65_536]), (65_537, "lagged 8"));
}

#[test]
fn what_could_not_be_read_is_counted_once() {
    let (client, mut full) = client(|| ());
    hear(&client, packed(&vec!["m"; 65_536]));
    let mut other = client.events();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let _listening = client.on_event({
        let heard = Rc::clone(&heard);
        move |event| heard.borrow_mut().push(shown(Some(event)))
    });
    hear(&client, alone("?"));
    assert_eq!(heard.take(), ["error"]);
    assert_eq!(read(&mut other), ["error"]);
    drop(other);
    hear(&client, alone("?"));
    assert_eq!(heard.take(), ["error"]);
    assert_eq!(read(&mut full)[65_536..], ["lagged 2"]);
}

#[test]
fn what_was_missing_was_told_behind_the_end() {
    let (client, mut events) = client(|| ());
    let many = vec!["m"; 65_536];
    hear(&client, packed(&many));
    hear(&client, packed(&["1", "2", "3"]));
    let reason = StopReason::InvalidUrl;
    hear(&client, ChannelEvent::Disconnected { reason });
    hear(&client, alone("4"));
    let heard = read(&mut events);
    let expect = ["lagged 3", "disconnected InvalidUrl", "lagged 1"];
    assert_eq!(heard[many.len()..], expect);
}

#[test]
fn a_listener_hears_each_of_them_at_once() {
    let (client, mut events) = client(|| ());
    let heard = Rc::new(RefCell::new(Vec::new()));
    let guard = client.on_event({
        let heard = Rc::clone(&heard);
        move |event| heard.borrow_mut().push(shown(Some(event)))
    });
    hear(&client, packed(&["a", "!b", "c"]));
    assert_eq!(heard.take(), ["a", "c"]);
    assert_eq!(read(&mut events), ["a", "c"]);
    drop(guard);
    hear(&client, packed(&["d"]));
    assert!(heard.take().is_empty());
    assert_eq!(read(&mut events), ["d"]);
}

#[test]
fn a_codec_may_close_its_client_while_a_stream_is_read() {
    let closing: Rc<RefCell<Option<Probed>>> = Rc::default();
    let handle = Rc::clone(&closing);
    let (client, mut events) = client(move || {
        if let Some(client) = &*handle.borrow() {
            client.disconnect();
        }
    });
    closing.replace(Some(client.clone()));
    hear(&client, packed(&["a", "x", "b"]));
    assert_eq!(read(&mut events), ["a", "x", "b", "end"]);
    drop(closing.take());
}

thread_local! {
    static ON_WAKE: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Stands for an executor that polls a task in the very moment in which it is woken.
struct AtOnce;

impl std::task::Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        // Only the first time, as what it does may be polled by this, too.
        if let Some(on_wake) = ON_WAKE.take() {
            on_wake();
        }
    }
}

/// Waits for a task, and for its waker to call this.
fn wait_for(task: &mut (impl Future + Unpin), on_wake: impl Fn() + 'static) {
    ON_WAKE.set(Some(Box::new(on_wake)));
    let waker = Waker::from(Arc::new(AtOnce));
    let polled = task.poll_unpin(&mut std::task::Context::from_waker(&waker));
    assert!(polled.is_pending());
}

#[test]
fn whoever_was_called_on_a_messages_way_could_not_ask_for_a_stream() {
    let handle: Rc<RefCell<Option<Probed>>> = Rc::default();
    let inner = Rc::clone(&handle);
    let (client, mut events) = client(move || {
        if let Some(client) = &*inner.borrow() {
            drop(client.events());
        }
    });
    handle.replace(Some(client.clone()));
    hear(&client, alone("x"));
    assert_eq!(read(&mut events), ["x"]);
    drop(handle.take());

    let inner = client.clone();
    wait_for(&mut events.next(), move || drop(inner.events()));
    hear(&client, packed(&["a"]));
    assert!(ON_WAKE.take().is_none(), "it was woken");
    assert_eq!(read(&mut events), ["a"]);
}

#[test]
fn whose_request_was_dropped_could_not_ask_again() {
    let ask_again = |client: &Probed| {
        let client = client.clone();
        move || drop(client.shared.add_request())
    };
    let (client, _events) = client(|| ());
    // Without a browser none is taken, so this is what one waits for.
    let (id, mut answer) = client.shared.add_request();
    wait_for(&mut answer, ask_again(&client));
    client.shared.remove_request(id);
    assert!(ON_WAKE.take().is_none(), "it was woken");

    let (_, mut answer) = client.shared.add_request();
    wait_for(&mut answer, ask_again(&client));
    client.disconnect();
    assert!(ON_WAKE.take().is_none(), "it was woken");
}

#[test]
fn an_answer_that_acknowledged_too_never_ended_its_request() {
    let client = Client::builder("wss://x.org/", Codec(|| ()))
        .replies(|message: &Bytes| message.ends_with(b"=").then_some(RequestId(0)))
        .build();
    let client = client.expect("a client");
    let mut events = client.events();
    while !read(&mut events).is_empty() {}
    let (id, answer) = client.shared.add_request();
    assert_eq!(id, RequestId(0), "there is no chance in here");
    let kept = client.shared.receipts.expect_acknowledged(SendId(1), 1);
    hear(&client, alone("!a"));
    hear(&client, alone("!b="));
    assert_eq!(answer.now_or_never(), Some(Ok(Bytes::from_static(b"!b="))));
    hear(&client, alone("!of another tab="));
    assert!(read(&mut events).is_empty());
    drop(kept);
}

#[test]
fn a_closed_client_that_was_listened_to_lived_for_ever() {
    let (client, events) = client(|| ());
    client.disconnect();
    let inner = client.clone();
    let guard = client.on_event(move |_| drop(inner.status()));
    let inner = client.clone();
    let taking = client.on_parcel(move |_| drop(inner.status()));
    let shared = Rc::downgrade(&client.shared);
    drop((client, events));
    assert_eq!(shared.strong_count(), 0);
    drop((guard, taking));
}

#[test]
fn a_closed_client_kept_who_supplied_its_credentials() {
    let owned = Rc::new(RefCell::new(None::<Probed>));
    let (owner, asked) = (Rc::downgrade(&owned), Rc::new(Cell::new(0)));
    let count = Rc::clone(&asked);
    let client = Client::builder("wss://x.org/", Codec(|| ()))
        .auth(move |_| {
            count.set(count.get() + 1);
            let owned = Rc::clone(&owned);
            if let Some(client) = owned.borrow().as_ref() {
                client.disconnect();
            }
            async move {
                drop(owned);
                None
            }
        })
        .build()
        .expect("a client");
    let refused = false;
    let ask = |request| hear(&client, ChannelEvent::NeedCredential { request, refused });
    ask(1);
    assert_eq!((asked.get(), owner.strong_count()), (1, 1));
    // The provider owns the client, and closes it when it is asked.
    let own = owner.upgrade().expect("it is not closed");
    own.replace(Some(client.clone()));
    drop(own);
    ask(2);
    assert_eq!((asked.get(), owner.strong_count()), (2, 0));
}

#[test]
fn a_client_without_a_worker_looked_as_if_it_connected_for_ever() {
    let client = Client::builder("wss://x.org/", Codec(|| ())).build();
    let client = client.expect("a client");
    let heard = ["error", "status Stopped(NoWorker)", "disconnected NoWorker"];
    assert_eq!(read(&mut client.events()), heard);
}

fn status(state: LinkState) -> ChannelEvent {
    ChannelEvent::Status(Status {
        state,
        tabs: 1,
        queued_messages: 0,
        queued_bytes: 0,
        dials: 1,
        round_trip: None,
    })
}

#[test]
fn a_closed_client_went_on_to_hear_what_was_on_its_way() {
    let client = Client::builder("wss://x.org/", Codec(|| panic!("it is not read")))
        .replies(|_| None)
        .auth(|_| -> std::future::Ready<_> { panic!("it is not asked") })
        .build();
    let client = client.expect("a client");
    let (mut events, mut other) = (client.events(), client.events());
    while !read(&mut events).is_empty() {}
    client.disconnect();
    assert_eq!(read(&mut events), ["end"]);

    let connecting = LinkState::Connecting { attempt: 0 };
    let subprotocol = String::new();
    for event in [
        status(connecting),
        ChannelEvent::NeedCredential {
            request: 1,
            refused: false,
        },
        ChannelEvent::Connected { subprotocol },
        alone("x"),
        packed(&["x"]),
        ChannelEvent::Parcel(Parcel::new(Bytes::from_static(b"x"), 1)),
        ChannelEvent::Lagged { missed: 1 },
    ] {
        hear(&client, event);
    }
    let stopped = LinkState::Stopped(StopReason::Unused);
    assert_eq!(client.status().state, stopped);
    assert_eq!(read(&mut events), ["end"]);
    assert_eq!(read(&mut other), ["end"]);

    // Where there is a worker it is still to say so.
    let sent = client.shared.receipts.expect_sent(SendId(1));
    let through = SendId(1);
    hear(&client, ChannelEvent::Sent { through });
    assert!(matches!(sent.now_or_never(), Some(Ok(Ok(())))));
}

#[test]
fn a_log_out_was_not_the_last_that_was_heard() {
    let (client, mut events) = client(|| ());
    let heard = Rc::new(RefCell::new(Vec::new()));
    let _listening = client.on_event({
        let heard = Rc::clone(&heard);
        move |event| heard.borrow_mut().push(shown(Some(event)))
    });
    let reason = StopReason::LoggedOut;
    let stopped = LinkState::Stopped(reason.clone());
    hear(&client, ChannelEvent::Disconnected { reason });
    hear(&client, status(stopped.clone()));
    let expect = ["status Stopped(LoggedOut)", "disconnected LoggedOut"];
    assert_eq!(heard.take(), expect);
    assert_eq!(read(&mut events), [expect[0], expect[1], "end"]);
    client.disconnect();
    assert_eq!(client.status().state, stopped);
}

#[test]
fn who_disconnects_at_the_end_did_so_for_the_others_too() {
    for when in ["status", "disconnected"] {
        let (client, _events) = client(|| ());
        let heard = Rc::new(RefCell::new(Vec::new()));
        let inner = client.clone();
        let _first = client.on_event(move |event| {
            if shown(Some(event)).starts_with(when) {
                inner.disconnect();
            }
        });
        let _second = client.on_event({
            let heard = Rc::clone(&heard);
            move |event| heard.borrow_mut().push(shown(Some(event)))
        });
        let reason = StopReason::LoggedOut;
        hear(&client, ChannelEvent::Disconnected { reason });
        page::run_due();
        let last = heard.borrow().last().cloned();
        assert!(
            last.is_some_and(|last| last.starts_with("status Stopped")),
            "{when}: {heard:?}"
        );
    }
}

#[test]
fn a_client_that_the_worker_does_not_take_waited_for_ever() {
    let (client, mut events) = client(|| ());
    hear(&client, ChannelEvent::Error(WorkerError::TooManyChannels));
    let stopped = "status Stopped(Unused)";
    let expect = ["error", stopped, "disconnected Unused", "end"];
    assert_eq!(read(&mut events), expect);
    let ready = client.ready().now_or_never();
    assert!(ready.is_some_and(|ready| ready.is_err()));
}

#[test]
fn a_client_that_was_closed_when_it_stopped_seemed_to_have_stopped_only() {
    let (client, _events) = client(|| ());
    let inner = client.clone();
    let _listening = client.on_event(move |event| {
        if matches!(event, Event::Disconnected { .. }) {
            inner.disconnect();
        }
    });
    let reason = StopReason::FatalClose(onesocket_protocol::CloseInfo {
        code: 1008,
        reason: String::new(),
        was_clean: true,
    });
    hear(&client, ChannelEvent::Disconnected { reason });
    let ready = client.ready().now_or_never();
    assert!(matches!(ready, Some(Err(ReadyError::Closed))), "{ready:?}");
}

#[test]
fn a_message_whose_codec_closes_the_client_came_behind_the_end() {
    let handle: Rc<RefCell<Option<Probed>>> = Rc::default();
    let inner = Rc::clone(&handle);
    let (client, mut events) = client(move || {
        if let Some(client) = inner.take() {
            client.disconnect();
        }
    });
    handle.replace(Some(client.clone()));
    hear(&client, alone("x"));
    assert_eq!(read(&mut events), ["end"]);
}

#[test]
fn who_disconnected_was_called_within_the_call() {
    let stopped = "status Stopped(Unused)".to_owned();
    let (client, mut events) = client(|| ());
    let heard = Rc::new(RefCell::new(Vec::new()));
    let listen = |client: &Probed| {
        let heard = Rc::clone(&heard);
        client.on_event(move |event| heard.borrow_mut().push(shown(Some(event))))
    };
    let guards = [listen(&client), listen(&client)];
    let borrowed = heard.borrow_mut();
    client.disconnect();
    drop(borrowed);
    client.disconnect();
    hear(&client, alone("too late"));
    let late = listen(&client);
    let [first, second] = guards;
    drop(first);
    assert_eq!(read(&mut events), ["end"]);
    let shared = Rc::downgrade(&client.shared);
    drop((client, events));
    page::run_due();
    assert_eq!(heard.take(), [stopped]);
    assert_eq!(shared.strong_count(), 0);
    page::run_due();
    assert!(heard.take().is_empty());
    drop((second, late));
}

#[test]
fn who_disconnected_when_it_heard_the_last_of_it_was_called_again() {
    let (client, _events) = client(|| ());
    let inner = client.clone();
    let _listening = client.on_event(move |_| inner.disconnect());
    client.disconnect();
    assert_eq!(page::run_due(), 1);
    assert_eq!(page::run_due(), 0, "it was told already");
}

#[test]
fn a_time_to_wait_for_a_credential_was_taken_for_somebody_who_has_one() {
    let builder = || Client::<[u8], Bytes>::builder("wss://x.org/", Codec(|| ()));
    let timeout = Duration::from_secs(1);
    let without = builder().auth_timeout(timeout);
    assert!(without.is_alike(&builder()), "nobody is asked");
    let auth = |builder: ClientBuilder<_, _>| builder.auth(|_| async { None });
    let (before, after) = (auth(builder()).auth_timeout(timeout), auth(without));
    assert!(before.is_alike(&after) && !before.is_alike(&auth(builder())));
}

#[test]
fn a_greeting_too_many_was_taken_and_never_sent() {
    let (client, _events) = client(|| ());
    let greet = || client.greet(b"hello", None);
    let mut guards: Vec<_> = (0..limits::MAX_GREETINGS).map(|_| greet()).collect();
    assert!(guards.iter().all(Result::is_ok));
    assert!(greet().is_err());
    drop(guards.pop());
    assert!(greet().is_ok());
}

#[test]
fn who_waits_is_woken_by_messages_that_come_together() {
    struct Woken(std::sync::atomic::AtomicBool);
    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }

    let (client, mut events) = client(|| ());
    let woken = Arc::new(Woken(false.into()));
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(events.poll_next_unpin(&mut cx).is_pending());
    hear(&client, packed(&["!a", "b"]));
    assert!(woken.0.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(read(&mut events), ["b"]);
}

/// Whose stream or future can't tell that it is at its end is polled behind it, or is not taken at all.
#[test]
fn a_select_takes_a_stream_and_each_future_as_it_is() {
    let codec = Codec(|| ());
    let client: Probed = Client::builder("wss://x.org/", codec)
        .replies(|message: &Bytes| message.starts_with(b"=").then_some(RequestId(0)))
        .build()
        .expect("a client");
    drop(client.events());
    let (receipt, sent) = oneshot::channel();
    let mut sending = Sending::taken(SendId(1), sent);
    let (mut ready, mut events) = (client.ready(), client.events());
    // There is nobody to take it, and the answer is told first.
    let mut request = client.request(|_| *b"ask");
    hear(&client, alone("=5"));
    hear(&client, alone("a"));
    assert!(receipt.send(Ok(())).is_ok());
    client.disconnect();
    let mut ended = Vec::new();
    let all = async {
        loop {
            futures::select_biased! {
                answer = request => ended.push(format!("{:?}", answer.ok())),
                outcome = sending => ended.push(format!("{outcome:?}")),
                outcome = ready => ended.push(outcome.is_ok().to_string()),
                event = events.next() => ended.push(shown(event.map(|event| event.map(Arc::new)))),
                complete => break,
            }
        }
    };
    assert!(std::pin::pin!(all).now_or_never().is_some());
    let expect = ["Some(b\"=5\")", "Ok(SendId(1))", "false", "a", "end"];
    assert_eq!(ended, expect);
}
