//! The npm package as Next.js builds it, which has a class of its own for the URLs of bundled files.

use anyhow::{Context as _, Result, ensure};
use onesocket_server::HttpFault;
use serde_json::json;

use super::{
    Context, Scenario, Tier,
    npm::{open, start},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: "npm_a_url_that_is_relative_to_the_page_is_its_workers",
        tiers: &[Tier::Shared],
        run: |ctx| Box::pin(relative_url(ctx)),
    }]
}

/// The class is that of its webpack; Turbopack's does the same.
async fn relative_url(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let read = format!("return await (await fetch('{CORE}')).text()");
    let core = tab.eval_async(&read, vec![]).await?;
    let mut core = core.as_str().context("a script")?.to_owned();
    for file in ["onesocket-worker.js", "onesocket-worker_bg.wasm"] {
        let found = format!(r#"new URL("./{file}", import.meta.url)"#);
        ensure!(core.contains(&found), "{file}");
        core = core.replace(&found, &format!("new RelativeURL('/onesocket/{file}')"));
    }
    let fault = HttpFault::default().body(format!("{core}{RELATIVE_URL}"));
    let faults = site.server()?.faults();
    faults.http(CORE, fault.mime("text/javascript"))?;
    let tab = open(ctx, &site).await?;
    let told = tab.eval_async(CONNECTED, vec![]).await?;
    ensure!(told == json!(["shared", []]), "{told}");
    Ok(())
}

const CORE: &str = "/onesocket/core.js";

const RELATIVE_URL: &str = "
function RelativeURL(path) {
  const url = new URL(path, 'x:/');
  const values = {};
  for (const name in url) values[name] = url[name];
  Object.assign(values, { href: path, pathname: path.replace(/[?#].*/, ''), origin: '', protocol: '' });
  values.toString = values.toJSON = () => path;
  for (const name in values) Object.defineProperty(this, name, { enumerable: true, configurable: true, value: values[name] });
}
RelativeURL.prototype = URL.prototype;";

const CONNECTED: &str = "
const told = [];
console.error = (text) => told.push(text);
const client = onesocket.connect('/echo');
await client.send('x');
return [client.status.tier, told];";
