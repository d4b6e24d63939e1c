//! The people that the sandbox's bank knows, by student number, with two debit cards each. None of them is real: the
//! numbers begin like no region and no bank.

/// A person, as the bank knows one.
pub(crate) struct Person {
    pub(crate) student: &'static str,
    pub(crate) name: &'static str,
    pub(crate) id_number: &'static str,
    pub(crate) phone: &'static str,
    /// A card of each bank of [`BANKS`].
    pub(crate) cards: [&'static str; 2],
}

/// The banks' names, and what is on a card of theirs at first, in fen.
pub(crate) const BANKS: [(&str, &str, i64); 2] = [
    ("示范银行", "Demo Bank", 200_000),
    ("样例银行", "Sample Bank", 15_000),
];

/// The people, in the order of the students.
pub(crate) const PEOPLE: [Person; 8] = [
    person(
        "20260001",
        "李明",
        "990101200504121103",
        "19900000001",
        ["9900100000000010372", "9900200000000050534"],
    ),
    person(
        "20260002",
        "王芳",
        "990101200601231232",
        "19900000002",
        ["9900100000000010745", "9900200000000051060"],
    ),
    person(
        "20260003",
        "张伟",
        "990101200511091360",
        "19900000003",
        ["9900100000000011115", "9900200000000051599"],
    ),
    person(
        "20260004",
        "刘洋",
        "990101200408301497",
        "19900000004",
        ["9900100000000011487", "9900200000000052126"],
    ),
    person(
        "20260005",
        "陈静",
        "99010120060617162X",
        "19900000005",
        ["9900100000000011859", "9900200000000052654"],
    ),
    person(
        "20260006",
        "杨帆",
        "990101200502281752",
        "19900000006",
        ["9900100000000012220", "9900200000000053181"],
    ),
    person(
        "20260007",
        "赵磊",
        "990101200510031884",
        "19900000007",
        ["9900100000000012592", "9900200000000053710"],
    ),
    person(
        "20260008",
        "周婷",
        "990101200605052012",
        "19900000008",
        ["9900100000000012964", "9900200000000054247"],
    ),
];

const fn person(
    student: &'static str,
    name: &'static str,
    id_number: &'static str,
    phone: &'static str,
    cards: [&'static str; 2],
) -> Person {
    Person {
        student,
        name,
        id_number,
        phone,
        cards,
    }
}
