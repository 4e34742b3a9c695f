// What a service calls workflows by: `env.NAME` with create, createBatch and get, and the instances that these give.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const { TypeError } = globalThis;
  const { checkId, pack, show } = lib.workflows;
  const BATCH_MAX = 100;

  const guard = (token) => {
    if (token !== INTERNAL) throw new TypeError("Illegal constructor");
  };
  const checkName = (name, what) => {
    if (typeof name !== "string" || name === "") throw new TypeError(`${what}: the name of a method is required, not ${show(name)}`);
    return name;
  };

  class WorkflowInstance {
    #call;
    id;
    constructor(token, id, call) {
      guard(token);
      this.id = id;
      this.#call = call;
    }
    status() {
      return this.#call("status", []);
    }
    pause() {
      return this.#call("pause", []);
    }
    resume() {
      return this.#call("resume", []);
    }
    terminate() {
      return this.#call("terminate", []);
    }
    restart() {
      return this.#call("restart", []);
    }
    async sendEvent(event) {
      if (typeof event !== "object" || event === null) throw new TypeError(`sendEvent: { type, payload } is required, not ${show(event)}`);
      const type = checkId(event.type, "sendEvent: the type of an event");
      await this.#call("sendEvent", [type, pack(event.payload, "the payload of an event")]);
    }
    async query(name, ...args) {
      return this.#call("query", [checkName(name, "query"), args]);
    }
    async update(name, ...args) {
      return this.#call("update", [checkName(name, "update"), args]);
    }
  }
  lib.interface(WorkflowInstance, { hidden: true });
  lib.inspectAs(WorkflowInstance, (instance) => ({ id: instance.id }));

  class Workflow {
    #binding;
    #namespace;
    constructor(token, binding, namespace) {
      guard(token);
      this.#binding = binding;
      this.#namespace = namespace;
    }
    #instance(id) {
      const object = ops.objectIdFromName(this.#namespace, id);
      return new WorkflowInstance(INTERNAL, id, (method, args) => lib.callMethod(this.#binding, object, method, args));
    }
    async #create(options, what, isBatch) {
      if (typeof options !== "object" || options === null) throw new TypeError(`${what}: { id, params } is required, not ${show(options)}`);
      const id = options.id === undefined ? ops.uuid() : checkId(options.id, `${what}: the id of an instance`);
      const params = pack(options.params, "the params of an instance");
      const object = ops.objectIdFromName(this.#namespace, id);
      const isNew = await lib.callMethod(this.#binding, object, "create", [id, params, isBatch]);
      return isNew ? this.#instance(id) : null;
    }
    async create(options = {}) {
      return this.#create(options, "create", false);
    }
    // Those that are there already are left out.
    async createBatch(batch) {
      if (!Array.isArray(batch) || batch.length > BATCH_MAX) {
        throw new TypeError(`createBatch: an array of at most ${BATCH_MAX} is required, not ${Array.isArray(batch) ? batch.length : show(batch)}`);
      }
      const created = await Promise.all(batch.map((options) => this.#create(options, "createBatch", true)));
      return created.filter((instance) => instance !== null);
    }
    async get(id) {
      const instance = this.#instance(checkId(id, "get: the id of an instance"));
      await instance.status();
      return instance;
    }
  }
  lib.interface(Workflow, { hidden: true });
  lib.newWorkflow = (binding, namespace) => new Workflow(INTERNAL, binding, namespace);
})
