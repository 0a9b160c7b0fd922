export { en as hu } from "./en.js";
