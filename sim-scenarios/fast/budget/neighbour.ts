// Counts its requests; a neighbour that breaks must not cost it any.

let served = 0;

export default {
  fetch: () => Response.json(++served),
};
