//! How a connection gets the credential of its next dial: the tabs are asked, one after the other.

use std::{fmt, rc::Rc};

use onesocket_protocol::{
    CloseInfo, Credential, LinkKey, LinkState, Millis, Payload, ReconnectCause, StopReason, ToTab,
    WorkerError,
};

use super::{
    Ctx, Link, Member, Timer, backoff,
    lifecycle::{CLOSE_REPLACED, NORMAL_CLOSURE, State},
};

/// What is known of credentials.
#[derive(Default)]
pub(super) struct Credentials {
    /// Sent first on the socket that is dialled now.
    pub(super) first: Option<Payload>,
    /// Of the one that was dialled with last, while it is not known to be refused.
    current: Option<u64>,
    /// Those that the server has refused, the latest last.
    refused: Vec<u64>,
    /// Whether a refusal is what the next one is asked for.
    was_refused: bool,
    /// Who was asked since the last dial.
    asked: Vec<Member>,
    /// Who has given the last one, and will be asked first; last, when that was in place of a refused one, and is refused, too.
    giver: Option<Member>,
    /// Whether it was in place of a refused one, and is not known to be good.
    is_in_place: bool,
    /// The number of the last question.
    request: u32,
    /// How often in a row all tabs were asked in vain, though no credential was refused.
    in_vain: u32,
}

/// A member is asked for a credential.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    member: Member,
    /// Whether the tabs are asked again without a word of it: for their apps it is a pause still.
    is_quiet: bool,
}

/// Not even digests: a short secret can be found from one.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

impl Link {
    /// Asks all tabs anew.
    pub(super) fn ask(&mut self, ctx: &mut Ctx<'_>) {
        self.credentials.asked.clear();
        self.ask_next(ctx, false);
        self.tell_status(ctx);
    }

    /// Asks all tabs anew in a pause: what one gets its credential from may have been out of reach. Not for one in place of a refused one, which
    /// takes a user.
    pub(super) fn ask_in_pause(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.online && self.is_unanswered() {
            self.credentials.asked.clear();
            self.ask_next(ctx, true);
        }
    }

    fn is_unanswered(&self) -> bool {
        self.policy.auth.ask.is_some() && !self.credentials.was_refused && !self.members.is_empty()
    }

    /// Whether a tab is asked of which the apps hear nothing.
    pub(super) fn is_asking_quietly(&self) -> bool {
        matches!(&self.state, State::Asking(asking) if asking.is_quiet)
    }

    /// Asks the next tab, or gives in when there is none.
    fn ask_next(&mut self, ctx: &mut Ctx<'_>, is_quiet: bool) {
        let Some(timeout) = self.policy.auth.ask else {
            return self.dial(ctx);
        };
        let Credentials {
            asked,
            giver,
            was_refused,
            is_in_place,
            ..
        } = &mut self.credentials;
        // One that has expired the same tab renews soonest. A tab that gives a fresh one each time, which is refused each time, must not keep the
        // others from being asked: then it is their turn.
        let is_later = |member: &&Member| match *was_refused && *is_in_place {
            true => Some(**member) <= *giver,
            false => Some(**member) != *giver,
        };
        let candidates = self.members.keys();
        let candidates = candidates.filter(|member| !asked.contains(member));
        let next = candidates.min_by_key(is_later).copied();
        let Some(member) = next else {
            // Whoever has none may only have no network to get one by; one in place of a refused one takes a user.
            if self.offline.is_some() && !*was_refused {
                return self.stay_offline(ctx);
            }
            return self.need_auth(ctx);
        };
        asked.push(member);
        self.credentials.request += 1;
        self.timers.stop(Timer::Dial);
        self.timers
            .start(Timer::Credential, ctx.now.after(timeout.max(Millis(1))));
        self.state = State::Asking(Asking { member, is_quiet });
        ctx.tell(
            member,
            &ToTab::NeedCredential {
                channel: member.channel,
                request: self.credentials.request,
                refused: self.credentials.was_refused,
            },
        );
    }

    /// The asked tab is too slow, has none, or has only one that was refused.
    fn pass_over(&mut self, ctx: &mut Ctx<'_>) {
        let is_quiet = self.is_asking_quietly();
        self.ask_next(ctx, is_quiet);
        if matches!(self.state, State::NeedsAuth) && !is_quiet {
            self.tell_status(ctx);
        }
    }

    /// The asked tab is too slow, or the pause behind the last one was long enough.
    pub(super) fn on_credential_timer(&mut self, ctx: &mut Ctx<'_>) {
        match self.state {
            State::Asking(_) => self.pass_over(ctx),
            State::NeedsAuth => self.ask_in_pause(ctx),
            _ => {}
        }
    }

    /// No dial makes sense before somebody comes with a credential.
    fn need_auth(&mut self, ctx: &mut Ctx<'_>) {
        self.stop_socket_timers(ctx.now);
        self.timers.stop(Timer::Dial);
        self.timers.stop(Timer::Credential);
        self.halt_give_up(ctx.now);
        self.dials.requested = None;
        self.offline = None;
        self.state = State::NeedsAuth;
        if self.is_unanswered() {
            self.credentials.in_vain = self.credentials.in_vain.saturating_add(1);
            let attempt = self.credentials.in_vain;
            let delay = backoff::draw(&self.policy.backoff, attempt, Millis(0), ctx.rng);
            let until = ctx.now.after(MIN_PAUSE).after(delay);
            self.timers.start(Timer::Credential, until);
        }
    }

    /// What the tabs are told while nobody has a credential. Before the first tab was asked it is not known yet.
    pub(super) fn unauthenticated(&self) -> LinkState {
        if self.policy.auth.ask.is_some() && self.credentials.asked.is_empty() {
            let attempt = self.dials.attempt;
            return LinkState::Connecting { attempt };
        }
        let refused = self.credentials.was_refused;
        LinkState::NeedsAuth { refused }
    }

    /// A tab answers, or offers what it was asked for before.
    pub(super) fn on_credential(
        &mut self,
        ctx: &mut Ctx<'_>,
        member: Member,
        request: u32,
        credential: Option<Credential>,
    ) {
        let is_asked = match self.state {
            State::Asking(asking) => asking.member == member && request == self.credentials.request,
            State::NeedsAuth => false,
            _ => return,
        };
        let Some(credential) = credential else {
            if is_asked {
                self.pass_over(ctx);
            }
            return;
        };
        let digest = digest(&credential);
        if self.credentials.refused.contains(&digest) {
            ctx.complain(member, WorkerError::CredentialRefused);
            if is_asked {
                self.pass_over(ctx);
            }
            return;
        }
        self.credentials.giver = Some(member);
        self.credentials.current = Some(digest);
        self.credentials.is_in_place |= core::mem::take(&mut self.credentials.was_refused);
        self.take(credential);
        self.credentials.in_vain = 0;
        self.timers.stop(Timer::Credential);
        if self.offline.is_none() && !self.may_start(ctx) {
            self.go_offline(ctx, ReconnectCause::Offline);
            // It may be good for one dial only, and the browser may be wrong.
            if self.dials.not_before.is_some_and(|at| at > ctx.now) {
                return;
            }
        }
        self.watch_give_up(ctx.now);
        if let Some(until) = self.dials.not_before.filter(|at| *at > ctx.now) {
            return self.wait(ctx, until, ReconnectCause::Requested);
        }
        self.dial_with(ctx, None);
        self.tell_status(ctx);
    }

    fn take(&mut self, credential: Credential) {
        let Credential {
            url,
            subprotocols,
            first,
        } = credential;
        self.credentials.first = first;
        self.dialled = if url.is_none() && subprotocols.is_empty() {
            self.key.clone()
        } else {
            Rc::new(LinkKey {
                url: url.unwrap_or_else(|| self.key.url.clone()),
                subprotocols: if subprotocols.is_empty() {
                    self.key.subprotocols.clone()
                } else {
                    subprotocols
                },
                account: String::new(),
            })
        };
    }

    /// The server refuses the credential. Not dialled again at once: a server that refuses everybody must not be flooded.
    pub(super) fn on_credential_refused(&mut self, ctx: &mut Ctx<'_>, close: CloseInfo) {
        let Credentials {
            current, refused, ..
        } = &mut self.credentials;
        if let Some(digest) = current.take() {
            if refused.len() == MAX_REFUSED {
                refused.remove(0);
            }
            refused.push(digest);
        }
        self.credentials.was_refused = true;
        if self.policy.auth.ask.is_some() {
            return self.lose(ctx, ReconnectCause::Closed(close));
        }
        self.need_auth(ctx);
        self.tell_status(ctx);
    }

    /// A tab has joined: it may have what the others had not.
    pub(super) fn on_newcomer(&mut self, ctx: &mut Ctx<'_>) {
        if matches!(self.state, State::NeedsAuth) {
            self.ask_next(ctx, false);
            self.tell_status(ctx);
        }
    }

    pub(super) fn forget_asked(&mut self, ctx: &mut Ctx<'_>, member: Member) {
        self.credentials.asked.retain(|asked| *asked != member);
        if self.is_asking(member) {
            self.pass_over(ctx);
        }
    }

    /// Ends the connection for all its tabs, at once or when the queue is empty.
    pub(super) fn log_out(&mut self, ctx: &mut Ctx<'_>, drain: Option<Millis>) {
        match drain {
            // An open socket has been handed everything.
            Some(drain)
                if self.is_running()
                    && !matches!(self.state, State::Open(_))
                    && self.queue.messages() > 0 =>
            {
                self.timers.start(Timer::LogOut, ctx.now.after(drain));
            }
            _ => self.finish_log_out(ctx),
        }
    }

    pub(super) fn finish_log_out(&mut self, ctx: &mut Ctx<'_>) {
        self.drop_socket(ctx, NORMAL_CLOSURE, "logged out");
        self.stop(ctx, StopReason::LoggedOut);
    }

    /// Nothing of an account that is logged out is used again.
    pub(super) fn forget_account(&mut self) {
        self.history.clear();
        self.forget_credential();
    }

    /// The socket was open for long enough: what it was dialled with is good.
    pub(super) fn on_good_credential(&mut self) {
        self.credentials.is_in_place = false;
    }

    /// A tab that was asked, and asks for a socket now, may have one by now. Not the one that is being asked, which will say so.
    pub(super) fn ask_again(&mut self, member: Member) {
        if !self.is_asking(member) {
            self.credentials.asked.retain(|asked| *asked != member);
        }
    }

    fn is_asking(&self, member: Member) -> bool {
        matches!(self.state, State::Asking(asking) if asking.member == member)
    }

    fn forget_credential(&mut self) {
        self.dialled = self.key.clone();
        self.credentials.first = None;
        self.credentials.current = None;
        self.credentials.giver = None;
    }

    /// Nobody is asked any more, so nothing would ever take the place of what a tab has given that is gone. A dial with it begins anew.
    pub(super) fn end_asking(&mut self, ctx: &mut Ctx<'_>) {
        self.forget_credential();
        if matches!(
            self.state,
            State::Dialling(_) | State::Asking(_) | State::NeedsAuth
        ) {
            self.drop_socket(ctx, CLOSE_REPLACED, "replaced");
            self.stop_socket_timers(ctx.now);
            self.timers.stop(Timer::Credential);
            self.state = State::Idle;
        }
    }
}

/// Also with a backoff of nothing but zeros a provider that has nothing costs little.
pub(super) const MIN_PAUSE: Millis = Millis(1_000);

/// Tabs hold copies of several ages, and each must be told from those that were refused.
const MAX_REFUSED: usize = 16;

/// FNV-1a. Two credentials are told apart without keeping them.
fn digest(credential: &Credential) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        // The length too: where one part ends and the next begins must count.
        for byte in (bytes.len() as u32).to_le_bytes().iter().chain(bytes) {
            digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(credential.url.as_deref().unwrap_or_default().as_bytes());
    for subprotocol in &credential.subprotocols {
        add(subprotocol.as_bytes());
    }
    if let Some(first) = &credential.first {
        add(first.bytes());
    }
    digest
}
