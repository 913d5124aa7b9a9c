// Bringing a part of a page to what the server sent: elements that stay the same stay the same elements, so that focus,
// selection, scroll positions, what listens to them and what people have typed are kept.

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.key || "" : "");

function alike(old, fresh) {
  return (
    old.nodeType === fresh.nodeType &&
    old.nodeName === fresh.nodeName &&
    keyOf(old) === keyOf(fresh) &&
    (old.nodeName !== "INPUT" || (old.type === fresh.type && old.name === fresh.name))
  );
}

// A list without a chosen option shows its first one, so the list itself does not tell whether somebody chose.
const choices = new WeakSet();

/** Note that somebody chose an option. */
export const noteChoice = (list) => choices.add(list);

/** Whether somebody has changed a field since the server sent it. */
export function touched(field) {
  if (field instanceof HTMLSelectElement) {
    return choices.has(field);
  }
  if (field instanceof HTMLInputElement && ["checkbox", "radio"].includes(field.type)) {
    return field.checked !== field.defaultChecked;
  }
  if (field instanceof HTMLInputElement && field.type === "file") {
    return field.files.length > 0;
  }
  return "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue;
}

function takeAttributes(old, fresh) {
  // Whether it is open is up to the person in front of it.
  const kept = old.nodeName === "DETAILS" || old.nodeName === "DIALOG" ? ["open"] : [];
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !kept.includes(name)) {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !kept.includes(name)) {
      old.setAttribute(name, value);
    }
  }
}

function takeValue(old) {
  if (old instanceof HTMLSelectElement) {
    const chosen = [...old.options].filter((option) => option.defaultSelected);
    old.selectedIndex = old.multiple ? -1 : 0;
    for (const option of chosen) {
      option.selected = true;
    }
    choices.delete(old);
  } else if (old instanceof HTMLInputElement && ["checkbox", "radio"].includes(old.type)) {
    old.checked = old.defaultChecked;
  } else if (old instanceof HTMLInputElement && old.type === "file") {
    old.value = "";
  } else if (old.value !== old.defaultValue) {
    old.value = old.defaultValue;
  }
}

function takeElement(old, fresh, keepTyped) {
  if (old.dataset.keep !== undefined) {
    return;
  }
  const field = old.matches("input, select, textarea");
  const kept = field && keepTyped && touched(old);
  takeAttributes(old, fresh);
  take(old, fresh, keepTyped);
  if (field && !kept) {
    takeValue(old);
  }
}

function upcoming(fresh, old) {
  for (let node = fresh.nextSibling; node; node = node.nextSibling) {
    if (alike(old, node)) {
      return true;
    }
  }
  return false;
}

/**
 * Make an element's children those of another.
 *
 * @param {Element} parent What is shown.
 * @param {ParentNode} source What shall be shown; it is used up.
 * @param {boolean} keepTyped Whether fields that somebody has changed stay as they are.
 */
export function take(parent, source, keepTyped) {
  const known = new Map([...parent.children].filter(keyOf).map((child) => [keyOf(child), child]));
  const wanted = new Set([...source.children].map(keyOf).filter(Boolean));
  let spot = parent.firstChild;
  for (const fresh of [...source.childNodes]) {
    const keyed = known.get(keyOf(fresh));
    if (keyed && alike(keyed, fresh)) {
      if (keyed === spot) {
        spot = spot.nextSibling;
      } else {
        parent.insertBefore(keyed, spot);
      }
      takeElement(keyed, fresh, keepTyped);
      continue;
    }
    // What the server no longer sends goes before it would push away what follows it.
    while (spot && !alike(spot, fresh) && !wanted.has(keyOf(spot) || "\0") && !upcoming(fresh, spot)) {
      const gone = spot;
      spot = spot.nextSibling;
      gone.remove();
    }
    if (spot && alike(spot, fresh) && !keyOf(spot)) {
      const same = spot;
      spot = spot.nextSibling;
      if (same.nodeType === Node.ELEMENT_NODE) {
        takeElement(same, fresh, keepTyped);
      } else if (same.nodeValue !== fresh.nodeValue) {
        same.nodeValue = fresh.nodeValue;
      }
    } else {
      parent.insertBefore(fresh, spot);
    }
  }
  while (spot) {
    const gone = spot;
    spot = spot.nextSibling;
    gone.remove();
  }
}
