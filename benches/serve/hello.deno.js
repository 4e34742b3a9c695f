// Hello world on Deno: its own server, with the same answer. The port is the first argument.

const options = { hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen() {} };

Deno.serve(options, () => new Response("hello, world\n", { headers: { "content-type": "text/plain" } }));
