//! URLs and form encoding, as the WHATWG URL standard says.

use ::url::{Url, form_urlencoded, quirks};
use bytestring::ByteString;

use super::{Args, Return, Scope, string, text, text_of, v8_string};

pub(super) fn parse(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let href = text(scope, &args, 0);
    let base = string(scope, &args, 1);
    let url = match base {
        Some(base) => Url::parse(&base).and_then(|base| base.join(&href)),
        None => Url::parse(&href),
    };
    match url {
        Ok(url) => result.set(parts(scope, &url).into()),
        Err(_) => result.set_null(),
    }
}

pub(super) fn set(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let href = text(scope, &args, 0);
    let part = text(scope, &args, 1);
    let value = text(scope, &args, 2);
    match with_part(&href, &part, &value) {
        Some(url) => result.set(parts(scope, &url).into()),
        None => result.set_null(),
    }
}

fn with_part(href: &str, part: &str, value: &str) -> Option<Url> {
    let mut url = Url::parse(href).ok()?;
    let is_set = match part {
        "href" => quirks::set_href(&mut url, value).is_ok(),
        "protocol" => quirks::set_protocol(&mut url, value).is_ok(),
        "username" => quirks::set_username(&mut url, value).is_ok(),
        "password" => quirks::set_password(&mut url, value).is_ok(),
        "host" => quirks::set_host(&mut url, value).is_ok(),
        "hostname" => quirks::set_hostname(&mut url, value).is_ok(),
        "port" => quirks::set_port(&mut url, value).is_ok(),
        "pathname" => {
            quirks::set_pathname(&mut url, value);
            true
        }
        "search" => {
            quirks::set_search(&mut url, value);
            true
        }
        "hash" => {
            quirks::set_hash(&mut url, value);
            true
        }
        _ => false,
    };
    is_set.then_some(url)
}

fn parts<'s>(scope: &mut v8::PinScope<'s, '_>, url: &Url) -> v8::Local<'s, v8::Array> {
    let origin = quirks::origin(url);
    let texts = [
        quirks::href(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
        &origin,
    ];
    let values = texts.map(|text| v8_string(scope, text).into());
    v8::Array::new_with_elements(scope, &values)
}

pub(super) fn urlencoded_parse(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let text = text(scope, &args, 0);
    let mut values: Vec<v8::Local<'_, v8::Value>> = Vec::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        values.push(v8_string(scope, &name).into());
        values.push(v8_string(scope, &value).into());
    }
    result.set(v8::Array::new_with_elements(scope, &values).into());
}

pub(super) fn urlencoded_serialize(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let Ok(flat) = v8::Local::<v8::Array>::try_from(args.get(0)) else { return };
    let mut texts: Vec<ByteString> = Vec::new();
    for at in 0..flat.length() {
        let value = flat.get_index(scope, at);
        texts.push(value.and_then(|value| text_of(scope, value)).unwrap_or_default());
    }
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    for pair in texts.chunks_exact(2) {
        serializer.append_pair(&pair[0], &pair[1]);
    }
    let text = serializer.finish();
    result.set(v8_string(scope, &text).into());
}
