pub mod yew {
    use onesocket_yew::prelude::*;

    pub fn config() -> ClientBuilder<String, String> {
        // ANCHOR: yew
        use onesocket_yew::onesocket::ManagerConfig;

        let worker = ManagerConfig::default().script("/my-worker_loader.js");
        let config = Client::builder("/chat", Json).worker(worker);
        // ANCHOR_END: yew
        config
    }
}

pub mod leptos {
    use onesocket_leptos::prelude::*;

    pub fn config() -> impl Fn() -> ClientBuilder<String, String> {
        // ANCHOR: leptos
        use onesocket_leptos::onesocket::ManagerConfig;

        let config = || {
            let worker = ManagerConfig::default().script("/my-worker_loader.js");
            Client::<String, String>::builder("/chat", Json).worker(worker)
        };
        // ANCHOR_END: leptos
        config
    }
}

#[cfg(test)]
mod tests {
    const CHAPTER: &str = include_str!("../../../docs/start/plain.md");
    const EXAMPLE: &str = include_str!("../../../examples/plain/Cargo.toml");

    fn features(line: &str) -> Option<&str> {
        line.split_once("features = [")?.1.split(']').next()
    }

    #[test]
    fn the_manifest_without_a_framework_has_what_the_example_needs() {
        let table = |text: &'static str, head: &str, end: &str| {
            let (_, rest) = text.split_once(head).expect(head);
            rest.split(end).next().unwrap_or(rest).trim().lines()
        };
        let head = "[target.'cfg(target_family = \"wasm\")'.dependencies]";
        for needed in table(EXAMPLE, head, "\n\n") {
            let name = needed.split(['.', ' ']).next().unwrap_or(needed);
            let told = table(CHAPTER, "[dependencies]", "```")
                .find(|line| line.starts_with(&format!("{name} = ")))
                .expect(name);
            assert_eq!(features(told), features(needed), "{name}");
        }
    }

    #[test]
    fn both_name_the_script_that_trunk_makes() {
        assert!(super::yew::config().build().is_ok());
        assert!(super::leptos::config()().build().is_ok());
    }
}
