//! The tier ladder: where the loop runs, why, and what happens when it can't.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use onesocket_server::HttpFault;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    site::{POLL, Page, SOON, Site},
};
use crate::browser::Engine;

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut scenarios = vec![
        Scenario {
            name: "the_forced_tier_runs_and_the_ladder_says_so",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(forced(ctx)),
        },
        Scenario {
            name: "a_module_worker_works_like_a_classic_one",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(module(ctx)),
        },
        Scenario {
            name: "an_app_may_bring_its_own_worker_binary",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(own_worker(ctx)),
        },
        Scenario {
            name: "what_a_worker_posts_that_is_not_ours_is_no_answer",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(noisy_worker(ctx)),
        },
        Scenario {
            name: "a_worker_without_the_prelude_is_knocked_at_again",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(no_prelude(ctx)),
        },
        Scenario {
            name: "a_forced_tier_that_fails_is_an_error_and_no_other_tier",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(forced_failure(ctx)),
        },
        Scenario {
            name: "a_switch_of_tier_loses_and_doubles_nothing",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(switch(ctx)),
        },
        Scenario {
            name: "a_worker_that_is_gone_is_replaced",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(gone(ctx)),
        },
        Scenario {
            name: "a_lazy_worker_starts_with_the_first_client",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(lazy(ctx)),
        },
        Scenario {
            name: "a_ping_is_answered",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(ping(ctx)),
        },
    ];
    scenarios.extend([
        Scenario {
            name: "the_best_tier_is_chosen",
            tiers: &[],
            run: |ctx| Box::pin(best(ctx)),
        },
        Scenario {
            name: "fallback_when_shared_workers_are_missing",
            tiers: &[],
            run: |ctx| Box::pin(missing_shared(ctx)),
        },
        Scenario {
            name: "fallback_when_all_workers_are_missing",
            tiers: &[],
            run: |ctx| Box::pin(missing_all(ctx)),
        },
        Scenario {
            name: "fallback_when_a_constructor_throws",
            tiers: &[],
            run: |ctx| Box::pin(throwing(ctx)),
        },
        Scenario {
            name: "fallback_when_the_script_is_a_404",
            tiers: &[],
            run: |ctx| Box::pin(not_found(ctx)),
        },
        Scenario {
            name: "fallback_when_the_script_is_html",
            tiers: &[],
            run: |ctx| Box::pin(html(ctx)),
        },
        Scenario {
            name: "fallback_when_csp_refuses_workers",
            tiers: &[],
            run: |ctx| Box::pin(csp(ctx)),
        },
        Scenario {
            name: "a_refusal_by_csp_is_known_as_one_whatever_the_fragment",
            tiers: &[],
            run: |ctx| Box::pin(csp_with_fragment(ctx)),
        },
        Scenario {
            name: "what_a_policy_only_reports_is_no_refusal",
            tiers: &[],
            run: |ctx| Box::pin(report_only(ctx)),
        },
        Scenario {
            name: "fallback_when_the_wasm_does_not_compile",
            tiers: &[],
            run: |ctx| Box::pin(broken_wasm(ctx)),
        },
        Scenario {
            name: "fallback_when_no_welcome_comes",
            tiers: &[],
            run: |ctx| Box::pin(silent(ctx)),
        },
        Scenario {
            name: "the_loop_runs_inside_a_gloo_worker",
            tiers: &[],
            run: |ctx| Box::pin(gloo_worker(ctx)),
        },
        Scenario {
            name: "works_without_web_locks",
            tiers: &[],
            run: |ctx| Box::pin(no_locks(ctx)),
        },
    ]);
    scenarios
}

pub(super) const SCRIPT: &str = "/onesocket-worker.js";

/// Checks which tier runs, and why those before it do not.
pub(super) async fn expect_tier(page: &Page, tier: &str, outcomes: &[(&str, &str)]) -> Result<()> {
    let (running, ladder) = page.wait_for_tier().await?;
    ensure!(running == tier, "{running} runs: {}", ladder["text"]);
    for (tried, words) in outcomes {
        let attempt = ladder["attempts"]
            .as_array()
            .and_then(|all| all.iter().find(|a| a["tier"] == *tried));
        let outcome = attempt
            .and_then(|attempt| attempt["outcome"].as_str())
            .unwrap_or_default();
        ensure!(
            words.split('|').any(|word| outcome.contains(word)),
            "{tried}: {outcome:?}, expected {words}; {}",
            ladder["text"]
        );
    }
    page.send_ok("works").await?;
    page.wait_for_messages("c", 1).await?;
    Ok(())
}

async fn forced(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    let tier = ctx.tier.map_or("", Tier::name);
    expect_tier(&page, tier, &[(tier, "Running")]).await
}

async fn module(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["module"] = json!(true);
    config["worker"]["script"] = json!("onesocket-worker.module.js");
    let page = site.client_with(config).await?;
    expect_tier(&page, ctx.tier.map_or("", Tier::name), &[]).await
}

async fn own_worker(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["script"] = json!("own-worker.js");
    let page = site.client_with(config).await?;
    expect_tier(&page, ctx.tier.map_or("", Tier::name), &[]).await
}

async fn no_prelude(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["script"] = json!("bare-worker.js");
    let page = site.client_with(config).await?;
    expect_tier(&page, ctx.tier.map_or("", Tier::name), &[]).await
}

/// It says something before it hears anybody knock.
async fn noisy_worker(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["script"] = json!("bare-worker.js");
    let page = site.page().await?;
    page.tab.eval(NOISY, vec![]).await?;
    page.open("c", config).await?;
    expect_tier(&page, ctx.tier.map_or("", Tier::name), &[]).await?;
    ensure!(page.tab.eval("return window.heard", vec![]).await? == 2);
    Ok(())
}

/// What a library in the worker's script may post to its page by itself: once a text, once a buffer.
const NOISY: &str = "
const Native = Worker;
window.heard = 0;
window.Worker = class extends Native {
  constructor(...args) {
    super(...args);
    const say = (data) => {
      window.heard += 1;
      this.dispatchEvent(new MessageEvent('message', { data }));
    };
    setTimeout(() => [{ type: 'ready' }, new ArrayBuffer(8)].forEach(say));
  }
};";

async fn forced_failure(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["script"] = json!("missing.js");
    let page = site.client_with(config).await?;
    let event = page
        .wait_for_event("no worker", 0, |event| event["type"] == "disconnected")
        .await?;
    ensure!(event["reason"] == "NoWorker", "{event}");
    let outcome = page.send("in vain").await?;
    ensure!(outcome.contains("no worker"), "{outcome}");
    ensure!(page.call("tier", &[json!("c")]).await?.is_null());
    let ladder = page.ladder().await?;
    ensure!(
        ladder["attempts"]
            .as_array()
            .is_some_and(|attempts| !attempts
                .iter()
                .any(|a| a["outcome"].to_string().contains("Running"))),
        "{ladder}"
    );
    Ok(())
}

async fn switch(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    // The page's server stays, so that the scripts of the other tiers can be had; the sockets' server goes.
    let mut sockets = Site::start(ctx).await?;
    let page = site.page().await?;
    let mut config = site.config(&sockets.url("/echo"));
    config["worker"]["tier"] = Value::Null;
    page.open("c", config).await?;
    page.wait_for_state("connected").await?;
    let to = ctx.tier.map_or("", Tier::name);
    sockets.stop().await;
    page.wait_for_event("reconnecting", 0, |event| event["type"] == "reconnecting")
        .await?;
    page.send_many("queued ", 20).await?;
    page.wait_for_status("queued", |status| status["queued_messages"] == 20)
        .await?;
    // Away from where it is and back again, if it is there already.
    if page.wait_for_tier().await?.0 == to {
        ensure!(
            page.call("switch_tier", &[json!("c"), json!("main")])
                .await?
                == "switched"
        );
    }
    let outcome = page.call("switch_tier", &[json!("c"), json!(to)]).await?;
    ensure!(outcome == "switched", "{outcome}");
    ensure!(page.wait_for_tier().await?.0 == to);
    page.send_many("later ", 5).await?;
    sockets.restart().await?;
    let heard = page.wait_for_messages("c", 25).await?;
    let queued = (0..20).map(|n| json!(format!("queued {n}")));
    let expect: Vec<Value> = queued
        .chain((0..5).map(|n| json!(format!("later {n}"))))
        .collect();
    ensure!(heard == expect, "{heard:?}");
    ensure!(
        sockets.server()?.stats().total.frames_in == 25,
        "the server was sent something twice"
    );
    sockets.wait_for_sockets(1).await
}

async fn gone(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["tier"] = Value::Null;
    config["worker"]["script"] = json!("killable-worker.js");
    let broken = match ctx.tier {
        Some(Tier::Dedicated) => "?break=no-shared",
        _ => "",
    };
    let pages = [site.page_with(broken).await?, site.page_with(broken).await?];
    for page in &pages {
        page.open("c", config.clone()).await?;
        page.wait_for_state("connected").await?;
    }
    let tier = ctx.tier.map_or("", Tier::name);
    for loss in 1..=2 {
        pages[0]
            .tab
            .eval("new BroadcastChannel('kill').postMessage('')", vec![])
            .await?;
        for page in &pages {
            let failures = format!(
                "return JSON.parse(api.ladder('c')).attempts.filter(({{outcome}}) => outcome.includes('WorkerGone')).length >= {loss}"
            );
            page.tab.wait_for(&failures, SOON).await?;
            ensure!(page.wait_for_tier().await?.0 == tier);
            page.send_ok(&format!("after loss {loss}")).await?;
        }
        // Without the prelude a dedicated worker is for one tab.
        let sockets = if ctx.tier == Some(Tier::Shared) { 1 } else { 2 };
        site.wait_for_sockets(sockets).await?;
    }
    // The third within a minute is a loop: the tier below is tried.
    pages[0]
        .tab
        .eval("new BroadcastChannel('kill').postMessage('')", vec![])
        .await?;
    let below = if ctx.tier == Some(Tier::Shared) {
        "dedicated"
    } else {
        "main"
    };
    for page in &pages {
        page.tab
            .wait_for(&format!("return api.tier('c') === '{below}'"), SOON)
            .await?;
        page.send_ok("below").await?;
    }
    Ok(())
}

async fn lazy(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["lazy"] = json!(true);
    let page = site.client_with(config).await?;
    expect_tier(&page, ctx.tier.map_or("", Tier::name), &[]).await
}

async fn ping(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    let outcome = page.call("ping", &[json!("c")]).await?;
    ensure!(outcome == "pong", "{outcome}");
    Ok(())
}

async fn best(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    expect_tier(&page, "shared", &[("shared", "Running")]).await
}

async fn broken_page(site: &Site<'_>, query: &str) -> Result<Page> {
    let page = site.page_with(query).await?;
    page.open("c", site.config("/echo")).await?;
    Ok(page)
}

async fn missing_shared(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = broken_page(&site, "?break=no-shared").await?;
    expect_tier(&page, "dedicated", &[("shared", "Unsupported")]).await
}

async fn missing_all(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = broken_page(&site, "?break=no-shared&break=no-worker").await?;
    expect_tier(
        &page,
        "main",
        &[("shared", "Unsupported"), ("dedicated", "Unsupported")],
    )
    .await
}

async fn throwing(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = broken_page(&site, "?break=throwing-shared").await?;
    expect_tier(&page, "dedicated", &[("shared", "ConstructorThrew")]).await?;
    // It would follow that one, for which it needs no worker of its own.
    page.tab.close().await?;
    let page = broken_page(&site, "?break=throwing-shared&break=throwing-worker").await?;
    let threw = "ConstructorThrew";
    expect_tier(&page, "main", &[("shared", threw), ("dedicated", threw)]).await
}

async fn not_found(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    site.server()?
        .faults()
        .http(SCRIPT, HttpFault::default().status(404))?;
    let page = site.client("/echo").await?;
    let words = "ScriptNotFound|ScriptError";
    expect_tier(&page, "main", &[("shared", words), ("dedicated", words)]).await
}

async fn html(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = "<!doctype html><title>Sign in</title>";
    site.server()?
        .faults()
        .http(SCRIPT, HttpFault::default().body(page).mime("text/html"))?;
    let page = site.client("/echo").await?;
    let words = "NotJavaScript|ScriptError";
    expect_tier(&page, "main", &[("shared", words), ("dedicated", words)]).await
}

async fn csp(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    refuse_workers(ctx, &site).await?;
    let page = site.client("/echo").await?;
    let words = "ConstructorThrew|ScriptError|BlockedByPolicy";
    expect_tier(&page, "main", &[("shared", words), ("dedicated", words)]).await
}

async fn refuse_workers(ctx: &Context, site: &Site<'_>) -> Result<()> {
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'; connect-src 'self' ws:";
    let index = tokio::fs::read_to_string(ctx.dist.join("index.html")).await?;
    let fault = HttpFault::default()
        .body(index)
        .mime("text/html")
        .csp(policy);
    site.server()?.faults().http("/", fault)?;
    Ok(())
}

async fn csp_with_fragment(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    refuse_workers(ctx, &site).await?;
    let mut diagnoses = Vec::new();
    for fragment in ["", "#dial=/echo"] {
        let mut config = site.config("/echo");
        config["worker"]["script"] = json!(format!("onesocket-worker.js{fragment}"));
        let page = site.client_with(config).await?;
        page.wait_for_tier().await?;
        let found = match ctx.engine() {
            Engine::Chromium => diagnosis(&page, "BlockedByPolicy").await?,
            // They may have no more to tell.
            Engine::Firefox | Engine::WebKit => {
                sleep(Duration::from_secs(1)).await;
                outcome(&page).await?
            }
        };
        diagnoses.push(found);
        page.tab.close().await?;
    }
    ctx.note(diagnoses.join("; "));
    ensure!(diagnoses[0] == diagnoses[1], "{diagnoses:?}");
    Ok(())
}

/// Waits until the ladder says this of the first tier, which it learns behind the failure, and returns all that it says of it.
async fn diagnosis(page: &Page, word: &str) -> Result<String> {
    let until = Instant::now() + SOON;
    loop {
        let found = outcome(page).await?;
        if found.contains(word) {
            return Ok(found);
        }
        ensure!(Instant::now() < until, "{found}");
        sleep(POLL).await;
    }
}

/// What the ladder says of the first tier.
async fn outcome(page: &Page) -> Result<String> {
    let ladder = page.ladder().await?;
    let outcome = ladder["attempts"][0]["outcome"].as_str();
    Ok(outcome.unwrap_or_default().to_owned())
}

/// Pages whose policy is on trial have such events for each worker, and the worker for all that.
async fn report_only(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    site.server()?
        .faults()
        .http(SCRIPT, HttpFault::default().status(404))?;
    let page = site.client("/echo").await?;
    page.tab.eval(REPORT, vec![json!(site.url(SCRIPT))]).await?;
    page.wait_for_tier().await?;
    diagnosis(&page, "ScriptNotFound").await?;
    Ok(())
}

const REPORT: &str = "
document.dispatchEvent(new SecurityPolicyViolationEvent('securitypolicyviolation', {
  blockedURI: arguments[0], effectiveDirective: 'worker-src', violatedDirective: 'worker-src', disposition: 'report',
  documentURI: location.href, originalPolicy: '', statusCode: 200,
}));";

async fn broken_wasm(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let fault = HttpFault::default()
        .body("this is no wasm")
        .mime("application/wasm");
    site.server()?
        .faults()
        .http("/onesocket-worker_bg.wasm", fault)?;
    let page = site.client("/echo").await?;
    expect_tier(
        &page,
        "main",
        &[("shared", "WasmFailed"), ("dedicated", "WasmFailed")],
    )
    .await?;
    let log = page.tab.page_log().await?;
    let told = |line: &&String| line.contains("onesocket: no worker: its wasm failed");
    let told = log.iter().filter(told).count();
    ensure!(told == 1, "{told} times in {log:?}");
    Ok(())
}

async fn silent(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let fault = HttpFault::default()
        .body("// says nothing")
        .mime("text/javascript");
    site.server()?.faults().http(SCRIPT, fault)?;
    let mut config = site.config("/echo");
    config["worker"]["hello_timeout_ms"] = json!(700);
    let page = site.client_with(config).await?;
    expect_tier(
        &page,
        "main",
        &[("shared", "HelloTimeout"), ("dedicated", "HelloTimeout")],
    )
    .await
}

async fn gloo_worker(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    let url = format!("{}/echo", site.server()?.ws_url());
    let args = [json!("gloo-worker.js"), json!(url), json!("through gloo")];
    let echo = page.call("gloo_echo", &args).await?;
    ensure!(echo == "through gloo", "{echo}");
    ensure!(site.server()?.stats().total.sockets_ever == 1);
    Ok(())
}

async fn no_locks(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = broken_page(&site, "?break=no-locks").await?;
    expect_tier(&page, "shared", &[]).await
}
