//! Requests and their answers, as state.

use std::{fmt, rc::Rc};

use onesocket::{Client, Request, RequestError};
use yew::{UseStateHandle, hook, use_effect_with, use_state};

use crate::send::spawn_abortable;

/// Asks when the component is mounted, and again when `deps`, the client or [`retry`](UseRequestHandle::retry) say so; keeps the last
/// answer meanwhile.
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
    let asked = use_state(|| 0_u64);
    let answer = use_state(Answer::default);
    let setter = answer.setter();
    let kept = answer.answer.clone();
    use_effect_with((client.clone(), deps, *asked), move |(client, deps, _)| {
        setter.set(Answer {
            answer: kept.clone(),
            error: None,
            is_pending: true,
        });
        let request = ask(client, deps);
        let task = spawn_abortable(async move {
            setter.set(match request.await {
                Ok(answer) => Answer {
                    answer: Some(Rc::new(answer)),
                    error: None,
                    is_pending: false,
                },
                Err(error) => Answer {
                    answer: kept,
                    error: Some(error),
                    is_pending: false,
                },
            });
        });
        move || drop(task)
    });
    UseRequestHandle { asked, answer }
}

/// A request and its answer, from [`use_request`].
pub struct UseRequestHandle<Rx> {
    asked: UseStateHandle<u64>,
    answer: UseStateHandle<Answer<Rx>>,
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
        self.asked.set(*self.asked + 1);
    }
}

impl<Rx> Clone for UseRequestHandle<Rx> {
    fn clone(&self) -> Self {
        Self {
            asked: self.asked.clone(),
            answer: self.answer.clone(),
        }
    }
}

/// Equal until something has come of it.
impl<Rx> PartialEq for UseRequestHandle<Rx> {
    fn eq(&self, other: &Self) -> bool {
        self.asked == other.asked && core::ptr::eq(&*self.answer, &*other.answer)
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
    answer: Option<Rc<Rx>>,
    error: Option<RequestError>,
    is_pending: bool,
}

impl<Rx> Default for Answer<Rx> {
    fn default() -> Self {
        Self {
            answer: None,
            error: None,
            is_pending: true,
        }
    }
}
