//! One connection to Lambda's API: HTTP/1.1 (RFC 9112), as far as one client needs it that asks one thing at a time.
//!
//! A general client costs a function more than its own work does (docs/decisions/0044). Heads and chunk sizes are read by
//! `httparse`.

use std::io::{Error, ErrorKind, Result, Write as _};

use bytes::{Buf as _, Bytes, BytesMut};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::error::RuntimeError;

const USER_AGENT: &str = concat!("keygate/", env!("CARGO_PKG_VERSION"));
/// What an answer has at most.
const MAX_HEADERS: usize = 64;
const MAX_HEAD: usize = 64 * 1024;
/// As much as most events have.
const ROOM: usize = 4 * 1024;
/// Ten times what an event may have.
const MAX_BODY: usize = 64 << 20;

/// A connection that is made when it is needed, and made anew when the other side has closed it between two calls.
pub(crate) struct Connection {
    /// `host:port`.
    authority: String,
    /// What stands before every path: cargo-lambda tells functions apart by it.
    base: String,
    open: Option<Open>,
    /// The request under way.
    request: Vec<u8>,
}

/// What is asked.
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
    /// A header beside those that every request has.
    pub(crate) header: Option<(&'static str, &'a str)>,
    pub(crate) body: &'a [u8],
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The value of the header that was asked for.
    pub(crate) header: Option<String>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

struct Open {
    stream: TcpStream,
    /// What has arrived and was not read yet.
    arrived: BytesMut,
}

/// What stands before an answer's body.
struct Head {
    status: u16,
    header: Option<String>,
    length: Length,
    /// Whether the connection ends with this answer.
    is_last: bool,
}

/// How long a body is (RFC 9112, section 6.3).
enum Length {
    Known(usize),
    Chunked,
    ToTheEnd,
}

impl Connection {
    /// To `host:port`, with a path perhaps, or `http://` before it: cargo-lambda has both.
    pub(crate) fn to(api: &str) -> Self {
        let api = api.strip_prefix("http://").unwrap_or(api);
        let (authority, base) = api.split_at(api.find('/').unwrap_or(api.len()));
        let (authority, base) = (authority.to_owned(), base.trim_end_matches('/').to_owned());
        Self { authority, base, open: None, request: Vec::new() }
    }

    /// Asks, and waits for the answer, however long it takes. `header` is the one of the answer that is wanted, in small letters.
    pub(crate) async fn call(
        &mut self,
        request: Request<'_>,
        header: &str,
    ) -> std::result::Result<Answer, RuntimeError> {
        self.write(&request);
        let open = match &mut self.open {
            Some(open) if open.is_open() => open,
            // Nothing has been sent over it.
            _ => self.open.insert(Open::connect(&self.authority).await.map_err(RuntimeError::Unreachable)?),
        };
        // Who refuses a body that is too long answers before all of it has arrived, and may listen no more: the answer counts.
        let sent = open.stream.write_all(&self.request).await;
        let (answer, is_last) = open.answer(header).await.map_err(RuntimeError::Broken)?;
        if is_last || sent.is_err() {
            self.open = None;
        }
        Ok(answer)
    }

    fn write(&mut self, request: &Request<'_>) {
        let Request { method, path, header, body } = request;
        let (host, base, length) = (&self.authority, &self.base, body.len());
        self.request.clear();
        // Writing into a vector does not fail.
        let _ = write!(
            self.request,
            "{method} {base}{path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: {USER_AGENT}\r\ncontent-length: {length}\r\n"
        );
        if let Some((name, value)) = header {
            let _ = write!(self.request, "{name}: {value}\r\n");
        }
        self.request.extend_from_slice(b"\r\n");
        self.request.extend_from_slice(body);
    }
}

impl Open {
    async fn connect(authority: &str) -> Result<Self> {
        let stream = TcpStream::connect(authority).await?;
        // A request's last bytes would wait for the other side's acknowledgement.
        stream.set_nodelay(true)?;
        Ok(Self { stream, arrived: BytesMut::new() })
    }

    /// Whether nothing has been heard of its end. The kernel is asked: the event loop may not have turned since.
    fn is_open(&self) -> bool {
        let heard = recv(&self.stream, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        matches!(heard, Err(Errno::WOULDBLOCK))
    }

    /// The next answer, and whether it is the last.
    async fn answer(&mut self, header: &str) -> Result<(Answer, bool)> {
        let Head { status, header, length, is_last } = self.head(header).await?;
        let body = match length {
            Length::Known(length) => self.bytes(length).await?,
            Length::Chunked => self.chunks().await?,
            Length::ToTheEnd => self.rest().await?,
        };
        Ok((Answer { status, header, body }, is_last))
    }

    async fn head(&mut self, header: &str) -> Result<Head> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut parsed = httparse::Response::new(&mut headers);
            match parsed.parse(&self.arrived).map_err(Error::other)? {
                httparse::Status::Complete(read) => {
                    let head = Head::of(&parsed, header)?;
                    self.arrived.advance(read);
                    // Whoever says "wait" answers after that (RFC 9110, section 15.2).
                    if head.status >= 200 {
                        return Ok(head);
                    }
                }
                httparse::Status::Partial if self.arrived.len() > MAX_HEAD => {
                    return Err(malformed("a head without end"));
                }
                httparse::Status::Partial => self.more().await?,
            }
        }
    }

    /// So many bytes.
    async fn bytes(&mut self, count: usize) -> Result<Bytes> {
        if count > MAX_BODY {
            return Err(malformed("a body without end"));
        }
        while self.arrived.len() < count {
            self.arrived.reserve(count - self.arrived.len());
            self.more().await?;
        }
        Ok(self.arrived.split_to(count).freeze())
    }

    /// A body in chunks (RFC 9112, section 7.1).
    async fn chunks(&mut self) -> Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            match httparse::parse_chunk_size(&self.arrived).map_err(|_| malformed("a chunk without a size"))? {
                httparse::Status::Partial => self.more().await?,
                httparse::Status::Complete((read, 0)) => {
                    self.arrived.advance(read);
                    self.trailers().await?;
                    return Ok(body.freeze());
                }
                httparse::Status::Complete((read, size)) => {
                    self.arrived.advance(read);
                    let size = usize::try_from(size).map_err(Error::other)?;
                    body.extend_from_slice(&self.bytes(size).await?);
                    if &self.bytes(2).await?[..] != b"\r\n" {
                        return Err(malformed("a chunk without an end"));
                    }
                }
            }
        }
    }

    /// What stands behind the last chunk, up to an empty line.
    async fn trailers(&mut self) -> Result<()> {
        loop {
            match self.arrived.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let line = self.arrived.split_to(end + 1);
                    if line.as_ref() == b"\r\n" {
                        return Ok(());
                    }
                }
                None => self.more().await?,
            }
        }
    }

    async fn rest(&mut self) -> Result<Bytes> {
        while self.stream.read_buf(&mut self.arrived).await? > 0 {}
        Ok(self.arrived.split().freeze())
    }

    /// Waits for more.
    async fn more(&mut self) -> Result<()> {
        // An event arrives in one piece where there is room for it, and the room of the last one is free by now.
        if self.arrived.capacity() - self.arrived.len() < ROOM {
            self.arrived.reserve(4 * ROOM);
        }
        match self.stream.read_buf(&mut self.arrived).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl Head {
    fn of(parsed: &httparse::Response<'_, '_>, wanted: &str) -> Result<Self> {
        let status = parsed.code.unwrap_or_default();
        let mut head = Self { status, header: None, length: Length::ToTheEnd, is_last: parsed.version != Some(1) };
        for header in parsed.headers.iter() {
            let value = || std::str::from_utf8(header.value).map_err(Error::other);
            if header.name.eq_ignore_ascii_case(wanted) {
                head.header = Some(value()?.to_owned());
            } else if header.name.eq_ignore_ascii_case("content-length") {
                // A body in chunks has none, and its chunks count (RFC 9112, section 6.3).
                if !matches!(head.length, Length::Chunked) {
                    head.length = Length::Known(value()?.trim().parse().map_err(Error::other)?);
                }
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                if !value()?.trim().eq_ignore_ascii_case("chunked") {
                    return Err(malformed("a body in a coding that was not asked for"));
                }
                head.length = Length::Chunked;
            } else if header.name.eq_ignore_ascii_case("connection") {
                head.is_last |= value()?.split(',').any(|option| option.trim().eq_ignore_ascii_case("close"));
            }
        }
        if status < 200 || matches!(status, 204 | 304) {
            head.length = Length::Known(0);
        }
        head.is_last |= matches!(head.length, Length::ToTheEnd);
        Ok(head)
    }
}

fn malformed(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// Where Lambda says that its API is.
pub(crate) fn api_from_env() -> std::result::Result<String, RuntimeError> {
    std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(|_| RuntimeError::NotOnLambda)
}
