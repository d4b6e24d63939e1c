//! One request to a loopback server, JSON in and out: all that tests need of HTTP.

use crate::{Error, Result};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Names and values, beside those that every request has.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a str,
}

/// What came back, whatever the status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body, as it came.
    pub body: String,
    head: String,
}

impl Request<'_> {
    /// Sends it on a connection of its own.
    pub(crate) fn send(&self, port: u16) -> Result<Reply> {
        let Self { method, path, .. } = self;
        let doing = || format!("{method} {path}");
        let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(Error::io(doing()))?;
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .map_err(Error::io(doing()))?;
        let mut whole = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.body.len()
        );
        for (name, value) in self.headers {
            whole += &format!("{name}: {value}\r\n");
        }
        whole += "\r\n";
        whole += self.body;
        stream.write_all(whole.as_bytes()).map_err(Error::io(doing()))?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(Error::io(doing()))?;
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .ok_or_else(|| Error::answer(doing(), &answer))?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(Reply {
            status: status.ok_or_else(|| Error::answer(doing(), head))?,
            body: body.to_owned(),
            head: head.to_owned(),
        })
    }
}

impl Reply {
    /// The value of a header, if it has one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }

    /// The JSON of the body, whatever the status; null where it is empty.
    pub fn json(&self) -> Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&self.body).map_err(|_| Error::answer("no JSON", &self.body))
    }

    /// The JSON of the body. Anything but a 2xx status is an error that shows the answer.
    pub fn ok(&self) -> Result<Value> {
        if self.is_success() {
            self.json()
        } else {
            Err(Error::answer(format!("answered {}", self.status), &self.body))
        }
    }

    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        self.status / 100 == 2
    }
}

/// Sends JSON and returns JSON; anything but a 2xx status is an error that shows the answer.
pub(crate) fn request(port: u16, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let reply = Request {
        method,
        path,
        headers: &[("content-type", "application/json")],
        body: &body.map(Value::to_string).unwrap_or_default(),
    }
    .send(port)?;
    reply
        .ok()
        .map_err(|error| Error::answer(format!("{method} {path}"), error))
}
