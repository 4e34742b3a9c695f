//! The graph of probability as SVG.

use maud::{Markup, html};

use super::inevitable::{Branch, Inevitability, percent};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 190.0;
/// The room around the curve.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 30.0;

impl Inevitability {
    /// The graph, or nothing if there are no branches.
    pub(super) fn svg(&self) -> Markup {
        let (Some(first), Some(last)) = (self.branches().first(), self.branches().last()) else {
            return html! {};
        };
        let long = (last.at.0.saturating_sub(first.at.0)).max(1) as f64;
        let x = |branch: &Branch| {
            let share = branch.at.0.saturating_sub(first.at.0) as f64 / long;
            LEFT + share * (WIDTH - LEFT - RIGHT)
        };
        let y = |share: f64| TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM);
        let points = |share: &dyn Fn(&Branch) -> f64| -> Vec<String> {
            self.branches().iter().map(|it| format!("{:.1},{:.1}", x(it), y(share(it)))).collect()
        };
        let curve = points(&|it| it.share());
        let mut band = points(&|it| it.interval().1);
        band.extend(points(&|it| it.interval().0).into_iter().rev());
        let area = format!("{:.1},{:.1} {} {:.1},{:.1}", x(first), y(0.0), curve.join(" "), x(last), y(0.0));
        html! {
            svg.graph viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label="probability of failure" {
                @for share in [0.0, 0.5, 1.0] {
                    line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y(share)) y2=(y(share)) {}
                    text.scale x=(LEFT - 8.0) y=(y(share) + 4.0) text-anchor="end" { (percent(share)) }
                }
                polygon.band points=(band.join(" ")) {}
                polygon.area points=(area) {}
                polyline.curve points=(curve.join(" ")) {}
                @for branch in self.branches() {
                    circle.dot cx=(format!("{:.1}", x(branch))) cy=(format!("{:.1}", y(branch.share()))) r="3" {
                        title {
                            "#" (branch.event) " " (branch.at) "\n"
                            (branch.failed) " of " (branch.runs) " continuations fail"
                        }
                    }
                }
                text.scale x=(LEFT) y=(HEIGHT - 8.0) { "#" (first.event) " " (first.at) }
                text.scale x=(WIDTH - RIGHT) y=(HEIGHT - 8.0) text-anchor="end" { "#" (last.event) " " (last.at) }
                @if let Some(turn) = self.turn() {
                    @let branch = &self.branches()[turn.branch];
                    @let is_right = x(branch) > WIDTH * 0.6;
                    line.turn x1=(x(branch)) x2=(x(branch)) y1=(TOP - 8.0) y2=(HEIGHT - BOTTOM) {}
                    text.turn x=(x(branch) + if is_right { -6.0 } else { 6.0 }) y=(TOP - 12.0)
                        text-anchor=(if is_right { "end" } else { "start" }) {
                        @if turn.is_inevitable { "inevitable from " } @else { "largest rise at " }
                        "#" (branch.event) " on: " (percent(turn.before)) " → " (percent(turn.after))
                    }
                }
            }
        }
    }
}
