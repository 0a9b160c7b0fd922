import "./fallbacks.js"; import {Desk} from "./desk.js"; (window as any).uaserver = Desk;
