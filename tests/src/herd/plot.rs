//! Shows herds side by side.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use plotters::prelude::*;

use super::{Report, Server};

/// Draws how many dials come in each second, one panel per herd, and returns the picture as SVG.
///
/// # Errors
///
/// When there is nothing to draw.
pub fn plot(herds: &[(&str, Report)], server: Server) -> Result<String> {
    let mut svg = String::new();
    let rows = herds.len().div_ceil(COLUMNS);
    let size = (WIDTH, HEADER + ROW * rows as u32);
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE)?;
        let clients = herds.first().context("no herds")?.1.clients;
        let title = format!(
            "{clients} clients lose their server: dials per second. Dashed: the {} handshakes per second that it takes",
            server.handshakes_per_second
        );
        let (head, panels) = root.split_vertically(HEADER);
        let style = ("sans-serif", 17).into_font();
        head.draw(&Text::new(title, (14, 12), style))?;
        let most = herds.iter().map(|(_, report)| report.peak()).max();
        let top = most.unwrap_or(1) as f64 * 1.5;
        for (panel, (name, report)) in panels.split_evenly((rows, COLUMNS)).iter().zip(herds) {
            draw(panel, name, report, server, top)?;
        }
        root.present()?;
    }
    Ok(svg)
}

fn draw(
    panel: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    name: &str,
    report: &Report,
    server: Server,
    top: f64,
) -> Result<()> {
    let mut chart = ChartBuilder::on(panel)
        .caption(
            format!("{name}: at most {}", report.peak()),
            ("sans-serif", 15),
        )
        .margin(8)
        .x_label_area_size(22)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..SHOWN_SECONDS, (1.0..top).log_scale())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(7)
        .x_label_formatter(&|second| format!("{second:.0} s"))
        .y_labels(5)
        .y_label_formatter(&|dials| format!("{dials:.0}"))
        .draw()?;
    let bars = report
        .dials_by_second()
        .into_iter()
        .zip(0..SHOWN_SECONDS as u32)
        .filter(|(dials, _)| *dials > 0)
        .map(|(dials, second)| {
            let second = f64::from(second);
            let corners = [(second, 1.0), (second + 1.0, dials as f64)];
            Rectangle::new(corners, BAR.filled())
        });
    chart.draw_series(bars)?;
    let capacity = server.handshakes_per_second as f64;
    let ends = [(0.0, capacity), (SHOWN_SECONDS, capacity)];
    chart.draw_series(DashedLineSeries::new(ends, 6, 4, BLACK.stroke_width(1)))?;
    Ok(())
}

const WIDTH: u32 = 1000;
const ROW: u32 = 190;
const HEADER: u32 = 40;
const COLUMNS: usize = 2;
const SHOWN_SECONDS: f64 = 60.0;
const BAR: RGBColor = RGBColor(46, 110, 180);

/// Writes what the picture shows as the rows of a Markdown table.
#[must_use]
pub fn table(herds: &[(&str, Report)]) -> String {
    let mut table = String::from(
        "| herd | most dials in a second | dials | handshakes for nobody | half are back after | 99 % | all |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (name, report) in herds {
        let back = |percent| {
            report.back_after(percent).map_or_else(
                || "never".to_owned(),
                |at| format!("{:.1} s", at.as_secs_f64()),
            )
        };
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            report.peak(),
            report.dials(),
            report.wasted,
            back(50),
            back(99),
            back(100),
        );
    }
    table
}
