//! A Markdown table, to be read as it is too.

use std::fmt::Formatter;

/// Writes `rows`, the first of which has the names of the columns.
pub(crate) fn write<const COLUMNS: usize>(f: &mut Formatter<'_>, rows: &[[String; COLUMNS]]) -> std::fmt::Result {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for (place, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!(" {cell:width$} |"));
        writeln!(f, "|{}", cells.collect::<String>())?;
        if place == 0 {
            writeln!(f, "|{}", widths.map(|width| format!("-{:-<width$}-|", "")).concat())?;
        }
    }
    Ok(())
}
