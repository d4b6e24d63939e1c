//! Whatever is reported and ended, by whom and in whatever order: everything follows from the reports that are open.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// From one of the phones.
    Report {
        from: usize,
        what: What,
    },
    /// The holder ends one of those there are, with the password.
    Found {
        from: usize,
        which: usize,
    },
    /// The card office ends one of those there are.
    End {
        which: usize,
    },
    Freeze,
    Undo,
    /// A phone asks for what is due.
    Renew {
        phone: usize,
    },
}

#[derive(Clone, Copy, Debug)]
enum What {
    Card,
    Phone(usize),
    All,
}

fn step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        Just(What::Card),
        (0_usize..2).prop_map(What::Phone),
        Just(What::All)
    ];
    prop_oneof![
        4 => (0_usize..2, what).prop_map(|(from, what)| Step::Report { from, what }),
        4 => (0_usize..2, 0_usize..8).prop_map(|(from, which)| Step::Found { from, which }),
        1 => (0_usize..8).prop_map(|which| Step::End { which }),
        1 => Just(Step::Freeze),
        1 => Just(Step::Undo),
        2 => (0_usize..2).prop_map(|phone| Step::Renew { phone }),
    ]
}

struct World<'a> {
    campus: &'a TestPlatform,
    phones: [TestPhone<'a>; 2],
    newest: [Credential; 2],
    /// Of each phone, epochs that were suspended once.
    dead: Vec<Credential>,
    terminal: TestTerminal<'a>,
    open: Vec<Suspension>,
}

impl World<'_> {
    async fn perform(&mut self, step: Step) {
        let admin = self.campus.platform.admin();
        match step {
            Step::Report { from, what } => {
                let lost = match what {
                    What::Card => Lost::Card,
                    What::Phone(phone) => lost_phone(&self.phones[phone]),
                    What::All => Lost::All,
                };
                self.open.push(report(&self.phones[from], lost).await);
            }
            Step::Found { from, which } => {
                let Some(known) = self.open.get(which).copied() else {
                    return;
                };
                let reply = found(&self.phones[from], known.id, Uuid::new_v4(), by_password()).await;
                if known.by == SuspendedBy::Office {
                    assert_eq!(reply.problem().code, ProblemCode::Forbidden);
                } else {
                    reply.ok::<SuspensionList>();
                    self.open
                        .retain(|other| other.by == SuspendedBy::Office || other.lost != known.lost);
                }
            }
            Step::End { which } => {
                if which < self.open.len() {
                    let known = self.open.remove(which);
                    admin.end_suspension(STUDENT, known.id).await.unwrap();
                }
            }
            Step::Freeze => {
                admin.suspend(STUDENT).await.unwrap();
                self.open = admin.suspensions(STUDENT).await.unwrap();
            }
            Step::Undo => {
                admin.undo_suspension(STUDENT).await.unwrap();
                self.open.retain(|known| known.lost != Lost::All);
            }
            Step::Renew { phone } => {
                let reply = self.phones[phone]
                    .issue(Uuid::new_v4(), &IssueRequest::Renew)
                    .await;
                if self.stands(phone) {
                    assert!(!reply.status.is_success());
                } else {
                    self.newest[phone] = credential(&reply);
                }
            }
        }
        for phone in 0..2 {
            if self.stands(phone) && !self.dead.contains(&self.newest[phone]) {
                self.dead.push(self.newest[phone]);
            }
        }
    }

    /// Whether codes of this phone are stopped.
    fn stands(&self, phone: usize) -> bool {
        let this = lost_phone(&self.phones[phone]);
        self.open
            .iter()
            .any(|known| known.lost == Lost::All || known.lost == this)
    }

    async fn check(&self) {
        let everything = self.open.iter().any(|known| known.lost == Lost::All);
        let told = suspended(&self.phones[0]).await;
        assert_eq!(told.suspensions, self.open);
        let admin = self.campus.platform.admin();
        assert_eq!(admin.holders().await.unwrap()[0].is_frozen, everything);
        let card = everything || self.open.iter().any(|known| known.lost == Lost::Card);
        let feed = admin.card_changes(0).await.unwrap();
        assert_eq!(feed.last().is_some_and(|last| last.is_suspended), card);
        assert!(
            feed.windows(2)
                .all(|pair| pair[0].is_suspended != pair[1].is_suspended),
            "only changes are told"
        );
        for (index, phone) in self.phones.iter().enumerate() {
            let is_lost = self.open.iter().any(|known| known.lost == lost_phone(phone));
            let reply = phone.get("/v1/credentials/current").await;
            if is_lost {
                assert_eq!(reply.problem().code, ProblemCode::DeviceLost);
            } else {
                let status: CredentialStatus = reply.ok();
                let expected = if self.stands(index) {
                    CredentialState::Suspended
                } else {
                    CredentialState::Active
                };
                assert_eq!(status.state, expected);
            }
        }
        for credential in &self.dead {
            assert!(
                is_dead(&self.terminal, credential).await,
                "a picture has come back to life"
            );
        }
        for known in &self.open {
            assert!(known.decided_at <= known.online_from);
            assert!(known.online_from <= known.offline_by && known.offline_by <= known.offline_identity_by);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn everything_follows_from_what_is_open(steps in prop::collection::vec(step(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let campus = TestPlatform::open().await;
            let (one, first) = phone(&campus, STUDENT).await;
            with_card(&one).await;
            let (two, second) = phone(&campus, STUDENT).await;
            let mut world = World {
                campus: &campus,
                phones: [one, two],
                newest: [first, second],
                dead: Vec::new(),
                terminal: campus.terminal(TerminalKind::Gate).await,
                open: Vec::new(),
            };
            for step in steps {
                world.perform(step).await;
                world.check().await;
            }
        });
    }
}
