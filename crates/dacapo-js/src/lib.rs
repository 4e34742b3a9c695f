//! A V8 context as an instance, with the web platform as bindings.
