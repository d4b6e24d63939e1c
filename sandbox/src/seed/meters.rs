//! What the sandbox's utilities sell, and where: rooms with electricity, and a network account for each student.

use super::STUDENTS;
use yika_api::LocalizedText;
use yika_api::utility::{Place, PlaceLookup, Provider, UtilityKind};

/// The provider of electricity, found from building to room.
pub(crate) const POWER: &str = "power";
/// The provider of network access, found by the student's number.
pub(crate) const NETWORK: &str = "network";

const BUILDINGS: [u8; 3] = [1, 2, 3];
const ROOMS: [u16; 6] = [101, 102, 201, 202, 301, 302];

/// What is left at a place at first, in fen. Nobody has read the meter of the last room yet.
pub(crate) fn opening(provider: &str, place: &str) -> Option<i64> {
    match (provider, place) {
        (POWER, "b3-302") => None,
        (POWER, "b3-301") => Some(-1_260),
        (POWER, _) => Some(4_380),
        _ => Some(2_000),
    }
}

fn text(zh: String, en: String) -> LocalizedText {
    LocalizedText { zh, en }
}

/// Who sells what.
pub(crate) fn providers() -> Vec<Provider> {
    let provider = |code: &str, kind, zh: &str, en: &str, lookup| Provider {
        code: code.to_owned(),
        kind,
        name: text(zh.to_owned(), en.to_owned()),
        lookup,
    };
    vec![
        provider(
            POWER,
            UtilityKind::Electricity,
            "电费",
            "Electricity",
            PlaceLookup::Browse,
        ),
        provider(
            NETWORK,
            UtilityKind::Network,
            "网费",
            "Network",
            PlaceLookup::Code,
        ),
    ]
}

fn building(number: u8) -> Place {
    Place {
        code: format!("b{number}"),
        name: text(format!("{number}号楼"), format!("Building {number}")),
        is_payable: false,
    }
}

fn room(building: u8, number: u16) -> Place {
    Place {
        code: format!("b{building}-{number}"),
        name: text(
            format!("{building}号楼{number}室"),
            format!("Building {building}, room {number}"),
        ),
        is_payable: true,
    }
}

fn network_account(student: &str) -> Place {
    let tail = &student[student.len().saturating_sub(4)..];
    Place {
        code: student.to_owned(),
        name: text(
            format!("上网账号（尾号{tail}）"),
            format!("Network account ({tail})"),
        ),
        is_payable: true,
    }
}

/// The places of a provider below a place, or at its top; nothing where there is no such place. Who has to know a code
/// gets no list.
pub(crate) fn places(provider: &str, below: Option<&str>) -> Option<Vec<Place>> {
    match (provider, below) {
        (POWER, None) => Some(BUILDINGS.map(building).to_vec()),
        (POWER, Some(code)) => {
            let number = BUILDINGS
                .into_iter()
                .find(|number| building(*number).code == code)?;
            Some(ROOMS.map(|room_number| room(number, room_number)).to_vec())
        }
        (NETWORK, None) => Some(Vec::new()),
        _ => None,
    }
}

/// All places that can be paid for, with their providers.
pub(crate) fn payable() -> Vec<(&'static str, Place)> {
    let rooms = BUILDINGS
        .into_iter()
        .flat_map(|building| ROOMS.map(|number| (POWER, room(building, number))));
    let accounts = STUDENTS
        .iter()
        .map(|(student, ..)| (NETWORK, network_account(student)));
    rooms.chain(accounts).collect()
}

/// A place.
pub(crate) fn place(provider: &str, code: &str) -> Option<Place> {
    let buildings = BUILDINGS.map(|number| (POWER, building(number)));
    let mut all = buildings.into_iter().chain(payable());
    all.find(|(of, place)| *of == provider && place.code == code)
        .map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yika_api::utility::is_code;

    #[test]
    fn every_place_has_a_code_of_its_own_that_the_protocol_takes() {
        let all = payable();
        for (provider, place) in &all {
            assert!(is_code(provider) && is_code(&place.code), "{}", place.code);
            assert_eq!(super::place(provider, &place.code).as_ref(), Some(place));
        }
        let codes: std::collections::BTreeSet<_> = all.iter().map(|(_, place)| &place.code).collect();
        assert_eq!(codes.len(), all.len());
    }
}
