//! What apps do about their accounts: they give credentials, or none, and end the connections of all tabs.

use onesocket_protocol::{Credential, LinkPolicy, Millis, Pace, Payload};

use super::{Run, SUBPROTOCOL};
use crate::sim::Chan;

impl Run {
    pub(super) fn draw_auth(&mut self, policy: &mut LinkPolicy) {
        let rng = &mut self.rng;
        policy.auth.ask = rng.bool().then(|| Millis(rng.u32(0..6_000)));
        policy.auth.codes = vec![4000];
    }

    pub(super) fn act_on_account(&mut self) {
        if self.rng.u8(0..3) == 0 {
            for chan in self.living_chans() {
                let credential = (self.rng.u8(0..4) > 0).then(|| self.rng.u32(0..6));
                if self.rng.bool() {
                    self.answer(chan, credential);
                }
            }
        }
        let Some(chan) = self.chan() else { return };
        match self.rng.u8(0..60) {
            0 => {
                let pace = Pace {
                    interval: Millis(self.rng.u32(0..10_000)),
                    burst: self.rng.u32(0..10),
                };
                self.sim.in_tab(chan.tab, |session| session.set_pace(pace));
            }
            1 => {
                let accepts = self.rng.bool().then(|| SUBPROTOCOL.into());
                self.sim.server.accepts = accepts.into_iter().collect();
                self.sim.server.insists = self.rng.bool();
            }
            2 if !self.takes_all => self.end(chan),
            _ => {}
        }
    }

    /// Ends the connection for all tabs, and sometimes closes the client in the same breath.
    fn end(&mut self, chan: Chan) {
        let drain = self.rng.bool().then(|| Millis(self.rng.u32(0..5_000)));
        let is_log_out = self.rng.bool();
        self.sim.in_tab(chan.tab, |session| match is_log_out {
            true => session.log_out(chan.id, drain),
            false => session.close_socket(chan.id, 4001, String::new()),
        });
        if self.rng.bool() {
            self.sim.close(chan);
            self.chans.retain(|other| *other != chan);
        }
    }

    /// Answers whoever is asked, with what no server has refused.
    pub(super) fn give_credentials(&mut self) {
        for chan in self.living_chans() {
            let credential = Some(self.rng.u32(6..));
            self.answer(chan, credential);
        }
    }

    fn answer(&mut self, chan: Chan, credential: Option<u32>) {
        let Some((request, _)) = self.sim.client(chan).asked.last().copied() else {
            return;
        };
        let credential = credential.map(|number| Credential {
            first: Some(Payload::text(format!("log in {number}"))),
            ..Credential::default()
        });
        self.sim.in_tab(chan.tab, |session| {
            session.credential(chan.id, request, credential);
        });
    }
}
