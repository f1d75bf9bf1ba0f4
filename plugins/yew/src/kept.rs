//! State that a hook keeps for one client.

use std::{cell::RefCell, rc::Rc};

use onesocket::Client;
use yew::{UseForceUpdateHandle, hook, use_force_update, use_memo, use_mut_ref};

/// What a hook keeps for a client. A handle has what it was when the component was rendered: of two handles that are compared both must
/// not tell the same present, as those of [`use_reducer`](yew::functional::use_reducer) do.
pub(crate) struct Kept<S> {
    now: RefCell<Rc<S>>,
    render: UseForceUpdateHandle,
}

impl<S> Kept<S> {
    pub(crate) fn now(&self) -> Rc<S> {
        Rc::clone(&self.now.borrow())
    }

    /// Puts another state into its place, and renders the component.
    pub(crate) fn change(&self, change: impl FnOnce(&S) -> S) {
        let next = change(&self.now());
        // Dropped outside of the borrow: it may own what is the app's.
        let before = self.now.replace(Rc::new(next));
        drop(before);
        self.render.force_update();
    }
}

/// Returns the state of a hook, which begins anew with each client: nothing of one account is left for the next.
#[hook]
pub(crate) fn use_kept<Tx: 'static, Rx: 'static, S: Default + 'static>(
    client: &Client<Tx, Rx>,
) -> Rc<Kept<S>> {
    let render = use_force_update();
    use_memo(client.clone(), |_| Kept {
        now: RefCell::default(),
        render,
    })
}

/// Returns what `make` has made of `deps`, as [`use_memo`] does, which drops what it has before it makes anew. Here it is dropped behind
/// that, so that what both hold together is not let go; unless there is no room for both.
#[hook]
pub(crate) fn use_overlapping<D: PartialEq + 'static, T: 'static>(
    deps: D,
    make: impl Fn(&D) -> T,
    has_no_room: impl Fn(&T) -> bool,
) -> Rc<T> {
    let made = use_mut_ref(|| None::<(D, Rc<T>)>);
    let now = match &*made.borrow() {
        Some((known, now)) if *known == deps => Some(Rc::clone(now)),
        _ => None,
    };
    now.unwrap_or_else(|| {
        let mut now = make(&deps);
        if has_no_room(&now) {
            let before = made.take();
            drop(before);
            now = make(&deps);
        }
        let now = Rc::new(now);
        let before = made.replace(Some((deps, Rc::clone(&now))));
        drop(before);
        now
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use yew::{Html, Properties, component, use_state};

    use super::*;

    #[derive(Properties, PartialEq)]
    struct Props {
        log: Log,
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    impl Log {
        fn push(&self, line: String) {
            self.0.lock().unwrap().push(line);
        }
    }

    impl PartialEq for Log {
        fn eq(&self, other: &Self) -> bool {
            Arc::ptr_eq(&self.0, &other.0)
        }
    }

    struct Guard(Log, u8);

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.push(format!("{} ends", self.1));
        }
    }

    #[component]
    fn Steps(props: &Props) -> Html {
        let renderings = use_state(|| 0_u8);
        let _guard = use_overlapping(
            *renderings / 2,
            |number| {
                props.log.push(format!("{number} begins"));
                Guard(props.log.clone(), *number)
            },
            |_| false,
        );
        if *renderings < 3 {
            renderings.set(*renderings + 1);
        }
        Html::default()
    }

    #[tokio::test]
    async fn the_farewell_of_a_greeting_came_before_the_next_greeting() {
        let log = Log::default();
        let props = log.clone();
        yew::ServerRenderer::<Steps>::with_props(move || Props { log: props })
            .render()
            .await;
        let log = log.0.lock().unwrap();
        assert_eq!(*log, ["0 begins", "1 begins", "0 ends", "1 ends"]);
    }
}
