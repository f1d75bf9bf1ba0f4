//! The framework plugins: providers that mount, unmount and change, and every hook, in pages that look the same in each framework.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use onesocket_server::{InjectedFrame, Selection};
use serde_json::json;
use tokio::time::sleep;

use super::{
    Context, Run, Scenario, Tier,
    site::{POLL, SOON, Site},
};
use crate::browser::Tab;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "yew_hooks_tell_send_fold_and_ask",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| hooks(ctx, "yew"),
        },
        Scenario {
            name: "yew_mounts_share_a_socket_and_the_last_unmount_closes_it",
            tiers: &[Tier::Shared],
            run: |ctx| mounts(ctx, "yew"),
        },
        Scenario {
            name: "yew_another_account_is_another_connection",
            tiers: &[Tier::Shared],
            run: |ctx| accounts(ctx, "yew"),
        },
        Scenario {
            name: "yew_another_account_is_shown_nothing_of_the_one_before",
            tiers: &[Tier::Shared],
            run: |ctx| nothing_of_the_one_before(ctx, "yew"),
        },
        Scenario {
            name: "yew_another_greeting_is_registered_before_the_one_before_is_dropped",
            tiers: &[Tier::Shared],
            run: |ctx| greetings(ctx, "yew"),
        },
        Scenario {
            name: "yew_routes_come_and_go",
            tiers: &[Tier::Shared],
            run: |ctx| routes(ctx, "yew"),
        },
        Scenario {
            name: "yew_a_lost_connection_is_shown_and_comes_back",
            tiers: &[Tier::Shared],
            run: |ctx| loss(ctx, "yew"),
        },
        Scenario {
            name: "leptos_hooks_tell_send_fold_and_ask",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| hooks(ctx, "leptos"),
        },
        Scenario {
            name: "leptos_mounts_share_a_socket_and_the_last_unmount_closes_it",
            tiers: &[Tier::Shared],
            run: |ctx| mounts(ctx, "leptos"),
        },
        Scenario {
            name: "leptos_another_account_is_another_connection",
            tiers: &[Tier::Shared],
            run: |ctx| accounts(ctx, "leptos"),
        },
        Scenario {
            name: "leptos_another_account_is_shown_nothing_of_the_one_before",
            tiers: &[Tier::Shared],
            run: |ctx| nothing_of_the_one_before(ctx, "leptos"),
        },
        Scenario {
            name: "leptos_a_wrong_configuration_shows_nothing_of_the_one_before",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(wrong_configuration(ctx)),
        },
        Scenario {
            name: "leptos_another_greeting_is_registered_before_the_one_before_is_dropped",
            tiers: &[Tier::Shared],
            run: |ctx| greetings(ctx, "leptos"),
        },
        Scenario {
            name: "leptos_routes_come_and_go",
            tiers: &[Tier::Shared],
            run: |ctx| routes(ctx, "leptos"),
        },
        Scenario {
            name: "leptos_a_lost_connection_is_shown_and_comes_back",
            tiers: &[Tier::Shared],
            run: |ctx| loss(ctx, "leptos"),
        },
    ]
}

fn hooks<'a>(ctx: &'a Context, framework: &'static str) -> Run<'a> {
    Box::pin(async move {
        let site = start(ctx).await?;
        let app = App::open(ctx, &site, framework).await?;
        app.mount("one").await?;
        app.wait_for("one-tier", ctx.tier.map_or("none", Tier::name))
            .await?;
        ensure!(app.text("one-ladder").await? != "0", "the ladder is empty");

        app.wait_for("one-answer", "question 1").await?;
        app.click("one-ask").await?;
        app.wait_for("one-answer", "question 2").await?;

        ensure!(app.text("one-outcome").await? == "none");
        app.click("one-say").await?;
        app.wait_for("one-outcome", "sent").await?;
        app.wait_for("one-in-flight", "0").await?;
        app.wait_for("one-newest", "hello").await?;
        // An answer is nobody's message.
        app.wait_for("one-texts", "hello").await?;
        app.wait_for("one-count", "1").await?;

        let before = app.number("one-renderings").await?;
        app.click("one-flood").await?;
        app.wait_for("one-count", "2001").await?;
        app.wait_for("one-newest", "flood 1999").await?;
        let renderings = app.number("one-renderings").await? - before;
        ctx.note(format!("2000 messages, {renderings} renderings"));
        // Sixty a second: even a flood that takes ten seconds has fewer.
        ensure!(
            renderings < 1000,
            "{renderings} renderings of 2000 messages"
        );

        // One by one, as the page is told them too: what there is of frames is all that makes it fewer.
        let before = app.number("one-renderings").await?;
        app.tab.eval(FRAMES, vec![]).await?;
        for number in 0..STREAM {
            let note = json!({ "text": format!("flood {number}") }).to_string();
            let faults = site.server()?.faults();
            faults.inject(Selection::All, InjectedFrame::Text(note));
            sleep(Duration::from_millis(1)).await;
        }
        app.wait_for("one-count", &(2001 + STREAM).to_string())
            .await?;
        let renderings = app.number("one-renderings").await? - before;
        let seen = app.tab.eval(FRAMES_SEEN, vec![]).await?;
        let [frames, late] = [0, 1].map(|at| seen[at].as_u64().unwrap_or_default());
        let told = format!(
            "{STREAM} one by one, {frames} frames late for {late} more, {renderings} renderings"
        );
        ctx.note(&told);
        ensure!(
            renderings <= frames + late + 5 && 2 * (frames + late) < STREAM,
            "{told}"
        );
        app.is_healthy().await
    })
}

const STREAM: u64 = 3_000;

/// Counts the frames, and how often a timer has stood in for one that took longer than a quarter of a second.
const FRAMES: &str = "window.framesSeen = 0;
    window.standIns = 0;
    let last = performance.now();
    window.look = () => {
        const now = performance.now();
        window.standIns += Math.floor((now - last) / 250);
        last = now;
    };
    requestAnimationFrame(function next() {
        window.framesSeen += 1;
        window.look();
        requestAnimationFrame(next);
    });";

const FRAMES_SEEN: &str = "window.look(); return [window.framesSeen, window.standIns];";

fn mounts<'a>(ctx: &'a Context, framework: &'static str) -> Run<'a> {
    Box::pin(async move {
        let site = start(ctx).await?;
        let app = App::open(ctx, &site, framework).await?;
        for _ in 0..3 {
            app.mount("one").await?;
            app.mount("two").await?;
            ensure!(site.sockets_open()? == 1);
            app.click("one-say").await?;
            app.wait_for("two-texts", "hello").await?;
            app.click("one-mount").await?;
            app.click("two-say").await?;
            app.wait_for("two-texts", "hello,hello").await?;
            ensure!(site.sockets_open()? == 1);
            app.click("two-mount").await?;
            site.wait_for_sockets(0).await?;
        }
        app.is_healthy().await
    })
}

fn accounts<'a>(ctx: &'a Context, framework: &'static str) -> Run<'a> {
    Box::pin(async move {
        let site = start(ctx).await?;
        let app = App::open(ctx, &site, framework).await?;
        let sockets = || anyhow::Ok(site.server()?.stats().total.sockets_ever);
        app.mount("one").await?;
        app.click("one-say").await?;
        app.wait_for("one-texts", "hello").await?;

        // The same configuration, made anew.
        for number in ["1", "2"] {
            app.click("render").await?;
            app.wait_for("render", number).await?;
        }
        app.click("one-say").await?;
        app.wait_for("one-texts", "hello,hello").await?;
        ensure!(sockets()? == 1, "a rendering has connected anew");

        app.click("account").await?;
        app.wait_for("one-texts", "").await?;
        app.wait_for("one-answer", "question 1").await?;
        app.wait_for("one-status", "connected").await?;
        site.wait_for_sockets(1).await?;
        ensure!(sockets()? == 2, "another account had the same socket");

        app.mount("three").await?;
        ensure!(site.sockets_open()? == 2, "two accounts side by side");
        app.click("three-say").await?;
        app.wait_for("three-texts", "hello").await?;
        ensure!(app.text("one-texts").await?.is_empty());
        app.is_healthy().await
    })
}

fn nothing_of_the_one_before<'a>(ctx: &'a Context, framework: &'static str) -> Run<'a> {
    Box::pin(async move {
        let mut site = start(ctx).await?;
        let app = App::open(ctx, &site, framework).await?;
        app.keep().await?;
        site.stop().await;
        app.wait_for("one-status", "reconnecting").await?;
        // On its way when the account changes, and while nobody answers.
        app.click("one-say").await?;
        app.wait_for("one-in-flight", "1").await?;
        app.click("account").await?;
        app.shows_nothing().await?;
        site.restart().await?;
        app.wait_for("one-status", "connected").await?;
        app.wait_for("one-answer", "question 2").await?;
        ensure!(app.text("one-outcome").await? == "none");
        app.click("one-say").await?;
        app.wait_for("one-outcome", "sent").await?;
        app.wait_for("one-texts", "hello").await?;
        app.is_healthy().await
    })
}

async fn wrong_configuration(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let app = App::open(ctx, &site, "leptos").await?;
    app.keep().await?;
    app.click("wrong").await?;
    app.shows_nothing().await?;
    app.wait_for("one-status", "connecting").await?;
    site.wait_for_sockets(0).await?;
    app.click("one-ask").await?;
    app.click("wrong").await?;
    app.wait_for("one-status", "connected").await?;
    app.wait_for("one-answer", "question 3").await?;
    app.click("one-say").await?;
    app.wait_for("one-texts", "hello").await
}

fn greetings<'a>(ctx: &'a Context, framework: &'static str) -> Run<'a> {
    Box::pin(async move {
        let site = start(ctx).await?;
        let app = App::open(ctx, &site, framework).await?;
        app.mount("one").await?;
        app.click("one-route").await?;
        app.wait_for("one-texts", "join,route").await?;
        app.click("one-room").await?;
        app.wait_for("one-texts", "join,route,change,leave").await?;
        // The same room once more.
        app.click("one-room").await?;
        app.click("one-say").await?;
        app.wait_for("one-texts", "join,route,change,leave,hello")
            .await?;
        app.is_healthy().await
    })
}

fn routes<'a>(ctx: &'a Context, framework: &'static str) -> Run<'a> {
    Box::pin(async move {
        let site = start(ctx).await?;
        let app = App::open(ctx, &site, framework).await?;
        app.mount("one").await?;
        app.click("one-route").await?;
        app.wait_for("one-texts", "join,route").await?;
        app.wait_for("one-receipt", "sent").await?;
        app.wait_for("one-route-count", "2").await?;
        app.click("one-route").await?;
        app.wait_for("one-texts", "join,route,leave").await?;
        app.click("one-route").await?;
        app.wait_for("one-texts", "join,route,leave,join,route")
            .await?;
        // It heard nothing while it was away.
        app.wait_for("one-route-count", "2").await?;
        app.is_healthy().await
    })
}

fn loss<'a>(ctx: &'a Context, framework: &'static str) -> Run<'a> {
    Box::pin(async move {
        let mut site = start(ctx).await?;
        let app = App::open(ctx, &site, framework).await?;
        app.mount("one").await?;
        site.stop().await;
        app.wait_for("one-status", "reconnecting").await?;
        app.click("one-say").await?;
        app.wait_for("one-in-flight", "1").await?;
        site.restart().await?;
        app.wait_for("one-status", "connected").await?;
        app.wait_for("one-outcome", "sent").await?;
        app.wait_for("one-texts", "hello").await?;
        app.is_healthy().await
    })
}

async fn start(ctx: &Context) -> Result<Site<'_>> {
    let mut site = Site::start(ctx).await?;
    site.deploy("tests-plugins").await?;
    Ok(site)
}

/// A page of one framework; its elements are found by their ids.
struct App {
    tab: Tab,
}

impl App {
    async fn open(ctx: &Context, site: &Site<'_>, framework: &str) -> Result<Self> {
        let tier = ctx.tier.map_or("auto", Tier::name);
        let url = site.url(&format!("/{framework}.html?tier={tier}"));
        let tab = ctx.browser.open_tab(&url).await?;
        let app = Self { tab };
        app.wait_for("ready", "ready").await?;
        Ok(app)
    }

    /// Not by the pointer: what mounts and unmounts moves the buttons away from where they were found.
    async fn click(&self, id: &str) -> Result<()> {
        let click = "document.getElementById(arguments[0]).click()";
        self.tab.eval(click, vec![json!(id)]).await?;
        Ok(())
    }

    async fn text(&self, id: &str) -> Result<String> {
        Ok(self.tab.text(&format!("#{id}")).await?)
    }

    async fn number(&self, id: &str) -> Result<u64> {
        Ok(self.text(id).await?.parse()?)
    }

    /// Lets every hook keep something of the account.
    async fn keep(&self) -> Result<()> {
        self.mount("one").await?;
        self.wait_for("one-answer", "question 1").await?;
        self.click("one-ask").await?;
        self.wait_for("one-answer", "question 2").await?;
        self.click("one-say").await?;
        self.wait_for("one-outcome", "sent").await?;
        self.wait_for("one-texts", "hello").await?;
        self.click("one-garble").await?;
        let error = "a message of 20 bytes can't be decoded";
        self.wait_for("one-error", error).await
    }

    async fn shows_nothing(&self) -> Result<()> {
        for (id, nothing) in [
            ("one-answer", ""),
            ("one-error", ""),
            ("one-outcome", "none"),
            ("one-in-flight", "0"),
            ("one-newest", ""),
            ("one-texts", ""),
            ("one-count", "0"),
        ] {
            self.wait_for(id, nothing).await?;
        }
        Ok(())
    }

    /// Mounts a provider, and waits until it is connected.
    async fn mount(&self, name: &str) -> Result<()> {
        self.click(&format!("{name}-mount")).await?;
        self.wait_for(&format!("{name}-status"), "connected").await
    }

    async fn wait_for(&self, id: &str, expected: &str) -> Result<()> {
        let until = Instant::now() + SOON;
        loop {
            let text = self.text(id).await;
            if text.as_ref().is_ok_and(|text| text == expected) {
                return Ok(());
            }
            ensure!(
                Instant::now() < until,
                "#{id} is {text:?}, not {expected:?}\n  {}",
                self.tab.page_log().await?.join("\n  ")
            );
            sleep(POLL).await;
        }
    }

    /// Fails when the page has panicked or complained.
    async fn is_healthy(&self) -> Result<()> {
        let log = self.tab.page_log().await?;
        let is_bad = |line: &&String| line.starts_with("error") || line.starts_with("un");
        let bad: Vec<_> = log.iter().filter(is_bad).collect();
        ensure!(bad.is_empty(), "{bad:?}");
        Ok(())
    }
}
