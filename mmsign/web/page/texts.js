// What the page says, in each of its languages. A text may be a function of numbers.

const en = {
  title: 'Sign language to glosses',
  language: 'Language',
  privacy: 'Everything is computed on this device. No picture leaves it.',
  source: 'Source',
  camera: 'Use the camera',
  file: 'Open a video',
  stop: 'Stop',
  picture: 'Picture',
  progress: 'How much of the video has been looked at',
  position: 'Position in the video',
  play: 'Play',
  pause: 'Pause',
  glosses: 'Glosses',
  partial: 'Not final yet',
  copy: 'Copy the captions',
  save: 'Save as WebVTT',
  about: 'What this can do, and what not',
  licences: 'Licences of what this page contains',
  loading: 'Loading the network and the landmark models …',
  ready: 'Ready.',
  opening_camera: 'Waiting for the camera …',
  watching: 'Watching. Glosses appear when they are certain.',
  reading: 'Looking at the video, frame by frame …',
  done: (count) => `Done: ${count} ${count === 1 ? 'gloss' : 'glosses'}.`,
  copied: 'The captions are in the clipboard.',
  not_copied: 'The browser does not let this page write to the clipboard.',
  no_person:
    'Nobody is to be seen. Sit so that head, shoulders and both hands are in the picture.',
  slow: 'This device looks at few frames a second: expect errors with fast signing.',
  speed: (fps, landmarks, network, kind) =>
    `${fps} frames/s; landmarks ${landmarks} ms a frame, network ${network} ms a second ` +
    `of video (${kind})`,
  gloss: (gloss, start, end, sure) => `${gloss}, ${start} to ${end} seconds, ${sure} percent`,
  trained: (count, fps, note) =>
    `The network knows ${count} glosses and was trained at ${fps} frames a second. What ` +
    `its makers say of it: “${note}”.`,
  limit_signs:
    'It writes glosses, labels of single signs, not sentences. It knows no other signs ' +
    'than these, and takes any movement for one of them.',
  limit_people:
    'Other people, cameras, dialects and topics than those of its training make it err ' +
    'more, and it looks at landmarks alone: what they miss, it misses.',
  limit_confidence:
    'The percentage says how often such a gloss was right on videos like those of the ' +
    'training. On others it is too high.',
  limit_uncalibrated:
    'The percentage is what the network claims, not how often it is right: nobody has ' +
    'measured that, and networks are too sure.',
  limit_use:
    'It does not replace an interpreter. Rely on it for nothing that matters: medicine, ' +
    'law, emergencies.',
  errors: {
    simd: 'This browser has no WebAssembly with SIMD, which the page needs: update it.',
    load: (reason) => `The page could not load what it needs: ${reason}`,
    wrong: 'The network computes wrong numbers in this browser, so it is not used.',
    insecure: 'Browsers give the camera only to pages opened by https or on localhost.',
    no_camera: 'No camera was found. You can open a video instead.',
    denied: 'The camera may not be used: allow it in the browser, or open a video.',
    busy: 'The camera does not start; another program may be using it.',
    decode: (name) =>
      `This browser cannot decode ${name}: convert it to MP4 (H.264) or WebM (VP9).`,
    landmarks: (reason) => `The landmark models failed: ${reason}`,
  },
};

const de = {
  title: 'Von Gebärden zu Glossen',
  language: 'Sprache',
  privacy: 'Alles wird auf diesem Gerät berechnet. Kein Bild verlässt es.',
  source: 'Quelle',
  camera: 'Kamera verwenden',
  file: 'Video öffnen',
  stop: 'Anhalten',
  picture: 'Bild',
  progress: 'Wie viel des Videos schon betrachtet ist',
  position: 'Stelle im Video',
  play: 'Abspielen',
  pause: 'Pause',
  glosses: 'Glossen',
  partial: 'Noch nicht endgültig',
  copy: 'Untertitel kopieren',
  save: 'Als WebVTT sichern',
  about: 'Was dies kann, und was nicht',
  licences: 'Lizenzen dessen, was diese Seite enthält',
  loading: 'Das Netz und die Modelle für Körperpunkte werden geladen …',
  ready: 'Bereit.',
  opening_camera: 'Warten auf die Kamera …',
  watching: 'Die Kamera läuft. Glossen erscheinen, sobald sie feststehen.',
  reading: 'Das Video wird Bild für Bild betrachtet …',
  done: (count) => `Fertig: ${count} ${count === 1 ? 'Glosse' : 'Glossen'}.`,
  copied: 'Die Untertitel sind in der Zwischenablage.',
  not_copied: 'Der Browser lässt diese Seite nicht in die Zwischenablage schreiben.',
  no_person:
    'Niemand ist zu sehen. Kopf, Schultern und beide Hände müssen im Bild sein.',
  slow: 'Dieses Gerät schafft nur wenige Bilder je Sekunde: Schnelles wird falsch erkannt.',
  speed: (fps, landmarks, network, kind) =>
    `${fps} Bilder/s; Körperpunkte ${landmarks} ms je Bild, Netz ${network} ms je Sekunde ` +
    `Video (${kind})`,
  gloss: (gloss, start, end, sure) => `${gloss}, ${start} bis ${end} Sekunden, ${sure} Prozent`,
  trained: (count, fps, note) =>
    `Das Netz kennt ${count} Glossen und wurde bei ${fps} Bildern je Sekunde trainiert. Was ` +
    `seine Urheber dazu sagen: „${note}“.`,
  limit_signs:
    'Es schreibt Glossen, Namen einzelner Gebärden, keine Sätze. Andere Gebärden kennt es ' +
    'nicht und hält jede Bewegung für eine von diesen.',
  limit_people:
    'Bei anderen Menschen, Kameras, Dialekten und Themen als im Training irrt es öfter, und ' +
    'es sieht nur Körperpunkte: Was diesen entgeht, entgeht ihm auch.',
  limit_confidence:
    'Die Prozentzahl sagt, wie oft eine solche Glosse in Videos wie denen des Trainings ' +
    'richtig war. In anderen ist sie zu hoch.',
  limit_uncalibrated:
    'Die Prozentzahl ist, was das Netz behauptet, nicht wie oft es recht hat: Das hat ' +
    'niemand gemessen, und Netze sind sich zu sicher.',
  limit_use:
    'Es ersetzt keine Dolmetscherin und keinen Dolmetscher. In Medizin, Recht und Notfällen ' +
    'darf man sich nicht darauf verlassen.',
  errors: {
    simd: 'Diesem Browser fehlt WebAssembly mit SIMD, das die Seite braucht: bitte erneuern.',
    load: (reason) => `Die Seite konnte nicht laden, was sie braucht: ${reason}`,
    wrong: 'Das Netz rechnet in diesem Browser falsch und wird deshalb nicht verwendet.',
    insecure: 'Browser geben die Kamera nur Seiten, die über https oder localhost kommen.',
    no_camera: 'Keine Kamera gefunden. Stattdessen lässt sich ein Video öffnen.',
    denied: 'Die Kamera ist nicht erlaubt: im Browser erlauben oder ein Video öffnen.',
    busy: 'Die Kamera startet nicht; vielleicht verwendet sie ein anderes Programm.',
    decode: (name) =>
      `Dieser Browser kann ${name} nicht lesen: bitte in MP4 (H.264) oder WebM (VP9) wandeln.`,
    landmarks: (reason) => `Die Modelle für Körperpunkte sind gescheitert: ${reason}`,
  },
};

const LANGUAGES = { en, de };
const KEY = 'mmsign-language';
let chosen = preferred();

function preferred() {
  let stored = null;
  try {
    stored = localStorage.getItem(KEY);
  } catch {
    // Storage may be forbidden; then the browser's language is taken each time.
  }
  const wanted = [stored, ...(navigator.languages ?? [])].filter(Boolean);
  const known = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag in LANGUAGES);
  return known ?? 'en';
}

export const language = () => chosen;

export function setLanguage(tag) {
  chosen = tag;
  try {
    localStorage.setItem(KEY, tag);
  } catch {
    // As above.
  }
  translatePage();
}

// A text by its key, such as 'errors.denied'.
export function text(key, ...values) {
  const found = key.split('.').reduce((part, name) => part[name], LANGUAGES[chosen]);
  return typeof found === 'function' ? found(...values) : found;
}

export function translatePage() {
  document.documentElement.lang = chosen;
  document.title = `${text('title')} – mmsign`;
  for (const element of document.querySelectorAll('[data-text]')) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', text(element.dataset.label));
  }
}

export const number = (value, digits = 0) =>
  value.toLocaleString(chosen, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
