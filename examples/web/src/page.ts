import type { ServerState } from '@steward/core';
import { html } from '../public/html.js';
import type { RunView } from '../public/run-view.js';
import { conversationLink, outboxHtml, runHtml, serversHtml } from '../public/templates.js';
import type { ConversationTitle } from './history.ts';
import type { ModelChoice } from './model-choice.ts';
import type { Mail } from './outbox.ts';

/** Everything on the page. */
export interface PageContent {
  readonly conversationId: string;
  readonly runs: readonly RunView[];
  readonly conversations: readonly ConversationTitle[];
  readonly mails: readonly Mail[];
  readonly servers: readonly ServerState[];
  readonly choice: Omit<ModelChoice, 'model'>;
}

// Said so that the rules of the demo model understand them as well.
const suggestions = [
  'Show the directory tree of my files',
  'Read plans/launch.md: what is still to be done?',
  'What time is it in Tokyo?',
  'Send an e-mail to grace@example.com, subject "Invitations", body "Can I help with the envelopes?"',
];

export function chatPage(page: PageContent): string {
  const title = page.conversations.find((each) => each.conversationId === page.conversationId);
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
  <meta name="color-scheme" content="light dark">
  <title>${title ? `${title.title} - Steward` : 'Steward'}</title>
  <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/assets/style.css">
  <script src="/assets/marked.js" defer></script>
  <script src="/assets/purify.js" defer></script>
  <script src="/assets/chat.js" type="module"></script>
</head>
<body data-conversation="${page.conversationId}">
  <a class="skip" href="#message">Skip to the message box</a>
  ${sidebar(page)}
  <div class="stage">
    ${header(page)}
    <main id="conversation" aria-label="Conversation">
      <div id="runs" role="log" aria-live="polite" aria-relevant="additions">${page.runs.map(runHtml)}</div>
      ${welcome(page.runs.length > 0)}
    </main>
    ${composer()}
  </div>
  ${confirmationDialog()}
</body>
</html>`.markup;
}

const sidebar = ({ conversations, conversationId, mails, servers }: PageContent) => html`
  <nav id="sidebar" class="sidebar" popover aria-label="Conversations">
    <a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="26" height="26">Steward</a>
    <a class="new-chat" href="/">New chat</a>
    <h2>Chats</h2>
    <ul id="conversations" data-empty="None yet.">${conversations.map((each) =>
      conversationLink(each, each.conversationId === conversationId),
    )}</ul>
    <h2>Outbox</h2>
    <div id="outbox">${outboxHtml(mails)}</div>
    <h2>Tool servers</h2>
    <ul id="servers" class="servers" data-empty="None.">${serversHtml(servers)}</ul>
  </nav>`;

const header = ({ choice }: PageContent) => html`
  <header>
    <button type="button" class="menu" popovertarget="sidebar" aria-label="Chats, outbox and servers"><span aria-hidden="true"></span></button>
    <h1 class="unseen">Chat</h1>
    <button type="button" class="badge" popovertarget="model" ${choice.isDemo ? html`data-demo` : html``}>${choice.label}</button>
    <p id="model" class="model-hint" popover>${choice.hint}</p>
  </header>`;

const welcome = (hidden: boolean) => html`
  <section id="welcome" class="welcome"${hidden ? html` hidden` : html``}>
    <h2>What can I do for you?</h2>
    <p>I can read a folder of files, tell the time, and send e-mail. Before anything is changed or sent, I ask.</p>
    <noscript><p class="notice">This page needs JavaScript.</p></noscript>
    <ul>${suggestions.map((text) => html`<li><button type="button" data-action="suggestion">${text}</button></li>`)}</ul>
  </section>`;

const composer = () => html`
  <form id="composer" class="composer" autocomplete="off">
    <p id="status" class="status" role="status"></p>
    <div class="box">
      <label class="unseen" for="message">Message</label>
      <textarea id="message" name="message" rows="1" maxlength="16000" placeholder="Message Steward" dir="auto" aria-keyshortcuts="Enter" autofocus></textarea>
      <button type="submit" id="send" class="primary">Send</button>
      <button type="button" id="stop" hidden>Stop</button>
    </div>
    <p class="hint">Enter sends, Shift + Enter starts a line, Escape stops.</p>
  </form>`;

const confirmationDialog = () => html`
  <dialog id="confirmation" aria-labelledby="confirmation-title">
    <h2 id="confirmation-title" tabindex="-1">Allow this?</h2>
    <div id="confirmation-body" tabindex="0"></div>
    <form method="dialog">
      <button type="button" value="decline" id="decline">Decline</button>
      <button type="button" value="approve" id="approve" class="primary">Approve</button>
    </form>
    <button type="button" class="later" id="later">Decide later</button>
  </dialog>`;
