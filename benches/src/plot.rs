//! Draws a plot of bars in groups.

use std::io;
use std::path::Path;

use plotters::prelude::*;

/// Groups by name, each with bars by name.
pub type Bars = Vec<(String, Vec<(String, f64)>)>;

/// Draws `bars` into an SVG file, on a logarithmic scale.
///
/// # Errors
///
/// Returns an error if the file cannot be written. A partial file is then of no use.
pub fn draw(file: &Path, title: &str, bars: &Bars) -> io::Result<()> {
    plot(file, title, bars).map_err(|it| io::Error::other(it.to_string()))
}

fn plot(file: &Path, title: &str, bars: &Bars) -> Result<(), Box<dyn std::error::Error>> {
    let colours = [RGBColor(0, 107, 60), RGBColor(55, 118, 171), RGBColor(230, 159, 0)];
    let area = SVGBackend::new(file, (760, 380)).into_drawing_area();
    area.fill(&WHITE)?;
    let all = bars.iter().flat_map(|it| &it.1).map(|it| it.1);
    let most = all.fold(1.0, f64::max) * 2.0;
    let width = bars.iter().map(|it| it.1.len() + 1).max().unwrap_or(1);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(56)
        .build_cartesian_2d(0..bars.len() * width, (1.0..most).log_scale())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(bars.len() * width)
        .x_label_formatter(&|at| {
            let group = bars.get(at / width).filter(|_| at % width == width / 2);
            group.map(|it| it.0.clone()).unwrap_or_default()
        })
        .draw()?;
    let names = bars.first().map(|it| it.1.as_slice()).unwrap_or_default();
    for (number, ((name, _), colour)) in names.iter().zip(colours).enumerate() {
        let series = bars.iter().enumerate().filter_map(|(group, (_, bars))| {
            let left = group * width + number;
            let height = bars.get(number)?.1;
            Some(Rectangle::new([(left, 1.0), (left + 1, height)], colour.filled()))
        });
        let series = chart.draw_series(series)?;
        series
            .label(name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 10, y + 5)], colour.filled()));
    }
    chart.configure_series_labels().background_style(WHITE).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
