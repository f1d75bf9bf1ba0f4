//! Acknowledgements for any codec.

use onesocket_protocol::Payload;

use super::{Codec, DecodeError, EncodeError};

/// Tells a codec how the app's protocol acknowledges: `ack_id` names what is sent, `acknowledges` finds the name in what the
/// server says. All tabs that share the connection hear that, so a name is to be unique over all of them: random, rather than a counter.
///
/// ```
/// use onesocket::codec::{Codec, Json, acks};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize)]
/// struct Order {
///     key: u64,
///     amount: u32,
/// }
///
/// #[derive(Deserialize)]
/// enum FromServer {
///     Booked { key: u64 },
///     Price(u32),
/// }
///
/// let codec = acks(
///     Json,
///     |order: &Order| Some(order.key),
///     |message: &FromServer| match message {
///         FromServer::Booked { key } => Some(*key),
///         FromServer::Price(_) => None,
///     },
/// );
/// assert_eq!(codec.ack_id(&Order { key: 7, amount: 1 }), Some(7));
/// assert_eq!(codec.acknowledges(&FromServer::Booked { key: 7 }), Some(7));
/// assert_eq!(codec.acknowledges(&FromServer::Price(3)), None);
/// ```
pub fn acks<C, I, A>(codec: C, ack_id: I, acknowledges: A) -> Acks<C, I, A> {
    Acks {
        codec,
        ack_id,
        acknowledges,
    }
}

/// A codec that knows acknowledgements; made by [`acks`].
#[derive(Clone, Copy, Debug)]
pub struct Acks<C, I, A> {
    codec: C,
    ack_id: I,
    acknowledges: A,
}

impl<Tx: ?Sized, Rx, C, I, A> Codec<Tx, Rx> for Acks<C, I, A>
where
    C: Codec<Tx, Rx>,
    I: Fn(&Tx) -> Option<u64>,
    A: Fn(&Rx) -> Option<u64>,
{
    fn encode(&self, message: &Tx) -> Result<Payload, EncodeError> {
        self.codec.encode(message)
    }

    fn decode(&self, payload: &Payload) -> Result<Rx, DecodeError> {
        self.codec.decode(payload)
    }

    fn ack_id(&self, message: &Tx) -> Option<u64> {
        (self.ack_id)(message)
    }

    fn acknowledges(&self, message: &Rx) -> Option<u64> {
        (self.acknowledges)(message)
    }
}
