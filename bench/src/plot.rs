//! Pictures of what was measured: a panel per figure, a bar per contender.

use anyhow::Result;
use onesocket_tests::browser::Engine;
use plotters::{coord::Shift, prelude::*};

use crate::{
    contender::Contender,
    figure::Figure,
    report::{Report, Row, short},
};

/// What a page gains, in one picture.
pub(crate) const MAIN: [Figure; 4] = [
    Figure::FloodMain,
    Figure::SteadyMain,
    Figure::PingAnswer,
    Figure::TabsCpu,
];

/// Draws figures of one engine as SVG; `None` when none was measured there.
pub(crate) fn draw(
    report: &Report,
    engine: Engine,
    wanted: impl Fn(Figure) -> bool,
) -> Result<Option<String>> {
    let figures = report.figures(engine).into_iter();
    let figures: Vec<Figure> = figures.filter(|figure| wanted(*figure)).collect();
    if figures.is_empty() {
        return Ok(None);
    }
    let heights: Vec<i32> = figures
        .iter()
        .map(|figure| TITLE + BAR * report.of(engine, *figure).len() as i32 + GAP)
        .collect();
    let mut svg = String::new();
    {
        let size = (WIDTH as u32, heights.iter().sum::<i32>() as u32);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE)?;
        let mut top = 0;
        for (figure, height) in figures.into_iter().zip(heights) {
            let title = format!("{figure}, {}", figure.unit());
            root.draw(&Text::new(
                title,
                (12, top + 8),
                ("sans-serif", 16).into_font(),
            ))?;
            panel(&root, top + TITLE, &report.of(engine, figure))?;
            top += height;
        }
        root.present()?;
    }
    Ok(Some(svg))
}

fn panel(
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    top: i32,
    rows: &[(Contender, Row)],
) -> Result<()> {
    let most = rows.iter().map(|(_, row)| row.max).fold(0.0, f64::max);
    let x = |value: f64| LEFT + (value.max(0.0) / most.max(f64::MIN_POSITIVE) * SPAN) as i32;
    for (place, (contender, row)) in rows.iter().enumerate() {
        let y = top + BAR * place as i32;
        let small = ("sans-serif", 13).into_font();
        root.draw(&Text::new(contender.name(), (12, y + 3), small.clone()))?;
        let color = match contender {
            Contender::Tier(_) => OURS,
            _ => THEIRS,
        };
        let corners = [(LEFT, y + 2), (x(row.median).max(LEFT + 1), y + BAR - 3)];
        root.draw(&Rectangle::new(corners, color.filled()))?;
        let middle = y + BAR / 2;
        let range = vec![(x(row.min), middle), (x(row.max), middle)];
        root.draw(&PathElement::new(range, BLACK.stroke_width(1)))?;
        let label = (x(row.max) + 6, y + 3);
        root.draw(&Text::new(short(row.median), label, small))?;
    }
    Ok(())
}

const WIDTH: i32 = 900;
const LEFT: i32 = 190;
const SPAN: f64 = 620.0;
const TITLE: i32 = 32;
const BAR: i32 = 20;
const GAP: i32 = 8;
const OURS: RGBColor = RGBColor(46, 110, 180);
const THEIRS: RGBColor = RGBColor(190, 190, 190);
