//! Three server processes on one PostgreSQL, with a proxy in front that gives each request to another of them. Nobody who
//! asks notices that there are many, nor that one of them dies.

mod server;

use server::{Database, School, Server};
use yika_e2e::{Campus, Exchange, Phone, Proxy, Result, Terminal, Use};

/// The first of the servers, and how many there are.
const FIRST: usize = 0;
const COUNT: usize = 3;

/// A campus of many servers. What comes first here is ended first: servers before their database.
struct World {
    servers: Vec<Server>,
    campus: Campus,
    proxy: Proxy,
    _database: Database,
}

impl World {
    /// Starts everything; the first server gets this environment.
    fn start(of_the_first: &[(&str, &str)]) -> Result<Self> {
        let (database, proxy) = (Database::make()?, Proxy::listen()?);
        // The sandbox plants students and merchants, signs them in, and shows the books; it is a server of this database too.
        let campus = Campus::open_with(&["--database", &database.url()])?;
        let school = School {
            database: &database.url(),
            data: campus.sandbox.program().home(),
            origin: proxy.origin(),
            host_issuer: &format!("{}/sandbox/host", campus.sandbox.url()),
        };
        let mut servers = vec![Server::start(&school, of_the_first)?];
        while servers.len() < COUNT {
            servers.push(Server::start(&school, &[])?);
        }
        let addresses = servers.iter().map(|server| server.address).collect();
        proxy.serve(campus.sandbox.address(), addresses)?;
        Ok(Self {
            servers,
            campus,
            proxy,
            _database: database,
        })
    }

    fn phone(&self, student: &str) -> Result<Phone> {
        let phone = self.campus.unbound_phone(student);
        phone.bind(self.proxy.origin(), student)?;
        Ok(phone)
    }

    fn till(&self, name: &str) -> Result<Terminal> {
        let till = Terminal::at(&self.campus.folder().join(name));
        till.enroll(self.proxy.origin(), "pos", Some("1"))?;
        Ok(till)
    }
}

/// Uploads again until the answer comes through: with each try another server is asked.
fn upload(till: &Terminal) -> Result<()> {
    let mut last = till.run(&["upload", "--json"])?;
    for _ in 0..COUNT {
        if last.code == Some(0) {
            return Ok(());
        }
        last = till.run(&["upload", "--json"])?;
    }
    last.success().map(drop)
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test postgres"]
fn a_campus_behind_three_servers_of_which_one_dies_loses_nothing() -> Result<()> {
    const MOST_ROUNDS: i64 = 40;
    let mut world = World::start(&[("YIKA_KILL_AT", "platform.settle.after-commit:2")])?;
    let phones = [world.phone("20260001")?, world.phone("20260002")?];
    let tills = [world.till("one")?, world.till("two")?];
    let mut rounds = 0;
    while rounds < MOST_ROUNDS && !world.servers[FIRST].has_died()? {
        rounds += 1;
        for (phone, till) in phones.iter().zip(&tills) {
            let code = phone.code(Use::Pay, &["--account", "1"])?;
            till.pay("1.00", &code)?.approved()?;
            upload(till)?;
        }
    }
    assert!(
        world.servers[FIRST].has_died()?,
        "a server was to die at its second settlement"
    );
    let exchanges = world.proxy.exchanges();
    for server in 0..COUNT {
        let answered = exchanges.iter().filter(|exchange| exchange.server == server);
        assert!(answered.count() > 2, "server {server} did next to nothing");
    }

    for phone in &phones {
        phone.sync()?;
        let bills = phone.json(&["bills", "--limit", "100"])?;
        let purchases = bills["bills"].as_array().into_iter().flatten();
        let purchases = purchases.filter(|bill| bill["kind"] == "purchase").count();
        assert_eq!(i64::try_from(purchases), Ok(rounds), "{bills}");
    }
    let (sum, totals) = world.campus.ledger()?;
    let earned = totals.iter().find(|(kind, _)| kind == "merchant");
    assert_eq!(
        (sum, earned.map(|(_, earned)| *earned)),
        (0, Some(2 * rounds * 100))
    );
    Ok(())
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test postgres"]
fn a_reply_that_one_server_gave_in_vain_is_given_again_by_another() -> Result<()> {
    const ISSUE: &str = "POST /v1/credentials";
    let world = World::start(&[])?;
    world.proxy.lose_replies(ISSUE, 1);
    let phone = world.phone("20260001")?;
    let exchanges = world.proxy.exchanges_of(ISSUE);
    let [lost, heard] = &exchanges[..] else {
        panic!("asked other than twice: {exchanges:#?}");
    };
    assert_ne!(lost.server, heard.server);
    let of_lost = Exchange {
        server: heard.server,
        is_lost: false,
        ..lost.clone()
    };
    assert_eq!(&of_lost, heard, "the same request, the same answer");

    let till = world.till("till")?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    Ok(())
}
