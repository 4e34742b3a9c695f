// What the probes in guest code call. Declared in the scope of scripts: fast to reach, and in no object that a guest
// could get hold of. The names are reserved; a module that uses one does not load.
let __dacapo$left = 1;
let __dacapo$spent = undefined;
let __dacapo$caught = undefined;
let __dacapo$modules = undefined;
let __dacapo$hit = undefined;
// The result of the script: how the engine sets them.
({
  setup(spent, caught, modules) {
    __dacapo$spent = spent;
    __dacapo$caught = caught;
    __dacapo$modules = modules;
  },
  cover(hit) {
    __dacapo$hit = hit;
  },
  refill(budget) {
    __dacapo$left = budget;
  },
});
