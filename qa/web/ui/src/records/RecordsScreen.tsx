// What comes from outside the phones: the list, one record, entry, import, registers.
import type { Desk } from "../route.ts";

export default function RecordsScreen(_: { desk?: Desk; id?: string }) {
  return null;
}
