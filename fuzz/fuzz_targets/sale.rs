//! Records of sales.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::sale::SignedSale;

fuzz_target!(|data: &[u8]| {
    if let Ok(sale) = SignedSale::decode(data) {
        assert_eq!(sale.to_bytes(), data);
    }
});
