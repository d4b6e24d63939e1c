//! Where the books are: a file of SQLite, or a database of PostgreSQL.
//!
//! A URL of PostgreSQL carries a password. It is handed to the driver and to nothing else: what is printed, logged or
//! told in an error leaves it out.

use super::ConfigError;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use url::Url;

/// What a URL of PostgreSQL may say after its question mark. Others could send the connection elsewhere, past the rule
/// about TLS.
const PARAMETERS: [&str; 5] = ["host", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// A database that this build can open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file, for one server process.
    Sqlite(PathBuf),
    /// A PostgreSQL server, for as many server processes as there are.
    Postgres(PostgresUrl),
}

impl DatabaseUrl {
    /// Reads `sqlite://` and a path, or `postgres://user:password@host:port/name`.
    ///
    /// # Errors
    /// Where it is neither, or would reach PostgreSQL on another machine without checking its certificate.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return match path.is_empty() || path.contains(['?', '#', '%']) || path == ":memory:" {
                true => Err(ConfigError::Database("not the path of a file")),
                false => Ok(Self::sqlite_file(path)),
            };
        }
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => PostgresUrl::parse(text).map(Self::Postgres),
            _ => Err(ConfigError::Database("not of a kind that is known here")),
        }
    }

    /// The database in this file.
    pub fn sqlite_file(file: impl Into<PathBuf>) -> Self {
        Self::Sqlite(file.into())
    }

    /// The folder in which it lies, where it lies in one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(file) => file.parent(),
            Self::Postgres(_) => None,
        }
    }
}

/// A database of a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

impl PostgresUrl {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut url = Url::parse(text).map_err(|_| ConfigError::Database("not a URL"))?;
        if url.path().trim_start_matches('/').is_empty() {
            return Err(ConfigError::Database("the name of the database is missing"));
        }
        if url
            .query_pairs()
            .any(|(name, _)| !PARAMETERS.contains(&name.as_ref()))
        {
            return Err(ConfigError::Database(
                "of parameters only host, sslmode, sslrootcert, sslcert and sslkey are taken",
            ));
        }
        let parameter = |name: &str| {
            let found = url.query_pairs().find(|(given, _)| given == name);
            found.map(|(_, value)| value.into_owned())
        };
        let is_local = match (parameter("host"), url.host_str()) {
            (Some(socket), _) if !socket.starts_with('/') => {
                return Err(ConfigError::Database(
                    "the parameter host is for a socket's folder",
                ));
            }
            (Some(_), _) => true,
            (None, Some(host)) if !host.is_empty() => is_this_machine(host),
            (None, _) => return Err(ConfigError::Database("the host is missing")),
        };
        match (is_local, parameter("sslmode").as_deref()) {
            (true, _) | (false, Some("verify-ca" | "verify-full")) => {}
            (false, None) => {
                url.query_pairs_mut().append_pair("sslmode", "verify-full");
            }
            (false, Some(_)) => {
                return Err(ConfigError::Database(
                    "on another machine, sslmode must be verify-full or verify-ca",
                ));
            }
        }
        Ok(Self(url))
    }

    /// The whole URL, with its password: for the driver alone.
    pub(crate) fn with_password(&self) -> &Url {
        &self.0
    }
}

/// Whether a host is this machine: loopback, or the folder of a socket, which is written percent-encoded.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    host == "localhost" || is_loopback || host.to_ascii_lowercase().starts_with("%2f")
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.0;
        write!(
            f,
            "postgres://{}{}",
            url.host_str().unwrap_or_default(),
            url.path()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &str) -> Option<String> {
        match DatabaseUrl::parse(text).unwrap() {
            DatabaseUrl::Postgres(url) => url
                .with_password()
                .query_pairs()
                .find(|(name, _)| name == "sslmode")
                .map(|(_, value)| value.into_owned()),
            DatabaseUrl::Sqlite(file) => panic!("{file:?}"),
        }
    }

    #[test]
    fn databases_of_other_kinds_or_in_halves_are_refused() {
        for text in [
            "",
            "mysql://x/y",
            "sqlite://",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:///a?mode=ro",
            "postgres://",
            "postgres://localhost",
            "postgres://localhost/",
            "postgres:///yika",
            "postgres://localhost:port/yika",
            "postgres://localhost/yika?password=secret",
            "postgres://localhost/yika?hostaddr=10.0.0.1",
            "postgres://localhost/yika?host=db.campus.example",
        ] {
            assert!(
                matches!(DatabaseUrl::parse(text), Err(ConfigError::Database(_))),
                "{text}"
            );
        }
        let file = DatabaseUrl::parse("sqlite:///var/yika.db").unwrap();
        assert_eq!(file, DatabaseUrl::sqlite_file("/var/yika.db"));
        assert_eq!(file.folder(), Some(Path::new("/var")));
    }

    #[test]
    fn a_database_on_another_machine_is_reached_with_its_certificate_checked() {
        assert_eq!(mode("postgres://db.campus.example/yika").unwrap(), "verify-full");
        assert_eq!(
            mode("postgres://10.0.0.1/yika?sslmode=verify-ca&sslrootcert=/etc/ca.pem").unwrap(),
            "verify-ca"
        );
        for weaker in ["disable", "allow", "prefer", "require"] {
            let text = format!("postgres://db.campus.example/yika?sslmode={weaker}");
            assert!(DatabaseUrl::parse(&text).is_err(), "{weaker}");
        }
    }

    #[test]
    fn on_this_machine_tls_is_not_asked_for() {
        for text in [
            "postgres://localhost/yika",
            "postgresql://u:p@127.0.0.1:5433/yika",
            "postgres://[::1]/yika",
            "postgres://%2Frun%2Fpostgresql/yika",
            "postgres://u@localhost/yika?host=/run/postgresql",
        ] {
            assert_eq!(mode(text), None, "{text}");
        }
    }

    #[test]
    fn the_password_is_neither_in_debug_nor_in_an_error() {
        let url = DatabaseUrl::parse("postgres://yika:s3cret@localhost/books").unwrap();
        assert_eq!(format!("{url:?}"), "Postgres(postgres://localhost/books)");
        let refused = DatabaseUrl::parse("postgres://yika:s3cret@db.example/books?sslmode=disable");
        let refused = refused.unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("s3cret"));
    }
}
