//! Six people in six tabs, and what each of them sees.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::{Context as _, Result};
use onesocket_tests::browser::{Browser, PAGE_LOG_SCRIPT, Tab};
use serde_json::json;
use tokio::time::{Instant, sleep};

/// The open tabs, and everything that they were told to say.
pub(crate) struct Tabs {
    tabs: Vec<Tab>,
    /// Per tab, in the order in which it was said.
    said: Vec<Vec<String>>,
}

impl Tabs {
    pub(crate) async fn open(browser: &Browser, url: &str, count: usize) -> Result<Self> {
        let mut tabs = Vec::new();
        for at in 0..count {
            let tab = browser.open_tab("about:blank").await?;
            // The page is the one that users get; what it logs is kept all the same.
            let source = json!({ "source": PAGE_LOG_SCRIPT });
            tab.cdp("Page.addScriptToEvaluateOnNewDocument", source)
                .await?;
            tab.goto(&format!("{url}&name={}", name(at))).await?;
            tabs.push(tab);
        }
        Ok(Self {
            said: vec![Vec::new(); tabs.len()],
            tabs,
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.tabs.len()
    }

    pub(crate) fn count_said(&self) -> usize {
        self.said.iter().map(Vec::len).sum()
    }

    /// Types and clicks, as a user would.
    pub(crate) async fn say_by_hand(&mut self, text: &str) -> Result<()> {
        for (tab, said) in self.tabs.iter().zip(&mut self.said) {
            tab.type_text("#text", text).await?;
            tab.click("#send").await?;
            said.push(text.to_owned());
        }
        Ok(())
    }

    /// Lets all tabs talk at once: each says `count` numbered messages.
    pub(crate) async fn say_together(&mut self, topic: &str, count: usize) -> Result<()> {
        for (tab, said) in self.tabs.iter().zip(&mut self.said) {
            tab.eval(SAY, vec![json!(topic), json!(count)]).await?;
            said.extend((1..=count).map(|number| format!("{topic} {number}")));
        }
        Ok(())
    }

    /// Waits until a condition holds in every tab at least once.
    pub(crate) async fn wait_for_each(&self, condition: &str, within: Duration) -> Result<()> {
        let deadline = Instant::now() + within;
        for tab in &self.tabs {
            let left = deadline.saturating_duration_since(Instant::now());
            tab.wait_for(condition, left).await?;
        }
        Ok(())
    }

    /// Waits until every tab shows everything that was said as delivered, and then a moment for what should not come.
    pub(crate) async fn settle(&self, within: Duration) -> Result<()> {
        let said = self.count_said();
        let all = format!(
            "return document.querySelectorAll('#log > [data-state=delivered]').length >= {said} \
             && document.querySelectorAll('#log > :not([data-state=delivered])').length === 0"
        );
        self.wait_for_each(&all, within).await?;
        sleep(LATE).await;
        Ok(())
    }

    /// Compares what each tab shows with what was said.
    pub(crate) async fn compare(&self) -> Result<Comparison> {
        let mut comparison = Comparison {
            least: u64::MAX,
            ..Comparison::default()
        };
        for tab in &self.tabs {
            let shown = tab.eval(READ, vec![]).await?;
            let (received, log) = serde_json::from_value(shown).context("reading a tab")?;
            comparison.add(&self.said, &Shown { received, log });
        }
        Ok(comparison)
    }

    /// Leaves a picture and the log of each tab beside the browser's own log, and says where.
    pub(crate) async fn evidence(browser: &Browser, tier: &str) -> String {
        let mut text = format!("\n  browser's log: {}", browser.log().display());
        let tabs = browser.tabs().await.unwrap_or_default();
        for (at, tab) in tabs.iter().enumerate() {
            let path = |end| {
                browser
                    .log()
                    .with_file_name(format!("demo-{tier}-{at}.{end}"))
            };
            let mut lines = tab.page_log().await.unwrap_or_default();
            if let Ok(page) = tab.text("body").await {
                lines.push(page);
            }
            let mut written = fs::write(path("log"), lines.join("\n"));
            if let Ok(png) = tab.screenshot().await {
                written = written.and_then(|()| fs::write(path("png"), png));
            }
            text += &match written {
                Ok(()) => format!("\n  tab {at}: {} and .log", path("png").display()),
                Err(error) => format!("\n  tab {at}: {error}"),
            };
        }
        text
    }
}

/// What the tabs show against what was said.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Comparison {
    /// The counter of the tab that has received the fewest.
    pub(crate) least: u64,
    pub(crate) most: u64,
    /// Over all tabs.
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    /// Messages that stand below a later one of the same sender.
    pub(crate) out_of_order: usize,
    /// Messages that do not stand where they stand in the first tab.
    pub(crate) elsewhere: usize,
    first: Option<Vec<(String, String)>>,
}

impl Comparison {
    fn add(&mut self, said: &[Vec<String>], shown: &Shown) {
        self.least = self.least.min(shown.received);
        self.most = self.most.max(shown.received);
        let mut places = BTreeMap::new();
        for (at, (from, text)) in shown.log.iter().enumerate() {
            if places.insert((from.as_str(), text.as_str()), at).is_some() {
                self.duplicated += 1;
            }
        }
        for (at, said) in said.iter().enumerate() {
            let name = name(at);
            let mut last = None;
            for text in said {
                match places.get(&(name.as_str(), text.as_str())) {
                    None => self.lost += 1,
                    Some(place) if last.is_some_and(|last| *place < last) => self.out_of_order += 1,
                    Some(place) => last = Some(*place),
                }
            }
        }
        match &self.first {
            None => self.first = Some(shown.log.clone()),
            Some(first) => {
                let same = first.iter().zip(&shown.log).filter(|(a, b)| a == b).count();
                self.elsewhere += first.len().max(shown.log.len()) - same;
            }
        }
    }

    /// What is wrong, if anything.
    pub(crate) fn verdict(&self, said: usize) -> Option<String> {
        let said = said as u64;
        let faults = [
            (self.lost > 0, format!("{} lost", self.lost)),
            (
                self.duplicated > 0,
                format!("{} duplicated", self.duplicated),
            ),
            (
                self.out_of_order > 0,
                format!("{} out of order", self.out_of_order),
            ),
            (
                self.elsewhere > 0,
                format!("{} in another order than in the first tab", self.elsewhere),
            ),
            (
                self.least != said || self.most != said,
                format!("received {} to {}, not {said}", self.least, self.most),
            ),
        ];
        let faults: Vec<_> = faults
            .into_iter()
            .filter_map(|(is, what)| is.then_some(what))
            .collect();
        (!faults.is_empty()).then(|| faults.join(", "))
    }
}

#[derive(Debug)]
struct Shown {
    received: u64,
    /// Sender and text, from top to bottom.
    log: Vec<(String, String)>,
}

/// Distinct names, so that a message names its tab.
fn name(at: usize) -> String {
    format!("tab{}", at + 1)
}

const SAY: &str = "
const [topic, count] = arguments;
const form = document.getElementById('composer'), text = document.getElementById('text');
let number = 0;
const say = () => {
  number += 1;
  text.value = `${topic} ${number}`;
  form.requestSubmit();
  if (number < count) setTimeout(say, 20);
};
say();";

const READ: &str = "
return [
  Number(document.getElementById('received').textContent),
  [...document.getElementById('log').children].map((item) => [item.dataset.from, item.querySelector('.text').textContent]),
];";

/// A message that comes twice comes the second time soon.
const LATE: Duration = Duration::from_millis(700);

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(logs: &[&[(&str, &str)]]) -> Comparison {
        let said = [vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]];
        let mut comparison = Comparison {
            least: u64::MAX,
            ..Comparison::default()
        };
        for log in logs {
            let owned = |&(from, text): &(&str, &str)| (from.to_owned(), text.to_owned());
            comparison.add(
                &said,
                &Shown {
                    received: log.len() as u64,
                    log: log.iter().map(owned).collect(),
                },
            );
        }
        comparison
    }

    #[test]
    fn every_message_once_and_in_order_is_right() {
        let log = [("tab1", "a"), ("tab2", "c"), ("tab1", "b")];
        assert_eq!(compare(&[&log, &log]).verdict(3), None);
    }

    #[test]
    fn each_fault_is_told() {
        let lost = compare(&[&[("tab1", "a"), ("tab1", "b")]]);
        assert_eq!(
            lost.verdict(3).as_deref(),
            Some("1 lost, received 2 to 2, not 3")
        );
        let twice = compare(&[&[("tab1", "a"), ("tab1", "a"), ("tab1", "b"), ("tab2", "c")]]);
        assert_eq!(twice.duplicated, 1);
        let swapped = compare(&[&[("tab1", "b"), ("tab1", "a"), ("tab2", "c")]]);
        assert_eq!(swapped.verdict(3).as_deref(), Some("1 out of order"));
        let first = [("tab1", "a"), ("tab2", "c"), ("tab1", "b")];
        let second = [("tab2", "c"), ("tab1", "a"), ("tab1", "b")];
        assert_eq!(compare(&[&first, &second]).elsewhere, 2);
    }
}
