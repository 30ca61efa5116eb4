/** Where an operator shows a key. It goes to the server of the console once, and is never kept in the page. */
import { useState } from 'react';
import { change, type Refusal } from './ask';
import { Notice } from './parts/notice';

export function SignInPage({ signedIn }: { signedIn: () => void }) {
  const [key, setKey] = useState('');
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const signIn = async () => {
    setBusy(true);
    try {
      await change({ method: 'POST', path: '/session', body: { key: key.trim() } });
      setKey('');
      signedIn();
    } catch (error) {
      setRefusal(error as Refusal);
      setBusy(false);
    }
  };
  return (
    <main className="alone">
      <form
        className="card sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          void signIn();
        }}
      >
        <img src="/favicon.svg" alt="" width="40" height="40" />
        <h1>Shop console</h1>
        <p>Sign in with the API key of an operator. You stay signed in on this browser for eight hours.</p>
        <label className="field">
          <span>API key</span>
          <input
            type="password"
            value={key}
            required
            autoFocus
            autoComplete="off"
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        {refusal && <Notice kind="bad">{refusal.message}</Notice>}
        <button className="primary" type="submit" disabled={busy || key.trim() === ''}>
          {busy ? 'Asking …' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
