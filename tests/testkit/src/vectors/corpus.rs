//! Seeds for the fuzz targets, taken from the vectors: what is good, and what only a decoder can refuse.

use super::{Case, ListCase, ListMessage, Vector, World, all, directories};
use yika_format::code::Code;

/// The length of a message before its body, and of a signature.
const BEFORE_BODY: usize = 50;
const SIGNATURE: usize = 64;

/// A file of a fuzz target's corpus.
pub struct Seed {
    /// The target.
    pub target: &'static str,
    /// What is put in.
    pub bytes: Vec<u8>,
}

/// Every seed.
pub fn seeds() -> Vec<Seed> {
    let world = World::new();
    let vectors = all(&world);
    let for_decoders = vectors
        .iter()
        .filter(|(_, vector)| matches!(vector.expect.as_str(), "APPROVE" | "ACCEPT" | "MALFORMED"));
    let sealed = directories::sealed_entries(&world)
        .into_iter()
        .map(|entries| Seed {
            target: target_of(ListMessage::Directory),
            bytes: [b"e", &entries[..]].concat(),
        });
    for_decoders
        .flat_map(|(_, vector)| of_vector(vector))
        .chain(sealed)
        .collect()
}

fn of_vector(vector: &Vector) -> Vec<Seed> {
    let seed = |target, bytes| Seed { target, bytes };
    match &vector.case {
        Case::Code(case) => {
            let mut seeds = vec![seed("code_text", case.input.clone().into_bytes())];
            if let Ok(code) = Code::from_text(case.input.as_bytes()) {
                seeds.push(seed("code_bytes", code.to_bytes()));
            }
            seeds
        }
        Case::Credential(case) => vec![seed("credential", case.input.0.clone())],
        Case::List(case) => of_list(case, vector.expect == "ACCEPT")
            .into_iter()
            .map(|bytes| seed(target_of(case.message), bytes))
            .collect(),
        Case::Sale(case) => vec![seed("sale", case.input.0.clone())],
        Case::Confirmation(case) => vec![seed("confirmation", case.input.clone().into_bytes())],
        Case::Proof(case) => vec![seed("der_signature", case.input.0.clone())],
    }
}

const fn target_of(message: ListMessage) -> &'static str {
    match message {
        ListMessage::Keyset => "keyset",
        ListMessage::Table => "table",
        ListMessage::Delta => "delta",
        ListMessage::Revocations => "revocations",
        ListMessage::Time => "time",
        ListMessage::Directory => "directory",
        ListMessage::Mark => "mark",
        ListMessage::Faces => "faces",
    }
}

/// The body, which targets sign themselves, or all of what is shorter than a message. A table's is its policy and rows;
/// a directory's is marked as one, because its target also takes what is sealed in it.
fn of_list(case: &ListCase, good: bool) -> Vec<Vec<u8>> {
    let bytes = &case.input.hex.0;
    let Some(len) = bytes
        .get(BEFORE_BODY - 4..BEFORE_BODY)
        .and_then(|len| len.first_chunk())
    else {
        return vec![bytes.clone()];
    };
    let end = BEFORE_BODY.saturating_add(usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX));
    let (Some(body), Some(rows)) = (
        bytes.get(BEFORE_BODY..end),
        bytes.get(end.saturating_add(SIGNATURE)..),
    ) else {
        return vec![bytes.clone()];
    };
    let body = match case.message {
        ListMessage::Table => [&body[..5], rows].concat(),
        ListMessage::Directory => [b"b", body].concat(),
        _ => body.to_vec(),
    };
    // Whole messages for the envelope's sake, of which a few are enough.
    let whole = (good && case.input.rows.is_none()).then(|| bytes.clone());
    whole.into_iter().chain([body]).collect()
}
