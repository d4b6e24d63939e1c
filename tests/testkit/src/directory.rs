//! Directories from raw bytes: sealed and laid out here once more, after the specification, so that what is wrong inside
//! can still be sealed and signed well.

use crate::message::padded;
use crate::{MessageBuilder, SignerKit, TestKey, sealing};
use yika_format::SchoolHash;

/// A directory to be, of any entries: by default a good empty one for terminal 7.
#[derive(Clone)]
pub struct DirectoryBuilder {
    /// The message around it, but for its body.
    pub message: MessageBuilder,
    /// The terminal that it names.
    pub terminal: u64,
    /// The school and the terminal that it is sealed for.
    pub sealed_for: (SchoolHash, u64),
    /// The key that it is sealed to.
    pub recipient: TestKey,
    /// What is sealed.
    pub entries: Vec<u8>,
}

impl DirectoryBuilder {
    /// A directory that is sealed to this key.
    pub fn new(kit: &SignerKit, recipient: &TestKey) -> Self {
        Self {
            message: MessageBuilder::new(kit, 6, "YIKA1.dir", Vec::new()),
            terminal: 7,
            sealed_for: (kit.school, 7),
            recipient: recipient.clone(),
            entries: Vec::new(),
        }
    }

    /// The message with its sealed body, not yet signed.
    pub fn seal(&self) -> MessageBuilder {
        const BEFORE_ENTRIES: usize = 8 + 65 + 4;
        let sealed_len = self.entries.len() + 16;
        let mut message = self.message.clone();
        message.body = vec![0; BEFORE_ENTRIES + sealed_len];
        let envelope = message.signed()[..50].to_vec();
        let (school, terminal) = self.sealed_for;
        let info = [&padded("YIKA1.dir")[..], &school.0, &terminal.to_be_bytes()].concat();

        let (encapsulated, sealed) = sealing::seal(&self.recipient, &info, &envelope, &self.entries);
        let sealed_len = u32::try_from(sealed_len).expect("tests seal little");
        message.body = self.terminal.to_be_bytes().to_vec();
        message.body.extend(encapsulated);
        message.body.extend(sealed_len.to_be_bytes());
        message.body.extend(sealed);
        message
    }

    /// The message with its signature.
    pub fn build(&self) -> Vec<u8> {
        self.seal().build()
    }
}

/// An entry of a directory as it is sealed, its length as it is, right or wrong.
pub fn directory_entry(pseudonym: &[u8; 5], number: &[u8]) -> Vec<u8> {
    let len = u8::try_from(number.len()).expect("numbers are short");
    [&pseudonym[..], &[len], number].concat()
}
