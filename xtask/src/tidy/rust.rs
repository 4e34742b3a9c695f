//! Rust source as a flat list of tokens with line numbers.
//!
//! It knows words and punctuation, not meaning: a type alias can hide a banned name from it. Clippy,
//! which resolves names, watches the same bans from the other side (`cargo xtask clippy-toml`).

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One token: an identifier, a literal, or one character of punctuation or bracket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The tokens of a source text; brackets are tokens of their own.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    // A shebang or a byte order mark is not a token of Rust.
    let stream: TokenStream =
        text.trim_start_matches('\u{feff}').parse().map_err(|error| format!("{error}"))?;
    let mut out = Vec::new();
    flatten(stream, &mut out);
    Ok(out)
}

fn flatten(stream: TokenStream, out: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::None => ("", ""),
                };
                out.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), out);
                out.push(Token { text: close.to_owned(), line: group.span_close().start().line });
            }
            TokenTree::Ident(ident) => out.push(Token { text: ident.to_string(), line }),
            TokenTree::Punct(punct) => out.push(Token { text: punct.as_char().to_string(), line }),
            TokenTree::Literal(literal) => out.push(Token { text: literal.to_string(), line }),
        }
    }
}

/// A written pattern such as `Instant::now` or `todo!` as the token texts it stands for.
pub(crate) fn pattern(written: &str) -> Vec<String> {
    tokens(written).unwrap_or_default().into_iter().map(|token| token.text).collect()
}

/// The lines on which the tokens of `pattern` follow one another.
pub(crate) fn lines_with(tokens: &[Token], pattern: &[String]) -> Vec<usize> {
    assert!(!pattern.is_empty(), "a pattern of no tokens would match everywhere");
    tokens
        .windows(pattern.len())
        .filter(|window| window.iter().zip(pattern).all(|(token, wanted)| token.text == *wanted))
        .map(|window| window[0].line)
        .collect()
}

/// The tokens without items marked `#[cfg(test)]`: the rules for shipped code do not bind its tests.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let marker = pattern("#[cfg(test)]");
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        let marked = rest.len() >= marker.len() && rest.iter().zip(&marker).all(|(t, m)| t.text == *m);
        if marked {
            at += item_length(rest);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// How many tokens the item at the front has: to its closing brace, or to its `;` outside brackets.
fn item_length(tokens: &[Token]) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    return index + 1;
                }
            }
            ";" if depth == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, written: &str) -> Vec<usize> {
        lines_with(&tokens(source).unwrap(), &pattern(written))
    }

    #[test]
    fn a_name_in_a_comment_or_a_string_is_not_a_use() {
        let source = "//! Instant::now\nfn f() { let s = \"Instant::now\"; /* Instant::now */ }\n";
        assert_eq!(found(source, "Instant::now"), Vec::<usize>::new());
        assert_eq!(found("fn f() {\n  std::time::Instant::now();\n}", "Instant::now"), [2]);
    }

    #[test]
    fn tests_are_cut_out_and_the_rest_stays() {
        let source =
            "use a::B;\n#[cfg(test)]\nmod tests { fn t() { bad(); } }\n#[cfg(test)] use c::D;\nfn g() {}";
        let rest = without_tests(&tokens(source).unwrap());
        let words: Vec<&str> = rest.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(words.join(" "), "use a : : B ; fn g ( ) { }");
    }
}
