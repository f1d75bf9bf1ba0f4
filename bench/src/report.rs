//! What was measured: medians over the rounds, with the least and the most, and the ratio to the raw WebSocket.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::Result;
use onesocket_tests::browser::Engine;
use serde_json::{Value, json};

use crate::{contender::Contender, figure::Figure, load::percentile, run::Sample};

/// All figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    rows: BTreeMap<(Engine, Figure, Contender), Row>,
    values: BTreeMap<(Engine, Figure, Contender), BTreeMap<u32, f64>>,
}

/// One figure of one contender.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Report {
    pub(crate) fn new(samples: &[Sample]) -> Self {
        let mut values: BTreeMap<_, BTreeMap<u32, f64>> = BTreeMap::new();
        for sample in samples {
            let key = (sample.engine, sample.figure, sample.contender);
            let rounds = values.entry(key).or_default();
            rounds.insert(sample.round, sample.value);
        }
        let rows = values
            .iter()
            .filter_map(|(key, rounds)| Some((*key, Row::of(rounds.values().copied().collect())?)))
            .collect();
        Self { rows, values }
    }

    /// One figure, if it was measured.
    pub(crate) fn row(&self, engine: Engine, figure: Figure, contender: Contender) -> Option<Row> {
        self.rows.get(&(engine, figure, contender)).copied()
    }

    /// One figure in each round in which it was measured.
    pub(crate) fn rounds(
        &self,
        engine: Engine,
        figure: Figure,
        contender: Contender,
    ) -> impl Iterator<Item = (u32, f64)> {
        let values = self.values.get(&(engine, figure, contender));
        values
            .into_iter()
            .flatten()
            .map(|(round, value)| (*round, *value))
    }

    /// One figure in one round.
    pub(crate) fn value_in(
        &self,
        round: u32,
        engine: Engine,
        figure: Figure,
        contender: Contender,
    ) -> Option<f64> {
        let values = self.values.get(&(engine, figure, contender))?;
        values.get(&round).copied()
    }

    /// The ratio of the medians of one and another.
    pub(crate) fn ratio(
        &self,
        engine: Engine,
        figure: Figure,
        contender: Contender,
        to: Contender,
    ) -> Option<f64> {
        let own = self.row(engine, figure, contender)?.median;
        let other = self.row(engine, figure, to)?.median;
        (other != 0.0).then(|| own / other)
    }

    /// The figures of an engine.
    pub(crate) fn figures(&self, engine: Engine) -> Vec<Figure> {
        let mut figures: Vec<_> = self
            .rows
            .keys()
            .filter(|key| key.0 == engine)
            .map(|key| key.1)
            .collect();
        figures.dedup();
        figures
    }

    /// Everybody's of one figure.
    pub(crate) fn of(&self, engine: Engine, figure: Figure) -> Vec<(Contender, Row)> {
        let rows = self
            .rows
            .iter()
            .filter(|(key, _)| (key.0, key.1) == (engine, figure));
        rows.map(|(key, row)| (key.2, *row)).collect()
    }

    /// For a page.
    pub(crate) fn markdown(&self, engine: Engine) -> String {
        let mut table = String::from(
            "| figure | contender | median | least to most | x raw | x gloo-net |\n|---|---|---|---|---|---|\n",
        );
        for figure in self.figures(engine) {
            for (contender, row) in self.of(engine, figure) {
                let ratio = |to| match self.ratio(engine, figure, contender, to) {
                    Some(ratio) => format!("{ratio:.2}"),
                    None => "-".to_owned(),
                };
                let [median, min, max] = [row.median, row.min, row.max].map(short);
                let _ = writeln!(
                    table,
                    "| {figure}, {} | {contender} | {median} | {min} to {max} | {} | {} |",
                    figure.unit(),
                    ratio(Contender::Raw),
                    ratio(Contender::GlooNet),
                );
            }
        }
        table
    }

    /// For a terminal.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        let mut last = None;
        for ((engine, figure, contender), row) in &self.rows {
            if last.replace((engine, figure)) != Some((engine, figure)) {
                let _ = writeln!(table, "\n{engine} {figure}, {}", figure.unit());
            }
            let ratio = |to| match self.ratio(*engine, *figure, *contender, to) {
                Some(ratio) => format!("{ratio:.3}"),
                None => "-".to_owned(),
            };
            let [median, min, max] = [row.median, row.min, row.max].map(short);
            let _ = writeln!(
                table,
                "  {contender:<24}{median:>10} ({min} to {max})  x raw {}, x gloo-net {}",
                ratio(Contender::Raw),
                ratio(Contender::GlooNet),
            );
        }
        table
    }

    /// For programs.
    pub(crate) fn json(&self) -> Result<String> {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|((engine, figure, contender), row)| {
                let (kind, name) = contender.key();
                json!({
                    "engine": engine.name(),
                    kind: name,
                    "figure": figure.name(),
                    "unit": figure.unit(),
                    "median": row.median,
                    "min": row.min,
                    "max": row.max,
                    "ratio_to_raw": self.ratio(*engine, *figure, *contender, Contender::Raw),
                })
            })
            .collect();
        Ok(serde_json::to_string_pretty(&rows)?)
    }
}

impl Row {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => (values.get(middle.checked_sub(1)?)? + values.get(middle)?) / 2.0,
            _ => *values.get(middle)?,
        };
        Some(Self {
            median,
            min: percentile(&values, 0.0)?,
            max: percentile(&values, 1.0)?,
        })
    }
}

/// Three digits that count.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        below if below < 10.0 => format!("{value:.2}"),
        below if below < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
