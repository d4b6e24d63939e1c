//! Drawing as a whole, against the `qrcode` crate and the standard's own example; and the three pictures.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;
use qrcode::bits::Bits;
use qrcode::{Color, QrCode, QrResult};

use super::*;

/// How the `qrcode` crate draws the same single segment.
fn reference(text: &str, symbol: Symbol, push: fn(&mut Bits, &[u8]) -> QrResult<()>) -> Vec<bool> {
    let mut bits = Bits::new(symbol.reference_version());
    push(&mut bits, text.as_bytes()).unwrap();
    bits.push_terminator(symbol.reference_level()).unwrap();
    let code = QrCode::with_bits(bits, symbol.reference_level()).unwrap();
    code.into_colors()
        .into_iter()
        .map(|color| color == Color::Dark)
        .collect()
}

/// All modules, row by row.
fn modules(matrix: &ModuleMatrix) -> Vec<bool> {
    let size = matrix.size();
    (0..size)
        .flat_map(|y| (0..size).map(move |x| (x, y)))
        .map(|(x, y)| matrix.is_dark(x, y))
        .collect()
}

/// All modules with the quiet zone around them, by row.
fn with_quiet_zone(matrix: &ModuleMatrix) -> Vec<Vec<bool>> {
    let (size, quiet) = (usize::from(matrix.size()), usize::from(QUIET_ZONE));
    let mut picture = vec![vec![false; size + 2 * quiet]; size + 2 * quiet];
    for (row, modules) in picture[quiet..].iter_mut().zip(modules(matrix).chunks(size)) {
        row[quiet..quiet + size].copy_from_slice(modules);
    }
    picture
}

/// Texts of `length` characters out of `set`.
fn texts(
    set: &'static str,
    length: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = String> {
    vec(select(set.chars().collect::<Vec<_>>()), length).prop_map(String::from_iter)
}

const ALPHANUMERIC: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const DIGITS: &str = "0123456789";

fn short_code() -> ModuleMatrix {
    encode_alphanumeric(&format!("C1{}", "7K9 %".repeat(24)), Symbol::SHORT_CODE).unwrap()
}

#[test]
fn a_text_too_long_is_refused_by_length_and_symbol() {
    let refused = encode_alphanumeric(&"A".repeat(123), Symbol::SHORT_CODE).unwrap_err();
    assert_eq!(
        refused,
        QrError::TooLong {
            length: 123,
            symbol: Symbol::SHORT_CODE
        }
    );
    assert_eq!(
        refused.to_string(),
        "123 characters do not fit QR symbol 5-M: take a larger version or a lower level"
    );
}

#[test]
fn debug_does_not_show_the_modules() {
    assert_eq!(format!("{:?}", short_code()), "ModuleMatrix { size: 37, .. }");
}

#[test]
fn outside_the_code_all_is_light() {
    let matrix = short_code();
    assert!(matrix.is_dark(36, 0) && matrix.is_dark(0, 36));
    for (x, y) in [(37, 0), (0, 37), (64, 0), (255, 255)] {
        assert!(!matrix.is_dark(x, y), "({x}, {y})");
    }
}

/// ISO/IEC 18004 Annex I. The same modules come from `segno` 1.6 for mask 010, the standard's choice.
#[test]
fn the_standards_example_is_drawn_as_the_standard_draws_it() {
    let expected = "\
        #######..#.##.#######\
        #.....#..####.#.....#\
        #.###.#.#.....#.###.#\
        #.###.#.##....#.###.#\
        #.###.#.#.###.#.###.#\
        #.....#.#...#.#.....#\
        #######.#.#.#.#######\
        ........#..##........\
        #.#####..#..#.#####..\
        ...#.#.##.#.#..#.##..\
        ..#...##.#.#.#..#####\
        ....#....#.....####..\
        ...######..#.#..#....\
        ........#.#####..##..\
        #######..##.#.##.....\
        #.....#.#.#####...#.#\
        #.###.#.#...#..#.##..\
        #.###.#.##..#..#.....\
        #.###.#.#.##.#..#.#..\
        #.....#........##.##.\
        #######.####.#..#.#..";
    let matrix = encode_numeric("01234567", Symbol::ONLINE_NUMBER).unwrap();
    let drawn: String = modules(&matrix)
        .iter()
        .map(|&dark| if dark { '#' } else { '.' })
        .collect();
    assert_eq!(drawn, expected);
}

/// A text that just fits at most, and its symbol.
fn any_text_and_symbol() -> impl Strategy<Value = (String, Symbol)> {
    (select(&Version::ALL), select(&[EccLevel::L, EccLevel::M])).prop_flat_map(|(version, level)| {
        let symbol = Symbol::new(version, level);
        let capacity = (1..)
            .take_while(|&n| segment::alphanumeric(&"A".repeat(n), symbol).is_ok())
            .count();
        (texts(ALPHANUMERIC, 0..=capacity), Just(symbol))
    })
}

proptest! {
    #![proptest_config(Config::with_cases(6_000))]

    #[test]
    fn any_text_is_drawn_as_the_reference_draws_it_in_every_symbol((text, symbol) in any_text_and_symbol()) {
        let expected = reference(&text, symbol, Bits::push_alphanumeric_data);
        let drawn = modules(&encode_alphanumeric(&text, symbol)?);
        prop_assert!(drawn == expected, "{text:?} in {symbol} differs");
    }
}

proptest! {
    #![proptest_config(Config::with_cases(500))]

    #[test]
    fn a_short_code_is_drawn_as_the_reference_draws_it(text in texts(ALPHANUMERIC, 122)) {
        let expected = reference(&text, Symbol::SHORT_CODE, Bits::push_alphanumeric_data);
        let drawn = modules(&encode_alphanumeric(&text, Symbol::SHORT_CODE)?);
        prop_assert!(drawn == expected, "{text:?} differs");
    }

    #[test]
    fn a_full_code_is_drawn_as_the_reference_draws_it(text in texts(ALPHANUMERIC, 287)) {
        for symbol in [Symbol::FULL_CODE, Symbol::FULL_CODE_COARSE] {
            let expected = reference(&text, symbol, Bits::push_alphanumeric_data);
            let drawn = modules(&encode_alphanumeric(&text, symbol)?);
            prop_assert!(drawn == expected, "{text:?} in {symbol} differs");
        }
    }

    #[test]
    fn an_online_number_is_drawn_as_the_reference_draws_it(digits in texts(DIGITS, 0..=34)) {
        let expected = reference(&digits, Symbol::ONLINE_NUMBER, Bits::push_numeric_data);
        let drawn = modules(&encode_numeric(&digits, Symbol::ONLINE_NUMBER)?);
        prop_assert!(drawn == expected, "{digits:?} differs");
    }
}

#[test]
fn packed_bytes_have_the_left_most_module_highest_and_rows_of_whole_bytes() {
    let matrix = short_code();
    let packed = matrix.to_packed_bytes();
    assert_eq!(packed.len(), 37 * 5);
    for (y, row) in (0..).zip(packed.chunks(5)) {
        for x in 0..40 {
            let bit = row[usize::from(x / 8)] & (0x80 >> (x % 8)) != 0;
            assert_eq!(bit, matrix.is_dark(x, y), "({x}, {y})");
        }
    }
    // The top row begins with a finder's edge and its separator.
    assert_eq!(packed[0], 0b1111_1110);
}

#[test]
fn svg_paints_exactly_the_dark_modules_inside_the_quiet_zone() {
    let matrix = short_code();
    let svg = to_svg(&matrix);
    assert!(svg.contains(r#"viewBox="0 0 45 45""#), "{svg}");
    let (_, path) = svg.split_once(r##"fill="#000" d=""##).unwrap();
    let (path, _) = path.split_once('"').unwrap();
    let mut painted = vec![vec![false; 45]; 45];
    for run in path.split('M').skip(1) {
        let (left, rest) = run.split_once(' ').unwrap();
        let (top, rest) = rest.split_once('h').unwrap();
        let (length, back) = rest.split_once("v1h-").unwrap();
        assert_eq!(back, format!("{length}z"));
        let (left, length): (usize, usize) = (left.parse().unwrap(), length.parse().unwrap());
        painted[top.parse::<usize>().unwrap()][left..left + length].fill(true);
    }
    assert_eq!(painted, with_quiet_zone(&matrix));
}

#[test]
fn terminal_text_is_black_on_white_with_two_rows_a_line() {
    let matrix = short_code();
    let mut rows = Vec::new();
    for line in to_terminal(&matrix).lines() {
        let line = line.strip_prefix("\x1b[38;5;16;48;5;231m").unwrap();
        let blocks = line.strip_suffix("\x1b[0m").unwrap();
        rows.push(
            blocks
                .chars()
                .map(|block| "█▀".contains(block))
                .collect::<Vec<_>>(),
        );
        rows.push(blocks.chars().map(|block| "█▄".contains(block)).collect());
    }
    // 45 rows make 23 lines: the last half line is white.
    assert_eq!(rows.pop().unwrap(), vec![false; 45]);
    assert_eq!(rows, with_quiet_zone(&matrix));
}

#[test]
fn pixels_are_squares_of_the_size_asked_for() {
    let matrix = short_code();
    let bitmap = to_luma(&matrix, 3);
    assert_eq!((bitmap.side, bitmap.pixels.len()), (135, 135 * 135));
    let modules = with_quiet_zone(&matrix);
    for (y, row) in bitmap.pixels.chunks(bitmap.side).enumerate() {
        let expected: Vec<u8> = (0..bitmap.side)
            .map(|x| if modules[y / 3][x / 3] { 0 } else { 255 })
            .collect();
        assert_eq!(row, expected, "row {y}");
    }
}
