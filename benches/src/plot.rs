//! Draws a plot of bars in groups.

use std::io;
use std::path::Path;

use plotters::prelude::*;

/// Groups by name, each with bars by name.
pub type Bars = Vec<(String, Vec<(String, f64)>)>;

/// The height of the highest bar, as a share of that of the plot. The rest is for the legend.
const HIGHEST: f64 = 0.75;

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
    // The highest bar ends below the legend.
    let most = all.fold(2.0, f64::max).powf(1.0 / HIGHEST);
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
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use roxmltree::{Document, Node};
    use tempfile::NamedTempFile;

    use super::*;

    /// The upper and the lower edge of a rectangle.
    fn edges(it: &Node<'_, '_>) -> (f64, f64) {
        let number = |name| it.attribute(name).unwrap().parse::<f64>().unwrap();
        (number("y"), number("y") + number("height"))
    }

    #[test]
    fn the_legend_hides_no_bar() {
        let names = ["org-backup", "boto3", "Node SDK v3"];
        for most in [1.5, 400.0, 90_000.0] {
            let group = names.map(|it| (it.to_owned(), most)).to_vec();
            let bars =
                vec![("1 target".to_owned(), group.clone()), ("5 targets".to_owned(), group)];
            let file = NamedTempFile::new().unwrap();
            draw(file.path(), "Bars", &bars).unwrap();
            let text = fs::read_to_string(file.path()).unwrap();
            let document = Document::parse(&text).unwrap();
            let rectangles = document.descendants().filter(|it| it.has_tag_name("rect"));
            let (framed, filled): (Vec<_>, Vec<_>) =
                rectangles.skip(1).partition(|it| it.attribute("fill") == Some("none"));
            let [frame] = framed.as_slice() else { panic!("one frame in {text}") };
            let bottom = edges(frame).1;
            let tall = filled.iter().map(edges).filter(|(top, bottom)| bottom - top > 20.0);
            let bars: Vec<_> = tall.filter(|it| it.1 > bottom).collect();
            assert_eq!(bars.len(), 6, "{text}");
            assert!(bars.iter().all(|(top, _)| *top > bottom), "{most}: {text}");
        }
    }
}
