// Every key that the screens know.
import { Modal } from "antd";
import { useWords, type Key } from "../words.tsx";

const IN_LIST: [string[], Key][] = [
  [["j"], "keys.next"],
  [["k"], "keys.previous"],
  [["Enter"], "keys.enter"],
  [["/"], "keys.search"],
];
const IN_CALL: [string[], Key][] = [
  [["Space"], "keys.play"],
  [["←", "→"], "keys.skip"],
  [["↑", "↓"], "keys.turns"],
  [["j", "k"], "keys.findings"],
  [["Enter"], "keys.evidence"],
  [["[", "]"], "keys.speed"],
  [["b"], "keys.back"],
];
const IN_RECORDS: [string[], Key][] = [
  [["j", "k"], "keys.record.next"],
  [["Enter"], "keys.record.open"],
  [["n"], "keys.record.new"],
  [["i"], "keys.record.import"],
  [["e"], "keys.record.correct"],
  [["Ctrl", "Enter"], "keys.record.save"],
];

const ON_BOARD: [string[], Key][] = [
  [["j", "k"], "keys.board.next"],
  [["Enter"], "keys.board.open"],
  [["w"], "keys.board.wall"],
  [["Esc"], "keys.board.leave"],
];

const ON_CAPTURES: [string[], Key][] = [
  [["←", "→"], "keys.captures.day"],
  [["j", "k"], "keys.captures.next"],
  [["Enter"], "keys.enter"],
];

function Keys({ title, rows }: { title: string; rows: [string[], Key][] }) {
  const { t } = useWords();
  return (
    <section>
      <h3>{title}</h3>
      <dl className="keys">
        {rows.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function KeyHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal open={open} onCancel={onClose} footer={null} title={t("keys.title")} width={560} destroyOnHidden>
      <div className="keyhelp">
        <Keys title={t("keys.list")} rows={IN_LIST} />
        <Keys title={t("keys.records")} rows={IN_RECORDS} />
        <Keys title={t("keys.board")} rows={ON_BOARD} />
        <Keys title={t("keys.captures")} rows={ON_CAPTURES} />
        <Keys title={t("keys.call")} rows={[...IN_CALL, [["?"], "keys.help"]]} />
      </div>
    </Modal>
  );
}
