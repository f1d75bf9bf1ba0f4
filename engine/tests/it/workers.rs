//! From one worker to the next.

use bytes::Bytes;
use onesocket_engine::{
    ChannelConfig, ChannelEvent, Delivery, Loss, SendRejected, SessionFailure, TabOutput,
    TabSession,
};
use onesocket_protocol::{
    BatchReader, ChannelId, Connect, DebugLevel, Epoch, FailedStart, Greeting, GreetingId, Hello,
    LinkKey, LinkPolicy, LinkState, Millis, Outbox, Pace, Payload, Preface, Refusal, Replay,
    SendFailure, SendId, Sight, TabId, TabToken, ToTab, ToWorker, Version, VersionRange, Welcome,
    WorkerError, message::tag,
};

use crate::sim::{Outcome, Sim};

const URL: &str = "ws://chat/";

#[test]
fn a_hand_over_loses_and_doubles_nothing_and_keeps_the_order() {
    for seed in 0..20 {
        let mut sim = Sim::with_tabs(seed, 3);
        sim.port_delay = seed;
        sim.net_delay = 0;
        let chans: Vec<_> = (0..3).map(|tab| sim.open(tab, URL)).collect();
        sim.run(500);
        let next = sim.worker();
        for round in 0..60 {
            for chan in &chans {
                sim.send_numbered(*chan, 3).expect("taken");
            }
            if (20..50).contains(&round) && round % 10 == 0 {
                sim.hand_over(round / 10 - 2, next);
            }
            sim.run(seed / 2);
        }
        sim.run(5_000);
        let got = sim.server_got();
        for chan in chans {
            assert_eq!(sim.outcomes(chan), vec![Outcome::Sent; 60], "seed {seed}");
            let from = format!("s:{}.", chan.tab);
            let mine: Vec<&String> = got.iter().filter(|text| text.starts_with(&from)).collect();
            assert!(
                mine.len() == 60 && mine.is_sorted(),
                "seed {seed}: {mine:?}"
            );
            assert!(sim.client(chan).is_connected());
        }
    }
}

#[test]
fn a_hand_over_takes_what_the_old_worker_had_only_queued_to_the_new_one() {
    let mut sim = Sim::with_tabs(1, 1);
    sim.stop_server();
    let chan = sim.open(0, URL);
    for number in 0..20 {
        sim.send(chan, &format!("{number:02}"));
        sim.run(3);
    }
    let next = sim.worker();
    sim.hand_over(0, next);
    for number in 20..30 {
        sim.send(chan, &format!("{number:02}"));
    }
    sim.run(1_000);
    assert_eq!((sim.tabs[0].handed_over, sim.tabs[0].welcomes), (1, 2));
    assert_eq!(sim.outcomes(chan), []);
    sim.start_server();
    sim.run(10_000);
    let expect: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
    assert_eq!(sim.server_got(), expect);
    assert_eq!(sim.outcomes(chan), vec![Outcome::Sent; 30]);
}

#[test]
fn a_hand_over_that_was_given_up_left_its_tab_with_a_worker_that_was_only_slow() {
    let mut sim = Sim::with_tabs(4, 2);
    sim.stop_server();
    let [chan, other] = [0, 1].map(|tab| sim.open(tab, URL));
    sim.run(500);
    let queued = sim.send(chan, "s:queued");
    let again = sim
        .try_deliver(chan, Payload::text("l:queued"), Delivery::AtLeastOnce)
        .expect("taken");
    sim.run(500);
    // What lets go of the channel waits behind it.
    sim.in_tab(0, |session| session.ping(1));
    let next = sim.worker();
    sim.hand_over(0, next);
    let late = sim.send(chan, "s:late");
    sim.in_tab(0, |session| session.abandon(Loss::Unknown));
    assert_eq!(sim.outcome(chan, queued), Some(&Outcome::MaybeSent));
    assert_eq!(sim.outcomes(chan).len(), 1);
    sim.run(500);
    assert_eq!(sim.status(other).tabs, 1);
    sim.start_server();
    sim.attach(0, next);
    sim.run(60_000);
    for send in [again, late] {
        assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
    }
    let got = sim.server_got();
    let times = |text: &str| got.iter().filter(|got| *got == text).count();
    assert_eq!((times("s:queued"), times("s:late")), (0, 1));
    assert_eq!(times("l:queued"), 1, "the old worker had given it back");
}

#[test]
fn a_lost_worker_makes_a_maybe_of_exactly_what_it_was_given() {
    let mut sim = Sim::with_tabs(2, 1);
    let chan = sim.open(0, URL);
    sim.run(500);
    let given = sim.send(chan, "in flight");
    let kept = [sim.send(chan, "gathers"), sim.send(chan, "gathers too")];
    sim.kill_worker(0);
    let next = sim.worker();
    sim.attach(0, next);
    sim.run(1_000);
    assert_eq!(sim.outcome(chan, given), Some(&Outcome::MaybeSent));
    for send in kept {
        assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
    }
    assert_eq!(sim.server_got(), ["gathers", "gathers too"]);
}

#[test]
fn a_client_believed_its_socket_open_until_the_next_worker_had_attached_it() {
    let mut sim = Sim::with_tabs(2, 1);
    let chan = sim.open(0, URL);
    sim.run(500);
    assert!(sim.client(chan).is_connected());
    sim.kill_worker(0);
    let told = sim.client(chan).statuses.len();
    for _ in 0..2 {
        sim.in_tab(0, |session| session.detach(Loss::Ended));
        let status = sim.client(chan).statuses.last().expect("a status");
        assert_eq!(status.state, LinkState::Connecting { attempt: 0 });
    }
    assert_eq!(sim.client(chan).statuses.len(), told + 1, "once");
    let next = sim.worker();
    sim.attach(0, next);
    sim.run(1_000);
    assert!(sim.client(chan).is_connected());
}

/// What is one socket to its client would end by that.
#[test]
fn a_tab_that_greets_its_worker_anew_does_not_tell_that_the_socket_is_lost() {
    let mut sim = Sim::with_tabs(2, 2);
    let chans = [sim.open(0, URL), sim.open(1, URL)];
    sim.run(500);
    let told = sim.client(chans[0]).statuses.len();
    sim.in_tab(0, |session| session.attach(false));
    sim.run(1_000);
    let statuses = &sim.client(chans[0]).statuses[told..];
    assert!(!statuses.is_empty());
    assert!(statuses.iter().all(|status| status.state.is_connected()));
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn what_was_behind_a_batch_of_the_most_messages_was_taken_for_posted() {
    let mut sim = Sim::with_tabs(3, 1);
    sim.port_delay = 50;
    let chan = sim.open(0, URL);
    sim.run(500);
    for _ in 0..70_000 {
        sim.try_send(chan, Payload::text("x")).expect("taken");
    }
    let count = |frame: &Bytes| u32::from_le_bytes([frame[32], frame[33], frame[34], frame[35]]);
    sim.run_until("the second batch", |sim| {
        sim.last_posted(0).is_some_and(|frame| count(&frame) > 1)
    });
    let posted = 1 + count(&sim.last_posted(0).expect("posted"));
    sim.kill_worker(0);
    sim.in_tab(0, |session| session.detach(Loss::Unknown));
    let maybe = sim
        .outcomes(chan)
        .iter()
        .filter(|outcome| **outcome == Outcome::MaybeSent)
        .count();
    let settled = sim.outcomes(chan).len();
    assert_eq!((maybe + settled - maybe) as u32, posted, "{maybe} maybe");
}

#[test]
fn a_tab_that_only_listens_learns_from_a_probe_that_its_worker_has_restarted() {
    let mut tab = TabSession::new(TabToken(1), DebugLevel::Off);
    tab.attach(false);
    let welcome = |epoch| Welcome {
        version: Version::V1.number(),
        versions: VersionRange::OURS,
        epoch,
        tab: TabId(1),
    };
    tab.handle_frame(&welcome(Epoch(1)).encode().into());
    while tab.poll_output().is_some() {}
    tab.handle_frame(&Preface::encode_alive(Epoch(1)).into());
    assert_eq!(tab.poll_output(), None, "it is the one that we know");
    tab.handle_frame(&Preface::encode_alive(Epoch(2)).into());
    let restarted = TabOutput::Restarted { epoch: Epoch(2) };
    assert_eq!(tab.poll_output(), Some(restarted));
    let hello = Hello::new(TabToken(1), false).encode();
    assert_eq!(tab.poll_output(), Some(TabOutput::Post(&hello)));
}

/// On one port it stays what the worker knows.
#[test]
fn a_tab_goes_by_another_token_from_its_next_worker_on() {
    let mut tab = TabSession::new(TabToken(1), DebugLevel::Off);
    for token in [1, 2] {
        tab.go_by(TabToken(token));
        tab.attach(false);
        let hello = Hello::new(TabToken(token), false).encode();
        assert_eq!(tab.poll_output(), Some(TabOutput::Post(&hello)));
    }
}

#[test]
fn a_lock_that_is_granted_behind_the_hello_is_told_of_once_to_each_worker() {
    let welcome = |epoch| Welcome {
        version: Version::V1.number(),
        versions: VersionRange::OURS,
        epoch,
        tab: TabId(1),
    };
    // Granted before the hello, before the welcome, and behind it.
    for granted in 0..3 {
        let mut tab = TabSession::new(TabToken(1), DebugLevel::Off);
        tab.attach(granted == 0);
        if granted == 1 {
            tab.hold_lock();
        }
        let mut said = Vec::new();
        for epoch in [Epoch(1), Epoch(2)] {
            said.push(posted(&mut tab));
            tab.handle_frame(&welcome(epoch).encode().into());
            said.push(posted(&mut tab));
            if granted == 2 {
                tab.hold_lock();
                tab.hold_lock();
                said.push(posted(&mut tab));
            }
            // The browser starts the worker anew, and the next hello knows.
            tab.handle_frame(&Preface::encode_alive(Epoch(2)).into());
        }
        let hello = |holds_lock| vec![Said::Hello { holds_lock }];
        let lock = || vec![Said::Message(ToWorker::HoldsLock)];
        let expected = match granted {
            0 => vec![hello(true), vec![], hello(true), vec![]],
            1 => vec![hello(false), lock(), hello(true), vec![]],
            _ => vec![hello(false), vec![], lock(), hello(true), vec![], vec![]],
        };
        assert_eq!(said, expected);
    }
}

/// Says all that a worker is to know or to do, on a channel that stays and on one that is closed again.
fn say_everything(tab: &mut TabSession, stays: ChannelId, goes: ChannelId) {
    for channel in [stays, goes] {
        tab.delay(channel, Millis(5));
        tab.reconnect(channel);
        tab.close_socket(channel, 4000, "done".into());
        tab.ask_status(channel);
        tab.credential(channel, 1, None);
        tab.greet(channel, Payload::text("hi"), None);
    }
    tab.close(goes);
    tab.set_debug(DebugLevel::Messages);
    tab.inspect(Sight::Messages);
    tab.handle_network(true);
    tab.set_pace(Pace::HIDDEN);
    tab.wake();
}

#[test]
fn what_was_asked_for_while_no_worker_was_there_was_forgotten() {
    for when in ["detached", "greeting", "in flight", "handing over"] {
        let mut tab = TabSession::new(TabToken(1), DebugLevel::Off);
        let [channel, goes] = [0, 1].map(|_| tab.open(config()));
        match when {
            "greeting" => tab.attach(false),
            "in flight" => drop(FakeWorker::welcome(&mut tab)),
            "handing over" => {
                FakeWorker::welcome(&mut tab).say(&mut tab, &[]);
                tab.hand_over();
            }
            _ => {}
        }
        say_everything(&mut tab, channel, goes);
        if when != "greeting" {
            tab.attach(false);
        }
        posted(&mut tab);
        tab.handle_frame(&FakeWorker::welcome_frame());
        let ChannelConfig {
            key,
            policy,
            replay,
        } = config();
        let connect = Connect {
            channel,
            key,
            policy: policy.into(),
            replay,
        };
        let greeting = Greeting {
            id: GreetingId(1),
            payload: Payload::text("hi"),
            farewell: None,
        };
        let expect = [
            ToWorker::Inspect {
                sight: Sight::Messages,
            },
            ToWorker::SetDebug {
                level: DebugLevel::Messages,
            },
            ToWorker::Network { online: true },
            ToWorker::Pace(Pace::HIDDEN),
            ToWorker::Connect(Box::new(connect)),
            ToWorker::Greet { channel, greeting },
            ToWorker::Delay {
                channel,
                delay: Millis(5),
            },
            ToWorker::Reconnect { channel },
            ToWorker::Close {
                channel,
                code: 4000,
                reason: "done".into(),
            },
        ];
        assert_eq!(posted(&mut tab), expect.map(Said::Message), "{when}");
    }
}

#[test]
fn what_a_lost_worker_was_given_is_asked_for_no_second_time() {
    let (mut worker, mut tab, channels) = FakeWorker::with_tab(2);
    worker.say(&mut tab, &[]);
    say_everything(&mut tab, channels[0], channels[1]);
    worker.read(&mut tab);
    worker.say(&mut tab, &[]);
    worker.read(&mut tab);
    tab.attach(false);
    posted(&mut tab);
    tab.handle_frame(&FakeWorker::welcome_frame());
    let orders = |said: &Said| {
        matches!(
            said,
            Said::Message(
                ToWorker::Delay { .. } | ToWorker::Reconnect { .. } | ToWorker::Close { .. }
            )
        )
    };
    assert!(!posted(&mut tab).iter().any(orders));
}

#[derive(PartialEq, Debug)]
enum Said {
    Hello { holds_lock: bool },
    Message(ToWorker),
}

fn posted(tab: &mut TabSession) -> Vec<Said> {
    let mut said = Vec::new();
    while let Some(output) = tab.poll_output() {
        let TabOutput::Post(frame) = output else {
            continue;
        };
        let frame = Bytes::copy_from_slice(frame);
        match Preface::decode(&frame).expect("a tab posts what can be read") {
            Preface::Hello(Hello { holds_lock, .. }) => said.push(Said::Hello { holds_lock }),
            _ => {
                let batch = BatchReader::new(&frame).expect("a batch");
                let messages = batch.map(|raw| ToWorker::decode(Version::V1, &raw.expect("whole")));
                said.extend(messages.map(|message| Said::Message(message.expect("known"))));
            }
        }
    }
    said
}

#[test]
fn a_worker_that_restarts_silently_is_greeted_again() {
    let mut sim = Sim::with_tabs(4, 3);
    let chans: Vec<_> = (0..3).map(|tab| sim.open(tab, URL)).collect();
    sim.run(500);
    sim.restart_worker_silently(0);
    sim.run(500);
    assert_eq!(
        sim.open_conns().len(),
        0,
        "the new run knows of nobody until a tab speaks"
    );
    for chan in &chans {
        sim.send(*chan, "hello?");
        sim.send(*chan, "hello again");
    }
    sim.run(2_000);
    for chan in &chans {
        assert_eq!(sim.outcomes(*chan), [Outcome::MaybeSent, Outcome::Sent]);
        assert!(sim.client(*chan).is_connected());
        assert_eq!(
            (sim.tabs[chan.tab].restarts, sim.tabs[chan.tab].welcomes),
            (1, 2)
        );
    }
    assert_eq!(sim.open_conns().len(), 1);
}

#[test]
fn goodbye_posts_what_was_not_posted_yet() {
    let mut sim = Sim::with_tabs(5, 2);
    sim.port_delay = 20;
    let (chan, _other) = (sim.open(0, URL), sim.open(1, URL));
    sim.run(500);
    for number in 0..30 {
        sim.send(chan, &format!("{number:02}"));
    }
    sim.bye(0);
    sim.run(1_000);
    let expect: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
    assert_eq!(sim.server_got(), expect);
}

#[test]
fn sends_were_without_an_outcome_when_a_page_came_back_after_its_goodbye() {
    let mut sim = Sim::with_tabs(6, 1);
    let chan = sim.open(0, URL);
    sim.run(500);
    for number in 0..5 {
        sim.send(chan, &format!("{number}"));
    }
    sim.in_tab(0, TabSession::bye);
    sim.run(1_000);
    sim.attach(0, 0);
    let after = sim.send(chan, "back");
    sim.run(1_000);
    assert_eq!(sim.client(chan).unsettled(), []);
    assert_eq!(sim.outcome(chan, after), Some(&Outcome::Sent));
    assert_eq!(sim.tabs[0].session.unsettled_bytes(), 0);
    assert_eq!(sim.server_got(), ["0", "1", "2", "3", "4", "back"]);
}

#[test]
fn goodbye_in_the_middle_of_a_hand_over_lost_what_was_not_posted() {
    let mut sim = Sim::with_tabs(7, 2);
    sim.port_delay = 20;
    let (chan, _other) = (sim.open(0, URL), sim.open(1, URL));
    sim.run(500);
    let next = sim.worker();
    sim.hand_over(0, next);
    sim.send(chan, "last words");
    sim.bye(0);
    sim.run(1_000);
    assert_eq!(sim.server_got(), ["last words"]);
}

#[test]
fn a_second_hello_on_a_port_starts_the_tab_over() {
    let mut sim = Sim::with_tabs(8, 2);
    let (chan, other) = (sim.open(0, URL), sim.open(1, URL));
    sim.run(500);
    sim.in_tab(0, |session| session.attach(false));
    sim.send(chan, "after");
    sim.run(500);
    assert_eq!(sim.status(other).tabs, 2);
    assert_eq!(
        (sim.bodies(chan), sim.bodies(other)),
        (vec!["after"], vec!["after"])
    );
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn without_any_worker_every_send_is_settled_and_a_later_one_refused() {
    let mut sim = Sim::new(9);
    let worker = sim.worker();
    let tab = sim.tab(worker);
    sim.kill_worker(worker);
    let chan = sim.open(tab, URL);
    sim.send(chan, "waits");
    sim.in_tab(tab, |session| session.fail(SessionFailure::NoTier));
    assert_eq!(
        sim.outcomes(chan),
        [Outcome::NotSent(SendFailure::NoWorker)]
    );
    assert_eq!(sim.client(chan).failed, 1);
    let refused = sim.try_send(chan, Payload::text("late"));
    assert_eq!(refused, Err(SendRejected::Failed(SessionFailure::NoTier)));
    assert_eq!(sim.tabs[tab].session.unsettled_bytes(), 0);

    sim.in_tab(tab, TabSession::revive);
    let next = sim.worker();
    sim.attach(tab, next);
    let send = sim.send(chan, "alive");
    sim.run(1_000);
    assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
}

fn config() -> ChannelConfig {
    let key = LinkKey {
        url: URL.into(),
        subprotocols: Vec::new(),
        account: String::new(),
    };
    ChannelConfig {
        key,
        policy: LinkPolicy::default(),
        replay: Replay::None,
    }
}

/// A worker that says what the test wants.
struct FakeWorker {
    outbox: Outbox,
}

impl FakeWorker {
    const EPOCH: Epoch = Epoch(77);

    /// A tab that this worker has welcomed, with so many channels.
    fn with_tab(channels: usize) -> (Self, TabSession, Vec<ChannelId>) {
        let mut tab = TabSession::new(TabToken(1), DebugLevel::Off);
        let channels = (0..channels).map(|_| tab.open(config())).collect();
        let worker = Self::welcome(&mut tab);
        (worker, tab, channels)
    }

    /// The next one of a tab.
    fn welcome(tab: &mut TabSession) -> Self {
        tab.attach(false);
        tab.handle_frame(&Self::welcome_frame());
        let mut worker = Self {
            outbox: Outbox::new(Self::EPOCH, Version::V1),
        };
        worker.read(tab);
        worker
    }

    fn welcome_frame() -> Bytes {
        let welcome = Welcome {
            version: 1,
            versions: VersionRange::OURS,
            epoch: Self::EPOCH,
            tab: TabId(1),
        };
        welcome.encode().into()
    }

    /// Acknowledges what the tab posts.
    fn read(&mut self, tab: &mut TabSession) {
        while let Some(output) = tab.poll_output() {
            if let TabOutput::Post(frame) = output
                && let Ok(batch) = BatchReader::new(&Bytes::copy_from_slice(frame))
            {
                self.outbox.on_batch(batch.header()).expect("in order");
            }
        }
    }

    fn say(&mut self, tab: &mut TabSession, messages: &[ToTab]) -> Vec<ChannelEvent> {
        messages
            .iter()
            .for_each(|message| self.outbox.push_to_tab(message));
        assert!(self.outbox.prepare_last_frame());
        tab.handle_frame(&Bytes::copy_from_slice(self.outbox.prepared_frame()));
        drain(tab)
    }
}

fn drain(tab: &mut TabSession) -> Vec<ChannelEvent> {
    let mut events = Vec::new();
    while let Some(output) = tab.poll_output() {
        if let TabOutput::Event { event, .. } = output {
            events.push(event);
        }
    }
    events
}

#[test]
fn a_send_that_was_given_back_was_lost_when_its_channel_was_closed_in_a_hand_over() {
    let (mut worker, mut tab, channels) = FakeWorker::with_tab(2);
    worker.say(&mut tab, &[]); // Acknowledges the introduction.
    let channel = channels[0];
    tab.send(channel, Payload::text("queued"), Delivery::AtMostOnce)
        .expect("taken");
    drain(&mut tab);
    tab.hand_over();
    let failure = SendFailure::Disconnected;
    worker.say(
        &mut tab,
        &[
            ToTab::Failed {
                channel,
                id: SendId(1),
                failure: failure.clone(),
            },
            ToTab::Detached { channel },
        ],
    );
    tab.close(channel);
    let events = drain(&mut tab);
    assert_eq!(
        events,
        [
            ChannelEvent::NotSent {
                id: SendId(1),
                failure
            },
            ChannelEvent::Closed
        ]
    );
    assert_eq!(tab.unsettled_bytes(), 0);
}

#[test]
fn an_acknowledgement_of_what_was_given_back_in_a_hand_over_was_lost() {
    let (mut worker, mut tab, channels) = FakeWorker::with_tab(2);
    worker.say(&mut tab, &[]);
    let (channel, id) = (channels[0], SendId(1));
    tab.send(channel, Payload::text("kept"), Delivery::UntilAcknowledged)
        .expect("taken");
    worker.read(&mut tab);
    let through = id;
    worker.say(&mut tab, &[ToTab::Sent { channel, through }]);
    // The next one has only queued it.
    let mut worker = FakeWorker::welcome(&mut tab);
    worker.say(&mut tab, &[]);
    tab.hand_over();
    drain(&mut tab);
    let failure = SendFailure::Disconnected;
    let given_back = ToTab::Failed {
        channel,
        id,
        failure,
    };
    worker.say(&mut tab, &[given_back, ToTab::Detached { channel }]);
    tab.acknowledge(channel, id);
    assert_eq!(drain(&mut tab), [ChannelEvent::Acknowledged { id }]);
    assert_eq!(tab.unsettled_bytes(), 0);
}

#[test]
fn a_channel_was_told_something_after_it_was_closed() {
    let (mut worker, mut tab, _) = FakeWorker::with_tab(1);
    let channel = ChannelId(9);
    let events = worker.say(&mut tab, &[ToTab::Lagged { channel, missed: 1 }]);
    assert_eq!(events, []);
}

#[test]
fn a_worker_that_fails_in_a_hand_over_left_the_page_waiting() {
    let (_, mut tab, _) = FakeWorker::with_tab(1);
    tab.hand_over();
    while tab.poll_output().is_some() {}
    let failed = FailedStart {
        reason: "unreachable executed".into(),
    };
    tab.handle_frame(&Bytes::from(failed.encode()));
    assert_eq!(tab.poll_output(), Some(TabOutput::HandedOver));
    assert_eq!(tab.poll_output(), None);
}

#[test]
fn a_worker_that_had_taken_the_tab_for_gone_was_taken_for_ended_in_a_hand_over() {
    for (epoch, may_live_on) in [(FakeWorker::EPOCH, true), (Epoch(78), false)] {
        let (mut worker, mut tab, channels) = FakeWorker::with_tab(1);
        worker.say(&mut tab, &[]);
        tab.send(channels[0], Payload::text("queued"), Delivery::AtMostOnce)
            .expect("taken");
        worker.read(&mut tab);
        worker.say(&mut tab, &[]);
        tab.hand_over();
        drain(&mut tab);
        tab.handle_frame(&Preface::encode_stale(epoch).into());
        // What it has queued it still sends.
        let maybe = ChannelEvent::MaybeSent { id: SendId(1) };
        let expect = may_live_on.then_some(maybe);
        assert_eq!(drain(&mut tab), Vec::from_iter(expect));
    }
}

#[test]
fn a_worker_that_refuses_or_fails_is_reported() {
    let mut tab = TabSession::new(TabToken(1), DebugLevel::Off);
    let theirs = VersionRange { min: 8, max: 9 };
    let reason = String::from("CompileError");
    for (frame, why) in [
        (
            Refusal { versions: theirs }.encode(),
            SessionFailure::VersionMismatch {
                ours: VersionRange::OURS,
                theirs,
            },
        ),
        (
            FailedStart {
                reason: reason.clone(),
            }
            .encode(),
            SessionFailure::WorkerFailed { reason },
        ),
    ] {
        tab.attach(false);
        drain(&mut tab);
        tab.handle_frame(&Bytes::from(frame));
        assert_eq!(tab.poll_output(), Some(TabOutput::Refused(why)));
    }
}

#[test]
fn a_refusal_of_no_hello_ended_a_session() {
    let theirs = VersionRange { min: 8, max: 9 };
    let refusal = Bytes::from(Refusal { versions: theirs }.encode());
    let (_, mut tab, _) = FakeWorker::with_tab(1);
    tab.handle_frame(&refusal);
    assert_eq!(tab.poll_output(), None);
    tab.hand_over();
    while tab.poll_output().is_some() {}
    tab.handle_frame(&refusal);
    assert_eq!(tab.poll_output(), None, "what it gives back may come yet");
}

#[test]
fn what_a_tab_cannot_read_is_an_error_and_harms_nothing() {
    let (mut worker, mut tab, channels) = FakeWorker::with_tab(1);
    for noise in [&b""[..], b"1skt", b"[object Object]", b"1skt\x05 too short"] {
        tab.handle_frame(&Bytes::copy_from_slice(noise));
        assert_eq!(
            tab.poll_output(),
            Some(TabOutput::Error(WorkerError::InvalidFrame))
        );
    }
    let lagged = ToTab::Lagged {
        channel: channels[0],
        missed: 3,
    };
    assert_eq!(
        worker.say(&mut tab, core::slice::from_ref(&lagged)),
        [ChannelEvent::Lagged { missed: 3 }]
    );
    // The same batch again.
    tab.handle_frame(&Bytes::copy_from_slice(worker.outbox.prepared_frame()));
    assert_eq!(
        tab.poll_output(),
        Some(TabOutput::Error(WorkerError::InvalidFrame))
    );
    assert_eq!(tab.poll_output(), None);
}

#[test]
fn without_a_number_a_worker_may_only_mark_and_receipt() {
    let (mut worker, mut tab, channels) = FakeWorker::with_tab(1);
    let channel = channels[0];
    worker.say(&mut tab, &[ToTab::Pong { nonce: 0 }]);
    let text = Payload::text("sent");
    tab.send(channel, text, Delivery::AtMostOnce)
        .expect("taken");
    worker.read(&mut tab);
    let through = SendId(1);
    let mut say = |message: ToTab| {
        worker.outbox.push_to_tab(&message);
        assert!(worker.outbox.prepare_last_frame());
        let mut frame = worker.outbox.prepared_frame().to_vec();
        frame[16..24].fill(0);
        tab.handle_frame(&Bytes::from(frame));
        let output = tab.poll_output();
        let told = format!("{output:?}");
        assert_eq!(tab.poll_output(), None, "nothing is owed for it");
        told
    };
    let event = ChannelEvent::Sent { through };
    assert_eq!(say(ToTab::Mark { channel, through }), "None");
    assert_eq!(
        say(ToTab::Sent { channel, through }),
        format!("{:?}", Some(TabOutput::Event { channel, event }))
    );
    assert_eq!(
        say(ToTab::Pong { nonce: 1 }),
        format!("{:?}", Some(TabOutput::Error(WorkerError::InvalidFrame)))
    );
}

#[test]
fn a_batch_that_is_missing_makes_the_tab_start_over() {
    let (mut worker, mut tab, channels) = FakeWorker::with_tab(1);
    let lagged = ToTab::Lagged {
        channel: channels[0],
        missed: 3,
    };
    worker.outbox.push_to_tab(&lagged);
    assert!(worker.outbox.prepare_frame(), "one that gets lost");
    worker.outbox.push_to_tab(&lagged);
    assert!(worker.outbox.prepare_last_frame());
    tab.handle_frame(&Bytes::copy_from_slice(worker.outbox.prepared_frame()));
    assert_eq!(
        tab.poll_output(),
        Some(TabOutput::Error(WorkerError::InvalidFrame))
    );
    let hello = Hello::new(TabToken(1), false).encode();
    assert_eq!(tab.poll_output(), Some(TabOutput::Post(&hello)));
    assert_eq!(tab.poll_output(), None);
}

#[test]
fn a_worker_that_was_left_kept_an_entry_for_the_tab() {
    let (mut worker, mut tab, channels) = FakeWorker::with_tab(1);
    let channel = channels[0];
    worker.say(&mut tab, &[]);
    tab.hand_over();
    while let Some(output) = tab.poll_output() {
        assert!(matches!(output, TabOutput::Post(_)), "{output:?}");
    }
    worker.outbox.push_to_tab(&ToTab::Detached { channel });
    assert!(worker.outbox.prepare_last_frame());
    tab.handle_frame(&Bytes::copy_from_slice(worker.outbox.prepared_frame()));
    let Some(TabOutput::Post(last_words)) = tab.poll_output() else {
        panic!("the old worker is told before the new one is had");
    };
    let last_words = Bytes::copy_from_slice(last_words);
    let tags = BatchReader::new(&last_words)
        .expect("a batch")
        .map(|raw| raw.expect("whole").tag);
    assert_eq!(tags.collect::<Vec<_>>(), [tag::BYE]);
    assert_eq!(tab.poll_output(), Some(TabOutput::HandedOver));
    assert_eq!(tab.poll_output(), None);
}

#[test]
fn a_send_that_the_worker_could_not_read_looked_sent() {
    let (mut worker, mut tab, channels) = FakeWorker::with_tab(1);
    let channel = channels[0];
    worker.say(&mut tab, &[]);
    let sent = tab.send(
        channel,
        Payload::text("damaged on its way"),
        Delivery::AtMostOnce,
    );
    assert_eq!(sent, Ok(SendId(1)));
    while tab.poll_output().is_some() {}
    let error = WorkerError::InvalidMessage { tag: tag::SEND };
    let events = worker.say(
        &mut tab,
        &[
            ToTab::Error {
                channel: None,
                error,
            },
            ToTab::Sent {
                channel,
                through: SendId(1),
            },
        ],
    );
    assert_eq!(events, [ChannelEvent::MaybeSent { id: SendId(1) }]);
    assert_eq!(tab.unsettled_bytes(), 0);
}
