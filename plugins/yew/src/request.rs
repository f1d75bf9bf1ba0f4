//! Requests and their answers, as state.

use std::{fmt, rc::Rc};

use onesocket::{Client, Request, RequestError};
use yew::{hook, use_effect_with};

use crate::{
    kept::{Kept, use_kept},
    send::spawn_abortable,
};

/// Asks when the component is mounted, and again when `deps`, the client or [`retry`](UseRequestHandle::retry) say so; keeps the last
/// answer meanwhile, but for that of another client.
///
/// `ask` makes the request, with its timeout if 30 s are not right; the builder's
/// [`replies`](onesocket::ClientBuilder::replies) says how to tell an answer. A question that is overtaken by the next one, or whose
/// component is unmounted, is not taken back; its answer is dropped when it comes.
///
/// For Suspense, await `client.request(..)` in [`use_future_with`](yew::suspense::use_future_with).
///
/// ```
/// use onesocket_yew::prelude::*;
/// use serde::{Deserialize, Serialize};
/// use yew::prelude::*;
///
/// #[derive(Serialize)]
/// struct Ask { id: u64, city: String }
///
/// #[derive(Deserialize)]
/// struct Weather { answers: u64, text: String }
///
/// #[derive(Properties, PartialEq)]
/// struct Props { city: String }
///
/// #[component]
/// fn Forecast(props: &Props) -> Html {
///     // Built with `.replies(|weather| Some(RequestId(weather.answers)))`.
///     let client = use_client::<Ask, Weather>();
///     let weather = use_request(&client, props.city.clone(), |client, city| {
///         client.request(|id| Ask { id: id.0, city: city.clone() })
///     });
///     let retry = { let weather = weather.clone(); move |_| weather.retry() };
///     html! {
///         if let Some(error) = weather.error() {
///             <p role="alert">{ error.to_string() }<button onclick={retry}>{ "Again" }</button></p>
///         } else if let Some(weather) = weather.answer() {
///             <p>{ &weather.text }</p>
///         } else {
///             <p>{ "…" }</p>
///         }
///     }
/// }
/// # let _ = yew::ServerRenderer::<Forecast>::with_props(|| Props { city: "Oslo".into() });
/// ```
#[hook]
pub fn use_request<Tx: 'static, Rx: 'static, D: PartialEq + 'static>(
    client: &Client<Tx, Rx>,
    deps: D,
    ask: impl Fn(&Client<Tx, Rx>, &D) -> Request<Rx> + 'static,
) -> UseRequestHandle<Rx> {
    let kept: Rc<Kept<Answer<Rx>>> = use_kept(client);
    let answer = kept.now();
    let deps = (client.clone(), deps, answer.asked);
    use_effect_with(deps, {
        let kept = Rc::clone(&kept);
        move |(client, deps, _)| {
            let now = kept.now();
            if !now.is_pending {
                kept.change(Answer::awaited);
            }
            let request = ask(client, deps);
            let task = spawn_abortable(async move {
                let result = request.await;
                kept.change(|now| now.ended(result));
            });
            move || drop(task)
        }
    });
    UseRequestHandle { kept, answer }
}

/// A request and its answer as of the rendering that it is of, from [`use_request`].
pub struct UseRequestHandle<Rx> {
    kept: Rc<Kept<Answer<Rx>>>,
    answer: Rc<Answer<Rx>>,
}

impl<Rx> UseRequestHandle<Rx> {
    /// Returns the last answer, also while the next one is waited for.
    #[must_use]
    pub fn answer(&self) -> Option<&Rx> {
        self.answer.answer.as_deref()
    }

    /// Returns why the last question got no answer.
    #[must_use]
    pub fn error(&self) -> Option<&RequestError> {
        self.answer.error.as_ref()
    }

    /// Returns whether an answer is waited for.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.answer.is_pending
    }

    /// Asks again.
    pub fn retry(&self) {
        self.kept.change(|now| Answer {
            asked: now.asked + 1,
            ..now.awaited()
        });
    }
}

impl<Rx> Clone for UseRequestHandle<Rx> {
    fn clone(&self) -> Self {
        Self {
            kept: Rc::clone(&self.kept),
            answer: Rc::clone(&self.answer),
        }
    }
}

/// Equal when nothing has come of it from the rendering of one to that of the other.
impl<Rx> PartialEq for UseRequestHandle<Rx> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.answer, &other.answer)
    }
}

impl<Rx: fmt::Debug> fmt::Debug for UseRequestHandle<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UseRequestHandle")
            .field("answer", &self.answer())
            .field("error", &self.error())
            .field("is_pending", &self.is_pending())
            .finish()
    }
}

struct Answer<Rx> {
    /// How often it was asked again.
    asked: u64,
    answer: Option<Rc<Rx>>,
    error: Option<RequestError>,
    is_pending: bool,
}

impl<Rx> Answer<Rx> {
    fn awaited(&self) -> Self {
        Self {
            asked: self.asked,
            answer: self.answer.clone(),
            error: None,
            is_pending: true,
        }
    }

    fn ended(&self, result: Result<Rx, RequestError>) -> Self {
        let (answer, error) = match result {
            Ok(answer) => (Some(Rc::new(answer)), None),
            Err(error) => (self.answer.clone(), Some(error)),
        };
        Self {
            asked: self.asked,
            answer,
            error,
            is_pending: false,
        }
    }
}

impl<Rx> Default for Answer<Rx> {
    fn default() -> Self {
        Self {
            asked: 0,
            answer: None,
            error: None,
            is_pending: true,
        }
    }
}
