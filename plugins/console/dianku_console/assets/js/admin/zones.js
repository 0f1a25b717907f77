// The time zones there are, as the browser knows them.

/** Fill a list of suggestions, once. */
export function fillZones(list) {
  if (!list || list.children.length || !Intl.supportedValuesOf) return;
  for (const name of Intl.supportedValuesOf("timeZone")) {
    const option = document.createElement("option");
    option.value = name;
    list.append(option);
  }
}

export function start(input) {
  fillZones(input.list);
}
