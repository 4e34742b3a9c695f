//! Paths of modules, relative to the project.

use hcl_edit::expr::Expression;

use super::{Placed, Reader};
use crate::Code;

/// Where a path may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathRule {
    /// To a file of the project.
    Inside,
    /// To a folder anywhere near the file that names it.
    Relative,
}

impl Reader {
    /// A path with `/`, without `.` parts; `..` only in front, and only where it may leave.
    pub(crate) fn path(
        &mut self,
        expr: &Expression,
        what: &str,
        rule: PathRule,
        example: &str,
    ) -> Option<Placed<String>> {
        let text = self.string(expr, what, example)?;
        match normal(&text.value, rule) {
            Ok(value) => Some(Placed { value, place: text.place }),
            Err(why) => {
                let message = format!("{what} cannot be {:?}: {why}", text.value);
                let base = match rule {
                    PathRule::Inside => "Paths are relative to the folder of the configuration",
                    PathRule::Relative => "Paths are relative to the folder of this file",
                };
                let help = format!("{base}, with `/`. For example: {example}");
                self.report(Code::Path, message, &text.place, "this path", help);
                None
            }
        }
    }
}

fn normal(path: &str, rule: PathRule) -> Result<String, &'static str> {
    if path.contains('\\') {
        return Err("it has a backslash");
    }
    if path.starts_with('/') || path.get(1..2) == Some(":") {
        return Err("it is absolute");
    }
    if path.contains("://") {
        return Err("it is a URL");
    }
    if path.chars().any(char::is_control) {
        return Err("it has a control character");
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&"..") | None if rule == PathRule::Inside => return Err("it leaves the project"),
                Some(&"..") | None => parts.push(".."),
                Some(_) => drop(parts.pop()),
            },
            part => parts.push(part),
        }
    }
    match (parts.is_empty(), rule) {
        (true, PathRule::Inside) => Err("it names no file"),
        (true, PathRule::Relative) if path.is_empty() => Err("it is empty"),
        (true, PathRule::Relative) => Ok(".".to_owned()),
        (false, PathRule::Inside) if path.ends_with('/') => Err("it names a folder"),
        (false, _) => Ok(parts.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_the_project_is_refused() {
        for path in
            ["../a.ts", "a/../../b.ts", "/etc/passwd", "C:/a.ts", "a\\b.ts", "https://a/b.ts", "", "."]
        {
            assert!(normal(path, PathRule::Inside).is_err(), "{path}");
        }
        assert_eq!(normal("./a//b/../c.ts", PathRule::Inside), Ok("a/c.ts".into()));
        assert_eq!(normal("../../examples/bank/", PathRule::Relative), Ok("../../examples/bank".into()));
        assert_eq!(normal(".", PathRule::Relative), Ok(".".into()));
    }
}
