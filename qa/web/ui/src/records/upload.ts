// Sends a file and follows how far it is: bytes on their way, then the lines that the server answers step by step.
import { ApiError, ROOT, type Refused } from "../api.ts";
import type { Imported } from "./data.ts";

export const MOST_BYTES = 32 * 1024 * 1024;
export type Step = { step: "send"; share: number } | { step: "read" | "store"; lines: number };
type Last = { step: "done"; taken: Imported } | { step: "refused"; problem: { status: number; detail: string; refused: Refused[] } };

export interface Options {
  kind: string;
  partial: boolean;
  tell: (step: Step) => void;
}

function problem(text: string): { title?: string; detail?: string; refused?: Refused[] } | null {
  try {
    return JSON.parse(text) as { title?: string; detail?: string; refused?: Refused[] };
  } catch {
    return null;
  }
}

export function upload(file: File, { kind, partial, tell }: Options): Promise<Imported> {
  const query = new URLSearchParams({ name: file.name, partial: String(partial), ...(kind && { kind }) });
  const request = new XMLHttpRequest();
  request.open("POST", `${ROOT}/import?${query}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("Accept", "application/x-ndjson");
  request.setRequestHeader("Accept-Language", document.documentElement.lang);
  request.upload.onprogress = (event) => tell({ step: "send", share: event.total ? event.loaded / event.total : 0 });
  request.onprogress = () => {
    const lines = request.status === 200 ? request.responseText.split("\n").slice(0, -1) : [];
    const step = lines.length ? (JSON.parse(lines.at(-1)!) as Step | Last) : null;
    if (step?.step === "read" || step?.step === "store") tell(step);
  };
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(new ApiError(0, ""));
    request.onload = () => {
      if (request.status !== 200) {
        const told = problem(request.responseText);
        return reject(new ApiError(request.status, told?.detail ?? told?.title ?? request.statusText, told?.refused));
      }
      const last = problem(request.responseText.trim().split("\n").at(-1)!) as Last | null;
      if (last?.step === "done") resolve(last.taken);
      else if (last?.step === "refused") reject(new ApiError(last.problem.status, last.problem.detail, last.problem.refused));
      else reject(new ApiError(0, ""));
    };
    request.send(file);
  });
}
