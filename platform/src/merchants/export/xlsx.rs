//! Sheets as a workbook. Texts are texts whatever stands in them, and amounts are numbers in yuan, as people sum them.

use super::{Sheet, Value};
use crate::error::{Error, Result};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

impl From<XlsxError> for Error {
    fn from(error: XlsxError) -> Self {
        Self::Io(std::io::Error::other(error.to_string()))
    }
}

pub(super) fn write(sheets: &[Sheet]) -> Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    let (bold, yuan) = (Format::new().set_bold(), Format::new().set_num_format("0.00"));
    for sheet in sheets {
        let page = workbook.add_worksheet();
        page.set_name(sheet.name)?;
        for (column, head) in (0_u16..).zip(&sheet.head) {
            page.write_string_with_format(0, column, *head, &bold)?;
            page.set_column_width(column, 18)?;
        }
        for (row, values) in (1_u32..).zip(&sheet.rows) {
            for (column, value) in (0_u16..).zip(values) {
                match value {
                    Value::Text(text) => page.write_string(row, column, text)?,
                    Value::Count(count) => page.write_number(row, column, number(*count))?,
                    Value::Yuan(amount) => {
                        page.write_number_with_format(row, column, in_yuan(amount.get()), &yuan)?
                    }
                };
            }
        }
        page.set_freeze_panes(1, 0)?;
    }
    Ok(workbook.save_to_buffer()?)
}

/// Workbooks have no integers. What is beyond 2^53 is no count of sales and no sum of a canteen.
#[expect(clippy::cast_precision_loss, reason = "workbooks know floating point alone")]
fn number(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "workbooks know floating point alone")]
fn in_yuan(fen: i64) -> f64 {
    fen as f64 / 100.0
}
