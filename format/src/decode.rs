//! Reading fixed layouts: a cursor over untrusted bytes, and what can be wrong with them.

/// Why bytes or text are not what they should be. To a verifier every variant is `MALFORMED`; the detail is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Too short, too long, or with bytes left over.
    #[error("wrong length; scan the whole code again")]
    Length,
    /// The text does not begin with the mark of its kind (`C1`, `C2`, `C3`), or the message with `YK`.
    #[error("not a Yika code or message")]
    Prefix,
    /// A character outside the Base45 alphabet (RFC 9285), or a triple above 65535.
    #[error("not Base45; check the scanner's keyboard layout")]
    Base45,
    /// The first byte names no known version, form and profile.
    #[error("unknown version or form")]
    Header,
    /// A field holds a value that the format does not allow, or not in this place.
    #[error("the field `{0}` is not canonical")]
    Field(&'static str),
}

/// A cursor over untrusted bytes.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn slice(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Length)?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Length)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Length)
        }
    }
}

/// The 16-byte tag that separates one kind of signed message from every other: ASCII, padded with zeros.
pub(crate) const fn tag(name: &str) -> [u8; 16] {
    let (bytes, mut tag, mut at) = (name.as_bytes(), [0; 16], 0);
    while at < bytes.len() {
        tag[at] = bytes[at];
        at += 1;
    }
    tag
}
