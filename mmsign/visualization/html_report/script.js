(() => {
  'use strict';
  const get = (id) => document.getElementById(id);
  const list = get('sentences');
  const items = [...list.children];
  const words = new Map(items.map((item) => [item, searchable(item)]));
  const number = (item, name) => Number(item.dataset[name]);
  const orders = {
    worst: ['wer', -1], best: ['wer', 1], errors: ['errors', -1],
    length: ['length', -1], place: ['place', 1],
    better: ['change', 1], poorer: ['change', -1],
  };

  // Errors of the run that the page is about as the list of confusions names them;
  // of a second run only what it found.
  function searchable(item) {
    const strips = [...item.querySelectorAll(':scope > .strip')];
    const pairs = strips.flatMap((strip, run) => (
      [...strip.querySelectorAll('.pair')].map((pair) => {
        const [expected, found] = [...pair.querySelectorAll('span')]
          .map((word) => word.textContent.toLowerCase());
        const arrow = `${expected} → ${found}`;
        return [pair, pair.matches('.C') || run > 0 ? found : arrow];
      })));
    const title = item.querySelector('h3').textContent.toLowerCase();
    return { pairs, title: `${title}\n${item.dataset.signer.toLowerCase()}` };
  }

  function matches({ pairs, title }, find) {
    return title.includes(find) || pairs.some(([, words]) => words.includes(find));
  }

  let marked = [];

  // Points out what was found among the glosses of a sentence.
  function mark(shown, find) {
    for (const pair of marked) pair.classList.remove('found');
    marked = !find ? [] : shown.flatMap((item) => words.get(item).pairs
      .filter(([, found]) => found.includes(find)).map(([pair]) => pair));
    for (const pair of marked) pair.classList.add('found');
  }

  let ordered = 'worst';  // as the page comes

  function update() {
    const find = get('find').value.trim().toLowerCase();
    const shown = get('shown').value;
    const signer = get('signer').value;
    const [name, sign] = orders[get('order').value];
    const seen = [];
    for (const item of items) {
      const wrong = number(item, 'errors') > 0;
      const visible = matches(words.get(item), find)
        && (shown === 'all' || wrong === (shown === 'wrong'))
        && (!signer || item.dataset.signer === signer);
      item.hidden = !visible;
      if (visible) seen.push(item);
    }
    mark(seen, find);
    if (ordered !== get('order').value) {
      ordered = get('order').value;
      items.sort((a, b) => sign * (number(a, name) - number(b, name))
        || number(b, 'errors') - number(a, 'errors')
        || number(a, 'place') - number(b, 'place'));
      list.append(...items);
    }
    get('count').textContent = `${seen.length} of ${items.length} sentences`;
  }

  function reset() {
    const open = get('outputs') && get('outputs').checked;
    get('controls').reset();
    if (open) get('outputs').checked = true;
  }

  function openAll() {
    const open = get('outputs').checked;
    for (const heads of list.querySelectorAll('details')) heads.open = open;
  }

  // A link to a sentence works also while it is filtered out.
  function reveal() {
    const target = get(location.hash.slice(1));
    if (target && target.hidden) {
      reset();
      update();
    }
    if (target && target.matches('article')) {
      target.scrollIntoView();
      target.focus({ preventScroll: true });
    }
  }

  get('controls').hidden = false;
  get('controls').addEventListener('input', update);
  get('controls').addEventListener('change', update);
  if (get('outputs')) get('outputs').addEventListener('change', openAll);
  get('controls').addEventListener('submit', (event) => event.preventDefault());
  for (const button of document.querySelectorAll('[data-find]')) {
    button.addEventListener('click', () => {
      reset();
      get('find').value = button.dataset.find;
      update();
      get('all').scrollIntoView();
      get('find').focus({ preventScroll: true });
    });
  }
  addEventListener('hashchange', reveal);
  update();
  reveal();
})();
