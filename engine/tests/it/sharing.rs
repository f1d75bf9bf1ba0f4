//! Which channels share a socket, for how long, and what each is told.

use onesocket_engine::ChannelConfig;
use onesocket_protocol::{
    BatchReader, DebugLevel, LinkState, LogEntry, LogLevel, Millis, Payload, Sight, WorkerError,
    log::kind,
};

use crate::sim::{Chan, Mode, Outcome, Sim};

const URL: &str = "ws://chat/";

fn share_one_socket(tabs: usize) {
    let mut sim = Sim::with_tabs(1, tabs);
    let chans: Vec<Chan> = (0..tabs).map(|tab| sim.open(tab, URL)).collect();
    sim.run(1_000);
    assert_eq!(sim.dials.len(), 1);
    assert_eq!(sim.status(chans[0]).tabs, tabs as u32);
    for (number, chan) in chans.iter().enumerate() {
        sim.send(*chan, &format!("from {number}"));
    }
    sim.run(1_000);
    let expect = sim.bodies(chans[0]).join("\n");
    assert_eq!(sim.client(chans[0]).messages.len(), tabs);
    for chan in chans {
        assert_eq!(
            sim.bodies(chan).join("\n"),
            expect,
            "every tab sees the same order"
        );
        assert_eq!(sim.outcomes(chan), [Outcome::Sent]);
    }
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn six_tabs_share_one_socket() {
    share_one_socket(6);
}

#[test]
fn fifty_tabs_share_one_socket() {
    share_one_socket(50);
}

#[test]
fn many_small_sends_of_one_tab_are_several_batches_between_which_the_others_have_their_turn() {
    let mut sim = Sim::with_tabs(1, 2);
    let chans = [0, 1].map(|tab| sim.open(tab, URL));
    sim.run(1_000);
    for _ in 0..10_000 {
        sim.send(chans[0], "x");
    }
    let waits = sim.send(chans[1], "a word");
    let mut batches = Vec::new();
    let mut before = None;
    let (mut answered, end) = (None, sim.now + 1_000);
    while sim.now < end && sim.step() {
        let posted = sim.last_posted(0);
        if posted != before {
            let batch = BatchReader::new(posted.as_ref().expect("it is posted again"));
            batches.push(batch.expect("a batch").header().count);
            before = posted;
        }
        if answered.is_none() && sim.outcome(chans[1], waits).is_some() {
            answered = Some(sim.server_got().len());
        }
    }
    batches.retain(|count| *count > 0);
    assert_eq!(batches, [1, 4_096, 4_096, 1_807]);
    assert!(answered < Some(5_000), "{answered:?}");
    assert_eq!(sim.outcomes(chans[0]), vec![Outcome::Sent; 10_000]);
}

#[test]
fn other_urls_accounts_and_subprotocols_have_their_own_sockets() {
    let mut sim = Sim::with_tabs(2, 4);
    sim.server.accepts = vec!["v1".into()];
    let chans = [
        sim.open(0, URL),
        sim.open(1, "ws://elsewhere/"),
        sim.open_with(2, URL, |config| config.key.account = "eve".into()),
        sim.open_with(3, URL, |config| config.key.subprotocols = vec!["v1".into()]),
    ];
    sim.run(1_000);
    assert_eq!(sim.open_conns().len(), 4);
    for chan in chans {
        assert_eq!(sim.status(chan).tabs, 1);
    }
    assert_eq!(sim.client(chans[3]).connects[0].1, "v1");
    sim.server_say(0, "for one alone");
    sim.run(100);
    let heard: usize = chans
        .iter()
        .map(|chan| sim.client(*chan).messages.len())
        .sum();
    assert_eq!(heard, 1);
}

#[test]
fn two_channels_of_one_tab_share_a_socket_and_count_as_one_tab() {
    let mut sim = Sim::with_tabs(3, 1);
    let (one, other) = (sim.open(0, URL), sim.open(0, URL));
    sim.run(1_000);
    sim.send(one, "hi");
    sim.run(1_000);
    assert_eq!(sim.dials.len(), 1);
    assert_eq!(
        (sim.bodies(one), sim.bodies(other)),
        (vec!["hi"], vec!["hi"])
    );
    assert_eq!(sim.status(one).tabs, 1);
    sim.close(one);
    sim.run(10_000);
    assert!(sim.client(one).closed);
    assert_eq!(sim.open_conns().len(), 1, "the other channel holds it");
}

#[test]
fn a_socket_without_tabs_is_closed_after_the_linger() {
    let mut sim = Sim::with_tabs(4, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.close(chan);
    sim.run(1_900);
    assert_eq!(sim.open_conns().len(), 1);
    sim.run(300);
    assert_eq!(sim.open_conns().len(), 0);
    let again = sim.open(0, URL);
    sim.run(1_000);
    assert!(sim.client(again).is_connected());
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn a_page_that_is_reloaded_within_the_linger_finds_its_socket() {
    let mut sim = Sim::with_tabs(5, 1);
    sim.open(0, URL);
    sim.run(1_000);
    sim.bye(0);
    sim.run(1_000);
    let reloaded = sim.tab(0);
    let chan = sim.open(reloaded, URL);
    sim.run(10_000);
    assert!(sim.client(chan).is_connected());
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn a_crashed_tab_lets_go_of_its_socket() {
    let mut sim = Sim::with_tabs(6, 2);
    let chans = [sim.open(0, URL), sim.open(1, URL)];
    sim.run(1_000);
    sim.crash_tab(0);
    sim.run(1_000);
    assert_eq!(sim.status(chans[1]).tabs, 1);
    sim.crash_tab(1);
    sim.run(5_000);
    assert_eq!(sim.open_conns().len(), 0);
}

#[test]
fn a_new_tab_is_told_the_state_at_once() {
    let mut sim = Sim::with_tabs(7, 2);
    sim.stop_server();
    sim.open(0, URL);
    sim.run(20_000);
    let late = sim.open(1, URL);
    sim.run(100);
    let first = &sim.client(late).statuses[0];
    assert!(
        matches!(
            first.state,
            LinkState::Reconnecting { .. } | LinkState::Connecting { .. }
        ),
        "{first:?}"
    );
    assert_eq!((first.tabs, first.dials), (2, sim.dials.len() as u32));
}

#[test]
fn the_status_tells_what_waits_and_since_when_it_is_open() {
    let mut sim = Sim::with_tabs(8, 1);
    sim.stop_server();
    let chan = sim.open(0, URL);
    sim.send(chan, "12345");
    sim.send(chan, "678");
    sim.run(1_000);
    let status = sim.status(chan);
    assert_eq!((status.queued_messages, status.queued_bytes), (2, 8));
    sim.start_server();
    sim.run_until("open", |sim| sim.client(chan).is_connected());
    sim.run(4_000);
    let status = sim.status(chan);
    assert_eq!((status.queued_messages, status.queued_bytes), (0, 0));
    let LinkState::Connected { uptime, .. } = status.state else {
        panic!("{status:?}");
    };
    assert!((4_000..4_200).contains(&uptime.0), "{uptime:?}");
}

#[test]
fn another_policy_is_reported_and_the_first_one_counts() {
    let mut sim = Sim::with_tabs(9, 2);
    let first = sim.open(0, URL);
    let second = sim.open_with(1, URL, |config| config.policy.linger = Millis(60_000));
    sim.run(1_000);
    assert_eq!(sim.client(first).errors, []);
    assert_eq!(sim.client(second).errors, [WorkerError::PolicyDiffers]);
    sim.close(second);
    sim.run(1_000);
    sim.close(first);
    sim.run(3_000);
    assert_eq!(sim.open_conns().len(), 0, "the first one's linger counts");
}

#[test]
fn the_policy_of_a_tab_that_has_left_counted_for_as_long_as_others_came_and_went() {
    let mut sim = Sim::with_tabs(9, 4);
    let patient = |config: &mut ChannelConfig| config.policy.linger = Millis(60_000);
    let first = sim.open(0, URL);
    sim.run(10);
    let second = sim.open_with(1, URL, patient);
    sim.run(10);
    let third = sim.open_with(2, URL, |config| config.policy.linger = Millis(20_000));
    sim.run(1_000);
    sim.close(first);
    sim.run(3_000);
    let fourth = sim.open_with(3, URL, patient);
    sim.run(1_000);
    assert_eq!(
        sim.client(fourth).errors,
        [],
        "it is that of the oldest tab now"
    );
    for chan in [second, third, fourth] {
        sim.close(chan);
    }
    sim.run(55_000);
    assert_eq!(sim.open_conns().len(), 1, "its linger counts");
    sim.run(10_000);
    assert_eq!(sim.open_conns().len(), 0);
}

#[test]
fn a_tab_that_is_loaded_anew_finds_its_policy() {
    let mut sim = Sim::with_tabs(9, 3);
    let first = sim.open(0, URL);
    sim.run(10);
    let other = sim.open_with(1, URL, |config| config.policy.linger = Millis(60_000));
    sim.run(1_000);
    sim.close(first);
    sim.run(1_000);
    let again = sim.open(2, URL);
    sim.run(10_000);
    assert_eq!(sim.client(again).errors, []);
    sim.close(other);
    sim.run(10);
    sim.close(again);
    sim.run(3_000);
    assert_eq!(sim.open_conns().len(), 0, "its linger counts");
}

#[test]
fn a_message_over_the_cap_is_an_error_and_the_socket_lives_on() {
    let mut sim = Sim::with_tabs(10, 1);
    let chan = sim.open_with(0, URL, |config| config.policy.max_received_bytes = 10);
    sim.run(1_000);
    sim.server_post(0, Payload::text("0123456789+"));
    sim.server_post(0, Payload::text("0123456789"));
    sim.run(1_000);
    assert_eq!(
        sim.client(chan).errors,
        [WorkerError::ReceivedTooLarge { bytes: 11, cap: 10 }]
    );
    assert_eq!(sim.bodies(chan), ["0123456789"]);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn every_message_arrives_once_and_in_order_over_thirty_reconnects() {
    let mut sim = Sim::with_tabs(11, 3);
    sim.close_event_delay = 300;
    let chans: Vec<Chan> = (0..3).map(|tab| sim.open(tab, URL)).collect();
    sim.run(1_000);
    for round in 0..30 {
        for chan in &chans {
            sim.send_numbered(*chan, 0).expect("taken");
        }
        // What is on the way when a connection breaks is lost, so it arrives first here.
        sim.run(100);
        match round % 3 {
            0 => sim.stop_server(),
            _ => sim.server_close(sim.open_conns()[0], 1001, ""),
        }
        sim.run(500);
        for chan in &chans {
            sim.send_numbered(*chan, 0).expect("taken");
        }
        sim.start_server();
        sim.run_until("open again", |sim| sim.client(chans[0]).is_connected());
        sim.run(200);
    }
    let got = sim.server_got();
    for chan in chans {
        let from = format!("s:{}.", chan.tab);
        let mine: Vec<&String> = got.iter().filter(|text| text.starts_with(&from)).collect();
        assert_eq!(mine.len(), 60);
        assert!(mine.is_sorted());
        assert!(
            sim.outcomes(chan)
                .iter()
                .all(|outcome| *outcome == Outcome::Sent)
        );
    }
    assert_eq!(sim.server.mode, Mode::Normal);
}

#[test]
fn what_is_sent_right_before_the_close_is_confirmed_before_the_last_word() {
    let mut sim = Sim::with_tabs(12, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    let id = sim.send(chan, "in flight, so that the next ones share a batch");
    let last = sim.send(chan, "last");
    sim.close(chan);
    sim.run(100);
    assert!(sim.client(chan).closed);
    for send in [id, last] {
        assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
    }
}

#[test]
fn the_debug_log_is_turned_on_for_all_tabs_and_off_again() {
    let mut sim = Sim::with_tabs(13, 2);
    let log = |sim: &mut Sim, text: &str| {
        let engine = sim.workers[0].engine.as_mut().expect("alive");
        engine.log(LogEntry::line(LogLevel::Info, "test", text));
        sim.input(0, onesocket_engine::Input::Tick);
        sim.run(100);
    };
    log(&mut sim, "off");
    sim.in_tab(0, |session| session.set_debug(DebugLevel::Messages));
    sim.run(100);
    log(&mut sim, "on");
    sim.in_tab(1, |session| session.set_debug(DebugLevel::Off));
    sim.run(100);
    log(&mut sim, "off again");
    assert_eq!(sim.seen, [Sight::Messages, Sight::Off]);
    for tab in &sim.tabs {
        let lines: Vec<String> = tab.logs.iter().map(LogEntry::to_string).collect();
        assert_eq!(lines, ["on"]);
    }
}

#[test]
fn a_ping_is_answered() {
    let mut sim = Sim::with_tabs(14, 1);
    sim.in_tab(0, |session| session.ping(7));
    sim.run(100);
    assert_eq!(sim.tabs[0].pongs, [7]);
}

#[test]
fn what_a_server_says_is_logged_only_to_those_who_share_its_socket() {
    let mut sim = Sim::with_tabs(15, 2);
    sim.open(0, "wss://a.test/");
    sim.open(1, "wss://b.test/");
    sim.run(1000);
    sim.in_tab(1, |session| session.set_debug(DebugLevel::Payloads));
    sim.run(100);
    for socket in [1, 2] {
        let engine = sim.workers[0].engine.as_mut().expect("alive");
        engine.log(LogEntry {
            id: socket,
            content: "secret".into(),
            ..LogEntry::new(kind::RECEIVED)
        });
        sim.input(0, onesocket_engine::Input::Tick);
        sim.run(100);
    }
    let secrets = |tab: usize| -> Vec<bool> {
        let logs = sim.tabs[tab].logs.iter();
        logs.map(|line| line.to_string().contains("secret"))
            .collect()
    };
    assert_eq!(
        (secrets(0), secrets(1)),
        (vec![true, false], vec![false, true])
    );
}
