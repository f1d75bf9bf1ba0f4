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
        "; without `--quick` and `--rounds` it measures five rounds, and more of everything"
    } else {
        ""
    };
    let mut page = format!(
        "# Benchmark\n\nMeasured {} on {} by `{}`. With `--docs docs/bench` it writes this page again{more}.\n",
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

- Real browsers, headless (WebKitGTK in a virtual display), driven by WebDriver. Each measurement has a fresh page; within a round every load is run by all
  contenders, one after the other, in an order that the seed decides. The browser is the same for all of a run: its caches of scripts and wasm have what earlier pages have loaded. Shown are medians with the least and the most.
- A load begins when the browser is idle, which is when all its processes together have run for at most 20 of 200 ms, or after 3 s. So the start of a page and its worker is not part of a load, and has rows
  of its own; nor is what the driver's first questions cost a page, which are asked before.
- A quick run has one round in three browsers, or two in one, if not asked for more. Of peers without a floor it has the flood and the echo, and in Chromium the tabs of tab-election, which shares a socket, in its first round alone; of Firefox and WebKit it has the flood and the echo. With fewer
  than three rounds it has half the sends and a shorter look at the idle page, the tabs and the bare relays in the first round alone, the peers without a floor in Chromium alone, with a fifth of the flood and without tabs, and of Firefox and WebKit one flood.
- One server sends the same bytes to all. They are encoded beforehand and written in bulk. Its steady stream is due each millisecond.
- Each message is decoded to a struct with 200 bytes of numbers, in JavaScript by a `DataView`, in Rust by postcard. All fields of all messages are
  added up; a run in which one is missing, doubled, out of place or damaged is an error and has no figures. Of large frames one byte in 4093 is read.
- The age of a message in the steady stream is how much longer than the soonest of its run it took from when it was due to the app; of each hundredth one it is noted. A tier gives a stream to the page that is seen once in 16 ms, and by that its messages are
  so much older: [an app can have them at once](../pace.md).
- Upstream the clock stops when the server's word has come back that all sends are there and are undamaged.
- The echo is timed in groups of twenty, because browsers round their clocks, and behind 2,000 that are not: before, the page is not idle, as its browser is still busy with its start.
- Main-thread time is `TaskDuration` of Chromium's `Performance.getMetrics`, in processor time of that thread; of the steady stream that of the same page, idle, is subtracted. Frames are
  those of `requestAnimationFrame`.
- With tabs the handshake takes 50 ms longer, and each of ten tabs wants all of 1,000 messages a second. One of them is seen. The library gathers for a tab that is hidden, by default for 250 ms, and the others give each message as it comes: most of the difference in CPU is that, and not the socket that is shared, as the bare relay's figure shows, which has one socket, too. CPU and proportional memory are those of all
  processes of the browser. What a tab costs in memory is the difference between ten tabs, when they have run for the time of the CPU figure, and the first of them a second after its first message, by nine: what
  they have not yet collected of their garbage is in it.
- The clock of a tab's first message begins with the contender's own script, which then fetches its wasm, and starts its worker or joins it. Before, the page has to find out which contender it is for, which is no app's work: `first-tab-from-navigation` and `next-tab-from-navigation`, from the
  navigation on, have that in them, and what a browser does for any page.
- All pages in Rust fetch their wasm beside their script. Those of the shared and the dedicated tier start their worker by lines of script in front of it, and with tabs each tier dials in front of its wasm, [as an app can](../start-up.md).
- The pages in Rust are built by the workspace's profile `page`, then wasm-opt, for all alike. The worker is the prebuilt one, which is built for size. Versions of peers are
  pinned by `bench/peers/package-lock.json` and `Cargo.lock`. gloo-net sends by the browser's own handle: by itself it makes each binary message a `Blob`.

## Limits

- Everything shares one machine: what a contender leaves idle, the server and the other threads of the browser can use. On a network most of the flood's
  rates would be the network's.
- A ratio says what the way to the app costs. What the app does with a message is the same for all and small here.
- Where no figure is shown, that engine does not tell: main-thread time is Chromium's alone. Of Firefox and WebKit alone there is a second flood in the same page, on a socket of its
  own: their first one is over before all of a page's code is compiled.
- `bare-shared` and `bare-dedicated` are what is left of the library's way without the library: a hundred lines of JavaScript that pass on what comes, in batches as ours, and do nothing else. No
  reconnect, no receipt, no bound on what waits. It is a measure and no bound: tiers pass it in some figures, and in some runs a relay that posts each message by itself has a faster echo. A quick run of fewer than three rounds has it in Chromium for the flood, the echo, large frames and upstream, elsewhere for the flood.
- A floor that is missed is *lost*, and the run has failed, unless it says of it: *open*, when the tier holds it in some round, beside what the others have in the same one; *at its limit*, when the bare relay (gloo-net for the main tier) misses it in the same run as well, and is
  not better by more than a tenth (where to do the least costs a page more, in its time, its pings, ten tabs' processor time and memory, no relay excuses a miss); or, in a run of fewer than three rounds, *near*, when it is missed by less than a half, or by less than a half more than that relay misses it. There what is lost is measured in two rounds more before it is, while there is time. `-- --strict` fails for each.
- `inspected-` figures, of Chromium alone, are those of a page whose network the developer tools watch, as they do while they are open or a driver like Playwright has the page: of it and its dedicated workers each message is told to the tools, of a SharedWorker none is. It is a fifth of the flood's messages, received and sent, and the
  same echo. A quick run of fewer than three rounds does without. Nobody's users see them; the floors of 2.2 and 1.5 times the rate and of the echo are [what such pages come to](../../DESIGN.md#speed).
- The peers' pages answer the server's ping where they receive it, which is the busy page. An app can have its own worker answer; here the library's own does.
";
