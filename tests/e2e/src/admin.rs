//! One request to a loopback server, JSON in and out: all that tests need of HTTP.

use crate::{Error, Result};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Sends a request and returns the answer's JSON; anything but a 2xx status is an error that shows the answer.
pub(crate) fn request(port: u16, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let doing = || format!("{method} {path}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(Error::io(doing()))?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .map_err(Error::io(doing()))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .map_err(Error::io(doing()))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(Error::io(doing()))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| Error::answer(doing(), &answer))?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        return Err(Error::answer(format!("{} answered {status}", doing()), body));
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(body).map_err(|_| Error::answer(format!("{} answered no JSON", doing()), body))
}
