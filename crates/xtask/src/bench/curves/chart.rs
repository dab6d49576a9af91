//! What a curve is made of, and the file that keeps it.
//!
//! A figure is drawn from the file of its data and from nothing else, so that it can be drawn again without being measured.

use std::path::Path;

use serde_json::{Value, json};

use crate::bench::servers::{failed, write};
use crate::process::Failure;

/// A figure: panels that share what is on the horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    /// The name of its files.
    pub(crate) name: String,
    pub(crate) title: String,
    /// When and how it was measured.
    pub(crate) note: String,
    /// What the horizontal axis counts.
    pub(crate) across: String,
    /// Whether that axis is logarithmic; else it begins at 0.
    pub(crate) logarithmic: bool,
    pub(crate) panels: Vec<Panel>,
}

/// One quantity over the horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Panel {
    /// The quantity and its unit.
    pub(crate) title: String,
    /// Whether the vertical axis is logarithmic; else it begins at 0.
    pub(crate) logarithmic: bool,
    pub(crate) series: Vec<Series>,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Figure {
    /// An empty figure.
    pub(crate) fn new(name: &str, title: &str, across: &str) -> Self {
        let [name, title, across] = [name, title, across].map(str::to_owned);
        Self { name, title, note: String::new(), across, logarithmic: true, panels: Vec::new() }
    }

    /// Adds a point to a line of a panel; either is made where it is not there yet. What could not be measured is no point.
    pub(crate) fn point(&mut self, panel: &str, series: &str, at: f64, value: f64) {
        if !value.is_finite() {
            return;
        }
        let place = self.panels.iter().position(|each| each.title == panel).unwrap_or_else(|| {
            // Latencies and rates spread over powers of ten; sizes by item and the like do not.
            let logarithmic = ["p50", "p99", "ms", "start"].iter().any(|word| panel.contains(word));
            self.panels.push(Panel { title: panel.to_owned(), logarithmic, series: Vec::new() });
            self.panels.len() - 1
        });
        let Some(panel) = self.panels.get_mut(place) else { return };
        match panel.series.iter_mut().find(|each| each.name == series) {
            Some(line) => line.points.push((at, value)),
            None => panel.series.push(Series { name: series.to_owned(), points: vec![(at, value)] }),
        }
    }

    /// Keeps it as `NAME.json` in `directory`.
    pub(crate) fn keep(&self, directory: &Path) -> Result<(), Failure> {
        write(&directory.join(format!("{}.json", self.name)), &format!("{:#}\n", self.json()))
    }

    fn json(&self) -> Value {
        let series = |line: &Series| {
            let points: Vec<_> = line.points.iter().map(|(at, value)| json!([at, rounded(*value)])).collect();
            json!({"name": line.name, "points": points})
        };
        let panel = |panel: &Panel| {
            let lines: Vec<_> = panel.series.iter().map(series).collect();
            json!({"title": panel.title, "logarithmic": panel.logarithmic, "series": lines})
        };
        json!({
            "name": self.name, "title": self.title, "note": self.note, "across": self.across,
            "logarithmic": self.logarithmic,
            "panels": self.panels.iter().map(panel).collect::<Vec<_>>(),
        })
    }

    /// Reads what [`Figure::keep`] has written.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = || failed(format!("{} holds no figure", path.display()));
        let text = std::fs::read_to_string(path).map_err(|_error| wrong())?;
        let value: Value = serde_json::from_str(&text).map_err(|_error| wrong())?;
        Self::parse(&value).ok_or_else(wrong)
    }

    fn parse(value: &Value) -> Option<Self> {
        let text = |value: &Value, name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let list = |value: &Value, name: &str| value.get(name)?.as_array().cloned();
        let point = |pair: &Value| Some((pair.get(0)?.as_f64()?, pair.get(1)?.as_f64()?));
        let series = |line: &Value| {
            let points = list(line, "points")?.iter().map(point).collect::<Option<_>>()?;
            Some(Series { name: text(line, "name")?, points })
        };
        let panel = |panel: &Value| {
            let series = list(panel, "series")?.iter().map(series).collect::<Option<_>>()?;
            let logarithmic = panel.get("logarithmic")?.as_bool()?;
            Some(Panel { title: text(panel, "title")?, logarithmic, series })
        };
        Some(Self {
            name: text(value, "name")?,
            title: text(value, "title")?,
            note: text(value, "note")?,
            across: text(value, "across")?,
            logarithmic: value.get("logarithmic")?.as_bool()?,
            panels: list(value, "panels")?.iter().map(panel).collect::<Option<_>>()?,
        })
    }
}

/// Four digits that matter.
fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let scale = 10_f64.powf(3.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_as_it_was_kept() {
        let mut figure = Figure::new("keys", "Keys", "keys");
        figure.point("requests/s", "one", 1000.0, 45_678.9);
        figure.point("requests/s", "many", 1000.0, 0.0);
        figure.point("p99, ms", "one", 1000.0, 0.012_345_6);
        let read = Figure::parse(&figure.json()).unwrap();
        assert_eq!(read.panels.len(), 2);
        assert_eq!(read.panels[0].series[0].points, [(1000.0, 45_680.0)]);
        assert_eq!(read.panels[1].series[0].points, [(1000.0, 0.012_35)]);
        assert_eq!(Figure::parse(&read.json()), Some(read));
    }
}
