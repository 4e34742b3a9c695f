// Asks for the calls and waits.

import { always } from "dacapo:sim";

export async function setup() {
  const answer = await fetch("https://pinger.example/");
  always((await answer.text()) === "done", "all calls are answered");
}
