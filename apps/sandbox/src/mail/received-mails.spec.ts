/** What is kept of mails. */
import { type NewMail, ReceivedMails } from './received-mails';

const mail = (messageId: string | null): NewMail => ({
  messageId,
  from: 'a@x',
  to: ['b@x'],
  subject: '',
  writtenAt: null,
  text: '',
  html: null,
});

it('takes mails without a name for new ones each time', () => {
  const mails = new ReceivedMails();
  expect([mails.keep(mail(null)), mails.keep(mail(null))]).toEqual([true, true]);
  expect(mails.list()).toHaveLength(2);
});

it('forgets the oldest one when there are too many, with its name', () => {
  const mails = new ReceivedMails(2);
  for (const name of ['<1>', '<2>', '<3>']) mails.keep(mail(name));
  expect(mails.list().map(({ messageId }) => messageId)).toEqual(['<2>', '<3>']);
  expect([mails.keep(mail('<2>')), mails.keep(mail('<1>'))]).toEqual([false, true]);
});
