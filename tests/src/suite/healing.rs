//! Workers that end, fail or hang, and what becomes of their tabs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use onesocket_server::{HttpFault, Selection};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    early_worker::EARLY,
    site::{POLL, Page, SOON, Site},
    together::{self, Ended},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_worker_that_closes_itself_is_replaced",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(ended(ctx, Fault::Close, &["WorkerGone"])),
        },
        Scenario {
            name: "a_worker_that_traps_is_replaced_and_says_why",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(ended(ctx, Fault::Trap, &["WasmFailed", "RuntimeError"])),
        },
        Scenario {
            name: "a_worker_that_traps_says_why_to_followers_too_however_slow_it_is",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(ended(ctx, Fault::SlowTrap, &["WasmFailed", "RuntimeError"])),
        },
        Scenario {
            name: "a_worker_that_panics_is_replaced_and_says_why",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(ended(ctx, Fault::Panic, &["WasmFailed", "own_worker.rs:"])),
        },
        Scenario {
            name: "the_prebuilt_worker_that_panics_is_replaced_and_says_why",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| {
                let words = &["WasmFailed", "panicked at ", ".rs:", "capacity overflow"];
                Box::pin(ended(ctx, Fault::Overflow, words))
            },
        },
        Scenario {
            name: "a_worker_through_whose_wasm_an_exception_went_is_replaced_and_says_why",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| {
                Box::pin(ended(
                    ctx,
                    Fault::Throw,
                    &["WasmFailed", "thrown for the test"],
                ))
            },
        },
        Scenario {
            name: "six_tabs_leave_a_shared_worker_that_hangs_for_the_same_successor",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(six_tabs(ctx)),
        },
        Scenario {
            name: "the_successor_of_a_shared_worker_that_hangs_is_first_to_learn_that_a_tab_is_gone",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(first_to_learn(ctx)),
        },
        Scenario {
            name: "a_shared_worker_that_wakes_up_after_its_tabs_have_moved_sends_nothing",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(wakes_up(ctx)),
        },
        Scenario {
            name: "what_must_arrive_is_sent_by_the_next_worker",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(must_arrive(ctx)),
        },
        Scenario {
            name: "a_dedicated_worker_that_hangs_is_ended_and_replaced",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(dedicated_hangs(ctx)),
        },
        Scenario {
            name: "a_reload_does_not_go_back_to_a_shared_worker_that_hangs",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(reload(ctx)),
        },
        Scenario {
            name: "a_page_that_is_shown_again_finds_that_its_worker_hangs",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(shown_again(ctx)),
        },
        Scenario {
            name: "a_name_that_leads_to_nobody_any_more_is_left_for_the_next",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(dead_name(ctx)),
        },
        Scenario {
            name: "a_page_that_is_shown_again_catches_up_with_the_others",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(catches_up(ctx)),
        },
    ]
}

/// What a worker is told to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Close,
    Trap,
    /// A trap, of which followers hear a third of a second after the leader.
    SlowTrap,
    Panic,
    /// A panic at the next message of a tab, which seems to be bigger than memory.
    Overflow,
    /// An exception of the browser's at the next message of a tab, out of a call that the wasm makes and that is never known to fail.
    Throw,
    /// For so long.
    Hang(Duration),
}

/// A site whose own worker does as it is told.
pub(super) async fn start<'a>(ctx: &'a Context) -> Result<Site<'a>> {
    start_with(ctx, OWN).await
}

async fn start_with<'a>(ctx: &'a Context, worker: &str) -> Result<Site<'a>> {
    let site = Site::start(ctx).await?;
    let script = tokio::fs::read_to_string(ctx.dist.join(worker)).await?;
    serve(&site, &format!("/{worker}"), format!("{FAULTS}\n{script}"))?;
    Ok(site)
}

fn serve(site: &Site<'_>, path: &str, script: String) -> Result<()> {
    let fault = HttpFault::default().body(script).mime("text/javascript");
    site.server()?.faults().http(path, fault)?;
    Ok(())
}

/// The worker of the suite, which can be told to fail.
const OWN: &str = "own-worker.js";

/// In front of the prelude, so that nothing of it is needed.
const FAULTS: &str = r#"
new BroadcastChannel("fault").onmessage = ({ data: { what, ms } }) => {
  const end = Date.now() + ms;
  const post = BroadcastChannel.prototype.postMessage;
  const slowly = function (data) {
    const ready = Date.now() + 300;
    while (Date.now() < ready);
    post.call(this, data);
  };
  const faults = {
    Close: () => self.close(),
    Trap: () => wasm_bindgen.fail_by_trap(),
    SlowTrap: () => {
      BroadcastChannel.prototype.postMessage = slowly;
      wasm_bindgen.fail_by_trap();
    },
    Panic: () => wasm_bindgen.fail_by_panic(),
    Overflow: () => Object.defineProperty(Uint8Array.prototype, "length", { get: () => 0xffffffff }),
    Throw: () => Object.defineProperty(Uint8Array.prototype, "length", {
      get: () => { throw new Error("thrown for the test"); },
    }),
    Hang: () => { while (Date.now() < end); },
  };
  new BroadcastChannel("fault-begins").postMessage(what);
  faults[what]();
};"#;

/// Tells every worker, and returns when one has begun to do so.
pub(super) async fn inject(page: &Page, fault: Fault) -> Result<Instant> {
    let (what, ms) = match fault {
        Fault::Close => ("Close", 0),
        Fault::Trap => ("Trap", 0),
        Fault::SlowTrap => ("SlowTrap", 0),
        Fault::Panic => ("Panic", 0),
        Fault::Overflow => ("Overflow", 0),
        Fault::Throw => ("Throw", 0),
        Fault::Hang(time) => ("Hang", time.as_millis()),
    };
    let script = "const begins = new Promise((done) => {
            const channel = new BroadcastChannel('fault-begins');
            channel.onmessage = () => (channel.close(), done());
        });
        new BroadcastChannel('fault').postMessage({ what: arguments[0], ms: arguments[1] });
        await begins;";
    let args = vec![json!(what), json!(ms as u64)];
    page.tab.eval_async(script, args).await?;
    Ok(Instant::now())
}

pub(super) fn config(site: &Site<'_>) -> Value {
    let mut config = site.config("/echo");
    config["worker"]["tier"] = Value::Null;
    config["worker"]["script"] = json!(OWN);
    config["worker"]["ack_timeout_ms"] = json!(1000);
    config["worker"]["probe_timeout_ms"] = json!(500);
    config
}

/// Opens pages in the scenario's tier, with as little of the ladder gone as that takes.
pub(super) async fn open(
    ctx: &Context,
    site: &Site<'_>,
    config: &Value,
    count: usize,
) -> Result<Vec<Page>> {
    let query = match ctx.tier {
        Some(Tier::Dedicated) => "?break=no-shared",
        _ => "",
    };
    let mut pages = Vec::new();
    for _ in 0..count {
        let page = site.page_with(query).await?;
        page.open("c", config.clone()).await?;
        page.wait_for_state("connected").await?;
        pages.push(page);
    }
    Ok(pages)
}

pub(super) async fn epoch(page: &Page) -> Result<Option<String>> {
    let epoch = page.call("epoch", &[json!("c")]).await?;
    Ok(epoch.as_str().map(str::to_owned))
}

/// Waits until a page is with another run of a worker, and returns that.
pub(super) async fn wait_for_epoch_after(page: &Page, before: &str) -> Result<String> {
    let until = Instant::now() + SOON;
    loop {
        match epoch(page).await? {
            Some(epoch) if epoch != before => return Ok(epoch),
            Some(_) | None => {}
        }
        let ladder = page.ladder().await?;
        ensure!(
            Instant::now() < until,
            "no other worker: {}",
            ladder["text"]
        );
        sleep(POLL).await;
    }
}

async fn ended(ctx: &Context, fault: Fault, words: &[&str]) -> Result<()> {
    let worker = match fault {
        Fault::Overflow | Fault::Throw => "onesocket-worker.js",
        Fault::Close | Fault::Trap | Fault::SlowTrap | Fault::Panic | Fault::Hang(_) => OWN,
    };
    let site = start_with(ctx, worker).await?;
    let mut config = config(&site);
    config["worker"]["script"] = json!(worker);
    let pages = open(ctx, &site, &config, 2).await?;
    let mut before = Vec::new();
    for page in &pages {
        before.push(epoch(page).await?.context("a run")?);
    }
    let begun = inject(&pages[0], fault).await?;
    if matches!(fault, Fault::Overflow | Fault::Throw) {
        // Each dedicated worker waits for a message of its own page.
        for page in &pages {
            page.send_many("too much ", 1).await?;
        }
    }
    for (page, before) in pages.iter().zip(&before) {
        wait_for_epoch_after(page, before).await?;
        page.send_ok("after").await?;
        ctx.note(format!(
            "sent again {} ms after it",
            begun.elapsed().as_millis()
        ));
        let (tier, ladder) = page.wait_for_tier().await?;
        ensure!(tier == ctx.tier.map_or("", Tier::name), "{ladder}");
        let attempts = ladder["attempts"].to_string();
        for word in words {
            ensure!(attempts.contains(word), "no {word} in {attempts}");
        }
    }
    if ctx.tier == Some(Tier::Shared) {
        // The name of the one that has ended may lead to what is left of it.
        let places = "const { held } = await navigator.locks.query();
            return held.map(({ name }) => name).filter((name) => name.startsWith('onesocket-place '))";
        let places = pages[0].tab.eval_async(places, vec![]).await?;
        ensure!(places.to_string().contains("~1 "), "{places}");
    }
    site.wait_for_sockets(site.sockets_for(2)).await
}

async fn six_tabs(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let pages = open(ctx, &site, &config(&site), 6).await?;
    let old = epoch(&pages[0]).await?.context("a run")?;
    let begun = inject(&pages[0], Fault::Hang(Duration::from_secs(12))).await?;
    // One tab sends. The others only listen, and have nothing of their own to notice it by.
    pages[3].send_many("into the void ", 1).await?;
    let new = wait_for_epoch_after(&pages[3], &old).await?;
    ctx.note(format!(
        "the tab that sends has moved after {} ms",
        begun.elapsed().as_millis()
    ));
    for page in &pages {
        ensure!(
            wait_for_epoch_after(page, &old).await? == new,
            "two successors"
        );
        page.wait_for_state("connected").await?;
    }
    ctx.note(format!(
        "all six tabs are connected after {} ms",
        begun.elapsed().as_millis()
    ));
    for page in &pages {
        page.send_ok("after").await?;
        let (tier, ladder) = page.wait_for_tier().await?;
        ensure!(tier == "shared", "{ladder}");
    }
    // The socket of the one that hangs stays until it wakes up.
    site.wait_for_sockets(1).await?;
    ctx.note(format!(
        "one socket is left after {} ms",
        begun.elapsed().as_millis()
    ));
    for page in &pages {
        ensure!(
            epoch(page).await?.as_ref() == Some(&new),
            "it went on moving"
        );
    }
    Ok(())
}

async fn first_to_learn(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let pages = open(ctx, &site, &config(&site), 2).await?;
    let old = epoch(&pages[0]).await?.context("a run")?;
    inject(&pages[0], Fault::Hang(Duration::from_secs(20))).await?;
    pages[0].send_many("into the void ", 1).await?;
    for page in &pages {
        wait_for_epoch_after(page, &old).await?;
        page.wait_for_state("connected").await?;
    }
    // Who has asked for a lock first is granted it first.
    let first = "const isFirst = async () => {
            const { held, pending } = await navigator.locks.query();
            const workers = held.filter(({ name }) => name.startsWith('onesocket-place '));
            const worker = workers.find(({ name }) => name.includes('~1 '));
            // The one that hangs is granted those that the tabs have let go of.
            const isTab = ({ clientId }) => workers.every((worker) => worker.clientId !== clientId);
            const tabs = held.filter((lock) => lock.name.startsWith('onesocket-tab-') && isTab(lock));
            return tabs.map((tab) => pending.find(({ name }) => name === tab.name)?.clientId === worker.clientId);
        };
        const until = performance.now() + 2000;
        for (;;) {
            const first = await isFirst();
            if (String(first) === 'true,true' || performance.now() > until) return first;
            await new Promise((done) => setTimeout(done, 25));
        }";
    let is_first = pages[0].tab.eval_async(first, vec![]).await?;
    ensure!(
        is_first == json!([true, true]),
        "of each tab's lock: {is_first}"
    );
    Ok(())
}

async fn wakes_up(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let pages = open(ctx, &site, &config(&site), 3).await?;
    let old = epoch(&pages[0]).await?.context("a run")?;
    for page in &pages {
        page.send_ok("before").await?;
    }
    inject(&pages[0], Fault::Hang(Duration::from_secs(8))).await?;
    // What a worker finds when it wakes up: the batches of all its tabs, in front of the news that it is none any more.
    let sends = pages.iter().map(|page| {
        let args = vec![json!("c"), json!("while it hangs")];
        (page, "send", args)
    });
    let sends = together::start(sends.collect()).await?;
    let outcomes = together::finish(sends).await?;
    for (at, page) in pages.iter().enumerate() {
        wait_for_epoch_after(page, &old).await?;
        page.send_ok("after").await?;
        // It may wake up before the last has moved.
        ensure!(at > 0 || site.sockets_open()? == 2, "it has not even slept");
    }
    site.wait_for_sockets(1).await?;
    // Its last words would have been on their way by now.
    sleep(Duration::from_millis(300)).await;
    let sent = outcomes.iter().filter(|ended| ended.answer == "sent");
    let sent = sent.count() as u64;
    let frames = site.server()?.stats().total.frames_in;
    ensure!(
        frames == 6 + sent,
        "the server got {frames} messages: 6 and those of {outcomes:?}"
    );
    ensure!(site.sockets_open()? == 1);
    Ok(())
}

async fn must_arrive(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let mut config = config(&site);
    config["url"] = json!("/ledger");
    config["codec"] = json!("json");
    let pages = open(ctx, &site, &config, 1).await?;
    let page = &pages[0];
    // What the ledger repeats acknowledges it.
    let message = |ack: u32| json!({ "ack": ack, "acked": ack }).to_string();
    let times = |ack: u32| {
        let text = message(ack);
        site.ledger().iter().filter(|it| it.text == text).count()
    };

    // The worker has handed it to its socket, and ends while nobody acknowledges it.
    let old = epoch(page).await?.context("a run")?;
    ensure!(site.server()?.faults().half_open(Selection::All) == 1);
    let send = "window.sent = api.deliver('c', arguments[0], 'until-acknowledged')";
    page.tab.eval(send, vec![json!(message(1))]).await?;
    page.call("ping", &[json!("c")]).await?;
    inject(page, Fault::Close).await?;
    wait_for_epoch_after(page, &old).await?;
    let outcome = page.tab.eval_async("return await sent", vec![]).await?;
    ensure!(outcome == "sent", "{outcome}");
    ensure!(times(1) == 1, "it came {} times", times(1));

    // The worker may have them, or not.
    let old = epoch(page).await?.context("a run")?;
    inject(page, Fault::Hang(Duration::from_secs(8))).await?;
    let sends = [(2, "at-least-once"), (3, "until-acknowledged")];
    let sends = sends.map(|(ack, delivery)| {
        let args = vec![json!("c"), json!(message(ack)), json!(delivery)];
        (page, "deliver", args)
    });
    let sends = together::start(sends.into()).await?;
    for Ended { answer, .. } in together::finish(sends).await? {
        ensure!(answer == "sent", "{answer}");
    }
    wait_for_epoch_after(page, &old).await?;
    site.wait_for_sockets(1).await?;
    for ack in [2, 3] {
        ensure!((1..=2).contains(&times(ack)), "{} times", times(ack));
    }
    Ok(())
}

async fn dedicated_hangs(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let pages = open(ctx, &site, &config(&site), 1).await?;
    let page = &pages[0];
    let old = epoch(page).await?.context("a run")?;
    let begun = inject(page, Fault::Hang(Duration::from_secs(30))).await?;
    page.send_many("into the void ", 1).await?;
    wait_for_epoch_after(page, &old).await?;
    page.send_ok("after").await?;
    ctx.note(format!(
        "sent again after {} ms",
        begun.elapsed().as_millis()
    ));
    let (tier, ladder) = page.wait_for_tier().await?;
    ensure!(
        tier == "dedicated" && ladder["attempts"].to_string().contains("Unresponsive"),
        "{ladder}"
    );
    // It is not asked to go: its socket is closed while it still loops.
    site.wait_for_sockets(1).await?;
    ensure!(
        begun.elapsed() < Duration::from_secs(25),
        "it was waited for"
    );
    Ok(())
}

async fn reload(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let mut config = config(&site);
    config["worker"]["hello_timeout_ms"] = json!(3000);
    let mut pages = open(ctx, &site, &config, 2).await?;
    let old = epoch(&pages[0]).await?.context("a run")?;
    let begun = inject(&pages[0], Fault::Hang(Duration::from_secs(20))).await?;
    // Nobody has noticed it yet.
    pages[0].tab.reload().await?;
    let ready = "return document.querySelector('#ready')?.textContent === 'ready'";
    pages[0].tab.wait_for(ready, SOON).await?;
    pages[0].open("c", config.clone()).await?;
    pages[0].wait_for_state("connected").await?;
    ctx.note(format!(
        "the page is connected again after {} ms",
        begun.elapsed().as_millis()
    ));
    let new = epoch(&pages[0]).await?.context("a run")?;
    ensure!(pages[0].wait_for_tier().await?.0 == "shared");
    ensure!(
        wait_for_epoch_after(&pages[1], &old).await? == new,
        "two successors"
    );
    // Now that it is known, a page that comes does not even try the one that hangs.
    let opened = Instant::now();
    pages.extend(open(ctx, &site, &config, 1).await?);
    ctx.note(format!(
        "a new page is connected after {} ms",
        opened.elapsed().as_millis()
    ));
    // One that is with it already, because it has started it early, leaves it.
    let opened = Instant::now();
    let early = site.page().await?;
    early
        .tab
        .eval(&EARLY.replace("onesocket-worker.js", OWN), vec![])
        .await?;
    early.open("c", config.clone()).await?;
    early.wait_for_state("connected").await?;
    ctx.note(format!(
        "one that was early is connected after {} ms",
        opened.elapsed().as_millis()
    ));
    pages.push(early);
    for page in &pages {
        ensure!(epoch(page).await?.as_ref() == Some(&new), "two successors");
        page.send_ok("after").await?;
    }
    for page in &pages[2..] {
        let ladder = page.ladder().await?;
        ensure!(
            !ladder["attempts"].to_string().contains("Failed"),
            "{ladder}"
        );
    }
    ensure!(
        begun.elapsed() < Duration::from_secs(20),
        "it does not hang any more"
    );
    Ok(())
}

async fn dead_name(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let mut config = config(&site);
    config["worker"]["hello_timeout_ms"] = json!(1500);
    let pages = open(ctx, &site, &config, 2).await?;
    let old = epoch(&pages[0]).await?.context("a run")?;
    let script = tokio::fs::read_to_string(ctx.dist.join("own-worker.js")).await?;
    serve(&site, "/real.js", script)?;
    let only_successors = "if (self.name.includes('~')) importScripts('real.js');";
    serve(&site, "/own-worker.js", only_successors.to_owned())?;
    let begun = inject(&pages[0], Fault::Close).await?;
    let new = wait_for_epoch_after(&pages[0], &old).await?;
    ensure!(
        wait_for_epoch_after(&pages[1], &old).await? == new,
        "two successors"
    );
    ctx.note(format!(
        "both are there after {} ms",
        begun.elapsed().as_millis()
    ));
    for page in &pages {
        ensure!(page.wait_for_tier().await?.0 == "shared");
        page.send_ok("after").await?;
    }
    site.wait_for_sockets(1).await
}

async fn catches_up(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let pages = open(ctx, &site, &config(&site), 2).await?;
    let old = epoch(&pages[0]).await?.context("a run")?;
    // What a tab holds that has moved on.
    let elsewhere = site.page().await?;
    let script =
        "navigator.locks.request(arguments[0], { mode: 'shared' }, () => new Promise(() => {}))";
    let lock = format!(
        "onesocket-generation-1 onesocket {}",
        site.url("/own-worker.js")
    );
    elsewhere.tab.eval(script, vec![json!(lock)]).await?;
    for page in &pages {
        let shown = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))";
        page.tab.eval(shown, vec![]).await?;
    }
    let new = wait_for_epoch_after(&pages[0], &old).await?;
    ensure!(
        wait_for_epoch_after(&pages[1], &old).await? == new,
        "two successors"
    );
    for page in &pages {
        ensure!(page.wait_for_tier().await?.0 == "shared");
        page.send_ok("after").await?;
        let ladder = page.ladder().await?;
        ensure!(
            !ladder["attempts"].to_string().contains("Failed"),
            "{ladder}"
        );
    }
    site.wait_for_sockets(1).await
}

async fn shown_again(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let pages = open(ctx, &site, &config(&site), 1).await?;
    let old = epoch(&pages[0]).await?.context("a run")?;
    let shown = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))";
    // Of a worker that is well it costs nothing but the question.
    pages[0].tab.eval(shown, vec![]).await?;
    sleep(Duration::from_secs(1)).await;
    ensure!(
        epoch(&pages[0]).await?.as_ref() == Some(&old),
        "it was well"
    );

    let begun = inject(&pages[0], Fault::Hang(Duration::from_secs(8))).await?;
    pages[0].tab.eval(shown, vec![]).await?;
    wait_for_epoch_after(&pages[0], &old).await?;
    pages[0].send_ok("after").await?;
    ctx.note(format!(
        "sent again {} ms after it",
        begun.elapsed().as_millis()
    ));
    ensure!(pages[0].wait_for_tier().await?.0 == "shared");
    site.wait_for_sockets(1).await
}
