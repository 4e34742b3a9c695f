// The same module runs on Dacapo and on workerd.

export default {
  async fetch() {
    return new Response("hello, world\n", { headers: { "content-type": "text/plain" } });
  },
};
