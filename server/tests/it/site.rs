//! Static files, their headers, and the faults of HTTP answers.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    time::{Duration, Instant},
};

use onesocket_server::{RunningServer, Server};

use crate::support::{Reply, fault, get, start};

/// A directory with a few files, removed when dropped.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let dir = env::temp_dir().join(format!("onesocket-server-{}-{name}", process::id()));
        fs::create_dir_all(dir.join("sub")).unwrap();
        for (path, content) in [
            ("index.html", "<p>root"),
            ("sub/index.html", "<p>sub"),
            ("app.js", "1"),
            ("app_bg.wasm", "\0asm"),
            ("style.css", "p{}"),
        ] {
            fs::write(dir.join(path), content).unwrap();
        }
        Self(dir)
    }

    async fn serve(&self) -> RunningServer {
        Server::builder().static_dir(&self.0).start().await.unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn files_have_the_right_types_and_strict_headers() {
    let site = Site::new("types");
    let server = site.serve().await;
    let check = async |target: &str, mime: &str, body: &str| {
        let reply = get(&server, target).await;
        assert_eq!((reply.status, &*reply.body), (200, body), "{target}");
        assert_eq!(reply.header("content-type"), mime, "{target}");
        assert_strict(&reply);
    };
    check("/", "text/html", "<p>root").await;
    check("/index.html?tier=main", "text/html", "<p>root").await;
    check("/sub/", "text/html", "<p>sub").await;
    check("/app.js", "text/javascript", "1").await;
    check("/app_bg.wasm", "application/wasm", "\0asm").await;
    check("/style.css", "text/css", "p{}").await;
    assert_eq!(get(&server, "/sub").await.status, 307);
    for target in ["/missing.js", "/../Cargo.toml", "/%2e%2e/Cargo.toml"] {
        let reply = get(&server, target).await;
        assert_eq!(reply.status, 404, "{target}");
        assert_strict(&reply);
    }
}

#[track_caller]
fn assert_strict(reply: &Reply) {
    assert_eq!(reply.header("cache-control"), "no-cache");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(
        reply.header("content-security-policy"),
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
         connect-src 'self' ws: wss:; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'self'"
    );
}

#[tokio::test]
async fn connect_sources_can_be_narrowed() {
    let policy = async |sources: &[&str]| {
        let server = Server::builder()
            .connect_sources(sources.iter().copied())
            .start()
            .await
            .unwrap();
        get(&server, "/")
            .await
            .header("content-security-policy")
            .to_owned()
    };
    let narrow = policy(&["'self'", "ws://127.0.0.1:9000"]).await;
    assert!(
        narrow.contains("; connect-src 'self' ws://127.0.0.1:9000; "),
        "{narrow}"
    );
    assert!(policy(&[]).await.contains("; connect-src 'none'; "));
}

#[tokio::test]
async fn without_a_directory_every_file_is_404() {
    let server = start().await;
    let reply = get(&server, "/").await;
    assert_eq!(reply.status, 404);
    assert_strict(&reply);
}

#[tokio::test]
async fn a_path_can_answer_another_status_body_type_policy_or_later() {
    let site = Site::new("faults");
    let server = site.serve().await;
    let after = async |query: &str| {
        fault(&server, &format!("http?path=/app.js{query}")).await;
        get(&server, "/app.js?v=1").await
    };
    let reply = after("&status=404").await;
    assert_eq!((reply.status, &*reply.body), (404, ""));
    let reply = after("&body=%3C!doctype%20html%3E").await;
    assert_eq!((reply.status, &*reply.body), (200, "<!doctype html>"));
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert_strict(&reply);
    let reply = after("&body=x&mime=text/javascript&status=500").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (500, "text/javascript")
    );
    let reply = after("&mime=text/plain").await;
    assert_eq!(
        (&*reply.body, reply.header("content-type")),
        ("1", "text/plain")
    );
    let reply = after("&csp=worker-src%20'none'").await;
    assert_eq!(
        (&*reply.body, reply.header("content-security-policy")),
        ("1", "worker-src 'none'")
    );
    let reply = after("&csp=").await;
    assert_eq!(reply.header("content-security-policy"), "");
    let start = Instant::now();
    assert_eq!(after("&delay_ms=80").await.body, "1");
    assert!(start.elapsed() >= Duration::from_millis(80));

    assert_strict(&get(&server, "/").await);
    fault(&server, "clear").await;
    let reply = get(&server, "/app.js").await;
    assert_eq!(reply.body, "1");
    assert_strict(&reply);
    assert!(Path::new(&site.0).exists());
}
