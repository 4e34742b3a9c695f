//! The attributes and blocks of one block: known ones are handed out, unknown ones are told of.

use std::collections::BTreeMap;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};

use super::{Placed, Reader};
use crate::Code;
use crate::error::Place;

/// What a block may hold.
pub(crate) struct Shape {
    pub(crate) attributes: &'static [&'static str],
    pub(crate) blocks: &'static [&'static str],
    /// For names that belong elsewhere or have another name here: the name, and what to do instead.
    pub(crate) hints: &'static [(&'static str, &'static str)],
}

/// What a block does hold.
pub(crate) struct Fields<'a> {
    /// The block, for messages: `service "shop"`.
    pub(crate) owner: String,
    /// Where its name stands.
    pub(crate) place: Place,
    attributes: BTreeMap<&'a str, &'a Expression>,
    /// Its blocks of known kinds, in order.
    pub(crate) blocks: Vec<&'a Block>,
}

impl<'a> Fields<'a> {
    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Expression> {
        self.attributes.get(name).copied()
    }
}

impl Reader {
    /// Sorts the content of a block, and tells of what its shape does not have.
    pub(crate) fn fields<'a>(
        &mut self,
        owner: &str,
        place: Place,
        body: &'a Body,
        shape: &Shape,
    ) -> Fields<'a> {
        let mut fields =
            Fields { owner: owner.to_owned(), place, attributes: BTreeMap::new(), blocks: Vec::new() };
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    let name = attribute.key.as_str();
                    if shape.attributes.contains(&name) {
                        fields.attributes.insert(name, &attribute.value);
                    } else {
                        let place = self.place_of(&attribute.key);
                        self.unknown(Code::UnknownAttribute, owner, name, &place, shape);
                    }
                }
                Structure::Block(block) => {
                    let name = block.ident.as_str();
                    if shape.blocks.contains(&name) {
                        fields.blocks.push(block);
                    } else {
                        let place = self.place_of(&block.ident);
                        self.unknown(Code::UnknownBlock, owner, name, &place, shape);
                    }
                }
            }
        }
        fields
    }

    fn unknown(&mut self, code: Code, owner: &str, name: &str, place: &Place, shape: &Shape) {
        let is_block = code == Code::UnknownBlock;
        let (word, same, other) = match is_block {
            true => ("block", shape.blocks, shape.attributes),
            false => ("attribute", shape.attributes, shape.blocks),
        };
        let help = if let Some((_, hint)) = shape.hints.iter().find(|(hinted, _)| *hinted == name) {
            (*hint).to_owned()
        } else if other.contains(&name) && is_block {
            format!("`{name}` is an attribute: write  {name} = …")
        } else if other.contains(&name) {
            format!("`{name}` is a block: write  {name} {{ … }}  without an equals sign")
        } else {
            self.did_you_mean(name, same.iter().copied())
        };
        let message = format!("{owner} has no {word} `{name}`");
        self.report(code, message, place, format!("unknown {word}"), help);
    }

    /// The value of an attribute that must be there.
    pub(crate) fn required<'a>(
        &mut self,
        fields: &Fields<'a>,
        name: &str,
        example: &str,
    ) -> Option<&'a Expression> {
        let value = fields.get(name);
        if value.is_none() {
            let message = format!("{} has no `{name}`", fields.owner);
            let help = format!("Add a line such as  {name} = {example}");
            self.report(Code::Missing, message, &fields.place, format!("`{name}` is missing here"), help);
        }
        value
    }

    /// The one label of a block.
    pub(crate) fn label(&mut self, block: &Block) -> Option<Placed<String>> {
        let kind = block.ident.as_str();
        let place = self.place_of(&block.ident);
        match block.labels.as_slice() {
            [label] => {
                let value = match label {
                    BlockLabel::Ident(ident) => ident.as_str().to_owned(),
                    BlockLabel::String(text) => text.value().clone(),
                };
                Some(Placed { value, place: self.place_of(label) })
            }
            labels => {
                self.has_gaps = true;
                let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
                let message =
                    format!("{article} `{kind}` block has one name, and this one has {}", labels.len());
                let help = format!("Write  {kind} \"name\" {{ … }}");
                self.report(Code::Label, message, &place, "this block", help);
                None
            }
        }
    }

    /// Tells of labels where there are none.
    pub(crate) fn no_label(&mut self, block: &Block) {
        if let Some(label) = block.labels.first() {
            let kind = block.ident.as_str();
            let place = self.place_of(label);
            let message = format!("a `{kind}` block has no name");
            self.report(Code::Label, message, &place, "too much", format!("Write  {kind} {{ … }}"));
        }
    }
}
