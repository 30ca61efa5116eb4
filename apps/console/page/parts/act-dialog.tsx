/** Asks a person before something is done: what it is, what will happen, and why they do it. */
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { newKey, Refusal } from '../ask';
import { Notice } from './notice';

export interface ActDialogProps {
  title: string;
  /** What will happen, before it is done. */
  children?: ReactNode;
  confirm: string;
  reason: 'needed' | 'welcome' | 'none';
  dangerous?: boolean;
  /** What keeps it from being done, if anything. */
  blocked?: string;
  /** Does it. The key is the same for each try of this dialog, so that it is done once. */
  perform: (given: { reason: string; key: string }) => Promise<void>;
  close: () => void;
}

const MAX_REASON_LENGTH = 200;

export function ActDialog(props: ActDialogProps) {
  const { title, children, confirm, reason: wish, dangerous = false, blocked, perform, close } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [key, setKey] = useState(newKey);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const id = useId();
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  const submit = async () => {
    setBusy(true);
    setRefusal(undefined);
    try {
      await perform({ reason: reason.trim(), key });
      // The focus goes back to where it was.
      dialog.current?.close();
    } catch (error) {
      const known = error instanceof Refusal ? error : new Refusal(0, 'unknown', String(error));
      // A refusal is kept under its key: what is sent next is another act.
      if (!known.isPassing) setKey(newKey());
      setRefusal(known);
      setBusy(false);
    }
  };
  const isReady = !busy && blocked === undefined && (wish !== 'needed' || reason.trim() !== '');
  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) void submit();
        }}
      >
        <h2 id={`${id}-title`}>{title}</h2>
        {children}
        {wish !== 'none' && (
          <label className="field">
            <span>Why {wish === 'welcome' && <small>(if you want to say it)</small>}</span>
            <input
              value={reason}
              maxLength={MAX_REASON_LENGTH}
              required={wish === 'needed'}
              autoComplete="off"
              placeholder="ticket, cause, who has agreed"
              onChange={(event) => setReason(event.target.value)}
            />
            <small>It is kept with your name for good.</small>
          </label>
        )}
        {blocked !== undefined && <Notice kind="info">{blocked}</Notice>}
        {refusal && (
          <Notice kind="bad">
            {refusal.message} {refusal.isPassing && 'Nothing is lost: the same act may be sent again.'}
          </Notice>
        )}
        <div className="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
          <button type="submit" className={dangerous ? 'danger' : 'primary'} disabled={!isReady}>
            {busy ? 'Working …' : refusal?.isPassing ? 'Send it again' : confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
}
