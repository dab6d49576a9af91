//! Whole exchanges over HTTP: a server with one worker on the loopback interface, and a client that sends anything.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keyreeve_core::Service;
use keyreeve_core::bracket::{Trail, TrailFuture};
use keyreeve_crypto::digest::{LowerHex, sha256};
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::Timestamp;
use keyreeve_http::server::Workers;
use keyreeve_http::{Api, AuditTrail, Endpoint, Limits, Metrics, Monitoring, TrailState};
use keyreeve_sigv4::{AmzDate, RequestHead, Signer, SigningKey, authorization, presigned_query};
use keyreeve_testkit::{Has, World};
use keyreeve_wire::Operation;
use serde_json::json;
use tokio::net::TcpListener;

use crate::archive::{SmallArchive, names};
use crate::asked::Waves;
use crate::bytes::Bytes;

/// When every request arrives.
fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

const REGION: &str = "us-east-1";
const SERVICES: [&str; 6] = ["kms", "iam", "sts", "cloudtrail", "monitoring", "s3"];
/// What a server may take for an answer to anything.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer is waited for before the client says that nothing more comes.
const MOMENT: Duration = Duration::from_millis(200);

/// Any bytes as what a client sends: they are answered, or the connection ends; no answer is an internal error.
///
/// After `*`, the bytes say which request is made and signed well, and how it is changed then: a byte each for the service and for
/// how it is signed; then method, path, query and headers, a line each, an empty line, and the body. What follows a NUL changes what is sent.
pub fn http_exchange(data: &[u8]) {
    let server = server();
    let sent = match data.strip_prefix(b"*") {
        Some(asked) => signed(asked),
        None => data.to_vec(),
    };
    if sent.is_empty() {
        return;
    }
    let answer = exchange(server, &sent);
    let mut rest = answer.as_slice();
    while let Some(at) =
        rest.windows(9).position(|window| window.starts_with(b"HTTP/1.") && window.ends_with(b" "))
    {
        let (_, found) = rest.split_at(at);
        let status = found.get(9..12).unwrap_or_default();
        let is_declined = status == b"501" || status == b"503";
        assert!(
            !status.starts_with(b"5") || is_declined,
            "{} was answered {}",
            sent.escape_ascii(),
            found.escape_ascii()
        );
        rest = found.get(9..).unwrap_or_default();
    }
    let text = String::from_utf8_lossy(&answer);
    assert!(
        !text.contains("InternalException") && !text.contains("InternalFailure"),
        "{}: {text}",
        sent.escape_ascii()
    );
}

/// What comes back; a server that says nothing and keeps the connection is a finding.
fn exchange(server: SocketAddr, sent: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).expect("the server listens");
    let mut answer = Vec::new();
    let mut part = [0; 16 * 1024];
    let ends = sent.windows(17).any(|window| window.eq_ignore_ascii_case(b"connection: close"));
    // A server that has seen enough closes the connection, however much is still to be sent.
    let mut is_over = stream.write_all(sent).is_err() || !ends;
    if is_over {
        drop(stream.shutdown(Shutdown::Write));
    }
    loop {
        let patience = if is_over { PATIENCE } else { MOMENT };
        stream.set_read_timeout(Some(patience)).expect("a socket has a timeout");
        match stream.read(&mut part) {
            Ok(0) => return answer,
            Ok(len) => answer.extend_from_slice(part.get(..len).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return answer,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                assert!(!is_over, "{}: {error}", sent.escape_ascii());
                // What is waited for does not come: whoever says no more is not waited for.
                drop(stream.shutdown(Shutdown::Write));
                is_over = true;
            }
        }
    }
}

/// A request that is signed by somebody who may do everything.
fn signed(asked: &[u8]) -> Vec<u8> {
    let mut bytes = Bytes::new(asked);
    let (service, how) = (*bytes.one_of(&SERVICES), bytes.byte());
    let asked = asked.get(2..).unwrap_or_default();
    let mut parts = asked.splitn(2, |byte| *byte == 0);
    let (asked, edits) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut lines = asked.splitn(4, |byte| *byte == b'\n');
    let mut line = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (method, path, query) = (line(), line(), line());
    let rest = lines.next().unwrap_or_default();
    let split = rest.windows(2).position(|window| window == b"\n\n").unwrap_or(rest.len());
    let (given, body) = rest.split_at(split);
    let (given, body) = (String::from_utf8_lossy(given), body.get(2..).unwrap_or_default());
    let mut headers: Vec<(String, String)> = vec![
        ("host".to_owned(), "localhost".to_owned()),
        ("x-amz-date".to_owned(), date().as_str().to_owned()),
        ("content-length".to_owned(), body.len().to_string()),
    ];
    let given = given.lines().filter_map(|line| line.split_once(':'));
    headers.extend(given.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())));
    let hash = sha256(body);
    if service == "s3" {
        headers.push(("x-amz-content-sha256".to_owned(), LowerHex::new(&hash).as_str().to_owned()));
    }
    let key = SigningKey::derive(b"secret", date().day(), REGION, service);
    let signer = Signer { access_key_id: "AKIAcarol", region: REGION, service, date: date(), key: &key };
    let shown: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head = RequestHead { method: &method, path: &path, query: &query, headers: shown.iter().copied() };
    let (mut query, mut authorized) = (query.clone(), String::new());
    if how % 4 == 3 {
        query = presigned_query(&signer, &head, &hash, 900, None);
    } else {
        authorized = format!("authorization: {}\r\n", authorization(&signer, &head, &hash));
    }
    let question = if query.is_empty() { "" } else { "?" };
    let mut sent = format!("{method} {path}{question}{query} HTTP/1.1\r\nconnection: close\r\n{authorized}");
    for (name, value) in &headers {
        sent.push_str(&format!("{name}: {value}\r\n"));
    }
    sent.push_str("\r\n");
    let mut sent = sent.into_bytes();
    sent.extend_from_slice(body);
    Bytes::new(edits).edit(&mut sent);
    sent
}

fn date() -> AmzDate {
    AmzDate::from_timestamp(now())
}

/// Events that nobody reads again; each is JSON.
struct Forgotten;

impl Trail for Forgotten {
    fn append(&self, event: Vec<u8>) -> TrailFuture<'_> {
        assert!(serde_json::from_slice::<serde_json::Value>(&event).is_ok(), "{}", event.escape_ascii());
        Box::pin(core::future::ready(Ok(())))
    }
}

/// The address of the server, which is started with the first request.
fn server() -> SocketAddr {
    static SERVER: OnceLock<SocketAddr> = OnceLock::new();
    *SERVER.get_or_init(|| {
        let world = World::default();
        world.user_with(world.root.account(), "carol", Has::allowed("*", "*"));
        let key = world.key();
        world.done(Operation::CreateAlias, json!({"AliasName": "alias/a", "TargetKeyId": key}));
        let endpoint = Arc::new(endpoint(Arc::clone(&world.service)));
        let limits = Limits { head: Duration::from_secs(2), body: Duration::from_secs(2), ..Limits::DEFAULT };
        let maker = move || Ok(Api::new(endpoint, Forgotten));
        let workers = Workers::start(vec![maker], None, limits).expect("a thread starts");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("it has an address");
        listener.set_nonblocking(true).expect("it does not block");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::from_std(listener).expect("it is taken");
                workers.accept(listener, core::future::pending()).await;
            });
        });
        address
    })
}

fn endpoint(service: Arc<Service>) -> Endpoint {
    Endpoint {
        service,
        account: "111122223333".parse().expect("an account"),
        regions: Vec::new(),
        home: REGION.parse().expect("a Region"),
        metrics: Arc::new(Metrics::default()),
        limits: Limits { head: Duration::from_secs(2), body: Duration::from_secs(2), ..Limits::DEFAULT },
        random: Arc::new(SystemRandom),
        clock: now,
        signature_clock: now,
        audit: Some(AuditTrail { names: names(), archive: Arc::new(SmallArchive) }),
        trail_state: Box::new(|| TrailState::Taking),
        monitoring: Monitoring { metrics: Arc::new(Waves), alarm_set: Arc::default() },
        trace: None,
        test_mode: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_here_is_let_through_by_each_service() {
        for (asked, expected) in [
            (b"\x00\x00POST\n/\n\nx-amz-target:TrentService.ListKeys\n\n{}".as_slice(), "\"Keys\""),
            (b"\x01\x00POST\n/\n\ncontent-type:application/x-www-form-urlencoded\n\nAction=ListUsers&Version=2010-05-08", "carol"),
            (b"\x02\x03GET\n/\nAction=GetCallerIdentity&Version=2011-06-15\n\n", "user/carol"),
            (b"\x03\x00POST\n/\n\nx-amz-target:CloudTrail_20131101.LookupEvents\n\n{}", "\"Events\""),
            (b"\x05\x00GET\n/keyreeve-trail\nlist-type=2\n\n", "<ListBucketResult"),
            (b"\x05\x03GET\n/keyreeve-trail\nlist-type=2\n\n", "<ListBucketResult"),
        ] {
            let answer = exchange(server(), &signed(asked));
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(expected), "{answer}");
        }
    }

    #[test]
    fn what_is_changed_after_it_was_signed_is_not() {
        let asked = b"\x00\x00POST\n/\n\nx-amz-target:TrentService.ListKeys\n\n{}\0\x02\xff\xff";
        let answer = exchange(server(), &signed(asked));
        assert!(!answer.starts_with(b"HTTP/1.1 200 "), "{}", answer.escape_ascii());
    }
}
