//! Which engine runs which code. The only place that names engines.

use std::rc::Rc;

use dacapo_core::{Code, Files, Program};
use miette::Report;

use crate::error::cannot_load;
#[cfg(feature = "js")]
use crate::watchdog::{Patience, Watchdog};

/// How the engines of this process are set up; the first call decides (V8's flags are set once
/// for a process).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Simulate, replay, test: single-threaded.
    Simulate,
    /// Simulate, and find out which functions and branches of services run.
    Explore,
    /// Serve: the engine may collect garbage and compile on threads of its own, since no guest
    /// can observe them.
    Serve,
}

/// The engines of this thread.
pub struct Engines {
    #[cfg(feature = "js")]
    js: dacapo_js::JsEngine,
    #[cfg(feature = "js")]
    watchdog: Watchdog,
}

impl Engines {
    /// Starts the engines.
    #[cfg(feature = "js")]
    pub fn start(usage: Use) -> miette::Result<Engines> {
        let (mut options, patience) = match usage {
            Use::Simulate | Use::Explore => (dacapo_js::JsOptions::deterministic(), Patience::Ends),
            Use::Serve => (dacapo_js::JsOptions::serve(), Patience::Tells),
        };
        options.judge = Some(dacapo_check::judge);
        options.covers = usage == Use::Explore;
        let js = dacapo_js::JsEngine::new(options).map_err(|e| miette::miette!("{e}"))?;
        Ok(Engines { js, watchdog: Watchdog::new(patience) })
    }

    /// Starts the engines.
    #[cfg(not(feature = "js"))]
    pub fn start(_: Use) -> miette::Result<Engines> {
        Ok(Engines {})
    }

    /// Loads the program of this entry module.
    #[cfg(feature = "js")]
    pub fn load(&self, entry: &str, files: &dyn Files) -> Result<Rc<dyn Program>, Report> {
        use dacapo_core::Engine;
        let program = self.js.load(&Code { entry, files }).map_err(cannot_load)?;
        Ok(self.watchdog.watch(entry, program))
    }

    /// Loads the program of this entry module.
    #[cfg(not(feature = "js"))]
    pub fn load(&self, entry: &str, files: &dyn Files) -> Result<Rc<dyn Program>, Report> {
        let Code { entry, .. } = Code { entry, files };
        Err(cannot_load(dacapo_core::LoadError {
            message: format!("{entry} needs the JavaScript engine, which this build does not have"),
            location: None,
            source_text: None,
            help: Some("build with the cargo feature `js` (it is on by default)".into()),
        }))
    }

    /// Versions of the engines and those of their settings that a guest can notice.
    pub fn identity(&self) -> String {
        #[cfg(feature = "js")]
        return format!("v8 {}", dacapo_js::JsEngine::version());
        #[cfg(not(feature = "js"))]
        return "native".into();
    }
}
