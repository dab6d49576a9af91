//! A figure as SVG.
//!
//! Written by hand: a crate that draws any chart would be a hundred times these lines, and what it draws would not fit the page
//! any better. The colours are told apart by everybody and hold on light and dark pages.

use std::fmt::Write;

use crate::bench::curves::chart::{Figure, Panel, Series};

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 190.0;
/// Around the plane of a panel: room for the numbers and the title.
const LEFT: f64 = 52.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 40.0;
const RIGHT: f64 = 14.0;
/// Room for one line of the legend.
const LEGEND: f64 = 15.0;
/// Panels in a row.
const ROW: usize = 3;

const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#6a5acd"];

const STYLE: &str = "text{font:11px system-ui,sans-serif;fill:#333}.t{font-size:14px;font-weight:600}\
    .p{font-weight:600}.n{fill:#666}.g{stroke:#ddd}.a{stroke:#888}rect{fill:#fff}\
    @media(prefers-color-scheme:dark){text{fill:#ccc}.n{fill:#999}.g{stroke:#333}.a{stroke:#777}rect{fill:#0d1117}}";

/// The text of the file.
pub(crate) fn draw(figure: &Figure) -> String {
    let columns = figure.panels.len().clamp(1, ROW);
    let rows = figure.panels.len().div_ceil(ROW).max(1);
    let legend = figure.panels.iter().map(|panel| panel.series.len()).max().unwrap_or(0) as f64 * LEGEND;
    let (cell_width, cell_height) = (LEFT + WIDTH + RIGHT, 24.0 + HEIGHT + BOTTOM + legend);
    let (width, height) = (columns as f64 * cell_width, TOP - 10.0 + rows as f64 * cell_height);
    let mut out = String::new();
    put(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
             aria-label=\"{}\">\n<style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\"/>\n",
            escaped(&figure.title)
        ),
    );
    label(&mut out, (16.0, 24.0), "t", "start", &figure.title);
    label(&mut out, (16.0, 41.0), "n", "start", &figure.note);
    let lines = figure.panels.iter().flat_map(|panel| &panel.series);
    let places = lines.flat_map(|line| line.points.iter().map(|(at, _)| *at));
    let across = if figure.logarithmic { Axis::logarithmic(places) } else { Axis::linear(places) };
    for (place, panel) in figure.panels.iter().enumerate() {
        let origin =
            ((place % ROW) as f64 * cell_width + LEFT, TOP + (place / ROW) as f64 * cell_height + 14.0);
        draw_panel(&mut out, origin, panel, &across, &figure.across);
    }
    out.push_str("</svg>\n");
    out
}

fn draw_panel(out: &mut String, (x, y): (f64, f64), panel: &Panel, across: &Axis, across_title: &str) {
    let values = panel.series.iter().flat_map(|line| line.points.iter().map(|(_, value)| *value));
    let up = if panel.logarithmic { Axis::logarithmic(values) } else { Axis::linear(values) };
    label(out, (x - LEFT + 16.0, y - 8.0), "p", "start", &panel.title);
    for tick in up.ticks() {
        let at = y + HEIGHT * (1.0 - up.place(tick));
        put(out, format_args!("<path class=\"g\" d=\"M{x:.1} {at:.1}h{WIDTH}\"/>\n"));
        label(out, (x - 5.0, at + 4.0), "n", "end", &short(tick));
    }
    for tick in across.ticks() {
        let at = x + WIDTH * across.place(tick);
        put(out, format_args!("<path class=\"g\" d=\"M{at:.1} {y:.1}v{HEIGHT}\"/>\n"));
        label(out, (at, y + HEIGHT + 14.0), "n", "middle", &short(tick));
    }
    put(out, format_args!("<path class=\"a\" d=\"M{x:.1} {:.1}h{WIDTH}\"/>\n", y + HEIGHT));
    label(out, (x + WIDTH / 2.0, y + HEIGHT + 28.0), "n", "middle", across_title);
    for (place, (line, colour)) in panel.series.iter().zip(COLOURS.iter().cycle()).enumerate() {
        draw_line(out, (x, y), line, colour, across, &up);
        let at = y + HEIGHT + BOTTOM + 4.0 + place as f64 * LEGEND;
        put(
            out,
            format_args!("<path stroke=\"{colour}\" stroke-width=\"3\" d=\"M{x:.1} {:.1}h16\"/>\n", at - 4.0),
        );
        label(out, (x + 22.0, at), "", "start", &line.name);
    }
}

fn draw_line(out: &mut String, (x, y): (f64, f64), line: &Series, colour: &str, across: &Axis, up: &Axis) {
    let place =
        |(at, value): &(f64, f64)| (x + WIDTH * across.place(*at), y + HEIGHT * (1.0 - up.place(*value)));
    let mut path = String::new();
    for (number, (at, value)) in line.points.iter().map(place).enumerate() {
        put(&mut path, format_args!("{}{at:.1} {value:.1}", if number == 0 { 'M' } else { 'L' }));
    }
    put(out, format_args!("<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" d=\"{path}\"/>\n"));
    for (at, value) in line.points.iter().map(place) {
        put(out, format_args!("<circle fill=\"{colour}\" r=\"3\" cx=\"{at:.1}\" cy=\"{value:.1}\"/>\n"));
    }
}

/// An axis: its ends, and how it divides.
struct Axis {
    logarithmic: bool,
    from: f64,
    to: f64,
    step: f64,
}

impl Axis {
    fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let (from, to) = ends(values.filter(|value| *value > 0.0).map(f64::log10));
        // A little room, so that ends are not on the border.
        let (from, to) = if to - from < 0.1 { (from - 0.5, to + 0.5) } else { (from - 0.05, to + 0.05) };
        Self { logarithmic: true, from, to, step: 1.0 }
    }

    fn linear(values: impl Iterator<Item = f64>) -> Self {
        let (_, most) = ends(values);
        let most = if most > 0.0 { most * 1.1 } else { 1.0 };
        let power = 10_f64.powf((most / 4.0).log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| most / step <= 5.0);
        Self { logarithmic: false, from: 0.0, to: most, step: step.unwrap_or(most) }
    }

    /// Where a value stands, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value };
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    /// The values that are written beside it: of a logarithmic one the powers of ten, and 2 and 5 where those are few.
    fn ticks(&self) -> Vec<f64> {
        if !self.logarithmic {
            let steps = std::iter::successors(Some(0.0), |tick| Some(tick + self.step));
            return steps.take_while(|tick| *tick <= self.to).collect();
        }
        let within = |tick: &f64| (self.from..=self.to).contains(&tick.log10());
        let powers: Vec<_> = std::iter::successors(Some(self.from.floor()), |power| Some(power + 1.0))
            .take_while(|power| *power <= self.to)
            .map(|power| 10_f64.powf(power))
            .collect();
        let between: &[f64] = if self.to - self.from < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        powers
            .iter()
            .flat_map(|power| between.iter().map(move |times| times * power))
            .filter(within)
            .collect()
    }
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (from, to) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), value| (from.min(value), to.max(value)));
    if from <= to { (from, to) } else { (0.0, 1.0) }
}

/// A number as an axis has it: 20k, 1M, 0.5.
fn short(value: f64) -> String {
    let scaled = |by: f64, unit: &str| format!("{}{unit}", (value / by * 1000.0).round() / 1000.0);
    match value.abs() {
        size if size >= 1e6 => scaled(1e6, "M"),
        size if size >= 1e4 => scaled(1e3, "k"),
        _ => scaled(1.0, ""),
    }
}

fn label(out: &mut String, (x, y): (f64, f64), class: &str, anchor: &str, text: &str) {
    put(
        out,
        format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
            escaped(text)
        ),
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Writing to a `String` never fails.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_where_its_axis_has_it() {
        let axis = Axis::logarithmic([1000.0, 1e6].into_iter());
        assert_eq!(axis.ticks(), [1000.0, 10_000.0, 100_000.0, 1e6]);
        assert!((axis.place(31_622.776) - 0.5).abs() < 1e-6);
        let axis = Axis::linear([3.0, 47_000.0].into_iter());
        assert_eq!(axis.ticks(), [0.0, 20_000.0, 40_000.0]);
        assert!(axis.place(0.0).abs() < 1e-9 && axis.place(47_000.0) < 1.0);
    }

    #[test]
    fn whatever_is_measured_is_drawn_within_the_frame() {
        for values in [&[][..], &[0.0], &[5.0], &[5.0, 5.0], &[f64::NAN, 1.0], &[1e-9, 1e12]] {
            let mut figure = Figure::new("x", "A < B & C", "things");
            for (place, value) in values.iter().enumerate() {
                figure.point("requests/s", "one", place as f64, *value);
                figure.point("p99, ms", "one", place as f64, *value);
            }
            let text = draw(&figure);
            assert!(!text.contains("NaN") && !text.contains("inf"), "{values:?}: {text}");
            assert!(text.contains("A &lt; B &amp; C"));
            assert_eq!(text.matches("<text").count(), text.matches("</text>").count());
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(0.05, "0.05"), (1.0, "1"), (1000.0, "1000"), (20_000.0, "20k"), (1.5e6, "1.5M")]
        {
            assert_eq!(short(value), text);
        }
    }
}
