//! People of the sandbox's seed whom tests let act. None of them and none of the numbers is real.

/// A person whom the sandbox's bank knows.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Student number.
    pub student: &'static str,
    /// Name.
    pub name: &'static str,
    /// Number of the identity document.
    pub id_number: &'static str,
    /// Telephone number.
    pub phone: &'static str,
    /// Numbers of the bank cards: one with ¥2,000.00, one with ¥150.00.
    pub cards: [&'static str; 2],
}

/// Has money on every account but one.
pub const WANG: Person = Person {
    student: "20260002",
    name: "王芳",
    id_number: "990101200601231232",
    phone: "19900000002",
    cards: ["9900100000000010745", "9900200000000051060"],
};

/// Has money on every account.
pub const ZHANG: Person = Person {
    student: "20260003",
    name: "张伟",
    id_number: "990101200511091360",
    phone: "19900000003",
    cards: ["9900100000000011115", "9900200000000051599"],
};
