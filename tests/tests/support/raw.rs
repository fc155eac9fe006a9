//! HTTP byte by byte, for what no client library sends.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's first value; `name` is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A request with its head as it is to be sent.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Sends `bytes` and reads the one answer.
pub fn exchange(port: u16, bytes: &[u8]) -> Answer {
    try_exchange(port, bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes[..bytes.len().min(300)])))
}

/// The same, where there may be nobody, or nothing that could be answered.
pub fn try_exchange(port: u16, bytes: &[u8]) -> std::io::Result<Answer> {
    send(port, bytes, false)
}

/// The same, and then nothing more comes: what is begun is never finished.
pub fn cut_off(port: u16, bytes: &[u8]) -> std::io::Result<Answer> {
    send(port, bytes, true)
}

fn send(port: u16, bytes: &[u8], end: bool) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    stream.write_all(bytes)?;
    if end {
        stream.shutdown(Shutdown::Write)?;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let invalid = |what| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(|| invalid("no answer"))?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| invalid("no status"))?;
    Ok(Answer { status, head, body: answer.split_off(end + 4) })
}
