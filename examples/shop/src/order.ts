// An order on its way: placed, then paid or declined, then shipped.

export interface Order {
  id: string;
  product: string;
  quantity: number;
  cents: number;
  card: string;
  state: "placed" | "paid" | "declined" | "shipped";
}

export const PRODUCTS: Record<string, { title: string; cents: number }> = {
  metronome: { title: "A metronome", cents: 4_900 },
  stand: { title: "A music stand", cents: 2_950 },
  score: { title: "The collected sonatas", cents: 12_000 },
};
