// Keeps notes, each cut into lines of a width that the caller chooses.

const notes: string[][] = [];

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") return Response.json(notes);
    const { text, width } = await request.json();
    notes.push(wrap(text, width));
    return new Response(null, { status: 204 });
  },
};

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  // The planted bug: a width of 0 takes nothing off the text.
  while (text !== "") {
    if (width > 0) lines.push(text.slice(0, width));
    text = text.slice(width);
  }
  return lines;
}
