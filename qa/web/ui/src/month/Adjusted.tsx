// What late news and people changed of closed months; adjusting one by hand, and taking that back by its opposite.
import { Alert, Button, Input, Modal } from "antd";
import { useState, type ReactNode } from "react";
import { points } from "../format.ts";
import { useMe } from "../records/data.ts";
import { useWords } from "../words.tsx";
import { Signed } from "./cells.tsx";
import { useAdjust, type ByHand, type Sheet } from "./data.ts";

const NUMBER = /^-?\d{1,9}(\.\d{1,4})?$/;
const CLOSERS = ["assessor", "owner"];

interface Asked {
  undo: ByHand | null;
}

function Dialogue({ sheet, asked, done }: { sheet: Sheet; asked: Asked; done: () => void }) {
  const { t } = useWords();
  const [sum, setSum] = useState({ points: "", pay: "", reason: "" });
  const adjust = useAdjust(sheet.month, sheet.who);
  const wrong = (value: string) => value.trim() !== "" && !NUMBER.test(value.trim());
  const some = [sum.points, sum.pay].some((one) => Number(one.trim()) !== 0);
  const ready = sum.reason.trim() !== "" && (asked.undo !== null || (some && !wrong(sum.points) && !wrong(sum.pay)));
  const send = () => {
    const told = asked.undo ? { undo: asked.undo.n } : { points: sum.points.trim() || "0", pay: sum.pay.trim() || "0" };
    adjust.mutate({ ...told, reason: sum.reason }, { onSuccess: done });
  };
  const amount = (name: "points" | "pay") => (
    <p>
      <label htmlFor={`adjust-${name}`}>{t(`month.adjust.${name}`)}</label>
      <Input
        id={`adjust-${name}`}
        inputMode="decimal"
        value={sum[name]}
        status={wrong(sum[name]) ? "error" : ""}
        onChange={(event) => setSum({ ...sum, [name]: event.target.value })}
      />
      {wrong(sum[name]) && <small role="alert">{t("month.adjust.number")}</small>}
    </p>
  );
  return (
    <Modal
      open
      title={asked.undo ? t("month.undo.title", { month: asked.undo.month }) : t("month.adjust.title", { month: sheet.month, who: sheet.who })}
      okText={t(asked.undo ? "month.undo" : "month.adjust")}
      cancelText={t("month.cancel")}
      okButtonProps={{ disabled: !ready }}
      confirmLoading={adjust.isPending}
      mask={{ closable: false }}
      onCancel={done}
      onOk={send}
    >
      <p>{t(asked.undo ? "month.undo.text" : "month.adjust.text")}</p>
      {!asked.undo && amount("points")}
      {!asked.undo && sheet.money !== "off" && amount("pay")}
      <label htmlFor="adjust-reason">{t("month.reason")}</label>
      <Input.TextArea id="adjust-reason" rows={3} maxLength={2000} value={sum.reason} onChange={(event) => setSum({ ...sum, reason: event.target.value })} />
      {adjust.isError && <Alert type="error" showIcon title={adjust.error.message} />}
    </Modal>
  );
}

export function Adjusted({ sheet, part }: { sheet: Sheet; part: (children: ReactNode) => ReactNode }) {
  const { t } = useWords();
  const me = useMe();
  const [asked, ask] = useState<Asked | null>(null);
  const late = [sheet.adjusted.points, sheet.adjusted.pay].some((one) => one !== null && one !== "0");
  const may = sheet.closed !== null && sheet.kind === "person" && CLOSERS.includes(me.data?.role ?? "") && me.data?.actor !== sheet.who;
  if (!late && !may && sheet.adjustments.length === 0) return null;
  return part(
    <>
      <ul className="plainlist">
        {late && (
          <li>
            {t("month.late")} <Signed value={sheet.adjusted.points} />
            {sheet.adjusted.pay !== null && <small>{t("month.yuan", { amount: points(sheet.adjusted.pay) })}</small>}
          </li>
        )}
        {sheet.adjustments.map((one) => (
          <li key={one.n}>
            {one.month} → {one.carried}: {one.reason} <small>{t("month.by", { by: one.by, at: one.at.slice(0, 10) })}</small> <Signed value={one.points} />
            {one.pay !== null && one.pay !== "0" && <small>{t("month.yuan", { amount: points(one.pay) })}</small>}{" "}
            {may && one.month === sheet.month && (
              <Button size="small" onClick={() => ask({ undo: one })}>
                {t("month.undo")}
              </Button>
            )}
          </li>
        ))}
        {may && (
          <li>
            <Button size="small" onClick={() => ask({ undo: null })}>
              {t("month.adjust")}
            </Button>
          </li>
        )}
      </ul>
      {asked && <Dialogue sheet={sheet} asked={asked} done={() => ask(null)} />}
    </>,
  );
}
