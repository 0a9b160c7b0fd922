import { beforeEach, expect, test } from "vitest";
import { keepAlerting, polite } from "../../desktop/alerts.js";
import { cameBack, connection, view } from "../../desktop/store.js";

keepAlerting();

beforeEach(() => {
  connection.value = null;
  view.value = null;
  cameBack.value = null;
  polite.value = "";
});

test("that the connection is back is said once, and again after the next loss", () => {
  cameBack.value = "resumed";
  expect(polite.value).toBe("Connected again. Nothing was lost.");
  cameBack.value = null;
  cameBack.value = "resumed";
  // Other words than before, though they sound the same: a screen reader says only what has changed.
  expect(polite.value).toBe("Connected again. Nothing was lost.\u00a0");
});
