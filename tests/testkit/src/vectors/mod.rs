//! The test vectors: what each of them holds, and the program's part that makes them.
//!
//! `cargo run -p yika-testkit --bin make-vectors` writes `tests/vectors` anew. The same bytes come out each time, and a
//! test compares them with the committed ones.

mod bounds;
mod code_accepted;
mod code_malformed;
mod code_refused;
mod code_tampered;
mod code_unauthorised;
mod corpus;
mod describe;
mod directories;
mod faces;
mod list_accepted;
mod list_bodies;
mod list_refused;
mod model;
mod others;
mod sales;
mod world;

pub use corpus::{Seed, seeds};
pub use describe::{
    describe_code, describe_confirmation, describe_credential, describe_directory, describe_faces,
    describe_keyset, describe_revocations, describe_sale, describe_table,
};
pub use model::{
    Asked, Case, CodeCase, Common, ConfirmationCase, CredentialCase, Held, Hex, KeyFacts, Kind, ListCase,
    ListInput, ListMessage, NumberedRows, Place, ProofCase, SaleCase, SchoolFacts, Sought, Standing, Time,
    Vector,
};
pub use world::World;

/// A file of `tests/vectors`: its name and its text.
pub type File = (String, String);

/// Every vector, by the name of its file without `.json`.
pub fn all(world: &World) -> Vec<(String, Vector)> {
    let mut vectors = Vec::new();
    code_refused::first_five(world, &mut vectors);
    for vector in [
        code_accepted::vectors(world),
        code_malformed::vectors(world),
        code_refused::vectors(world),
        code_unauthorised::vectors(world),
        list_accepted::vectors(world),
        list_refused::vectors(world),
        directories::vectors(world),
        faces::vectors(world),
        bounds::vectors(world),
        sales::vectors(world),
        others::vectors(world),
    ]
    .into_iter()
    .flatten()
    {
        vectors.push((
            vector.name.replace([' ', '/'], "-").replace(['\'', ','], ""),
            vector,
        ));
    }
    vectors
}

/// A sentence as the name of a file.
fn kebab(name: &str) -> String {
    name.to_lowercase().replace(' ', "-").replace(['\'', ','], "")
}

/// Every file that the generator makes.
pub fn files() -> Vec<File> {
    let world = World::new();
    let mut files = vec![("common.json".to_owned(), json(&world.common()))];
    files.extend(
        all(&world)
            .iter()
            .map(|(name, vector)| (format!("{name}.json"), json(vector))),
    );
    files
}

fn json(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("vectors are plain data");
    text.push('\n');
    text
}
