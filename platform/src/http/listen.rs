//! Taking an address to listen on.

use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted. The system's usual 128 are too few where a canteen's phones come back to the
/// network at once: beyond it connections are reset. The system may allow fewer (`net.core.somaxconn`).
const WAITING: u32 = 4096;

/// Takes the address, also one that a process which has just ended had.
///
/// # Errors
/// Where the address is another's, or not this machine's.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_thousand_connections_wait_to_be_accepted_and_none_is_lost() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = async || {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"1").await.unwrap();
            stream
        };
        let mut clients = join_all((0..1_000).map(|_| connect())).await;
        for _ in 0..1_000 {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), b'1');
            stream.write_all(b"2").await.unwrap();
        }
        for client in &mut clients {
            assert_eq!(client.read_u8().await.unwrap(), b'2');
        }
    }
}
