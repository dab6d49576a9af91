//! One connection: write the bytes of a request, read one answer.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where to connect, and how.
#[derive(Clone)]
pub(crate) struct Target {
    /// `HOST:PORT`.
    pub(crate) address: String,
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Target {
    /// A new connection.
    pub(crate) async fn connect(&self) -> io::Result<Connection> {
        let tcp = TcpStream::connect(&self.address).await?;
        tcp.set_nodelay(true)?;
        let stream = match &self.tls {
            None => Stream::Plain(tcp),
            Some((config, name)) => Stream::Tls(Box::new(
                TlsConnector::from(Arc::clone(config)).connect(name.clone(), tcp).await?,
            )),
        };
        Ok(Connection { stream, buffer: vec![0; 1 << 16] })
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection and the buffer its answers are read into.
pub(crate) struct Connection {
    stream: Stream,
    buffer: Vec<u8>,
}

/// What an answer said.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The name of the error, where the body has one.
    pub(crate) error: Option<String>,
    /// Whether the server keeps the connection.
    pub(crate) keep: bool,
}

impl Connection {
    /// Send one request and read its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.exchange_parsed(request).await.map(|(answer, _)| answer)
    }

    /// Send one request; its answer and the body of that.
    pub(crate) async fn call(&mut self, request: &[u8]) -> io::Result<(Answer, &[u8])> {
        let (answer, body) = self.exchange_parsed(request).await?;
        Ok((answer, self.buffer.get(body).unwrap_or_default()))
    }

    async fn exchange_parsed(&mut self, request: &[u8]) -> io::Result<(Answer, Range<usize>)> {
        match &mut self.stream {
            Stream::Plain(stream) => exchange(stream, &mut self.buffer, request).await,
            Stream::Tls(stream) => exchange(stream, &mut self.buffer, request).await,
        }
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    request: &[u8],
) -> io::Result<(Answer, Range<usize>)> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
        let free = buffer.get_mut(filled..).unwrap_or_default();
        match stream.read(free).await? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            more => filled += more,
        }
        if let Some(answer) = parse(buffer.get(..filled).unwrap_or_default())? {
            return Ok(answer);
        }
    }
}

/// The answer in these bytes, once it is whole, and where its body is.
fn parse(bytes: &[u8]) -> io::Result<Option<(Answer, Range<usize>)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(head) = parsed else { return Ok(None) };
    let header = |name: &str| response.headers.iter().find(|each| each.name.eq_ignore_ascii_case(name));
    let length =
        header("content-length").and_then(|each| str::from_utf8(each.value).ok()?.parse::<usize>().ok());
    let length =
        length.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "an answer without a length"))?;
    let place = head..head.saturating_add(length);
    let Some(body) = bytes.get(place.clone()) else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let keep = !header("connection").is_some_and(|each| each.value.eq_ignore_ascii_case(b"close"));
    let error = if status == 200 { None } else { error_name(body) };
    Ok(Some((Answer { status, error, keep }, place)))
}

/// What `__type` says, without what stands before a `#`.
fn error_name(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let name = body.get("__type")?.as_str()?;
    Some(name.rsplit('#').next().unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 36\r\n\r\n{\"__type\":\"com.x#NotFoundException\"}";
        let (answer, body) = parse(text).unwrap().unwrap();
        assert_eq!(&text[body], b"{\"__type\":\"com.x#NotFoundException\"}");
        assert_eq!(answer, Answer { status: 400, error: Some("NotFoundException".to_owned()), keep: false });
        for length in 0..text.len() {
            assert_eq!(parse(&text[..length]).unwrap(), None, "{length}");
        }
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse(b"nonsense\r\n\r\n").is_err());
    }
}
