// One look for all screens: few colours, each with a meaning, readable at AA contrast on white.
import type { ThemeConfig } from "antd";

export const COLOUR = {
  ink: "#16324f",
  customer: "#2264ab",
  customerSoft: "#9fc3e8",
  agent: "#a84c0c",
  agentSoft: "#efbd94",
  unknown: "#5b6472",
  unknownSoft: "#c3c9d1",
};

export const theme: ThemeConfig = {
  token: {
    motion: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    colorPrimary: "#1d5fa8",
    colorText: "#1c2530",
    colorTextSecondary: "#566170",
    colorBorderSecondary: "#e4e8ee",
    borderRadius: 6,
    fontSize: 14,
    fontFamily:
      'system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans CJK SC", "Noto Sans CJK KR", sans-serif',
  },
  components: {
    Table: { headerBg: "#f5f7fa", cellPaddingBlockMD: 7, cellPaddingInlineMD: 10, rowHoverBg: "#f3f8fd" },
    Tabs: { horizontalMargin: "0 0 0 0" },
  },
};

/** Styles are injected with the nonce that the server wrote into this page; no other inline style is let in. */
export const styleNonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content;
