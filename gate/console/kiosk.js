// The kiosk's own part in the browser: a screen that cannot be left by touch, says what it shows, and knows when it is old.
"use strict";
(() => {
  const tell = (event, value) => window.emitEvent?.(event, value);

  // ------------------------------------------------------------------ nothing here leads elsewhere
  const stop = (event) => event.preventDefault();
  for (const kind of ["contextmenu", "dragstart", "drop", "dragover", "selectstart", "gesturestart", "auxclick"]) {
    document.addEventListener(kind, stop, { capture: true });
  }
  document.addEventListener("wheel", (event) => event.ctrlKey && event.preventDefault(), { capture: true, passive: false });
  document.addEventListener("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), { capture: true, passive: false });
  history.pushState(null, "", location.href);
  window.addEventListener("popstate", () => history.pushState(null, "", location.href));
  document.addEventListener("pointerdown", () => tell("kiosk_touched", true), { capture: true, passive: true });

  // ------------------------------------------------------------------ letters and voices that this browser has
  const SAMPLES = { zh: "请", ja: "の", ko: "한", ru: "Ж", ar: "ع" };
  const VOICES = { zh: ["zh", "cmn"], en: ["en"], ja: ["ja"], ko: ["ko"], ru: ["ru"], ar: ["ar"], fr: ["fr"] };

  function picture(letter, family) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 40;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.font = `30px ${family}`;
    context.fillText(letter, 4, 32);
    return context.getImageData(0, 0, 40, 40).data.join();
  }

  function tellLetters() {
    const family = getComputedStyle(document.body).fontFamily;
    const missing = picture("\u{10fffd}", family);
    const unspoken = Object.keys(SAMPLES).filter((language) => picture(SAMPLES[language], family) === missing);
    if (unspoken.length > 0) tell("unspoken_languages", unspoken);
  }

  // Only voices of this machine: others send what is said over the internet, and fall silent without it.
  function voiceFor(language) {
    const own = (window.speechSynthesis?.getVoices() ?? []).filter((voice) => voice.localService);
    return own.find((voice) => (VOICES[language] ?? []).includes(voice.lang.toLowerCase().split(/[-_]/)[0]));
  }

  function tellVoices() {
    tell("kiosk_voices", Object.keys(VOICES).filter((language) => voiceFor(language)));
  }

  window.addEventListener("load", () => {
    document.documentElement.lang = document.querySelector(".kiosk")?.lang ?? "en";
    tellLetters();
    tellVoices();
    window.speechSynthesis?.addEventListener?.("voiceschanged", tellVoices);
  });

  // ------------------------------------------------------------------ the voice
  const HINT_PAUSE_MS = 2500;
  const AFTER_CANCEL_MS = 60;
  let said = {};
  let hintTimer = 0;

  function speak() {
    clearTimeout(hintTimer);
    const pane = document.querySelector(".kiosk-voice-text");
    if (!window.speechSynthesis || !pane) return;
    if (pane.dataset.voice !== "on") {
      if (said.text) speechSynthesis.cancel();
      said = {};
      return;
    }
    const { say: text, sayLanguage: language, sayStep: step } = pane.dataset;
    if (text === said.text && language === said.language) return;
    const isStep = step !== said.step || language !== said.language;
    const waitMs = isStep ? 0 : said.atMs + HINT_PAUSE_MS - performance.now();
    if (waitMs > 0 || (!isStep && speechSynthesis.speaking)) {
      hintTimer = setTimeout(speak, Math.max(waitMs, 300)); // hints come and go with each frame: one is said to its end
      return;
    }
    if (speechSynthesis.speaking || speechSynthesis.pending) {
      speechSynthesis.cancel();
      hintTimer = setTimeout(speak, AFTER_CANCEL_MS); // Chromium drops what is said in the same breath as a cancel
      return;
    }
    const voice = voiceFor(language);
    if (!voice) return;
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.voice = voice;
    utterance.lang = voice.lang;
    utterance.rate = 0.95;
    speechSynthesis.speak(utterance);
    said = { text, language, step, atMs: performance.now() };
  }

  // ------------------------------------------------------------------ the traveller's own picture
  const RETRY_MS = 3000;
  document.addEventListener("load", (event) => {
    const pane = event.target.closest?.(".kiosk-mirror");
    if (pane) pane.dataset.live = "yes";
  }, true);
  document.addEventListener("error", (event) => {
    const image = event.target;
    const pane = image.closest?.(".kiosk-mirror");
    if (!pane) return;
    delete pane.dataset.live;
    setTimeout(() => {
      if (image.isConnected) image.src = image.src.split("?")[0] + "?again=" + Date.now();
    }, RETRY_MS);
  }, true);

  // ------------------------------------------------------------------ knowing when it is old
  const SILENCE_MS = 3000;
  let beatMs = 0;
  setInterval(() => {
    document.body.toggleAttribute("data-unlinked", beatMs > 0 && performance.now() - beatMs > SILENCE_MS);
  }, 250);

  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.attributeName === "data-beat") beatMs = performance.now();
      if (change.attributeName === "lang" && change.target.matches(".kiosk")) document.documentElement.lang = change.target.lang;
      if (change.attributeName?.startsWith("data-say") || change.attributeName === "data-voice") queueMicrotask(speak);
    }
  }).observe(document.documentElement, {
    subtree: true,
    attributes: true,
    attributeFilter: ["lang", "data-beat", "data-say", "data-say-language", "data-say-step", "data-voice"],
  });

  // A shell for when the server cannot be reached, where browsers allow one: on this machine, or over https.
  if (window.isSecureContext) navigator.serviceWorker?.register("/kiosk/worker.js", { scope: "/kiosk/" }).catch(() => {});

  // ------------------------------------------------------------------ light for the face camera
  // Colours of one brightness, never more than two and a half changes a second (WCAG 2.2, 2.3.1). Who asked for less motion sees none.
  const SLOWEST_MS = 400;
  let lightTimer = 0;
  window.showKioskLight = (id, colours, stepMs) => {
    const pane = document.getElementById(id);
    if (!pane || stepMs < SLOWEST_MS || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    clearInterval(lightTimer);
    let place = 0;
    const show = () => {
      if (place >= colours.length) {
        clearInterval(lightTimer);
        pane.style.visibility = "hidden";
        return;
      }
      pane.style.background = colours[place];
      pane.style.visibility = "visible";
      pane.dataset.colour = colours[place];
      place += 1;
    };
    show();
    lightTimer = setInterval(show, stepMs);
  };
})();
