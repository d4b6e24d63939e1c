//! The second coordinate of a point on P-256, from its first. ring verifies only under keys that have both, keys travel
//! with one, and a general library takes longer for a square root than the budget of a terminal's first look at a key allows
//! (ADR 11). All of this is public, so it needs not take the same time for all points; and it can let nothing wrong
//! through, because the root is squared again here and ring checks the point once more.

/// A number below the prime, times 2^256 modulo the prime (Montgomery form), least limb first.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Field([u64; 4]);

/// The prime of P-256 (SEC 2, version 2.0, section 2.4.2): 2^256 − 2^224 + 2^192 + 2^96 − 1.
const PRIME: [u64; 4] = [
    0xffff_ffff_ffff_ffff,
    0x0000_0000_ffff_ffff,
    0x0000_0000_0000_0000,
    0xffff_ffff_0000_0001,
];
/// 2^512 modulo the prime: multiplying by it brings a number into Montgomery form.
const INTO_FORM: Field = Field([
    0x0000_0000_0000_0003,
    0xffff_fffb_ffff_ffff,
    0xffff_ffff_ffff_fffe,
    0x0000_0004_ffff_fffd,
]);
/// The curve's constant b (same section), not in Montgomery form.
const B: [u64; 4] = [
    0x3bce_3c3e_27d2_604b,
    0x651d_06b0_cc53_b0f6,
    0xb3eb_bd55_7698_86bc,
    0x5ac6_35d8_aa3a_93e7,
];

/// The y of that parity for which `x`, big-endian, is on the curve y² = x³ − 3x + b; `None` where there is none.
pub(crate) fn second_coordinate(x: &[u8; 32], is_odd: bool) -> Option<[u8; 32]> {
    let x = Field::from_bytes(x)?;
    let b = Field(B).times(&INTO_FORM);
    // (x² − 3) x + b, as ((x² − 1 − 1 − 1) x) + b.
    let one = Field([1, 0, 0, 0]).times(&INTO_FORM);
    let three = one.plus(&one).plus(&one);
    let square = x.squared(1).minus(&three).times(&x).plus(&b);
    let root = square.root_candidate();
    if root.squared(1) != square {
        return None;
    }
    let y = root.to_limbs();
    let y = match y[0] & 1 == u64::from(is_odd) {
        true => y,
        // No point of a curve of odd order has y = 0, so the other root is below the prime as well.
        false => subtract(&PRIME, &y).0,
    };
    Some(to_bytes(&y))
}

impl Field {
    /// `None` for numbers that are not below the prime.
    fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks_exact(8)) {
            *limb = chunk.iter().fold(0, |limb, &byte| limb << 8 | u64::from(byte));
        }
        let (_, is_below) = subtract(&limbs, &PRIME);
        is_below.then(|| Self(limbs).times(&INTO_FORM))
    }

    /// Out of Montgomery form.
    fn to_limbs(self) -> [u64; 4] {
        self.times(&Self([1, 0, 0, 0])).0
    }

    /// Montgomery multiplication (Koç, Acar, Kaliski: "Analyzing and Comparing Montgomery Multiplication Algorithms", CIOS).
    /// The prime is −1 modulo 2^64, so each step's multiple of it is the lowest limb itself, and adding that multiple
    /// clears the limb and carries it into the next.
    #[inline]
    fn times(&self, other: &Self) -> Self {
        let mut sum = [0_u64; 5];
        for &digit in &other.0 {
            let mut carry = 0;
            for (limb, &factor) in sum.iter_mut().zip(&self.0) {
                (*limb, carry) = multiply_add(*limb, factor, digit, carry);
            }
            let (high, overflow) = sum[4].overflowing_add(carry);
            let multiple = sum[0];
            let mut carry = multiple;
            for at in 1..4 {
                (sum[at - 1], carry) = multiply_add(sum[at], PRIME[at], multiple, carry);
            }
            let (high, another) = high.overflowing_add(carry);
            (sum[3], sum[4]) = (high, u64::from(overflow) + u64::from(another));
        }
        let limbs = [sum[0], sum[1], sum[2], sum[3]];
        let (less, is_below) = subtract(&limbs, &PRIME);
        Self(if is_below && sum[4] == 0 { limbs } else { less })
    }

    /// Squared so many times.
    #[inline]
    fn squared(&self, times: u32) -> Self {
        (0..times).fold(*self, |power, _| power.times(&power))
    }

    fn plus(&self, other: &Self) -> Self {
        // a + b = a − (p − b).
        self.minus(&Self(subtract(&PRIME, &other.0).0))
    }

    fn minus(&self, other: &Self) -> Self {
        let (difference, is_negative) = subtract(&self.0, &other.0);
        Self(match is_negative {
            true => add(&difference, &PRIME),
            false => difference,
        })
    }

    /// This to the power (p + 1) / 4 = 2^254 − 2^222 + 2^190 + 2^94, which is a square root where there is one, since p is 3
    /// modulo 4.
    fn root_candidate(&self) -> Self {
        // Exponents of n ones: 2^n − 1.
        let ones_2 = self.squared(1).times(self);
        let ones_4 = ones_2.squared(2).times(&ones_2);
        let ones_8 = ones_4.squared(4).times(&ones_4);
        let ones_16 = ones_8.squared(8).times(&ones_8);
        let ones_32 = ones_16.squared(16).times(&ones_16);
        ones_32
            .squared(32)
            .times(self)
            .squared(96)
            .times(self)
            .squared(94)
    }
}

/// `limb + a × b + carry`: the low half, and the high half to carry on.
#[inline]
fn multiply_add(limb: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    // At most 2^64 − 1 + (2^64 − 1)² + 2^64 − 1 = 2^128 − 1.
    let wide = u128::from(limb) + u128::from(a) * u128::from(b) + u128::from(carry);
    (low(wide), low(wide >> 64))
}

/// The low half; dropping the rest is the point.
#[expect(clippy::cast_possible_truncation)]
#[inline]
const fn low(wide: u128) -> u64 {
    wide as u64
}

/// `a − b` modulo 2^256, and whether it is below zero.
#[inline]
fn subtract(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (mut difference, mut borrow) = ([0; 4], false);
    for at in 0..4 {
        let (limb, under) = a[at].overflowing_sub(b[at]);
        let (limb, again) = limb.overflowing_sub(u64::from(borrow));
        (difference[at], borrow) = (limb, under || again);
    }
    (difference, borrow)
}

/// `a + b` modulo 2^256.
fn add(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let (mut sum, mut carry) = ([0; 4], 0);
    for at in 0..4 {
        (sum[at], carry) = multiply_add(a[at], b[at], 1, carry);
    }
    sum
}

fn to_bytes(limbs: &[u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, limb) in bytes.rchunks_exact_mut(8).zip(limbs) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What p256, a general library, says.
    fn expected(x: &[u8; 32], is_odd: bool) -> Option<[u8; 32]> {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        let compressed = [&[2 | u8::from(is_odd)], &x[..]].concat();
        let key = p256::PublicKey::from_sec1_bytes(&compressed).ok()?;
        Some(key.to_sec1_point(false).as_bytes()[33..].try_into().unwrap())
    }

    fn agrees(x: [u8; 32]) {
        for is_odd in [false, true] {
            assert_eq!(second_coordinate(&x, is_odd), expected(&x, is_odd), "{x:02x?}");
        }
    }

    #[test]
    fn numbers_at_the_edges_are_as_the_library_says() {
        let prime = to_bytes(&PRIME);
        for low in 0..=u8::MAX {
            let mut x = prime;
            // Around the prime, from below and above.
            x[31] = low;
            agrees(x);
            let mut x = [0; 32];
            x[31] = low;
            agrees(x);
            agrees([low; 32]);
        }
        let mut beyond = prime;
        beyond[0..4].copy_from_slice(&[0xff; 4]);
        beyond[4..8].copy_from_slice(&[0xff; 4]);
        agrees(beyond);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_number_is_as_the_library_says(x in any::<[u8; 32]>()) {
            agrees(x);
        }
    }
}
