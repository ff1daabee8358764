//! A port for a program that needs the number of a port to listen on.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpSocket;

/// A free port on loopback. While this is kept, the system gives it to no program that asks for any
/// port.
///
/// If a port is only checked to be free, another program may use it by the time the program
/// listens, and clients of the program then reach the other one. This port is bound without
/// listening. Connections to it are refused until a program that sets `SO_REUSEADDR`, as servers
/// do, listens.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let reserved = simulator::ReservedPort::new()?;
/// assert!(std::net::TcpStream::connect(("127.0.0.1", reserved.port())).is_err());
/// let listener = std::net::TcpListener::bind(("127.0.0.1", reserved.port()))?;
/// assert!(std::net::TcpStream::connect(listener.local_addr()?).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReservedPort {
    _kept: TcpSocket,
    port: u16,
}

impl ReservedPort {
    /// Reserves a port that the system chooses.
    ///
    /// # Errors
    ///
    /// Returns an error if no port is free, or no socket is available. Nothing is reserved.
    pub fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let port = socket.local_addr()?.port();
        Ok(Self { _kept: socket, port })
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_given_a_reserved_port_by_chance() {
        let reserved = ReservedPort::new().unwrap();
        let other = TcpSocket::new_v4().unwrap();
        let refused = other.bind((Ipv4Addr::LOCALHOST, reserved.port()).into()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    }
}
