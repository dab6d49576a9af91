//! Lines of the table: a figure, what it is held against, and the target.

use std::fmt::Write;

use serde_json::{Value, json};

/// A target.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!(">= {bound}"),
            Self::AtMost(bound) => format!("<= {bound}"),
        }
    }
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    /// What was measured, and in what unit.
    pub(crate) what: String,
    /// Ours and what it is held against: medians of all rounds. None where `value` stands alone.
    pub(crate) sides: Option<(f64, f64)>,
    /// The median of the ratios of the rounds, or the figure itself.
    pub(crate) value: f64,
    pub(crate) target: Target,
}

impl Line {
    /// A figure that stands alone.
    pub(crate) fn figure(what: impl Into<String>, value: f64, target: Target) -> Self {
        Self { what: what.into(), sides: None, value, target }
    }

    /// The two sides of each round.
    pub(crate) fn ratio(what: impl Into<String>, rounds: &[(f64, f64)], target: Target) -> Self {
        let side = |side: fn(&(f64, f64)) -> f64| median(rounds.iter().map(side).collect());
        let sides = Some((side(|round| round.0), side(|round| round.1)));
        let value = median(rounds.iter().map(|(ours, theirs)| ours / theirs).collect());
        Self { what: what.into(), sides, value, target }
    }

    /// The line as a JSON object.
    pub(crate) fn json(&self) -> Value {
        json!({
            "what": self.what,
            "measured": self.sides.map(|sides| sides.0),
            "reference": self.sides.map(|sides| sides.1),
            "value": self.value,
            "target": self.target.text(),
            "met": self.target.is_met(self.value),
        })
    }
}

/// The value in the middle; of an even number, the upper one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The lines as a table that Markdown understands.
pub(crate) fn table(lines: &[Line]) -> String {
    let heads = ["what", "Keyreeve", "reference", "value", "target", ""].map(str::to_owned);
    let dashes = ["---", "--:", "--:", "--:", "---", "---"].map(str::to_owned);
    let rows = lines.iter().map(|line| {
        let side = |side: Option<f64>| side.map_or_else(String::new, number);
        let verdict = if line.target.is_met(line.value) { "met" } else { "MISSED" };
        [
            line.what.clone(),
            side(line.sides.map(|sides| sides.0)),
            side(line.sides.map(|sides| sides.1)),
            number(line.value),
            line.target.text(),
            verdict.to_owned(),
        ]
    });
    let rows: Vec<_> = [heads, dashes].into_iter().chain(rows).collect();
    let mut text = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
            // Writing to a `String` never fails.
            write!(text, "| {cell:width$} ").unwrap_or_default();
        }
        text.push_str("|\n");
    }
    text
}

/// Three digits that matter.
fn number(value: f64) -> String {
    match value.abs() {
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_the_median_of_the_ratios_not_the_ratio_of_the_medians() {
        let line = Line::ratio("x", &[(1.0, 10.0), (50.0, 100.0), (90.0, 100.0)], Target::AtLeast(0.65));
        assert_eq!(line.sides, Some((50.0, 100.0)));
        assert!((line.value - 0.5).abs() < 1e-9);
        assert!(table(&[line]).ends_with("| x    | 50.0     | 100       | 0.50  | >= 0.65 | MISSED |\n"));
    }

    #[test]
    fn a_target_includes_its_bound() {
        for (target, value, met) in [
            (Target::AtLeast(0.65), 0.65, true),
            (Target::AtLeast(0.65), 0.64, false),
            (Target::AtMost(2.0), 2.0, true),
            (Target::AtMost(2.0), 2.1, false),
            (Target::AtMost(2.0), f64::NAN, false),
        ] {
            assert_eq!(target.is_met(value), met, "{target:?} {value}");
        }
    }
}
