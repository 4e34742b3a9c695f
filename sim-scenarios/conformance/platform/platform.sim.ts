// Lets the service try the platform, and prints what it says.

export async function setup() {
  const answer = await fetch("https://probe.example/");
  console.log(await answer.text());
}
