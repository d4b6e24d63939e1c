//! Which of the eight masks makes the code easiest to read (ISO/IEC 18004 §7.8.3). A row of modules is one
//! word, so a few shifts judge a whole row at once, and every row is held under all eight masks side by side,
//! so that the compiler can judge several masks with one vector instruction. Agrees with the `qrcode` crate
//! to the point: where the standard leaves room, what that crate does is said here.

/// How many masks there are.
pub(super) const MASKS: usize = 8;

/// One row under each of the eight masks. Bit `x` is column `x`, 1 is dark.
pub(super) type MaskedRow = [u64; MASKS];

/// Points under each of the eight masks.
type Points = [u64; MASKS];

/// The longest side that fits a word, of those that exist.
const MAX_SIZE: usize = 61;

/// Light rows kept above and below the code, for patterns that reach over its edge.
const MARGIN: usize = 4;

/// A whole code under each of the eight masks.
pub(super) struct MaskedRows {
    padded: [MaskedRow; MAX_SIZE + 2 * MARGIN],
    size: usize,
}

impl MaskedRows {
    /// Lays `data` (all modules that carry codewords, unmasked) over what a code without data looks like
    /// under each mask.
    pub(super) fn new(blank: &[MaskedRow], data: &[u64]) -> Self {
        let mut padded = [[0; MASKS]; MAX_SIZE + 2 * MARGIN];
        for (masked, (blank, data)) in padded[MARGIN..].iter_mut().zip(blank.iter().zip(data)) {
            *masked = blank.map(|modules| modules ^ data);
        }
        Self {
            padded,
            size: blank.len(),
        }
    }

    /// The rows under the mask with the fewest points; of equals, the first.
    pub(super) fn best(&self) -> Vec<u64> {
        let points = self.points();
        let best = (0..MASKS).min_by_key(|&mask| points[mask]).unwrap_or(0);
        self.rows().iter().map(|row| row[best]).collect()
    }

    fn rows(&self) -> &[MaskedRow] {
        &self.padded[MARGIN..MARGIN + self.size]
    }

    fn points(&self) -> Points {
        let mut points = [0; MASKS];
        let columns = u64::MAX >> (64 - self.size);
        runs_in_rows(self.rows(), columns, &mut points);
        runs_in_columns(self.rows(), columns, &mut points);
        blocks(self.rows(), columns, &mut points);
        finders_in_rows(self.rows(), &mut points);
        finders_in_columns(&self.padded[..self.size + 2 * MARGIN], &mut points);
        imbalance(self.rows(), &mut points);
        points
    }
}

/// N1, rows: a run of `n ≥ 5` modules of one colour costs `n − 2`: one for each five in a row that it holds,
/// and two more.
fn runs_in_rows(rows: &[MaskedRow], columns: u64, points: &mut Points) {
    for row in rows {
        for (points, modules) in points.iter_mut().zip(row) {
            let two = !(modules ^ (modules >> 1)) & (columns >> 1);
            let three = two & (two >> 1);
            let five = three & (three >> 2);
            let first_five = five & !(five << 1);
            *points += ones(five) + 2 * ones(first_five);
        }
    }
}

/// N1, columns.
fn runs_in_columns(rows: &[MaskedRow], columns: u64, points: &mut Points) {
    let mut five_above = [0; MASKS];
    for window in rows.windows(5) {
        for mask in 0..MASKS {
            let [a, b, c, d, e] = std::array::from_fn(|y| window[y][mask]);
            let five = ((a & b & c & d & e) | !(a | b | c | d | e)) & columns;
            let first_five = five & !five_above[mask];
            five_above[mask] = five;
            points[mask] += ones(five) + 2 * ones(first_five);
        }
    }
}

/// N2: every 2×2 modules of one colour, overlapping ones too, cost 3.
fn blocks(rows: &[MaskedRow], columns: u64, points: &mut Points) {
    for window in rows.windows(2) {
        for mask in 0..MASKS {
            let (above, below) = (window[0][mask], window[1][mask]);
            let upright = !(above ^ below);
            let across = !(above ^ (above >> 1));
            points[mask] += 3 * ones(upright & (upright >> 1) & across & (columns >> 1));
        }
    }
}

/// N3, rows: what looks like a finder (`1011101`) with four light modules before or after it costs 40. One
/// with both costs 40 as well, and what lies beyond the edge is light.
fn finders_in_rows(rows: &[MaskedRow], points: &mut Points) {
    for row in rows {
        for (points, &modules) in points.iter_mut().zip(row) {
            let dark = modules & (modules >> 2) & (modules >> 3) & (modules >> 4) & (modules >> 6);
            let light = (modules >> 1) | (modules >> 5);
            let before = (modules << 1) | (modules << 2) | (modules << 3) | (modules << 4);
            let after = (modules >> 7) | (modules >> 8) | (modules >> 9) | (modules >> 10);
            *points += 40 * ones(dark & !light & !(before & after));
        }
    }
}

/// N3, columns. Takes the rows with their margins.
fn finders_in_columns(padded: &[MaskedRow], points: &mut Points) {
    for window in padded.windows(MARGIN + 7 + MARGIN) {
        for mask in 0..MASKS {
            let row = |y: usize| window[y][mask];
            let dark = row(4) & row(6) & row(7) & row(8) & row(10);
            let light = row(5) | row(9);
            let before = row(0) | row(1) | row(2) | row(3);
            let after = row(11) | row(12) | row(13) | row(14);
            points[mask] += 40 * ones(dark & !light & !(before & after));
        }
    }
}

/// N4: one point for each half per cent that the dark modules are away from half of all. The standard counts
/// ten for every five per cent; this is the same slope without the steps.
fn imbalance(rows: &[MaskedRow], points: &mut Points) {
    let mut dark = [0; MASKS];
    for row in rows {
        for (dark, &modules) in dark.iter_mut().zip(row) {
            *dark += ones(modules);
        }
    }
    let modules = rows.len() as u64 * rows.len() as u64;
    for (points, dark) in points.iter_mut().zip(dark) {
        *points += (dark * 200 / modules).abs_diff(100);
    }
}

fn ones(word: u64) -> u64 {
    u64::from(word.count_ones())
}
