//! The library's worker as an app builds its own: it can transcode, which the prebuilt one can't.

fn main() {
    #[cfg(target_family = "wasm")]
    {
        use onesocket_bench_page::Ticker;
        use onesocket_worker::json_to_postcard;

        onesocket_worker::transcode(|link, payload| match link.account.as_str() {
            Ticker::ACCOUNT => json_to_postcard::<Ticker>(payload),
            _ => None,
        });
        onesocket_worker::serve();
    }
}
