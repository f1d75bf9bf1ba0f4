//! The page that shows what was measured, and how.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use anyhow::{Context as _, Result};
use onesocket_tests::browser::Engine;

use crate::{contender::Contender, floor, plan::Plan, plot, report::Report};

/// Writes `README.md`, one picture per engine, and one of what matters most into a folder.
pub(crate) fn write(
    folder: &Path,
    report: &Report,
    failures: &[String],
    plan: &Plan,
) -> Result<()> {
    let more = if plan.quick {
        " Without `--quick` and `--rounds` it measures five rounds, and more of everything."
    } else {
        ""
    };
    let mut page = format!(
        "# Benchmark\n\nMeasured {} on {} by `{}`. With `--docs docs/bench` it writes this page again.{more}\n",
        today()?,
        machine()?,
        plan.command()
    );
    let Plan {
        rounds,
        messages,
        sends,
        rate,
        steady,
        ..
    } = plan;
    let _ = write!(
        page,
        "\n{rounds} rounds; {messages} messages of 200 bytes in a flood, {sends} upstream, {rate} a second in the steady stream, for {} s.",
        steady.as_secs_f64()
    );
    let of_peers = plan.messages_of(Contender::Comlink);
    if of_peers != *messages {
        let _ = write!(
            page,
            " The flood of peers without a floor is of {of_peers}."
        );
    }
    let _ = writeln!(page, "\n\n{METHOD}");
    let main = plot::draw(report, Engine::Chromium, |it| plot::MAIN.contains(&it))?;
    if let Some(main) = main {
        fs::write(folder.join("main.svg"), main)?;
    }
    for engine in Engine::ALL {
        let Some(picture) = plot::draw(report, engine, |_| true)? else {
            continue;
        };
        let name = format!("{engine}.svg");
        fs::write(folder.join(&name), picture)?;
        let _ = writeln!(
            page,
            "\n## {engine}\n\n![Medians of every figure in {engine}]({name})\n"
        );
        page.push_str(&report.markdown(engine));
    }
    page.push_str("\n## Floors that are missed\n\n");
    let missed = floor::missed(report, plan.slack());
    page.push_str(match missed.is_empty() {
        true => "None of those that were measured.\n",
        false => "[DESIGN](../../DESIGN.md#speed) says what is known of their limits.\n\n",
    });
    for floor in missed {
        let _ = writeln!(page, "- {floor}");
    }
    if !failures.is_empty() {
        page.push_str("\n## Measurements that failed\n\n");
    }
    for failure in failures {
        let _ = writeln!(page, "- {failure}");
    }
    fs::write(folder.join("README.md"), page)?;
    Ok(())
}

fn today() -> Result<String> {
    let output = Command::new("date")
        .arg("+%F")
        .output()
        .context("the date")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn machine() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo").context("the processor")?;
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "{cores} cores of {model}, Linux, server and browser on the same machine"
    ))
}

const METHOD: &str = "\
## Method

- **Browsers.** They are real ones, headless (WebKitGTK in a virtual display), driven by WebDriver. One browser serves a whole run, so its caches have the
  scripts and wasm of earlier pages.
- **Order.** Each measurement has a fresh page. Within a round every load is run by all contenders, one after the other, in an order that the seed decides.
  The tables show medians, with the least and the most.
- **When a load begins.** It begins when the browser is idle: when all its processes together have run for at most 20 of 200 ms, or after 3 s. So the start
  of a page and its worker is no part of a load, and has rows of its own. The driver's first questions to a page are asked before, and are no part either.
- **Server.** One server sends the same bytes to all. They are encoded beforehand and written in bulk. Its steady stream is due each millisecond.
- **Messages.** Each is decoded to a struct with 200 bytes of numbers, in JavaScript by a `DataView`, in Rust by postcard. All fields of all messages are
  added up. A run in which a message is missing, doubled, out of place or damaged is an error, and has no figures. In large frames one byte in 4093 is
  read.
- **Age.** Every hundredth message of the steady stream is timed, from when it was due to the app. Its age is that time less the shortest of its run. A tier
  gives a stream to a page that is seen once in 16 ms, and its messages are so much older: [an app can have them at once](../pace.md).
- **Upstream.** The clock stops when the server's word has come back that all sends are there, undamaged.
- **Echo.** It is timed in groups of twenty, because browsers round their clocks. The first 2,000 echoes are not timed (1,000 for further peers in a
  short quick run): until then a browser is still busy with the start of the page.
- **Main-thread time.** It is `TaskDuration` of Chromium's `Performance.getMetrics`, in processor time of that thread. For the steady stream
  the time of the same page, idle, is subtracted from it. Frames are those of `requestAnimationFrame`.
- **Tabs.** The handshake takes 50 ms longer. Each of ten tabs wants all of 1,000 messages a second. One of them is seen. CPU and proportional memory are
  those of all processes of the browser. The library gathers for a hidden tab, by default for 250 ms; the others give each message as it comes. Most of
  the difference in CPU is that, and not the shared socket: the bare relay in a SharedWorker has one socket, too, as its row shows.
- **Memory of a tab.** It is the difference between ten tabs and the first one, by nine. The first is measured a second after its first message, the ten
  when they have run for the time of the CPU figure. Garbage that is not collected yet is in it.
- **First message.** The clock begins with the contender's own script, which fetches its wasm, and starts its worker or joins it. Before that the page has
  to find out which contender it is for, which is no app's work. `first-tab-from-navigation` and `next-tab-from-navigation` begin with the navigation.
  They have that in them, and what a browser does for any page.
- **Wasm.** All pages in Rust fetch their wasm beside their script. Lines of script in front of it start the worker of the shared and the dedicated tier.
  With tabs each tier dials in front of its wasm. [An app can do the same](../start-up.md).
- **Builds.** The pages in Rust are built by the workspace's profile `page`, then wasm-opt, for all alike. The worker is the prebuilt one, which is built
  for size. `bench/peers/package-lock.json` and `Cargo.lock` pin the versions of peers. gloo-net sends by the browser's own handle: by itself it makes
  each binary message a `Blob`.

### What a run measures

*Further peers* are those that no floor names. The *bare relays* are explained below.

| | `--quick` | `--quick --rounds 3`, or more | neither |
|---|---|---|---|
| rounds, if not asked for | 1; in a single browser 2 | as asked for | 5 |
| messages of a flood | 100,000; further peers 20,000 | 100,000 | 100,000 |
| sends upstream | 50,000 | 100,000 | 100,000 |
| steady stream | 1.5 s | 1.5 s | 3 s |
| the same page, idle | 0.5 s | 1 s | 1 s |
| timed echoes | 1,000; further peers 500 | 1,000 | 2,000 |
| pings of the server | 60; none in the main tier | 60 | 200 |
| raw, gloo-net and the tiers, in Chromium | everything but `inspected-` | everything | everything |
| the same, in Firefox and WebKit | one flood | two floods, the echo | everything but `inspected-` |
| ten tabs | in the first round; main tier: one tab | in each round | in each round |
| bare relays | in the first round: flood, echo, upstream and large frames in Chromium, the flood elsewhere | as the tiers | as the tiers |
| further peers | in the first round: flood and echo in Chromium | in the first round: flood and echo; in Chromium the tabs of tab-election, which shares a socket | in each round, but for `inspected-`; of the tabs those of tab-election |
| what looks lost | is measured again, until it has three rounds in all, while there is time | stays as it is | stays as it is |

## Limits

- **One machine.** The server and the other threads of the browser can use what a contender leaves idle. On a network most of the flood's rates would be
  the network's.
- **Ratios.** A ratio says what the way to the app costs. What the app does with a message is the same for all, and small here.
- **Missing figures.** Where no figure is shown, that engine does not tell: main-thread time is Chromium's alone.
- **The second flood**, in Firefox and WebKit alone, is in the same page, on a socket of its own. The first one is over before all of a page's code is
  compiled.
- **The bare relays**, `bare-shared` and `bare-dedicated`, are what is left of the library's way without the library. A hundred lines of JavaScript pass on
  what comes, in batches as ours, and do nothing else: no reconnect, no receipt, no bound on what waits. They are a measure and no bound. Tiers pass
  them in some figures. In some runs a relay that posts each message by itself has a faster echo.
- **Pings.** The peers' pages answer the server's ping where they receive it, which is the busy page. An app can have its own worker answer; here the
  library's own does.
- **`inspected-` figures**, of Chromium alone, are those of a page whose network the developer tools watch. They do so while they are open, or while a
  driver like Playwright has the page. The tools are told each message of the page and its dedicated workers, and none of a SharedWorker. The load is a
  fifth of the flood's messages, received and sent, and the same echo. Nobody's users see these figures. The floors of 2.2 and 1.5 times the rate, and
  those of the echo, are [what such pages come to](../../DESIGN.md#speed).

### A floor that is missed

A floor is what a tier has to reach. When a floor is missed, the run gives one of four verdicts, the first that fits:

| verdict | when | does the run fail? |
|---|---|---|
| *at its limit* | the limit misses the floor as well, in the same run, and is not better by more than a tenth | no |
| *open* | the tier holds the floor in some round, beside what the others have in the same one; or the limit misses the floor as well, and not all rounds of the tier are worse than each of the limit's | no |
| *near* | the run has fewer than three rounds, and the tier is no more than 1.5 times away from the floor, or from a limit that misses it | no |
| *lost* | else | yes |

With `-- --strict` the run fails for each of them. The limit is the bare relay in a worker of the same kind, for the main tier gloo-net. A page's main-thread
time in a flood or a stream, its pings, ten tabs' processor time and memory have no limit in the shared and the dedicated tier: there the relay, which does
the least, costs a page more.
";
