//! Where everything goes in one symbol, worked out at its first use and kept: how the symbol looks without
//! data under each mask, the modules of every codeword, and the table of its error correction. Drawing is
//! then look-ups only. The `qrcode` crate draws the patterns, so that no table of the standard is copied here
//! but the one it keeps to itself (how codewords are split into blocks).

use std::sync::OnceLock;

use qrcode::canvas::{Canvas, MaskPattern, Module};

use super::codewords::CheckTable;
use super::mask::{MASKS, MaskedRow, MaskedRows};
use super::symbol::{Blocks, LEVELS, Symbol, VERSIONS};

/// In the order of their numbers.
const MASK_PATTERNS: [MaskPattern; MASKS] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];

/// Codewords of the largest symbol, version 11.
const MAX_CODEWORDS: usize = 404;

/// The column of the vertical timing pattern: no pair of data columns straddles it.
const TIMING_COLUMN: u8 = 6;

/// Where a module is.
#[derive(Clone, Copy)]
struct Place {
    x: u8,
    y: u8,
}

/// Everything that is the same in all codes of one symbol.
pub(super) struct Layout {
    /// The symbol without data (all its modules light before masking) under each mask.
    blank: Vec<MaskedRow>,
    /// The eight modules of each codeword, highest bit first: the data codewords in the order of the text,
    /// then the check codewords block by block. That the standard interleaves blocks is in here.
    places: Vec<[Place; 8]>,
    blocks: Blocks,
    check: CheckTable,
}

impl Layout {
    /// The layout of `symbol`: the first call works it out.
    pub(super) fn of(symbol: Symbol) -> &'static Self {
        static LAYOUTS: [[OnceLock<Layout>; LEVELS]; VERSIONS] =
            [const { [const { OnceLock::new() }; LEVELS] }; VERSIONS];
        LAYOUTS[symbol.version as usize - 1][symbol.level as usize].get_or_init(|| Self::new(symbol))
    }

    fn new(symbol: Symbol) -> Self {
        let mut canvas = Canvas::new(symbol.reference_version(), symbol.reference_level());
        canvas.draw_all_functional_patterns();
        let size = symbol.version.size();
        let masked = MASK_PATTERNS.map(|pattern| {
            let mut masked = canvas.clone();
            masked.apply_mask(pattern);
            masked
        });
        let is_dark = |mask: usize, x: u8, y: u8| masked[mask].get(x.into(), y.into()).is_dark();
        let row = |mask, y| (0..size).fold(0, |row, x| row | (u64::from(is_dark(mask, x, y)) << x));
        let blocks = symbol.blocks();
        Self {
            blank: (0..size)
                .map(|y| std::array::from_fn(|mask| row(mask, y)))
                .collect(),
            places: codeword_places(&data_modules(size, &canvas), blocks),
            blocks,
            check: CheckTable::new(blocks.check),
        }
    }

    /// Draws `data`, as many codewords as the symbol holds, under the best mask: a word for each row.
    pub(super) fn draw(&self, data: &[u8]) -> Vec<u64> {
        let mut codewords = [0; MAX_CODEWORDS];
        let (data_codewords, check_codewords) = codewords.split_at_mut(self.blocks.data_total());
        data_codewords.copy_from_slice(data);
        let mut rest: &[u8] = data_codewords;
        for (index, check) in check_codewords
            .chunks_mut(self.blocks.check)
            .take(self.blocks.count())
            .enumerate()
        {
            let (block, after) = rest.split_at(self.blocks.data_of(index));
            self.check.write(block, check);
            rest = after;
        }
        // A power of two above all sizes: the index needs no check.
        let mut rows = [0; 64];
        for (codeword, places) in codewords.iter().zip(&self.places) {
            for (bit, place) in places.iter().enumerate() {
                rows[usize::from(place.y % 64)] |= u64::from((codeword >> (7 - bit)) & 1) << place.x;
            }
        }
        MaskedRows::new(&self.blank, &rows).best()
    }
}

/// The modules that carry codewords in the order they are filled (ISO/IEC 18004 §7.7.3): pairs of columns
/// from the right, the first pair upwards, the next downwards, in each row the right module first.
fn data_modules(size: u8, functional: &Canvas) -> Vec<Place> {
    let columns: Vec<u8> = (0..size).rev().filter(|&x| x != TIMING_COLUMN).collect();
    let mut modules = Vec::new();
    for (pair, columns) in columns.chunks(2).enumerate() {
        for step in 0..size {
            let y = if pair % 2 == 0 { size - 1 - step } else { step };
            let free = columns
                .iter()
                .filter(|&&x| functional.get(x.into(), y.into()) == Module::Empty);
            modules.extend(free.map(|&x| Place { x, y }));
        }
    }
    modules
}

/// Gives each codeword, in the order of [`Layout::places`], its modules. Codewords are interleaved on the
/// symbol (ISO/IEC 18004 §7.6): the first of every block, then the second of every block, and so on; data
/// before check.
fn codeword_places(modules: &[Place], blocks: Blocks) -> Vec<[Place; 8]> {
    let mut data_starts = Vec::with_capacity(blocks.count());
    let mut start = 0;
    for block in 0..blocks.count() {
        data_starts.push(start);
        start += blocks.data_of(block);
    }
    let data = (0..=blocks.data).flat_map(|nth| {
        let has_nth = (0..blocks.count()).filter(move |&block| nth < blocks.data_of(block));
        has_nth.map(|block| data_starts[block] + nth).collect::<Vec<_>>()
    });
    let check = (0..blocks.check).flat_map(|nth| {
        (0..blocks.count()).map(move |block| blocks.data_total() + block * blocks.check + nth)
    });
    let mut places: Vec<(usize, [Place; 8])> = data
        .chain(check)
        .zip(modules.as_chunks().0.iter().copied())
        .collect();
    places.sort_unstable_by_key(|&(codeword, _)| codeword);
    places.into_iter().map(|(_, places)| places).collect()
}
