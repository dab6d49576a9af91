//! Connections that there is no place for: an answer that lets clients come again, instead of silence.
//!
//! Nobody is authenticated and nothing is written to the trail: of a request no more is read than tells which form its client
//! understands. Each refusal is over within [`WAIT`] and [`LINGER`], and no more than so many are under way; who comes beyond is told
//! the same without waiting, and may miss it.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::cell::RefCell;
use std::sync::Arc;

use keyreeve_audit::event::Uuid;
use keyreeve_crypto::random::SystemRandom;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::ids::Ids;

/// The connections that are refused.
pub(crate) struct Refusals {
    under_way: Arc<Semaphore>,
    /// Whether clients expect TLS, and could not read what is not.
    is_tls: bool,
    ids: RefCell<Ids>,
    count: Arc<AtomicU64>,
}

impl Refusals {
    /// As many as `most` under way; `count` counts all.
    pub(crate) fn new(most: usize, is_tls: bool, count: Arc<AtomicU64>) -> Self {
        let (under_way, ids) = (Arc::new(Semaphore::new(most)), RefCell::new(Ids::new()));
        Self { under_way, is_tls, ids, count }
    }

    /// Refuses a connection, and waits for nothing.
    pub(crate) fn refuse(&self, stream: TcpStream) {
        self.count.fetch_add(1, Ordering::Relaxed);
        if self.is_tls {
            return;
        }
        let Ok(id) = self.ids.borrow_mut().next(&SystemRandom) else { return };
        match Arc::clone(&self.under_way).try_acquire_owned() {
            Ok(permit) => {
                tokio::spawn(async move {
                    // Whatever fails, the client is gone.
                    tell(stream, id).await.unwrap_or_default();
                    drop(permit);
                });
            }
            Err(_none_left) => {
                // What is not read when a connection is closed has the system reset it, and the answer with it.
                let mut head = [0; HEAD];
                let read = stream.try_read(&mut head).unwrap_or_default();
                stream.try_write(&answer(head.get(..read).unwrap_or_default(), &id)).unwrap_or_default();
            }
        }
    }
}

/// Waits for a request, answers it, and reads on for a while: a connection that is closed before all is read is reset, and its
/// client may never see the answer. Clients that reuse connections take an answer before their request for a mistake.
async fn tell(mut stream: TcpStream, id: Uuid) -> std::io::Result<()> {
    let mut buffer = [0; HEAD];
    let read = match tokio::time::timeout(WAIT, stream.read(&mut buffer)).await {
        Ok(read) => match read? {
            0 => return Ok(()),
            read => read,
        },
        // Whoever waits for the other side to begin is told, too.
        Err(_late) => 0,
    };
    stream.write_all(&answer(buffer.get(..read).unwrap_or_default(), &id)).await?;
    stream.shutdown().await?;
    let rest = async {
        let mut taken = 0;
        while taken < LINGER_BYTES {
            match stream.read(&mut buffer).await? {
                0 => break,
                read => taken += read,
            }
        }
        Ok(())
    };
    tokio::time::timeout(LINGER, rest).await.unwrap_or(Ok(()))
}

/// What a client is told whose request begins so: nothing where it speaks HTTP/2.
fn answer(head: &[u8], id: &Uuid) -> Vec<u8> {
    if head.starts_with(b"PRI ") {
        return Vec::new();
    }
    // The process lives, and whoever ends processes that do not should not end this one.
    if head.starts_with(b"GET /livez ") {
        return respond("200 OK", "Content-Type: text/plain; charset=utf-8\r\n", "ok\n");
    }
    let is_form = head.windows(FORM.len()).any(|part| part.eq_ignore_ascii_case(FORM));
    // AWS: unverified. The code and the text are those of the errors that all services have in common.
    let (content_type, body) = match is_form {
        true => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailable</Code><Message>{MESSAGE}</Message></Error>\
                 <RequestId>{}</RequestId></ErrorResponse>",
                id.as_str()
            ),
        ),
        false => (
            "application/x-amz-json-1.1",
            format!(r#"{{"__type":"ServiceUnavailableException","message":"{MESSAGE}"}}"#),
        ),
    };
    let headers = format!(
        "Content-Type: {content_type}\r\nx-amzn-requestid: {}\r\nRetry-After: 1\r\nCache-Control: no-store\r\n",
        id.as_str()
    );
    respond("503 Service Unavailable", &headers, &body)
}

fn respond(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// What IAM, STS and CloudWatch are asked in.
const FORM: &[u8] = b"application/x-www-form-urlencoded";
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>.
const MESSAGE: &str = "The request has failed due to a temporary failure of the server.";
/// Bytes of a request that are looked at.
const HEAD: usize = 2048;
/// Time for the first of them.
const WAIT: Duration = Duration::from_secs(1);
/// Time, and bytes, that are read after the answer.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_has_the_form_that_the_client_reads() {
        let id = Uuid::from_random([7; 16]);
        for (head, begins, ends) in [
            (
                "",
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/x-amz-json-1.1\r\n",
                "server.\"}",
            ),
            (
                "POST / HTTP/1.1\r\nContent-Type: application/x-amz-json-1.1\r\n",
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/x-amz-json-1.1\r\n",
                "server.\"}",
            ),
            (
                "POST / HTTP/1.1\r\ncontent-type: Application/x-www-form-urlencoded; charset=utf-8\r\n",
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/xml\r\n",
                "</ErrorResponse>",
            ),
            ("GET /livez HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nok\n"),
            ("GET /livezz HTTP/1.1\r\n", "HTTP/1.1 503 ", "server.\"}"),
            ("PRI * HTTP/2.0\r\n\r\n", "", ""),
        ] {
            let told = String::from_utf8(answer(head.as_bytes(), &id)).unwrap();
            assert!(told.starts_with(begins) && told.ends_with(ends), "{head}: {told}");
            let Some((_, body)) = told.split_once("\r\n\r\n") else { continue };
            assert!(told.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{told}");
        }
    }
}
