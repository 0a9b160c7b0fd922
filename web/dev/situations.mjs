/** What befalls a desktop: servers that refuse, fall silent, go, or send it elsewhere. Views are those of `scenes.mjs`. */

const PASSIVE = {
  status: 421,
  id: "datacentre.passive",
  retry: "elsewhere",
  next: null,
  epoch: 4,
  correlation: "c-31b2",
};

/**
 * What befalls a desktop that is shown a scene, or tries to log in.
 *
 * @typedef {object} Situation
 * @property {string} [scene] what it is shown at first
 * @property {string} [there] what it is shown at the second server, which is there only if this is named
 * @property {Record<string, any>} [refuse] the problem with which its login is refused
 * @property {(here: any, there: any) => void} [happen] what befalls it once it shows the scene
 * @property {string} shows what it shows then, as a selector
 */

/** Each important situation, by name. @type {Record<string, Situation>} */
export const SITUATIONS = {
  "login-refused": {
    refuse: { status: 409, id: "station.in-use", detail: "agent 4802 is there", retry: "never", correlation: "c-7f31" },
    shows: ".login__notice--bad",
  },
  "login-draining": {
    refuse: { status: 503, id: "instance.draining", retry: "later", correlation: "c-90c4" },
    shows: ".login__notice--bad",
  },
  "login-passive": { refuse: PASSIVE, shows: ".login__notice--bad" },
  "connection-lost": { scene: "predictive", happen: (here) => here.drop({ stay: true }), shows: ".banner--bad" },
  "taken-over": { scene: "ready", happen: (here) => here.drop({ code: 4409 }), shows: ".entry" },
  "server-checking": { scene: "predictive", happen: (here) => here.hush(true), shows: ".banner--calm" },
  "server-lost": {
    scene: "predictive",
    there: "ready",
    happen: (here, there) => {
      there.hold(true);
      here.drop({ stay: true });
    },
    shows: ".banner--calm",
  },
  "server-serviced": {
    scene: "talking",
    there: "talking",
    happen: (here, there) => {
      there.hold(true);
      here.bid("drain", there);
    },
    shows: ".banner--calm",
  },
  "datacentre-leaving": {
    scene: "ready",
    there: "ready",
    happen: (here, there) => {
      there.hold(true);
      here.bid("passive", there);
    },
    shows: ".banner--calm",
  },
  moved: {
    scene: "talking",
    there: "talking",
    happen: (here, there) => here.bid("move", there),
    shows: ".banner--good",
  },
  "moved-item-lost": {
    scene: "predictive",
    there: "left-item",
    happen: (here) => here.drop({ stay: true }),
    shows: ".left",
  },
  "moved-claim-awaited": {
    scene: "predictive",
    there: "claim-waiting",
    happen: (here) => here.drop({ stay: true }),
    shows: ".way-back",
  },
  "datacentre-switched": {
    scene: "talking",
    there: "talking",
    happen: (here, there) => {
      there.settle({ datacentre: "west" });
      here.drop({ stay: true });
    },
    shows: ".banner--good",
  },
  "ticket-refused": {
    scene: "ready",
    there: "ready",
    happen: (here, there) => {
      there.state.refuseResume = { status: 401, id: "ticket.invalid", retry: "never", correlation: "c-2d50" };
      here.drop({ stay: true });
    },
    shows: ".login__notice--bad",
  },
};
