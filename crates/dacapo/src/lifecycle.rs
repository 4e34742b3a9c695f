//! Whether the classes that the configuration declares are those that a store has objects of.
//!
//! Nothing is guessed: a state that no class claims would stay on the disk for ever, while its class (renamed, or moved
//! to another service) begins empty and nobody notices. So the store is looked at before anything is served from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dacapo_core::ObjectKey;
use dacapo_core::plan::{BUILTIN, Plan};
use dacapo_host::FileDisk;
use dacapo_store::Store;
use miette::miette;

/// So many objects are removed with one sync.
const BATCH: usize = 4096;

/// Removes what `deleted_objects` names; gives how many objects of each namespace there were.
///
/// # Errors
/// The store has objects of a class that is neither declared nor deleted, or cannot be read or written.
pub(crate) fn settle(plan: &Plan, folder: &Path) -> miette::Result<BTreeMap<String, usize>> {
    // Opening a folder makes one, and a first start has nothing to settle.
    if !folder.is_dir() {
        return Ok(BTreeMap::new());
    }
    let failed = |error: &dyn std::fmt::Display| miette!("{}: {error}", folder.display());
    let disk = FileDisk::open(folder).map_err(|e| failed(&e))?;
    let (mut store, _) = Store::open(Box::new(disk)).map_err(|e| failed(&e))?;
    let declared: BTreeSet<&str> =
        plan.services.iter().flat_map(|s| &s.objects).map(|class| class.namespace.as_str()).collect();
    let deleted: BTreeSet<&str> =
        plan.services.iter().flat_map(|s| &s.deleted_objects).map(String::as_str).collect();
    let mut removed: BTreeMap<String, usize> = BTreeMap::new();
    let mut unclaimed: BTreeMap<String, usize> = BTreeMap::new();
    let mut doomed: Vec<ObjectKey> = Vec::new();
    for key in store.keys() {
        let namespace = &*key.namespace;
        if deleted.contains(namespace) {
            doomed.push(key.clone());
            *removed.entry(namespace.to_owned()).or_default() += 1;
        } else if !declared.contains(namespace) && !namespace.starts_with(BUILTIN) {
            *unclaimed.entry(namespace.to_owned()).or_default() += 1;
        }
    }
    // Whoever has to correct the configuration shall not have lost anything by it.
    if let Some((namespace, count)) = unclaimed.first_key_value() {
        let class = namespace.split_once('.').map_or(namespace.as_str(), |(_, class)| class);
        return Err(miette!(
            help = format!(
                "renamed or moved?  object \"NewName\" {{ was = {namespace:?} }}\nno more of use?  deleted_objects = \
                 [{namespace:?}]  removes them for good\nanother project's data?  --data DIR  names another folder"
            ),
            "{} has {} of {namespace}, and no service declares the class {class}",
            folder.display(),
            objects(*count),
        ));
    }
    for batch in doomed.chunks(BATCH) {
        store.remove(batch).map_err(|e| failed(&e))?;
    }
    Ok(removed)
}

/// "1 object", "7 objects".
pub(crate) fn objects(count: usize) -> String {
    match count {
        1 => "1 object".to_owned(),
        _ => format!("{} objects", crate::output::grouped(count as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dacapo_core::plan::{ObjectClass, Service};
    use dacapo_core::{Changes, ObjectId};

    fn plan(namespaces: &[&str], deleted: &[&str]) -> Plan {
        let class = |namespace: &&str| ObjectClass {
            name: "Class".to_owned(),
            namespace: (*namespace).to_owned(),
            idle: std::time::Duration::from_secs(10),
            workflow: None,
        };
        let service = Service {
            name: "bank".to_owned(),
            objects: namespaces.iter().map(class).collect(),
            deleted_objects: deleted.iter().map(|name| (*name).to_owned()).collect(),
            ..Service::default()
        };
        Plan { services: vec![service], ..Plan::default() }
    }

    fn key(namespace: &str, n: u8) -> ObjectKey {
        ObjectKey { namespace: namespace.into(), id: ObjectId([n; 32]) }
    }

    /// A folder with three accounts, two baskets and a queue of the platform.
    fn folder() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let (mut store, _) = Store::open(Box::new(FileDisk::open(home.path()).unwrap())).unwrap();
        let changes = Changes { len: 1, writes: vec![(0, b"x"[..].into())], alarm: None };
        let keys = (0..3).map(|n| key("bank.Account", n)).chain((0..2).map(|n| key("bank.Basket", n)));
        let keys = keys.chain([key("dacapo:queues.Queue", 0)]);
        store.commit(&keys.map(|key| (key, changes.clone())).collect::<Vec<_>>()).unwrap();
        home
    }

    fn stored(home: &tempfile::TempDir) -> usize {
        Store::open(Box::new(FileDisk::open(home.path()).unwrap())).unwrap().0.len()
    }

    #[test]
    fn a_state_that_no_class_claims_is_told_and_kept() {
        let home = folder();
        let error = settle(&plan(&["bank.Account"], &["bank.Gone"]), home.path()).unwrap_err();
        assert!(error.to_string().contains("2 objects of bank.Basket, and no service declares"), "{error}");
        assert!(error.help().unwrap().to_string().contains("was = \"bank.Basket\""));
        assert_eq!(stored(&home), 6);
    }

    #[test]
    fn what_is_deleted_is_removed_and_nothing_else_is() {
        let home = folder();
        let plan = plan(&["bank.Account"], &["bank.Basket"]);
        assert_eq!(settle(&plan, home.path()).unwrap(), BTreeMap::from([("bank.Basket".to_owned(), 2)]));
        assert_eq!(stored(&home), 4);
        assert_eq!(settle(&plan, home.path()).unwrap(), BTreeMap::new());
    }

    #[test]
    fn nothing_is_removed_while_something_else_is_unclear() {
        let home = folder();
        assert!(settle(&plan(&[], &["bank.Basket"]), home.path()).is_err());
        assert_eq!(stored(&home), 6);
    }

    #[test]
    fn a_first_start_has_nothing_to_settle() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("data");
        assert_eq!(settle(&plan(&["bank.Account"], &[]), &folder).unwrap(), BTreeMap::new());
        assert!(!folder.exists());
    }
}
