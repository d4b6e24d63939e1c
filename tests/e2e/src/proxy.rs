//! A proxy as it stands in front of servers: it hands requests of a kind to them in turn, and passes over one that doesn't
//! answer. It can lose replies: the server has done its work and answered, and the client hears nothing. Requests
//! below `/sandbox` go to the sandbox.

use crate::{Error, Result};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Longer than any answer takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A proxy that listens. Its threads end with the test's process.
#[derive(Debug)]
pub struct Proxy {
    listener: TcpListener,
    origin: String,
    journal: Arc<Journal>,
}

/// A request that went through to a server, and what the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Method and path.
    pub request: String,
    /// The idempotency key.
    pub operation: Option<String>,
    /// Which of the servers answered.
    pub server: usize,
    /// The answer's body.
    pub answer: String,
    /// Whether the client never got it.
    pub is_lost: bool,
}

/// What the proxy has passed on, and what it is still to lose.
#[derive(Debug, Default)]
struct Journal {
    exchanges: Mutex<Vec<Exchange>>,
    losses: Mutex<Losses>,
}

/// The requests whose replies are to be lost: method and path, and how many of them.
#[derive(Debug, Default)]
struct Losses {
    request: String,
    count: usize,
}

struct Backends {
    sandbox: SocketAddr,
    servers: Vec<SocketAddr>,
    /// How many requests of each kind came. Turns by kind: where a client always sends the same few requests, turns over all of
    /// them would send each kind to the same server for ever.
    turns: Mutex<HashMap<String, usize>>,
}

/// A request as it came, but for what it says of its connection.
struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
    name: String,
    operation: Option<String>,
}

impl Proxy {
    /// Takes a port. Who connects before [`Self::serve`] waits.
    pub fn listen() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(Error::io("listening"))?;
        let address = listener.local_addr().map_err(Error::io("listening"))?;
        Ok(Self {
            listener,
            origin: format!("http://{address}"),
            journal: Arc::default(),
        })
    }

    /// What clients know it by.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Serves from now on: requests below `/sandbox` from there, all others from the servers in turn.
    pub fn serve(&self, sandbox: SocketAddr, servers: Vec<SocketAddr>) -> Result<()> {
        let listener = self.listener.try_clone().map_err(Error::io("listening"))?;
        let journal = Arc::clone(&self.journal);
        let backends = Arc::new(Backends {
            sandbox,
            servers,
            turns: Mutex::default(),
        });
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (backends, journal) = (Arc::clone(&backends), Arc::clone(&journal));
                // A connection that breaks is for its client to notice, as with any proxy.
                thread::spawn(move || pass_on(&backends, &journal, client).ok());
            }
        });
        Ok(())
    }

    /// Loses the next replies to this request, named like `POST /v1/credentials`, that say that it was done.
    pub fn lose_replies(&self, request: &str, count: usize) {
        let mut losses = self.journal.losses.lock().unwrap_or_else(PoisonError::into_inner);
        *losses = Losses {
            request: request.to_owned(),
            count,
        };
    }

    /// All that servers have answered so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        let exchanges = self.journal.exchanges.lock();
        exchanges.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The answers to this request, named like `POST /v1/credentials`.
    pub fn exchanges_of(&self, request: &str) -> Vec<Exchange> {
        let mut exchanges = self.exchanges();
        exchanges.retain(|exchange| exchange.request == request);
        exchanges
    }
}

/// One request and its answer; the connection ends with it, so that the next request is another server's.
fn pass_on(backends: &Backends, journal: &Journal, mut client: TcpStream) -> std::io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let request = Request::read(&client)?;
    if request
        .name
        .split(' ')
        .nth(1)
        .is_some_and(|path| path.starts_with("/sandbox"))
    {
        let answer = request.send(TcpStream::connect(backends.sandbox)?)?;
        return client.write_all(&answer);
    }
    let (server, connection) = backends.next(&request.name)?;
    let answer = request.send(connection)?;
    let is_lost = journal.note(request, server, &answer);
    if is_lost {
        Ok(())
    } else {
        client.write_all(&answer)
    }
}

impl Request {
    fn read(client: &TcpStream) -> std::io::Result<Self> {
        let mut reader = BufReader::new(client);
        let (mut head, mut length, mut operation) = (Vec::new(), 0, None);
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(first.as_bytes());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            match (name.to_ascii_lowercase().as_str(), value.trim()) {
                ("connection", _) => continue,
                ("content-length", value) => length = value.parse().unwrap_or(0),
                ("idempotency-key", value) => operation = Some(value.to_owned()),
                _ => {}
            }
            head.extend_from_slice(line.as_bytes());
        }
        head.extend_from_slice(b"connection: close\r\n\r\n");
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let words: Vec<&str> = first.split(' ').take(2).collect();
        Ok(Self {
            head,
            body,
            name: words.join(" "),
            operation,
        })
    }

    fn send(&self, mut server: TcpStream) -> std::io::Result<Vec<u8>> {
        server.set_read_timeout(Some(PATIENCE))?;
        server.write_all(&self.head)?;
        server.write_all(&self.body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

impl Backends {
    /// The next server for requests of this kind that takes a connection.
    fn next(&self, kind: &str) -> std::io::Result<(usize, TcpStream)> {
        let count = self.servers.len();
        let first = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = turns.entry(kind.to_owned()).or_default();
            *turn += 1;
            *turn
        };
        let mut refused = std::io::ErrorKind::NotConnected.into();
        for index in (first..first + count).map(|turn| turn % count) {
            match TcpStream::connect(self.servers[index]) {
                Ok(server) => return Ok((index, server)),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

impl Journal {
    /// Notes an answer, and says whether it is to be lost.
    fn note(&self, request: Request, server: usize, answer: &[u8]) -> bool {
        let answer = String::from_utf8_lossy(answer);
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let is_done = answer
            .split(' ')
            .nth(1)
            .is_some_and(|status| status.starts_with('2'));
        let is_lost = is_done && losses.count > 0 && losses.request == request.name;
        if is_lost {
            losses.count -= 1;
        }
        let exchange = Exchange {
            request: request.name,
            operation: request.operation,
            server,
            answer: answer
                .split_once("\r\n\r\n")
                .map_or_else(String::new, |(_, body)| body.to_owned()),
            is_lost,
        };
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.push(exchange);
        is_lost
    }
}
