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

  // What is seen of a sentence at once; errors as the list of confusions names them.
  function searchable(item) {
    const pairs = [...item.querySelectorAll(':scope > .strip .pair')].map((pair) => {
      const [expected, found] = [...pair.querySelectorAll('span')];
      return pair.matches('.C')
        ? found.textContent : `${expected.textContent} → ${found.textContent}`;
    });
    const title = item.querySelector('h3').textContent;
    return [title, item.dataset.signer, ...pairs].join('\n').toLowerCase();
  }

  let ordered = 'worst';  // as the page comes

  function update() {
    const find = get('find').value.trim().toLowerCase();
    const shown = get('shown').value;
    const signer = get('signer').value;
    const [name, sign] = orders[get('order').value];
    let count = 0;
    for (const item of items) {
      const wrong = number(item, 'errors') > 0;
      const visible = words.get(item).includes(find)
        && (shown === 'all' || wrong === (shown === 'wrong'))
        && (!signer || item.dataset.signer === signer);
      item.hidden = !visible;
      count += visible;
    }
    if (ordered !== get('order').value) {
      ordered = get('order').value;
      items.sort((a, b) => sign * (number(a, name) - number(b, name))
        || number(b, 'errors') - number(a, 'errors')
        || number(a, 'place') - number(b, 'place'));
      list.append(...items);
    }
    get('count').textContent = `${count} of ${items.length} sentences`;
  }

  // A link to a sentence works also while it is filtered out.
  function reveal() {
    const target = get(location.hash.slice(1));
    if (target && target.hidden) {
      get('controls').reset();
      update();
    }
    if (target && target.matches('article')) {
      target.scrollIntoView();
      target.focus({ preventScroll: true });
    }
  }

  get('controls').hidden = false;
  get('controls').addEventListener('input', update);
  get('controls').addEventListener('submit', (event) => event.preventDefault());
  for (const button of document.querySelectorAll('[data-find]')) {
    button.addEventListener('click', () => {
      get('controls').reset();
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
