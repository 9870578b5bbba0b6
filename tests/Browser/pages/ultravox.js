// A page of somebody's own on ultravox-client. The test drives it from outside by what it puts on the window.
import { Medium, UltravoxSession } from 'ultravox-client';

window.statuses = [];
window.toolCalls = [];
window.dataTypes = [];

const session = new UltravoxSession();
session.registerToolImplementation('paint', (parameters) => {
  window.toolCalls.push(parameters);
  return { result: `painted ${parameters.colour}`, responseType: 'tool-response' };
});
session.addEventListener('status', () => window.statuses.push(session.status));
session.addEventListener('data_message', (event) => window.dataTypes.push(event.message.type));
window.session = session;
window.join = (url) => session.joinCall(url, 'tests');
window.lines = () => session.transcripts.map(({ speaker, text, isFinal, medium }) => ({ speaker, text, isFinal, medium }));
window.answerInText = () => session.setOutputMedium(Medium.TEXT);
