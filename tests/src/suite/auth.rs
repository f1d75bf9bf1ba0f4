//! Credentials and the log-out, with a server that checks tokens.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    site::{Page, Site},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_token_is_supplied_for_each_dial_in_the_url",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(each_dial(ctx, "query")),
        },
        Scenario {
            name: "a_url_is_supplied_for_each_dial",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(each_dial(ctx, "url")),
        },
        Scenario {
            name: "a_url_that_can_not_be_dialled_is_an_error",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(bad_url(ctx)),
        },
        Scenario {
            name: "a_token_is_supplied_for_each_dial_as_a_subprotocol",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(each_dial(ctx, "subprotocol")),
        },
        Scenario {
            name: "a_token_is_supplied_for_each_dial_as_a_first_message",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(each_dial(ctx, "first")),
        },
        Scenario {
            name: "a_tab_that_hangs_is_passed_over",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(hanging_tab(ctx)),
        },
        Scenario {
            name: "a_refused_token_is_not_dialled_with_again",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(refused_token(ctx)),
        },
        Scenario {
            name: "a_provider_hears_of_a_handshake_that_was_refused",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(refused_handshake(ctx)),
        },
        Scenario {
            name: "a_provider_that_declines_is_asked_again_when_the_app_says_so",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(declined(ctx)),
        },
        Scenario {
            name: "a_refusal_without_a_provider_ends_the_dialling",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(no_provider(ctx)),
        },
        Scenario {
            name: "a_log_out_ends_every_tab_of_the_account",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(log_out(ctx)),
        },
        Scenario {
            name: "a_log_out_outlives_a_client_that_had_no_worker_yet",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(hasty_log_out(ctx)),
        },
        Scenario {
            name: "a_log_out_outlives_a_client_whose_worker_answers_late",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(late_log_out(ctx)),
        },
        Scenario {
            name: "a_log_out_drains_what_is_queued",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(drained(ctx)),
        },
    ]
}

fn config(site: &Site<'_>, part: &str) -> Value {
    let mut config = site.config("/auth");
    config["account"] = json!("alice");
    config["auth"] = json!({ "part": part, "timeout_ms": 20_000 });
    config
}

/// Opens a page whose provider answers with these tokens, one after the other, and then with the last for ever; `"hang"` never answers.
async fn page(site: &Site<'_>, config: &Value, tokens: &[&str]) -> Result<Page> {
    let page = site.page().await?;
    provide(&page, &json!(tokens)).await?;
    page.open("c", config.clone()).await?;
    Ok(page)
}

/// As for [`page`]; `null` declines.
async fn provide(page: &Page, tokens: &Value) -> Result<()> {
    // On the window of the page, whatever the engine's driver runs scripts in.
    let script = "const script = document.createElement('script');
        script.src = 'provider.js?tokens=' + encodeURIComponent(JSON.stringify(arguments[0]));
        const loaded = new Promise((resolve, reject) => { script.onload = resolve; script.onerror = reject; });
        document.head.append(script);
        await loaded;";
    page.tab.eval_async(script, vec![tokens.clone()]).await?;
    Ok(())
}

async fn asked(page: &Page) -> Result<Value> {
    let asked = "return document.documentElement.dataset.asked ?? ''";
    Ok(page.tab.eval(asked, vec![]).await?)
}

async fn each_dial(ctx: &Context, part: &str) -> Result<()> {
    let site = Site::start(ctx).await?;
    let faults = site.server()?.faults();
    faults.allow_token("t0p-s3cret");
    faults.allow_token("second");
    let tokens = ["t0p-s3cret", "second"].map(|token| match part {
        // The log shows the path of a key; in that of a credential there may be a ticket.
        "url" => format!("/auth/{token}?token={token}"),
        _ => token.to_owned(),
    });
    let mut config = config(&site, part);
    config["worker"]["debug"] = json!("payloads");
    let page = page(&site, &config, &tokens.each_ref().map(String::as_str)).await?;
    page.wait_for_state("connected").await?;
    page.send_ok("one").await?;
    ensure!(page.wait_for_messages("c", 1).await? == ["one"]);
    faults.expire_token("t0p-s3cret");
    page.wait_for_event("reconnecting", 0, |event| event["type"] == "reconnecting")
        .await?;
    page.wait_for_state("connected").await?;
    page.send_ok("two").await?;
    ensure!(page.wait_for_messages("c", 2).await? == ["one", "two"]);
    ensure!(asked(&page).await? == "false true ", "asked");
    let shown = json!(page.events("c").await?).to_string();
    ensure!(!shown.contains("s3cret"), "{shown}");
    let log = page.tab.page_log().await?;
    ensure!(log.iter().any(|line| line.contains("dial")), "{log:?}");
    ensure!(log.iter().all(|line| !line.contains("s3cret")), "{log:?}");
    ensure!(site.server()?.stats().total.sockets_ever == 2);
    Ok(())
}

async fn bad_url(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let config = config(&site, "url");
    let page = page(&site, &config, &["ftp://user:s3cret@h/"]).await?;
    let error = page
        .wait_for_event("an error", 0, |event| event["type"] == "error")
        .await?;
    ensure!(error.to_string().contains("ftp"), "{error}");
    ensure!(!error.to_string().contains("s3cret"), "{error}");
    page.wait_for_event("needs auth", 0, |event| event["type"] == "needs_auth")
        .await?;
    ensure!(site.server()?.stats().total.sockets_ever == 0);
    Ok(())
}

async fn hanging_tab(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    site.server()?.faults().allow_token("good");
    let mut config = config(&site, "query");
    config["auth"]["timeout_ms"] = json!(1_000);
    let hanging = page(&site, &config, &["hang"]).await?;
    hanging
        .wait_for_event("needs auth", 0, |event| event["type"] == "needs_auth")
        .await?;
    ensure!(site.server()?.stats().total.sockets_ever == 0);
    let giving = page(&site, &config, &["good"]).await?;
    giving.wait_for_state("connected").await?;
    hanging.wait_for_state("connected").await?;
    hanging.send_ok("with the other's token").await?;
    // The next dial asks the one that had a good one. In the pause the other may have been asked again.
    let before = asked(&hanging).await?;
    site.server()?
        .faults()
        .drop_sockets(onesocket_server::Selection::All);
    hanging
        .wait_for_event("reconnecting", 0, |event| event["type"] == "reconnecting")
        .await?;
    hanging.wait_for_state("connected").await?;
    ensure!(asked(&hanging).await? == before);
    ensure!(asked(&giving).await? == "false false ");
    Ok(())
}

async fn refused_token(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = page(&site, &config(&site, "query"), &["stale"]).await?;
    let event = page
        .wait_for_event("needs auth", 0, |event| event["type"] == "needs_auth")
        .await?;
    ensure!(event["refused"] == true, "{event}");
    page.wait_for_event("typed", 0, |event| {
        event["type"] == "error" && event["kind"] == "Worker(CredentialRefused)"
    })
    .await?;
    ensure!(asked(&page).await? == "false true ");
    ensure!(
        site.server()?.stats().total.sockets_ever == 1,
        "dialled again"
    );
    page.wait_for_state("needs_auth").await?;

    site.server()?.faults().allow_token("fresh");
    provide(&page, &json!(["fresh"])).await?;
    page.call("reconnect", &[json!("c")]).await?;
    page.wait_for_state("connected").await?;
    page.send_ok("back").await
}

/// As most servers refuse. The browser says of it what it says of a server that is down.
async fn refused_handshake(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let faults = site.server()?.faults();
    faults.allow_token("fresh");
    faults.refuse(2, 401)?;
    let tokens = ["cached", "cached", "fresh"];
    let page = page(&site, &config(&site, "query"), &tokens).await?;
    page.wait_for_state("connected").await?;
    page.send_ok("in").await?;
    ensure!(asked(&page).await? == "false false:1 false:2 ");
    faults.drop_sockets(onesocket_server::Selection::All);
    page.wait_for_event("lost", 0, |event| {
        event["type"] == "reconnecting" && event["cause"] != "Unreachable"
    })
    .await?;
    page.wait_for_state("connected").await?;
    page.send_ok("again").await?;
    ensure!(asked(&page).await? == "false false:1 false:2 false ");
    Ok(())
}

async fn declined(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    provide(&page, &json!([null])).await?;
    page.open("c", config(&site, "query")).await?;
    let event = page
        .wait_for_event("needs auth", 0, |event| event["type"] == "needs_auth")
        .await?;
    ensure!(event["refused"] == false, "{event}");
    page.wait_for_state("needs_auth").await?;
    ensure!(site.server()?.stats().total.sockets_ever == 0);

    site.server()?.faults().allow_token("fresh");
    provide(&page, &json!(["fresh"])).await?;
    page.call("reconnect", &[json!("c")]).await?;
    page.wait_for_state("connected").await?;
    page.send_ok("now").await
}

async fn no_provider(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/auth").await?;
    let event = page
        .wait_for_event("needs auth", 0, |event| event["type"] == "needs_auth")
        .await?;
    ensure!(event["refused"] == true, "{event}");
    page.wait_for_state("needs_auth").await?;
    // Some times the longest wait between two dials.
    sleep(Duration::from_secs(2)).await;
    ensure!(
        site.server()?.stats().total.sockets_ever == 1,
        "dialled again"
    );
    Ok(())
}

async fn log_out(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    site.server()?.faults().allow_token("t");
    let config = config(&site, "query");
    let pages = [
        page(&site, &config, &["t"]).await?,
        page(&site, &config, &["t"]).await?,
    ];
    let mut bob = config.clone();
    bob["account"] = json!("bob");
    let bob = page(&site, &bob, &["t"]).await?;
    for page in pages.iter().chain([&bob]) {
        page.wait_for_state("connected").await?;
    }
    pages[1].call("log_out", &[json!("c"), Value::Null]).await?;
    // Tiers that share nothing have no other tabs of the account.
    let ended = if site.sockets_for(2) == 1 { 0 } else { 1 };
    for page in &pages[ended..] {
        let event = page
            .wait_for_event("disconnected", 0, |event| event["type"] == "disconnected")
            .await?;
        ensure!(event["reason"] == "LoggedOut", "{event}");
        page.wait_for_event("end", 0, |event| event["type"] == "end")
            .await?;
        let mut events = page.events("c").await?;
        let last = events.split_off(events.len().saturating_sub(2));
        ensure!(
            last.iter()
                .map(|event| &event["type"])
                .eq(["disconnected", "end"]),
            "{last:?}"
        );
        let outcome = page.send("too late").await?;
        ensure!(outcome.contains("the client is closed"), "{outcome}");
        let status = page.status().await?;
        ensure!(status["detail"] == "Stopped(LoggedOut)", "{status}");
    }
    site.wait_for_sockets(1 + ended as u64).await?;
    bob.send_ok("still here").await
}

/// As an app does it that finds its session over while it starts.
async fn hasty_log_out(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    log_out_at_once(&site, "").await
}

/// Later than a worker is waited for that has nothing but channels to close.
async fn late_log_out(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let late = "const post = MessagePort.prototype.postMessage;
        window.late = 0;
        MessagePort.prototype.postMessage = function (...args) {
            window.late += 1;
            setTimeout(() => post.apply(this, args), 1000);
        };";
    log_out_at_once(&site, late).await
}

async fn log_out_at_once(site: &Site<'_>, before: &str) -> Result<()> {
    let stays = site.client("/echo").await?;
    stays.wait_for_state("connected").await?;
    let goes = site.page().await?;
    let at_once = "
        api.open('c', JSON.stringify(arguments[0]));
        api.log_out('c', undefined);
        api.drop_client('c');";
    let script = format!("{before}{at_once}");
    goes.tab.eval(&script, vec![site.config("/echo")]).await?;
    let event = stays
        .wait_for_event("disconnected", 0, |event| event["type"] == "disconnected")
        .await?;
    ensure!(event["reason"] == "LoggedOut", "{event}");
    let late = goes.tab.eval("return window.late ?? null", vec![]).await?;
    ensure!(before.is_empty() || late.as_u64() > Some(0), "{late}");
    site.wait_for_sockets(0).await
}

async fn drained(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    site.stop().await;
    page.wait_for_state("reconnecting").await?;
    page.send_many("q", 3).await?;
    page.call("log_out", &[json!("c"), json!(15_000)]).await?;
    site.restart().await?;
    let event = page
        .wait_for_event("disconnected", 0, |event| event["type"] == "disconnected")
        .await?;
    ensure!(event["reason"] == "LoggedOut", "{event}");
    site.wait_for_sockets(0).await?;
    ensure!(site.server()?.stats().total.frames_in == 3);
    Ok(())
}
