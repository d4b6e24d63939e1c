//! Tables: whole, or five bytes of policy and rows, for which count and hashes are made and signed well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::lists::{CHUNK_ROWS, ROW_LEN, Row, Table};
use yika_fuzz::SCHOOL;
use yika_testkit::{MessageBuilder, sha256};

fuzz_target!(|data: &[u8]| {
    let bytes = match data.split_first_chunk::<5>() {
        Some((policy, rows)) if !data.starts_with(b"YK") => signed(policy, rows),
        _ => data.to_vec(),
    };
    if let Ok(table) = Table::open(&bytes, &SCHOOL.keyset) {
        let rows: Vec<Row> = table.rows().collect();
        assert!(rows.iter().all(|row| table.row(row.pseudonym) == Some(*row)));
        let unsigned = Table::unsigned(table.header(), table.policy(), &rows);
        let message = &unsigned.preimage()[16..];
        assert_eq!(message, &bytes[..message.len()]);
    }
});

fn signed(policy: &[u8; 5], rows: &[u8]) -> Vec<u8> {
    let count = u32::try_from(rows.len() / ROW_LEN).unwrap_or(u32::MAX);
    let hashes: Vec<u8> = rows.chunks(CHUNK_ROWS * ROW_LEN).flat_map(sha256).collect();
    let body = [&policy[..], &count.to_be_bytes(), &hashes].concat();
    let mut message = MessageBuilder::new(&SCHOOL.kit, 2, "YIKA1.table", body);
    message.after = rows.to_vec();
    message.build()
}
