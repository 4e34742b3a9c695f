//! A failing run as one page of HTML: it needs no other file, no network and no script.
//!
//! Guests are hostile: every text of theirs is escaped where it enters the page, and the page forbids
//! its reader's browser to run or to load anything.

use dacapo_core::Location;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::inevitable::Inevitability;
use super::model::{Broken, Diagram};
use super::source::source_lines;
use super::svg::kinds;
use crate::WorldKind;
use crate::print::clean;

const STYLE: &str = include_str!("page.css");
/// What the browser may do with the page: apply its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// So many faults are listed.
const FAULTS_MAX: usize = 200;

/// Gives the text of a source file, by the name under which a [`Location`] knows it.
pub type SourceOf<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What stands on the page beside the diagram. All of it may be left out.
#[derive(Clone, Copy, Default)]
pub struct Page<'a> {
    /// The command that runs it again.
    pub repeat: &'a str,
    /// How the seed was searched for.
    pub strategy: &'a str,
    /// The decisions that matter, one a line.
    pub decisions: &'a [String],
    /// How probable the failure was at each moment.
    pub inevitability: Option<&'a Inevitability>,
    /// Where the guests' source is found.
    pub source: Option<SourceOf<'a>>,
}

impl Page<'_> {
    /// The page, for this diagram.
    pub fn html(&self, diagram: &Diagram) -> String {
        let name = diagram.identity.scenario.clone().unwrap_or_else(|| diagram.identity.project.clone());
        let title = match diagram.identity.seed {
            Some(seed) => format!("{} seed {seed}", clean(&name)),
            None => clean(&name),
        };
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (self.header(diagram, &title))
                    main {
                        @if let Some(broken) = &diagram.broken { (self.broken(broken)) }
                        (self.sources(diagram))
                        (self.decisions())
                        (self.graph())
                    }
                    (self.diagram(diagram))
                    main {
                        (faults(diagram))
                        footer { (clean(&diagram.identity.tool)) " · " (clean(&diagram.identity.engine)) " · " (diagram.ending) }
                    }
                }
            }
        }
        .into_string()
    }

    fn header(&self, diagram: &Diagram, title: &str) -> Markup {
        let identity = &diagram.identity;
        let facts = [
            ("project", clean(&identity.project)),
            ("scenario", clean(identity.scenario.as_deref().unwrap_or_default())),
            ("seed", identity.seed.map(|seed| seed.to_string()).unwrap_or_default()),
            ("strategy", clean(self.strategy)),
            ("nodes", identity.nodes.len().to_string()),
            ("events", diagram.events.to_string()),
            ("until", diagram.end().to_string()),
            (
                "world",
                if identity.world == WorldKind::Host { identity.world.to_string() } else { String::new() },
            ),
        ];
        html! {
            header {
                p.kicker { @if diagram.broken.is_some() { "a failing run" } @else { "a run" } " · " (title) }
                h1 {
                    @match &diagram.broken {
                        Some(broken) => (broken.message),
                        None => (diagram.ending),
                    }
                }
                dl.facts {
                    @for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
                        div { dt { (name) } dd { (value) } }
                    }
                }
                @if !self.repeat.is_empty() {
                    pre.command { code { (clean(self.repeat)) } }
                }
            }
        }
    }

    fn broken(&self, broken: &Broken) -> Markup {
        html! {
            section.verdict {
                p {
                    strong { (broken.kind) } " is broken at " code { "#" (broken.event) } ", "
                    (broken.at) ", on " (broken.node)
                    @if let Some(location) = &broken.location { ", in " code { (clean(&location.to_string())) } }
                }
                @if !broken.details.is_empty() { pre { (broken.details.join("\n")) } }
            }
        }
    }

    fn sources(&self, diagram: &Diagram) -> Markup {
        let Some(source) = self.source else { return html! {} };
        let excerpt = |location: &Location| {
            let lines = source_lines(&source(&location.file)?, location);
            (!lines.is_empty()).then_some((location.clone(), lines))
        };
        let excerpts: Vec<_> = diagram.locations().into_iter().filter_map(excerpt).collect();
        html! {
            @for (location, lines) in excerpts {
                section {
                    h2 { code { (clean(&location.to_string())) } }
                    table.source {
                        @for (number, is_it, text) in lines {
                            tr.it[is_it] { th { (number) } td { pre { (text) } } }
                        }
                    }
                }
            }
        }
    }

    fn decisions(&self) -> Markup {
        html! {
            @if !self.decisions.is_empty() {
                section {
                    h2 { "The decisions that matter" }
                    ol.decisions { @for line in self.decisions { li { code { (clean(line)) } } } }
                }
            }
        }
    }

    fn graph(&self) -> Markup {
        let Some(graph) = self.inevitability.filter(|it| !it.branches().is_empty()) else { return html! {} };
        html! {
            section {
                h2 { "How probable the failure was" }
                (graph.svg())
                p.note { (graph.sentence()) }
            }
        }
    }

    fn diagram(&self, diagram: &Diagram) -> Markup {
        let kinds = kinds(diagram);
        let toggles = [
            ("log", "log lines"),
            ("disk", "disks"),
            ("clock", "timers"),
            ("strike", "faults"),
            ("other", "the rest"),
        ];
        html! {
            section.run {
                h2 { "How it came to that" }
                @if diagram.left_out > 0 {
                    p.note { "What can have led to it, nearest first. " (diagram.left_out) " of " (diagram.events) " events are left out." }
                }
                div.toggles {
                    @for (kind, name) in toggles.iter().filter(|(kind, _)| kinds.contains(kind)) {
                        label { input type="checkbox" class={ "show-" (kind) } checked; " " (name) }
                    }
                }
                div.lanes { (diagram.svg_head()) }
                (diagram.svg())
            }
        }
    }
}

fn faults(diagram: &Diagram) -> Markup {
    let all = &diagram.faults;
    html! {
        @if !all.is_empty() {
            section {
                h2 { "Faults" }
                table.faults {
                    thead { tr { th { "at" } th { "until" } th { "fault" } th { "what" } } }
                    tbody {
                        @for fault in all.iter().take(FAULTS_MAX) {
                            tr {
                                td.time { (fault.at) }
                                td.time { @if let Some(until) = fault.until { (until) } }
                                td { code { (fault.name) } }
                                td { (fault.text) }
                            }
                        }
                    }
                }
                @if all.len() > FAULTS_MAX { p.note { "… and " (all.len() - FAULTS_MAX) " more" } }
            }
        }
    }
}
