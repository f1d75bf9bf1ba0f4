//! Any message, any preface.

use onesocket_protocol::{
    Answer, Auth, Backoff, ChannelId, CloseInfo, Connect, Credential, DebugLevel, GiveUp, Greeting,
    GreetingId, Heartbeat, LatestBy, LinkKey, LinkPolicy, LinkState, LogEntry, LogLevel, Millis,
    Pace, Packed, Payload, QueueLimits, ReconnectCause, Replay, SendFailure, SendId, Sight, Status,
    StopReason, ToTab, ToWorker, Wake, WorkerError, WorkerScope, limits,
};
use proptest::{collection::vec, option, prelude::*};

pub(crate) fn to_worker() -> impl Strategy<Value = ToWorker> {
    prop_oneof![
        connect().prop_map(|connect| ToWorker::Connect(Box::new(connect))),
        channel().prop_map(|channel| ToWorker::Disconnect { channel }),
        (channel(), any::<u64>(), any::<bool>(), payload()).prop_map(
            |(channel, id, keep, payload)| ToWorker::Send {
                channel,
                id: SendId(id),
                keep,
                payload,
            }
        ),
        (channel(), any::<u64>()).prop_map(|(channel, id)| ToWorker::Acknowledge {
            channel,
            id: SendId(id),
        }),
        channel().prop_map(|channel| ToWorker::GetStatus { channel }),
        any::<u32>().prop_map(|nonce| ToWorker::Ping { nonce }),
        debug_level().prop_map(|level| ToWorker::SetDebug { level }),
        Just(ToWorker::Bye),
        (channel(), greeting())
            .prop_map(|(channel, greeting)| ToWorker::Greet { channel, greeting }),
        (channel(), any::<u32>()).prop_map(|(channel, id)| ToWorker::Ungreet {
            channel,
            greeting: GreetingId(id),
        }),
        (channel(), millis()).prop_map(|(channel, delay)| ToWorker::Delay { channel, delay }),
        channel().prop_map(|channel| ToWorker::Reconnect { channel }),
        any::<bool>().prop_map(|online| ToWorker::Network { online }),
        Just(ToWorker::Wake),
        Just(ToWorker::HoldsLock),
        (millis(), any::<u32>())
            .prop_map(|(interval, burst)| ToWorker::Pace(Pace { interval, burst })),
        debug_level().prop_map(|level| ToWorker::Inspect {
            sight: level.into(),
        }),
        Just(ToWorker::Inspect {
            sight: Sight::Recording,
        }),
        (channel(), any::<u32>(), option::of(credential())).prop_map(
            |(channel, request, credential)| ToWorker::Credential {
                channel,
                request,
                credential,
            }
        ),
        (channel(), option::of(millis()))
            .prop_map(|(channel, drain)| ToWorker::LogOut { channel, drain }),
        (channel(), any::<u16>(), "[a-z]{0,20}").prop_map(|(channel, code, reason)| {
            ToWorker::Close {
                channel,
                code,
                reason,
            }
        }),
    ]
}

pub(crate) fn to_tab() -> impl Strategy<Value = ToTab> {
    prop_oneof![
        (worker_scope(), debug_level()).prop_map(|(scope, debug)| ToTab::Ready { scope, debug }),
        (channel(), status()).prop_map(|(channel, status)| ToTab::Attached { channel, status }),
        (channel(), text()).prop_map(|(channel, subprotocol)| ToTab::Connected {
            channel,
            subprotocol
        }),
        (channel(), stop_reason())
            .prop_map(|(channel, reason)| ToTab::Disconnected { channel, reason }),
        (channel(), any::<u32>(), option::of(millis()), cause()).prop_map(
            |(channel, attempt, delay, cause)| ToTab::Reconnecting {
                channel,
                attempt,
                delay,
                cause
            }
        ),
        (channel(), any::<bool>(), payload()).prop_map(|(channel, replayed, payload)| {
            ToTab::Message {
                channel,
                replayed,
                payload,
            }
        }),
        (channel(), vec(vec(any::<u8>(), 0..64), 0..6)).prop_map(|(channel, payloads)| {
            let packed = pack(&payloads);
            ToTab::Packed { channel, packed }
        }),
        (channel(), status()).prop_map(|(channel, status)| ToTab::Status { channel, status }),
        (option::of(channel()), worker_error())
            .prop_map(|(channel, error)| ToTab::Error { channel, error }),
        (channel(), any::<u64>()).prop_map(|(channel, id)| ToTab::Sent {
            channel,
            through: SendId(id)
        }),
        (channel(), any::<u64>(), send_failure()).prop_map(|(channel, id, failure)| {
            ToTab::Failed {
                channel,
                id: SendId(id),
                failure,
            }
        }),
        any::<u32>().prop_map(|nonce| ToTab::Pong { nonce }),
        (log_level(), text(), text())
            .prop_map(|(level, target, text)| ToTab::Log(LogEntry::line(level, &target, &text))),
        log_entry().prop_map(ToTab::Log),
        (channel(), any::<u64>()).prop_map(|(channel, missed)| ToTab::Lagged { channel, missed }),
        channel().prop_map(|channel| ToTab::Detached { channel }),
        any::<u64>().prop_map(|build| ToTab::UpdateAvailable { build }),
        (channel(), any::<u32>()).prop_map(|(channel, bytes)| ToTab::Buffered { channel, bytes }),
        (channel(), any::<u32>(), any::<bool>()).prop_map(|(channel, request, refused)| {
            ToTab::NeedCredential {
                channel,
                request,
                refused,
            }
        }),
        (channel(), any::<u64>()).prop_map(|(channel, id)| ToTab::Mark {
            channel,
            through: SendId(id),
        }),
    ]
}

fn connect() -> impl Strategy<Value = Connect> {
    (channel(), key(), policy(), replay()).prop_map(|(channel, key, policy, replay)| Connect {
        channel,
        key,
        policy: policy.into(),
        replay,
    })
}

fn key() -> impl Strategy<Value = LinkKey> {
    (text(), vec(text(), 0..4), text()).prop_map(|(url, subprotocols, account)| LinkKey {
        url,
        subprotocols,
        account,
    })
}

fn credential() -> impl Strategy<Value = Credential> {
    (option::of(text()), vec(text(), 0..4), option::of(payload())).prop_map(
        |(url, subprotocols, first)| Credential {
            url,
            subprotocols,
            first,
        },
    )
}

fn policy() -> impl Strategy<Value = LinkPolicy> {
    (
        backoff(),
        (option::of(any::<u32>()), option::of(millis())),
        vec(any::<u16>(), 0..5),
        (option::of(heartbeat()), option::of(answer())),
        (any::<u32>(), any::<u32>(), option::of(millis())),
        [millis(), millis()],
        0..=limits::MAX_PAYLOAD_BYTES as u32,
        (millis(), option::of(millis())),
        option::of(latest_by()),
        (vec(any::<u16>(), 0..5), option::of(millis())),
    )
        .prop_map(
            |(backoff, give_up, fatal_codes, pings, queue, times, max, wake, latest, auth)| {
                LinkPolicy {
                    backoff,
                    connect_timeout: times[0],
                    give_up: GiveUp {
                        attempts: give_up.0,
                        after: give_up.1,
                    },
                    fatal_codes,
                    heartbeat: pings.0,
                    answer: pings.1,
                    queue: QueueLimits {
                        messages: queue.0,
                        bytes: queue.1,
                        timeout: queue.2,
                    },
                    linger: times[1],
                    max_received_bytes: max,
                    wake: Wake {
                        deadline: wake.0,
                        replace_after: wake.1,
                    },
                    latest,
                    auth: Auth {
                        codes: auth.0,
                        ask: auth.1,
                    },
                }
            },
        )
}

fn answer() -> impl Strategy<Value = Answer> {
    (payload(), payload()).prop_map(|(ping, pong)| Answer { ping, pong })
}

fn latest_by() -> impl Strategy<Value = LatestBy> {
    prop_oneof![
        Just(LatestBy::Any),
        any::<[u32; 2]>().prop_map(|[start, len]| LatestBy::Bytes { start, len }),
        text().prop_map(LatestBy::JsonMember),
    ]
}

fn backoff() -> impl Strategy<Value = Backoff> {
    [millis(), millis(), millis(), millis()].prop_map(|[base, cap, stable_after, spread]| Backoff {
        base,
        cap,
        stable_after,
        spread,
    })
}

fn heartbeat() -> impl Strategy<Value = Heartbeat> {
    (millis(), millis(), payload(), option::of(payload())).prop_map(
        |(interval, deadline, ping, pong)| Heartbeat {
            interval,
            deadline,
            ping,
            pong,
        },
    )
}

fn replay() -> impl Strategy<Value = Replay> {
    prop_oneof![
        Just(Replay::None),
        any::<[u32; 2]>().prop_map(|[messages, bytes]| Replay::Last { messages, bytes }),
        payload().prop_map(Replay::Ask),
    ]
}

fn greeting() -> impl Strategy<Value = Greeting> {
    (any::<u32>(), payload(), option::of(payload())).prop_map(|(id, payload, farewell)| Greeting {
        id: GreetingId(id),
        payload,
        farewell,
    })
}

fn status() -> impl Strategy<Value = Status> {
    (link_state(), any::<[u32; 4]>(), option::of(millis())).prop_map(
        |(state, [tabs, queued_messages, queued_bytes, dials], round_trip)| Status {
            state,
            tabs,
            queued_messages,
            queued_bytes,
            dials,
            round_trip,
        },
    )
}

fn link_state() -> impl Strategy<Value = LinkState> {
    prop_oneof![
        any::<u32>().prop_map(|attempt| LinkState::Connecting { attempt }),
        (text(), millis()).prop_map(|(subprotocol, uptime)| LinkState::Connected {
            subprotocol,
            uptime
        }),
        (any::<u32>(), millis(), cause()).prop_map(|(attempt, delay, cause)| {
            LinkState::Reconnecting {
                attempt,
                delay,
                cause,
            }
        }),
        any::<u32>().prop_map(|attempt| LinkState::Offline { attempt }),
        stop_reason().prop_map(LinkState::Stopped),
        any::<bool>().prop_map(|refused| LinkState::NeedsAuth { refused }),
    ]
}

fn cause() -> impl Strategy<Value = ReconnectCause> {
    prop_oneof![
        Just(ReconnectCause::Unreachable),
        Just(ReconnectCause::ConnectTimeout),
        close().prop_map(ReconnectCause::Closed),
        Just(ReconnectCause::HeartbeatTimeout),
        Just(ReconnectCause::SubprotocolRefused),
        Just(ReconnectCause::Offline),
        Just(ReconnectCause::Requested),
        Just(ReconnectCause::Slept),
    ]
}

fn stop_reason() -> impl Strategy<Value = StopReason> {
    prop_oneof![
        close().prop_map(StopReason::FatalClose),
        close().prop_map(StopReason::Closed),
        (any::<u32>(), cause())
            .prop_map(|(attempts, cause)| StopReason::GaveUp { attempts, cause }),
        Just(StopReason::InvalidUrl),
        Just(StopReason::InsecureUrl),
        Just(StopReason::InvalidSubprotocol),
        Just(StopReason::NoWorker),
        Just(StopReason::Unused),
        Just(StopReason::LoggedOut),
    ]
}

fn send_failure() -> impl Strategy<Value = SendFailure> {
    prop_oneof![
        any::<[u32; 2]>().prop_map(|[messages, bytes]| SendFailure::QueueFull { messages, bytes }),
        Just(SendFailure::Expired),
        Just(SendFailure::Disconnected),
        stop_reason().prop_map(SendFailure::Stopped),
        Just(SendFailure::UnknownChannel),
        Just(SendFailure::OutOfOrder),
        Just(SendFailure::NoWorker),
    ]
}

fn worker_error() -> impl Strategy<Value = WorkerError> {
    prop_oneof![
        any::<u8>().prop_map(|tag| WorkerError::UnknownMessage { tag }),
        any::<u8>().prop_map(|tag| WorkerError::InvalidMessage { tag }),
        Just(WorkerError::InvalidFrame),
        Just(WorkerError::UnknownChannel),
        Just(WorkerError::ChannelInUse),
        Just(WorkerError::TooManyChannels),
        Just(WorkerError::TooManyGreetings),
        Just(WorkerError::PolicyDiffers),
        Just(WorkerError::CredentialRefused),
        any::<[u32; 2]>().prop_map(|[bytes, cap]| WorkerError::ReceivedTooLarge { bytes, cap }),
    ]
}

fn close() -> impl Strategy<Value = CloseInfo> {
    (any::<u16>(), text(), any::<bool>()).prop_map(|(code, reason, was_clean)| CloseInfo {
        code,
        reason,
        was_clean,
    })
}

pub(crate) fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        text().prop_map(Payload::text),
        vec(any::<u8>(), 0..64).prop_map(Payload::binary),
    ]
}

/// Packs payloads as a host does.
pub(crate) fn pack<P: AsRef<[u8]>>(payloads: &[P]) -> Packed {
    let mut bytes = Vec::new();
    for payload in payloads.iter().map(AsRef::as_ref) {
        bytes.extend((payload.len() as u32).to_le_bytes());
        bytes.extend(payload);
    }
    Packed::new(bytes).expect("each behind its length")
}

fn channel() -> impl Strategy<Value = ChannelId> {
    any::<u32>().prop_map(ChannelId)
}

fn millis() -> impl Strategy<Value = Millis> {
    any::<u32>().prop_map(Millis)
}

fn text() -> impl Strategy<Value = String> {
    ".{0,24}"
}

fn debug_level() -> impl Strategy<Value = DebugLevel> {
    use DebugLevel::{Messages, Off, Payloads};
    prop_oneof![Just(Off), Just(Messages), Just(Payloads)]
}

fn log_entry() -> impl Strategy<Value = LogEntry> {
    let numbers = (0..24_u8, any::<u32>(), any::<u32>(), any::<u32>());
    (numbers, vec(any::<u8>(), 0..40)).prop_map(|((kind, id, code, len), content)| LogEntry {
        kind,
        id,
        code,
        len,
        content: content.into(),
    })
}

fn log_level() -> impl Strategy<Value = LogLevel> {
    use LogLevel::{Debug, Error, Info, Trace, Warn};
    prop_oneof![
        Just(Error),
        Just(Warn),
        Just(Info),
        Just(Debug),
        Just(Trace)
    ]
}

fn worker_scope() -> impl Strategy<Value = WorkerScope> {
    use WorkerScope::{Dedicated, Main, Shared};
    prop_oneof![Just(Shared), Just(Dedicated), Just(Main)]
}
